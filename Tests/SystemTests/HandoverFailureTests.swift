import ClusterModel
import LinuxSystem
import Orchestration
import Testing

/// A node's process hands over to one that fails, at every step and in every manner: it serves on.
@Suite(.serialized) struct HandoverFailureTests {
    /// A cluster whose controller is gone, so that a test can play it.
    private func orphans() throws -> (TestCluster, before: NodeStatus) {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        try cluster.register("1001", at: "127.0.0.1:5071")
        let before = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" })
        try cluster.killController()
        return (cluster, before)
    }

    private func play(_ program: String, in cluster: TestCluster) throws {
        let scenarios = TestCluster.scenario("handover").split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }
        let prelude = """
            import sys; sys.path.insert(0, "\(scenarios)"); sys.dont_write_bytecode = True
            from handover import *
            path = "\(cluster.directory)/workers/dc1.sip1.sock"

            """
        let result = try cluster.sandbox.run(["/usr/bin/python3", "-c", prelude + program], seconds: 120)
        #expect(result.code == 0, "\(result.output)\n\(cluster.logText)")
    }

    /// The next controller finds the process that it was, with all that it had.
    private func expectNothingLost(_ cluster: TestCluster, _ before: NodeStatus) throws {
        try cluster.startController()
        try cluster.waitUntil("both workers are taken up") { $0.isHealthy }
        let after = try #require(try cluster.status().nodes.first { $0.name == before.name })
        #expect(after.pid == before.pid)
        #expect(after.incarnation == before.incarnation)
        #expect(after.report?.storeProblem == "")
        #expect(try cluster.details("1001").authority?.lastWord == .inService)
    }

    static let steps = ["offered", "told", "frozen", "last"]

    @Test(arguments: steps)
    func `before it has left its place, whatever the other does, it serves on at once`(step: String) throws {
        let (cluster, before) = try orphans()
        try play(
            """
            controller = Controller(path)
            for number, manner in enumerate(["dies", "refuses", "nonsense", "garbage", "closes"]):
                incarnation = 100 + number
                controller.allow(incarnation)
                child = fail(path, incarnation, "\(step)", manner)
                why = controller.serves_on()
                assert why, "no reason is told"
                # What was sent while nobody read is answered, too.
                answer = register(5071, 1002 + number, 1, 5)
                assert answer == "SIP/2.0 200 OK", (manner, answer)
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            """, in: cluster)
        try expectNothingLost(cluster, before)
    }

    @Test(arguments: ["frozen", "last"])
    func `one that is silent when nobody reads is not waited for so long that a peer would miss this node`(
        step: String
    ) throws {
        let (cluster, before) = try orphans()
        try play(
            """
            controller = Controller(path)
            controller.allow(100)
            child = fail(path, 100, "\(step)", "silence")
            began = time.monotonic()
            why = controller.serves_on()
            # Half of the link timeout, and some for a busy machine.
            assert time.monotonic() - began < 5, why
            assert register(5071, 1002, 1, 5) == "SIP/2.0 200 OK"
            os.kill(child, signal.SIGKILL)
            """, in: cluster)
        try expectNothingLost(cluster, before)
        let report = try #require(try cluster.status().nodes.first { $0.name == before.name }?.report)
        #expect(report.links.allSatisfy { $0.losses == 0 }, "the peer has missed it")
    }

    @Test func `after it has left its place, it serves again only when the other is dead`() throws {
        let (cluster, before) = try orphans()
        try play(
            """
            controller = Controller(path)
            controller.allow(100)
            # It has heard `commit`, says nothing, and lives; closing the connection proves nothing.
            child = fail(path, 100, "committed", "closes")
            assert register(5071, 1002, 1, 2) == "", "two processes may have read"
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            controller.serves_on()
            assert register(5071, 1003, 1, 5) == "SIP/2.0 200 OK"
            """, in: cluster)
        try expectNothingLost(cluster, before)
        // What came while nobody read was answered then, and what was registered since is written down.
        let worker = try cluster.worker("dc1/sip1")
        try worker.send(.kill)
        try cluster.waitUntil("the node is back") { $0.isHealthy && $0.nodes.first?.restarts == 1 }
        #expect(try cluster.details("1003").authority?.lastWord == .inService)
    }

    @Test func `whoever was not announced gets nothing`() throws {
        let (cluster, before) = try orphans()
        try play(
            """
            frames = Frames(path)
            frames.say(SUCCEED, number(1, 100))
            type, payload = frames.until(PROBLEM, OFFER)
            assert type == PROBLEM, type
            controller = Controller(path)
            controller.allow(101)
            frames = Frames(path)
            frames.say(SUCCEED, number(1, 102))
            type, payload = frames.until(PROBLEM, OFFER)
            assert type == PROBLEM, type
            """, in: cluster)
        try expectNothingLost(cluster, before)
    }
}
