package import ClusterModel
import DequeModule

/// Where the ports look up what the node shows of a DN.
package protocol ViewSource {
    func view(of dn: DNIndex) -> View
    /// The owner's own last word, whether or not the owner can be heard.
    func lastWord(of dn: DNIndex) -> Service
}

package struct PortsConfiguration: Equatable, Sendable {
    /// How many events a monitoring client may fall behind; also how far back it can resume.
    package var feedCapacity: Int
    /// How many answers and events of registered DNs may wait for one client.
    package var outboxCapacity: Int
    /// The same for a router, which may be asked about all calls of a node at once when another one has gone.
    package var routerOutboxCapacity: Int
    /// How many DNs one client may register.
    package var registrationsPerClient: Int
    /// The most DNs in one piece of a snapshot.
    package var chunk: Int
    /// How many requests of clients may be under way to one other node.
    package var requestsPerPeer: Int
    /// How many requests a client may make a second; nil where it may make as many as it can.
    package var requestsPerSecond: Int?
    package var faults: Faults

    package init(
        feedCapacity: Int = 65_536, outboxCapacity: Int = 8_192, routerOutboxCapacity: Int = 131_072,
        registrationsPerClient: Int = 65_536, chunk: Int = 512,
        requestsPerPeer: Int = 1_024, requestsPerSecond: Int? = nil, faults: Faults = .none
    ) {
        self.feedCapacity = feedCapacity
        self.outboxCapacity = outboxCapacity
        self.routerOutboxCapacity = routerOutboxCapacity
        self.registrationsPerClient = registrationsPerClient
        self.chunk = chunk
        self.requestsPerPeer = requestsPerPeer
        self.requestsPerSecond = requestsPerSecond
        self.faults = faults
    }
}

package enum PortsAction: Equatable, Sendable {
    case close(ClientID, ClientProblem)
}

/// Which of a node's ports a client has connected to.
package enum ClientPort: Equatable, Sendable {
    /// The whole cluster's DNs and agents, for desktops and Stat Servers.
    case tcontroller
    /// This node's calls and routing points, for routers.
    case `default`
}

/// Why a client's connection is closed from this side.
package enum ClientProblem: Equatable, Sendable {
    case tooSlow

    package var sentence: String {
        switch self {
        case .tooSlow: "the client reads too slowly; it may connect again and resume"
        }
    }
}

/// What the clients of a node's T-Controller port may ask, and what each of them is told.
///
/// Events are pulled with `nextEvent(for:views:)`. A monitoring client is a position in one feed that all share, so it
/// costs the same whatever the number of DNs; a client that falls off the feed's end is cut off and can come back.
package struct PortsMachine: Sendable {
    package let configuration: PortsConfiguration
    let directory: DNDirectory
    let me: NodeIndex
    let lineage: Incarnation

    var clients: [ClientID: Client] = [:]
    /// Who has registered which DN; each list in the order of registration.
    var watchers: [DNIndex: [ClientID]] = [:]
    /// How many clients hold a PSTN DN in service.
    var holders: [DNIndex: Int] = [:]
    /// Desktops that hold a DN, and those that did last, until their grace is over.
    var desktops = DesktopTable()
    let routingPoints: [RoutingPoint]
    /// Clients with a feed position.
    var monitors: Set<ClientID> = []
    /// By node: whether it is heard. This node's own place says nothing.
    var heardPeers: [Bool]
    /// How many clients were cut off because they read too slowly.
    package internal(set) var slowClients: UInt64 = 0
    /// How many requests were refused because their clients made too many.
    package internal(set) var floodedRequests: UInt64 = 0

    /// The calls at the node's routing points, by what was said when they came.
    var pointCalls: [CallConnection: PointEvent] = [:]
    /// The latest events, at most `feedCapacity`; the last one has the number `sequence`.
    var feed: Deque<FeedEntry> = []
    /// Somebody has been in the feed. Before, nobody can come back to a place in it, and nothing need be held: who knows one
    /// only from the node's hello gets a snapshot.
    var wasMonitored = false
    package internal(set) var sequence: UInt64 = 0
    /// Clients that may have something to read since `takeReady` was called last.
    var ready: Set<ClientID> = []

    package init(
        configuration: PortsConfiguration = PortsConfiguration(), directory: DNDirectory, me: NodeIndex,
        routingPoints: [RoutingPoint] = [], lineage: Incarnation, nodeCount: Int, secret: UInt64 = 0
    ) {
        self.routingPoints = routingPoints
        desktops = DesktopTable(secret: secret)
        heardPeers = Array(repeating: false, count: nodeCount)
        self.configuration = configuration
        self.directory = directory
        self.me = me
        self.lineage = lineage
    }

    struct Registration: Sendable {
        /// It keeps a PSTN DN in service, as this desktop.
        var desktop: DesktopToken?
        var wantsOwnerHint = false

        var holds: Bool { desktop != nil }
    }

    struct Client: Sendable {
        /// It has said hello.
        var isIntroduced = false
        /// As it has said then.
        var name = ""
        let port: ClientPort
        var registrations: [DNIndex: Registration] = [:]
        /// Positions in the topology's list.
        var routingPoints: Set<Int> = []
        var mask = EventMask.all
        var rate = RequestRate()
        /// Owners that it has asked for reservations.
        var reservesAt: Set<NodeIndex> = []
        var outbox: Deque<TEvent> = []
        var monitor: Monitor?
        var isClosing = false
        /// Something that waited for it was of what another topology does not have.
        var hasLost = false
    }

    struct Monitor: Sendable {
        var options: MonitorOptions
        /// The last sequence number that the client has been told completely.
        var sequence: UInt64
        /// Where the snapshot goes on; nil when none is owed.
        var snapshotCursor: Int?
        /// Of calls at routing points that the snapshot has still to tell, the next one last; nil before it comes to them.
        var callsOwed: [CallConnection]?
        /// A whole owner's change that is being told DN by DN.
        var expansion: Expansion?
        /// How many events of the next change have been told.
        var part = 0
    }

    struct Expansion: Sendable {
        var owner: NodeIndex
        var cursor: Int
    }

    enum FeedEntry: Sendable {
        case view(DNIndex, View, before: View)
        case owner(NodeIndex, isReachable: Bool)
        case point(PointEvent)
    }

    // MARK: Clients

    package mutating func connected(_ client: ClientID, at port: ClientPort = .tcontroller) {
        clients[client] = Client(port: port)
    }

    /// Whether nothing more is told a client, because it has gone or is being cut off.
    package func isAtItsEnd(_ client: ClientID) -> Bool { clients[client]?.isClosing ?? true }

    /// Which port a client is connected to; nil for one that has gone.
    package func port(of client: ClientID) -> ClientPort? { clients[client]?.port }

    /// Which events a client is told from now on.
    package mutating func setMask(_ mask: EventMask, of client: ClientID) {
        clients[client]?.mask = mask
    }

    /// Whether a client may make another request now.
    package mutating func admitsRequest(of client: ClientID, now: Instant) -> Bool {
        guard let limit = configuration.requestsPerSecond, clients[client] != nil else { return true }
        if clients[client]!.rate.takes(limit: limit, now: now) { return true }
        floodedRequests += 1
        return false
    }

    /// A client asks an owner for a reservation.
    package mutating func noteReservation(at owner: NodeIndex, of client: ClientID) {
        clients[client]?.reservesAt.insert(owner)
    }

    /// The owners that a client has asked for reservations, sorted.
    package func reservationOwners(of client: ClientID) -> [NodeIndex] {
        (clients[client]?.reservesAt ?? []).sorted()
    }

    /// The name that a client has introduced itself with.
    package func name(of client: ClientID) -> String { clients[client]?.name ?? "" }

    /// A client has said hello: from now on it is told of links.
    package mutating func introduced(_ client: ClientID, name: String = "", _ actions: inout [PortsAction]) {
        guard clients[client]?.isIntroduced == false else { return }
        clients[client]!.isIntroduced = true
        clients[client]!.name = name
        tell(client, .serverInfo(referenceID: nil, serverInfo), &actions)
    }

    package var serverInfo: ServerInfo {
        let peers = heardPeers.indices.filter { $0 != me.position }
        return ServerInfo(
            position: FeedPosition(lineage: lineage, sequence: sequence), provisionedDNs: directory.count,
            links: peers.map { ServerInfo.Link(peer: NodeIndex($0), isConnected: heardPeers[$0]) }
        )
    }

    /// - Returns: the PSTN DNs that no client holds any more, sorted.
    package mutating func disconnected(_ client: ClientID) -> [DNIndex] {
        guard let gone = clients.removeValue(forKey: client) else { return [] }
        monitors.remove(client)
        ready.remove(client)
        var abandoned: [DNIndex] = []
        for (dn, registration) in gone.registrations.sorted(by: { $0.key < $1.key }) {
            forgetWatcher(client, of: dn)
            guard let desktop = registration.desktop else { continue }
            let isLast = release(dn)
            desktops.left(desktop, mayReturn: isLast)
            if isLast { abandoned.append(dn) }
        }
        return abandoned
    }

    /// The last desktop of a DN has not come back in time.
    package mutating func graceEnded(_ dn: DNIndex) {
        desktops.forgetAbsent(dn)
    }

    /// Whether a token is that of a desktop which holds the DN, or did until now.
    package func isDesktop(_ token: DesktopToken, of dn: DNIndex) -> Bool { desktops.isKnown(token, of: dn) }

    package var clientCount: Int { clients.count }

    /// How full the queues are: events held for monitoring clients, and the fullest outbox.
    package var fill: (feed: Int, outbox: Int) {
        (feed.count, clients.values.reduce(0) { max($0, $1.outbox.count) })
    }

    /// Clients that may have something to read: the shell pulls for these, and for those that it had to leave unread.
    package mutating func takeReady() -> [ClientID] {
        guard !ready.isEmpty else { return [] }
        defer { ready.removeAll(keepingCapacity: true) }
        return ready.sorted()
    }

    /// Puts an event into a client's outbox; a client whose outbox is full is cut off.
    package mutating func tell(_ client: ClientID, _ event: TEvent, _ actions: inout [PortsAction]) {
        guard clients[client] != nil, clients[client]?.isClosing == false else { return }
        let capacity =
            clients[client]!.port == .default ? configuration.routerOutboxCapacity : configuration.outboxCapacity
        if clients[client]!.outbox.count >= capacity {
            cutOff(client, &actions)
            return
        }
        clients[client]!.outbox.append(event)
        ready.insert(client)
    }

    mutating func cutOff(_ client: ClientID, _ actions: inout [PortsAction]) {
        guard clients[client]?.isClosing == false else { return }
        clients[client]!.isClosing = true
        clients[client]!.outbox.removeAll()
        clients[client]!.monitor = nil
        monitors.remove(client)
        slowClients += 1
        actions.append(.close(client, .tooSlow))
    }

    // MARK: Registrations

    /// Whether a client can register one more DN.
    package func canRegister(_ dn: DNIndex, _ client: ClientID) -> Bool {
        guard let registrations = clients[client]?.registrations else { return false }
        return registrations[dn] != nil || registrations.count < configuration.registrationsPerClient
    }

    /// Registers a client for a DN's events; with `holds` it also keeps the PSTN DN in service.
    ///
    /// - Parameter returning: of a desktop that comes back. What its former connection held, if that still stands, it holds no
    ///   longer.
    /// - Returns: the desktop's token if the client holds the DN.
    @discardableResult
    package mutating func register(
        _ dn: DNIndex, for client: ClientID, holds: Bool, wantsOwnerHint: Bool = false,
        returning: DesktopToken? = nil, _ actions: inout [PortsAction]
    ) -> DesktopToken? {
        guard let former = clients[client].map({ $0.registrations[dn] }) else { return nil }
        if former == nil { watchers[dn, default: []].append(client) }
        var desktop = former?.desktop
        if holds, desktop == nil {
            desktop = desktops.entered(dn, client)
            holders[dn, default: 0] += 1
        }
        clients[client]!.registrations[dn] = Registration(desktop: desktop, wantsOwnerHint: wantsOwnerHint)
        if holds, let returning, returning != desktop { replace(returning, of: dn, &actions) }
        return desktop
    }

    /// A desktop has come back over another connection.
    private mutating func replace(_ desktop: DesktopToken, of dn: DNIndex, _ actions: inout [PortsAction]) {
        guard let former = desktops.client(of: desktop, dn) else { return }
        desktops.left(desktop, mayReturn: false)
        _ = release(dn)
        endRegistration(of: dn, former, .superseded, &actions)
    }

    /// A client's registration ends without its doing.
    private mutating func endRegistration(
        of dn: DNIndex, _ client: ClientID, _ reason: Service, _ actions: inout [PortsAction]
    ) {
        clients[client]?.registrations[dn] = nil
        forgetWatcher(client, of: dn)
        tell(client, .unregistered(referenceID: nil, dn: directory.dn(at: dn), reason: reason), &actions)
    }

    /// The DN is not provisioned any more: everybody who has registered it is told.
    package mutating func retired(_ dn: DNIndex, _ actions: inout [PortsAction]) {
        desktops.forgetAll(dn)
        holders[dn] = nil
        for client in watchers[dn] ?? [] { endRegistration(of: dn, client, .notProvisioned, &actions) }
    }

    /// Registers a client for a routing point.
    ///
    /// - Returns: false when there is none with this number.
    package mutating func registerRoutingPoint(_ dn: DN, for client: ClientID) -> Bool {
        guard let position = routingPoints.firstIndex(where: { $0.dn == dn }) else { return false }
        clients[client]?.routingPoints.insert(position)
        return true
    }

    /// - Returns: false when the client had not registered it.
    package mutating func unregisterRoutingPoint(_ dn: DN, for client: ClientID) -> Bool {
        guard let position = routingPoints.firstIndex(where: { $0.dn == dn }) else { return false }
        return clients[client]?.routingPoints.remove(position) != nil
    }

    package enum Unregistration: Equatable, Sendable {
        case notRegistered
        case registered
        /// It was the last client that held the PSTN DN in service.
        case lastHolder
    }

    package mutating func unregister(_ dn: DNIndex, for client: ClientID) -> Unregistration {
        guard let former = clients[client]?.registrations.removeValue(forKey: dn) else { return .notRegistered }
        forgetWatcher(client, of: dn)
        guard let desktop = former.desktop else { return .registered }
        desktops.left(desktop, mayReturn: false)
        return release(dn) ? .lastHolder : .registered
    }

    package func isHeld(_ dn: DNIndex) -> Bool { holders[dn] != nil }

    /// How many clients hold the PSTN DN in service.
    package func holderCount(of dn: DNIndex) -> Int { holders[dn] ?? 0 }

    /// The DN went to another node: desktops that held it are told, and never come back by themselves.
    package mutating func superseded(_ dn: DNIndex, _ actions: inout [PortsAction]) {
        desktops.forgetAll(dn)
        guard holders.removeValue(forKey: dn) != nil else { return }
        for client in watchers[dn] ?? [] where clients[client]?.registrations[dn]?.holds == true {
            endRegistration(of: dn, client, .superseded, &actions)
        }
    }

    /// - Returns: whether nobody holds the DN any more.
    private mutating func release(_ dn: DNIndex) -> Bool {
        guard let count = holders[dn] else { return false }
        holders[dn] = count > 1 ? count - 1 : nil
        return count <= 1
    }

    private mutating func forgetWatcher(_ client: ClientID, of dn: DNIndex) {
        watchers[dn]?.removeAll { $0 == client }
        if watchers[dn]?.isEmpty == true { watchers[dn] = nil }
    }
}
