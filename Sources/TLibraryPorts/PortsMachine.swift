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
    /// How many DNs one client may register.
    package var registrationsPerClient: Int
    /// The most DNs in one piece of a snapshot.
    package var chunk: Int
    /// How many requests of clients may be under way to one other node.
    package var requestsPerPeer: Int
    package var faults: Faults

    package init(
        feedCapacity: Int = 65_536, outboxCapacity: Int = 8_192, registrationsPerClient: Int = 65_536, chunk: Int = 512,
        requestsPerPeer: Int = 1_024, faults: Faults = .none
    ) {
        self.feedCapacity = feedCapacity
        self.outboxCapacity = outboxCapacity
        self.registrationsPerClient = registrationsPerClient
        self.chunk = chunk
        self.requestsPerPeer = requestsPerPeer
        self.faults = faults
    }
}

package enum PortsAction: Equatable, Sendable {
    case close(ClientID, ClientProblem)
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
    /// Clients with a feed position.
    var monitors: Set<ClientID> = []
    /// By node: whether it is heard. This node's own place says nothing.
    var heardPeers: [Bool]
    /// How many clients were cut off because they read too slowly.
    package private(set) var slowClients: UInt64 = 0

    /// The latest events, at most `feedCapacity`; the last one has the number `sequence`.
    var feed: Deque<FeedEntry> = []
    package internal(set) var sequence: UInt64 = 0
    /// Clients that may have something to read since `takeReady` was called last.
    var ready: Set<ClientID> = []

    package init(
        configuration: PortsConfiguration = PortsConfiguration(), directory: DNDirectory, me: NodeIndex,
        lineage: Incarnation, nodeCount: Int
    ) {
        heardPeers = Array(repeating: false, count: nodeCount)
        self.configuration = configuration
        self.directory = directory
        self.me = me
        self.lineage = lineage
    }

    struct Registration: Sendable {
        /// It keeps a PSTN DN in service.
        var holds = false
        var wantsOwnerHint = false
    }

    struct Client: Sendable {
        /// It has said hello.
        var isIntroduced = false
        var registrations: [DNIndex: Registration] = [:]
        var outbox: Deque<TEvent> = []
        var monitor: Monitor?
        var isClosing = false
    }

    struct Monitor: Sendable {
        var options: MonitorOptions
        /// The last sequence number that the client has been told completely.
        var sequence: UInt64
        /// Where the snapshot goes on; nil when none is owed.
        var snapshotCursor: Int?
        /// A whole owner's change that is being told DN by DN.
        var expansion: Expansion?
    }

    struct Expansion: Sendable {
        var owner: NodeIndex
        var cursor: Int
    }

    enum FeedEntry: Sendable {
        case view(DNIndex, View, before: View)
        case owner(NodeIndex, isReachable: Bool)
    }

    // MARK: Clients

    package mutating func connected(_ client: ClientID) {
        clients[client] = Client()
    }

    /// A client has said hello: from now on it is told of links.
    package mutating func introduced(_ client: ClientID, _ actions: inout [PortsAction]) {
        guard clients[client]?.isIntroduced == false else { return }
        clients[client]!.isIntroduced = true
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
            if registration.holds, release(dn) { abandoned.append(dn) }
        }
        return abandoned
    }

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
        if clients[client]!.outbox.count >= configuration.outboxCapacity {
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
    package mutating func register(_ dn: DNIndex, for client: ClientID, holds: Bool, wantsOwnerHint: Bool = false) {
        guard let former = clients[client].map({ $0.registrations[dn] }) else { return }
        if former == nil { watchers[dn, default: []].append(client) }
        if holds, former?.holds != true { holders[dn, default: 0] += 1 }
        clients[client]!.registrations[dn] = Registration(
            holds: holds || former?.holds == true, wantsOwnerHint: wantsOwnerHint)
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
        return former.holds && release(dn) ? .lastHolder : .registered
    }

    package func isHeld(_ dn: DNIndex) -> Bool { holders[dn] != nil }

    /// How many clients hold the PSTN DN in service.
    package func holderCount(of dn: DNIndex) -> Int { holders[dn] ?? 0 }

    /// The DN went to another node: desktops that held it are told, and never come back by themselves.
    package mutating func superseded(_ dn: DNIndex, _ actions: inout [PortsAction]) {
        guard holders.removeValue(forKey: dn) != nil else { return }
        for client in watchers[dn] ?? [] where clients[client]?.registrations[dn]?.holds == true {
            clients[client]!.registrations[dn] = nil
            forgetWatcher(client, of: dn)
            tell(client, .unregistered(referenceID: nil, dn: directory.dn(at: dn), reason: .superseded), &actions)
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
