import AgentSessions
import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Transport
import Wire

/// What operators see of calls and agents in figures, and what they are told of a cut that has not happened, with real processes.
@Suite(.serialized) struct StatisticsTests {
    private func tandem(_ words: [String], _ cluster: TestCluster) throws -> (code: Int, output: String) {
        let result = try cluster.sandbox.run(
            [Executables.companion("tandem")] + words + ["--socket", cluster.socketPath])
        return (Int(result.code), result.output)
    }

    private func statistics(_ question: StatisticsQuestion, _ cluster: TestCluster) throws -> StatisticsAnswer {
        guard case .statistics(let answer) = try cluster.ask(.statistics(question)) else { return StatisticsAnswer() }
        return answer
    }

    private func wait(_ what: String, _ cluster: TestCluster, _ fits: (PointFigures) -> Bool) throws {
        try cluster.waitUntil(what) { _ in
            try statistics(.points("8000", minutes: 0), cluster).points.first.map(fits) ?? false
        }
    }

    private func call(_ caller: String, _ port: Int, _ node: Int, _ cluster: TestCluster) throws -> SIPp {
        try SIPp("call", ["TALK": "8000"], callee: "8000", caller: caller, port: port, node: node, in: cluster)
    }

    @Test func `calls at both data centers are counted until they are answered, given up or refused`() throws {
        let cluster = try TestCluster(TestCluster.routed(", timeout: 60s, serviceLevel: 1m"))
        let desk = try cluster.client("dc1/sip1")
        try desk.monitorAll(MonitorOptions(pointsOnly: true, mask: .points))
        let caller = try call("+15551230001", TestCluster.gateway, 5071, cluster)
        try wait("a call waits", cluster) { $0.waiting == 1 && $0.tally.arrived == 1 }
        let waiting = try tandem(["stats", "--plain"], cluster)
        #expect(waiting.code == 0 && waiting.output.contains("\n8000\t1\t"), "\(waiting.output)")
        let reach = try tandem(["what-if", "--cut", "dc1,dc2", "--json"], cluster)
        #expect(reach.code == 0 && reach.output.contains(#""outlook" : "unchanged""#), "\(reach.output)")

        // The only agent is at the other data center: a cut would leave the caller nobody.
        let phone = try SIPp("answer", callee: "1002", port: 5302, node: 5072, in: cluster)
        try cluster.register([("1002", 5302, 5072)])
        let other = try cluster.client("dc2/sip1")
        let agent = try #require(AgentID("agent1002"))
        try other.agent(.login(agent, .unknown, Reasons()), on: "1002")
        try cluster.waitUntil("the login is seen") { $0.agents == 1 }
        let cut = try tandem(["what-if", "--cut", "dc1,dc2"], cluster)
        #expect(cut.code == 0)
        let sentence = "1 caller who waits at 8000 would have nobody left: the one agent who fits would not be heard.\n"
        #expect(cut.output.contains(sentence), "\(cut.output)")
        #expect(cut.output.contains("dc1/sip1 would hear no other node, and not dc2/sip1.\n"), "\(cut.output)")
        let loss = try tandem(["what-if", "--lose", "dc1/sip1"], cluster).output
        #expect(loss.contains("1 call waits there at 8000, and would end with it.\n"), "\(loss)")
        #expect(
            try tandem(["what-if", "--lose", "dc9"], cluster).output.contains("there is no data center or node dc9"))
        #expect(try tandem(["what-if"], cluster).code == 64)
        #expect(try tandem(["what-if", "--cut", "dc1,dc1/sip1"], cluster).code == 1)

        try other.agent(.ready(.autoIn, Reasons()), on: "1002")
        try wait("it is answered", cluster) { $0.waiting == 0 && $0.tally.answered == 1 }
        for program in [phone, caller] { try program.expectSuccess() }
        let figures = try #require(try statistics(.points("", minutes: 1), cluster).points.first)
        #expect(figures.tally.serviceLevel == 1 && figures.tally.ended == 1)
        // A monitoring client is told the same.
        var told: [ReceivedEvent] = []
        while let event = try desk.nextEvent(timeout: .milliseconds(500)) {
            if event.point != nil { told.append(event) }
        }
        #expect(told.map(\.type) == [.eventQueued, .eventDiverted] && told.last?.destination == "1002")

        try other.agent(.notReady(.unknown, Reasons()), on: "1002")
        let gone = try SIPp(
            "call-cancelled-early", callee: "8000", caller: "+15551230002", port: TestCluster.gateway, node: 5072,
            in: cluster
        )
        try gone.expectSuccess()
        try wait("one is given up at the other data center", cluster) {
            $0.tally.arrived == 2 && $0.tally.abandoned == 1
        }
        let json = try tandem(["stats", "8000", "--last", "1h", "--json"], cluster).output
        for part in [
            #""abandoned" : 1"#, #""lastMinutes" : 60"#, #""serviceLevel" : 1"#, #""statServer" : "dc2/stat1""#,
        ] {
            #expect(json.contains(part), "\(json)")
        }
        try expectAgents(cluster)
        try expectAnswersOfItsOwn(cluster)
    }

    /// Without the controller, as a supervisor's program would.
    private func expectAnswersOfItsOwn(_ cluster: TestCluster) throws {
        let worker = try #require(try cluster.status().nodes.first { $0.name == "dc2/stat1" })
        let client = try BlockingConnection(to: try #require(StreamAddress(worker.listen)))
        var output: [UInt8] = []
        CommonCodec.encode(PortHello(name: "test"), to: &output)
        StatCodec.encode(.points(referenceID: 1, "8000", minutes: 0), to: &output)
        StatCodec.encode(.groups(referenceID: 2, by: .all), to: &output)
        try client.send(raw: output)
        let hello = try client.receive()
        #expect(hello.type == FrameType.hello)
        let points = try client.receive()
        guard
            case .points(1, let figures, let since, []) = try StatCodec.decodeAnswer(
                type: points.type, points.payload.span.bytes)
        else {
            Issue.record("\(points.type) came")
            return
        }
        // Its own data center's.
        #expect(since > 0 && figures.map(\.tally.arrived) == [1] && figures.map(\.tally.abandoned) == [1])
        let groups = try client.receive()
        guard
            case .groups(2, let all, false) = try StatCodec.decodeAnswer(
                type: groups.type, groups.payload.span.bytes)
        else {
            Issue.record("\(groups.type) came")
            return
        }
        #expect(all.map(\.name) == [""] && all.map { $0.present.reduce(0, +) } == [1])
    }

    private func expectAgents(_ cluster: TestCluster) throws {
        let agents = try tandem(["stats", "agents", "--plain"], cluster)
        #expect(agents.code == 0 && agents.output.contains("\nagent1002\t1002\tnot-ready\teast\t"), "\(agents.output)")
        let elsewhere = try tandem(["stats", "agents", "--location", "west"], cluster)
        #expect(elsewhere.code == 0 && elsewhere.output.contains("No agent fits."), "\(elsewhere.output)")
        let nowhere = try tandem(["stats", "agents", "--location", "north"], cluster)
        #expect(nowhere.code == 1 && nowhere.output.contains("there are east, west"), "\(nowhere.output)")
        let groups = try tandem(["stats", "groups", "--by", "location", "--plain"], cluster).output
        #expect(groups.contains("\neast\t1\t0\t0\t"), "\(groups)")
        let json = try tandem(["stats", "groups", "--by", "skill", "--json"], cluster).output
        #expect(json.contains(#""groupedBy" : "skill""#) && json.contains(#""known" : 1"#), "\(json)")
        let unknown = try tandem(["stats", "8009"], cluster)
        #expect(unknown.code == 1 && unknown.output.contains("8009 is no routing point"), "\(unknown.output)")
        #expect(try tandem(["stats", "--last", "2h"], cluster).code == 64)
    }

    @Test func `a Stat Server that begins anew knows the calls that wait, and a lost node's are unknown`() throws {
        let cluster = try TestCluster(TestCluster.routed(", timeout: 60s"))
        let caller = try call("+15551230001", TestCluster.gateway, 5071, cluster)
        try wait("a call waits", cluster) { $0.waiting == 1 }
        let stat = try #require(try cluster.status().nodes.first { $0.name == "dc1/stat1" })
        kill(Int32(stat.pid), SIGKILL)
        try cluster.waitUntil("another life") { status in
            status.nodes.contains { $0.name == stat.name && $0.incarnation > stat.incarnation && $0.state == .ready }
        }
        try wait("it knows the call again", cluster) {
            $0.waiting == 1 && $0.longestWaiting > 0 && $0.tally.arrived == 1
        }
        let node = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" })
        kill(Int32(node.pid), SIGSTOP)
        kill(Int32(node.pid), SIGKILL)
        try wait("its end is unknown", cluster) { $0.waiting == 0 && $0.tally.unknown == 1 && $0.tally.arrived == 1 }
        withExtendedLifetime(caller) {}
    }
}
