import ClusterModel

/// One node's side of the link to a peer.
struct Link: Sendable {
    /// What may be shown of the peer's DNs. The raw values go to the process that comes after this one.
    enum Phase: UInt8, Sendable {
        /// Nothing: nobody is connected, or the peer has not introduced itself. Can become `syncing`.
        case down = 0
        /// Still nothing: the peer is telling what it owns. Can become `live` or `down`.
        case syncing = 1
        /// What the peer says. Can become `down`.
        case live = 2
    }

    /// Where this node's own stream to the peer stands.
    enum Outbound: Sendable {
        /// Nothing flows until the hellos are exchanged. Can become `snapshot` or `streaming`.
        case idle
        /// The table is told from `cursor` on, deltas in between. Can become `streaming`, or start again.
        case snapshot(cursor: Int)
        /// Deltas as they come; the end of the sync is owed while `owesEnd`. Can become `snapshot`.
        case streaming(owesEnd: Bool)
    }

    var phase: Phase = .down
    var connection: ConnectionID?
    /// The hello of the present connection was heard.
    var isIntroduced = false
    /// The greatest stamp that this node's hello told on the present connection. Claims that the peer makes after it has
    /// heard the hello exceed it; others may be old.
    var introducedWith = Stamp.zero
    /// The peer's life that was last heard; earlier ones are refused.
    var incarnation: Incarnation?
    var generation: UInt64 = 0
    /// The peer has said something of DNs that this node's topology does not have, since its last snapshot began.
    var hasSkipped = false

    // What the peer says.

    /// The last revision applied, and of which lineage. Nil when only a snapshot can mend what is known.
    var applied: ResumePosition?
    var lineage: Incarnation?
    /// Count and digest of what the peer said it owns.
    var saidCount: UInt64 = 0
    var saidDigest: UInt64 = 0
    /// Digests of records that the peer said and a greater claim has superseded here, until the peer drops them too.
    var superseded: [DNIndex: UInt64] = [:]
    /// DNs that the peer says it owns and that the topology does not have.
    var unknown = UnknownDNs()
    /// The peer is telling everything anew: what it said before counts no more, what it has not said yet is not swept.
    var isReceivingSnapshot = false
    /// When a resync on a live link must be finished, monotonic nanoseconds.
    var resyncDeadline: UInt64?
    /// When to ask for a snapshot after sums that did not match.
    var snapshotRequestDue: UInt64?
    /// Sums that did not match, in a row.
    var mismatches = 0

    // What this node says.

    var outbound: Outbound = .idle
    /// The last revision put into a message to the peer.
    var sentRevision: UInt64 = 0
    /// Messages that go before anything else; a handful at most.
    var control: [PeerMessage] = []
    /// DNs whose claims the peer should hear, without duplicates, so never more than there are DNs.
    var claimsOwed: [DNIndex] = []
    var claimsOwedSet: Set<DNIndex> = []
    /// Where to go on returning records that the peer's snapshot lacked.
    var returnCursor: Int?

    // Liveness and figures.

    var lastHeard: UInt64 = 0
    var connectedAt: UInt64 = 0
    var nextPing: UInt64 = 0
    /// A ping is due and waits for room in the connection; the clock has nothing to do with it any more.
    var owesPing = false
    /// The pong owed; answering only the latest ping bounds what a peer can make this node say.
    var pongOwed: PongOwed?
    var latency = LinkLatency()
    /// How far ahead the peer's greatest stamp was at the last hello, milliseconds.
    var clockAheadMilliseconds: UInt64 = 0
    var lossCount: UInt64 = 0
    /// How often the peer has begun to tell everything, and how often only what was missed.
    var snapshotCount: UInt64 = 0
    var resumptionCount: UInt64 = 0
    /// When the peer introduced itself on the present connection, and how long it took from there to `live` last.
    var introducedAt: UInt64 = 0
    var syncNanoseconds: UInt64?
    /// How often a connection was asked for, in vain or not.
    var dialCount: UInt64 = 0

    // Dialling.

    /// When to dial next; nil while a dial or a connection is under way.
    var nextDial: UInt64?
    var failedDials = 0

    struct PongOwed: Sendable {
        var sentAt: UInt64
        var receivedAt: UInt64
    }

    mutating func owe(claimOf dn: DNIndex) {
        guard isIntroduced, claimsOwedSet.insert(dn).inserted else { return }
        claimsOwed.append(dn)
    }
}
