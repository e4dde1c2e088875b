import Orchestration

// Whether routing may give the DN's agent a call, and if not why and what to do.
extension DNExplanation {
    /// One sentence.
    ///
    /// - Parameter now: milliseconds since 1970.
    package func agentPart(now: UInt64) -> String {
        guard let agent = details.authority?.agent else {
            return
                "No agent is logged in on it, so no call is routed to it; a desktop logs an agent in with TAgentLogin, at "
                + "any node's T-Controller port."
        }
        let name = Wording.printable(agent.agent)
        let age = Wording.duration(milliseconds: now - min(now, agent.since))
        let doubt = agent.isOwnersWord ? "" : ", as other nodes knew it last"
        switch agent.state {
        case "not-ready":
            let why = AgentScreen.why(agent)
            return
                "Agent \(name) is not ready for \(age)\(why.isEmpty ? "" : " (\(why))")\(doubt); the desktop or a supervisor "
                + "sets it ready with TAgentSetReady."
        case "after-call-work":
            return
                "Agent \(name) works after a call for \(age)\(doubt); it is ready again when the desktop says so, or the "
                + "topology's `afterCallWork` is over."
        case "busy":
            return "Agent \(name) has a call\(doubt); `tandem calls --dn \(details.dn)` shows it."
        case "reserved":
            guard let reservation = agent.reservation else { return "Agent \(name) is reserved\(doubt)." }
            let left = Wording.duration(milliseconds: reservation.millisecondsLeft)
            return "Agent \(name) is reserved for \(left) more by client \(reservation.client) of \(reservation.node)."
        default:
            guard agent.isAvailable else {
                return "Agent \(name) is ready\(doubt), and gets no call as long as the DN is out of service."
            }
            return "Agent \(name) is ready and available for \(age)\(doubt)."
        }
    }
}
