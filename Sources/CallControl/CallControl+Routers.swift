import AgentSessions
package import ClusterModel

// The routers at the default port: which of them is asked about a call, and what they say.
extension CallControl {
    // MARK: Who is there

    /// A router wants to be asked about the calls of a routing point. If it is the one to be asked from now on, it is asked about
    /// those too that another was asked about.
    ///
    /// - Parameter name: as it has introduced itself.
    package mutating func registered(
        _ router: RouterID, name: String, for point: DN, now: Instant, _ actions: inout [RoutingAction]
    ) {
        guard let position = setup.points.firstIndex(where: { $0.dn == point }) else { return }
        let former = routers.best(for: position)
        routers.register(router, name: name, for: position)
        guard former != nil, former != router, routers.best(for: position) == router else { return }
        for slot in slotsInOrder {
            guard let call = calls[slot], call.point == position, case .asking(let other) = call.phase, other != router
            else { continue }
            endQuestion(slot, .abandoned, &actions)
            goOn(slot, now, &actions)
        }
    }

    /// In the order in which the calls came.
    private var slotsInOrder: [Int] {
        calls.indices.filter { calls[$0] != nil }
            .sorted { (calls[$0]!.came, $0) < (calls[$1]!.came, $1) }
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
        for slot in slotsInOrder {
            guard let call = calls[slot], position == nil || call.point == position else { continue }
            switch call.phase {
            case .asking(router):
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
        guard let router = routers.best(for: call.point) else { return leave(slot, now, &actions) }
        calls[slot]!.phase = .asking(router)
        calls[slot]!.position = nil
        let point = setup.points[call.point]
        actions.append(
            .ask(
                router,
                RouteRequest(
                    connection: call.connection, routingPoint: point.dn, caller: call.caller, tried: call.tried,
                    priority: point.priority, waited: (now.monotonic &- call.came) / 1_000_000,
                    arrived: call.came / 1_000_000)))
        schedule(slot)
    }

    /// What a router has answered cannot be: its question stands, if it is still the one to be asked.
    mutating func reopenQuestion(
        _ slot: Int, at router: RouterID, _ now: Instant, _ actions: inout [RoutingAction]
    ) {
        guard let call = calls[slot] else { return }
        calls[slot]!.phase = .idle
        guard routers.isRegistered(router, for: call.point), now.monotonic < call.routeBy else {
            return goOn(slot, now, &actions)
        }
        calls[slot]!.phase = .asking(router)
        if routers.best(for: call.point) == router { return schedule(slot) }
        // Another one has come meanwhile.
        endQuestion(slot, .abandoned, &actions)
        goOn(slot, now, &actions)
    }

    /// The router that was asked need not answer any more.
    mutating func endQuestion(_ slot: Int, _ end: QuestionEnd, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot], case .asking(let router) = call.phase else { return }
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
            calls[slot]!.phase = .redeeming(router, order, token)
            actions.append(.redeem(order.connection, token))
            schedule(slot)
        case .default:
            calls[slot]!.phase = .idle
            if let next = overflowPoint(slot, now) {
                actions.append(
                    .confirm(router, order, routingPoint: setup.points[call.point].dn, setup.points[next].dn))
                return overflow(slot, to: next, now, &actions)
            }
            fallBack(slot, now, &actions)
            if case .ringing(let dn, _) = calls[slot]?.phase {
                actions.append(.confirm(router, order, routingPoint: setup.points[call.point].dn, dn))
            } else {
                actions.append(.refuseOrder(router, order, .unavailable))
            }
        }
    }

    /// A router says where a call stands that waits.
    ///
    /// - Returns: whether this router is asked about the call.
    package mutating func positioned(
        _ connection: CallConnection, _ position: QueuePosition, by router: RouterID
    ) -> Bool {
        guard let slot = slots[connection], let call = calls[slot], case .asking(router) = call.phase else {
            return false
        }
        calls[slot]!.position = position
        if let informedAt = call.informedAt, call.informedPosition != position.position {
            calls[slot]!.informAt = min(call.informAt, informedAt &+ setup.positionInterval)
            schedule(slot)
        }
        return true
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
        /// Where it stands, as that router says.
        package var position: QueuePosition?
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
        case .asking(let router):
            summary.asked = router
            summary.position = call.position
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
