import ClusterModel
import DNOwnership

/// Every different node that was reached, by number, and what became of each by each event.
///
/// A node is its machine, whether a phone is bound there, and its wall clock, which stands still during a life.
struct ExploredNodeTable: ~Copyable, Sendable {
    enum Event: Sendable {
        case receive(UInt32, ConnectionID)
        case disconnected(ConnectionID)
        case dialed(peer: Int, ConnectionID)
        case accepted(ConnectionID)
        case register
        case remove
        case stall
        case pingDue
        case wait

        /// Different for different events at one node; 36 bits.
        var key: UInt64 {
            switch self {
            case .receive(let message, let connection): 1 | connection.rawValue << 3 | UInt64(message) << 9
            case .disconnected(let connection): 2 | connection.rawValue << 3
            case .dialed(let peer, let connection): 3 | connection.rawValue << 3 | UInt64(peer) << 9
            case .accepted(let connection): 4 | connection.rawValue << 3
            case .register: 5
            case .remove: 6
            case .stall: 7
            case .pingDue: 7 | 1 << 3
            case .wait: 7 | 2 << 3
            }
        }
    }

    struct Step: Sendable {
        let node: Int
        /// Connections that the node closed.
        let closed: [ConnectionID]
    }

    /// Nothing is due by itself, and far less is due after the one than after the other.
    static let keepalive = Duration.seconds(86_400)
    static let linkTimeout = Duration.seconds(864_000)
    /// The frozen moment; wall clocks are ahead of it by each node's own figure.
    static let start = Instant(monotonic: 1_000_000_000_000, wallMilliseconds: 1_700_000_000_000)

    let topology: Topology
    let configuration: OwnershipConfiguration
    private(set) var machines: [OwnershipMachine] = []
    private(set) var summaries: [NodeSummary] = []
    /// How far each node's wall clock is ahead of the start, milliseconds.
    private var walls: [Int64] = []
    private var numbers = IndexTable()
    private var steps = IndexTable()
    private var results: [Step] = []
    /// By node and peer: the node after it was asked what it has to say, and the message or `saysNothing`.
    private var pulls: [UInt64] = []
    private static let notAsked = UInt64.max
    private static let saysNothing = UInt32.max

    init(topology: Topology, configuration: OwnershipConfiguration) {
        self.topology = topology
        self.configuration = configuration
    }

    var count: Int { machines.count }

    /// A node that has just started.
    mutating func started(_ node: Int, incarnation: UInt64, wall: Int64) throws(ExplorationFinding) -> Int {
        let life = Incarnation(rawValue: incarnation)
        let machine = OwnershipMachine(
            topology: topology,
            identity: NodeIdentity(index: NodeIndex(node), incarnation: life, lineage: life, generation: 1),
            configuration: configuration, seed: 1, now: instant(wall)
        )
        return try number(of: machine, hasBinding: false, wall: wall)
    }

    private func instant(_ wall: Int64) -> Instant {
        var instant = Self.start
        instant.wallMilliseconds = UInt64(Int64(instant.wallMilliseconds) + wall)
        return instant
    }

    private mutating func number(
        of machine: OwnershipMachine, hasBinding: Bool, wall: Int64
    ) throws(ExplorationFinding) -> Int {
        var hash = Fingerprint()
        hash.add(machine.fingerprint())
        hash.add(hasBinding)
        hash.add(UInt64(bitPattern: wall))
        if let known = numbers.value(of: hash.value) { return known }
        let summary = NodeSummary(machine, hasBinding: hasBinding)
        try check(
            ExplorationInvariants.invariantOwnersHaveWhatTheyServe(summary), "invariantOwnersHaveWhatTheyServe", summary
        )
        try check(
            ExplorationInvariants.invariantQueuesStayWithinBounds(summary), "invariantQueuesStayWithinBounds", summary
        )
        numbers.insert(hash.value, machines.count)
        machines.append(machine)
        summaries.append(summary)
        walls.append(wall)
        for _ in topology.nodes.indices { pulls.append(Self.notAsked) }
        return machines.count - 1
    }

    private func check(_ holds: Bool, _ invariant: String, _ node: NodeSummary) throws(ExplorationFinding) {
        guard !holds else { return }
        throw ExplorationFinding(invariant: invariant, detail: "at \(topology.name(of: node.node)): \(node)")
    }

    // MARK: Events

    /// - Returns: the node after an event, and what it closed.
    mutating func step(
        _ number: Int, _ event: Event, _ messages: borrowing ExploredMessages
    ) throws(ExplorationFinding) -> Step {
        let key = UInt64(number) << 36 | event.key
        if let known = steps.value(of: key) { return results[known] }
        let before = summaries[number]
        var machine = machines[number]
        var actions: [OwnershipAction] = []
        var hasBinding = before.hasBinding
        let now = instant(walls[number])
        switch event {
        case .receive(let message, let connection):
            machine.received(messages[message], from: connection, now: now, &actions)
        case .disconnected(let connection):
            machine.disconnected(connection, now: now, &actions)
        case .dialed(let peer, let connection):
            machine.dialed(NodeIndex(peer), connection: connection, now: now, &actions)
        case .accepted(let connection):
            machine.accepted(connection, now: now)
        case .register:
            hasBinding = true
            machine.registrationAccepted(DNIndex(0), now: now, &actions)
        case .remove:
            hasBinding = false
            if machine.owns(DNIndex(0)) {
                machine.serviceLost(DNIndex(0), reason: .unregistered, &actions)
            } else {
                machine.removalAccepted(DNIndex(0), now: now, &actions)
            }
        case .stall:
            machine.tick(now: now.advanced(by: Self.linkTimeout.nanoseconds), &actions)
        case .pingDue:
            machine.tick(now: now.advanced(by: Self.keepalive.nanoseconds), &actions)
        case .wait:
            let end = now.advanced(by: Self.linkTimeout.nanoseconds)
            for peer in before.peers.indices {
                guard let connection = before.peers[peer].connection else { continue }
                machine.received(
                    .pong(Pong(sentAt: now.monotonic, receivedAt: 0, answeredAt: 0)), from: connection, now: end,
                    &actions)
            }
            machine.tick(now: end, &actions)
        }
        if actions.contains(.yielded(DNIndex(0))) { hasBinding = false }
        let next = try self.number(of: machine, hasBinding: hasBinding, wall: walls[number])
        try check(event, from: before, to: summaries[next], actions, messages)
        var closed: [ConnectionID] = []
        for case .close(let connection, _) in actions { closed.append(connection) }
        let step = Step(node: next, closed: closed)
        steps.insert(key, results.count)
        results.append(step)
        return step
    }

    private func check(
        _ event: Event, from before: NodeSummary, to after: NodeSummary, _ actions: [OwnershipAction],
        _ messages: borrowing ExploredMessages
    ) throws(ExplorationFinding) {
        var message: PeerMessage?
        var teller: NodeIndex?
        var isFromOutside = false
        switch event {
        case .receive(let number, let connection):
            message = messages[number]
            for peer in before.peers.indices where before.peers[peer].connection == connection {
                teller = NodeIndex(peer)
            }
        case .disconnected, .dialed, .accepted, .stall, .pingDue, .wait: break
        case .register, .remove: isFromOutside = true
        }
        typealias Rules = ExplorationInvariants
        try check(
            Rules.invariantClaimsNeverRegress(from: before, to: after), "invariantClaimsNeverRegress", after
        )
        try check(Rules.invariantLivesNeverRegress(from: before, to: after), "invariantLivesNeverRegress", after)
        try check(
            Rules.invariantChangesAreTold(from: before, to: after, actions), "invariantChangesAreTold", after
        )
        let wasSaid = Rules.invariantWordsWereSaid(from: before, to: after, by: teller, message)
        try check(isFromOutside || wasSaid, "invariantWordsWereSaid", after)
        if let message, let teller {
            try check(
                Rules.invariantLatestRegistrationWins(from: before, to: after, by: teller, message),
                "invariantLatestRegistrationWins", after
            )
            try check(
                Rules.invariantClocksMovePastWhatTheyHear(after, message), "invariantClocksMovePastWhatTheyHear", after
            )
        }
        if case .register = event {
            try check(
                Rules.invariantRegistrationsAreNoted(from: before, to: after), "invariantRegistrationsAreNoted", after
            )
        }
        for case .close(_, let problem) in actions {
            let isOld = Rules.invariantOnlyOldConnectionsAreClosed(problem)
            try check(isOld, "invariantOnlyOldConnectionsAreClosed", after)
        }
    }

    // MARK: Messages

    /// - Returns: what a node says next to a peer, if anything, and the node after it was asked.
    mutating func pull(
        _ number: Int, for peer: Int, _ messages: inout ExploredMessages
    ) throws(ExplorationFinding) -> (node: Int, message: UInt32?) {
        let place = number * topology.nodes.count + peer
        if pulls[place] == Self.notAsked { pulls[place] = try findPull(number, for: peer, &messages) }
        let known = pulls[place]
        let message = UInt32(truncatingIfNeeded: known)
        return (Int(known >> 32), message == Self.saysNothing ? nil : message)
    }

    private mutating func findPull(
        _ number: Int, for peer: Int, _ messages: inout ExploredMessages
    ) throws(ExplorationFinding) -> UInt64 {
        let before = summaries[number]
        var machine = machines[number]
        let message = machine.nextMessage(for: NodeIndex(peer), now: instant(walls[number]))
        // Being asked in vain may change a node too: it has looked through its table for what to return.
        let next = try self.number(of: machine, hasBinding: before.hasBinding, wall: walls[number])
        guard let message else { return UInt64(next) << 32 | UInt64(Self.saysNothing) }
        try check(ExplorationInvariants.invariantStreamsAddUp(message), "invariantStreamsAddUp", before)
        try check(
            ExplorationInvariants.invariantSpeakersSayWhatTheyHold(before, message), "invariantSpeakersSayWhatTheyHold",
            before
        )
        return UInt64(next) << 32 | UInt64(messages.number(of: message))
    }
}
