import ClusterModel
import Foundation
import LinuxSystem
import Orchestration
import Testing

/// The event stream and the screens that live on it, with real processes that die.
@Suite(.serialized) struct EventStreamTests {
    private var surviving: TestCluster.Options {
        var options = TestCluster.Options()
        options.survives = true
        return options
    }

    @Test func `a worker that dies is told of at once, step by step, and each link with the reason`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let reader = try EventFollower(cluster, from: .next)
        // The first answer comes even if there is nothing to tell.
        while reader.stream == 0 { try reader.readBatch() }
        let before = try #require(try cluster.status().nodes.first { $0.name == "dc2/sip1" })
        kill(pid_t(before.pid), SIGKILL)
        try reader.expect("the node's return") { $0.kind == .linkLive && $0.node == "dc1/sip1" }
        try reader.expect("the condition") { $0.kind == .conditionRaised && $0.condition == "node-restarted" }
        let exit = try reader.expect("the exit") { $0.kind == .nodeExited }
        #expect((exit.node, exit.severity, exit.message) == ("dc2/sip1", .error, "its process ended unasked: signal 9"))
        let loss = try reader.expect("the loss") { $0.kind == .linkDown }
        #expect((loss.node, loss.peer) == ("dc1/sip1", "dc2/sip1"))
        #expect(loss.message == "down, so dc1/sip1 shows no DN of dc2/sip1 in service: peer closed")
        let start = try reader.expect("the start") { $0.kind == .nodeStarted }
        #expect(start.message.contains("incarnation \(before.incarnation + 1)"))
        try reader.expect("readiness") { $0.kind == .nodeReady && $0.sequence > start.sequence }
        let first = reader.events[0].sequence
        #expect(reader.events.map(\.sequence) == Array(first..<first + UInt64(reader.events.count)))
        #expect(reader.missed == 0)
    }

    @Test func `a link that falls silent says so`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let reader = try EventFollower(cluster, from: .oldest)
        try cluster.sandbox.cutSilently(port: 7302)
        for node in ["dc1/sip1", "dc2/sip1"] {
            let loss = try reader.expect("the loss at \(node)") { $0.kind == .linkDown && $0.node == node }
            let reasons = ["nothing was heard for the link timeout", "peer closed"]
            #expect(reasons.contains { loss.message.hasSuffix($0) }, "\(loss.message)")
        }
        let messages = reader.events.filter { $0.kind == .linkDown }.map(\.message)
        #expect(messages.contains { $0.hasSuffix("nothing was heard for the link timeout") }, "\(messages)")
    }

    @Test func `tandem events --follow outlives the controller, and says that something is missing`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        let events = try Watcher(["events", "--follow", "--since", "1", "--json"], cluster)
        try events.expect("\"kind\":\"link-live\"")
        let first = try #require(events.text.firstMatch(of: /"stream":"([0-9a-f]+)"/)?.1)
        try cluster.killController()
        try events.expect("Lost the controller")
        try cluster.startController()
        try events.expect("This is another life of the controller")
        try events.expect("\"kind\":\"node-adopted\"", times: 2)
        let streams = Set(events.text.matches(of: /"stream":"([0-9a-f]+)"/).map(\.1))
        #expect(streams.count == 2 && streams.contains(first))
        let adopted = events.text.split(separator: "\n").filter { $0.contains("node-adopted") }
        #expect(adopted.allSatisfy { line in line.contains("served on without a controller") })
        #expect(try events.interrupt() == .exited(code: 0))
    }

    @Test func `tandem status --watch prints what changed, outlives the controller and ends with Ctrl-C`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes, options: surviving)
        let screen = try Watcher(["status", "--watch"], cluster)
        let lines = try Watcher(["status", "--watch", "--json"], cluster)
        try screen.expect("test: healthy")
        try lines.expect("\"health\":\"healthy\"")
        let node = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" })
        kill(pid_t(node.pid), SIGKILL)
        try screen.expect("unplanned restarts: 1")
        try lines.expect("\"restarts\":1")
        try cluster.killController()
        try screen.expect("Lost the controller")
        try cluster.startController()
        try screen.expect("The controller answers again, as process")
        try screen.expect("-- 20", times: 3)
        #expect(try screen.interrupt() == .exited(code: 0))
        #expect(try lines.interrupt() == .exited(code: 0))
        let documents = lines.text.split(separator: "\n").filter { $0.hasPrefix("{") }
        #expect(documents.count >= 2)
        for document in documents { _ = try JSONSerialization.jsonObject(with: Data(document.utf8)) }
    }

    @Test(arguments: [false, true])
    func `on a terminal the status is drawn in place, and the terminal is as it was at the end`(noColor: Bool) throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let program = Executables.companion("tandem")
        // script(1) gives it a terminal.
        let screen = try Watcher(
            command: [
                "/usr/bin/script", "-qefc", "stty rows 20 cols 60; exec \(program) status --watch", "/dev/null",
            ], cluster, environment: ["TERM=xterm"] + (noColor ? ["NO_COLOR=1"] : []))
        try screen.expect("\u{1B}[?1049h\u{1B}[?25l")
        try screen.expect("\u{1B}[H", times: 3)
        try screen.type("\u{3}")
        try screen.expect("\u{1B}[?25h\u{1B}[?1049l")
        #expect(try screen.end() == .exited(code: 0))
        #expect(screen.text.contains(noColor ? "test: healthy" : "\u{1B}[32mhealthy\u{1B}[0m"))
        #expect(screen.text.contains("\u{1B}[32m") != noColor)
        let frames = screen.text.components(separatedBy: "\u{1B}[H").dropFirst()
        #expect(frames.allSatisfy { $0.components(separatedBy: "\n").count <= 20 })
    }
}

/// A command that runs until it is stopped, and what it has printed.
final class Watcher {
    private let process: ChildProcess
    private let input: OwnedDescriptor
    private(set) var text = ""

    convenience init(_ arguments: [String], _ cluster: TestCluster) throws {
        try self.init(command: [Executables.companion("tandem")] + arguments, cluster)
    }

    init(command: [String], _ cluster: TestCluster, environment: [String] = []) throws {
        let (ours, theirs) = try Sockets.streamPair()
        _ = fcntl(theirs.number, F_SETFL, 0)
        input = ours
        process = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()),
            environment: Executables.environment.filter { !$0.hasPrefix("NO_COLOR=") && !$0.hasPrefix("TERM=") }
                + environment + ["TANDEM_SOCKET=\(cluster.socketPath)"],
            inherited: [0, 1, 2].map { ChildProcess.Inheritance(theirs, as: $0) }, group: .new
        )
        theirs.close()
    }

    deinit {
        _ = try? process.send(.kill)
        _ = try? process.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
        _ = try? process.exitStatus()
    }

    /// Waits until something has been printed so many times.
    func expect(_ words: String, times: Int = 1, seconds: UInt64 = 15) throws {
        let deadline = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        while text.components(separatedBy: words).count <= times {
            let now = SystemClock.monotonicNanoseconds()
            guard now < deadline, try input.wait(forReading: true, nanoseconds: deadline - now), try read() else {
                Issue.record("waited in vain for \(times) times \(words.debugDescription) in:\n\(text)")
                throw Timeout(what: words)
            }
        }
    }

    func type(_ keys: String) throws {
        _ = try input.send(Array(keys.utf8), from: 0)
    }

    /// Ctrl-C.
    func interrupt() throws -> ProcessEnd? {
        try process.send(.interrupt)
        return try end()
    }

    func end() throws -> ProcessEnd? {
        try #require(try process.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000))
        while try input.wait(forReading: true, nanoseconds: 0), try read() {}
        return try process.exitStatus()
    }

    private func read() throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        guard let count = try input.read(into: &bytes), count > 0 else { return false }
        text += String(decoding: bytes.prefix(count), as: UTF8.self)
        return true
    }
}
