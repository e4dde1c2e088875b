package import ClusterModel

/// What a worker's process and the one that takes its place say to each other. `Wire` gives each case its frame.
package enum HandoverMessage: Equatable, Sendable {
    // From the process that serves.

    case offer(HandoverOffer)
    case piece(HandoverPiece)
    /// All that is told while the node serves has been told.
    case told
    /// Descriptors come with it.
    case descriptors
    /// The sender serves no more, and has closed its store.
    case commit

    // From the process that takes its place.

    /// It has taken everything so far.
    case ready
    /// It could begin.
    case prepared
    /// It serves from now on.
    case committed

    /// From either: there is no handover, and why.
    case refused(String)
}

/// Who serves, and what its successor has to be made of.
package struct HandoverOffer: Equatable, Sendable {
    package static let format: UInt32 = 1

    package var format = HandoverOffer.format
    package var node: String
    package var topology: TopologyDigest
    /// The first incarnation of the chain of handovers.
    package var lineage: Incarnation
    package var incarnation: Incarnation
    /// Random numbers of which tags, tokens and nonces are made; they stay the same.
    package var secret: UInt64
    package var seed: UInt64
    package var version: String

    package init(
        node: String, topology: TopologyDigest, lineage: Incarnation, incarnation: Incarnation, secret: UInt64,
        seed: UInt64, version: String
    ) {
        self.node = node
        self.topology = topology
        self.lineage = lineage
        self.incarnation = incarnation
        self.secret = secret
        self.seed = seed
        self.version = version
    }

    /// What keeps the process of a worker from taking this one's place.
    ///
    /// - Returns: nil when nothing does.
    package func refusal(by setup: WorkerSetup) -> String? {
        guard format == Self.format else {
            return
                "the process that serves hands over in format \(format), and this build (\(TandemVersion.current)) takes "
                + "\(Self.format)"
        }
        guard node == setup.node else { return "it is \(node) that serves there" }
        guard topology == setup.topologyDigest else { return "the process that serves has another topology" }
        guard incarnation < setup.incarnation else { return "the process that serves is of a later incarnation" }
        return nil
    }
}

/// A piece of what goes over: a state is longer than a frame.
package struct HandoverPiece: Equatable, Sendable {
    /// Bytes of a state in one piece.
    package static let size = 512 * 1024
    /// The most that pieces of one state may come to; more than a node of a million DNs with all of its calls has.
    package static let maximumState = 1 << 30

    package enum Kind: Equatable, Sendable {
        /// Of the node, told while it serves.
        case state
        /// The same, when nothing happens there any more.
        case last
        /// Of its sockets.
        case sockets
    }

    package var kind: Kind
    package var bytes: [UInt8]
    /// The state goes on in the next piece.
    package var continues: Bool

    package init(_ kind: Kind, _ bytes: [UInt8], continues: Bool = false) {
        self.kind = kind
        self.bytes = bytes
        self.continues = continues
    }

    /// The pieces of a state, at least one.
    package static func all(of state: [UInt8], _ kind: Kind) -> [HandoverPiece] {
        var pieces: [HandoverPiece] = []
        var start = 0
        repeat {
            let end = min(start + size, state.count)
            pieces.append(HandoverPiece(kind, Array(state[start..<end]), continues: end < state.count))
            start = end
        } while start < state.count
        return pieces
    }
}
