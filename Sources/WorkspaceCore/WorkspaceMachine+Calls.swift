import AgentSessions
import ClusterModel
import TLibraryPorts

// Calls at lines, which the page shows.
extension WorkspaceMachine {
    /// How long after a call the node may take to say that its agent has work after it.
    static let workPatience: UInt64 = 300_000_000

    /// A call of a line has come, changed or gone.
    mutating func callChanged(_ event: CallEvent, at node: NodeIndex, _ now: Instant) {
        guard let line = lines[event.dn], line.live == node, var view = line.view else { return }
        var calls = (view.calls?.calls ?? []).filter { $0.connection != event.call.connection }
        switch event.kind {
        case .ringing, .dialing, .established: calls.append(event.call)
        case .released, .abandoned: break
        }
        view.calls = DNCalls(calls)
        if calls.isEmpty { view.occupancy.remove(.busy) } else { view.occupancy.insert(.busy) }
        lineTold(event.dn, view, now)
    }

    /// Whether a line is between a call and the work after it: the node has said that the call is over, and has not yet written what
    /// follows. For this moment the line stays as it was: the agent is not to be told to be ready.
    ///
    /// - Parameter status: as the node says it.
    mutating func awaitsWork(_ dn: DN, _ status: AgentStatus, _ now: Instant) -> Bool {
        guard let line = lines[dn] else { return false }
        lines[dn]!.workAwaitedUntil = nil
        guard status == .ready, topology.timing.afterCallWork > .zero, let former = line.view,
            former.agent?.state == .ready, former.calls?.calls.contains(where: { $0.phase == .established }) == true
        else { return false }
        let until = line.workAwaitedUntil ?? now.monotonic + Self.workPatience
        guard until > now.monotonic else { return false }
        lines[dn]!.workAwaitedUntil = until
        return true
    }
}
