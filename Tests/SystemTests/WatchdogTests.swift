import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing

/// Processes that hang, logs that nobody takes: the nodes serve on.
@Suite(.serialized) struct WatchdogTests {
    private func node(_ status: ClusterStatus, _ name: String) throws -> NodeStatus {
        try #require(status.nodes.first { $0.name == name })
    }

    @Test func `a worker whose loop has stopped is killed and replaced, and the other node goes on meanwhile`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let before = try node(try cluster.status(), "dc1/sip1")
        kill(Int32(before.pid), SIGSTOP)
        let began = SystemClock.monotonicNanoseconds()
        try cluster.register("1002", at: "127.0.0.1:5072", localPort: 6061)
        try cluster.waitUntil("the worker is replaced", seconds: 20) { status in
            let now = try node(status, "dc1/sip1")
            return now.state == .ready && now.pid != before.pid
        }
        let took = SystemClock.monotonicNanoseconds() - began
        print("from SIGSTOP to the ready successor: \(took / 1_000_000) ms")
        #expect(took > 3_500_000_000, "one that is only slow is left alone")
        #expect(took < 12_000_000_000)
        let after = try node(try cluster.status(), "dc1/sip1")
        #expect(after.restarts == 1)
        #expect(after.lastProblem == SupervisionMachine.KillReason.silent.sentence)
        #expect(cluster.logText.contains("killing a worker"))
        #expect(try node(try cluster.status(), "dc2/sip1").restarts == 0)
        try cluster.waitUntil("the cluster is healthy") { $0.isHealthy }
        #expect(try cluster.details("1002").answers.allSatisfy { $0.report?.shown == .inService })
    }

    @Test func `a controller that was held up kills nobody`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let before = try cluster.status().nodes.map(\.pid)
        try cluster.controller.send(.stop)
        let (idle, other) = try Sockets.streamPair()
        #expect(try !idle.wait(forReading: true, nanoseconds: 7_000_000_000))
        other.close()
        try cluster.controller.send(.continue)
        try cluster.waitUntil("the cluster is healthy") { $0.isHealthy }
        #expect(try cluster.status().nodes.map(\.pid) == before)
        #expect(try cluster.status().nodes.allSatisfy { $0.restarts == 0 })
    }

    @Test func `a worker goes before the controller when memory runs out, and holds nothing of the controller's open`()
        throws
    {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let status = try cluster.status()
        let worker = try #require(status.nodes.first?.pid)
        func score(_ pid: UInt32) throws -> Int? {
            let text = String(decoding: try Files.read("/proc/\(pid)/oom_score_adj", limit: 100), as: UTF8.self)
            return Int(text.filter { !$0.isNewline })
        }
        #expect(try score(worker) == min(1000, (score(status.controllerPID) ?? 0) + 200))
        for number in 1...2 {
            let file = try Program.run(["/bin/readlink", "/proc/\(worker)/fd/\(number)"])
            #expect(file.output == cluster.directory + "/workers/dc1.sip1.log\n")
        }
        let environment = try Files.read("/proc/\(worker)/environ", limit: 1 << 20)
        #expect(!String(decoding: environment, as: UTF8.self).contains("NOTIFY_SOCKET="))
    }

    @Test func `the service manager hears of progress and gets signs of life from the loop`() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = temporary.path
        let manager = try UnixSocket.boundDatagram(path: directory + "/notify")
        var options = TestCluster.Options()
        options.environment = ["NOTIFY_SOCKET=\(directory)/notify", "WATCHDOG_USEC=400000"]
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        var heard: [String] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while heard.count(where: { $0 == "WATCHDOG=1" }) < 5 || !heard.contains("READY=1") {
            try #require(try manager.wait(forReading: true, nanoseconds: 5_000_000_000), "\(heard)")
            guard let count = try manager.read(into: &bytes) else { continue }
            heard.append(String(decoding: bytes.prefix(count), as: UTF8.self))
        }
        #expect(heard.contains("STATUS=2 of 2 nodes ready"))
        // The loop stands still, and so do the signs of life.
        try cluster.controller.send(.stop)
        while try manager.wait(forReading: true, nanoseconds: 500_000_000) { _ = try manager.read(into: &bytes) }
        try cluster.controller.send(.continue)
        #expect(try manager.wait(forReading: true, nanoseconds: 5_000_000_000))
    }
}

/// What workers and the controller write, and who does not read it.
@Suite(.serialized) struct LogTests {
    /// A pipe that is full, and that nobody reads.
    private func fullPipe() throws -> (reader: OwnedDescriptor, writer: OwnedDescriptor) {
        var numbers: [Int32] = [-1, -1]
        try #require(pipe(&numbers) == 0)
        let (reader, writer) = (OwnedDescriptor(adopting: numbers[0]), OwnedDescriptor(adopting: numbers[1]))
        _ = fcntl(writer.number, F_SETFL, O_NONBLOCK)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 4096)
        while write(writer.number, piece, piece.count) > 0 {}
        while write(writer.number, piece, 1) > 0 {}
        // As a shell leaves it: whoever writes waits.
        _ = fcntl(writer.number, F_SETFL, 0)
        return (reader, writer)
    }

    private func serves(_ cluster: TestCluster) throws {
        let before = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" })
        kill(Int32(before.pid), SIGKILL)
        try cluster.waitUntil("the node is back") { status in
            status.isHealthy && status.nodes.first { $0.name == "dc1/sip1" }?.restarts == 1
        }
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.register("1002", at: "127.0.0.1:5072", localPort: 6061)
        try cluster.waitUntil("two DNs in service") { $0.inService == 2 }
    }

    @Test func `a full pipe as the controller's standard error hinders nobody, and what was lost is told later`() throws
    {
        let (reader, writer) = try fullPipe()
        var options = TestCluster.Options()
        options.standardError = writer
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        try serves(cluster)
        #expect(fcntl(writer.number, F_GETFL) & O_NONBLOCK == 0, "others that share the open file see no difference")
        // Somebody reads at last.
        _ = fcntl(reader.number, F_SETFL, O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        while let count = try reader.read(into: &bytes), count > 0 {}
        let worker = try #require(try cluster.status().nodes.first?.pid)
        kill(Int32(worker), SIGKILL)
        var text = ""
        while !text.contains("worker ended") {
            try #require(try reader.wait(forReading: true, nanoseconds: 5_000_000_000), "\(text)")
            if let count = try reader.read(into: &bytes) {
                text += String(decoding: bytes.prefix(count), as: UTF8.self)
            }
        }
        #expect(text.contains(" lines of the log were dropped here, as nobody took them"), "\(text)")
    }

    @Test func `a full disk under the log hinders nobody`() throws {
        var options = TestCluster.Options()
        options.standardError = OwnedDescriptor(adopting: open("/dev/full", O_WRONLY | O_CLOEXEC))
        try serves(try TestCluster(TestCluster.twoNodes, options: options))
    }

    @Test func `a node that cannot start shows its last lines, and they are in the controller's log too`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let before = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" })
        #expect(before.logLines.contains { $0.contains("ready incarnation=") }, "\(before.logLines)")
        // A directory stands where it wants to listen when it comes back.
        let place = cluster.directory + "/dc1-sip1"
        try Files.remove(place)
        try Files.makeDirectory(place)
        kill(Int32(before.pid), SIGKILL)
        let problem = "cannot bind unix:\(place): address already in use"
        try cluster.waitUntil("the node is down for want of its port", seconds: 30) { status in
            let node = try #require(status.nodes.first { $0.name == "dc1/sip1" })
            return node.state == .backingOff && node.lastProblem.hasPrefix(problem)
                && node.logLines.contains { $0.contains(problem) }
        }
        #expect(cluster.logText.contains("dc1/sip1: \(problem)"))
        let screen = try Program.run([
            Executables.companion("tandem"), "status", "--socket", cluster.directory + "/control.sock",
        ])
        #expect(screen.output.contains("Last lines of dc1/sip1:\n"), "\(screen.output)")
        try Files.removeDirectory(place)
        try cluster.waitUntil("the cluster is healthy", seconds: 30) { $0.isHealthy }
    }
}
