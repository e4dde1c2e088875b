package import ClusterModel

// What this node says to its peers. Everything is pulled: a peer that reads slowly only falls behind in the ring, and
// from there to a snapshot; nothing piles up.
extension OwnershipMachine {
    /// The next message to a peer, or nil when there is nothing to say now.
    ///
    /// The order within a pull binds: introductions first, then proofs of greater claims, then deltas, then the
    /// snapshot, then its end, so that an end always stands for everything said before it.
    package mutating func nextMessage(for peer: NodeIndex, now: Instant) -> PeerMessage? {
        guard links[peer.position].connection != nil else { return nil }
        if !links[peer.position].control.isEmpty { return links[peer.position].control.removeFirst() }
        guard links[peer.position].isIntroduced else { return nil }
        if let owed = links[peer.position].pongOwed {
            links[peer.position].pongOwed = nil
            return .pong(Pong(sentAt: owed.sentAt, receivedAt: owed.receivedAt, answeredAt: now.monotonic))
        }
        if let due = links[peer.position].snapshotRequestDue, due <= now.monotonic {
            // Asked once; the snapshot's beginning clears it, and silence closes the link.
            links[peer.position].snapshotRequestDue = .max
            return .snapshotRequest
        }
        if let claims = nextClaims(for: peer) { return .claims(claims) }
        if let stream = nextOfStream(for: peer) { return stream }
        return nextPing(for: peer, now: now)
    }

    /// Whether the peer has introduced itself and every change that there is was put into a message to it.
    package func hasToldAll(to peer: NodeIndex) -> Bool {
        links[peer.position].isIntroduced && links[peer.position].sentRevision == revision
            && links[peer.position].control.isEmpty && links[peer.position].claimsOwed.isEmpty
    }

    private mutating func nextPing(for peer: NodeIndex, now: Instant) -> PeerMessage? {
        guard links[peer.position].owesPing || links[peer.position].nextPing <= now.monotonic else { return nil }
        links[peer.position].owesPing = false
        links[peer.position].nextPing = now.monotonic + keepalive
        var position: StreamPosition?
        if case .streaming(owesEnd: false) = links[peer.position].outbound { position = streamPosition }
        return .ping(Ping(sentAt: now.monotonic, position: position))
    }

    private var streamPosition: StreamPosition {
        StreamPosition(revision: revision, generation: identity.generation, count: ownCount, digest: ownDigest)
    }

    // MARK: The stream

    private mutating func nextOfStream(for peer: NodeIndex) -> PeerMessage? {
        let outbound = links[peer.position].outbound
        if case .idle = outbound { return nil }
        if links[peer.position].sentRevision < revision {
            guard holdsRing(after: links[peer.position].sentRevision) else {
                beginSnapshot(to: peer)
                return links[peer.position].control.removeFirst()
            }
            return .records(nextDeltas(for: peer))
        }
        switch outbound {
        case .idle:
            return nil
        case .snapshot(let cursor):
            let (chunk, next) = snapshotChunk(from: cursor)
            if let next {
                links[peer.position].outbound = .snapshot(cursor: next)
            } else {
                links[peer.position].outbound = .streaming(owesEnd: true)
            }
            return .records(chunk)
        case .streaming(let owesEnd):
            guard owesEnd else { return nil }
            links[peer.position].outbound = .streaming(owesEnd: false)
            return .syncEnd(streamPosition)
        }
    }

    private mutating func nextDeltas(for peer: NodeIndex) -> RecordBatch {
        let first = links[peer.position].sentRevision + 1
        var last = min(revision, links[peer.position].sentRevision + UInt64(configuration.chunkRecords))
        var batch = RecordBatch(revisions: nil)
        var sessionCount = 0
        for revision in first...last {
            let dn = ring[Int(revision % UInt64(ring.count))]
            // Of a DN that is not provisioned any more nobody need hear.
            guard dn != .none else { continue }
            let record = records[dn.position]
            // A later revision of the same DN says it all.
            guard record.saidRevision == revision, let claim = record.claim else { continue }
            let name = topology.directory.dn(at: dn)
            let session = sessions[dn]?.session
            if record.owner == me {
                batch.owned.append(ownedRecord(record, dn, name))
            } else {
                let isTold = !configuration.faults.contains(.heldSessionUntold)
                batch.yielded.append(HeardClaim(dn: name, claim: claim, session: isTold ? session : nil))
            }
            if session != nil || calls[dn] != nil { sessionCount += 1 }
            if sessionCount == configuration.chunkSessions {
                last = revision
                break
            }
        }
        batch.revisions = first...last
        links[peer.position].sentRevision = last
        if configuration.faults.contains(.coalescingLoses), batch.owned.count > 1 { batch.owned.removeLast() }
        return batch
    }

    private func ownedRecord(_ record: Record, _ dn: DNIndex, _ name: DN) -> OwnedRecord {
        OwnedRecord(
            dn: name, stamp: record.stamp, service: record.service, occupancy: record.occupancy,
            session: sessions[dn]?.session, calls: calls[dn])
    }

    private func snapshotChunk(from cursor: Int) -> (RecordBatch, next: Int?) {
        var batch = RecordBatch(revisions: nil)
        var position = cursor
        var sessionCount = 0
        while position < records.count {
            let record = records[position]
            if record.owner == me {
                if batch.owned.count == configuration.chunkRecords || sessionCount == configuration.chunkSessions {
                    return (batch, position)
                }
                let dn = DNIndex(position)
                if sessions[dn] != nil || calls[dn] != nil { sessionCount += 1 }
                batch.owned.append(ownedRecord(record, dn, topology.directory.dn(at: dn)))
            }
            position += 1
        }
        return (batch, nil)
    }

    // MARK: Claims owed

    private mutating func nextClaims(for peer: NodeIndex) -> [HeardClaim]? {
        var claims: [HeardClaim] = []
        let limit = min(configuration.chunkRecords, configuration.chunkSessions)
        let owed = links[peer.position].claimsOwed
        if !owed.isEmpty {
            let batch = owed.prefix(limit)
            links[peer.position].claimsOwed.removeFirst(batch.count)
            for dn in batch {
                links[peer.position].claimsOwedSet.remove(dn)
                append(dn, to: &claims)
            }
        } else if let cursor = links[peer.position].returnCursor {
            var position = cursor
            while position < records.count, claims.count < limit {
                let record = records[position]
                if record.owner == peer, !record.isSaid, !record.isProvisional {
                    append(DNIndex(position), to: &claims)
                }
                position += 1
            }
            links[peer.position].returnCursor = position < records.count ? position : nil
        }
        return claims.isEmpty ? nil : claims
    }

    private func append(_ dn: DNIndex, to claims: inout [HeardClaim]) {
        guard let claim = records[dn.position].claim else { return }
        claims.append(HeardClaim(dn: topology.directory.dn(at: dn), claim: claim, session: sessions[dn]?.session))
    }
}
