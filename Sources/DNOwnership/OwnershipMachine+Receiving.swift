import ClusterModel

// What peers say, and what this node makes of it.
extension OwnershipMachine {
    mutating func receivedIntroduced(
        _ message: PeerMessage, from peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        switch message {
        case .hello:
            break  // Handled before; a second one closes the connection.
        case .syncBegin(let begin):
            syncBegan(begin, from: peer, now: now, &actions)
        case .records(let batch):
            apply(batch, from: peer, now: now, &actions)
        case .syncEnd(let position):
            syncEnded(position, from: peer, now: now, &actions)
        case .claims(let claims):
            for heard in claims {
                guard hearsStamp(heard.claim.stamp, from: peer, now: now, &actions) else { return }
                if let stamp = heard.session?.stamp {
                    guard hearsStamp(stamp, from: peer, now: now, &actions) else { return }
                }
                if let dn = known(heard.dn, from: peer),
                    !isVoid(heard.claim.stamp, of: dn)
                {
                    hear(heard, of: dn, from: peer, now: now, &actions)
                }
            }
        case .snapshotRequest:
            beginSnapshot(to: peer)
        case .ping(let ping):
            links[peer.position].pongOwed = Link.PongOwed(sentAt: ping.sentAt, receivedAt: now.monotonic)
            if let position = ping.position { compare(position, from: peer, now: now) }
        case .pong(let pong):
            links[peer.position].latency.heard(pong, at: now.monotonic)
        }
    }

    /// - Returns: false when the stamp closed the link.
    private mutating func hearsStamp(
        _ stamp: Stamp, from peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]
    ) -> Bool {
        if stamp <= clock.greatest { return true }
        if let problem = refusal(of: stamp, now: now) {
            close(peer, problem, now: now, &actions)
            return false
        }
        observe(stamp)
        if stamp.milliseconds > now.wallMilliseconds {
            let ahead = stamp.milliseconds - now.wallMilliseconds
            links[peer.position].clockAheadMilliseconds = max(links[peer.position].clockAheadMilliseconds, ahead)
        }
        return true
    }

    /// What is said of a DN that the topology does not have is skipped; it is asked for when a later one has it.
    @inline(__always)
    private mutating func known(_ dn: DN, from peer: NodeIndex) -> DNIndex? {
        if let index = topology.directory.index(of: dn) { return index }
        links[peer.position].hasSkipped = true
        return nil
    }

    /// What was claimed before the DN was introduced.
    @inline(__always)
    private func isVoid(_ stamp: Stamp, of dn: DNIndex) -> Bool {
        topology.directory.isVoid(stamp, of: dn) && !configuration.faults.contains(.voidClaimAdopted)
    }

    // MARK: Streams

    private mutating func syncBegan(
        _ begin: SyncBegin, from peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        let link = links[peer.position]
        if begin.isSnapshot {
            links[peer.position].snapshotCount += 1
            links[peer.position].isReceivingSnapshot = true
            links[peer.position].hasSkipped = false
            links[peer.position].snapshotRequestDue = nil
            forgetWords(of: peer)
            links[peer.position].applied = link.lineage.map { ResumePosition(lineage: $0, revision: begin.revision) }
        } else if link.applied?.revision != begin.revision || link.applied?.lineage != link.lineage {
            links[peer.position].applied = nil
            requestSnapshot(from: peer, now: now)
        } else {
            links[peer.position].resumptionCount += 1
        }
        if link.phase == .live, link.resyncDeadline == nil {
            links[peer.position].resyncDeadline = now.monotonic + 2 * linkTimeout
        }
        if configuration.faults.contains(.liveBeforeEnd) { becomeLive(peer, &actions) }
    }

    private mutating func apply(
        _ batch: borrowing RecordBatch, from peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        if let revisions = batch.revisions {
            guard let applied = links[peer.position].applied, applied.revision &+ 1 == revisions.lowerBound else {
                // A gap. Nothing after it counts until a snapshot has mended it.
                links[peer.position].applied = nil
                requestSnapshot(from: peer, now: now)
                return
            }
        } else if !links[peer.position].isReceivingSnapshot {
            return
        }
        if let revisions = batch.revisions, configuration.faults.contains(.halfBatchApplied) {
            links[peer.position].applied?.revision = revisions.upperBound
        }
        // By position: an iterator copies each record.
        for position in batch.owned.indices {
            // A session may be older than the claim, or newer.
            var stamp = batch.owned[position].stamp
            if let session = batch.owned[position].session { stamp = max(stamp, session.stamp) }
            guard hearsStamp(stamp, from: peer, now: now, &actions) else { return }
            guard let dn = known(batch.owned[position].dn, from: peer) else {
                links[peer.position].unknown.said(
                    batch.owned[position].dn, batch.owned[position].service, isSnapshot: batch.revisions == nil,
                    now: now)
                continue
            }
            if !isVoid(batch.owned[position].stamp, of: dn) {
                said(batch.owned[position], of: dn, by: peer, now: now, &actions)
            }
        }
        for yielded in batch.yielded {
            let stamp = max(yielded.claim.stamp, yielded.session?.stamp ?? .zero)
            guard hearsStamp(stamp, from: peer, now: now, &actions) else { return }
            guard let dn = known(yielded.dn, from: peer) else {
                links[peer.position].unknown.dropped(yielded.dn)
                continue
            }
            withdrawWord(of: dn, by: peer, name: yielded.dn)
            guard !isVoid(yielded.claim.stamp, of: dn) else { continue }
            hear(yielded, of: dn, from: peer, now: now, &actions)
        }
        // Only now: a batch that closed the link half-way has to come again.
        if let revisions = batch.revisions { links[peer.position].applied?.revision = revisions.upperBound }
    }

    /// The owner itself speaks of a DN.
    private mutating func said(
        _ owned: borrowing OwnedRecord, of dn: DNIndex, by peer: NodeIndex, now: Instant,
        _ actions: inout [OwnershipAction]
    ) {
        withdrawWord(of: dn, by: peer, name: owned.dn)
        let claim = Claim(owner: peer, stamp: owned.stamp)
        let record = records[dn.position]
        let session = owned.session.flatMap { isNews($0, of: dn) ? $0 : nil }
        let digest = Record.digest(
            of: owned.dn, stamp: owned.stamp, service: owned.service, occupancy: owned.occupancy,
            session: owned.session?.digest ?? 0, calls: owned.calls?.digest ?? 0)
        links[peer.position].saidCount += 1
        links[peer.position].saidDigest &+= digest
        let reclaims = isRegisteredHere(record, after: claim) && record.isSuperseded(by: claim) && mayBeOld(claim)
        if reclaims || (record.claim != claim && !record.isSuperseded(by: claim)) {
            // A greater claim is known here: the peer hears of it, and its word stays in the sum until it yields.
            setAside(digest, of: dn, by: peer)
            if reclaims {
                self.claim(
                    dn, Claim(owner: me, stamp: record.registered), registered: record.registered,
                    service: record.service, session: session, &actions
                )
            } else {
                answerLesserWord(of: dn, by: peer)
                if let session { learn(session, of: dn, &actions) }
            }
            return
        }
        let word = Word(service: owned.service, occupancy: owned.occupancy, calls: owned.calls, isSaid: true)
        adopt(claim, of: dn, word, session: session, heardFrom: peer, &actions)
        guard let held = sessions[dn] else { return }
        sessions[dn]!.said = owned.session?.digest ?? 0
        // The owner does not know of the agent what this node knows.
        if held.session.digest != owned.session?.digest { oweSession(of: dn, to: peer) }
    }

    /// The peer owns the DN and says less of its agent than this node holds.
    private mutating func oweSession(of dn: DNIndex, to peer: NodeIndex) {
        if !configuration.faults.contains(.heldSessionUntold) { links[peer.position].owe(claimOf: dn) }
    }

    /// A session that is greater than the one held, told by whomever.
    private mutating func learn(_ session: AgentSession, of dn: DNIndex, _ actions: inout [OwnershipAction]) {
        let record = records[dn.position]
        if record.owner == me {
            updateOwn(dn, session: session, &actions)
        } else {
            update(dn, session: session, &actions)
            if record.isSaid { oweSession(of: dn, to: record.owner) }
        }
    }

    /// A snapshot says everything anew, so the sum begins at zero: whatever it was, it adds up again. The views stay until
    /// the end of the snapshot.
    private mutating func forgetWords(of peer: NodeIndex) {
        links[peer.position].returnCursor = nil
        links[peer.position].unknown.beginAnew()
        guard links[peer.position].saidCount > 0 else { return }
        links[peer.position].saidCount = 0
        links[peer.position].saidDigest = 0
        links[peer.position].superseded = [:]
        for position in records.indices where records[position].owner == peer { records[position].isSaid = false }
    }

    /// Takes back what the peer last said of a DN, in its sum and here.
    private mutating func withdrawWord(of dn: DNIndex, by peer: NodeIndex, name: DN) {
        let record = records[dn.position]
        if record.owner == peer, record.isSaid {
            links[peer.position].saidCount -= 1
            links[peer.position].saidDigest &-= saidDigest(of: dn, name)
            records[dn.position].isSaid = false
        } else if !links[peer.position].superseded.isEmpty,
            let digest = links[peer.position].superseded.removeValue(forKey: dn)
        {
            links[peer.position].saidCount -= 1
            links[peer.position].saidDigest &-= digest
        }
    }

    /// Whether what a claimant says now may be old: it is telling what happened while it was not heard, or it claims again
    /// with the stamp of a registration from then, as it does when it has heard of another's claim in a sync.
    private func mayBeOld(_ claim: Claim) -> Bool {
        let link = claim.owner.position
        if links[link].phase != .live || links[link].resyncDeadline != nil { return true }
        return claim.stamp <= links[link].introducedWith && !configuration.faults.contains(.reclaimTakenForNews)
    }

    // MARK: Claims

    /// A claim told by `teller`, who need not be its owner: it carries no service. The session that goes with it counts by
    /// itself, whoever owns the DN.
    private mutating func hear(
        _ heard: HeardClaim, of dn: DNIndex, from teller: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        let record = records[dn.position]
        let claim = heard.claim
        let session = heard.session.flatMap { isNews($0, of: dn) ? $0 : nil }
        guard claim.owner != .none, record.isSuperseded(by: claim) else {
            if claim != record.claim { answerLesserWord(of: dn, by: teller) }
            if let session, record.owner != .none { learn(session, of: dn, &actions) }
            return
        }
        if claim.owner == me {
            hearOwnForgottenClaim(claim, of: dn, session: session, now: now, &actions)
        } else if isRegisteredHere(record, after: claim) {
            self.claim(
                dn, Claim(owner: me, stamp: record.registered), registered: record.registered,
                service: record.service, session: session, &actions
            )
        } else {
            let view = visibleService(of: record)
            let stands =
                links[claim.owner.position].phase == .live && view != .ownerUnreachable
                || configuration.faults.contains(.relayedService)
            let word = Word(
                service: stands ? record.service : .superseded, occupancy: stands ? record.occupancy : [],
                calls: stands ? calls[dn] : nil, isSaid: false)
            adopt(claim, of: dn, word, session: session, heardFrom: teller, &actions)
            if stands {
                becomesProvisional(dn, now: now)
            } else {
                // The owner may not know its own claim; it then adopts it, and says so.
                links[claim.owner.position].owe(claimOf: dn)
            }
        }
    }

    /// The latest registration wins, not the latest change of owner.
    private func isRegisteredHere(_ record: Record, after claim: Claim) -> Bool {
        record.owner == me && record.registered > claim.stamp && !configuration.faults.contains(.noReclaim)
    }

    /// Whoever says something lesser is told the greater claim.
    private mutating func answerLesserWord(of dn: DNIndex, by peer: NodeIndex) {
        if !configuration.faults.contains(.lesserWordUnanswered) { links[peer.position].owe(claimOf: dn) }
    }

    /// Somebody holds a claim of this node's that an earlier life of it has made.
    private mutating func hearOwnForgottenClaim(
        _ claim: Claim, of dn: DNIndex, session: AgentSession?, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        let record = records[dn.position]
        if record.owner == me {
            let stamp = clock.next(wallMilliseconds: now.wallMilliseconds)
            self.claim(
                dn, Claim(owner: me, stamp: stamp), registered: stamp, service: record.service, session: session,
                &actions)
        } else {
            self.claim(dn, claim, registered: claim.stamp, service: .restarted, session: session, &actions)
        }
    }

    /// What is said of a DN beside its claim and its agent, and whether its owner itself has said so.
    private struct Word {
        var service: Service
        var occupancy: Occupancy
        var calls: DNCalls?
        var isSaid: Bool
    }

    /// Records a greater claim of another node, or its owner's newer word under the same claim.
    ///
    /// - Parameter session: one that is greater than the one held.
    private mutating func adopt(
        _ claim: Claim, of dn: DNIndex, _ word: Word, session: AgentSession?, heardFrom teller: NodeIndex,
        _ actions: inout [OwnershipAction]
    ) {
        let former = records[dn.position].owner
        setAsideWord(of: dn)
        let change = { (record: inout Record) in
            record.owner = claim.owner
            record.stamp = claim.stamp
            record.service = word.service
            record.occupancy = word.occupancy
            record.isSaid = word.isSaid
            record.isProvisional = false
        }
        if former == me {
            let isAnnounced = !configuration.faults.contains(.noYieldAnnouncement)
            updateOwn(
                dn, session: session, calls: .replace(word.calls), isAnnounced: isAnnounced, &actions, change)
            actions.append(.yielded(dn))
        } else {
            update(dn, session: session, calls: .replace(word.calls), &actions, change)
            let isTold = !configuration.faults.contains(.formerOwnerUntold)
            if isTold, former != .none, former != claim.owner, former != teller {
                links[former.position].owe(claimOf: dn)
            }
        }
    }

    // MARK: Ends and sums

    private mutating func syncEnded(
        _ position: StreamPosition, from peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]
    ) {
        if links[peer.position].applied?.revision == position.revision, links[peer.position].isReceivingSnapshot {
            if !configuration.faults.contains(.noSweep) { sweep(peer, &actions) }
            links[peer.position].isReceivingSnapshot = false
        }
        if !configuration.faults.contains(.claimsNotReturned) { links[peer.position].returnCursor = 0 }
        // What was superseded while the peer could not be told, it still takes for its own.
        if !configuration.faults.contains(.supersededUntold) {
            for dn in links[peer.position].superseded.keys.sorted() { links[peer.position].owe(claimOf: dn) }
        }
        for dn in sessionsUnknown(to: peer) { oweSession(of: dn, to: peer) }
        guard compare(position, from: peer, now: now) else { return }
        links[peer.position].resyncDeadline = nil
        if links[peer.position].phase == .syncing {
            links[peer.position].syncNanoseconds = now.since(links[peer.position].introducedAt)
        }
        becomeLive(peer, &actions)
    }

    /// DNs of the peer of whose agents it has said less than this node holds, sorted.
    private func sessionsUnknown(to peer: NodeIndex) -> [DNIndex] {
        sessions.filter { dn, held in
            let record = records[dn.position]
            return record.owner == peer && record.isSaid && held.said != held.session.digest
        }.keys.sorted()
    }

    private mutating func becomeLive(_ peer: NodeIndex, _ actions: inout [OwnershipAction]) {
        guard links[peer.position].phase == .syncing else { return }
        links[peer.position].phase = .live
        actions.append(.ownerReachable(peer))
    }

    /// What a snapshot did not carry is out of service. Its claims are returned to the peer, which has forgotten them.
    private mutating func sweep(_ peer: NodeIndex, _ actions: inout [OwnershipAction]) {
        for position in records.indices where records[position].owner == peer {
            guard !records[position].isSaid, !records[position].isProvisional else { continue }
            guard records[position].service.isInService else { continue }
            update(DNIndex(position), calls: .replace(nil), &actions) { record in
                record.service = .restarted
                record.occupancy = []
            }
        }
    }

    /// Compares what the peer says it has said with what was heard.
    ///
    /// - Returns: false when they are known to differ; a snapshot will be asked for.
    @discardableResult
    private mutating func compare(_ position: StreamPosition, from peer: NodeIndex, now: Instant) -> Bool {
        links[peer.position].generation = position.generation
        guard !links[peer.position].isReceivingSnapshot else { return false }
        guard let applied = links[peer.position].applied, applied.revision == position.revision else {
            requestSnapshot(from: peer, now: now)
            return false
        }
        // Of another generation's DNs the two may know different ones.
        guard position.generation == identity.generation else { return true }
        if links[peer.position].saidCount == position.count, links[peer.position].saidDigest == position.digest {
            links[peer.position].mismatches = 0
            return true
        }
        links[peer.position].applied = nil
        requestSnapshot(from: peer, now: now)
        return false
    }

    /// At once the first time; a repeated mismatch waits longer every time, up to half a minute.
    private mutating func requestSnapshot(from peer: NodeIndex, now: Instant) {
        guard links[peer.position].snapshotRequestDue == nil else { return }
        let mismatches = links[peer.position].mismatches
        links[peer.position].mismatches += 1
        let delay: UInt64 = mismatches == 0 ? 0 : min(100_000_000 << UInt64(min(mismatches, 10)), 30_000_000_000)
        links[peer.position].snapshotRequestDue = now.monotonic + delay
        if links[peer.position].phase == .live, links[peer.position].resyncDeadline == nil {
            links[peer.position].resyncDeadline = now.monotonic + delay + 2 * linkTimeout
        }
    }
}
