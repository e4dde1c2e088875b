import AgentSessions
import ClusterModel
import TLibraryPorts

// Logouts that the cluster has not heard of. Whoever signs out is signed out here in any case; the agent is logged out once a node
// is heard, so that no copy of the token is good at another gateway.
extension WorkspaceMachine {
    static let maximumOwed = 1_000
    /// Between two attempts.
    static let owedPause = 2 * second

    struct Owed {
        let agent: AgentID
        /// A later login is none of ours.
        let login: UInt64
        /// When no token of it is good any more, milliseconds since 1970.
        let expires: UInt64
        /// When it is tried again, monotonic nanoseconds.
        var triesAt: UInt64
        var isAsked = false
    }

    mutating func oweLogout(_ session: SessionID, _ now: Instant) {
        guard let known = sessions[session], let seat = known.seat, owed.count < Self.maximumOwed else { return }
        owed[seat.dn] = Owed(
            agent: known.agent, login: seat.login, expires: known.expires, triesAt: now.monotonic)
    }

    mutating func sweepOwed(_ now: Instant) {
        guard !owed.isEmpty else { return }
        owed = owed.filter { $0.value.expires > now.wallMilliseconds }
        guard let node = anyOpenNode else { return }
        let due = owed.filter { !$0.value.isAsked && $0.value.triesAt <= now.monotonic }
        for dn in due.keys.sorted() {
            owed[dn]!.isAsked = true
            // Before anybody is logged out the cluster says who is logged in.
            ask(node, .owedQuery(dn), now) { .queryAddress(referenceID: $0, dn: "\(dn)") }
        }
    }

    mutating func owedTold(_ dn: DN, _ view: View, at node: NodeIndex, _ now: Instant) {
        guard let debt = owed[dn] else { return }
        guard let agent = view.agent, agent.isLoggedIn, agent.agent == debt.agent,
            agent.login.milliseconds == debt.login
        else { return owed[dn] = nil }
        ask(node, .owedLogout(dn), now) { .agent(referenceID: $0, dn: "\(dn)", .logout(Reasons())) }
    }

    mutating func owedPaid(_ dn: DN) { owed[dn] = nil }

    mutating func owedFailed(_ dn: DN, _ now: Instant) {
        owed[dn]?.isAsked = false
        owed[dn]?.triesAt = now.monotonic + Self.owedPause
    }
}
