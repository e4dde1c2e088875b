import ClusterModel

/// From 64-bit keys to numbers, by open addressing: half the memory of a dictionary, and never in another order.
struct IndexTable: ~Copyable, Sendable {
    private var keys: [UInt64] = []
    /// One more than the number; 0 is free.
    private var values: [UInt32] = []
    private(set) var count = 0

    func value(of key: UInt64) -> Int? {
        guard !keys.isEmpty else { return nil }
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: mixed(key)) & mask
        while values[slot] != 0 {
            if keys[slot] == key { return Int(values[slot]) - 1 }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// - Precondition: the key has no value yet.
    mutating func insert(_ key: UInt64, _ value: Int) {
        if count * 2 >= keys.count { grow() }
        place(key, UInt32(value + 1))
        count += 1
    }

    private mutating func place(_ key: UInt64, _ value: UInt32) {
        let mask = keys.count - 1
        var slot = Int(truncatingIfNeeded: mixed(key)) & mask
        while values[slot] != 0 { slot = (slot + 1) & mask }
        keys[slot] = key
        values[slot] = value
    }

    private mutating func grow() {
        let (oldKeys, oldValues) = (keys, values)
        let size = max(1024, keys.count * 2)
        keys = Array(repeating: 0, count: size)
        values = Array(repeating: 0, count: size)
        for slot in oldKeys.indices where oldValues[slot] != 0 { place(oldKeys[slot], oldValues[slot]) }
    }
}

/// All states that were reached, in the order of their discovery, each with the move that led there first.
struct ReachedStates: ~Copyable, Sendable {
    /// So many positions fit into a slot beside the tag.
    static let maximum = (1 << 26) - 1

    private var states: [ExploredState] = []
    private var parents: [UInt32] = []
    private var moves: [UInt16] = []
    /// What every state comes to by the first thing that can happen by itself, or `nowhere`.
    private var successors: [UInt32] = []
    private static let nowhere = UInt32.max
    /// One more than a position in `states`, below 6 bits of the state's hash, so that other states are hardly ever
    /// looked at; 0 is free.
    private var slots: [UInt32] = Array(repeating: 0, count: 1 << 16)

    var count: Int { states.count }

    subscript(position: Int) -> ExploredState { states[position] }

    /// - Returns: the state's position, and whether it is new.
    mutating func insert(
        _ state: ExploredState, from parent: Int, by move: UInt16
    ) -> (position: Int, isNew: Bool) {
        let mask = slots.count - 1
        let hash = state.stableHash
        let tag = Self.tag(hash)
        var slot = Int(truncatingIfNeeded: hash) & mask
        while slots[slot] != 0 {
            let position = Int(slots[slot] & Self.positions) - 1
            if slots[slot] & ~Self.positions == tag, states[position] == state { return (position, false) }
            slot = (slot + 1) & mask
        }
        states.append(state)
        parents.append(UInt32(parent))
        moves.append(move)
        successors.append(Self.nowhere)
        slots[slot] = UInt32(states.count) | tag
        if states.count * 2 > slots.count { grow() }
        return (states.count - 1, true)
    }

    private static let positions: UInt32 = (1 << 26) - 1

    private static func tag(_ hash: UInt64) -> UInt32 { UInt32(hash >> 58) << 26 }

    private mutating func grow() {
        let mask = slots.count * 2 - 1
        slots = Array(repeating: 0, count: mask + 1)
        for position in states.indices {
            let hash = states[position].stableHash
            var slot = Int(truncatingIfNeeded: hash) & mask
            while slots[slot] != 0 { slot = (slot + 1) & mask }
            slots[slot] = UInt32(position + 1) | Self.tag(hash)
        }
    }

    /// The moves that lead from the first state to another by the shortest way.
    func path(to position: Int) -> [UInt16] {
        var path: [UInt16] = []
        var position = position
        while position != 0 {
            path.append(moves[position])
            position = Int(parents[position])
        }
        return path.reversed()
    }

    // MARK: Coming to rest

    mutating func setSuccessor(_ successor: Int, of position: Int) {
        successors[position] = UInt32(successor)
    }

    /// A state to which the way back leads from itself, if what can happen first always does.
    ///
    /// Without one, a state in which nothing is left to happen can be reached from every state that was expanded.
    func restless() -> Int? {
        // By state: the walk that came by first.
        var walks: [UInt32] = Array(repeating: 0, count: states.count)
        for start in states.indices {
            var position = start
            while walks[position] == 0 {
                walks[position] = UInt32(start + 1)
                guard successors[position] != Self.nowhere else { break }
                position = Int(successors[position])
                if walks[position] == UInt32(start + 1) { return position }
            }
        }
        return nil
    }
}
