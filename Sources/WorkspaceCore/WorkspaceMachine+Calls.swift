import AgentSessions
import ClusterModel
import TLibraryPorts

// Calls at lines, which the page shows.
extension WorkspaceMachine {
    /// Between the end of a call and the word of the node that its agent has work after it.
    static let workPatience: UInt64 = 300_000_000

    /// A call of a line has come, changed or gone.
    mutating func callChanged(_ event: CallEvent, at node: NodeIndex, _ now: Instant) {
        guard let line = lines[event.dn], line.live == node, var view = line.view else { return }
        let former = view.calls?.calls ?? []
        var calls = former.filter { $0.connection != event.call.connection }
        switch event.kind {
        case .ringing, .dialing, .established: calls.append(event.call)
        case .released, .abandoned: break
        }
        if calls.isEmpty, hasWorkAfter(former, view) {
            // The node says it in a moment. Until then the agent is not to be told to be ready.
            lines[event.dn]!.isStale = true
            lines[event.dn]!.refreshesAt = now.monotonic + Self.workPatience
            return
        }
        view.calls = DNCalls(calls)
        if calls.isEmpty { view.occupancy.remove(.busy) } else { view.occupancy.insert(.busy) }
        lineTold(event.dn, view, now)
    }

    /// Whether the agent is about to have work after a call.
    private func hasWorkAfter(_ calls: [DNCall], _ view: View) -> Bool {
        topology.timing.afterCallWork > .zero && view.agent?.state == .ready
            && calls.contains { $0.phase == .established }
    }
}
