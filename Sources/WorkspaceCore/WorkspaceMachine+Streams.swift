package import ClusterModel

// What pages hear.
extension WorkspaceMachine {
    /// Streams of one session; browsers allow six connections to a host.
    static let maximumStreams = 4

    struct Stream {
        let session: SessionID
        let kind: StreamRequest.Kind
        /// Monotonic nanoseconds.
        var nextBeat: UInt64
    }

    /// Somebody wants to listen. `opened` or `refuse` follows, now or later.
    package mutating func streamAsked(_ id: StreamID, _ request: StreamRequest, now: Instant) {
        defer { drain(now) }
        func refuse(_ problem: WorkspaceProblem, retryAfter: UInt64? = nil) -> WorkspaceAction {
            .refuse(
                id, WorkspaceRefusal(problem, retryAfter: retryAfter, clearsCookie: problem.endsSession))
        }
        guard let token = tokens.token(request.proof.token, .cookie) else {
            if let wait = limit(.requestsFrom(request.source), now) {
                return actions.append(refuse(.tooManyRequests, retryAfter: wait))
            }
            return actions.append(refuse(request.proof.token.isEmpty ? .noSession : .revoked))
        }
        if let wait = limit(.session(token.id), now) {
            return actions.append(refuse(.tooManyRequests, retryAfter: wait))
        }
        if let problem = problem(of: token, now) { return actions.append(refuse(problem)) }
        switch admit(token, .cookie, request.source, now) {
        case .refused(let problem): actions.append(refuse(problem))
        case .confirmed: openStream(id, request, token.id, now: now)
        case .awaited:
            sessions[token.id]!.waiting.append(
                .stream(id, request, deadline: now.monotonic + Self.commandPatience))
            seek(sessions[token.id]?.seat?.dn, now)
        }
    }

    mutating func openStream(_ id: StreamID, _ request: StreamRequest, _ session: SessionID, now: Instant) {
        if request.kind == .supervisor, accounts[sessions[session]!.agent]?.isSupervisor != true {
            return actions.append(.refuse(id, WorkspaceRefusal(.notSupervisor)))
        }
        if sessions[session]!.streams.count >= Self.maximumStreams, let oldest = sessions[session]!.streams.first {
            endStream(oldest, .tooManyTabs, now)
        }
        streams[id] = Stream(session: session, kind: request.kind, nextBeat: now.monotonic + firstBeat(id))
        sessions[session]!.streams.append(id)
        sessions[session]!.absentUntil = nil
        sessions[session]!.lastUsed = now.monotonic
        actions.append(.opened(id))
        switch request.kind {
        case .session: catchUp(id, request.after, session, now)
        case .supervisor: openBoard(id, session, now)
        }
        if let dn = sessions[session]!.seat?.dn { seek(dn, now) }
    }

    /// What the page has missed, or everything.
    private mutating func catchUp(_ id: StreamID, _ after: String?, _ session: SessionID, _ now: Instant) {
        if let after, let missed = sessions[session]!.log.missed(after: after) {
            for event in missed { actions.append(.push(id, event)) }
            return
        }
        let view = agentView(session, now)
        let log = sessions[session]!.log
        let content: StreamEvent.Content = view.map { .state($0) } ?? .notSeated
        // With the number of the last event, after which it goes on.
        actions.append(.push(id, StreamEvent(id: log.lastID, content)))
        if view != nil { sessions[session]!.lastView = view }
    }

    /// The stream was closed by the other side, or could not take more.
    package mutating func streamClosed(_ id: StreamID, now: Instant) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        left(id, stream.session, now)
    }

    private mutating func left(_ id: StreamID, _ session: SessionID, _ now: Instant) {
        guard sessions[session] != nil else { return }
        sessions[session]!.streams.removeAll { $0 == id }
        guard sessions[session]!.streams.isEmpty else { return }
        sessions[session]!.absentUntil = now.monotonic + grace
        sessions[session]!.lastUsed = now.monotonic
        if let dn = sessions[session]!.seat?.dn { lines.watch(dn) }
    }

    /// The session knows already, or is told by who calls this.
    mutating func endStream(_ id: StreamID, _ why: StreamEnd, _ now: Instant) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        actions.append(.end(id, why))
        left(id, stream.session, now)
    }

    /// The gateway ends: pages go elsewhere, or come back to its successor.
    package mutating func close(now: Instant) {
        for id in streams.keys.sorted(by: { $0.rawValue < $1.rawValue }) { endStream(id, .restarting, now) }
    }

    // MARK: What is told

    /// To all pages of a session.
    mutating func tell(_ session: SessionID, _ content: StreamEvent.Content) {
        guard let event = sessions[session]?.log.append(content) else { return }
        for stream in sessions[session]!.streams where streams[stream]?.kind == .session || content == .renew {
            actions.append(.push(stream, event))
        }
    }

    mutating func notify(_ session: SessionID, _ notice: StreamNotice) {
        if let known = sessions[session], known.standing != .arriving { tell(session, .notice(notice)) }
    }

    /// To the pages of all who sit at a line, if anything has changed.
    mutating func pushStates(_ dn: DN, _ now: Instant) {
        for session in lines[dn]?.sessions ?? [] where sessions[session].map({ $0.standing != .arriving }) == true {
            guard let view = agentView(session, now) else { continue }
            if let last = sessions[session]!.lastView, last.isSame(as: view) { continue }
            sessions[session]!.lastView = view
            tell(session, .state(view))
        }
    }

    /// Pages that come at once are not told at once for ever.
    private func firstBeat(_ id: StreamID) -> UInt64 { mixed(id.rawValue) % Self.streamBeat }

    mutating func sweepStreams(_ now: Instant) {
        let due = streams.filter { $0.value.nextBeat <= now.monotonic }.keys
        for id in due.sorted(by: { $0.rawValue < $1.rawValue }) {
            streams[id]!.nextBeat = now.monotonic + Self.streamBeat
            actions.append(.push(id, StreamEvent(.beat(now: now.wallMilliseconds))))
        }
    }
}
