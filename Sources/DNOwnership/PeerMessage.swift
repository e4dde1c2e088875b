package import ClusterModel

/// What two nodes say to each other. `Wire` gives each case its frame.
package enum PeerMessage: Equatable, Sendable {
    /// The first message both ways.
    case hello(Hello)
    /// The sender's stream starts: a snapshot of all DNs that it owns, or what was said after the receiver's position.
    case syncBegin(SyncBegin)
    /// Records of DNs that the sender owns or has just yielded.
    case records(RecordBatch)
    /// The receiver has everything up to this position.
    case syncEnd(StreamPosition)
    /// Claims that the sender holds for DNs of others (or of the receiver): proof that something greater exists, or a
    /// receiver's own claims that it has forgotten. They carry no service.
    case claims([HeardClaim])
    /// Asks for a snapshot, because what was heard does not add up.
    case snapshotRequest
    case ping(Ping)
    case pong(Pong)
}

package struct Hello: Equatable, Sendable {
    package static let protocolVersion: UInt32 = 1

    package var protocolVersion: UInt32
    package var cluster: String
    /// The full name of the sender, `dc1/sip1`.
    package var node: String
    package var incarnation: Incarnation
    /// The first incarnation of an unbroken chain of handovers; positions in a stream count within one lineage.
    package var lineage: Incarnation
    package var generation: UInt64
    /// The greatest stamp that the sender holds; the receiver's clock moves past it.
    package var greatestStamp: Stamp
    /// How far the sender has applied the receiver's stream, if it has.
    package var resume: ResumePosition?

    package init(
        protocolVersion: UInt32 = Hello.protocolVersion, cluster: String, node: String, incarnation: Incarnation,
        lineage: Incarnation, generation: UInt64, greatestStamp: Stamp, resume: ResumePosition?
    ) {
        self.protocolVersion = protocolVersion
        self.cluster = cluster
        self.node = node
        self.incarnation = incarnation
        self.lineage = lineage
        self.generation = generation
        self.greatestStamp = greatestStamp
        self.resume = resume
    }
}

/// A place in a node's stream of revisions.
package struct ResumePosition: Equatable, Sendable {
    package var lineage: Incarnation
    package var revision: UInt64

    package init(lineage: Incarnation, revision: UInt64) {
        self.lineage = lineage
        self.revision = revision
    }
}

package struct SyncBegin: Equatable, Sendable {
    /// True: everything follows, and what does not follow is no longer the sender's. False: only what was missed.
    package var isSnapshot: Bool
    /// The revision after which deltas follow.
    package var revision: UInt64

    package init(isSnapshot: Bool, revision: UInt64) {
        self.isSnapshot = isSnapshot
        self.revision = revision
    }
}

/// Records in the sender's words. A batch of deltas covers `revisions`; a chunk of a snapshot covers none.
package struct RecordBatch: Equatable, Sendable {
    /// The first and last revision of a delta batch. Revisions that a later one of the same DN replaced are covered
    /// without a record. Nil for a snapshot's chunk.
    package var revisions: ClosedRange<UInt64>?
    package var owned: [OwnedRecord]
    /// DNs that the sender gave up, each with the claim that superseded its own.
    package var yielded: [HeardClaim]
    /// When the first of the revisions came to be, by the sender's monotonic clock in nanoseconds; 0 where that is not known. A figure
    /// only: the shell adds it, and nothing is decided by it.
    package var saidAt: UInt64 = 0

    package init(revisions: ClosedRange<UInt64>?, owned: [OwnedRecord] = [], yielded: [HeardClaim] = []) {
        self.revisions = revisions
        self.owned = owned
        self.yielded = yielded
    }
}

/// A DN that the sender owns, with its service as the owner says.
package struct OwnedRecord: Equatable, Sendable {
    package var dn: DN
    package var stamp: Stamp
    package var service: Service
    package var occupancy: Occupancy
    package var session: AgentSession?
    package var calls: DNCalls?

    package init(
        dn: DN, stamp: Stamp, service: Service, occupancy: Occupancy = [], session: AgentSession? = nil,
        calls: DNCalls? = nil
    ) {
        self.dn = dn
        self.stamp = stamp
        self.service = service
        self.occupancy = occupancy
        self.session = session
        self.calls = calls
    }
}

/// A claim told by somebody who need not be its owner.
package struct HeardClaim: Equatable, Sendable {
    package var dn: DN
    package var claim: Claim
    /// The greatest session of the DN that the teller knows.
    package var session: AgentSession?

    package init(dn: DN, claim: Claim, session: AgentSession? = nil) {
        self.dn = dn
        self.claim = claim
        self.session = session
    }
}

/// Where a stream stands, and a proof of what was said until there.
package struct StreamPosition: Equatable, Sendable {
    package var revision: UInt64
    package var generation: UInt64
    /// How many DNs the sender owns.
    package var count: UInt64
    /// The sum of the digests of their records; the order does not matter.
    package var digest: UInt64

    package init(revision: UInt64, generation: UInt64, count: UInt64, digest: UInt64) {
        self.revision = revision
        self.generation = generation
        self.count = count
        self.digest = digest
    }
}

package struct Ping: Equatable, Sendable {
    /// The sender's monotonic clock in nanoseconds; it comes back in the pong.
    package var sentAt: UInt64
    /// Nil while the sender's stream has not caught up.
    package var position: StreamPosition?

    package init(sentAt: UInt64, position: StreamPosition?) {
        self.sentAt = sentAt
        self.position = position
    }
}

package struct Pong: Equatable, Sendable {
    /// As the ping said: the clock of whom the pong is for.
    package var sentAt: UInt64
    /// The clock of whoever says the pong, when the ping arrived and when the pong was made: monotonic nanoseconds.
    package var receivedAt: UInt64
    package var answeredAt: UInt64

    package init(sentAt: UInt64, receivedAt: UInt64, answeredAt: UInt64) {
        self.sentAt = sentAt
        self.receivedAt = receivedAt
        self.answeredAt = answeredAt
    }
}

/// One connection to a peer or from one, as the shell numbers them.
package struct ConnectionID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    @inlinable package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable package static func < (left: ConnectionID, right: ConnectionID) -> Bool {
        left.rawValue < right.rawValue
    }

    @inlinable package static func == (left: ConnectionID, right: ConnectionID) -> Bool {
        left.rawValue == right.rawValue
    }

    @inlinable package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}
