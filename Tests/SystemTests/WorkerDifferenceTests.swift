import ClusterModel
import LinuxSystem
import Orchestration
import Testing

/// Workers that are not as they should be: what is told of each, and how it ends.
@Suite(.serialized) struct WorkerDifferenceTests {
    private static let dns = ["range: 1000-1099, agentType: sip-phone"]

    /// The last program that was installed is a copy of the same.
    private static func installCopy(in cluster: TestCluster) throws {
        let program = Executables.companion("tandem-worker")
        let copy = cluster.directory + "/tandem-worker"
        let made = try cluster.sandbox.run(["/bin/sh", "-ec", "cp \(program) \(copy); mount --bind \(copy) \(program)"])
        try #require(made.code == 0, "\(made.output)")
    }

    private func cluster() throws -> TestCluster {
        var options = TestCluster.Options()
        options.survives = true
        options.hasMounts = true
        return try TestCluster({ TestCluster.centers($0, dns: Self.dns) }, options: options)
    }

    @Test func `processes: another program, drained, deaf, silent, down, starting`() throws {
        let cluster = try cluster()
        let before = try cluster.status().nodes

        // Another program is installed.
        try Self.installCopy(in: cluster)
        let all = ["dc1/sip1", "dc2/sip1", "dc3/sip1"]
        let former = try cluster.awaitFinding("wrong-version", of: all)
        former.expect(
            "dc1/sip1, dc2/sip1 and dc3/sip1 run another program than the one that is installed",
            remedy: "restart them; nobody notices",
            next: "tandem restart dc1/sip1 dc2/sip1 dc3/sip1 --rolling --wait")
        try cluster.waitUntil("the status has it") { $0.conditions.map(\.kind).contains("program-replaced") }
        try cluster.carryOut(former.command)
        try cluster.awaitNone(of: "wrong-version")
        let restarted = try cluster.status().nodes
        #expect(zip(before, restarted).allSatisfy { $0.pid != $1.pid && $0.incarnation + 1 == $1.incarnation })

        // An operator has forgotten that one is drained.
        try cluster.carryOut("tandem drain dc1/sip1")
        let drained = try cluster.awaitFinding("stays-draining", of: ["dc1/sip1"])
        drained.expect(
            "dc1/sip1 is being drained, and the topology keeps it", byItself: "serves on, and sends phones elsewhere",
            next: "tandem undrain dc1/sip1")
        #expect(try cluster.node("dc1/sip1").state == .draining)
        try cluster.carryOut(drained.command)
        try cluster.awaitNone(of: "stays-draining")

        // A link is down.
        try cluster.sandbox.cutSilently(port: 7303)
        let deaf = try cluster.awaitFinding("links-down", of: ["dc3/sip1"])
        deaf.expect(
            "0 of 2 links of dc3/sip1 are live", byItself: "dialled again until they are", next: "tandem links")
        #expect(try cluster.carryOut(deaf.command).contains("dc3/sip1"))
        #expect(try cluster.status().conditions.contains { $0.kind == "link-not-live" })
        try cluster.sandbox.heal()
        try cluster.awaitNone(of: "links-down")

        // A process hangs.
        try cluster.worker("dc2/sip1").send(.stop)
        try cluster.awaitFinding("worker-silent", of: ["dc2/sip1"]).expect(
            "dc2/sip1 runs and does not answer", byItself: "killed after 5s without a sign of life, and started again",
            next: "tandem nodes")
        try cluster.awaitNone(of: "worker-silent", "links-down", "worker-starting")
        let replaced = try cluster.node("dc2/sip1")
        #expect(replaced.restarts == 1 && replaced.lastProblem == SupervisionMachine.KillReason.silent.sentence)

        try crash(cluster)
        let after = try cluster.status()
        #expect(after.isHealthy, "\(after.conditions)")
        try cluster.awaitFindings("nothing is wrong") { $0.isEmpty }
    }

    /// A node cannot come back, as a directory stands where it wants to listen; then one comes back slowly.
    private func crash(_ cluster: TestCluster) throws {
        let place = cluster.directory + "/dc1-sip1"
        try Files.remove(place)
        try Files.makeDirectory(place)
        try cluster.worker("dc1/sip1").send(.kill)
        var down: ToldFinding?
        try cluster.awaitFindings("it is down") { findings in
            down = findings.first {
                $0.kind == "worker-crashed" && $0.sentence.contains("cannot bind") && $0.remedy != nil
            }
            return down != nil
        }
        let crashed = try #require(down)
        #expect(crashed.subjects == ["dc1/sip1"] && crashed.command == "tandem nodes")
        let sentence =
            "dc1/sip1 is down, \\d+ unplanned exits so far: cannot bind unix:\(place): address already in use"
        #expect(try crashed.sentence.contains(Regex(sentence)), "\(crashed)")
        #expect(
            try crashed.byItself?.wholeMatch(of: Regex("started again in .*, with generation 1")) != nil, "\(crashed)")
        #expect(crashed.remedy == "mend what it says last; it is tried for ever")
        #expect(try cluster.status().conditions.contains { $0.kind == "node-down" && $0.subject == "dc1/sip1" })
        try Files.removeDirectory(place)
        let slow = try stopWhileItStarts("dc1/sip1", in: cluster)
        try cluster.awaitFinding("worker-starting", of: ["dc1/sip1"]).expect(
            "dc1/sip1 is starting", byItself: "ready in a moment, or killed after 30s and started again",
            next: "tandem nodes")
        try slow.send(.continue)
        try cluster.awaitNone(of: "worker-starting", "worker-crashed", "links-down")
        #expect(try cluster.node("dc1/sip1").pid == UInt32(slow.process))
    }

    /// Stops a process before it is ready; one that was too quick is killed, and the next one is waited for.
    private func stopWhileItStarts(_ name: String, in cluster: TestCluster) throws -> ChildProcess {
        var caught: ChildProcess?
        try cluster.waitUntil("a process of \(name) is stopped before it is ready", seconds: 60) { status in
            guard let node = status.nodes.first(where: { $0.name == name }), node.pid > 0 else { return false }
            let process = try ChildProcess.adopt(Int32(node.pid))
            guard node.state == .starting else {
                if node.state == .ready { try process.send(.kill) }
                return false
            }
            try process.send(.stop)
            // It may have become ready before that.
            guard try cluster.status().nodes.first(where: { $0.name == name })?.state == .starting else {
                try process.send(.kill)
                return false
            }
            caught = process
            return true
        }
        return try #require(caught)
    }

    @Test func `topologies: one is missing, two are behind, one is too many, two are ahead`() throws {
        let cluster = try cluster()
        try cluster.register("1003", at: "127.0.0.1:5073", expires: 3600)
        let before = try cluster.status().nodes
        // The third node leaves and its phone stays, so all the rest waits; the second one moves, and a fourth one comes.
        let wanted = TestCluster.centers(cluster.directory, [1, 2, 4], dns: Self.dns, timing: ", ageing: 31s")
            .replacing("udp:127.0.0.1:5072", with: "udp:127.0.0.1:5082")
        let applied = try cluster.tandem(["apply", try cluster.file("wanted.yaml", wanted), "--yes"])
        try #require(applied.code == 0, "\(applied.output)")
        try cluster.awaitFinding("worker-missing", of: ["dc4/sip1"]).expect(
            "dc4/sip1 does not run", byItself: "started by step 4 of this plan", next: "tandem nodes")
        try cluster.awaitFinding("wrong-configuration", of: ["dc1/sip1", "dc2/sip1"]).expect(
            "dc1/sip1 and dc2/sip1 run generation 1, which differs in 2 data centers, 3 nodes and timing",
            byItself: "brought up to date by steps 3, 5 of this plan", next: "tandem nodes")
        try cluster.waitUntil("the status has it") { $0.conditions.contains { $0.kind == "topology-under-way" } }
        // What was accepted holds for those who have not left in time.
        try cluster.awaitFindings("all is as it should be", seconds: 40) { $0.isEmpty }
        try cluster.waitUntil("all are well") { $0.isHealthy && $0.nodes.allSatisfy { $0.report?.generation == 2 } }
        let after = try cluster.status().nodes
        #expect(after.map(\.name) == ["dc1/sip1", "dc2/sip1", "dc4/sip1"])
        #expect(after[0].pid == before[0].pid, "it was told while it served")
        #expect(after[1].pid != before[1].pid && after[1].restarts == 0, "it was restarted")
        try cluster.register("1001", at: "127.0.0.1:5082", expires: 3600)
        try cluster.register("1004", at: "127.0.0.1:5074", expires: 3600, localPort: 6061)

        // The next controller has lost what was applied, and its file has one node less.
        try cluster.killController()
        try cluster.forgetTopologies()
        let less = TestCluster.centers(cluster.directory, [1, 2], dns: Self.dns)
            .replacing("udp:127.0.0.1:5072", with: "udp:127.0.0.1:5082")
        try cluster.write(topology: less)
        try cluster.startController()
        try cluster.waitUntil("three are taken up") { $0.nodes.count { $0.report != nil } == 3 }
        let extra = try cluster.awaitFinding("worker-extra", of: ["dc4/sip1"])
        extra.expect(
            "dc4/sip1 runs, and no topology declares it", byItself: "drained and stopped by steps 1-2 of this plan",
            remedy: "declare it in the file if it is to stay", next: "tandem nodes")
        for name in ["dc1/sip1", "dc2/sip1"] {
            try cluster.awaitFinding("later-generation", of: [name]).expect(
                "\(name) runs generation 2, and 1 is the latest here",
                remedy: "apply the file again, which makes it a later one; until then the worker is left alone",
                next: "tandem apply FILE --wait")
        }
        let stays = try cluster.node("dc1/sip1")
        #expect(stays.pid == after[0].pid && stays.report?.generation == 2)
        // Its phone leaves it, and so it goes.
        try cluster.register("1004", at: "127.0.0.1:5071", expires: 3600, localPort: 6061)
        try cluster.awaitNone(of: "worker-extra")
        try cluster.waitUntil("it is gone") { $0.nodes.map(\.name) == ["dc1/sip1", "dc2/sip1"] }
        #expect(try cluster.details("1004").authority?.owner == "dc1/sip1")
        let again = try cluster.tandem(["apply", cluster.directory + "/topology.yaml", "--wait", "--timeout", "60s"])
        #expect(again.code == 0, "\(again.output)\n\(cluster.logText)")
        try cluster.awaitFindings("all is as it should be") { $0.isEmpty }
        let last = try cluster.status()
        #expect(last.nodes.allSatisfy { $0.report?.generation == 3 && $0.restarts == 0 })
        #expect(last.inService == 2, "nobody was lost but the phone of the node that was removed")
    }
}
