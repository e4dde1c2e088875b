import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Transport
import Wire

/// A real controller with real workers, in a network of its own.
final class TestCluster {
    let sandbox: NetworkSandbox
    private let temporary: TemporaryDirectory
    private(set) var controller: ChildProcess
    private let lifeline: OwnedDescriptor
    private let options: Options

    /// How the controller is started.
    struct Options {
        /// Workers live on when the controller dies.
        var survives = false
        /// Instead of the log file.
        var standardError: OwnedDescriptor?
        var environment: [String] = []
        /// More of the controller's.
        var arguments: [String] = []
        /// The cluster is waited for until it is healthy; otherwise until its nodes are ready.
        var becomesHealthy = true
        /// What is mounted is seen by the cluster alone.
        var hasMounts = false
        /// Runs in the sandbox before the controller does, with the cluster's directory.
        var preparation: (NetworkSandbox, String) throws -> Void = { _, _ in }
    }

    /// Starts a cluster and waits until every node is ready and every link live.
    init(_ topology: (_ directory: String) -> String, options: Options = Options()) throws {
        self.options = options
        sandbox = try NetworkSandbox(hasMounts: options.hasMounts)
        temporary = try TemporaryDirectory()
        let directory = temporary.path
        let file = directory + "/topology.yaml"
        try Files.writeAtomically(Array(topology(directory).utf8), to: file)
        let (ours, theirs) = try Sockets.streamPair()
        lifeline = ours
        try options.preparation(sandbox, directory)
        controller = try Self.startController(sandbox, directory, options, lifeline: theirs)
        try waitUntil("the cluster is healthy", seconds: 30) { status in
            options.becomesHealthy ? status.isHealthy : status.nodes.allSatisfy { $0.state == .ready }
        }
    }

    private static func startController(
        _ sandbox: NetworkSandbox, _ directory: String, _ options: Options, lifeline: OwnedDescriptor? = nil,
        stored: [(name: String, descriptor: OwnedDescriptor)] = []
    ) throws -> ChildProcess {
        let log = OwnedDescriptor(
            adopting: open(directory + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        var inherited = [
            ChildProcess.Inheritance(log, as: 1), ChildProcess.Inheritance(options.standardError ?? log, as: 2),
        ]
        // The number that it has to name is its own.
        let shell = stored.isEmpty ? [] : ["/bin/sh", "-c", "LISTEN_PID=$$ exec \"$@\"", "sh"]
        let names = stored.map(\.name).joined(separator: ":")
        let environment = stored.isEmpty ? [] : ["LISTEN_FDS=\(stored.count)", "LISTEN_FDNAMES=\(names)"]
        for (position, entry) in stored.enumerated() {
            inherited.append(ChildProcess.Inheritance(entry.descriptor, as: Int32(3 + position)))
        }
        var command = sandbox.inside(
            shell + [
                Executables.companion("tandemd"), "--topology", directory + "/topology.yaml", "--runtime-dir",
                directory,
                "--state-dir", directory + "/state",
            ])
        command += options.arguments
        if let lifeline, !options.survives {
            command += ["--lifeline", "3"]
            inherited.append(ChildProcess.Inheritance(lifeline, as: 3))
        }
        return try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()),
            environment: Executables.environment + options.environment + environment,
            inherited: inherited, group: .new
        )
    }

    /// The controller dies without a word.
    func killController() throws {
        try controller.send(.kill)
        _ = try controller.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
        _ = try controller.exitStatus()
    }

    /// The controller and its workers end as they should.
    func stopController() throws {
        try endController()
        if options.survives { try stopWorkers() }
    }

    /// The controller ends as it should; workers that survive it serve on.
    func endController() throws {
        try controller.send(.terminate)
        try #require(try controller.descriptor.wait(forReading: true, nanoseconds: 10_000_000_000), "\(logText)")
        _ = try controller.exitStatus()
    }

    /// Workers that a controller has left are stopped.
    @discardableResult
    func stopWorkers() throws -> (code: Int32, output: String) {
        try Program.run(
            sandbox.inside([Executables.companion("tandemd"), "--stop-workers", "--runtime-dir", directory]))
    }

    /// Starts another one in the same directories.
    ///
    /// - Parameter stored: what the service manager has kept for it.
    func startController(stored: [(name: String, descriptor: OwnedDescriptor)] = []) throws {
        controller = try Self.startController(sandbox, directory, options, stored: stored)
    }

    /// Replaces the topology file; a controller reads it when it starts.
    func write(topology: String) throws {
        try Files.writeAtomically(Array(topology.utf8), to: directory + "/topology.yaml")
    }

    deinit {
        lifeline.close()
        if options.survives { _ = try? controller.send(.terminate) }
        if (try? controller.descriptor.wait(forReading: true, nanoseconds: 6_000_000_000)) != true {
            _ = try? controller.send(.kill)
        }
        _ = try? controller.exitStatus()
        if options.survives { _ = try? stopWorkers() }
        temporary.remove()
    }

    var directory: String { temporary.path }

    var socketPath: String { directory + "/control.sock" }

    // MARK: Asking

    func ask(_ request: OperatorRequest) throws -> OperatorAnswer {
        let connection = try BlockingConnection(to: .unix(path: socketPath))
        var bytes: [UInt8] = []
        CommonCodec.encode(PortHello(name: "test"), to: &bytes)
        OperatorCodec.encode(request, to: &bytes)
        try connection.send(raw: bytes)
        while true {
            let frame = try connection.receive()
            guard frame.type != FrameType.hello else { continue }
            return try OperatorCodec.decodeAnswer(type: frame.type, frame.payload.span.bytes)
        }
    }

    func status() throws -> ClusterStatus {
        guard case .status(let status) = try ask(.status) else { throw Timeout(what: "status") }
        return status
    }

    func details(_ dn: String) throws -> DNDetails {
        guard case .dn(let details) = try ask(.showDN(dn)) else { throw Timeout(what: "dn show") }
        return details
    }

    /// Asks for the status until the condition holds; between two questions it waits for what never comes on an idle
    /// connection, a fiftieth of a second.
    func waitUntil(_ what: String, seconds: UInt64 = 10, _ condition: (ClusterStatus) throws -> Bool) throws {
        let (idle, other) = try Sockets.streamPair()
        defer { other.close() }
        let deadline = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        while SystemClock.monotonicNanoseconds() < deadline {
            if let status = try? status(), try condition(status) { return }
            _ = try idle.wait(forReading: true, nanoseconds: 20_000_000)
        }
        Issue.record("waited \(seconds) s in vain: \(what)\n\(logText)")
        throw Timeout(what: what)
    }

    var logText: String {
        (try? Files.read(directory + "/log", limit: 1 << 20)).map { String(decoding: $0.suffix(4000), as: UTF8.self) }
            ?? ""
    }

    /// A client of a node's T-Controller port.
    func client(_ node: String) throws -> TLibraryClient {
        try TLibraryClient(to: port(of: node), name: "test")
    }

    /// A connection to the same port, for what no client would send.
    func connection(_ node: String) throws -> BlockingConnection {
        try BlockingConnection(to: port(of: node))
    }

    private func port(of node: String) -> StreamAddress {
        .unix(path: directory + "/" + node.split(separator: "/").joined(separator: "-"))
    }

    // MARK: Phones

    /// A real phone's REGISTER, by SIPp. The answer must be 200.
    func register(_ dn: String, at address: String, expires: Int = 300, localPort: Int = 6060) throws {
        let result = try sandbox.run([
            "/usr/bin/sipp", address, "-sf", Self.scenario("register"), "-s", dn, "-m", "1", "-i", "127.0.0.1", "-p",
            "\(localPort)", "-key", "expires", "\(expires)", "-timeout", "10", "-timeout_error", "-nostdin",
        ])
        try #require(result.code == 0, "SIPp: \(result.output.suffix(1500))\n\(logText)")
    }

    static func scenario(_ name: String, file: String = #filePath) -> String {
        file.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/Scenarios/\(name).xml"
    }

    /// Two data centers with one node each; clients use Unix sockets, everything else is on the sandbox's loopback.
    static func twoNodes(_ directory: String) -> String {
        """
        version: 1
        cluster: test
        domain: cc.example.com
        agentTypes:
          sip-phone: { phone: sip, registration: { expires: { min: 1s, default: 60s, max: 1h }, contacts: 4 } }
          pstn-phone: { phone: pstn }
        dataCenters:
          dc1:
            nodes:
              sip1:
                host: local
                sip: [ "udp:127.0.0.1:5071" ]
                tcontroller: "unix:\(directory)/dc1-sip1"
                mesh: "tcp:127.0.0.1:7301"
          dc2:
            nodes:
              sip1:
                host: local
                sip: [ "udp:127.0.0.1:5072" ]
                tcontroller: "unix:\(directory)/dc2-sip1"
                mesh: "tcp:127.0.0.1:7302"
        dns:
          - { range: 1000-1099, agentType: sip-phone }
          - { number: 7001, agentType: pstn-phone, dial: "+15551230001" }
        timing: { keepalive: 200ms, linkTimeout: 1s, desktopGrace: 0s }
        """
    }
}
