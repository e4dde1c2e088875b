package import ClusterModel

// What the successor of this process is given of its table and its links. It goes on in the same lineage: peers see neither
// another stream nor another place in it.
//
// A table of a million DNs takes longer than anybody would wait. So DNs go over one by one while this process serves on, and
// at the end those that have changed since; `changedDNs(since:)` finds them by comparing with a copy of that time.
extension OwnershipMachine {
    /// Whether there is anything to be told of a DN.
    package func isKnown(_ dn: DNIndex) -> Bool { records[dn.position].owner != .none || sessions[dn] != nil }

    /// All that is known of one DN: record, agent and calls.
    package mutating func transfer(_ dn: DNIndex, _ state: inout StateTransfer) {
        state.message(1, &records[dn.position])
        // Whoever owned it has gone, and with him whatever he said of it.
        guard !state.takeLoss() else { return forget(dn) }
        // What is not told any more is not there any more.
        var session = state.isReading ? nil : sessions[dn]
        state.optional(2, &session)
        var calls = state.isReading ? nil : self.calls[dn].map { TransferredCalls($0) }
        state.optional(3, &calls)
        guard state.isReading else { return }
        sessions[dn] = session
        self.calls[dn] = calls?.value
    }

    private mutating func forget(_ dn: DNIndex) {
        records[dn.position] = Record()
        sessions[dn] = nil
        calls[dn] = nil
    }

    /// DNs of which this machine knows something else than an earlier copy of it, in order.
    package func changedDNs(since earlier: OwnershipMachine) -> [DNIndex] {
        var changed: Set<DNIndex> = []
        for position in records.indices where records[position] != earlier.records[position] {
            changed.insert(DNIndex(position))
        }
        for (dn, held) in sessions where earlier.sessions[dn] != held { changed.insert(dn) }
        for dn in earlier.sessions.keys where sessions[dn] == nil { changed.insert(dn) }
        for (dn, held) in calls where earlier.calls[dn] != held { changed.insert(dn) }
        for dn in earlier.calls.keys where calls[dn] == nil { changed.insert(dn) }
        return changed.sorted()
    }

    /// Whether what is known of a DN is what an earlier copy of this machine knows of it.
    package func isSame(_ dn: DNIndex, as earlier: OwnershipMachine) -> Bool {
        records[dn.position] == earlier.records[dn.position] && sessions[dn] == earlier.sessions[dn]
            && calls[dn] == earlier.calls[dn]
    }

    /// Everything but the table, when nothing more happens here. After it is read, the sums of what this node says it owns are
    /// made of the table: they prove that all of it has come.
    package mutating func transferRest(_ state: inout StateTransfer) {
        var greatest = clock.greatest
        state.number(1, &greatest)
        if state.isReading {
            // Another topology may have DNs that were introduced since; under the same one a process goes on as the one before it.
            let least = state.renumbering == nil ? .zero : clock.greatest
            clock = HybridClock(startingAbove: max(least, greatest))
        }
        state.number(2, &revision)
        transferRing(3, &state)
        state.perNode(4, &links, from: .blank)
        transferProvisionals(5, &state)
        state.fixed(6, &random)
        var (count, digest) = (ownCount, ownDigest)
        state.number(7, &count)
        state.fixed(8, &digest)
        var waiting = strangers.map { TransferredStranger($0, $1) }.sorted { $0.connection < $1.connection }
        state.list(9, &waiting)
        guard state.isReading else { return }
        strangers = Dictionary(
            waiting.map { (ConnectionID(rawValue: $0.connection), $0.deadline) }, uniquingKeysWith: { $1 })
        if let renumbering = state.renumbering {
            takeStock(renumbering)
            if configuration.faults.contains(.sumsNotRetaken) { (ownCount, ownDigest) = (count, digest) }
        } else {
            check(count, digest, &state)
        }
    }

    /// Connections to peers and from strangers, in order.
    package var connections: [ConnectionID] { (links.compactMap(\.connection) + strangers.keys).sorted() }

    /// Dials that were under way in the process before this one are made again.
    package mutating func goOnDialling(now: Instant) {
        for position in links.indices where position > me.position {
            if links[position].connection == nil, links[position].nextDial == nil {
                dialFailed(NodeIndex(position), now: now)
            }
        }
    }

    /// Messages that go before anything else and wait for room in the connection. They have to be there before a handover.
    package mutating func nextControlMessage(for peer: NodeIndex) -> PeerMessage? {
        guard links[peer.position].connection != nil, !links[peer.position].control.isEmpty else { return nil }
        return links[peer.position].control.removeFirst()
    }

    /// What this node has said, as far as the ring holds it.
    private mutating func transferRing(_ field: Int, _ state: inout StateTransfer) {
        let size = UInt64(ring.count)
        var held: [UInt32] = []
        if !state.isReading {
            let first = revision - min(revision, size)
            held.reserveCapacity(Int(revision - first))
            var next = first
            while next < revision {
                next += 1
                held.append(ring[Int(next % size)].rawValue)
            }
        }
        state.numbers(field, &held)
        guard state.isReading, configuration.faults.isDisjoint(with: .ringPositionLost) else { return }
        guard UInt64(held.count) <= revision else { return state.refuse("the ring holds more than was said") }
        // A build with a smaller ring keeps what fits.
        for (offset, raw) in held.reversed().prefix(ring.count).enumerated() {
            let dn = DNIndex(rawValue: raw)
            guard dn == .none || dn.isWithin(state.bounds) else {
                return state.refuse("the ring leads beyond the table")
            }
            let place = dn == .none ? dn : state.renumbering.map { $0.place(of: dn) ?? .none } ?? dn
            ring[Int((revision - UInt64(offset)) % size)] = place
        }
        ringFloor = revision - min(UInt64(held.count), size)
    }

    private mutating func transferProvisionals(_ field: Int, _ state: inout StateTransfer) {
        var waiting = provisionals[provisionalsHead...].map { TransferredProvisional($0.deadline, $0.dn, $0.claim) }
        state.list(field, &waiting)
        guard state.isReading else { return }
        provisionals = waiting.map { ($0.deadline, $0.dn, $0.claim) }
        provisionalsHead = 0
    }

    private mutating func check(_ count: UInt64, _ digest: UInt64, _ state: inout StateTransfer) {
        (ownCount, ownDigest, ownInService) = (0, 0, 0)
        for position in records.indices where records[position].owner == me { countOwn(DNIndex(position)) }
        guard ownCount == count && ownDigest == digest || configuration.faults.contains(.claimLost) else {
            return state.refuse(
                "the table that has come is not the one that was sent: \(ownCount) DNs of \(count) are owned here")
        }
    }
}

// After a change of the topology.
extension OwnershipMachine {
    /// The sums are those of the DNs that there are now. What peers have said of DNs that were not known is asked for.
    private mutating func takeStock(_ renumbering: Renumbering) {
        (ownCount, ownDigest, ownInService) = (0, 0, 0)
        for position in links.indices {
            links[position].saidCount = UInt64(links[position].superseded.count)
            links[position].saidDigest = links[position].superseded.values.reduce(0) { $0 &+ $1 }
        }
        for position in records.indices where records[position].owner != .none {
            let dn = DNIndex(position)
            let record = records[position]
            if record.owner == me {
                countOwn(dn)
            } else if record.isSaid {
                links[record.owner.position].saidCount += 1
                links[record.owner.position].saidDigest &+= saidDigest(of: dn, topology.directory.dn(at: dn))
            }
        }
        for position in links.indices where !links[position].unknown.isEmpty {
            links[position].unknown.forget { topology.directory.index(of: $0) != nil }
        }
        guard renumbering.addsDNs, !configuration.faults.contains(.skippedDNsNotAskedFor) else { return }
        for position in links.indices where links[position].hasSkipped {
            askAnew(NodeIndex(position))
        }
    }
}

extension Record: Restorable {
    static var blank: Record { Record() }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &stamp)
        state.number(2, &registered)
        state.number(3, &saidRevision)
        state.number(4, &owner)
        state.number(5, &occupancy)
        state.choice(6, &service)
        state.flag(7, &isSaid)
        state.flag(8, &isProvisional)
    }
}

extension HeldSession: Restorable {
    static var blank: HeldSession { HeldSession(session: TransferredSession.blank.value) }

    mutating func transfer(_ state: inout StateTransfer) {
        var session = TransferredSession(self.session)
        state.message(1, &session)
        state.fixed(2, &said)
        self.session = session.value
    }
}

extension ConnectionID: Numbered {}

extension Link: Restorable {
    static var blank: Link { Link() }

    /// What waits in `control` has been put into the connection before; it goes over with what the connection has not sent.
    mutating func transfer(_ state: inout StateTransfer) {
        state.choice(1, &phase)
        state.optional(2, &connection)
        state.flag(3, &isIntroduced)
        state.number(4, &introducedWith)
        state.optional(5, &incarnation)
        state.number(6, &generation)
        transferHeard(&state)
        transferSaid(&state)
        transferHealth(&state)
        if state.isReading || !unknown.isEmpty { state.message(36, &unknown) }
        state.flag(37, &hasSkipped)
    }

    private mutating func transferHeard(_ state: inout StateTransfer) {
        state.optional(7, &applied)
        state.optional(8, &lineage)
        state.number(9, &saidCount)
        state.fixed(10, &saidDigest)
        var words = superseded.map { SupersededWord($0, $1) }.sorted { $0.dn < $1.dn }
        state.list(11, &words)
        if state.isReading { superseded = Dictionary(words.map { ($0.dn, $0.digest) }, uniquingKeysWith: { $1 }) }
        state.flag(12, &isReceivingSnapshot)
        state.optional(13, &resyncDeadline)
        state.optional(14, &snapshotRequestDue)
        state.signed(15, &mismatches)
    }

    private mutating func transferSaid(_ state: inout StateTransfer) {
        // Where the table is told from, plus 2; 0 nothing flows, 1 deltas alone, and 1 more flag for the end that is owed.
        var (cursor, owesEnd): (UInt64, Bool) =
            switch outbound {
            case .idle: (0, false)
            case .streaming(let owesEnd): (1, owesEnd)
            case .snapshot(let cursor): (UInt64(cursor) + 2, false)
            }
        state.number(16, &cursor)
        state.flag(17, &owesEnd)
        if state.isReading {
            switch cursor {
            case 0: outbound = .idle
            case 1: outbound = .streaming(owesEnd: owesEnd)
            case _:
                let place = Int(clamping: cursor - 2)
                outbound = .snapshot(cursor: state.renumbering?.cursor(place) ?? place)
            }
        }
        state.number(18, &sentRevision)
        state.numbers(19, &claimsOwed)
        if state.isReading { claimsOwedSet = Set(claimsOwed) }
        state.cursor(20, &returnCursor)
    }

    private mutating func transferHealth(_ state: inout StateTransfer) {
        state.number(21, &lastHeard)
        state.number(22, &connectedAt)
        state.number(23, &nextPing)
        state.flag(24, &owesPing)
        state.optional(25, &pongOwed)
        state.message(26, &latency)
        state.number(27, &clockAheadMilliseconds)
        state.number(28, &lossCount)
        state.number(29, &snapshotCount)
        state.number(30, &resumptionCount)
        state.number(31, &introducedAt)
        state.optional(32, &syncNanoseconds)
        state.number(33, &dialCount)
        state.optional(34, &nextDial)
        state.signed(35, &failedDials)
    }
}

extension ResumePosition: Restorable {
    package static var blank: ResumePosition { ResumePosition(lineage: Incarnation(rawValue: 0), revision: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &lineage)
        state.number(2, &revision)
    }
}

extension Link.PongOwed: Restorable {
    static var blank: Link.PongOwed { Link.PongOwed(sentAt: 0, receivedAt: 0) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &sentAt)
        state.number(2, &receivedAt)
    }
}

/// A record that a peer has said and a greater claim has superseded.
private struct SupersededWord: Restorable {
    var dn: DNIndex
    var digest: UInt64

    init(_ dn: DNIndex, _ digest: UInt64) {
        self.dn = dn
        self.digest = digest
    }

    static var blank: SupersededWord { SupersededWord(DNIndex(0), 0) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &dn)
        state.fixed(2, &digest)
    }
}

/// A record for which the former owner's word stands in.
private struct TransferredProvisional: Restorable {
    var deadline: UInt64
    var dn: DNIndex
    var claim: Claim

    init(_ deadline: UInt64, _ dn: DNIndex, _ claim: Claim) {
        self.deadline = deadline
        self.dn = dn
        self.claim = claim
    }

    static var blank: TransferredProvisional { TransferredProvisional(0, DNIndex(0), .blank) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &deadline)
        state.number(2, &dn)
        state.message(3, &claim)
    }
}

/// A connection whose hello has not come.
private struct TransferredStranger: Restorable {
    var connection: UInt64
    var deadline: UInt64

    init(_ connection: ConnectionID, _ deadline: UInt64) {
        self.connection = connection.rawValue
        self.deadline = deadline
    }

    static var blank: TransferredStranger { TransferredStranger(ConnectionID(rawValue: 0), 0) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &connection)
        state.number(2, &deadline)
    }
}
