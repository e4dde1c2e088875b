package import AgentSessions
package import CallControl
package import ClusterModel
package import DNOwnership
package import SIPCore
package import TLibraryPorts
package import Trunks

/// What a node is started with.
package struct NodeSetup: Sendable {
    package var topology: Topology
    package var identity: NodeIdentity
    package var ownership: OwnershipConfiguration
    package var ports: PortsConfiguration
    /// Two random numbers: for To tags that nobody can guess, and for the spread of dial times.
    package var secret: UInt64
    package var seed: UInt64
    /// Goes for all of the node's machines, whatever the two configurations say.
    package var faults: Faults
    /// Who phones are; nil where anybody may register.
    package var authenticator: DigestAuthenticator?
    /// What the node's store has kept from earlier lives; nil of a node that remembers nothing and writes nothing down.
    package var stored: StoredState?

    package init(
        topology: Topology, identity: NodeIdentity, ownership: OwnershipConfiguration? = nil,
        ports: PortsConfiguration = PortsConfiguration(), authenticator: DigestAuthenticator? = nil, secret: UInt64,
        seed: UInt64, faults: Faults = .none
    ) {
        self.topology = topology
        self.identity = identity
        self.ownership = ownership ?? OwnershipConfiguration(timing: topology.timing)
        self.ports = ports
        self.authenticator = authenticator
        self.secret = secret
        self.seed = seed
        self.faults = faults
    }
}

/// What the shell has to do besides sending what it pulls.
package enum NodeAction: Equatable, Sendable {
    case dial(NodeIndex)
    case closeConnection(ConnectionID, LinkProblem)
    case closeClient(ClientID, ClientProblem)
    /// A request to a phone: over its stream if it has one, else as a datagram from the listener that it registered at.
    case send([UInt8], to: SIPSource)
    /// A phone's stream is to end; it has others.
    case closeFlow(FlowID)
}

/// What happened so far, for operators.
package struct NodeCounters: Equatable, Sendable {
    package var registrationsAccepted: UInt64 = 0
    package var requestsRefused: UInt64 = 0
    /// REGISTERs among them, but not those that were asked for a password.
    package var registrationsRefused: UInt64 = 0
    package var notSIP: UInt64 = 0
    /// 401s to phones that did not know the password; first challenges do not count.
    package var failedAuthentications: UInt64 = 0
    /// Requests of clients of the ports that were answered with EventError.
    package var clientRequestsRefused: UInt64 = 0
    /// SIP messages and connections that were dropped because of what a source may send.
    package var limited: UInt64 = 0

    package init() {}
}

/// One node's machines composed. A shell feeds it events and carries out what comes of them; the simulator is another
/// such shell, so what is proven is what ships.
///
/// After any event the shell takes the actions and pulls what there is to say: for every peer with room in its
/// connection `nextPeerMessage` and, when that has nothing more, `nextProxyMessage`; `nextClientEvent` for every client
/// that `takeReadyClients` names.
package struct NodeCore: Sendable {
    package let topology: Topology
    package let me: NodeIndex
    package internal(set) var ownership: OwnershipMachine
    package internal(set) var ports: PortsMachine
    package internal(set) var proxy: RequestProxy
    /// On which DN each agent is logged in.
    package internal(set) var agents = AgentDirectory()
    /// On this node's own DNs.
    package internal(set) var agentCounts = AgentCounts()
    package internal(set) var desk: ReservationDesk
    var wrapUps: WrapUpTimers
    /// What became of calls' tokens.
    var redemptions: [Redemption] = []
    /// Of these, what calls at routing points wait for, by the numbers that they have there.
    var routedRedemptions: [UInt32: CallConnection] = [:]
    var lastRoutedCall: UInt32 = 0
    /// The calls at this node's routing points that nobody has taken.
    package internal(set) var control: CallControl
    var heldCalls: [CallConnection: HeldCall] = [:]
    var heldConnections: [OpenRequest: CallConnection] = [:]
    var routingActions: [RoutingAction] = []
    /// Calls that come and go over trunks.
    package internal(set) var trunks: TrunkDesk
    /// By agent type: the trunk that its phones are dialled through.
    let trunkOfType: [TrunkIndex?]
    var trunkActions: [TrunkAction] = []
    /// Of what the proxy counts, how far it was taken over.
    var countedTrunkChanges: UInt64 = 0
    /// What other nodes say of the calls of this node's DNs.
    package internal(set) var witnesses: CallWitnesses
    /// By node: what it is still to be told of the calls of its DNs.
    var callReports: [CallReports]
    package internal(set) var registrar: Registrar
    package internal(set) var statefulProxy: StatefulProxy
    /// By node: SIP messages that wait for the link.
    var peerMessages: [PeerMessages]
    /// Answers to a message of a peer, on their way.
    var peerAnswers = DatagramBatch()
    package internal(set) var counters = NodeCounters()

    /// Reused for every datagram.
    var message = SIPMessage()
    var writer: ResponseWriter
    /// Of which tags, tokens and nonces are made.
    package let secret: UInt64
    package let seed: UInt64
    private let pepper: UInt64
    let prober: ProbeWriter
    package internal(set) var authenticator: DigestAuthenticator?
    /// In lower case: the cluster's domain and this node's own addresses (RFC 3261 section 10.3, step 1).
    let ownHosts: [[UInt8]]
    /// nil where sources are not limited.
    var sourceLimits: SourceLimits?
    /// The most bytes that the answer to the present message may have.
    var answerLimit = Int.max
    /// When it came, milliseconds since 1970, if it has waited in the socket for too long; nil of one of now.
    var belated: UInt64?
    let dataCenter: Int
    let desktopGrace: UInt64
    let faults: Faults
    /// PSTN DNs whose last desktop has gone, in the order of their deadlines.
    var abandoned: [(deadline: UInt64, dn: DNIndex)] = []
    /// The latest deadline of each of these DNs; only this one counts.
    var graceEnds: [DNIndex: UInt64] = [:]

    /// Nil of a node that is not being drained.
    package internal(set) var drain: Drain?

    var actions: [NodeAction] = []
    /// What is on its way to the store, and what waits for it; nil of a node without one.
    package internal(set) var commits: CommitDesk?
    var ownershipActions: [OwnershipAction] = []
    var portsActions: [PortsAction] = []
    /// Whose last binding is gone, on the way to ownership.
    var emptied: [DNIndex] = []

    package init(_ setup: NodeSetup, now: Instant) {
        topology = setup.topology
        me = setup.identity.index
        faults = setup.faults
        var ownershipConfiguration = setup.ownership
        ownershipConfiguration.faults = setup.faults
        ownership = OwnershipMachine(
            topology: setup.topology, identity: setup.identity, configuration: ownershipConfiguration,
            seed: setup.seed, now: now,
            greatestStamp: setup.greatestStamp(for: ownershipConfiguration, now: now)
        )
        var portsConfiguration = setup.ports
        portsConfiguration.faults = setup.faults
        if let limit = setup.topology.clientRequestLimit { portsConfiguration.requestsPerSecond = limit }
        ports = PortsMachine(
            configuration: portsConfiguration, directory: setup.topology.directory, me: setup.identity.index,
            routingPoints: setup.topology.routingPoints, lineage: setup.identity.lineage,
            nodeCount: setup.topology.nodes.count, secret: mixed(setup.seed &+ 2) ^ setup.secret
        )
        var controlSetup = CallControl.Setup(points: setup.topology.routingPoints)
        controlSetup.faults = setup.faults
        control = CallControl(controlSetup)
        trunkOfType = setup.topology.agentTypes.map { type in
            guard type.phone == .pstn, let name = type.trunk else { return nil }
            return setup.topology.trunks.firstIndex { $0.name == name }.map { TrunkIndex($0) }
        }
        trunks = TrunkDesk(Self.trunkSetup(setup), now: now)
        witnesses = CallWitnesses()
        witnesses.faults = setup.faults
        callReports = Array(repeating: CallReports(), count: setup.topology.nodes.count)
        let timing = setup.topology.timing
        wrapUps = WrapUpTimers(duration: timing.afterCallWork.nanoseconds)
        var deskSetup = ReservationDesk.Setup(
            lineage: setup.identity.lineage, usual: timing.reservation.nanoseconds,
            window: timing.reservationWindow.nanoseconds)
        deskSetup.faults = setup.faults
        // The answer and then the INVITE; a link that is slower is lost.
        deskSetup.arrival = 2 * timing.linkTimeout.nanoseconds
        desk = ReservationDesk(deskSetup, secret: (setup.secret, mixed(setup.seed &+ 3)))
        // The answer to a reservation waits for the end of a window.
        proxy = RequestProxy(
            nodeCount: setup.topology.nodes.count,
            timeout: timing.linkTimeout.nanoseconds + timing.reservationWindow.nanoseconds,
            requestsPerPeer: setup.ports.requestsPerPeer,
            firstNumber: mixed(setup.seed ^ setup.identity.incarnation.rawValue)
        )
        authenticator = setup.authenticator
        secret = setup.secret
        seed = setup.seed
        prober = ProbeWriter(secret: setup.secret, domain: setup.topology.domain)
        pepper = mixed(setup.seed)
        writer = Self.writer(setup.secret, pepper, authenticator)
        let node = setup.topology.nodes[setup.identity.index.position]
        dataCenter = node.dataCenter
        ownHosts = ([setup.topology.domain] + node.sip.map(\.address.host)).map { Array($0.lowercased().utf8) }
        authenticator?.hosts = ownHosts
        // Not the secret alone: To tags are made of it, and everybody sees those.
        let key = mixed(setup.secret &+ mixed(setup.seed))
        registrar = Registrar(dnCount: setup.topology.directory.count, secret: key)
        let ports = node.sip.map { ProxyPort(Hop.Transport($0.transport), $0.address) }
        let peerPort = ProxyPort(.tcp, node.sip[0].address)
        var proxySetup = ProxySetup(ports: ports, peerPort: peerPort, secret: key, tokenKey: mixed(setup.seed &+ 1))
        proxySetup.cluster = setup.topology.cluster
        proxySetup.flowNames = FlowNames(setup.topology)
        proxySetup.maximumCallTime = setup.topology.timing.maximumCall.nanoseconds
        proxySetup.session = UInt32(clamping: setup.topology.timing.sessionExpires.nanoseconds / 1_000_000_000)
        statefulProxy = StatefulProxy(proxySetup, writer: writer)
        peerMessages = Array(repeating: PeerMessages(), count: setup.topology.nodes.count)
        sourceLimits = setup.topology.sourceLimits.map { SourceLimits($0, secret: key) }
        desktopGrace = setup.topology.timing.desktopGrace.nanoseconds
        if let stored = setup.stored { restore(stored, now: now) }
    }

    private static func writer(
        _ secret: UInt64, _ pepper: UInt64, _ authenticator: DigestAuthenticator?
    ) -> ResponseWriter {
        ResponseWriter(
            secret: secret, pepper: pepper, realm: authenticator?.realm ?? [],
            algorithms: authenticator?.algorithms ?? [])
    }

    /// From now on phones prove themselves with these. Bindings that there are stay until they end by themselves.
    package mutating func replaceCredentials(_ credentials: CredentialTable) {
        authenticator?.credentials = credentials
        writer = Self.writer(secret, pepper, authenticator)
    }

    // MARK: What comes of events

    /// Takes what has to be done, in order.
    package mutating func takeActions() -> [NodeAction] {
        guard !actions.isEmpty else { return [] }
        defer { actions.removeAll(keepingCapacity: true) }
        return actions
    }

    package var hasActions: Bool { !actions.isEmpty }

    /// The next message to a peer, or nil when there is nothing to say now.
    package mutating func nextPeerMessage(for peer: NodeIndex, now: Instant) -> PeerMessage? {
        if faults.contains(.answerOvertakes), proxy.owesAnswer(to: peer) { return nil }
        return ownership.nextMessage(for: peer, now: now)
    }

    package mutating func takeReadyClients() -> [ClientID] {
        ports.takeReady()
    }

    /// The next event for a client, or nil when it has been told everything.
    package mutating func nextClientEvent(for client: ClientID) -> TEvent? {
        ports.nextEvent(for: client, views: ownership)
    }

    /// Hands what ownership decided to the other machines, in order; what they decide on that, too.
    mutating func settle(_ now: Instant) {
        while !ownershipActions.isEmpty {
            var due: [OwnershipAction] = []
            swap(&due, &ownershipActions)
            // By position: an iterator copies each action.
            for position in due.indices { settle(due[position], now) }
            due.removeAll(keepingCapacity: true)
            if ownershipActions.isEmpty {
                swap(&due, &ownershipActions)
                break
            }
        }
        settlePorts()
        if !redemptions.isEmpty, !routedRedemptions.isEmpty { settleSIP(now) }
    }

    private mutating func settle(_ action: OwnershipAction, _ now: Instant) {
        switch action {
        case .dial(let peer):
            actions.append(.dial(peer))
        case .close(let connection, let problem):
            actions.append(.closeConnection(connection, problem))
        case .viewChanged(let dn, let before, let after):
            ports.viewChanged(dn, from: before, to: after, &portsActions)
            noteForStore(dn, from: before, to: after, now)
            agentCounts.viewChanged(from: before, to: after, at: me)
            settleAgent(of: dn, from: before, to: after, now)
        case .ownerReachable(let owner):
            ports.ownerChanged(owner, isReachable: true, views: ownership, &portsActions)
            recountCalls(to: owner)
            trunks.linkLive(owner)
        case .ownerUnreachable(let owner):
            ports.ownerChanged(owner, isReachable: false, views: ownership, &portsActions)
            endRequests(to: owner, now)
            releaseReservations(of: owner, client: nil)
            forgetReports(to: owner, now)
            trunks.linkLost(owner, now: now, &trunkActions)
            endPeerFlow(owner, now)
        case .yielded(let dn):
            if faults.isDisjoint(with: [.yieldKeepsBindings, .peerExpires]) { registrar.dropAll(dn, now: now) }
            ports.superseded(dn, &portsActions)
            hasLeft(dn)
        }
    }

    /// Hands on what the ports alone decided.
    mutating func settlePorts() {
        for case .close(let client, let problem) in portsActions { actions.append(.closeClient(client, problem)) }
        portsActions.removeAll(keepingCapacity: true)
    }

    // MARK: Time

    /// Does what is due. Calling it early or late is harmless.
    package mutating func tick(now: Instant) {
        ownership.tick(now: now, &ownershipActions)
        registrar.expire(now: now, into: &emptied)
        for dn in emptied { ownership.serviceLost(dn, reason: .expired, &ownershipActions) }
        emptied.removeAll(keepingCapacity: true)
        // Who is out of service now is not rung any more.
        endGraces(now: now)
        probe(now: now)
        if drain != nil { drainFlows(now: now) }
        statefulProxy.tick(now: now)
        control.tick(now: now, &routingActions)
        trunks.tick(now: now, &trunkActions)
        checkGateways(now)
        witnesses.tick(now: now)
        settleSIP(now)
        endWrapUps(now: now)
        endReservations(now: now)
        giveUpRequests(now: now)
        settle(now)
    }

    /// When there is something to do next, monotonic nanoseconds.
    package func nextDeadline() -> UInt64 {
        var deadline = ownership.nextDeadline()
        func consider(_ other: UInt64?) { deadline = min(deadline, other ?? .max) }
        consider(registrar.nextExpiryCheck)
        consider(registrar.nextProbe)
        if drain != nil { consider(drain!.nextDeadline) }
        consider(abandoned.first?.deadline)
        consider(proxy.nextDeadline)
        consider(wrapUps.nextDeadline)
        consider(desk.nextDeadline)
        consider(statefulProxy.nextDeadline)
        consider(control.nextDeadline)
        consider(witnesses.nextDeadline)
        consider(trunks.nextDeadline)
        if commits != nil { consider(commits!.retryAt) }
        return deadline
    }

    // MARK: Links

    package mutating func dialed(_ peer: NodeIndex, connection: ConnectionID, now: Instant) {
        ownership.dialed(peer, connection: connection, now: now, &ownershipActions)
        settle(now)
        if ownership.state(of: peer) == .live { connectionReplaced(peer, now) }
    }

    package mutating func dialFailed(_ peer: NodeIndex, now: Instant) {
        ownership.dialFailed(peer, now: now)
    }

    package mutating func accepted(_ connection: ConnectionID, now: Instant) {
        ownership.accepted(connection, now: now)
    }

    package mutating func disconnected(_ connection: ConnectionID, now: Instant) {
        ownership.disconnected(connection, now: now, &ownershipActions)
        settle(now)
    }

    package mutating func received(_ message: PeerMessage, from connection: ConnectionID, now: Instant) {
        ownership.received(message, from: connection, now: now, &ownershipActions)
        settle(now)
        // Who dials has known since then.
        if case .hello = message, let peer = ownership.introducedPeer(of: connection), peer < me,
            ownership.state(of: peer) == .live
        {
            connectionReplaced(peer, now)
        }
    }
}

extension OwnershipMachine: ViewSource {}
