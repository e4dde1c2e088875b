import AgentSessions
import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// Calls from a gateway through a routing point to agents of either data center, with Stat Servers and routers.
@Suite(.serialized) struct RoutedCallTests {
    @Test(arguments: [(5071, 5072), (5072, 5071)])
    func `a call to one data center is answered by an agent of the other`(_ calls: Int, _ agents: Int) throws {
        let cluster = try TestCluster(TestCluster.routed())
        try cluster.logIn([("1001", 5301)], at: agents)
        try cluster.awaitAgents(1)
        let watcher = try AgentWatcher(cluster, calls == 5071 ? "dc1/sip1" : "dc2/sip1")
        let phone = try SIPp("answer", callee: "1001", port: 5301, node: agents, in: cluster)
        let caller = try SIPp(
            "call", ["TALK": "300"], callee: "8000", caller: "+15551230001", port: TestCluster.gateway, node: calls,
            in: cluster)
        for program in [phone, caller] { try program.expectSuccess() }
        try watcher.waitUntil("the agent is free") {
            watcher.heard.contains { $0.type == .eventReleased } && watcher.isReady("1001")
                && watcher.statuses["1001"]?.occupancy == []
        }
        let events = watcher.heard.filter { $0.call != nil }
        #expect(events.map(\.type) == [.eventRinging, .eventEstablished, .eventReleased])
        #expect(Set(events.map(\.call?.connection)).count == 1)
        let ringing = try #require(events.first?.call)
        #expect(ringing.other == "+15551230001" && ringing.routingPoint == DN("8000"))
        #expect(try cluster.status().isHealthy)
    }

    @Test func `the examples for SIPp are a gateway and an agent's phone`() throws {
        let cluster = try TestCluster(TestCluster.routed())
        try cluster.logIn([("1001", 5301)], at: 5072)
        try cluster.awaitAgents(1)
        let examples = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/examples/sipp"
        func sipp(_ name: String, _ more: [String]) throws -> BackgroundProgram {
            let command = ["/usr/bin/sipp", "-sf", "\(examples)/\(name).xml", "-nostdin", "-i", "127.0.0.1", "-m", "2"]
            return try BackgroundProgram(name, command + more, in: cluster)
        }
        let phone = try sipp("answer", ["-s", "1001", "-p", "5301", "127.0.0.1:5072"])
        let caller = try sipp(
            "call", ["-s", "8000", "-p", "\(TestCluster.gateway)", "-d", "200", "-l", "1", "127.0.0.1:5071"])
        for program in [phone, caller] {
            let code = try program.end()
            #expect(code == 0, "\(program.output)")
        }
        #expect(try cluster.status().isHealthy)
    }

    @Test func `no answer goes to the next agent, and the first is not ready`() throws {
        let cluster = try TestCluster(TestCluster.routed(", ringTimeout: 1s"))
        try cluster.logIn([("1001", 5301)], at: 5072)
        try cluster.awaitAgents(1)
        try cluster.logIn([("1002", 5302)], at: 5071)
        try cluster.awaitAgents(2)
        // 1001 has been free for longer.
        let silent = try SIPp("ring-until-cancelled", callee: "1001", port: 5301, node: 5072, in: cluster)
        let phone = try SIPp("answer", callee: "1002", port: 5302, node: 5071, in: cluster)
        let caller = try SIPp(
            "call", callee: "8000", caller: "4711", port: TestCluster.gateway, node: 5071, in: cluster)
        for program in [silent, phone, caller] { try program.expectSuccess() }
        let agents = try cluster.sandbox.run([
            Executables.companion("tandem"), "agents", "--socket", cluster.socketPath,
        ]).output
        let row = try #require(agents.split(separator: "\n").first { $0.contains("1001") })
        #expect(row.contains("not-ready") && row.contains("tandem=no answer"), "\(agents)")
    }

    @Test func `a caller waits until an agent is there`() throws {
        let cluster = try TestCluster(TestCluster.routed())
        let caller = try SIPp(
            "call", callee: "8000", caller: "4711", port: TestCluster.gateway, node: 5071, in: cluster)
        try cluster.waitUntil("the router has the call") { status in
            status.nodes.contains { $0.role == .router && $0.report?.calls == 1 }
        }
        let phone = try SIPp("answer", callee: "1001", port: 5301, node: 5072, in: cluster)
        try cluster.logIn([("1001", 5301)], at: 5072)
        for program in [phone, caller] { try program.expectSuccess() }
    }

    @Test func `without an agent a call goes to the default, without that it is refused`() throws {
        let cluster = try TestCluster(TestCluster.routed(", timeout: 1s, default: 1900"))
        let refused = try SIPp(
            "call-refused", ["STATUS": "480"], callee: "8000", caller: "4711", port: TestCluster.gateway, node: 5071,
            in: cluster)
        try refused.expectSuccess()
        try cluster.register([("1900", 5390, 5072)])
        let phone = try SIPp("answer", callee: "1900", port: 5390, node: 5072, in: cluster)
        let caller = try SIPp(
            "call", callee: "8000", caller: "4711", port: TestCluster.gateway, node: 5071, in: cluster)
        for program in [phone, caller] { try program.expectSuccess() }
    }

    @Test func `routers and Stat Servers are killed under load, and calls go on`() throws {
        let cluster = try TestCluster(TestCluster.routed(routers: 2))
        let agents = (0..<10).map { (dn: "\(1000 + $0)", port: 5300 + $0) }
        try cluster.logIn(Array(agents.prefix(5)), at: 5071)
        try cluster.logIn(Array(agents.suffix(5)), at: 5072)
        try cluster.awaitAgents(10)
        let phones = try agents.enumerated().map { place, agent in
            try SIPp(
                "answer", callee: agent.dn, port: agent.port, node: place < 5 ? 5071 : 5072, calls: 100_000,
                seconds: 60, in: cluster)
        }
        let calls = 600
        let caller = try SIPp(
            "call", ["TALK": "50"], callee: "8000", caller: "4711", port: TestCluster.gateway, node: 5071, calls: calls,
            seconds: 60, more: ["-r", "60"], in: cluster)
        for name in ["dc1/router1", "dc1/stat1", "dc1/router2", "dc2/stat1"] {
            try cluster.awaitAnswers(80, at: ["dc1/sip1"])
            let pid = try #require(try cluster.status().nodes.first { $0.name == name }?.pid)
            kill(Int32(pid), SIGKILL)
        }
        try caller.expectSuccess()
        for phone in phones { try phone.stop() }
        try cluster.waitUntil("nobody is busy") { status in status.agentsAvailable == 10 && status.isHealthy }
    }
}
