import ClusterModel
import DNOwnership
import LinuxSystem
import Logging
import NodeCore
import NodeStore
import Orchestration
import SIPCore
import TLS
import TLibraryPorts
import Transport
import Wire
import WorkerRuntime

/// The shell around one node's machines: sockets in, machine, sockets out. It decides nothing.
///
/// Everything runs on one loop. At the end of a turn it carries out what the machines want done and pulls what they
/// have to say, so all that one turn brought leaves in one flush a connection.
final class NodeShell {
    /// With more than this waiting in a connection, nothing more is pulled for it; what waits in the machines costs no
    /// memory.
    static let pullLimit = 256 * 1024
    /// How many clients the T-Controller port serves at a time.
    static let clientLimit = 4_096
    /// The same for the default port.
    static let routerLimit = 1_024
    /// How many SIP connections a listener serves at a time.
    static let sipConnectionLimit = 10_000

    let loop: EventLoop
    let logger: Logger
    var topology: Topology
    var me: NodeIndex
    let incarnation: Incarnation
    let startedAt: UInt64
    var core: NodeCore
    /// Milliseconds since 1970.
    private var datagramsReadAt: UInt64 = 0
    var memory: NodeMemory
    var storeWatch: DescriptorWatch?

    var meshCodec: MeshCodec
    var portCodec: TLibraryCodec

    private let sockets: ServerSockets
    /// What the node serves at, by name, in the order in which it was opened.
    private(set) var servedSockets: [(name: String, descriptor: OwnedDescriptor)] = []
    private var listenersByName: [String: StreamListener] = [:]
    /// Of everything that the controller told.
    var topologyDigest: TopologyDigest
    /// Another topology that is being applied.
    var underWay: TopologyUnderWay?
    /// Empty where nothing is kept.
    let storePath: String
    var storeReader: OwnedDescriptor?
    /// While the process hands its place over, and from when it has read nothing any more.
    var handover: HandoverSender?
    var frozenAt: UInt64 = 0
    /// Connections over TLS that will be passed on, with this process's ends of the pairs.
    var pendingRelays: [(connection: StreamConnection, descriptor: OwnedDescriptor)] = []
    /// Their numbers are those of the node's SIP listeners.
    var sipSockets: [DatagramSocket] = []
    /// Connections of phones and proxies, by their numbers.
    var sipConnections: [FlowID: SIPConnection] = [:]
    /// Connections to gateways that are being made.
    var gatewayDials: [FlowID: GatewayDial] = [:]
    /// The answer to a message of a stream, on its way.
    var streamAnswers = DatagramBatch()
    var sipStreams = SIPStreamCounters()
    /// What new connections over TLS are served with; those that there are keep what they had.
    var tls: TLSContexts?
    /// Of phones and clients; the mesh has few connections.
    let handshakes = HandshakeGauge(limit: 1_000)
    var listeners: [StreamListener] = []
    /// Connections to peers and from strangers, by their numbers.
    var connections: [ConnectionID: FramedConnection] = [:]
    var connectionIDs: [ObjectIdentifier: ConnectionID] = [:]
    var dials: [NodeIndex: StreamDialer] = [:]
    /// Why the last dial failed, until one succeeds; and why the last connection ended.
    var dialProblems: [NodeIndex: String] = [:]
    var lastProblems: [NodeIndex: String] = [:]
    var clients: [ClientID: FramedConnection] = [:]
    var clientIDs: [ObjectIdentifier: ClientID] = [:]
    /// Of clients that have not introduced themselves yet, with the end of our patience.
    var introductions: [ClientID: (machine: ClientIntroduction, timer: TimerToken)] = [:]
    /// Nil where no proof of a secret is demanded.
    var clientSecrets: ClientSecretTable?
    /// Clients whose connection had no room when there was something to tell.
    var waitingClients: Set<ClientID> = []
    /// What is told the controller unasked, and what it was told of each link.
    var news: NewsMachine
    var linkStates: [LinkReport.State]
    /// The connection that each link has or had last.
    var linkConnections: [ConnectionID?]
    var measured: ShellMeasures
    let tellController: (WorkerNews) -> Void
    var lastNumber: UInt64 = 0

    /// A node that begins, or one that goes on as another process has left it.
    init(core: NodeCore, _ start: RoleStart, memory: NodeMemory, sockets: ServerSockets) {
        let topology = start.topology
        news = NewsMachine(peers: topology.nodes.map(\.name))
        linkStates = topology.nodes.map { _ in .down }
        linkConnections = topology.nodes.map { _ in nil }
        measured = ShellMeasures(nodes: topology.nodes.count, revision: core.ownership.lastRevision)
        tellController = start.tellController
        loop = start.loop
        logger = start.logger
        self.topology = topology
        topologyDigest = start.setup.topologyDigest
        storePath = start.setup.store
        me = core.me
        incarnation = core.ownership.identity.incarnation
        startedAt = SystemClock.monotonicNanoseconds()
        self.sockets = sockets
        self.memory = memory
        self.core = core
        meshCodec = MeshCodec(topology: topology)
        portCodec = Self.portCodec(topology)
    }

    static func portCodec(_ topology: Topology) -> TLibraryCodec {
        TLibraryCodec(
            cluster: topology.cluster, version: TandemVersion.current,
            nodes: topology.nodes.map {
                TLibraryCodec.NodeLabel(
                    name: $0.name, address: $0.tcontroller,
                    location: topology.dataCenters[$0.dataCenter].location)
            }
        )
    }

    /// How many descriptors the node can need: its clients, two connections and two dials a peer, listeners, SIP sockets,
    /// and some for the process itself.
    var descriptorLimit: Int { Self.descriptorLimit(of: topology, me) }

    static func descriptorLimit(of topology: Topology, _ me: NodeIndex) -> Int {
        let sip = topology.nodes[me.position].sip
        let streams = sip.filter { $0.transport != .udp }.count * Self.sipConnectionLimit
        return Self.clientLimit + Self.routerLimit + topology.nodes.count * 4 + 16 + sip.count + streams + 64
    }

    /// How many connections of other nodes are served at a time.
    static func meshLimit(of topology: Topology) -> Int { topology.nodes.count * 2 + 16 }

    var meshListener: StreamListener? {
        listenersByName[ServerSocket.stream(topology.nodes[me.position].mesh).name]
    }

    /// Opens all of the node's ports. After an error nothing is served.
    func open() throws(SystemError) {
        let node = topology.nodes[me.position]
        for (number, listener) in node.sip.enumerated() {
            switch listener.transport {
            case .udp:
                let descriptor = try take(ServerSocket(listener))
                sipSockets.append(
                    try DatagramSocket(descriptor, on: loop, number: UInt8(number), delegate: self))
            case .tcp, .tls:
                try listenSIP(listener, number: UInt8(number))
            }
        }
        try listen(node.mesh, limit: Self.meshLimit(of: topology)) { [unowned self] in peerConnected($0) }
        try listen(node.tcontroller, limit: Self.clientLimit) { [unowned self] in
            clientConnected($0, at: .tcontroller, isSecure: node.tcontroller.isSecure)
        }
        if let port = node.defaultPort {
            try listen(port, limit: Self.routerLimit) { [unowned self] in
                clientConnected($0, at: .default, isSecure: port.isSecure)
            }
        }
        try watchStore()
        // To let go of what earlier lives have kept takes time, and phones wait.
        loop.schedule(after: .seconds(1)) { [weak self] in self?.memory.stored = nil }
        loop.addOwner(self)
    }

    func listen(
        _ address: StreamAddress, limit: Int, _ accept: @escaping (AcceptedStream) -> Void
    ) throws(SystemError) {
        let descriptor = try take(.stream(address))
        var limits = StreamListener.Limits()
        limits.connections = limit
        let listener = try StreamListener(descriptor, on: loop, limits: limits, delegate: Acceptor(accept))
        listeners.append(listener)
        listenersByName[ServerSocket.stream(address).name] = listener
    }

    private func take(_ socket: ServerSocket) throws(SystemError) -> OwnedDescriptor {
        let descriptor = try sockets.take(socket)
        servedSockets.append((socket.name, descriptor))
        return descriptor
    }

    /// A connection that another process has accepted there counts here from now on.
    func count(_ stream: OwnedDescriptor, at address: StreamAddress) {
        listenersByName[ServerSocket.stream(address).name]?.count(stream)
    }

    func count(_ stream: OwnedDescriptor, at listener: Int) {
        let listeners = topology.nodes[me.position].sip
        guard listener < listeners.count, listeners[listener].transport != .udp else { return }
        count(stream, at: .tcp(listeners[listener].address))
    }

    /// Closes everything; peers and clients see it at once.
    func close() {
        closeStore()
        for socket in sipSockets { socket.close() }
        for listener in listeners { listener.close() }
        for connection in sipConnections.values { connection.close() }
        for connection in connections.values { connection.close() }
        for connection in clients.values { connection.close() }
    }

    func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }
}

// MARK: Turns

extension NodeShell: LoopOwner {
    func turnEnded(now: Instant) {
        if core.inspectDeadline() <= now.monotonic { core.tick(now: now) }
        core.lookForExceptions(now: now)
        act(now)
        for peer in topology.nodes.indices where peer != me.position { pull(NodeIndex(peer), now) }
        for client in waitingClients.union(core.takeReadyClients()).sorted() { pull(client, now) }
        // Pulling may have cut a client off.
        act(now)
        write(core.takeWrites(now: now), now)
        measured.revisions.turnEnded(revision: core.ownership.lastRevision, now: now.monotonic)
        // Messages that could not be sent have ended requests, whose senders are told in the next turn.
        if core.hasActions { loop.soon {} }
        tellNews(now)
    }

    func nextDeadline() -> UInt64? {
        let deadline = min(core.inspectDeadline(), news.nextDeadline ?? .max, core.nextLook)
        return deadline == .max ? nil : deadline
    }

    func act(_ now: Instant) {
        for action in core.takeActions() {
            switch action {
            case .dial(let peer):
                dial(peer)
            case .closeConnection(let id, let problem):
                closeConnection(id, problem)
            case .send(let message, let target):
                send(message, to: target)
            case .closeFlow(let flow):
                sipConnections[flow]?.close()
            case .closeClient(let id, let problem):
                logger.warning(
                    "client cut off", metadata: ["client": "\(id.rawValue)", "reason": "\(problem.sentence)"])
                tellCutOff(id.rawValue, problem.sentence)
                closeClient(id, problem.sentence)
            }
        }
    }
}

// MARK: SIP

extension NodeShell: DatagramSocketDelegate {
    func datagramReceived(
        _ bytes: RawSpan, from source: NetworkAddress, index: Int, arrival: UInt64?, on socket: DatagramSocket
    ) {
        let datagram = Span<UInt8>(_bytes: bytes)
        let source = SIPSource(source, listener: socket.number)
        // The turn may have begun long ago, if the process was stopped in the middle of it.
        if index == 0 { datagramsReadAt = SystemClock.now().wallMilliseconds }
        let arrival = arrival.map { NodeCore.Arrival(came: $0, read: datagramsReadAt) }
        socket.withOutput {
            core.messageReceived(datagram, from: source, arrival: arrival, now: loop.now, answers: &$0)
        }
    }
}
