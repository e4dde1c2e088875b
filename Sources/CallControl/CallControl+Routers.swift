package import ClusterModel

// The routers at the default port: which of them is asked about a call, and what they say.
extension CallControl {
    // MARK: Who is there

    /// A router wants to be asked about the calls of a routing point.
    package mutating func registered(_ router: RouterID, for point: DN) {
        guard let position = setup.points.firstIndex(where: { $0.dn == point }) else { return }
        routers.register(router, for: position)
    }

    /// A router wants to hear of a routing point no longer, or has gone: its questions go to others.
    ///
    /// - Parameter point: nil for all.
    package mutating func unregistered(
        _ router: RouterID, from point: DN?, now: Instant, _ actions: inout [RoutingAction]
    ) {
        let position = point.flatMap { point in setup.points.firstIndex { $0.dn == point } }
        if point != nil, position == nil { return }
        routers.unregister(router, from: position)
        for slot in calls.indices {
            guard let call = calls[slot], position == nil || call.point == position else { continue }
            switch call.phase {
            case .asking(router):
                routers.questionEnded(at: router)
                if !setup.faults.contains(.questionDiesWithRouter) { goOn(slot, now, &actions) }
            // A router that has chosen need not be there when the phone rings.
            case .asking, .redeeming, .ringing, .idle: continue
            }
        }
    }

    /// Whether anybody is asked about the calls of a routing point.
    package func hasRouter(for point: DN) -> Bool {
        setup.points.firstIndex { $0.dn == point }.map { routers.best(for: $0) != nil } ?? false
    }

    /// How many are asked about the calls of each routing point, in the order of the setup.
    package var routerCounts: [Int] { setup.points.indices.map { routers.count(for: $0) } }

    // MARK: Questions

    mutating func askRouter(_ slot: Int, _ now: Instant, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot] else { return }
        guard let router = routers.best(for: call.point) else { return fallBack(slot, now, &actions) }
        calls[slot]!.phase = .asking(router)
        routers.questionBegan(at: router)
        actions.append(
            .ask(
                router,
                RouteRequest(
                    connection: call.connection, routingPoint: setup.points[call.point].dn, caller: call.caller,
                    tried: call.tried)))
        schedule(slot)
    }

    /// What a router has answered cannot be: its question stands, if it is still there.
    mutating func reopenQuestion(
        _ slot: Int, at router: RouterID, _ now: Instant, _ actions: inout [RoutingAction]
    ) {
        guard let call = calls[slot] else { return }
        calls[slot]!.phase = .idle
        guard routers.isRegistered(router, for: call.point), now.monotonic < call.routeBy else {
            return goOn(slot, now, &actions)
        }
        calls[slot]!.phase = .asking(router)
        routers.questionBegan(at: router)
        schedule(slot)
    }

    /// The router that was asked need not answer any more.
    mutating func endQuestion(_ slot: Int, _ end: QuestionEnd, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot], case .asking(let router) = call.phase else { return }
        routers.questionEnded(at: router)
        actions.append(
            .endQuestion(router, call.connection, routingPoint: setup.points[call.point].dn, end))
    }

    // MARK: Orders

    /// TRouteCall.
    package mutating func ordered(
        _ order: RouteOrder, by router: RouterID, now: Instant, _ actions: inout [RoutingAction]
    ) {
        guard let slot = slots[order.connection], let call = calls[slot] else {
            return actions.append(.refuseOrder(router, order, .unknownCall))
        }
        guard case .asking(router) = call.phase else {
            return actions.append(.refuseOrder(router, order, .notAsked))
        }
        switch order.destination {
        case .agent(let token):
            if call.tried.contains(token.dn) { return actions.append(.refuseOrder(router, order, .unavailable)) }
            routers.questionEnded(at: router)
            calls[slot]!.phase = .redeeming(router, order, token)
            actions.append(.redeem(order.connection, token))
            schedule(slot)
        case .default:
            routers.questionEnded(at: router)
            calls[slot]!.phase = .idle
            fallBack(slot, now, &actions)
            if case .ringing(let dn, _) = calls[slot]?.phase {
                actions.append(.confirm(router, order, routingPoint: setup.points[call.point].dn, dn))
            } else {
                actions.append(.refuseOrder(router, order, .unavailable))
            }
        }
    }

    // MARK: For operators

    /// A call that waits or rings.
    package struct Summary: Equatable, Sendable {
        package enum State: Equatable, Sendable {
            /// Nobody has said yet where it goes.
            case waiting
            case ringing(DN)
        }

        package var connection: CallConnection
        package var routingPoint: DN
        package var caller: String
        package var state: State
        package var tried: [DN]
        /// The router that is asked, while one is.
        package var asked: RouterID?
        /// It rings where a router has sent it, and not at a default or alternate DN.
        package var isRouted = false
    }

    /// What there is to say of a call; nil once it is taken or over.
    package func summary(of connection: CallConnection) -> Summary? {
        guard let slot = slots[connection], let call = calls[slot] else { return nil }
        var summary = Summary(
            connection: connection, routingPoint: setup.points[call.point].dn, caller: call.caller, state: .waiting,
            tried: call.tried)
        switch call.phase {
        case .asking(let router): summary.asked = router
        case .redeeming, .idle: break
        case .ringing(let dn, let isRouted):
            summary.state = .ringing(dn)
            summary.isRouted = isRouted
        }
        return summary
    }

    /// Calls that nobody has taken, by ConnID.
    package var connections: [CallConnection] { slots.keys.sorted() }
}

/// The routers that have registered for routing points, and how many questions each has open.
struct RouterTable: Sendable {
    private struct Router {
        var points: Set<Int> = []
        var questions = 0
        /// When it was asked last; a number that grows.
        var lastAsked: UInt64 = 0
    }

    private var routers: [RouterID: Router] = [:]
    private var asked: UInt64 = 0

    mutating func register(_ router: RouterID, for point: Int) {
        routers[router, default: Router()].points.insert(point)
    }

    /// - Parameter point: nil for all.
    mutating func unregister(_ router: RouterID, from point: Int?) {
        if let point { routers[router]?.points.remove(point) } else { routers[router] = nil }
    }

    func isRegistered(_ router: RouterID, for point: Int) -> Bool {
        routers[router]?.points.contains(point) == true
    }

    /// The router with the fewest open questions; of equals the one that was asked longest ago.
    func best(for point: Int) -> RouterID? {
        routers.filter { $0.value.points.contains(point) }.min { left, right in
            let (one, other) = (left.value, right.value)
            if one.questions != other.questions { return one.questions < other.questions }
            return one.lastAsked != other.lastAsked ? one.lastAsked < other.lastAsked : left.key < right.key
        }?.key
    }

    func count(for point: Int) -> Int { routers.values.count { $0.points.contains(point) } }

    mutating func questionBegan(at router: RouterID) {
        asked += 1
        routers[router]?.questions += 1
        routers[router]?.lastAsked = asked
    }

    mutating func questionEnded(at router: RouterID) {
        routers[router]?.questions -= 1
    }
}
