import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Transport
import Wire

/// A controller with its workers on this machine's loopback, in a private directory, for one measurement.
final class BenchCluster {
    static let domain = "cc.example.com"
    /// What a node without a default port serves at: SIP over UDP and TCP, other nodes, clients.
    static let socketsPerNode = 4
    /// Six digits, as all DNs of most clusters have.
    static let firstDN = "100000"
    /// Of every phone, where phones need one.
    static let password = "sesame"

    /// Full names of the nodes.
    let nodes: [String]
    /// Where the nodes' phones register.
    let sip: [NetworkAddress]
    /// Where they register over TCP.
    let streamSIP: [NetworkAddress]
    /// Where nodes with lesser names dial them.
    let mesh: [NetworkAddress]
    let directory: String
    /// What it was started with.
    let topology: BenchTopology
    private var controller: ChildProcess
    /// Nil where workers live on when the controller dies.
    private let lifeline: OwnedDescriptor?
    private let interruption: Interruption
    private var control: BlockingConnection?
    private var isStopped = false

    /// Starts a cluster and waits until every node is ready and every link live.
    ///
    /// - Parameters:
    ///   - dataCenters: the nodes are spread over them evenly; nil where each has its own.
    ///   - firstDN: of as many digits as the last DN has.
    ///   - shape: how the topology names its DNs.
    ///   - keepalive: milliseconds between two pings.
    ///   - authentication: what the nodes challenge with; nil where phones need no password.
    ///   - survives: workers live on when the controller dies.
    ///   - memoryOnly: nodes write nothing down.
    ///   - routing: what makes calls come to agents; nil where phones call each other.
    ///   - workspaceHash: of the password of each DN's agent, who sits at a workspace; nil where there is none.
    init(
        nodes count: Int, dataCenters: Int? = nil, firstDN: Int = 100_000, dns: Int, shape: DNShape = .ranges,
        keepalive: Int = 500, authentication: DigestAlgorithm? = nil, routing: BenchTopology.Routing? = nil,
        survives: Bool = false, memoryOnly: Bool = false, workspaceHash: String? = nil, interruption: Interruption
    ) throws {
        self.interruption = interruption
        let nodesTogether = count / (dataCenters ?? count)
        nodes = (0..<count).map { "dc\($0 / nodesTogether + 1)/sip\($0 % nodesTogether + 1)" }
        sip = try (1...count).map { _ in
            try Sockets.boundUDP(NetworkAddress(ipv4: 0x7F00_0001, port: 0)).localAddress()
        }
        // Held all at once, so that no port is given out twice.
        let listeners = try (1...2 * count + 1).map { _ in
            try Sockets.listeningTCP(NetworkAddress(ipv4: 0x7F00_0001, port: 0))
        }
        let ports = try listeners.map { try $0.localAddress() }
        mesh = Array(ports.prefix(count))
        streamSIP = Array(ports[count..<2 * count])
        for listener in listeners { listener.close() }
        directory = try Self.makeDirectory()
        do {
            topology = BenchTopology(
                directory: directory, sip: sip, streamSIP: streamSIP, mesh: mesh, nodesTogether: nodesTogether,
                firstDN: firstDN, dns: dns, shape: shape, keepalive: keepalive, authentication: authentication,
                routing: routing,
                workspace: workspaceHash.map { BenchTopology.Workspace(address: ports[2 * count], hash: $0) })
            try Files.writeAtomically(
                Array(topology.credentials.utf8), to: directory + "/credentials.yaml", mode: 0o600)
            try Files.writeAtomically(Array(topology.text.utf8), to: directory + "/topology.yaml")
            (controller, lifeline) = try Self.startController(
                directory, survives: survives, memoryOnly: memoryOnly)
        } catch {
            Self.remove(directory)
            throw error
        }
        do {
            try waitUntil("the cluster is healthy", seconds: 30, every: 10_000_000) { $0.isHealthy }
        } catch {
            stop()
            throw error
        }
    }

    deinit {
        stop()
    }

    private static func makeDirectory() throws -> String {
        var template = Array("/tmp/tandem-load-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw LoadFailure("cannot make a directory under /tmp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func startController(
        _ directory: String, survives: Bool, memoryOnly: Bool = false
    ) throws -> (ChildProcess, OwnedDescriptor?) {
        let tandemd = Executables.companion("tandemd")
        for program in [tandemd, Executables.companion("tandem-worker")] where !Files.isExecutable(program) {
            throw LoadFailure("\(program) is missing: swift build -c release makes all programs")
        }
        let (ours, theirs) = try Sockets.streamPair()
        let log = openLog(directory)
        // A group of its own: Ctrl-C is ours to handle, and the lifeline ends the cluster however we end.
        let controller = try ChildProcess.spawn(
            tandemd,
            arguments: [
                "--topology", directory + "/topology.yaml", "--runtime-dir", directory, "--state-dir",
                directory + "/state", "--fail-fast",
            ] + (survives ? [] : ["--lifeline", "3"]) + (memoryOnly ? ["--memory-only"] : []),
            environment: Executables.environment,
            inherited: [
                ChildProcess.Inheritance(theirs, as: 3), ChildProcess.Inheritance(log, as: 1),
                ChildProcess.Inheritance(log, as: 2),
            ], group: .new
        )
        return (controller, survives ? nil : ours)
    }

    /// What its processes say goes there.
    static func openLog(_ directory: String) -> OwnedDescriptor {
        OwnedDescriptor(adopting: open(directory + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
    }

    /// The controller dies without a word, and another takes its place. Only where workers survive that.
    func replaceController() throws {
        try controller.send(.kill)
        _ = try controller.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000)
        _ = try controller.exitStatus()
        control = nil
        (controller, _) = try Self.startController(directory, survives: true)
    }

    /// Stops everything and removes the directory.
    func stop() {
        guard !isStopped else { return }
        isStopped = true
        if let lifeline {
            lifeline.close()
        } else {
            _ = try? controller.send(.terminate)
        }
        if (try? controller.descriptor.wait(forReading: true, nanoseconds: 8_000_000_000)) != true {
            // Its workers see that it is gone, and end.
            _ = try? controller.send(.kill)
            _ = try? controller.descriptor.wait(forReading: true, nanoseconds: 1_000_000_000)
        }
        _ = try? controller.exitStatus()
        Self.remove(directory)
    }

    private static func remove(_ directory: String) { HelperProgram.remove(directory: directory) }

    // MARK: Asking

    /// Has `tandem` do something with the cluster; what it says goes to the log.
    ///
    /// - Returns: a process that ends when it is done.
    func command(_ arguments: [String]) throws -> ChildProcess {
        let tandem = Executables.companion("tandem")
        guard Files.isExecutable(tandem) else {
            throw LoadFailure("\(tandem) is missing: swift build -c release makes all programs")
        }
        let log = Self.openLog(directory)
        return try ChildProcess.spawn(
            tandem, arguments: arguments + ["--socket", directory + "/control.sock"],
            environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(log, as: 1), ChildProcess.Inheritance(log, as: 2)], group: .new)
    }

    func clientAddress(_ node: Int) -> StreamAddress { .unix(path: directory + "/node\(node + 1).sock") }

    func ask(_ request: OperatorRequest) throws -> OperatorAnswer {
        do {
            return try askOnce(request)
        } catch {
            // Another time over another connection.
            control = nil
            throw error
        }
    }

    private func askOnce(_ request: OperatorRequest) throws -> OperatorAnswer {
        var bytes: [UInt8] = []
        if control == nil {
            control = try BlockingConnection(to: .unix(path: directory + "/control.sock"))
            CommonCodec.encode(PortHello(name: "tandem-load"), to: &bytes)
        }
        guard let control else { throw LoadFailure("the controller is gone") }
        OperatorCodec.encode(request, to: &bytes)
        try control.send(raw: bytes)
        while true {
            let frame = try control.receive()
            guard frame.type != FrameType.hello else { continue }
            return try OperatorCodec.decodeAnswer(type: frame.type, frame.payload.span.bytes)
        }
    }

    func status() throws -> ClusterStatus {
        guard case .status(let status) = try ask(.status) else { throw LoadFailure("the controller tells no status") }
        return status
    }

    /// Whether a node shows a DN in service.
    func isInService(_ dn: String, at node: Int) throws -> Bool {
        guard case .dn(let details) = try ask(.showDN(dn)) else { return false }
        return details.answers.first { $0.node == nodes[node] }?.report?.shown.isInService == true
    }

    /// The process of a node's worker.
    func worker(_ node: Int) throws -> Int32 {
        guard let pid = try status().nodes.first(where: { $0.name == nodes[node] })?.pid, pid > 0 else {
            throw LoadFailure("node \(nodes[node]) does not run")
        }
        return Int32(pid)
    }

    /// The processes of all workers, whatever their role.
    func workers() throws -> [Int32] {
        try status().nodes.map { node in
            guard node.pid > 0 else { throw LoadFailure("\(node.name) does not run") }
            return Int32(node.pid)
        }
    }

    /// Asks for the status until the condition holds.
    ///
    /// - Parameter interval: nanoseconds between an answer and the next question.
    func waitUntil(
        _ what: String, seconds: UInt64, every interval: UInt64, _ condition: (ClusterStatus) throws -> Bool
    ) throws {
        let end = SystemClock.monotonicNanoseconds() + seconds * 1_000_000_000
        while SystemClock.monotonicNanoseconds() < end {
            try interruption.check()
            if let end = try controller.exitStatus() { throw LoadFailure("tandemd ended with \(end): \(logEnd)") }
            if control != nil || (try? Files.kind(of: directory + "/control.sock")) == .socket {
                if let status = try? status() {
                    if try condition(status) { return }
                } else {
                    control = nil
                }
            }
            var pause = timespec(tv_sec: 0, tv_nsec: Int(interval))
            nanosleep(&pause, nil)
        }
        throw LoadFailure("waited \(seconds) s in vain: \(what)\n\(logEnd)")
    }

    /// Waits until the second node has been told everything that the first had to say.
    func awaitView() throws {
        try waitUntil("the peer is told", seconds: 10, every: 2_000_000) { status in
            guard let link = self.link(of: nodes[0], in: status), self.link(of: nodes[1], in: status) != nil else {
                return false
            }
            return link.behindRevisions == 0 && link.queuedBytes == 0
        }
    }

    /// Waits until every router knows so many agents who can be given a call.
    func awaitAgents(_ count: Int, seconds: UInt64 = 60) throws {
        try waitUntil("the routers know \(count) free agents", seconds: seconds, every: 20_000_000) { status in
            let routers = status.nodes.filter { $0.role == .router }
            return !routers.isEmpty && routers.allSatisfy { $0.report?.agentsAvailable == UInt64(count) }
        }
    }

    private func link(of node: String, in status: ClusterStatus) -> LinkStatus? {
        status.nodes.first { $0.name == node }?.report?.links.first
    }

    var logEnd: String {
        guard let log = try? Files.read(directory + "/log", limit: 1 << 22) else { return "" }
        return String(decoding: log.suffix(2000), as: UTF8.self)
    }
}
