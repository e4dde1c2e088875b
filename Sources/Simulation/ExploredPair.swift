import ClusterModel
import DNOwnership

/// A connection between two explored nodes: two ordered streams, of which each end learns the end by itself.
struct ExploredConnection: Equatable, Sendable {
    /// What an end has heard of its peer on this connection.
    enum Hearing: UInt8, Sendable {
        case nothing, introduced
        /// All that the peer owns.
        case inStep
        /// The same, and a snapshot is under way that starts all over.
        case inStepResyncing

        var isInStep: Bool { self == .inStep || self == .inStepResyncing }
    }

    struct End: Equatable, Sendable {
        /// The node has the connection still.
        var isOpen = true
        /// The end of the connection is on its way to the node.
        var isNoticePending = false
        var hearing = Hearing.nothing
        /// Messages on their way from this end, by number.
        var inFlight: [UInt32] = []
    }

    /// The lives of the two nodes between which it was made.
    let lives: [UInt64]
    /// What an end says from now on is lost.
    var isBroken = false
    var ends = [End(), End()]

    /// A node has the connection no more, so nothing can arrive there.
    mutating func endAt(_ side: Int) {
        ends[side].isOpen = false
        ends[side].isNoticePending = false
        ends[side].hearing = .nothing
        ends[1 - side].inFlight = []
    }

    /// Neither end has it any more.
    var isGone: Bool { !ends[0].isOpen && !ends[1].isOpen }
}

/// All connections between two nodes, and whether bytes pass between them. Side 0 dials.
///
/// A slot is the connection's number, so a pair that has come back to where it was is the same pair.
struct ExploredPair: Equatable, Sendable {
    static let slots = 4

    var isCut = false
    var connections: [ExploredConnection?] = Array(repeating: nil, count: slots)

    var freeSlot: Int? { connections.firstIndex { $0 == nil } }

    /// The dialer dials when it has no connection.
    var canDial: Bool {
        !isCut && freeSlot != nil && connections.allSatisfy { $0 == nil || !$0!.ends[0].isOpen }
    }

    /// The connection that a node uses: the dialer any that it has, the other one any whose hello it has heard.
    func attachedSlot(_ side: Int) -> Int? {
        connections.firstIndex { connection in
            guard let end = connection?.ends[side], end.isOpen else { return false }
            return side == 0 || end.hearing != .nothing
        }
    }

    /// Whether a node has heard all that its peer owns, and may still hear it.
    func hears(_ side: Int) -> Bool {
        connections.contains { $0 != nil && $0!.ends[side].isOpen && $0!.ends[side].hearing.isInStep }
    }

    // MARK: What happens

    mutating func connect(slot: Int, lives: [UInt64]) {
        connections[slot] = ExploredConnection(lives: lives)
    }

    mutating func push(_ message: UInt32, slot: Int, side: Int) {
        connections[slot]?.ends[side].inFlight.append(message)
    }

    /// The head of a queue arrives at the other end.
    mutating func deliver(slot: Int, from side: Int, kind: ExploredMessages.Kind) {
        connections[slot]?.ends[side].inFlight.removeFirst()
        let other = 1 - side
        switch kind {
        case .hello:
            // A newer connection to the same life carries on where the older one stopped, unless it stopped in the
            // middle of a snapshot.
            let lives = connections[slot]!.lives
            let carriesOn = connections.indices.contains { older in
                guard older != slot, let connection = connections[older] else { return false }
                return connection.ends[other].isOpen && connection.ends[other].hearing == .inStep
                    && connection.lives[side] == lives[side]
            }
            connections[slot]?.ends[other].hearing = carriesOn ? .inStep : .introduced
        case .snapshotBegin:
            if connections[slot]!.ends[other].hearing == .inStep {
                connections[slot]?.ends[other].hearing = .inStepResyncing
            }
        case .syncEnd:
            connections[slot]?.ends[other].hearing = .inStep
        case .other:
            break
        }
    }

    /// A node learns that its connection is gone. What was still on its way to it is lost.
    mutating func notice(slot: Int, side: Int) {
        connections[slot]?.endAt(side)
        forget(slot)
    }

    /// A node closes its end. What it has said may still arrive until the other end is told.
    mutating func close(slot: Int, side: Int) {
        guard connections[slot]?.ends[side].isOpen == true else { return }
        connections[slot]?.isBroken = true
        connections[slot]?.endAt(side)
        if connections[slot]!.ends[1 - side].isOpen { connections[slot]?.ends[1 - side].isNoticePending = true }
        forget(slot)
    }

    /// All connections break in the middle.
    mutating func breakAll(keepsLeftovers: Bool) {
        for slot in connections.indices where connections[slot] != nil {
            connections[slot]?.isBroken = true
            for side in 0...1 {
                let isOpen = connections[slot]!.ends[side].isOpen
                connections[slot]?.ends[side].isNoticePending = isOpen
                if !keepsLeftovers { connections[slot]?.ends[side].inFlight = [] }
            }
        }
    }

    /// A node dies: its ends are gone without a word.
    mutating func died(_ side: Int, keepsLeftovers: Bool) {
        for slot in connections.indices where connections[slot] != nil {
            close(slot: slot, side: side)
            if !keepsLeftovers { connections[slot]?.ends[side].inFlight = [] }
        }
    }

    private mutating func forget(_ slot: Int) {
        if connections[slot]!.isGone { connections[slot] = nil }
    }

    var fingerprint: UInt64 {
        var hash = Fingerprint()
        hash.add(isCut)
        for connection in connections {
            hash.add(connection != nil)
            guard let connection else { continue }
            for life in connection.lives { hash.add(life) }
            hash.add(connection.isBroken)
            for end in connection.ends {
                hash.add(end.isOpen)
                hash.add(end.isNoticePending)
                hash.add(UInt64(end.hearing.rawValue))
                hash.add(UInt64(end.inFlight.count))
                for message in end.inFlight { hash.add(UInt64(message)) }
            }
        }
        return hash.value
    }
}
