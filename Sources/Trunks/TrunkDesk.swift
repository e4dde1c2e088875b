package import ClusterModel

/// The calls of trunks at one node: which may come and go, over which gateway, and which gateways are there.
///
/// A call counts to its trunk's capacity and to that of the trunk's group; who has no place left for it asks other nodes, and the
/// call waits for their word, not for long. How many calls there are the proxy counts.
package struct TrunkDesk: Sendable {
    package struct Setup: Sendable {
        package var trunks: [Trunk]
        package var groups: [CapacityGroup]
        package var me: NodeIndex
        package var nodeCount: Int
        /// By trunk: the gateways that this node has a port for. Others are not tried.
        package var reachable: [[Bool]]
        /// How long a call waits for a place, and a node that begins for its peers: nanoseconds.
        package var patience: UInt64 = 2_000_000_000
        package var settling: UInt64 = 6_000_000_000
        package var seed: UInt64 = 0
        package var faults: Faults = .none

        package init(
            trunks: [Trunk], groups: [CapacityGroup] = [], me: NodeIndex = NodeIndex(0), nodeCount: Int = 1,
            reachable: [[Bool]]? = nil
        ) {
            self.trunks = trunks
            self.groups = groups
            self.me = me
            self.nodeCount = nodeCount
            self.reachable = reachable ?? trunks.map { $0.gateways.map { _ in true } }
        }
    }

    enum Phase {
        /// It has come from a gateway, or wants to go to one.
        case arriving(until: UInt64)
        case leaving(until: UInt64)
        /// A gateway has the INVITE; those that were tried before.
        case dialling(GatewayIndex, tried: [GatewayIndex])
    }

    struct Leg {
        let connection: CallConnection
        let trunk: TrunkIndex
        var phase: Phase

        var isWaiting: Bool { until != nil }
        var until: UInt64? {
            switch phase {
            case .arriving(let until), .leaving(let until): until
            case .dialling: nil
            }
        }
    }

    let setup: Setup
    package internal(set) var shares: CapacityShares
    package internal(set) var watch: GatewayWatch
    /// By trunk: the capacities that its calls count to, by their positions among the shares.
    private let pools: [[Int]]
    /// Calls that wait or are being dialled, in the order in which they came.
    var legs: [Leg] = []
    /// By trunk: the calls that go over it at this node.
    var use: [Int]
    package internal(set) var counters: [TrunkCounters]

    package init(_ setup: Setup, now: Instant) {
        self.setup = setup
        var capacities: [(name: CapacityName, capacity: Int)] = []
        for trunk in setup.trunks {
            if let capacity = trunk.capacity { capacities.append((.trunk(trunk.name), capacity)) }
        }
        for group in setup.groups { capacities.append((.group(group.name), group.capacity)) }
        shares = CapacityShares(
            capacities, me: setup.me, nodeCount: setup.nodeCount, patience: setup.settling, now: now)
        shares.faults = setup.faults
        pools = setup.trunks.map { trunk in
            var names: [CapacityName] = trunk.capacity == nil ? [] : [.trunk(trunk.name)]
            if let group = trunk.group, group < setup.groups.count { names.append(.group(setup.groups[group].name)) }
            return names.compactMap { name in capacities.firstIndex { $0.name == name } }
        }
        watch = GatewayWatch(setup.trunks, seed: setup.seed, now: now)
        use = setup.trunks.map { _ in 0 }
        counters = setup.trunks.map { _ in TrunkCounters() }
    }

    /// Calls that wait for a place.
    package var waitingCount: Int { legs.count(where: \.isWaiting) }

    /// Those of them that have come from a gateway.
    package var arrivingCount: Int {
        legs.count { leg in
            if case .arriving = leg.phase { true } else { false }
        }
    }

    /// Calls that go over a trunk at this node.
    package func use(of trunk: TrunkIndex) -> Int { use[trunk.position] }

    /// How many calls this node may have over a trunk now, in all; nil for any number.
    package func limit(of trunk: TrunkIndex) -> Int? {
        pools[trunk.position].map { shares.holding($0) - shares.used($0) }.min().map { max(0, $0) + use(of: trunk) }
    }

    /// When `tick` has something to do: monotonic nanoseconds.
    package var nextDeadline: UInt64? {
        let first = [shares.nextDeadline, watch.nextDeadline].compactMap { $0 } + legs.compactMap(\.until)
        return first.min()
    }

    // MARK: Calls

    /// A call has come from a gateway.
    package mutating func arrived(
        _ connection: CallConnection, from trunk: TrunkIndex, now: Instant, _ actions: inout [TrunkAction]
    ) {
        legs.append(Leg(connection: connection, trunk: trunk, phase: .arriving(until: now.monotonic &+ setup.patience)))
        serve(now, &actions)
    }

    /// A call is to go over a trunk.
    package mutating func dial(
        _ connection: CallConnection, over trunk: TrunkIndex, now: Instant, _ actions: inout [TrunkAction]
    ) {
        guard !candidates(of: trunk, now: now).isEmpty else {
            counters[trunk.position].unreachable += 1
            return actions.append(.refuseDial(connection, .noGateway))
        }
        legs.append(Leg(connection: connection, trunk: trunk, phase: .leaving(until: now.monotonic &+ setup.patience)))
        serve(now, &actions)
    }

    /// Whether a call wants to leave over a trunk, and nobody has taken it yet.
    package func isLeaving(_ connection: CallConnection) -> Bool {
        legs.contains { leg in
            guard leg.connection == connection else { return false }
            switch leg.phase {
            case .leaving, .dialling: return true
            case .arriving: return false
            }
        }
    }

    /// A gateway did not take the call.
    ///
    /// - Parameters:
    ///   - status: what it has said, or 408 for nothing (RFC 3261 section 16.8) and 503 where it could not be reached.
    ///   - hadProgress: it had said before that the telephone rings. Then the refusal is the telephone's.
    package mutating func failed(
        _ connection: CallConnection, status: UInt16, hadProgress: Bool, now: Instant, _ actions: inout [TrunkAction]
    ) {
        guard let position = position(connection), case .dialling(let gateway, var tried) = legs[position].phase else {
            return
        }
        let trunk = legs[position].trunk
        if status == 408, !hadProgress {
            watch.wasSilent(gateway, now: now)
        } else {
            watch.responded(gateway, now: now)
        }
        let isGatewaysOwn = !hadProgress && (status == 408 || status / 100 == 5)
        tried.append(gateway)
        let next = candidates(of: trunk, now: now).first { !tried.contains($0) }
        guard isGatewaysOwn, let next else {
            legs.remove(at: position)
            counters[trunk.position].failed += 1
            return actions.append(.refuseDial(connection, .refused(status: status)))
        }
        counters[trunk.position].failovers += 1
        legs[position].phase = .dialling(next, tried: tried)
        actions.append(.dial(connection, next))
    }

    /// A call is taken, or over, or goes elsewhere: nothing more is done for it here.
    package mutating func ended(_ connection: CallConnection, isAnswered: Bool = false, now: Instant) {
        legs.removeAll { leg in
            guard leg.connection == connection else { return false }
            if isAnswered, case .dialling(let gateway, _) = leg.phase { watch.responded(gateway, now: now) }
            return true
        }
        wantPlaces()
    }

    /// Calls that wait for a trunk that has gone, or are being dialled through a gateway that has, are refused.
    package mutating func retire(_ isKept: (GatewayIndex) -> Bool, _ actions: inout [TrunkAction]) {
        legs.removeAll { leg in
            switch leg.phase {
            case .arriving:
                guard
                    !setup.trunks[leg.trunk.position].gateways.indices.contains(where: {
                        isKept(GatewayIndex(leg.trunk, $0))
                    })
                else { return false }
                actions.append(.refuseArrival(leg.connection))
            case .leaving:
                guard
                    !setup.trunks[leg.trunk.position].gateways.indices.contains(where: {
                        isKept(GatewayIndex(leg.trunk, $0))
                    })
                else { return false }
                actions.append(.refuseDial(leg.connection, .noGateway))
            case .dialling(let gateway, _):
                guard !isKept(gateway) else { return false }
                actions.append(.refuseDial(leg.connection, .noGateway))
            }
            return true
        }
        wantPlaces()
    }

    private func position(_ connection: CallConnection) -> Int? {
        legs.firstIndex { $0.connection == connection && !$0.isWaiting }
    }

    private func candidates(of trunk: TrunkIndex, now: Instant) -> [GatewayIndex] {
        watch.candidates(of: trunk, now: now).filter { setup.reachable[trunk.position][$0.position] }
    }

    // MARK: Places

    /// By trunk: how many calls go over it at this node now. What this makes room for goes on.
    package mutating func used(_ counts: [Int], now: Instant, _ actions: inout [TrunkAction]) {
        guard counts != use else { return }
        use = counts
        noteUse()
        serve(now, &actions)
    }

    private mutating func noteUse() {
        var sums = Array(repeating: 0, count: shares.count)
        for (trunk, count) in use.enumerated() { for pool in pools[trunk] { sums[pool] += count } }
        for (pool, sum) in sums.enumerated() { shares.setUse(sum, of: pool) }
    }

    private func hasPlace(_ trunk: TrunkIndex) -> Bool {
        setup.faults.contains(.capacityIgnored) || pools[trunk.position].allSatisfy { shares.free($0) > 0 }
    }

    /// Lets calls go on for which there are places, the first that came first, and refuses those for which there will be none.
    private mutating func serve(_ now: Instant, _ actions: inout [TrunkAction]) {
        var position = 0
        while position < legs.count {
            let leg = legs[position]
            guard leg.isWaiting, hasPlace(leg.trunk) else {
                position += 1
                continue
            }
            // Counted at once: the next one must not have the same place.
            use[leg.trunk.position] += 1
            noteUse()
            if begin(position, now, &actions) { position += 1 }
        }
        refuse(wantPlaces(), now, &actions)
    }

    /// - Returns: whether the call is still here.
    private mutating func begin(_ position: Int, _ now: Instant, _ actions: inout [TrunkAction]) -> Bool {
        let leg = legs[position]
        switch leg.phase {
        case .arriving:
            legs.remove(at: position)
            counters[leg.trunk.position].inbound += 1
            actions.append(.admit(leg.connection, leg.trunk))
            return false
        case .leaving, .dialling:
            guard let gateway = candidates(of: leg.trunk, now: now).first else {
                legs.remove(at: position)
                counters[leg.trunk.position].unreachable += 1
                actions.append(.refuseDial(leg.connection, .noGateway))
                return false
            }
            legs[position].phase = .dialling(gateway, tried: [])
            counters[leg.trunk.position].outbound += 1
            actions.append(.dial(leg.connection, gateway))
            return true
        }
    }

    /// Asks peers for what waiting calls lack.
    ///
    /// - Returns: the capacities of which nobody has a place to give.
    @discardableResult
    private mutating func wantPlaces() -> Set<Int> {
        guard shares.count > 0 else { return [] }
        var wanted = Array(repeating: 0, count: shares.count)
        for leg in legs where leg.isWaiting { for pool in pools[leg.trunk.position] { wanted[pool] += 1 } }
        var exhausted: Set<Int> = []
        for pool in wanted.indices {
            let lacks = wanted[pool] > 0 && shares.free(pool) <= 0
            let count = (lacks ? wanted[pool] : 0) + shares.deficit(pool)
            if !shares.want(count, of: pool) { exhausted.insert(pool) }
        }
        return exhausted
    }

    private mutating func refuse(_ exhausted: Set<Int>, _ now: Instant, _ actions: inout [TrunkAction]) {
        let refused = legs.filter { leg in
            guard let until = leg.until else { return false }
            return until <= now.monotonic || !exhausted.isDisjoint(with: pools[leg.trunk.position])
        }
        guard !refused.isEmpty else { return }
        for leg in refused {
            counters[leg.trunk.position].full += 1
            switch leg.phase {
            case .arriving: actions.append(.refuseArrival(leg.connection))
            case .leaving, .dialling: actions.append(.refuseDial(leg.connection, .full))
            }
        }
        legs.removeAll { leg in
            leg.isWaiting && refused.contains { $0.connection == leg.connection && $0.trunk == leg.trunk }
        }
        wantPlaces()
    }

    // MARK: Peers

    package mutating func linkLive(_ peer: NodeIndex) { shares.linkLive(peer) }

    package mutating func linkLost(_ peer: NodeIndex, now: Instant, _ actions: inout [TrunkAction]) {
        shares.linkLost(peer)
        serve(now, &actions)
    }

    package func hasWords(for peer: NodeIndex) -> Bool { shares.hasWords(for: peer) }

    package mutating func nextWord(for peer: NodeIndex) -> CapacityWord? { shares.nextWord(for: peer) }

    package mutating func received(
        _ word: CapacityWord, from peer: NodeIndex, now: Instant, _ actions: inout [TrunkAction]
    ) {
        shares.received(word, from: peer)
        serve(now, &actions)
    }

    // MARK: Gateways

    /// The next gateway that is to be asked whether it is there; nil when there is none for now.
    package mutating func nextQuestion(now: Instant) -> (gateway: GatewayIndex, number: UInt32)? {
        while let question = watch.nextQuestion(now: now) {
            if setup.reachable[question.gateway.trunk.position][question.gateway.position] { return question }
        }
        return nil
    }

    package mutating func answered(_ gateway: GatewayIndex, number: UInt32, now: Instant) {
        watch.answered(gateway, number: number, now: now)
    }

    // MARK: Time

    /// Does what is due, but for questions.
    package mutating func tick(now: Instant, _ actions: inout [TrunkAction]) {
        shares.tick(now: now)
        if !legs.isEmpty { serve(now, &actions) }
    }
}

/// What has become of the calls of a trunk at this node.
package struct TrunkCounters: Equatable, Sendable {
    /// Calls that have come from its gateways and gone to them.
    package var inbound: UInt64 = 0
    package var outbound: UInt64 = 0
    /// Refused because there was no place.
    package var full: UInt64 = 0
    /// Went to another gateway than the first.
    package var failovers: UInt64 = 0
    /// Refused by the last gateway that was tried, or by the telephone.
    package var failed: UInt64 = 0
    /// Refused because no gateway was there.
    package var unreachable: UInt64 = 0

    package init() {}
}
