package import ClusterModel

/// What somebody asks of the agent of a DN.
package enum AgentRequest: Equatable, Sendable {
    /// TAgentLogin. With the work mode `autoIn` or `manualIn` the agent is ready at once.
    ///
    /// - Parameter profile: nil for what the topology declares.
    case login(AgentID, WorkMode, Reasons, profile: AgentProfile? = nil)
    /// TAgentLogout.
    case logout(Reasons)
    /// TAgentSetReady.
    case ready(WorkMode, Reasons)
    /// TAgentSetNotReady.
    case notReady(WorkMode, Reasons)
}

/// Why nothing came of such a request.
package enum AgentRefusal: Error, Equatable, Sendable {
    /// Nobody is logged in on the DN.
    case notLoggedIn
    /// Somebody else is, and second logins are refused.
    case occupied(by: AgentID)
    /// The agent is logged in on another DN, and second logins are refused.
    case loggedInElsewhere
}

extension AgentRequest {
    /// The session that a request makes of the present one. A second login of the same agent renews its login and changes
    /// nothing else.
    ///
    /// - Parameters:
    ///   - policy: what becomes of another agent who is logged in on the DN.
    ///   - declared: what the topology says of the agent who logs in.
    ///   - stamp: of now; greater than all that the present session has.
    package func applied(
        to session: AgentSession?, policy: SecondLogin, declared: AgentProfile = .none, stamp: Stamp
    ) throws(AgentRefusal) -> AgentSession {
        switch self {
        case .login(let agent, let mode, let reasons, let profile):
            let profile = profile ?? declared
            guard let session, session.isLoggedIn else { return Self.fresh(agent, mode, reasons, profile, stamp) }
            if session.agent == agent {
                return AgentSession(
                    agent: agent, state: session.state, workMode: session.workMode, reasons: session.reasons,
                    profile: profile, login: stamp, stamp: stamp)
            }
            guard policy == .latest else { throw .occupied(by: session.agent) }
            return Self.fresh(agent, mode, reasons, profile, stamp)
        case .logout(let reasons):
            return try Self.changed(session, to: .loggedOut, .unknown, reasons, stamp)
        case .ready(let mode, let reasons):
            return try Self.changed(session, to: .ready, mode, reasons, stamp)
        case .notReady(let mode, let reasons):
            return try Self.changed(session, to: .notReady, mode, reasons, stamp)
        }
    }

    private static func fresh(
        _ agent: AgentID, _ mode: WorkMode, _ reasons: Reasons, _ profile: AgentProfile, _ stamp: Stamp
    ) -> AgentSession {
        let isReady = mode == .autoIn || mode == .manualIn
        return AgentSession(
            agent: agent, state: isReady ? .ready : .notReady, workMode: mode, reasons: reasons,
            profile: profile, login: stamp, stamp: stamp)
    }

    private static func changed(
        _ session: AgentSession?, to state: AgentSession.State, _ mode: WorkMode, _ reasons: Reasons, _ stamp: Stamp
    ) throws(AgentRefusal) -> AgentSession {
        guard let session, session.isLoggedIn else { throw .notLoggedIn }
        return AgentSession(
            agent: session.agent, state: state, workMode: mode, reasons: reasons, profile: session.profile,
            login: session.login, stamp: stamp)
    }
}
