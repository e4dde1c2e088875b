package import ClusterModel

// For explorations of everything that can happen: when two machines are the same, and what has to hold of one.
extension OwnershipMachine {
    /// A stable hash over everything in the machine that decides what it will do while its clock stands still.
    ///
    /// Left out are topology and configuration, which never change, figures for people (losses, syncs, dials, round trips, how far a
    /// clock is ahead, the peer's generation), and what only a moving clock reads (when a peer was last heard, when and
    /// after how many failures to dial).
    package func fingerprint() -> UInt64 {
        var hash = Fingerprint()
        hash.add(UInt64(identity.index.rawValue))
        hash.add(identity.incarnation.rawValue)
        hash.add(identity.lineage.rawValue)
        hash.add(identity.generation)
        hash.add(clock.greatest.rawValue)
        for record in records { record.add(to: &hash) }
        for position in links.indices where position != me.position {
            links[position].add(to: &hash)
            // Only claims above a record's matter, and records only rise.
            let introducedWith = links[position].introducedWith
            let isPast = records.allSatisfy { $0.stamp > introducedWith }
            hash.add(isPast ? 0 : introducedWith.rawValue)
        }
        hash.add(UInt64(strangers.count))
        for (connection, deadline) in strangers.sorted(by: { $0.key < $1.key }) {
            hash.add(connection.rawValue)
            hash.add(deadline)
        }
        addWhatWasSaid(to: &hash)
        addSessions(to: &hash)
        addProvisionals(to: &hash)
        return hash.value
    }

    private func addWhatWasSaid(to hash: inout Fingerprint) {
        hash.add(revision)
        hash.add(ringFloor)
        hash.add(ownCount)
        hash.add(ownDigest)
        hash.add(UInt64(bitPattern: Int64(ownInService)))
        // What the ring no longer holds was overwritten; what it never held is never read.
        let oldest = revision - min(revision, UInt64(ring.count)) + 1
        var held = oldest
        while held <= revision {
            hash.add(UInt64(ring[Int(held % UInt64(ring.count))].rawValue))
            held += 1
        }
    }

    private func addSessions(to hash: inout Fingerprint) {
        for (dn, held) in sessions.sorted(by: { $0.key < $1.key }) {
            hash.add(UInt64(dn.rawValue))
            hash.add(held.session.digest)
            hash.add(records[dn.position].isSaid ? held.said : 0)
        }
        for (dn, calls) in calls.sorted(by: { $0.key < $1.key }) {
            hash.add(UInt64(dn.rawValue))
            hash.add(calls.digest)
        }
    }

    /// Those that a record has outlived do nothing when they are due.
    private func addProvisionals(to hash: inout Fingerprint) {
        for (deadline, dn, claim) in provisionals[provisionalsHead...] {
            guard records[dn.position].isProvisional, records[dn.position].claim == claim else { continue }
            hash.add(deadline)
            hash.add(UInt64(dn.rawValue))
            hash.add(claim.stamp.rawValue)
        }
    }
}

extension Record {
    fileprivate func add(to hash: inout Fingerprint) {
        hash.add(stamp.rawValue)
        hash.add(registered.rawValue)
        hash.add(saidRevision)
        hash.add(UInt64(owner.rawValue))
        hash.add(UInt64(service.rawValue))
        hash.add(UInt64(occupancy.rawValue))
        hash.add(isSaid)
        hash.add(isProvisional)
    }
}

extension Link {
    fileprivate func add(to hash: inout Fingerprint) {
        switch phase {
        case .down: hash.add(0)
        case .syncing: hash.add(1)
        case .live: hash.add(2)
        }
        hash.add(connection?.rawValue)
        hash.add(isIntroduced)
        hash.add(incarnation?.rawValue)
        addWhatWasHeard(to: &hash)
        addWhatIsOwed(to: &hash)
    }

    private func addWhatWasHeard(to hash: inout Fingerprint) {
        hash.add(applied)
        hash.add(lineage?.rawValue)
        hash.add(saidCount)
        hash.add(saidDigest)
        hash.add(UInt64(superseded.count))
        for (dn, digest) in superseded.sorted(by: { $0.key < $1.key }) {
            hash.add(UInt64(dn.rawValue))
            hash.add(digest)
        }
        hash.add(isReceivingSnapshot)
        hash.add(resyncDeadline)
        hash.add(snapshotRequestDue)
        hash.add(UInt64(mismatches))
    }

    private func addWhatIsOwed(to hash: inout Fingerprint) {
        switch outbound {
        case .idle:
            hash.add(0)
        case .snapshot(let cursor):
            hash.add(1)
            hash.add(UInt64(cursor))
        case .streaming(let owesEnd):
            hash.add(2)
            hash.add(owesEnd)
        }
        hash.add(sentRevision)
        hash.add(UInt64(control.count))
        for message in control { message.add(to: &hash) }
        hash.add(UInt64(claimsOwed.count))
        for dn in claimsOwed { hash.add(UInt64(dn.rawValue)) }
        hash.add(returnCursor.map { UInt64($0) })
        hash.add(nextPing)
        hash.add(owesPing)
        hash.add(hasSkipped)
        hash.add(pongOwed?.sentAt)
        hash.add(pongOwed?.receivedAt)
    }
}

// MARK: What has to hold

/// How far a node has applied the stream of one life of a peer, and what that adds up to.
package struct HeardPosition: Equatable, Sendable {
    package var lineage: Incarnation
    package var position: StreamPosition

    package init(lineage: Incarnation, position: StreamPosition) {
        self.lineage = lineage
        self.position = position
    }
}

extension OwnershipMachine {
    /// The claim was heard from another than its owner, and a former owner's word stands in for the owner's.
    package func isProvisional(_ dn: DNIndex) -> Bool { records[dn.position].isProvisional }

    /// What this node says it has said.
    package var saidPosition: StreamPosition {
        StreamPosition(revision: revision, generation: identity.generation, count: ownCount, digest: ownDigest)
    }

    /// What was heard of a peer; nil while a snapshot is under way, and when only one can mend what is known.
    package func heardPosition(of peer: NodeIndex) -> HeardPosition? {
        let link = links[peer.position]
        guard let applied = link.applied, !link.isReceivingSnapshot else { return nil }
        return HeardPosition(
            lineage: applied.lineage,
            position: StreamPosition(
                revision: applied.revision, generation: identity.generation, count: link.saidCount,
                digest: link.saidDigest
            )
        )
    }

    /// The stamp of the last registration that was accepted here.
    package func registered(_ dn: DNIndex) -> Stamp { records[dn.position].registered }

    /// What the peer says now may be old although the link is live: it tells what happened while it was not heard.
    package func isResyncing(_ peer: NodeIndex) -> Bool { links[peer.position].resyncDeadline != nil }

    /// Claims of the peer above this stamp were made after it had heard of this node, so they are news.
    package func introducedWith(_ peer: NodeIndex) -> Stamp { links[peer.position].introducedWith }

    /// The peer's life that was last heard.
    package func incarnation(of peer: NodeIndex) -> Incarnation? { links[peer.position].incarnation }

    /// Messages and claims that wait for a peer.
    package func waiting(for peer: NodeIndex) -> (messages: Int, claims: Int) {
        (links[peer.position].control.count, links[peer.position].claimsOwed.count)
    }

    /// Accepted connections whose hello has not come.
    package var strangerCount: Int { strangers.count }
}
