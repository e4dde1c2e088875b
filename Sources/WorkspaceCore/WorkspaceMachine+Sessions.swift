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
        // Whoever tries passwords from elsewhere does not keep the agent out of where it has signed in before.
        let isStrange = !limits.isAcquainted(name, source)
        let attempts: RateLimits.Subject = isStrange ? .agent(name) : .agentFrom(name, source)
        if let wait = (isStrange ? limit(.loginsFrom(source), now) : nil) ?? limit(attempts, now) {
            counters.loginsRefused += 1
            actions.append(refused(.limit))
            return refuse(id, .tooManyAttempts, retryAfter: wait)
        }
        let most = isStrange ? Self.maximumStrangeLogins : Self.maximumLogins
        guard tokens.isUsable, logins.count < most, sessions.count < Self.maximumSessions else {
            return refuse(id, .busy, retryAfter: 1_000)
        }
        let account = agentID.flatMap { accounts[$0] }
        let isHopeless = account == nil || password.count > WorkspaceCommand.maximumPassword
        logins[id] = PendingLogin(
            agent: name, account: account, source: source, fresh: fresh, isHopeless: isHopeless,
            isStrange: isStrange)
        // Whoever asks for an agent that there is not waits as long as for one that there is.
        actions.append(
            .verify(
                id, password: Array(password.prefix(WorkspaceCommand.maximumPassword)), hash: account?.hash ?? decoy))
    }

    /// - Parameter isRight: nil where nobody could look at the password.
    package mutating func passwordVerified(_ id: RequestID, _ isRight: Bool?, now: Instant) {
        guard let login = logins.removeValue(forKey: id) else { return }
        guard let isRight else { return refuse(id, .busy, retryAfter: 1_000) }
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
        // Many agents may come from one address; what is limited is how many passwords it tries.
        if login.isStrange { limits.giveBack(.loginsFrom(login.source), now: now) }
        limits.acquaint(account.agent.text, login.source, now: now)
        makeRoom(for: account.agent, now)
        begin(
            SessionToken(
                id: session, agent: account.agent, issued: now.wallMilliseconds, expires: .max,
                sessionExpires: now.wallMilliseconds + topology.workspacePolicy.session.nanoseconds / 1_000_000,
                passwordTag: tokens.passwordTag(of: account.hash)), login.source, now)
        audit(.login, session)
        let cookie = freshCookie(session, now)
        answer(id, .session(sessionView(session, now), cookie: cookie))
        drain(now)
    }

    private mutating func makeRoom(for agent: AgentID, _ now: Instant) {
        let others = sessions.values.filter { $0.agent == agent }
        guard others.count >= Self.maximumSessionsOfAgent else { return }
        let unwatched = others.filter { $0.streams.isEmpty && $0.work == nil && $0.waiting.isEmpty }
        guard let oldest = unwatched.min(by: { ($0.lastUsed, $0.id) < ($1.lastUsed, $1.id) }) else { return }
        end(oldest.id, .superseded, remembers: .all, now)
    }

    // MARK: Tokens

    /// Whether a ticket is that of an agent, and another one is signed in in that browser: a link to this gateway with somebody's ticket
    /// in it must not put its reader in somebody's place.
    func isOthers(_ ticket: String, than cookie: String, _ now: Instant) -> Bool {
        guard let here = tokens.token(cookie, .cookie), problem(of: here, now) == nil,
            let other = tokens.token(ticket, .ticket)
        else { return false }
        return other.agent != here.agent
    }

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
        switch admit(token, purpose, source, now) {
        case .confirmed: perform(id, command, token.id, now: now)
        case .refused(let problem): refuse(id, problem, clearsCookie: !isResume() && problem.endsSession)
        case .awaited:
            sessions[token.id]!.waiting.append(
                .command(id, command, deadline: now.monotonic + Self.commandPatience))
            seek(sessions[token.id]?.seat?.dn, now)
        }
    }

    /// Why a token that was signed here is good for nothing.
    func problem(of token: SessionToken, _ now: Instant) -> WorkspaceProblem? {
        guard token.expires > now.wallMilliseconds else { return .expired }
        if let end = ended[token.id], end.issued.map({ token.issued <= $0 }) ?? true,
            !faults.contains(.tokenOutlivesLogout)
        {
            return .loggedOut
        }
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
    mutating func admit(
        _ token: SessionToken, _ purpose: SessionToken.Purpose, _ source: SourceID, _ now: Instant
    ) -> Admission {
        guard let session = sessions[token.id] else { return adopt(token, source, now) }
        let isYounger = token.issued > session.issued
        if let seat = token.seat.map({ Seat($0) }), seat != session.seat, !session.knownSeats.contains(seat) {
            let isFormer = session.formerSeats.contains(seat)
            // Clocks of gateways differ, so a seat that nobody here knows may be news all the same.
            guard isFormer || token.issued + Self.clockTolerance < session.issued else {
                return adoptAnew(token, source, now)
            }
            guard isFormer, now.monotonic < session.formerUntil else { return .refused(.loggedOut) }
        } else if isYounger, token.seat == nil, session.seat != nil {
            return adoptAnew(token, source, now)
        }
        sessions[token.id]!.issued = max(session.issued, token.issued)
        return recognized(token.id, comesHere: isYounger && purpose == .ticket)
    }

    /// A session that is known here. What this gateway has stopped hearing of may be over.
    ///
    /// - Parameter comesHere: its page was at another gateway, and is here now.
    private mutating func recognized(_ id: SessionID, comesHere: Bool) -> Admission {
        guard let session = sessions[id], session.standing == .confirmed, session.work == nil, let seat = session.seat,
            let line = lines[seat.dn]
        else { return sessions[id]?.isConfirmed == true ? .confirmed : .awaited }
        if line.isSuperseded {
            sessions[id]!.standing = comesHere ? .arriving : .doubted
        } else if line.live == nil, line.adriftUntil == nil {
            // It was let go, since there was no page.
            sessions[id]!.standing = .doubted
        }
        return sessions[id]!.isConfirmed ? .confirmed : .awaited
    }

    /// The session went on at another gateway, which knows more.
    private mutating func adoptAnew(_ token: SessionToken, _ source: SourceID, _ now: Instant) -> Admission {
        let former = sessions[token.id]
        forget(token.id, .cannotVerify, now)
        let admission = adopt(token, source, now)
        // What other tabs have asked with the former token is on its way.
        if let former { sessions[token.id]?.remember(former, until: now.monotonic + Self.formerPatience) }
        return admission
    }

    /// A session that this gateway does not know.
    private mutating func adopt(_ token: SessionToken, _ source: SourceID, _ now: Instant) -> Admission {
        guard sessions.count < Self.maximumSessions else { return .refused(.busy) }
        // Pages renew their tokens, so nobody has looked at this one.
        let idle = topology.workspacePolicy.idle.nanoseconds / 1_000_000
        guard token.issued + idle + Self.clockTolerance > now.wallMilliseconds else { return .refused(.expired) }
        let seated = token.seat.map { ($0, topology.directory.index(of: $0.dn)) }
        if let seated, seated.1 == nil { return .refused(.loggedOut) }
        counters.resumes += 1
        begin(token, source, now)
        guard case (let seat, let index?)? = seated else {
            audit(.resume, token.id)
            return .confirmed
        }
        sessions[token.id]!.sat(at: Seat(seat))
        sessions[token.id]!.standing = .arriving
        attach(token.id, to: seat.dn, index, hint: topology.nodeIndex(named: seat.node))
        return .awaited
    }

    /// Without a seat.
    private mutating func begin(_ token: SessionToken, _ source: SourceID, _ now: Instant) {
        sessionsBegun += 1
        sessions[token.id] = Session(
            id: token.id, agent: token.agent, expires: token.sessionExpires, passwordTag: token.passwordTag,
            issued: token.issued, log: EventLog(epoch: mixed(epoch &+ sessionsBegun)), lastUsed: now.monotonic,
            renewsAt: now.monotonic + renewalEach, absentUntil: now.monotonic + grace, source: source)
    }

    /// How often pages need a younger ticket, nanoseconds. Whoever loses the gateway has one that is good for long enough.
    private var renewalEach: UInt64 {
        min(Self.ticketLife * 1_000_000 * 2 / 5, topology.workspacePolicy.idle.nanoseconds / 2)
    }

    /// The cluster has said that a session's agent is logged in as its token says.
    mutating func confirm(_ session: SessionID, now: Instant) {
        guard sessions[session]?.isConfirmed == false else { return }
        if sessions[session]!.standing == .arriving { audit(.resume, session) }
        sessions[session]!.standing = .confirmed
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
        // Younger than all before, whatever the clock of the gateway that made them said.
        let issued = max(now.wallMilliseconds, sessions[session]!.issued + 1)
        sessions[session]!.issued = issued
        sessions[session]!.renewsAt = now.monotonic + renewalEach
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
            sessionExpires: known.expires, passwordTag: known.passwordTag, seat: seat)
    }

    // MARK: The end

    /// What becomes of the tokens of a session that ends here.
    enum Remembrance {
        case none
        /// None of them is taken any more, at this gateway.
        case all
        /// Those that another gateway has issued meanwhile are.
        case issued
    }

    mutating func end(_ session: SessionID, _ why: StreamEnd, remembers: Remembrance = .none, _ now: Instant) {
        guard let known = sessions[session] else { return }
        audit(.ended(why), session)
        if remembers != .none {
            if ended.count >= Self.maximumEnded, let oldest = ended.min(by: { $0.value.expires < $1.value.expires }) {
                ended[oldest.key] = nil
            }
            ended[session] = Ended(expires: known.expires, issued: remembers == .issued ? known.issued : nil)
        }
        let problem: WorkspaceProblem =
            switch why {
            case .expired: .expired
            case .revoked: .revoked
            case .superseded, .loggedOut, .tooManyTabs, .tooSlow, .restarting: .loggedOut
            }
        for stream in known.streams { endStream(stream, why, now) }
        forget(session, problem, now)
    }

    /// - Parameter problem: what those are told who wait for it.
    mutating func forget(_ session: SessionID, _ problem: WorkspaceProblem, _ now: Instant) {
        guard let known = sessions.removeValue(forKey: session) else { return }
        for item in known.waiting { refuse(item, problem) }
        if let work = known.work { refuse(work.request, problem, clearsCookie: problem.endsSession) }
        for stream in known.streams where streams[stream] != nil { endStream(stream, .restarting, now) }
        for dn in Set([known.seat?.dn, known.work?.dn].compactMap(\.self)).sorted() { detach(session, from: dn, now) }
    }

    mutating func sweepSessions(_ now: Instant) {
        sweepEnded(now)
        let idle = topology.workspacePolicy.idle.nanoseconds
        for id in sessions.due() {
            guard let session = sessions[id] else { continue }
            if session.expires <= now.wallMilliseconds {
                end(id, .expired, now)
            } else if session.work != nil || !session.isConfirmed {
                giveUp(id, now)
                sessions.watch(id)
            } else if session.streams.isEmpty {
                if now.since(session.lastUsed) > idle { end(id, .expired, remembers: .issued, now) }
            } else if session.renewsAt <= now.monotonic {
                sessions[id]!.renewsAt = now.monotonic + renewalEach
                tell(id, .renew)
            }
        }
    }

    private mutating func sweepEnded(_ now: Instant) {
        guard now.since(endedSwept) >= 10 * Self.second else { return }
        endedSwept = now.monotonic
        ended = ended.filter { $0.value.expires > now.wallMilliseconds }
    }

    /// What takes too long.
    private mutating func giveUp(_ id: SessionID, _ now: Instant) {
        if let work = sessions[id]?.work {
            if work.deadline <= now.monotonic {
                workFailed(id, .noNode, now)
            } else if work.isLeaving {
                askLogout(id, now)
            }
        }
        guard let session = sessions[id], !session.isConfirmed else { return }
        let late = session.waiting.filter { $0.deadline <= now.monotonic }
        if !late.isEmpty {
            for item in late { refuse(item, .cannotVerify) }
            sessions[id]!.waiting.removeAll { $0.deadline <= now.monotonic }
        }
        guard late.count == session.waiting.count else { return }
        if session.standing == .arriving {
            forget(id, .cannotVerify, now)
        } else {
            // The next one who comes asks again.
            sessions[id]!.standing = .confirmed
        }
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
