import ClusterModel
import DNOwnership

/// Whether a node hears a peer, judged by what has come over its connections and not by what the machine thinks.
struct Hearing: Equatable, Sendable {
    /// The connection on which the peer introduced itself last, while it is open at this end.
    var connection = -1
    var lineage: Incarnation?
    /// The end of a sync has come, so the peer's DNs may be shown.
    var isCaughtUp = false
    /// One bit a DN: what the snapshot under way has carried.
    var carried: UInt64?
    /// When something came last; a peer that is silent for the link timeout is lost.
    var heardAt: UInt64 = 0
    /// Since when the peer tells what was missed, on a link that stays live.
    var resyncSince: UInt64?
    /// A snapshot was under way when a newer connection came: only another one can mend what is known.
    var isCutShort = false

    /// The peer is heard without delay.
    var isInStep: Bool { isCaughtUp && resyncSince == nil }

    mutating func ended(_ id: Int) {
        guard connection == id else { return }
        self = Hearing()
    }
}

/// What a node has heard in the present event. It counts if the connection survives it.
struct Hearsay: Sendable {
    enum Kind: Equatable, Sendable {
        case connected
        case hello(Incarnation, lineage: Incarnation)
        case snapshotBegin, resumption
        /// One bit a DN.
        case records(UInt64)
        case syncEnd
        case other

        init(_ message: PeerMessage, _ directory: DNDirectory) {
            switch message {
            case .hello(let hello): self = .hello(hello.incarnation, lineage: hello.lineage)
            case .syncBegin(let begin): self = begin.isSnapshot ? .snapshotBegin : .resumption
            case .records(let batch):
                self = .records(
                    batch.owned.reduce(0) { bits, owned in
                        bits | (directory.index(of: owned.dn).map { 1 << UInt64($0.position) } ?? 0)
                    })
            case .syncEnd: self = .syncEnd
            case .claims, .snapshotRequest, .ping, .pong: self = .other
            }
        }
    }

    let node: NodeIndex
    let peer: NodeIndex
    let connection: Int
    let kind: Kind
    /// Nil for a connection that was made.
    let message: PeerMessage?
    /// Before the event, which may have closed an older connection.
    let former: Hearing

    /// What the node hears of the peer from now on.
    func outcome(after present: Hearing, now: UInt64) -> Hearing {
        let isCutShort = former.isCutShort || former.carried != nil
        var hearing = present
        switch kind {
        case .connected:
            // A newer connection takes the older one's place; who is at its other end, the hello will tell.
            return Hearing(
                connection: connection, lineage: former.lineage, isCaughtUp: former.isCaughtUp, heardAt: now,
                isCutShort: isCutShort)
        case .hello(_, let lineage):
            let goesOn = former.isCaughtUp && former.lineage == lineage && !isCutShort
            return Hearing(
                connection: connection, lineage: lineage, isCaughtUp: goesOn, heardAt: now,
                resyncSince: goesOn ? now : nil)
        case .snapshotBegin, .resumption, .records, .syncEnd, .other:
            guard present.connection == connection else { return present }
            hearing.heardAt = now
        }
        switch kind {
        case .snapshotBegin, .resumption:
            if kind == .snapshotBegin { hearing.carried = 0 }
            if hearing.isInStep { hearing.resyncSince = now }
        case .records(let bits):
            hearing.carried = present.carried.map { $0 | bits }
        case .syncEnd:
            hearing.isCaughtUp = true
            hearing.carried = nil
            hearing.resyncSince = nil
        case .connected, .hello, .other: break
        }
        return hearing
    }
}

/// What one node says to another, checked against the rules of the stream: the shadow of a link.
struct StreamModel: Sendable {
    private var connection = -1
    private var isIntroduced = false
    /// The greatest stamp in the hello: what the other end claims after it has heard this exceeds it.
    private(set) var introducedWith = Stamp.zero
    private var isSnapshot = false
    private var hasBegun = false
    private var hasEnded = false
    private var revision: UInt64 = 0
    /// Since the storm ended or the connection was made.
    private(set) var snapshots = 0
    private(set) var messages = 0
    private var isCounting = false
    /// The sender's topology has DNs that it had not, and it may have skipped what was said of them.
    var mayAskAnew = false
    /// The other end has asked, and is told all anew.
    var mayBeginAnew = false

    mutating func forget() {
        connection = -1
        isIntroduced = false
    }

    mutating func beginCounting() {
        isCounting = true
        snapshots = 0
        messages = 0
    }

    /// - Returns: what is wrong with a message that its sender is about to send, or nil.
    mutating func problem(
        with message: PeerMessage, on id: Int, from sender: NodeIndex, chunk: Int, ring: Int
    ) -> String? {
        if connection != id {
            connection = id
            isIntroduced = false
            hasBegun = false
            snapshots = 0
            messages = 0
        }
        switch message {
        case .ping, .pong: break
        case .hello, .syncBegin, .records, .syncEnd, .claims, .snapshotRequest: if isCounting { messages += 1 }
        }
        if case .hello(let hello) = message {
            introducedWith = hello.greatestStamp
            defer { isIntroduced = true }
            return isIntroduced ? "a second hello" : nil
        }
        guard isIntroduced else { return "something before the hello" }
        switch message {
        case .hello, .pong: return nil
        case .syncBegin(let begin): return begins(begin, ring)
        case .records(let batch): return says(batch, sender, chunk)
        case .syncEnd(let position): return ends(position)
        case .claims(let claims):
            return claims.isEmpty || claims.count > chunk ? "\(claims.count) claims in a message" : nil
        case .snapshotRequest:
            defer { mayAskAnew = false }
            return mayAskAnew ? nil : "a snapshot is asked for, so what was heard did not add up"
        case .ping(let ping):
            return ping.position != nil && !hasEnded ? "a ping states a position within a sync" : nil
        }
    }

    private mutating func begins(_ begin: SyncBegin, _ ring: Int) -> String? {
        if !begin.isSnapshot, hasBegun { return "a second sync that is no snapshot" }
        if begin.isSnapshot, hasBegun, begin.revision < revision { return "a snapshot of the past" }
        if mayBeginAnew {
            mayBeginAnew = false
        } else if begin.isSnapshot, hasBegun, begin.revision - revision <= ring {
            return "a snapshot of what the ring holds"
        }
        if begin.isSnapshot, isCounting { snapshots += 1 }
        hasBegun = true
        hasEnded = false
        isSnapshot = begin.isSnapshot
        revision = begin.revision
        return nil
    }

    private mutating func says(_ batch: RecordBatch, _ sender: NodeIndex, _ chunk: Int) -> String? {
        guard hasBegun else { return "records before a sync has begun" }
        guard batch.owned.count + batch.yielded.count <= chunk else { return "more records than a message may have" }
        guard !batch.yielded.contains(where: { $0.claim.owner == sender }) else { return "a yield to itself" }
        guard let revisions = batch.revisions else {
            if !batch.yielded.isEmpty { return "a yield in a piece of a snapshot" }
            return isSnapshot && !hasEnded ? nil : "a piece of a snapshot outside of one"
        }
        guard revisions.lowerBound == revision + 1 else { return "revisions \(revisions) after \(revision)" }
        revision = revisions.upperBound
        return nil
    }

    private mutating func ends(_ position: StreamPosition) -> String? {
        guard hasBegun, !hasEnded else { return "an end of no sync" }
        hasEnded = true
        return position.revision == revision ? nil : "an end at \(position.revision) after \(revision)"
    }
}
