// What operators and the controller say to each other of topologies and plans.

/// All that a plan is made of, but for the topologies' texts, which follow.
package struct PlanInputs: Equatable, Sendable {
    package static let maximumTopologies = 64

    package var observed: ObservedCluster
    /// Generations whose texts follow, in this order; that of `observed` is among them.
    package var topologies: [UInt64]

    package init(observed: ObservedCluster, topologies: [UInt64]) {
        self.observed = observed
        self.topologies = topologies
    }
}

/// A part of a topology's text.
package struct TopologyPiece: Equatable, Sendable {
    /// Bytes of one.
    package static let size = 48 * 1024

    /// 0 of a text that has none yet.
    package var generation: UInt64
    package var isFirst: Bool
    package var isLast: Bool
    package var bytes: [UInt8]

    package init(generation: UInt64 = 0, isFirst: Bool, isLast: Bool, bytes: [UInt8]) {
        self.generation = generation
        self.isFirst = isFirst
        self.isLast = isLast
        self.bytes = bytes
    }

    /// Of a whole text the piece that begins at `start`, in bytes.
    package init(of text: [UInt8], from start: Int, generation: UInt64, size: Int = TopologyPiece.size) {
        let end = min(start + size, text.count)
        self.init(
            generation: generation, isFirst: start == 0, isLast: end == text.count, bytes: Array(text[start..<end]))
    }

    /// A whole text in pieces; at least one.
    package static func each(
        of text: [UInt8], generation: UInt64 = 0, size: Int = TopologyPiece.size, _ tell: (TopologyPiece) throws -> Void
    ) rethrows {
        var start = 0
        repeat {
            let piece = TopologyPiece(of: text, from: start, generation: generation, size: size)
            try tell(piece)
            start += piece.bytes.count
        } while start < text.count
    }
}

/// The topology that an operator wants applied.
package struct ApplyRequest: Equatable, Sendable {
    /// One that was applied before; nil for the text that was sent over this connection.
    package var generation: UInt64?
    /// What the operator's plan was made against; another one that was applied since makes it stale. Nil for whatever there is.
    package var planIndex: UInt64?
    /// DNs in service may go out of service.
    package var acceptsLoss: Bool

    package init(generation: UInt64? = nil, planIndex: UInt64? = nil, acceptsLoss: Bool = false) {
        self.generation = generation
        self.planIndex = planIndex
        self.acceptsLoss = acceptsLoss
    }
}

/// How far the workers are on their way to the topology that is applied.
package struct ChangeStatus: Equatable, Sendable {
    package static let maximumWorkers = 4_096

    package struct Worker: Equatable, Sendable {
        package var name: String
        /// Of the topology that it runs; nil where it does not say so.
        package var generation: UInt64?
        /// `drain`, `stop`, `apply`, `start`, `restart`; empty when nothing is to be done with it.
        package var next: String
        /// It is being done.
        package var isUnderWay: Bool
        /// What did not work.
        package var problem: String

        package init(
            _ name: String, generation: UInt64? = nil, next: String = "", isUnderWay: Bool = false, problem: String = ""
        ) {
            self.name = name
            self.generation = generation
            self.next = next
            self.isUnderWay = isUnderWay
            self.problem = problem
        }
    }

    package var generation: UInt64
    /// When it was applied, milliseconds since 1970.
    package var appliedAt: UInt64 = 0
    /// Nothing is to be done, nothing is under way, and every worker is there.
    package var isSettled: Bool
    /// Nothing is done before an operator accepts that DNs go out of service.
    package var waitsForYes = false
    /// Restarts were given up: a worker did not come back as it was.
    package var isGivenUp = false
    /// Why nothing is done at all.
    package var refusals: [String] = []
    /// Sorted by name.
    package var workers: [Worker] = []

    package init(generation: UInt64, isSettled: Bool) {
        self.generation = generation
        self.isSettled = isSettled
    }
}

/// A topology that was applied.
package struct AppliedEntry: Equatable, Sendable {
    package static let maximumCount = 64

    package var generation: UInt64
    /// Milliseconds since 1970.
    package var appliedAt: UInt64
    /// The user who wanted it; nil for the controller itself.
    package var user: UInt32?
    package var bytes: UInt64

    package init(generation: UInt64, appliedAt: UInt64, user: UInt32?, bytes: UInt64) {
        self.generation = generation
        self.appliedAt = appliedAt
        self.user = user
        self.bytes = bytes
    }
}
