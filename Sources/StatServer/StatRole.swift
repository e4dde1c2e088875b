package import ClusterModel
package import LinuxSystem
import Logging
package import Orchestration
import Statistics
import TLS
import TLibraryPorts
import Transport
import Wire
package import WorkerRuntime

/// The role `stat`: a Stat Server. It hears one node of its data center and tells routers, supervisors and commands what the agents of
/// the whole cluster do, since when, and how often and long they have done it. Of calls at routing points it hears every node of its
/// data center.
package final class StatRole: WorkerRole {
    /// How many routers and commands are served at a time.
    static let clientLimit = 1_024

    private(set) var me: StatServerDeclaration
    private(set) var topology: Topology
    let loop: EventLoop
    let logger: Logger
    let startedAt = SystemClock.monotonicNanoseconds()
    var identity: ServerIdentity
    /// Nil where clients need no secrets.
    var clientSecrets: ClientSecretTable?
    let address: StreamAddress
    let handshakes = HandshakeGauge(limit: 256)
    var feed: AgentFeed
    var points: PointBoard
    /// When the statistics began, milliseconds since 1970.
    let since: UInt64
    var clients: [ObjectIdentifier: StatClient] = [:]
    private let sockets: ServerSockets
    package private(set) var servedSockets: [(name: String, descriptor: OwnedDescriptor)] = []
    private var listener: StreamListener?
    private(set) lazy var source = FeedSource(self)
    private(set) lazy var pointSource = PointSource(self)

    private init(_ start: RoleStart, _ me: StatServerDeclaration, at address: StreamAddress) {
        self.me = me
        self.address = address
        topology = start.topology
        sockets = start.sockets
        loop = start.loop
        logger = start.logger
        identity = ServerIdentity(start)
        var setup = StatBoard.Setup(
            locations: topology.nodes.map { start.topology.dataCenters[$0.dataCenter].location },
            nodes: topology.nodes.map(\.name))
        // Of every life a greater one: who comes back with the number of an earlier life gets a snapshot.
        setup.firstSequence = start.setup.incarnation.rawValue << 40
        feed = AgentFeed(StatBoard(setup), topology.directory)
        points = PointBoard(
            PointBoard.Setup(
                points: topology.routingPoints, nodeCount: topology.nodes(of: me.dataCenter).count))
        since = loop.now.wallMilliseconds
        replaceClientSecrets(start.clientSecrets)
    }

    package static func make(_ start: RoleStart) throws(RoleFailure) -> any WorkerRole {
        let name = start.setup.node
        guard let me = start.topology.statServers.first(where: { $0.name == name }) else {
            throw RoleFailure("the topology has no stat server \(name)")
        }
        guard let address = me.listen else {
            throw RoleFailure("the controller told no address for \(name) to listen at")
        }
        return StatRole(start, me, at: address)
    }

    package var descriptorLimit: Int { Self.clientLimit + topology.nodes.count * 2 + 64 }

    package func open() throws(SystemError) {
        let descriptor = try sockets.take(.stream(address))
        servedSockets = [(ServerSocket.stream(address).name, descriptor)]
        var limits = StreamListener.Limits()
        limits.connections = Self.clientLimit
        listener = try StreamListener(
            descriptor, on: loop, limits: limits, delegate: Acceptor { [unowned self] in clientConnected($0) })
        source.open()
        if !topology.routingPoints.isEmpty { pointSource.open() }
        loop.addOwner(self)
    }

    /// Takes whatever changes neither whom it hears nor what it counts; for the rest it is restarted.
    package func apply(
        _ start: RoleStart, ended: @escaping (Result<RoleApplied, RoleFailure>) -> Void
    ) throws(RoleFailure) {
        let later = start.topology
        guard let declaration = later.statServers.first(where: { $0.name == me.name }) else {
            throw RoleFailure("the topology has no stat server \(me.name)")
        }
        guard declaration.listen == address, later.cluster == topology.cluster,
            later.routingPoints == topology.routingPoints,
            later.nodes(of: declaration.dataCenter).map({ [$0.name, $0.tcontroller.description] })
                == topology.nodes(of: me.dataCenter).map({ [$0.name, $0.tcontroller.description] })
        else { throw RoleFailure("what it counts or whom it hears has changed; it takes that when it is restarted") }
        let renumbering = Renumbering(from: topology, to: later)
        topology = later
        me = declaration
        identity.goOn(under: start)
        clientSecrets = nil
        replaceClientSecrets(start.clientSecrets)
        feed.renumber(renumbering, for: later, now: loop.now)
        source.goOn(hearsAll: renumbering.addsDNs)
        ended(.success(RoleApplied()))
    }

    package func replaceClientSecrets(_ secrets: [ClientSecret]) {
        identity.take(secrets)
        guard topology.clientAuthentication != nil else { return }
        clientSecrets = ClientSecretTable(secrets, decoy: SystemRandom.bytes(32))
    }

    package func replaceCertificates(_ tls: TLSContexts) { identity.tls = tls }

    package func report(request: UInt64) -> NodeReport {
        var report = NodeReport(ofProcessSince: startedAt, now: loop.now, request: request)
        report.clients = UInt64(clients.count)
        report.agents = UInt64(feed.board.count)
        return report
    }

    /// The socket's file stays: another process may serve there already.
    package func close() {
        source.close()
        pointSource.close()
        listener?.close()
        for client in clients.values { client.connection.close() }
    }
}

extension StatRole: LoopOwner {
    /// What has changed in this turn is told in its end: one frame a subscriber.
    package func turnEnded(now: Instant) {
        for client in clients.values where client.subscription != nil { pull(client) }
    }

    package func nextDeadline() -> UInt64? { nil }
}
