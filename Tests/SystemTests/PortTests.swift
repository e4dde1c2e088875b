import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// The T-Controller port with real processes: any node for any DN, links, clients that go, come back, or are too slow.
@Suite(.serialized) struct PortTests {
    /// Reads until an event fits.
    private func expect(
        _ what: String, from client: TLibraryClient, where fits: (ReceivedEvent) -> Bool
    ) throws -> ReceivedEvent {
        let deadline = SystemClock.monotonicNanoseconds() + 10_000_000_000
        while SystemClock.monotonicNanoseconds() < deadline {
            if let event = try client.nextEvent(timeout: .seconds(1)), fits(event) { return event }
        }
        throw Timeout(what: what)
    }

    @Test func `a desktop asks any node, and is told by the DN's owner`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        try cluster.register("1001", at: "127.0.0.1:5071")
        let holder = try cluster.client("dc1/sip1")
        try holder.registerAddress("7001")
        let desktop = try cluster.client("dc2/sip1")
        #expect(desktop.serverInfo.server == "dc2/sip1")
        #expect(desktop.serverInfo.serverInfo?.cluster == "test")
        #expect(desktop.serverInfo.serverInfo?.version == TandemVersion.current)
        #expect(desktop.serverInfo.serverInfo?.links == [.init(peer: "dc1/sip1", isConnected: true)])
        // Both at once, and an unknown one between: each answer has its own ReferenceID.
        try desktop.send([
            .queryAddress(referenceID: 900, dn: "1001"), .queryAddress(referenceID: 901, dn: "4711"),
            .queryAddress(referenceID: 902, dn: "7001"),
        ])
        var answers: [UInt32: ReceivedEvent] = [:]
        while answers.count < 3 {
            let event = try expect("an answer", from: desktop) { $0.referenceID != nil }
            answers[event.referenceID ?? 0] = event
        }
        #expect(answers[900]?.type == .eventAddressInfo)
        #expect(answers[900]?.server == "dc2/sip1")
        #expect(answers[900]?.statuses.first?.owner == "dc1/sip1")
        #expect(answers[900]?.ownerDetail == OwnerDetail(contacts: 1, desktops: 0))
        #expect(answers[901]?.errorCode == TError.unknownDN.rawValue)
        #expect(answers[902]?.ownerDetail == OwnerDetail(contacts: 0, desktops: 1))
    }

    @Test func `a smart desktop is told where the owner is, and goes there`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let holder = try cluster.client("dc1/sip1")
        try holder.registerAddress("7001")
        let desktop = try cluster.client("dc2/sip1")
        try desktop.registerAddress("7001", ownerHint: true)
        let hint = try expect("the hint", from: desktop) { $0.privateInfo == .ownerHint }
        #expect(hint.thisDN == "7001")
        #expect(hint.owner == "dc1/sip1")
        #expect(hint.ownerAddress == "unix:\(cluster.directory)/dc1-sip1")
        let there = try TLibraryClient(
            to: try #require(StreamAddress(hint.ownerAddress)), name: "desktop")
        #expect(there.serverInfo.server == "dc1/sip1")
        #expect(try there.registerAddress("7001", ownerHint: true).statuses.first?.service == .inService)
    }

    @Test func `every client hears of links, whatever it has registered`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let client = try cluster.client("dc2/sip1")
        let pid = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" }?.pid)
        kill(Int32(pid), SIGKILL)
        let lost = try expect("EventLinkDisconnected", from: client) { $0.type == .eventLinkDisconnected }
        #expect(lost.owner == "dc1/sip1")
        let back = try expect("EventLinkConnected", from: client) { $0.type == .eventLinkConnected }
        #expect(back.owner == "dc1/sip1")
        #expect(try client.queryServer().serverInfo?.links == [.init(peer: "dc1/sip1", isConnected: true)])
    }

    @Test func `a client that was away hears just what it missed; after the node's restart, everything`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let before = try Subscriber(cluster, "dc2/sip1")
        try cluster.register("1001", at: "127.0.0.1:5071")
        let seen = try before.expectInService("1001", owner: "dc1/sip1")
        before.client.close()
        let lineage = Incarnation(rawValue: before.client.serverInfo.lineage)
        try cluster.register("1002", at: "127.0.0.1:5071")
        try cluster.register("1001", at: "127.0.0.1:5071", expires: 0)
        try cluster.waitUntil("one DN in service") { $0.inService == 1 }

        let resume = FeedPosition(lineage: lineage, sequence: seen.sequence)
        let returned = try cluster.client("dc2/sip1")
        let answer = try returned.monitorAll(MonitorOptions(acceptsOwnerEvents: true, resume: resume))
        #expect(answer.isResumed)
        var missed: [String] = []
        for number in 1...2 as ClosedRange<UInt64> {
            let event = try expect("what was missed", from: returned) { $0.sequence > 0 }
            #expect(event.sequence == seen.sequence + number)
            missed.append("\(event.type.name) \(event.thisDN)")
        }
        #expect(missed == ["EventDNBackInService 1002", "EventDNOutOfService 1001"])

        let pid = try #require(try cluster.status().nodes.first { $0.name == "dc2/sip1" }?.pid)
        kill(Int32(pid), SIGKILL)
        try cluster.waitUntil("the node is back") { $0.isHealthy && $0.nodes.contains { $0.restarts == 1 } }
        let anew = try cluster.client("dc2/sip1")
        #expect(try !anew.monitorAll(MonitorOptions(acceptsOwnerEvents: true, resume: resume)).isResumed)
        var snapshot: [String: Service] = [:]
        _ = try expect("the end of the snapshot", from: anew) { event in
            for status in event.statuses { snapshot["\(status.dn)"] = status.service }
            return event.privateInfo == .endOfSnapshot
        }
        #expect(snapshot.count == 101)
        #expect(snapshot["1002"] == .inService)
    }

    @Test func `a client that does not read is cut off, is told why and counted, and the others hear everything`()
        throws
    {
        let cluster = try TestCluster { directory in
            TestCluster.twoNodes(directory).split(separator: "\n").map { line in
                line.contains("range: 1000-1099") ? "  - { range: 100000-199999, agentType: sip-phone }" : "\(line)"
            }.joined(separator: "\n")
        }
        let slow = try cluster.client("dc2/sip1")
        try slow.monitorAll(MonitorOptions(acceptsOwnerEvents: true))
        _ = try expect("the end of the snapshot", from: slow) { $0.privateInfo == .endOfSnapshot }
        let good = try Subscriber(cluster, "dc2/sip1")

        // 80,000 phones register at the other node: more changes than the feed holds. Only one of the two reads meanwhile.
        for part in 1...8 {
            let load = try cluster.sandbox.run([
                Executables.companion("tandem-load"), "register", "--target", "127.0.0.1:5071", "--first",
                "\(90_000 + part * 10_000)", "--count", "10000", "--once", "--seconds", "60",
            ])
            #expect(load.code == 0, "\(load.output)")
            try good.expect("all of part \(part)") { event in
                event.type == .eventDNBackInService && good.serviceEventCount == part * 10_000
            }
        }
        try cluster.waitUntil("the slow client is counted") { status in
            status.nodes.first { $0.name == "dc2/sip1" }?.report?.slowClients == 1
        }
        #expect(cluster.logText.contains("client cut off"))

        // It finds what had been sent until then, and the reason.
        var last: UInt64 = 0
        let expected = TLibraryClientError.closed("\(slow.address)", problem: ClientProblem.tooSlow.sentence)
        #expect(throws: expected) {
            while let event = try slow.nextEvent(timeout: .seconds(5)) { last = max(last, event.sequence) }
        }
        #expect(last > 0)
        // It comes back: too late to go on where it stopped, and told so.
        let position = FeedPosition(
            lineage: Incarnation(rawValue: slow.serverInfo.lineage), sequence: last)
        let returned = try cluster.client("dc2/sip1")
        #expect(try !returned.monitorAll(MonitorOptions(acceptsOwnerEvents: true, resume: position)).isResumed)
        var inService = 0
        _ = try expect("the end of the snapshot", from: returned) { event in
            inService += event.statuses.count { $0.service.isInService }
            return event.privateInfo == .endOfSnapshot
        }
        #expect(inService == 80_000)
    }

    @Test func `the port is served over TCP as over a Unix socket`() throws {
        let cluster = try TestCluster { directory in
            TestCluster.twoNodes(directory).split(separator: "\n").map { line in
                line.contains("\(directory)/dc2-sip1") ? "        tcontroller: \"tcp:127.0.0.1:7102\"" : "\(line)"
            }.joined(separator: "\n")
        }
        try cluster.register("1001", at: "127.0.0.1:5071")
        // The Unix socket from here, the TCP port from inside the network of the nodes.
        #expect(try cluster.client("dc1/sip1").queryAddress("1001").statuses.first?.service == .inService)
        let monitor = try cluster.sandbox.run([
            Executables.companion("tandem"), "monitor", "--socket", cluster.socketPath, "dc2/sip1", "--timeout", "2",
        ])
        #expect(monitor.output.contains("1001"), "\(monitor.output)")
        #expect(monitor.output.contains("101 DNs, 1 InSrv"), "\(monitor.output)")
        let mode = try Program.run(["/usr/bin/stat", "-c", "%a %F", "\(cluster.directory)/dc1-sip1"])
        #expect(mode.output == "600 socket\n")
    }
}
