import AgentSessions
import ClusterModel
import TLibraryPorts

// What is asked and told of lines, and what it means for those who sit there.
extension WorkspaceMachine {
    /// Asks how the line is; once more if it is asked already.
    mutating func refresh(_ dn: DN, at node: NodeIndex, _ now: Instant) {
        guard let line = lines[dn], line.live == node else { return }
        guard !line.isRefreshing else {
            lines[dn]!.refreshesAgain = true
            return
        }
        lines[dn]!.isRefreshing = true
        lines[dn]!.isStale = false
        ask(node, .refresh(dn), now) { .queryAddress(referenceID: $0, dn: "\(dn)") }
    }

    mutating func lineChanged(_ status: DNStatus, at node: NodeIndex, _ now: Instant) {
        guard lines[status.dn]?.live == node else { return }
        lineTold(status.dn, status.view, now)
    }

    /// A node has said how the line is.
    mutating func lineTold(_ dn: DN, _ view: View, _ now: Instant) {
        guard let line = lines[dn] else { return }
        let status = AgentStatus(of: view)
        guard !awaitsWork(dn, status, now) else { return }
        if line.view.map({ AgentStatus(of: $0) }) != status { lines[dn]!.statusSince = now.wallMilliseconds }
        lines[dn]!.view = view
        verify(dn, view, now)
        pushStates(dn, now)
    }

    /// Whoever sits at the line is logged in there, or the session is over: the cluster decides.
    mutating func verify(_ dn: DN, _ view: View, _ now: Instant) {
        for id in lines[dn]?.sessions ?? [] {
            guard let session = sessions[id], let seat = session.seat, session.work?.isLeaving != true else { continue }
            let agent = view.agent.flatMap { $0.isLoggedIn ? $0 : nil }
            if agent?.agent == session.agent, let login = agent?.login.milliseconds {
                guard login != seat.login else { continue }
                // Of a line that was let go nobody knows whether it is still the same login.
                let isRenewed = session.isConfirmed || session.standing == .doubted && lines[dn]?.isSuperseded == true
                if isRenewed { loginRenewed(id, login) } else { refuseResume(id, now) }
            } else if session.standing == .arriving {
                refuseResume(id, now)
            } else {
                notify(id, agent == nil ? .loggedOutElsewhere : .anotherAgent)
                end(id, .loggedOut, now)
            }
        }
    }

    private mutating func refuseResume(_ id: SessionID, _ now: Instant) {
        actions.append(
            .audit(
                AuditLine(
                    .resumeRefused(.loggedOut), agent: sessions[id]!.agent.text, dn: sessions[id]!.seat?.dn,
                    source: sessions[id]!.source, session: tokens.shortName(of: id))))
        forget(id, .loggedOut, now)
    }

    /// The agent has logged in once more, perhaps at another gateway: pages get tokens that say so.
    private mutating func loginRenewed(_ id: SessionID, _ login: UInt64) {
        let seat = Seat(dn: sessions[id]!.seat!.dn, login: login)
        sessions[id]!.seat = seat
        sessions[id]!.knownSeats = sessions[id]!.knownSeats.suffix(Session.maximumSeats - 1) + [seat]
        tell(id, .renew)
    }

    /// Another desktop has the line, so nobody tells this gateway whether the agent is still logged in there. It asks, of its own
    /// accord now and then.
    mutating func inquire(_ dn: DN, _ now: Instant) {
        guard let line = lines[dn], !line.isInquired, let node = anyOpenNode else { return }
        let isDoubted = line.sessions.contains { sessions[$0]?.standing == .doubted }
        guard isDoubted || line.inquiresAt <= now.monotonic else { return }
        lines[dn]!.isInquired = true
        lines[dn]!.inquiresAt = now.monotonic + Self.inquiryEach
        ask(node, .inquire(dn), now) { .queryAddress(referenceID: $0, dn: "\(dn)") }
    }

    /// A node has said how a line is that another desktop has.
    mutating func inquired(_ dn: DN, _ view: View?, _ now: Instant) {
        guard lines[dn] != nil else { return }
        lines[dn]!.isInquired = false
        guard let view, lines[dn]!.isSuperseded else { return }
        lineTold(dn, view, now)
        for session in lines[dn]?.sessions ?? [] where sessions[session]?.standing == .doubted {
            confirm(session, now: now)
        }
    }
}
