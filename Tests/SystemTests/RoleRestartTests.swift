import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing

/// Planned restarts of all workers, whatever their role, while calls are routed.
@Suite(.serialized) struct RoleRestartTests {
    @Test func `every call is answered by an agent while all workers are restarted, each with no other of its kind`()
        throws
    {
        let cluster = try TestCluster(TestCluster.routed(routers: 1))
        let agents = (0..<10).map { (dn: "\(1000 + $0)", port: 5300 + $0) }
        try cluster.logIn(Array(agents.prefix(5)), at: 5071)
        try cluster.logIn(Array(agents.suffix(5)), at: 5072)
        try cluster.awaitAgents(10)
        let before = try cluster.status()
        let phones = try agents.enumerated().map { place, agent in
            try SIPp(
                "answer", callee: agent.dn, port: agent.port, node: place < 5 ? 5071 : 5072, calls: 100_000,
                seconds: 90, in: cluster)
        }
        let caller = try SIPp(
            "call", ["TALK": "50"], callee: "8000", caller: "4711", port: TestCluster.gateway, node: 5071, calls: 600,
            seconds: 90, more: ["-r", "40"], in: cluster)
        try cluster.awaitAnswers(40, at: ["dc1/sip1"])
        let restarted = try cluster.sandbox.run(
            [
                Executables.companion("tandem"), "restart", "--rolling", "--wait", "--min-healthy", "1s", "--socket",
                cluster.socketPath,
            ], seconds: 60)
        #expect(restarted.code == 0, "\(restarted.output)")
        try caller.expectSuccess()
        for phone in phones { try phone.stop() }
        try cluster.waitUntil("nobody is busy") { status in status.agentsAvailable == 10 && status.isHealthy }
        let after = try cluster.status()
        for (node, former) in zip(after.nodes, before.nodes) {
            #expect(node.pid != former.pid && node.incarnation == 2 && node.restarts == 0, "\(node.name)")
        }
        let points = after.routingPoints
        #expect(points.map(\.answered) == [600], "\(points)")
        try cluster.waitUntil("the former processes have ended") { _ in
            before.nodes.allSatisfy { kill(pid_t($0.pid), 0) != 0 }
        }
    }

    @Test func `a later controller finds workers that were restarted`() throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(TestCluster.routed(), options: options)
        for _ in 0..<2 {
            let restarted = try cluster.sandbox.run(
                [Executables.companion("tandem"), "restart", "--wait", "--socket", cluster.socketPath], seconds: 60)
            #expect(restarted.code == 0, "\(restarted.output)")
        }
        try cluster.waitUntil("all are well") { $0.isHealthy }
        let before = try cluster.status()
        #expect(before.nodes.allSatisfy { $0.incarnation == 3 })
        try cluster.killController()
        try cluster.startController()
        try cluster.waitUntil("all are taken up") { $0.isHealthy }
        #expect(try cluster.status().nodes.map(\.pid) == before.nodes.map(\.pid))
    }
}
