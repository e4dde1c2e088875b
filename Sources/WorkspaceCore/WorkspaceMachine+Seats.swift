import AgentSessions
import ClusterModel
import TLibraryPorts

// Where agents sit, and what they do there.
extension WorkspaceMachine {
    // MARK: Sitting down

    mutating func choose(
        _ id: RequestID, _ text: String, takeBack: Bool, _ session: SessionID, _ now: Instant
    ) {
        guard let known = sessions[session], let account = accounts[known.agent] else { return refuse(id, .revoked) }
        guard let dn = DN(text), topology.directory.index(of: dn) != nil else { return refuse(id, .unknownDN) }
        guard account.dns.isEmpty || account.dns.contains(dn) else { return refuse(id, .dnNotYours) }
        guard known.work == nil else { return refuse(id, .busy, retryAfter: 500) }
        if known.seat?.dn == dn { return sitOn(id, dn, takeBack: takeBack, session, now) }
        let deadline = now.monotonic + Self.commandPatience
        guard known.seat != nil else {
            sessions[session]!.work = Work(request: id, step: .seating(dn), deadline: deadline)
            return sitDown(dn, session, now)
        }
        sessions[session]!.work = Work(request: id, step: .leaving(then: dn), deadline: deadline)
        askLogout(session, now)
    }

    /// The agent sits there already.
    private mutating func sitOn(
        _ id: RequestID, _ dn: DN, takeBack: Bool, _ session: SessionID, _ now: Instant
    ) {
        guard takeBack, lines[dn]?.isSuperseded == true else {
            seek(dn, now)
            return answerState(id, session, now)
        }
        lines[dn]!.isSuperseded = false
        sessions[session]!.work = Work(
            request: id, step: .takingBack, deadline: now.monotonic + Self.commandPatience)
        audit(.takeBack, session)
        seek(dn, now)
    }

    private mutating func sitDown(_ dn: DN, _ session: SessionID, _ now: Instant) {
        guard let index = topology.directory.index(of: dn) else { return workFailed(session, .unknownDN, now) }
        makeLine(dn, index)
        lines[dn]!.seating.append(session)
        lines[dn]!.isSuperseded = false
        guard lines[dn]!.live != nil else { return seek(dn, now) }
        // Another session of this gateway is there; its node has said who that is.
        guard !lines[dn]!.isOccupied(by: sessions[session]!.agent) else { return workFailed(session, .dnInUse, now) }
        lineReady(session, now)
    }

    /// The line of a session that is doing something is registered.
    mutating func lineReady(_ session: SessionID, _ now: Instant) {
        guard let work = sessions[session]?.work, !work.isAsked else { return }
        switch work.step {
        case .seating(let dn):
            guard let node = lines[dn]?.live else { return }
            sessions[session]!.work!.isAsked = true
            let agent = sessions[session]!.agent
            ask(node, .login(session, dn, agent), now) {
                .agent(referenceID: $0, dn: "\(dn)", .login(agent, .unknown, Reasons()))
            }
        case .takingBack:
            sessions[session]!.work = nil
            let cookie = freshCookie(session, now)
            answerState(work.request, session, now, cookie: cookie)
        case .leaving, .leavingForGood, .loggingOut: askLogout(session, now)
        case .presence: break
        }
    }

    /// The owner has said when the agent has logged in.
    mutating func loginConfirmed(_ session: SessionID, _ status: DNStatus, _ now: Instant) {
        guard let work = sessions[session]?.work, work.step == .seating(status.dn), let line = lines[status.dn] else {
            return
        }
        guard let agent = status.view.agent, agent.isLoggedIn, agent.agent == sessions[session]!.agent else {
            return workFailed(session, .dnInUse, now)
        }
        let seat = Seat(dn: status.dn, login: agent.login.milliseconds)
        sessions[session]!.work = nil
        sessions[session]!.sat(at: seat)
        if sessions[session]!.streams.isEmpty { sessions[session]!.absentUntil = now.monotonic + grace }
        attach(session, to: status.dn, line.index)
        audit(.seat, session)
        lineTold(status.dn, status.view, now)
        guard sessions[session] != nil else { return refuse(work.request, .loggedOut) }
        let cookie = freshCookie(session, now)
        answerState(work.request, session, now, cookie: cookie)
        // The tickets that pages have do not say where the agent sits.
        tell(session, .renew)
    }

    /// The agent was logged in for a session that does not wait for that any more: nobody would log it out.
    mutating func loginOrphaned(_ agent: AgentID, at dn: DN, node: NodeIndex, _ now: Instant) {
        let others = (lines[dn]?.sessions ?? []) + (lines[dn]?.seating ?? [])
        guard !others.contains(where: { sessions[$0]?.agent == agent }) else { return }
        ask(node, .letGo, now) { .agent(referenceID: $0, dn: "\(dn)", .logout(Reasons())) }
    }

    // MARK: Ready or not

    mutating func setPresence(_ id: RequestID, _ wish: PresenceWish, _ session: SessionID, _ now: Instant) {
        guard let seat = sessions[session]?.seat, let line = lines[seat.dn] else { return refuse(id, .notSeated) }
        guard sessions[session]!.work == nil else { return refuse(id, .busy, retryAfter: 500) }
        guard !line.isSuperseded, !line.isLost else { return refuse(id, .lineLost) }
        guard let request = request(for: wish) else { return refuse(id, .unknownReason) }
        guard let node = line.live else { return refuse(id, .noNode, retryAfter: 500) }
        sessions[session]!.work = Work(
            request: id, step: .presence(wish), deadline: now.monotonic + 2 * Self.commandPatience, isAsked: true)
        ask(node, .presence(session), now) { .agent(referenceID: $0, dn: "\(seat.dn)", request) }
    }

    /// - Returns: nil for a reason that the policy does not name.
    private func request(for wish: PresenceWish) -> AgentRequest? {
        switch wish.state {
        case .ready: return .ready(.autoIn, Reasons())
        case .afterCallWork: return .notReady(.afterCallWork, Reasons())
        case .notReady:
            var reasons = Reasons()
            guard let reason = wish.reason else { return .notReady(.auxWork, reasons) }
            guard topology.workspacePolicy.reasons.contains(reason), reasons.add(Self.reasonKey, reason) else {
                return nil
            }
            return .notReady(.auxWork, reasons)
        }
    }

    static let reasonKey = "reason"

    mutating func presenceConfirmed(_ session: SessionID, _ status: DNStatus, _ now: Instant) {
        guard let work = sessions[session]?.work, case .presence(let wish) = work.step else { return }
        sessions[session]!.work = nil
        audit(.presence(wish.state), session)
        lines[status.dn]?.workAwaitedUntil = 0
        lineTold(status.dn, status.view, now)
        guard sessions[session] != nil else { return refuse(work.request, .loggedOut, clearsCookie: true) }
        answerState(work.request, session, now)
    }

    // MARK: Leaving

    mutating func leave(_ id: RequestID, _ session: SessionID, _ now: Instant) {
        guard sessions[session]?.seat != nil else { return refuse(id, .notSeated) }
        guard sessions[session]!.work == nil else { return refuse(id, .busy, retryAfter: 500) }
        sessions[session]!.work = Work(
            request: id, step: .leavingForGood, deadline: now.monotonic + Self.commandPatience)
        askLogout(session, now)
    }

    mutating func logOut(_ id: RequestID, _ session: SessionID, _ now: Instant) {
        // Whatever else the page is doing, it ends.
        if sessions[session]!.work != nil { workFailed(session, .loggedOut, now) }
        guard sessions[session] != nil else { return answer(id, .done(cookie: .clear)) }
        sessions[session]!.work = Work(
            request: id, step: .loggingOut, deadline: now.monotonic + Self.commandPatience)
        guard sessions[session]!.seat != nil else { return signOut(session, now) }
        askLogout(session, now)
    }

    /// Any node will do; without one it is asked as soon as one is heard.
    mutating func askLogout(_ session: SessionID, _ now: Instant) {
        guard let dn = sessions[session]?.seat?.dn, sessions[session]?.work?.isAsked == false, let line = lines[dn],
            let node = openNode(for: line)
        else { return }
        sessions[session]!.work!.isAsked = true
        ask(node, .logout(session), now) { .agent(referenceID: $0, dn: "\(dn)", .logout(Reasons())) }
    }

    private func openNode(for line: Line) -> NodeIndex? {
        // While the owner is lost nobody can log the agent out; in a moment another node is the owner.
        if line.live == nil, line.adriftUntil != nil, !line.isLost { return nil }
        return line.live ?? candidates(line).first { nodes[$0.position].isOpen } ?? anyOpenNode
    }

    /// Of our own data center if there is one.
    var anyOpenNode: NodeIndex? {
        let open = nodes.indices.filter { nodes[$0].isOpen }
        return (open.first { topology.nodes[$0].dataCenter == dataCenter } ?? open.first).map { NodeIndex($0) }
    }

    /// The cluster has logged the agent out, or there was nobody to log out.
    mutating func agentLoggedOut(_ session: SessionID, _ now: Instant) {
        guard let work = sessions[session]?.work else { return }
        switch work.step {
        case .leaving(let next):
            unseat(session, forgets: true, now)
            sessions[session]!.work = Work(
                request: work.request, step: .seating(next), deadline: now.monotonic + Self.commandPatience)
            sitDown(next, session, now)
        case .leavingForGood:
            sessions[session]!.work = nil
            unseat(session, forgets: true, now)
            let cookie = freshCookie(session, now)
            answer(work.request, .done(cookie: cookie))
        case .loggingOut: signOut(session, now)
        case .seating, .presence, .takingBack: break
        }
    }

    /// The session ends at the agent's wish.
    private mutating func signOut(_ session: SessionID, _ now: Instant) {
        guard let work = sessions[session]?.work else { return }
        sessions[session]!.work = nil
        audit(.logout, session)
        answer(work.request, .done(cookie: .clear))
        end(session, .loggedOut, remembers: .all, now)
    }

    /// - Parameter error: nil where the node was lost. Then, and where it does not hear the owner, it is asked once more.
    mutating func logoutFailed(_ session: SessionID, _ error: TError?, _ now: Instant) {
        guard let work = sessions[session]?.work, work.isLeaving else { return }
        if error == nil || error == .ownerUnreachable {
            sessions[session]!.work!.isAsked = false
        } else if work.step == .loggingOut {
            // The page has gone, whatever the cluster says of it now.
            oweLogout(session, now)
            signOut(session, now)
        } else {
            let problem: WorkspaceProblem =
                error == .notWritten ? .notWritten : error == .timedOut ? .unknownOutcome : .noNode
            workFailed(session, problem, now)
        }
    }

    // MARK: What comes to nothing

    mutating func workFailed(_ session: SessionID, _ problem: WorkspaceProblem, _ now: Instant) {
        guard let work = sessions[session]?.work else { return }
        if work.step == .loggingOut, problem != .loggedOut {
            oweLogout(session, now)
            return signOut(session, now)
        }
        sessions[session]!.work = nil
        refuse(work.request, problem)
        if let dn = work.dn { detach(session, from: dn, now) }
    }

    /// The line is gone under what the session was doing.
    mutating func lineFailed(_ session: SessionID, _ problem: WorkspaceProblem, _ now: Instant) {
        switch sessions[session]?.work?.step {
        case .presence, .takingBack: workFailed(session, problem, now)
        case .seating, .leaving, .leavingForGood, .loggingOut, nil: break
        }
    }

    /// How long what pages ask with their former token may be on its way.
    static let formerPatience = 10 * second

    /// - Parameter forgets: tokens that say that the agent sits there are good for nothing any more.
    mutating func unseat(_ session: SessionID, forgets: Bool = false, _ now: Instant) {
        guard let seat = sessions[session]?.seat else { return }
        audit(.unseat, session)
        sessions[session]!.seat = nil
        sessions[session]!.lastView = nil
        if forgets {
            sessions[session]!.forgetSeats()
            sessions[session]!.formerUntil = now.monotonic + Self.formerPatience
        }
        detach(session, from: seat.dn, now)
        tell(session, .notSeated)
        tell(session, .renew)
    }

    private mutating func answerState(
        _ id: RequestID, _ session: SessionID, _ now: Instant, cookie: CookieOrder? = nil
    ) {
        guard let view = agentView(session, now) else { return refuse(id, .notSeated) }
        answer(id, .state(view, cookie: cookie))
    }
}

extension WorkspaceMachine.Work {
    /// Where the session is about to sit down.
    var dn: DN? {
        switch step {
        case .seating(let dn): dn
        case .leaving, .presence, .leavingForGood, .loggingOut, .takingBack: nil
        }
    }

    /// The agent is being logged out, which then is no surprise.
    var isLeaving: Bool {
        switch step {
        case .leaving, .leavingForGood, .loggingOut: true
        case .seating, .presence, .takingBack: false
        }
    }
}

extension WorkspaceMachine.Line {
    /// Somebody else than the agent is logged in.
    func isOccupied(by agent: AgentID) -> Bool {
        guard let other = view?.agent, other.isLoggedIn else { return false }
        return other.agent != agent
    }
}
