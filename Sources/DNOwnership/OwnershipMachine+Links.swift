package import ClusterModel

// Connections come and go here; what they carry is in +Receiving and +Sending.
extension OwnershipMachine {
    // MARK: Dialling and accepting

    /// A dial that `OwnershipAction.dial` asked for has a connection.
    package mutating func dialed(
        _ peer: NodeIndex, connection: ConnectionID, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        attach(connection, to: peer, now: now, &actions)
        introduce(to: peer, now: now)
    }

    /// A dial that `OwnershipAction.dial` asked for came to nothing.
    package mutating func dialFailed(_ peer: NodeIndex, now: Instant) {
        links[peer.position].failedDials = max(1, links[peer.position].failedDials)
        scheduleDial(peer, now: now)
    }

    /// Somebody connected to the mesh port. Who it is, the hello tells.
    package mutating func accepted(_ connection: ConnectionID, now: Instant) {
        strangers[connection] = now.monotonic + linkTimeout
    }

    /// A connection is gone, whoever closed it.
    package mutating func disconnected(_ connection: ConnectionID, now: Instant, _ actions: inout [OwnershipAction]) {
        if strangers.removeValue(forKey: connection) != nil { return }
        guard let peer = peer(of: connection) else { return }
        detach(peer, now: now, &actions)
    }

    /// Which peer a connection belongs to, once that is known.
    package func peer(of connection: ConnectionID) -> NodeIndex? {
        links.firstIndex { $0.connection == connection }.map { NodeIndex($0) }
    }

    /// Which peer a connection belongs to, once that peer has introduced itself on it.
    package func introducedPeer(of connection: ConnectionID) -> NodeIndex? {
        peer(of: connection).flatMap { links[$0.position].isIntroduced ? $0 : nil }
    }

    /// The connection to a peer, if there is one.
    package func connection(to peer: NodeIndex) -> ConnectionID? {
        links[peer.position].connection
    }

    private mutating func attach(
        _ connection: ConnectionID, to peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        if let older = links[peer.position].connection { actions.append(.close(older, .replaced)) }
        links[peer.position].connection = connection
        links[peer.position].nextDial = nil
        links[peer.position].lastHeard = now.monotonic
        links[peer.position].connectedAt = now.monotonic
        forgetConversation(with: peer)
    }

    /// Everything that belonged to one connection. What was heard stays, and so does the position in the peer's stream,
    /// unless a snapshot was under way.
    private mutating func forgetConversation(with peer: NodeIndex) {
        // What was asked for and did not come is missing, whatever came after.
        if links[peer.position].snapshotRequestDue != nil { links[peer.position].applied = nil }
        links[peer.position].isIntroduced = false
        links[peer.position].introducedWith = .zero
        links[peer.position].control = []
        links[peer.position].claimsOwed = []
        links[peer.position].claimsOwedSet = []
        links[peer.position].returnCursor = nil
        links[peer.position].outbound = .idle
        links[peer.position].pongOwed = nil
        links[peer.position].owesPing = false
        links[peer.position].latency = LinkLatency()
        links[peer.position].resyncDeadline = nil
        links[peer.position].snapshotRequestDue = nil
        if links[peer.position].isReceivingSnapshot {
            links[peer.position].isReceivingSnapshot = false
            links[peer.position].applied = nil
        }
    }

    private mutating func detach(_ peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]) {
        links[peer.position].connection = nil
        forgetConversation(with: peer)
        // A minute of health earns a dial at once; a link that flaps waits longer every time.
        if now.since(links[peer.position].connectedAt) > 60_000_000_000 { links[peer.position].failedDials = 0 }
        scheduleDial(peer, now: now)
        if !configuration.faults.contains(.lossKeepsLive) { takeDown(peer, &actions) }
        if configuration.faults.contains(.lostLinkDropsOwn) { dropOwn(&actions) }
    }

    /// What a lost link never does to DNs that this node owns, but for `Faults.lostLinkDropsOwn`.
    private mutating func dropOwn(_ actions: inout [OwnershipAction]) {
        for position in records.indices where position % 2 == 0 && records[position].service.isInService {
            serviceLost(DNIndex(position), reason: .flowLost, &actions)
        }
    }

    /// Stops showing the peer's DNs: one step, whatever the number of DNs (seed: "places DN2 … into out of service").
    private mutating func takeDown(_ peer: NodeIndex, _ actions: inout [OwnershipAction]) {
        let wasLive = links[peer.position].phase == .live
        links[peer.position].phase = .down
        guard wasLive else { return }
        links[peer.position].lossCount += 1
        actions.append(.ownerUnreachable(peer))
    }

    /// Closes the peer's connection from this side.
    mutating func close(
        _ peer: NodeIndex, _ problem: LinkProblem, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        guard let connection = links[peer.position].connection else { return }
        actions.append(.close(connection, problem))
        detach(peer, now: now, &actions)
    }

    /// The node with the lesser name dials. At once when a link is lost for the first time or after a healthy minute, as the
    /// peer's listener waits for its next life; 50 ms later if that fails, doubling up to 2 s, each with up to a half more by
    /// chance so that a cluster does not dial in step.
    private mutating func scheduleDial(_ peer: NodeIndex, now: Instant) {
        guard me < peer else { return }
        let attempt = min(links[peer.position].failedDials, 7)
        links[peer.position].failedDials += 1
        let base: UInt64 = attempt == 0 ? 1_000_000 : min(25_000_000 << UInt64(attempt), 2_000_000_000)
        random = mixed(random &+ 0x9E37_79B9_7F4A_7C15)
        links[peer.position].nextDial = now.monotonic + base / 3 * 2 + random % (base / 3)
    }

    // MARK: Introductions

    /// What is told with a stamp of before is told by somebody who may not have heard of what this node has done since: so the
    /// clock moves to all that was before now.
    private mutating func introduce(to peer: NodeIndex, now: Instant) {
        observe(Stamp(rawValue: max(1, Stamp(milliseconds: now.wallMilliseconds, counter: 0).rawValue) - 1))
        let hello = hello(to: peer)
        links[peer.position].introducedWith = hello.greatestStamp
        links[peer.position].control = [.hello(hello)]
    }

    private func hello(to peer: NodeIndex) -> Hello {
        Hello(
            cluster: topology.cluster, node: topology.name(of: me), incarnation: identity.incarnation,
            lineage: identity.lineage, generation: identity.generation, greatestStamp: clock.greatest,
            resume: links[peer.position].applied
        )
    }

    /// A message arrived. Messages of connections that were closed meanwhile are ignored.
    package mutating func received(
        _ message: PeerMessage, from connection: ConnectionID, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        if case .hello(let hello) = message {
            introduced(hello, by: connection, now: now, &actions)
            return
        }
        if strangers.removeValue(forKey: connection) != nil {
            actions.append(.close(connection, .helloExpected))
            return
        }
        guard let peer = peer(of: connection) else { return }
        guard links[peer.position].isIntroduced else {
            close(peer, .helloExpected, now: now, &actions)
            return
        }
        links[peer.position].lastHeard = now.monotonic
        receivedIntroduced(message, from: peer, now: now, &actions)
    }

    private mutating func introduced(
        _ hello: Hello, by connection: ConnectionID, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        let isStranger = strangers.removeValue(forKey: connection) != nil
        let known = peer(of: connection)
        guard isStranger || known != nil else { return }
        if let known, links[known.position].isIntroduced {
            close(known, .unexpectedHello, now: now, &actions)
            return
        }
        switch check(hello, now: now, dialed: known) {
        case .failure(let problem):
            if let known {
                close(known, problem, now: now, &actions)
            } else {
                actions.append(.close(connection, problem))
            }
        case .success(let peer):
            if isStranger {
                attach(connection, to: peer, now: now, &actions)
                introduce(to: peer, now: now)
            }
            welcome(hello, from: peer, now: now, &actions)
        }
    }

    private func check(_ hello: Hello, now: Instant, dialed: NodeIndex?) -> Result<NodeIndex, LinkProblem> {
        guard hello.protocolVersion == Hello.protocolVersion else {
            return .failure(.wrongVersion(hello.protocolVersion))
        }
        guard hello.cluster == topology.cluster else { return .failure(.wrongCluster(hello.cluster)) }
        guard let peer = topology.nodeIndex(named: hello.node), peer != me, dialed == nil || dialed == peer else {
            return .failure(.unknownNode(hello.node))
        }
        guard dialed != nil || peer < me else { return .failure(.wrongDirection) }
        if let known = links[peer.position].incarnation, hello.incarnation < known,
            !configuration.faults.contains(.staleIncarnationAccepted)
        {
            return .failure(.staleIncarnation)
        }
        if let problem = refusal(of: hello.greatestStamp, now: now) { return .failure(problem) }
        return .success(peer)
    }

    /// Stamps from the far future close the link.
    func refusal(of stamp: Stamp, now: Instant) -> LinkProblem? {
        guard configuration.refuses(stamp, now: now) else { return nil }
        return .clockTooFarAhead(milliseconds: stamp.milliseconds - now.wallMilliseconds)
    }

    private mutating func welcome(
        _ hello: Hello, from peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        observe(hello.greatestStamp)
        let ahead = hello.greatestStamp.milliseconds
        links[peer.position].clockAheadMilliseconds =
            ahead > now.wallMilliseconds ? ahead - now.wallMilliseconds : 0
        // A newer connection of the same lineage goes on where the older stopped: what was shown stays.
        let goesOn =
            links[peer.position].phase == .live && links[peer.position].lineage == hello.lineage
            && links[peer.position].applied?.lineage == hello.lineage
        if goesOn {
            links[peer.position].resyncDeadline = now.monotonic + 2 * linkTimeout
        } else {
            takeDown(peer, &actions)
            links[peer.position].phase = .syncing
        }
        links[peer.position].isIntroduced = true
        links[peer.position].incarnation = hello.incarnation
        links[peer.position].lineage = hello.lineage
        links[peer.position].generation = hello.generation
        links[peer.position].lastHeard = now.monotonic
        links[peer.position].nextPing = now.monotonic
        links[peer.position].introducedAt = now.monotonic
        if let resume = hello.resume, resume.lineage == identity.lineage, holdsRing(after: resume.revision) {
            links[peer.position].sentRevision = resume.revision
            links[peer.position].outbound = .streaming(owesEnd: true)
            links[peer.position].control.append(.syncBegin(SyncBegin(isSnapshot: false, revision: resume.revision)))
            if configuration.faults.contains(.resumeOffByOne) { skipRevision(to: peer) }
        } else {
            beginSnapshot(to: peer)
        }
    }

    /// Covers the next revision without its record: `Faults.resumeOffByOne`.
    private mutating func skipRevision(to peer: NodeIndex) {
        let next = links[peer.position].sentRevision + 1
        guard next <= revision else { return }
        links[peer.position].sentRevision = next
        links[peer.position].control.append(.records(RecordBatch(revisions: next...next)))
    }

    /// Whether every revision after a position can still be told.
    func holdsRing(after position: UInt64) -> Bool {
        let reach = UInt64(ring.count) + (configuration.faults.contains(.ringOffByOne) ? 1 : 0)
        return position >= ringFloor && position <= revision && revision - position <= reach
    }

    /// Starts to tell everything. A beginning that has not left yet is replaced, so asking again and again costs nothing.
    mutating func beginSnapshot(to peer: NodeIndex) {
        links[peer.position].control.removeAll { if case .syncBegin = $0 { true } else { false } }
        links[peer.position].sentRevision = revision
        links[peer.position].outbound = .snapshot(cursor: 0)
        links[peer.position].control.append(.syncBegin(SyncBegin(isSnapshot: true, revision: revision)))
    }
}
