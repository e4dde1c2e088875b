import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// Nodes that their phones and desktops are to leave.
@Suite(.serialized) struct DrainTests {
    private func tandem(_ words: String..., in cluster: TestCluster) throws -> (code: Int32, output: String) {
        let result = try cluster.sandbox.run(
            [Executables.companion("tandem")] + words + ["--socket", cluster.socketPath], seconds: 60)
        return (result.code, result.output)
    }

    private func prelude(_ cluster: TestCluster) -> String {
        """
        def tandem(*words):
            words = ["\(Executables.companion("tandem"))", *words, "--socket", "\(cluster.socketPath)"]
            result = subprocess.run(words, capture_output=True, text=True)
            assert result.returncode == 0, result.stdout + result.stderr
        def refresh(phone, node=None, agent="Test Phone 1.0"):
            number = next(numbers)
            phone.send(text("REGISTER sip:cc.example.com SIP/2.0", phone.via(), "Max-Forwards: 70",
                f"From: <sip:{phone.dn}@{DOMAIN}>;tag={number}", f"To: <sip:{phone.dn}@{DOMAIN}>", f"Call-ID: {phone.dn}",
                f"CSeq: {number} REGISTER", f"Contact: {phone.contact}", "Expires: 300", f"User-Agent: {agent}"), node)
            return phone.receive("an answer", lambda m: m.status and m["CSeq"] == f"{number} REGISTER")

        """
    }

    @Test func `phones are sent elsewhere once, those with calls after these, and those that come back are listed`()
        throws
    {
        let cluster = try TestCluster(TestCluster.twoNodesWithStreams)
        let watcher = try Subscriber(cluster, "dc2/sip1")
        try cluster.python(
            prelude(cluster) + """
                goes, stays, talks, late = [Phone(f"100{number}", WEST) for number in range(4)]
                other = Phone("1010", EAST)
                for phone in goes, stays, talks, other:
                    assert refresh(phone).status == 200
                for phone in goes, stays, talks, other: phone.awaits_service()
                one, two = connect(talks, other)
                tandem("drain", "dc1/sip1", "--pace", "100000")
                answer = refresh(goes)
                # Without it a phone goes elsewhere at once; with it, it should send nothing here, not even a BYE (RFC 3261 21.5.4).
                assert answer.status == 503 and not answer["Retry-After"], answer.text
                assert refresh(goes, EAST).status == 200
                assert refresh(stays).status == 503
                assert refresh(stays, agent="Old Phone 0.9").status == 200
                # Its call goes on here, and so does the phone as long as that lasts.
                assert refresh(talks).status == 200
                # Who was not here does not begin here.
                assert refresh(late).status == 503
                # What was drained is so after a restart, too.
                tandem("restart", "dc1/sip1", "--wait")
                assert refresh(stays, agent="Old Phone 0.9").status == 200
                one.ends(two)
                assert refresh(talks).status == 503
                """)
        #expect(try cluster.details("1000").authority?.owner == "dc2/sip1")
        #expect(try cluster.details("1003").authority == nil)
        let node = try #require(try cluster.status().nodes.first)
        #expect(node.state == .draining)
        #expect(node.report?.drain?.staying == [DrainReport.Staying(agent: "Old Phone 0.9", count: 1)])
        #expect(node.report?.drain?.sentElsewhere == 4)
        #expect(node.report?.ownedInService == 2)
        let counted = try tandem("drain", "dc1/sip1", "--deadline", "1s", "--wait", in: cluster)
        #expect(counted.code == 124)
        #expect(counted.output.contains("2 DNs in service and 0 calls"), "\(counted.output)")
        // The DN that has gone was in service all the time.
        try watcher.expect("1000 at its new owner") {
            $0.statuses.contains { "\($0.dn)" == "1000" && $0.owner == "dc2/sip1" }
        }
        #expect(watcher.events.allSatisfy { $0.type != .eventDNOutOfService })
        #expect(try tandem("undrain", "dc1/sip1", in: cluster).code == 0)
        try cluster.register("1003", at: "127.0.0.1:5071")
        #expect(try cluster.status().isHealthy)
    }

    @Test func `desktops are asked to move, and take their DNs along`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let desktop = try cluster.client("dc1/sip1")
        let token = try #require(try desktop.registerAddress("7001").desktopToken)
        #expect(try tandem("drain", "dc1/sip1", in: cluster).code == 0)
        var hint: ReceivedEvent?
        while hint == nil, let event = try desktop.nextEvent(timeout: .seconds(5)) {
            if event.privateInfo == .moveHint { hint = event }
        }
        #expect(hint?.thisDN == "7001")
        #expect(hint?.owner == "dc2/sip1")
        #expect(hint?.ownerAddress == "unix:\(cluster.directory)/dc2-sip1")
        let moved = try cluster.client("dc2/sip1")
        try moved.registerAddress("7001", desktop: token)
        desktop.close()
        let drained = try tandem("drain", "dc1/sip1", "--wait", in: cluster)
        #expect(drained.code == 0, "\(drained.output)")
        #expect(try cluster.details("7001").authority?.owner == "dc2/sip1")
        #expect(try cluster.details("7001").authority?.lastWord == .inService)
    }

    @Test func `what makes no sense is refused`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        #expect(try tandem("drain", "dc9/sip1", in: cluster).code == 64)
        #expect(try tandem("drain", "dc1/sip1", "--pace", "0", in: cluster).code == 64)
        #expect(try tandem("drain", "dc1/sip1", "--deadline", "2d", in: cluster).code == 64)
        // A second node that is away: there is nowhere to go, so phones are served.
        #expect(try tandem("drain", "dc1/sip1", in: cluster).code == 0)
        let worker = try cluster.worker("dc2/sip1")
        try worker.send(.stop)
        try cluster.waitUntil("the link is down") { $0.nodes.first?.report?.links.first?.state != "live" }
        try cluster.register("1001", at: "127.0.0.1:5071")
        try worker.send(.continue)
    }
}
