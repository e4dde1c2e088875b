package import AgentSessions
package import ClusterModel

/// The calls that have come to a node's routing points and that nobody has taken yet: who is asked where they shall go, whose
/// phones ring, and what becomes of those that nobody routes.
///
/// A call is asked about at one router at a time. It goes to one DN after the other until somebody takes it, never twice to the
/// same one; when its time is up, or there is no router, it goes to another routing point, or to the routing point's default and
/// alternate DNs, and then it is refused. The caller may give up at any moment. All calls are the node's own: a router may go, and another is asked.
package struct CallControl: Sendable {
    package struct Setup: Sendable {
        /// Sorted by DN.
        package var points: [RoutingPoint]
        /// Calls that may wait or ring at a time.
        package var maximumCalls = 65_536
        /// How often a waiting caller is told so, nanoseconds: less than the three minutes after which those on the way take the
        /// call for lost (timer C, RFC 3261 section 16.8).
        package var informInterval: UInt64 = 60_000_000_000
        /// How long a caller waits before being told so the first time, nanoseconds: most are on their way to somebody by then.
        package var firstInform: UInt64 = 500_000_000
        /// How soon a caller is told again whose position has changed, nanoseconds.
        package var positionInterval: UInt64 = 10_000_000_000
        package var faults: Faults = .none

        package init(points: [RoutingPoint]) {
            self.points = points
        }
    }

    /// DNs that one call goes to in vain at the most.
    package static let maximumTries = 32

    enum Phase: Equatable {
        /// A router was asked.
        case asking(RouterID)
        /// The owner of the DN is asked whether the token that a router brought is good.
        case redeeming(RouterID, RouteOrder, ReservationToken)
        /// Phones ring; at the agent's that a router has chosen, or at a default or alternate DN.
        case ringing(DN, isRouted: Bool)
        /// It is about to go somewhere.
        case idle
    }

    struct RoutedCall {
        var connection: CallConnection
        /// Where it is, and the routing points where it was before.
        var point: Int
        var visited: [Int] = []
        var caller: String
        /// When it came to the node: monotonic nanoseconds.
        var came: UInt64
        var phase = Phase.idle
        var tried: [DN] = []
        /// When it came to the routing point, monotonic nanoseconds.
        var arrived: UInt64
        /// Until when a router may say where it goes, and the phones that ring now may go on. Monotonic nanoseconds.
        var routeBy: UInt64
        var ringBy: UInt64?
        var informAt: UInt64
        /// When the caller was told last, and of which position.
        var informedAt: UInt64?
        var informedPosition: UInt32?
        /// As the router says that is asked.
        var position: QueuePosition?
        /// It goes to default and alternate DNs, of which so many have been gone through.
        var fallback: Int?
        /// The alternate that this call begins with.
        var firstAlternate = 0
        var wasBusy = false
    }

    let setup: Setup
    var calls: [RoutedCall?] = []
    var free: [Int] = []
    var slots: [CallConnection: Int] = [:]
    var queue = DeadlineQueue()
    var routers = RouterTable()
    /// By routing point: the next call's first alternate.
    var nextAlternate: [Int]
    package internal(set) var counters: [PointCounters]
    /// What has happened to calls and was not taken yet.
    var events: [PointEvent] = []

    package init(_ setup: Setup) {
        self.setup = setup
        nextAlternate = Array(repeating: 0, count: setup.points.count)
        counters = Array(repeating: PointCounters(), count: setup.points.count)
    }

    /// Calls that wait or ring.
    package var count: Int { slots.count }
    /// Monotonic nanoseconds.
    package var nextDeadline: UInt64? { queue.next }

    // MARK: What callers do

    /// A call has come to a routing point.
    package mutating func arrived(
        _ connection: CallConnection, at point: DN, caller: String, now: Instant, _ actions: inout [RoutingAction]
    ) {
        guard slots[connection] == nil, let position = setup.points.firstIndex(where: { $0.dn == point }) else {
            return
        }
        counters[position].arrived += 1
        guard slots.count < setup.maximumCalls else {
            counters[position].refused += 1
            noteOverload(connection, at: position, now)
            return actions.append(.refuse(connection, .overloaded))
        }
        let slot = free.popLast() ?? calls.count
        if slot == calls.count { calls.append(nil) }
        calls[slot] = RoutedCall(
            connection: connection, point: position, caller: caller, came: now.monotonic, arrived: now.monotonic,
            routeBy: now.monotonic &+ setup.points[position].timeout.nanoseconds,
            informAt: now.monotonic &+ setup.firstInform)
        slots[connection] = slot
        counters[position].present += 1
        note(.waiting, slot, now)
        askRouter(slot, now, &actions)
        schedule(slot)
    }

    /// The caller has given up, or is not there any more.
    package mutating func abandoned(_ connection: CallConnection, now: Instant, _ actions: inout [RoutingAction]) {
        guard let slot = slots[connection], let call = calls[slot] else { return }
        counters[call.point].abandoned += 1
        note(.abandoned, slot, now)
        endQuestion(slot, .abandoned, &actions)
        if case .redeeming(let router, let order, _) = call.phase {
            actions.append(.refuseOrder(router, order, .unknownCall))
        }
        remove(slot)
    }

    // MARK: What phones do

    /// Somebody has taken the call. Whoever does so late, when a router has been asked again, ends that question.
    package mutating func answered(
        _ connection: CallConnection, by dn: DN?, now: Instant, _ actions: inout [RoutingAction]
    ) {
        guard let slot = slots[connection], let call = calls[slot] else { return }
        counters[call.point].answered += 1
        note(.answered, slot, now, to: dn)
        endQuestion(slot, dn.map { .used($0) } ?? .abandoned, &actions)
        if case .redeeming(let router, let order, _) = call.phase {
            actions.append(.refuseOrder(router, order, .unknownCall))
        }
        remove(slot)
    }

    /// The phones that were rung do not take the call.
    ///
    /// - Parameter status: the best of what they have said (RFC 3261 section 21).
    package mutating func failed(
        _ connection: CallConnection, status: UInt16, now: Instant, _ actions: inout [RoutingAction]
    ) {
        guard let slot = slots[connection], case .ringing(let dn, let isRouted) = calls[slot]?.phase else { return }
        if status == 486 || status == 600 { calls[slot]!.wasBusy = true }
        // Busy passes by itself; a node's or a network's trouble is not the agent's.
        if isRouted, RingOutcome(status: status) == .notTaken { actions.append(.agentDidNotAnswer(dn)) }
        goOn(slot, now, &actions)
    }

    // MARK: What owners say

    /// The owner of the DN has said whether the call may have the agent.
    package mutating func redeemed(
        _ connection: CallConnection, _ token: ReservationToken, isHonoured: Bool, now: Instant,
        _ actions: inout [RoutingAction]
    ) {
        guard let slot = slots[connection], case .redeeming(let router, let order, token) = calls[slot]?.phase else {
            return
        }
        guard isHonoured else {
            actions.append(.refuseOrder(router, order, .unavailable))
            return reopenQuestion(slot, at: router, now, &actions)
        }
        let point = calls[slot]!.point
        actions.append(.confirm(router, order, routingPoint: setup.points[point].dn, token.dn))
        counters[point].routed += 1
        ring(token.dn, slot, isRouted: true, now, &actions)
    }

    // MARK: Another topology

    /// There is no such routing point any more: its calls are refused.
    package mutating func retire(_ point: Int, now: Instant, _ actions: inout [RoutingAction]) {
        for slot in calls.indices {
            guard let call = calls[slot], call.point == point else { continue }
            counters[point].refused += 1
            note(.refused, slot, now)
            if case .redeeming(let router, let order, _) = call.phase {
                actions.append(.refuseOrder(router, order, .unknownCall))
            }
            endQuestion(slot, .abandoned, &actions)
            actions.append(.refuse(call.connection, .unavailable))
            remove(slot)
        }
    }

    // MARK: Going on

    /// The present target is none any more.
    mutating func goOn(_ slot: Int, _ now: Instant, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot] else { return }
        calls[slot]!.phase = .idle
        calls[slot]!.ringBy = nil
        if call.fallback != nil || now.monotonic >= call.routeBy || call.tried.count >= Self.maximumTries {
            leave(slot, now, &actions)
        } else {
            askRouter(slot, now, &actions)
        }
        schedule(slot)
    }

    mutating func ring(_ dn: DN, _ slot: Int, isRouted: Bool, _ now: Instant, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot] else { return }
        calls[slot]!.phase = .ringing(dn, isRouted: isRouted)
        calls[slot]!.tried.append(dn)
        calls[slot]!.ringBy = now.monotonic &+ setup.points[call.point].ringTimeout.nanoseconds
        actions.append(.ring(call.connection, dn))
        schedule(slot)
    }

    /// Nobody routes it here any more.
    mutating func leave(_ slot: Int, _ now: Instant, _ actions: inout [RoutingAction]) {
        if let next = overflowPoint(slot, now) {
            overflow(slot, to: next, now, &actions)
        } else {
            fallBack(slot, now, &actions)
        }
    }

    /// To the default DN, and then to the alternates, each call beginning with another of these; to none twice.
    mutating func fallBack(_ slot: Int, _ now: Instant, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot] else { return }
        let point = setup.points[call.point]
        if call.fallback == nil {
            counters[call.point].defaulted += 1
            note(.defaulted, slot, now, to: point.defaultDN)
            calls[slot]!.fallback = 0
            calls[slot]!.firstAlternate = nextAlternate[call.point]
            if !point.alternates.isEmpty {
                nextAlternate[call.point] = (nextAlternate[call.point] + 1) % point.alternates.count
            }
        }
        while let position = calls[slot]!.fallback, position <= point.alternates.count {
            calls[slot]!.fallback = position + 1
            let first = calls[slot]!.firstAlternate
            let dn =
                position == 0
                ? point.defaultDN : point.alternates[(first + position - 1) % point.alternates.count]
            guard let dn, !call.tried.contains(dn) else { continue }
            return ring(dn, slot, isRouted: false, now, &actions)
        }
        counters[call.point].refused += 1
        note(.refused, slot, now)
        actions.append(.refuse(call.connection, call.wasBusy ? .busy : .unavailable))
        remove(slot)
    }

    mutating func remove(_ slot: Int) {
        guard let call = calls[slot] else { return }
        counters[call.point].present -= 1
        queue.set(slot, to: DeadlineQueue.never)
        slots[call.connection] = nil
        calls[slot] = nil
        free.append(slot)
    }

    // MARK: Time

    mutating func schedule(_ slot: Int) {
        guard let call = calls[slot] else { return }
        var deadline: UInt64
        switch call.phase {
        case .ringing: deadline = call.ringBy ?? DeadlineQueue.never
        case .asking, .redeeming, .idle: deadline = call.routeBy
        }
        deadline = min(deadline, call.informAt)
        queue.set(slot, to: deadline)
    }

    /// Does what is due.
    package mutating func tick(now: Instant, _ actions: inout [RoutingAction]) {
        while let slot = queue.due(now), let call = calls[slot] {
            if call.informAt <= now.monotonic { inform(slot, now, &actions) }
            switch call.phase {
            case .ringing(let dn, let isRouted):
                guard let ringBy = call.ringBy, ringBy <= now.monotonic else { break }
                actions.append(.stopRinging(call.connection))
                if isRouted { actions.append(.agentDidNotAnswer(dn)) }
                goOn(slot, now, &actions)
            case .asking, .redeeming, .idle:
                guard call.routeBy <= now.monotonic else { break }
                timeIsUp(slot, now, &actions)
            }
            schedule(slot)
        }
    }

    private mutating func inform(_ slot: Int, _ now: Instant, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot] else { return }
        calls[slot]!.informAt = now.monotonic &+ setup.informInterval
        // Of ringing the phone tells the caller itself.
        if case .ringing = call.phase { return }
        calls[slot]!.informedAt = now.monotonic
        calls[slot]!.informedPosition = call.position?.position
        actions.append(.inform(call.connection, call.position))
    }

    private mutating func timeIsUp(_ slot: Int, _ now: Instant, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot] else { return }
        if case .redeeming(let router, let order, _) = call.phase {
            actions.append(.refuseOrder(router, order, .notAsked))
            calls[slot]!.phase = .asking(router)
        }
        let asked = calls[slot]!.phase
        if let next = overflowPoint(slot, now) {
            endQuestion(slot, .used(setup.points[next].dn), &actions)
            return overflow(slot, to: next, now, &actions)
        }
        calls[slot]!.phase = .idle
        fallBack(slot, now, &actions)
        guard case .asking(let router) = asked else { return }
        let end: QuestionEnd
        if case .ringing(let dn, _) = calls[slot]?.phase { end = .used(dn) } else { end = .abandoned }
        actions.append(
            .endQuestion(router, call.connection, routingPoint: setup.points[call.point].dn, end))
    }
}
