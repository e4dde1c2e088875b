package import ClusterModel

/// One gateway of a trunk.
package struct GatewayIndex: Hashable, Comparable, Sendable {
    package let trunk: TrunkIndex
    /// In the trunk's list.
    package let position: Int

    package init(_ trunk: TrunkIndex, _ position: Int) {
        self.trunk = trunk
        self.position = position
    }

    package static func < (left: GatewayIndex, right: GatewayIndex) -> Bool {
        (left.trunk, left.position) < (right.trunk, right.position)
    }
}

/// Which gateways are there: those that trunks have asked with OPTIONS answer (RFC 3261 section 11; the originals' `oos-check` and
/// `oos-force`), and those that have let an INVITE time out are tried last for a while, asked or not.
package struct GatewayWatch: Sendable {
    package enum State: Equatable, Sendable {
        /// It has answered, or has not been asked.
        case up
        /// It has been silent for longer than it may be.
        case down
    }

    /// How long a gateway is tried last that was silent when a call came: nanoseconds.
    package static let avoidance: UInt64 = 30_000_000_000
    /// Between two sendings of a question: T1, doubled up to T2 (RFC 3261 section 17.1.2.2).
    static let firstWait: UInt64 = 500_000_000
    static let longestWait: UInt64 = 4_000_000_000

    struct Gateway: Sendable {
        let index: GatewayIndex
        /// Nanoseconds; nil for one that is not asked.
        let interval: UInt64?
        let force: UInt64
        var state = State.up
        /// Of the present question.
        var number: UInt32 = 0
        /// When it was asked first without an answer since.
        var silentSince: UInt64?
        var wait: UInt64 = 0
        var nextSending: UInt64
        var nextQuestion: UInt64
        var avoidedUntil: UInt64 = 0
        /// When it came into its state: milliseconds since 1970; 0 since this node began.
        var since: UInt64 = 0
    }

    var gateways: [Gateway] = []
    private var positions: [GatewayIndex: Int] = [:]
    var queue = DeadlineQueue()

    /// - Parameter seed: nodes do not all ask at the same moment.
    package init(_ trunks: [Trunk], seed: UInt64, now: Instant) {
        for (number, trunk) in trunks.enumerated() {
            for position in trunk.gateways.indices {
                let index = GatewayIndex(TrunkIndex(number), position)
                let interval = trunk.check?.nanoseconds
                let start = interval.map {
                    now.monotonic &+ mixed(seed ^ UInt64(gateways.count)) % min($0, 1_000_000_000)
                }
                positions[index] = gateways.count
                if let start { queue.set(gateways.count, to: start) }
                gateways.append(
                    Gateway(
                        index: index, interval: interval, force: max(trunk.force.nanoseconds, Self.firstWait),
                        nextSending: start ?? .max, nextQuestion: start ?? .max))
            }
        }
    }

    /// When `nextQuestion` has something to say: monotonic nanoseconds.
    package var nextDeadline: UInt64? { queue.next }

    package func state(of gateway: GatewayIndex) -> State { positions[gateway].map { gateways[$0].state } ?? .down }

    /// Since when a gateway is in its state: milliseconds since 1970; 0 for as long as this node knows it.
    package func since(of gateway: GatewayIndex) -> UInt64 { positions[gateway].map { gateways[$0].since } ?? 0 }

    package func isAvoided(_ gateway: GatewayIndex, now: Instant) -> Bool {
        positions[gateway].map { gateways[$0].avoidedUntil > now.monotonic } ?? false
    }

    // MARK: Questions

    /// The next gateway that is to be asked, with the number of the question; nil when there is none for now.
    package mutating func nextQuestion(now: Instant) -> (gateway: GatewayIndex, number: UInt32)? {
        while let slot = queue.due(now) {
            if let silentSince = gateways[slot].silentSince, gateways[slot].state == .up,
                now.monotonic >= silentSince &+ gateways[slot].force
            {
                gateways[slot].state = .down
                gateways[slot].since = now.wallMilliseconds
            }
            let isNew = now.monotonic >= gateways[slot].nextQuestion
            if isNew, let interval = gateways[slot].interval {
                gateways[slot].number = gateways[slot].number == .max ? 1 : gateways[slot].number + 1
                gateways[slot].nextQuestion = now.monotonic &+ interval
                gateways[slot].silentSince = gateways[slot].silentSince ?? now.monotonic
                gateways[slot].wait = Self.firstWait
            }
            guard isNew || now.monotonic >= gateways[slot].nextSending else {
                schedule(slot)
                continue
            }
            gateways[slot].nextSending = now.monotonic &+ gateways[slot].wait
            gateways[slot].wait = min(gateways[slot].wait &* 2, Self.longestWait)
            schedule(slot)
            return (gateways[slot].index, gateways[slot].number)
        }
        return nil
    }

    mutating func schedule(_ slot: Int) {
        let gateway = gateways[slot]
        var deadline = gateway.nextQuestion
        if let silentSince = gateway.silentSince {
            deadline = min(deadline, gateway.nextSending)
            if gateway.state == .up { deadline = min(deadline, silentSince &+ gateway.force) }
        }
        queue.set(slot, to: deadline)
    }

    /// A gateway has answered a question, whatever it says.
    package mutating func answered(_ gateway: GatewayIndex, number: UInt32, now: Instant) {
        guard let slot = positions[gateway], gateways[slot].interval != nil, number != 0,
            number == gateways[slot].number
        else { return }
        heard(slot, now)
        gateways[slot].nextSending = .max
        schedule(slot)
    }

    private mutating func heard(_ slot: Int, _ now: Instant) {
        gateways[slot].silentSince = nil
        gateways[slot].avoidedUntil = 0
        guard gateways[slot].state == .down else { return }
        gateways[slot].state = .up
        gateways[slot].since = now.wallMilliseconds
    }

    // MARK: Calls

    /// A gateway has said nothing to an INVITE, or could not be reached.
    package mutating func wasSilent(_ gateway: GatewayIndex, now: Instant) {
        guard let slot = positions[gateway] else { return }
        gateways[slot].avoidedUntil = now.monotonic &+ Self.avoidance
    }

    /// A gateway has said something to an INVITE.
    package mutating func responded(_ gateway: GatewayIndex, now: Instant) {
        guard let slot = positions[gateway] else { return }
        gateways[slot].avoidedUntil = 0
    }

    /// The gateways of a trunk that a call may go over, in the order in which they are tried: those that were silent come last, and
    /// those that are down not at all.
    package func candidates(of trunk: TrunkIndex, now: Instant) -> [GatewayIndex] {
        let up = gateways.filter { $0.index.trunk == trunk && $0.state == .up }
        return (up.filter { $0.avoidedUntil <= now.monotonic } + up.filter { $0.avoidedUntil > now.monotonic }).map(
            \.index)
    }
}
