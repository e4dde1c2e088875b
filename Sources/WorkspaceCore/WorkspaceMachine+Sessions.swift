package import ClusterModel

// Who has signed in: passwords, tokens, and the end of sessions.
extension WorkspaceMachine {
    // MARK: Passwords

    mutating func logIn(
        _ id: RequestID, _ agent: String, _ password: [UInt8], _ source: SourceID, _ fresh: [UInt8], _ now: Instant
    ) {
        let agentID = AgentID(agent)
        let name = agentID?.text ?? ""
        func refused(_ fault: AuditLine.LoginFault) -> WorkspaceAction {
            .audit(AuditLine(.loginRefused(fault), agent: name, source: source))
        }
        if let wait = limit(.loginsFrom(source), now) ?? limit(.agent(name), now) {
            counters.loginsRefused += 1
            actions.append(refused(.limit))
            return refuse(id, .tooManyAttempts, retryAfter: wait)
        }
        guard tokens.isUsable, logins.count < Self.maximumLogins, sessions.count < Self.maximumSessions else {
            return refuse(id, .busy, retryAfter: 1_000)
        }
        let account = agentID.flatMap { accounts[$0] }
        let isHopeless = account == nil || password.count > WorkspaceCommand.maximumPassword
        logins[id] = PendingLogin(
            agent: name, account: account, source: source, fresh: fresh, isHopeless: isHopeless)
        // Whoever asks for an agent that there is not waits as long as for one that there is.
        actions.append(
            .verify(
                id, password: Array(password.prefix(WorkspaceCommand.maximumPassword)), hash: account?.hash ?? decoy))
    }

    package mutating func passwordVerified(_ id: RequestID, _ isRight: Bool, now: Instant) {
        guard let login = logins.removeValue(forKey: id) else { return }
        // The account may have changed in the meantime.
        guard isRight, !login.isHopeless, let account = login.account, accounts[account.agent] == account,
            let session = SessionID(login.fresh), sessions[session] == nil
        else {
            counters.loginsRefused += 1
            let fault: AuditLine.LoginFault = login.account == nil ? .unknown : .password
            actions.append(.audit(AuditLine(.loginRefused(fault), agent: login.agent, source: login.source)))
            return refuse(id, .wrongCredentials)
        }
        counters.logins += 1
        sessions[session] = Session(
            id: session, agent: account.agent,
            expires: now.wallMilliseconds + topology.workspacePolicy.session.nanoseconds / 1_000_000,
            passwordTag: tokens.passwordTag(of: account.hash), issued: now.wallMilliseconds,
            log: EventLog(epoch: epoch), lastUsed: now.monotonic, absentUntil: now.monotonic + grace,
            source: login.source)
        audit(.login, session)
        let cookie = freshCookie(session, now)
        answer(id, .session(sessionView(session, now), cookie: cookie))
        drain(now)
    }

    // MARK: Tokens

    /// A request with a token: it is for a session that is known, or for one that another gateway has had.
    mutating func enter(
        _ id: RequestID, _ command: WorkspaceCommand, _ proof: SessionProof, _ purpose: SessionToken.Purpose,
        _ source: SourceID, _ now: Instant
    ) {
        func isResume() -> Bool { purpose == .ticket }
        guard let token = tokens.token(proof.token, purpose) else {
            if let wait = limit(.requestsFrom(source), now) { return refuse(id, .tooManyRequests, retryAfter: wait) }
            guard !proof.token.isEmpty else { return refuse(id, .noSession) }
            return refuse(id, .revoked, clearsCookie: !isResume())
        }
        if let wait = limit(.session(token.id), now) { return refuse(id, .tooManyRequests, retryAfter: wait) }
        if let problem = problem(of: token, now) {
            if isResume() { auditRefusedResume(problem, token, source) }
            return refuse(id, problem, clearsCookie: !isResume())
        }
        guard !command.changesSomething || tokens.isCSRF(proof.csrf ?? "", of: token.id) else {
            actions.append(
                .audit(
                    AuditLine(
                        .csrfRefused, agent: token.agent.text, source: source, session: tokens.shortName(of: token.id)))
            )
            return refuse(id, .badCSRF)
        }
        switch admit(token, source, now) {
        case .confirmed: perform(id, command, token.id, now: now)
        case .refused(let problem): refuse(id, problem, clearsCookie: !isResume())
        case .awaited:
            sessions[token.id]!.waiting.append(
                .command(id, command, deadline: now.monotonic + Self.commandPatience))
            seek(sessions[token.id]?.seat?.dn, now)
        }
    }

    /// Why a token that was signed here is good for nothing.
    func problem(of token: SessionToken, _ now: Instant) -> WorkspaceProblem? {
        guard token.expires > now.wallMilliseconds else { return .expired }
        guard ended[token.id] == nil || faults.contains(.tokenOutlivesLogout) else { return .loggedOut }
        guard let account = accounts[token.agent], tokens.isPasswordTag(token.passwordTag, of: account.hash) else {
            return .revoked
        }
        return nil
    }

    enum Admission: Equatable {
        case confirmed
        /// The cluster is asked first.
        case awaited
        case refused(WorkspaceProblem)
    }

    /// The session of a token, which may be one that this gateway does not know, or knows as it was before it went elsewhere.
    mutating func admit(_ token: SessionToken, _ source: SourceID, _ now: Instant) -> Admission {
        if let session = sessions[token.id] {
            if token.issued > session.issued {
                // It went on at another gateway, which knows more.
                let isSame = token.seat.map { Seat(dn: $0.dn, login: $0.login) } == session.seat
                guard isSame else {
                    forget(token.id, now)
                    return adopt(token, source, now)
                }
                sessions[token.id]!.issued = token.issued
            } else if let seat = token.seat {
                guard session.knownSeats.contains(Seat(dn: seat.dn, login: seat.login)) else {
                    return .refused(.loggedOut)
                }
            }
            if hasStoppedHearing(session) { sessions[token.id]!.isConfirmed = false }
            return sessions[token.id]!.isConfirmed ? .confirmed : .awaited
        }
        return adopt(token, source, now)
    }

    /// The line was let go since there was no page: the agent may have been logged out since, and nobody has told this gateway.
    private func hasStoppedHearing(_ session: Session) -> Bool {
        guard session.work == nil, let seat = session.seat, let line = lines[seat.dn] else { return false }
        return line.live == nil && line.attempt == nil && line.adriftUntil == nil && !line.isSuperseded
    }

    /// A session that this gateway does not know.
    private mutating func adopt(_ token: SessionToken, _ source: SourceID, _ now: Instant) -> Admission {
        guard sessions.count < Self.maximumSessions else { return .refused(.busy) }
        var session = Session(
            id: token.id, agent: token.agent, expires: token.expires, passwordTag: token.passwordTag,
            issued: token.issued, log: EventLog(epoch: epoch), lastUsed: now.monotonic,
            absentUntil: now.monotonic + grace, source: source)
        counters.resumes += 1
        guard let seat = token.seat else {
            sessions[token.id] = session
            audit(.resume, token.id)
            return .confirmed
        }
        guard let index = topology.directory.index(of: seat.dn) else { return .refused(.loggedOut) }
        session.seat = Seat(dn: seat.dn, login: seat.login)
        session.knownSeats = [Seat(dn: seat.dn, login: seat.login)]
        session.isConfirmed = false
        sessions[token.id] = session
        attach(token.id, to: seat.dn, index, hint: topology.nodeIndex(named: seat.node))
        return .awaited
    }

    /// The cluster has said that a session's agent is logged in as its token says.
    mutating func confirm(_ session: SessionID, now: Instant) {
        guard sessions[session]?.isConfirmed == false else { return }
        sessions[session]!.isConfirmed = true
        audit(.resume, session)
        let waiting = sessions[session]!.waiting
        sessions[session]!.waiting = []
        for item in waiting {
            // One of them may end the session.
            guard sessions[session] != nil else {
                refuse(item, .loggedOut)
                continue
            }
            switch item {
            case .command(let id, let command, _): perform(id, command, session, now: now)
            case .stream(let id, let request, _): openStream(id, request, session, now: now)
            }
        }
    }

    mutating func refuse(_ item: Waiting, _ problem: WorkspaceProblem) {
        switch item {
        case .command(let id, _, _): refuse(id, problem, clearsCookie: problem.endsSession)
        case .stream(let id, _, _):
            actions.append(.refuse(id, WorkspaceRefusal(problem, clearsCookie: problem.endsSession)))
        }
    }

    /// A cookie of the session as it is now; the ones before stay good.
    mutating func freshCookie(_ session: SessionID, _ now: Instant) -> CookieOrder {
        let issued = max(now.wallMilliseconds, sessions[session]!.issued)
        sessions[session]!.issued = issued
        let text = tokens.text(of: token(of: session, issued: issued, expires: .max), .cookie)
        let left = sessions[session]!.expires - min(sessions[session]!.expires, now.wallMilliseconds)
        return .set(token: text, maximumAge: left / 1_000)
    }

    /// - Parameter expires: no later than the session does.
    func token(of session: SessionID, issued: UInt64, expires: UInt64) -> SessionToken {
        let known = sessions[session]!
        let seat = known.seat.map { seat in
            let line = lines[seat.dn]
            let owner = line?.view.map(\.owner).flatMap { $0 == .none ? nil : $0 } ?? line?.live
            return SessionToken.Seat(
                dn: seat.dn, node: owner.map { topology.name(of: $0) } ?? "", login: seat.login)
        }
        return SessionToken(
            id: session, agent: known.agent, issued: issued, expires: min(known.expires, expires),
            passwordTag: known.passwordTag, seat: seat)
    }

    // MARK: The end

    /// - Parameter remembers: no token of it is taken any more, at this gateway.
    mutating func end(_ session: SessionID, _ why: StreamEnd, remembers: Bool = false, _ now: Instant) {
        guard let known = sessions[session] else { return }
        audit(.ended(why), session)
        if remembers {
            if ended.count >= Self.maximumEnded, let oldest = ended.min(by: { $0.value < $1.value }) {
                ended[oldest.key] = nil
            }
            ended[session] = known.expires
        }
        let problem: WorkspaceProblem =
            switch why {
            case .expired: .expired
            case .revoked: .revoked
            case .superseded, .loggedOut, .tooManyTabs, .tooSlow, .restarting: .loggedOut
            }
        for item in known.waiting { refuse(item, problem) }
        if let work = known.work {
            refuse(work.request, problem, clearsCookie: true)
        }
        for stream in known.streams { endStream(stream, why) }
        forget(session, now)
    }

    /// Nothing is told anybody.
    mutating func forget(_ session: SessionID, _ now: Instant) {
        guard let known = sessions.removeValue(forKey: session) else { return }
        for stream in known.streams where streams[stream] != nil { endStream(stream, .restarting) }
        for dn in Set([known.seat?.dn, known.work?.dn].compactMap(\.self)).sorted() { detach(session, from: dn, now) }
    }

    mutating func sweepSessions(_ now: Instant) {
        if !ended.isEmpty { ended = ended.filter { $0.value > now.wallMilliseconds } }
        let idle = topology.workspacePolicy.idle.nanoseconds
        // Most have nothing to be done; the others in an order that is the same every time.
        let due = sessions.values.filter { session in
            session.expires <= now.wallMilliseconds || session.work != nil || !session.isConfirmed
                || session.streams.isEmpty && now.since(session.lastUsed) > idle
        }
        for session in due.sorted(by: { $0.id < $1.id }) {
            if session.expires <= now.wallMilliseconds {
                end(session.id, .expired, now)
            } else if session.work != nil || !session.isConfirmed {
                giveUp(session.id, now)
            } else {
                end(session.id, .expired, remembers: true, now)
            }
        }
    }

    /// What takes too long.
    private mutating func giveUp(_ id: SessionID, _ now: Instant) {
        guard sessions[id] != nil else { return }
        if let work = sessions[id]!.work {
            if work.deadline <= now.monotonic {
                workFailed(id, .noNode, now)
            } else if work.isLeaving {
                askLogout(id, now)
            }
        }
        guard let session = sessions[id], !session.isConfirmed,
            session.waiting.allSatisfy({ $0.deadline <= now.monotonic })
        else { return }
        for item in session.waiting { refuse(item, .cannotVerify) }
        forget(id, now)
    }

    // MARK: Words for the log

    mutating func audit(_ event: AuditLine.Event, _ session: SessionID) {
        guard let known = sessions[session] else { return }
        actions.append(
            .audit(
                AuditLine(
                    event, agent: known.agent.text, dn: known.seat?.dn ?? known.work?.dn, source: known.source,
                    session: tokens.shortName(of: session))))
    }

    mutating func auditRefusedResume(_ problem: WorkspaceProblem, _ token: SessionToken, _ source: SourceID) {
        actions.append(
            .audit(
                AuditLine(
                    .resumeRefused(problem), agent: token.agent.text, dn: token.seat?.dn, source: source,
                    session: tokens.shortName(of: token.id))))
    }
}

extension WorkspaceCommand {
    /// It needs what only our own page knows. A ticket is known to no other page.
    var changesSomething: Bool {
        switch self {
        case .renew, .logOut, .choose, .leave, .setPresence: true
        case .session, .agents, .explain, .logIn, .resume, .gateway, .health: false
        }
    }
}

extension WorkspaceProblem {
    /// Whether the session is over with it.
    var endsSession: Bool { statusCode == 401 }
}
