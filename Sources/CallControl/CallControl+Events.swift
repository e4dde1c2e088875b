package import ClusterModel

// What becomes of calls, for whoever counts it: an event beside each change of the counters.
extension CallControl {
    /// Takes what has happened since this was asked before, in order.
    package mutating func takeEvents() -> [PointEvent] {
        guard !events.isEmpty else { return [] }
        defer { events.removeAll(keepingCapacity: true) }
        return events
    }

    /// Something has become of a call at its routing point.
    mutating func note(_ outcome: PointEvent.Outcome, _ slot: Int, _ now: Instant, to destination: DN? = nil) {
        guard let call = calls[slot] else { return }
        let waited = now.since(call.arrived) / 1_000_000
        events.append(
            PointEvent(
                outcome, call.connection, at: setup.points[call.point].dn, waited: waited, time: now.wallMilliseconds,
                destination: destination))
    }

    /// A call came for which there is no room.
    mutating func noteOverload(_ connection: CallConnection, at position: Int, _ now: Instant) {
        for outcome in [PointEvent.Outcome.waiting, .refused] {
            events.append(
                PointEvent(outcome, connection, at: setup.points[position].dn, time: now.wallMilliseconds))
        }
    }
}
