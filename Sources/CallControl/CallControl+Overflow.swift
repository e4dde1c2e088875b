import ClusterModel

// Calls go from one routing point to another when their time is up there.
extension CallControl {
    /// Where a call goes whose time at its routing point is up; nil for where nobody routes it. It comes to no routing point twice.
    func overflowPoint(_ slot: Int, _ now: Instant) -> Int? {
        guard let call = calls[slot], call.fallback == nil, call.tried.count < Self.maximumTries,
            let dn = setup.points[call.point].overflowPoint,
            let next = setup.points.firstIndex(where: { $0.dn == dn }), next != call.point, !call.visited.contains(next)
        else { return nil }
        return next
    }

    /// It is the same call, as old as it is, and goes to nobody again who was tried; only its time begins anew.
    mutating func overflow(_ slot: Int, to next: Int, _ now: Instant, _ actions: inout [RoutingAction]) {
        guard let call = calls[slot] else { return }
        note(.overflowed, slot, now, to: setup.points[next].dn)
        counters[call.point].overflowed += 1
        counters[call.point].present -= 1
        counters[next].arrived += 1
        counters[next].present += 1
        calls[slot]!.visited.append(call.point)
        calls[slot]!.point = next
        calls[slot]!.arrived = now.monotonic
        note(.waiting, slot, now)
        calls[slot]!.phase = .idle
        calls[slot]!.routeBy = now.monotonic &+ setup.points[next].timeout.nanoseconds
        askRouter(slot, now, &actions)
        schedule(slot)
    }
}
