import AgentSessions
package import ClusterModel

// What the successor of this process is given of the calls that nobody has taken: each stays in its place, with the router that
// was asked or the phones that ring, and its time goes on.
extension CallControl: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        var present: [PlacedCall] = []
        for (slot, call) in calls.enumerated() {
            if let call { present.append(PlacedCall(slot: slot, call: call)) }
        }
        state.list(1, &present)
        var empty = free.map { UInt32(clamping: $0) }
        state.numbers(2, &empty)
        state.message(3, &routers)
        var next = nextAlternate.map { UInt32(clamping: $0) }
        state.perPoint(4, &next)
        state.perPoint(5, &counters)
        guard state.isReading, state.problem == nil else { return }
        guard routers.isWithin(setup.points.count) else {
            return state.refuse("a router has registered for a routing point that there is not")
        }
        for (position, point) in setup.points.enumerated() where next[position] >= max(1, point.alternates.count) {
            guard state.renumbering != nil else { return state.refuse("a routing point has no such alternate") }
            next[position] = 0
        }
        nextAlternate = next.map { Int($0) }
        if state.renumbering != nil {
            // A routing point may have fewer alternates now.
            for position in present.indices
            where present[position].call.firstAlternate >= setup.points[present[position].call.point].alternates.count {
                present[position].call.firstAlternate = 0
            }
        }
        restore(present, empty: empty.map { Int($0) }, &state)
    }

    private mutating func restore(_ present: [PlacedCall], empty: [Int], _ state: inout StateTransfer) {
        let count = present.count + empty.count
        guard Set(present.map(\.slot) + empty).count == count, empty.allSatisfy({ $0 < count }),
            present.allSatisfy({ $0.slot < count && isPossible($0.call) })
        else { return state.refuse("a call is where none can be") }
        (calls, free, slots, queue) = (Array(repeating: nil, count: count), empty, [:], DeadlineQueue())
        for position in counters.indices { counters[position].present = 0 }
        for placed in present {
            guard slots.updateValue(placed.slot, forKey: placed.call.connection) == nil else {
                return state.refuse("a call is at two places")
            }
            calls[placed.slot] = placed.call
            counters[placed.call.point].present += 1
            schedule(placed.slot)
        }
    }

    private func isPossible(_ call: RoutedCall) -> Bool {
        guard call.point < setup.points.count, call.visited.allSatisfy({ $0 < setup.points.count }) else {
            return false
        }
        return call.firstAlternate < max(1, setup.points[call.point].alternates.count)
    }
}

/// A call in its place among those that the node has: which of two goes first depends on it.
private struct PlacedCall: Restorable {
    var slot: Int
    var call: CallControl.RoutedCall

    static var blank: PlacedCall { PlacedCall(slot: 0, call: .blank) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.place(1, &slot, below: 1 << 31)
        state.message(2, &call)
    }
}

extension CallControl.RoutedCall: Restorable {
    static var blank: CallControl.RoutedCall {
        CallControl.RoutedCall(
            connection: CallConnection(rawValue: 0), point: 0, caller: "", came: 0, arrived: 0, routeBy: 0, informAt: 0)
    }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &connection)
        state.point(2, &point)
        state.text(3, &caller)
        state.number(4, &came)
        state.number(5, &arrived)
        state.number(6, &routeBy)
        state.number(7, &informAt)
        state.points(8, &visited)
        state.message(9, &phase)
        state.list(10, &tried)
        state.optional(11, &ringBy)
        state.optional(12, &informedAt)
        state.optional(13, &informedPosition)
        state.optional(14, &position)
        state.place(15, &fallback, below: RoutingPoint.maximumAlternates + 3)
        state.place(16, &firstAlternate, below: RoutingPoint.maximumAlternates + 1)
        state.flag(17, &wasBusy)
    }
}

extension CallControl.Phase: Transferable {
    private enum Kind: UInt8 {
        case idle = 0
        case asking = 1
        case redeeming = 2
        case ringing = 3
    }

    mutating func transfer(_ state: inout StateTransfer) {
        var (kind, router, order) = (Kind.idle, RouterID(rawValue: 0), RouteOrder?.none)
        var (rung, isRouted) = (DN?.none, false)
        switch self {
        case .idle: break
        case .asking(let asked): (kind, router) = (.asking, asked)
        case .redeeming(let asked, let said, _): (kind, router, order) = (.redeeming, asked, said)
        case .ringing(let dn, let isAgent): (kind, rung, isRouted) = (.ringing, dn, isAgent)
        }
        state.choice(1, &kind)
        state.number(2, &router)
        state.optional(3, &order)
        state.optional(4, &rung)
        state.flag(5, &isRouted)
        guard state.isReading else { return }
        switch kind {
        case .idle: self = .idle
        case .asking: self = .asking(router)
        case .redeeming:
            guard let order, case .agent(let token) = order.destination else {
                return state.refuse("a call waits for a token that nobody has brought")
            }
            self = .redeeming(router, order, token)
        case .ringing:
            guard let rung else { return state.refuse("a call rings nowhere") }
            self = .ringing(rung, isRouted: isRouted)
        }
    }
}

// MARK: Words

extension RouterID: Numbered {}

extension RouteOrder: Restorable {
    package static var blank: RouteOrder {
        RouteOrder(reference: 0, connection: CallConnection(rawValue: 0), destination: .default)
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var token: ReservationToken?
        if case .agent(let brought) = destination { token = brought }
        state.number(1, &reference)
        state.number(2, &connection)
        state.optional(3, &token)
        if state.isReading { destination = token.map { .agent($0) } ?? .default }
    }
}

extension QueuePosition: Restorable {
    package static var blank: QueuePosition { QueuePosition(position: 0, waiting: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &position)
        state.number(2, &waiting)
    }
}

extension PointCounters: Transferable {
    /// How many are present follows from the calls.
    package mutating func transfer(_ state: inout StateTransfer) {
        state.tally(1, &arrived)
        state.tally(2, &routed)
        state.tally(3, &answered)
        state.tally(4, &abandoned)
        state.tally(5, &overflowed)
        state.tally(6, &defaulted)
        state.tally(7, &refused)
    }
}
