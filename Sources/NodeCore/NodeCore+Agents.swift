import AgentSessions
import ClusterModel
import DNOwnership
import SIPCore
import TLibraryPorts

// Agents: their sessions are part of what the owner of their DN says, so these go wherever the DN goes.
extension NodeCore {
    // MARK: At the owner

    /// What comes of what somebody asks of the agent of a DN that this node owns. Nothing is changed.
    mutating func judge(_ request: AgentRequest, of dn: DNIndex, _ now: Instant) -> Result<AgentSession, TError> {
        if case .login(let agent, _, _, _) = request, topology.secondLogin == .refuse,
            isLoggedIn(agent, elsewhereThan: dn)
        {
            return .failure(.loggedInElsewhere)
        }
        let stamp = ownership.nextStamp(now: now)
        var declared = AgentProfile.none
        if case .login(let agent, _, _, nil) = request { declared = topology.agentProfiles[agent] ?? .none }
        do throws(AgentRefusal) {
            return .success(
                try request.applied(
                    to: ownership.session(of: dn), policy: topology.secondLogin, declared: declared, stamp: stamp))
        } catch {
            return .failure(TError(error))
        }
    }

    /// As far as this node hears of it. An agent whose DN's owner cannot be heard may log in here: that session is ended when
    /// the two nodes hear each other again.
    private func isLoggedIn(_ agent: AgentID, elsewhereThan dn: DNIndex) -> Bool {
        agents.logins(of: agent).contains { $0.dn != dn && ownership.isReachable(ownership.view(of: $0.dn).owner) }
    }

    /// What this node shows of a DN has changed: what follows from that for agents and reservations.
    mutating func settleAgent(of dn: DNIndex, from before: View, to after: View, _ now: Instant) {
        let isMine = after.owner == me
        let isNewClaim = before.owner != after.owner || before.stamp != after.stamp
        if before.agent != after.agent { agents.changed(dn, from: before.agent, to: after.agent) }
        if isNewClaim, isMine || before.owner == me { freeReservation(of: dn) }
        settleCallsOfClaim(dn, from: before, to: after, now)
        if before.owner == me || isMine { wrapUps.changed(dn, to: isMine ? after.agent : nil, now: now) }
        if let agent = after.agent, agent.isLoggedIn, isNewClaim || before.agent != agent {
            endSuperseded(agent.agent, now)
        }
        if isMine, after.occupancy.contains(.reserved), mayNotBeReserved(after) { freeReservation(of: dn) }
    }

    /// Every node that owns a DN on which an agent is logged in ends that session when it knows of a later login.
    private mutating func endSuperseded(_ agent: AgentID, _ now: Instant) {
        for dn in agents.superseded(of: agent) where ownership.owns(dn) {
            // The session may have changed with what is not settled yet.
            guard let session = ownership.session(of: dn), session.isLoggedIn, session.agent == agent else { continue }
            guard !faults.contains(.supersededLoginStays) else { continue }
            var reasons = Reasons()
            _ = reasons.add("tandem", "logged in elsewhere")
            let ended = AgentSession(
                agent: agent, state: .loggedOut, reasons: reasons, login: session.login,
                stamp: ownership.nextStamp(now: now))
            ownership.sessionChanged(dn, to: ended, &ownershipActions)
        }
    }

    /// The agent has left, or the phone.
    private func mayNotBeReserved(_ view: View) -> Bool {
        !view.service.isInService || view.agent?.state != .ready
    }

    // MARK: The work after calls

    mutating func endWrapUps(now: Instant) {
        while let dn = wrapUps.due(now: now) {
            wrapUps.changed(dn, to: nil, now: now)
            let stamp = ownership.nextStamp(now: now)
            if let session = WrapUpTimers.finished(ownership.session(of: dn), stamp: stamp) {
                ownership.sessionChanged(dn, to: session, &ownershipActions)
            }
        }
    }

    // MARK: For this node's clients

    mutating func askAgent(_ name: String, _ request: AgentRequest, _ id: UInt32, _ client: ClientID, _ now: Instant) {
        guard let dn = index(of: name) else { return tell(client, .error(referenceID: id, .unknownDN)) }
        ask(
            ProxiedRequest(
                client: client, referenceID: id, dn: topology.directory.dn(at: dn), request: .agent(request), owner: me),
            dn, now)
    }

    /// Tells a client what has become of its agent.
    mutating func tellAgent(_ session: AgentSession, _ request: AgentRequest, _ dn: DNIndex, to asker: ProxiedRequest) {
        let kind: AgentEvent.Kind =
            switch request {
            case .login: .login
            case .logout: .logout
            case .ready: .ready
            case .notReady: .notReady
            }
        let event = AgentEvent(kind: kind, dn: asker.dn, session: session, owner: ownership.view(of: dn).owner)
        tell(asker.client, .agent(event, referenceID: asker.referenceID, sequence: nil))
    }
}
