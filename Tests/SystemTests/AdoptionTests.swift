import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing
import Transport
import Wire

/// Controllers die, and workers serve on until the next one finds them.
@Suite(.serialized) struct AdoptionTests {
    private var surviving: TestCluster.Options {
        var options = TestCluster.Options()
        options.survives = true
        return options
    }

    /// Waits until processes that are not our children have ended.
    private func waitForEnd(of pids: [UInt32], seconds: UInt64 = 10) throws {
        for pid in pids {
            guard let process = try? ChildProcess.adopt(Int32(pid)) else { continue }
            let ended = try process.descriptor.wait(forReading: true, nanoseconds: seconds * 1_000_000_000)
            #expect(ended, "process \(pid) still runs")
        }
    }

    @Test func `kill -9 of the controller: phones are served, and the next controller takes up the same processes`()
        throws
    {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        try cluster.register("1001", at: "127.0.0.1:5071")
        let before = try cluster.status()
        try cluster.killController()
        try cluster.register("1002", at: "127.0.0.1:5072", localPort: 6061)
        try cluster.register("1001", at: "127.0.0.1:5071")

        let began = SystemClock.monotonicNanoseconds()
        try cluster.startController()
        try cluster.waitUntil("both workers are taken up") { $0.isHealthy }
        print(
            "from the start of a controller to a healthy status: \((SystemClock.monotonicNanoseconds() - began) / 1_000_000) ms"
        )
        let after = try cluster.status()
        #expect(after.controllerPID != before.controllerPID)
        #expect(after.nodes.map(\.pid) == before.nodes.map(\.pid))
        #expect(after.nodes.map(\.incarnation) == before.nodes.map(\.incarnation))
        #expect(after.nodes.allSatisfy { $0.restarts == 0 })
        #expect(after.nodes.allSatisfy { $0.report?.links.first?.losses == 0 }, "no link was lost")
        #expect(after.conditions.isEmpty)
        #expect(after.inService == 2)
        // What the workers wrote meanwhile waited in their pipes.
        #expect(after.nodes.allSatisfy { $0.logLines.contains { $0.contains("the controller is gone; serving on") } })
        #expect(cluster.logText.contains("took up a running worker"))

        // The new controller supervises them as if they were its own.
        let pid = try #require(after.nodes.first?.pid)
        kill(Int32(pid), SIGKILL)
        try cluster.waitUntil("the node is back") { status in
            status.isHealthy && status.nodes.first?.restarts == 1
        }
        #expect(try cluster.status().nodes[0].incarnation > before.nodes[0].incarnation)

        // A second time, and then an orderly end, which is no end of the workers either.
        try cluster.killController()
        try cluster.startController()
        try cluster.waitUntil("both workers are taken up again") { $0.isHealthy }
        let refused = try cluster.stopWorkers()
        #expect(refused.code == 75, "a controller would start them again")
        try cluster.endController()
        #expect(try cluster.controller.exitStatus() == .exited(code: 0))
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.startController()
        try cluster.waitUntil("both workers are taken up once more") { $0.isHealthy }
        let last = try cluster.status()
        #expect(last.nodes.allSatisfy { $0.restarts == 0 })
        // They are stopped by what is there for that.
        try cluster.endController()
        #expect(try cluster.stopWorkers().code == 0)
        try waitForEnd(of: last.nodes.map(\.pid))
        #expect(try Files.kind(of: cluster.directory + "/workers") == nil, "nothing is left behind")
        #expect(try cluster.stopWorkers().code == 0, "there is nobody any more")
    }

    @Test func `ten controllers are killed in a row, no worker's process changes, and no phone notices`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        let before = try cluster.status().nodes
        try cluster.register("1001", at: "127.0.0.1:5071")
        var times: [UInt64] = []
        for _ in 1...10 {
            try cluster.killController()
            let began = SystemClock.monotonicNanoseconds()
            try cluster.startController()
            try cluster.waitUntil("both workers are taken up") { $0.isHealthy }
            times.append((SystemClock.monotonicNanoseconds() - began) / 1_000_000)
            try cluster.register("1001", at: "127.0.0.1:5071")
        }
        print("from the start of a controller to a healthy status, ten times: \(times.sorted()) ms")
        let after = try cluster.status()
        #expect(after.nodes.map(\.pid) == before.map(\.pid))
        #expect(after.nodes.map(\.incarnation) == before.map(\.incarnation))
        #expect(after.nodes.allSatisfy { $0.restarts == 0 && $0.report?.links.first?.losses == 0 })
        #expect(after.inService == 1)
    }

    @Test func `the sockets of workers that an earlier controller has started are kept open for their next lives`()
        throws
    {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        try cluster.killController()
        try cluster.startController()
        try cluster.waitUntil("both workers are taken up") { $0.isHealthy }
        func sockets() throws -> Set<String> {
            let list = try Files.names(in: "/proc/\(cluster.controller.process)/fd")
            return Set(
                list.compactMap { number in
                    let link = try? Program.run(["/bin/readlink", "/proc/\(cluster.controller.process)/fd/\(number)"])
                    return link?.output.hasPrefix("socket:") == true ? link?.output : nil
                })
        }
        func served() throws -> Set<String> {
            let worker = try #require(try cluster.status().nodes.first).pid
            let all = try Files.names(in: "/proc/\(worker)/fd").compactMap { number in
                try? Program.run(["/bin/readlink", "/proc/\(worker)/fd/\(number)"]).output
            }
            return Set(all.filter { $0.hasPrefix("socket:") })
        }
        // UDP, TCP, mesh and T-Controller port are open in both processes: the same sockets.
        var common: Set<String> = []
        try cluster.waitUntil("the worker has lent its sockets") { _ in
            common = try sockets().intersection(served())
            return common.count >= 3
        }
        let before = try #require(try cluster.status().nodes.first)
        kill(Int32(before.pid), SIGKILL)
        try cluster.waitUntil("the node is back") { $0.isHealthy && $0.nodes.first?.restarts == 1 }
        #expect(try served().isSuperset(of: common), "its next life has what was open all the time")
        try cluster.register("1001", at: "127.0.0.1:5071")
    }

    @Test func `a broken file does not keep a controller from going on with what ran last`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        let before = try cluster.status().nodes
        try cluster.endController()
        let good = TestCluster.twoNodes(cluster.directory)
        try cluster.write(topology: good + "\nno-such-key: 1\n")
        try cluster.startController()
        try cluster.waitUntil("the workers are taken up") { status in status.nodes.allSatisfy { $0.state == .ready } }
        let broken = try cluster.status()
        #expect(broken.nodes.map(\.pid) == before.map(\.pid))
        #expect(broken.conditions.map(\.kind) == ["topology-broken"])
        #expect(broken.conditions.first?.severity == .error)
        #expect(broken.conditions.first?.message.contains("no-such-key") == true, "\(broken.conditions)")
        func reload() throws -> (code: Int32, output: String) {
            try Program.run([Executables.companion("tandem"), "reload", "--socket", cluster.socketPath])
        }
        let refused = try reload()
        #expect(refused.code == 65)
        #expect(refused.output.contains("no-such-key"), "\(refused.output)")
        // Mended, with another comment: the same topology, which needs nobody restarted.
        try cluster.write(topology: good + "\n# mended\n")
        let mended = try reload()
        #expect(mended.code == 0)
        #expect(mended.output == "topology: as before\n")
        try cluster.waitUntil("all is well") { $0.isHealthy }
        try cluster.endController()
        try cluster.startController()
        try cluster.waitUntil("the workers are taken up again") { $0.isHealthy }
        #expect(try cluster.status().nodes.map(\.pid) == before.map(\.pid))
        // Gone altogether.
        try cluster.endController()
        _ = try Files.remove(cluster.directory + "/topology.yaml")
        try cluster.startController()
        try cluster.waitUntil("the workers are taken up") { status in status.nodes.allSatisfy { $0.state == .ready } }
        #expect(try cluster.status().nodes.map(\.pid) == before.map(\.pid))
        #expect(try cluster.status().conditions.map(\.kind) == ["topology-broken"])
        // Another one is applied, to those who serve.
        try cluster.write(topology: good.replacing("desktopGrace: 0s", with: "desktopGrace: 1s"))
        let other = try reload()
        #expect(other.code == 0)
        #expect(other.output.hasPrefix("topology: taken\n"), "\(other.output)")
        try cluster.waitUntil("both run it") { status in
            status.isHealthy && status.conditions.isEmpty && status.nodes.allSatisfy { $0.report?.generation == 2 }
        }
        #expect(try cluster.status().nodes.map(\.pid) == before.map(\.pid))
    }

    @Test func `a worker that died or hangs meanwhile is replaced`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        let before = try cluster.status().nodes
        try cluster.killController()
        kill(Int32(before[0].pid), SIGKILL)
        kill(Int32(before[1].pid), SIGSTOP)
        try cluster.startController()
        try cluster.waitUntil("the cluster is healthy", seconds: 20) { $0.isHealthy }
        let after = try cluster.status().nodes
        #expect(after[0].pid != before[0].pid)
        #expect(after[0].restarts == 0)
        #expect(after[1].pid != before[1].pid)
        #expect(after[1].lastProblem == SupervisionMachine.KillReason.silent.sentence)
        #expect(zip(before, after).allSatisfy { $0.incarnation + 1 == $1.incarnation })
    }

    @Test func `workers of another topology are told today's, and those of nodes that are gone are stopped`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        let before = try cluster.status().nodes
        try cluster.killController()
        let text = TestCluster.twoNodes(cluster.directory)
        let east = try #require(text.firstRange(of: "  dc2:"))
        let rest = try #require(text.firstRange(of: "dns:"))
        try cluster.write(topology: String(text[..<east.lowerBound] + text[rest.lowerBound...]))
        try cluster.startController()
        try cluster.waitUntil("one node is left", seconds: 20) { status in
            status.isHealthy && status.nodes.count == 1 && status.nodes[0].report?.generation == 2
        }
        let after = try cluster.status().nodes
        #expect(after[0].name == "dc1/sip1")
        #expect(after[0].pid == before[0].pid)
        #expect(after[0].incarnation == before[0].incarnation)
        try waitForEnd(of: [before[1].pid])
    }

    @Test func `who comes to a worker's socket with garbage or the wrong order harms neither worker nor controller`()
        throws
    {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        let before = try cluster.status().nodes
        let address = StreamAddress.unix(path: cluster.directory + "/workers/dc1.sip1.sock")
        #expect(try Files.permissions(of: cluster.directory + "/workers")?.mode == 0o700)
        #expect(try Files.permissions(of: cluster.directory + "/workers/dc1.sip1.sock")?.mode == 0o600)
        var start: [UInt8] = []
        WorkerOrderCodec.encode(.start, to: &start)
        for bytes in [[0xFF, 0xFF, 0xFF, 0xFF, 0, 3, 0, 0], [0, 0, 0, 2, 4, 0xB7, 0, 0, 0xFF, 0xFF], start] as [[UInt8]]
        {
            let caller = try BlockingConnection(to: address)
            let frame = try caller.receive()
            guard
                case .introduction(let introduction) = try WorkerNewsCodec.decode(
                    type: frame.type, frame.payload.span.bytes)
            else { throw Timeout(what: "introduction") }
            #expect(introduction.node == "dc1/sip1")
            #expect(introduction.incarnation.rawValue == before[0].incarnation)
            try caller.send(raw: bytes)
            #expect(throws: BlockingConnectionError.closed(address)) { while true { _ = try caller.receive() } }
        }
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.waitUntil("all is well") { $0.isHealthy && $0.inService == 1 }
        let after = try cluster.status().nodes
        #expect(after.map(\.pid) == before.map(\.pid))
        #expect(after.allSatisfy { $0.restarts == 0 })
    }

    @Test func `workers of a controller with a lifeline end with it, even if it is killed`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let workers = try cluster.status().nodes.map(\.pid)
        try cluster.killController()
        try waitForEnd(of: workers)
    }

    @Test func `kill -9 of tandem up takes everything along`() throws {
        let sandbox = try NetworkSandbox()
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = temporary.path
        try Files.writeAtomically(Array(TestCluster.twoNodes(directory).utf8), to: directory + "/topology.yaml")
        let tandem = Executables.companion("tandem")
        let (ours, theirs) = try Sockets.streamPair()
        let command = sandbox.inside([tandem, "up", directory + "/topology.yaml", "--runtime-dir", directory])
        let up = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: [.init(theirs, as: 1), .init(theirs, as: 2)], group: .new)
        theirs.close()
        var text = ""
        var bytes = [UInt8](repeating: 0, count: 4096)
        while !text.contains("Stop everything:") {
            try #require(try ours.wait(forReading: true, nanoseconds: 30_000_000_000), "\(text)")
            if let count = try ours.read(into: &bytes) { text += String(decoding: bytes.prefix(count), as: UTF8.self) }
        }
        let found = try Program.run(["/usr/bin/pgrep", "-f", "tandemd.*\(directory)"])
        let tandemd = try #require(UInt32(found.output.split(separator: "\n").first ?? ""))
        let children = try Program.run(["/usr/bin/pgrep", "-P", "\(tandemd)"])
        let workers = children.output.split(separator: "\n").compactMap { UInt32($0) }
        #expect(workers.count == 2)
        try up.send(.kill)
        _ = try up.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
        _ = try up.exitStatus()
        try waitForEnd(of: workers + [tandemd])
    }
}
