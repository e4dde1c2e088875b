import ClusterModel

/// The nodes from whose calls an agent is kept, as they could not reach it.
struct Shunned: Equatable, Sendable {
    struct Entry: Equatable, Sendable {
        let node: NodeIndex
        /// Monotonic nanoseconds.
        let end: UInt64
    }

    /// Sorted by node.
    private(set) var entries: [Entry] = []
    /// The group of agents that are kept from the same nodes.
    fileprivate(set) var group = 0

    var nodes: [NodeIndex] { entries.map(\.node) }
    var firstEnd: UInt64 { entries.reduce(DeadlineQueue.never) { min($0, $1.end) } }

    func contains(_ node: NodeIndex) -> Bool { entries.contains { $0.node == node } }

    mutating func insert(_ node: NodeIndex, until end: UInt64) {
        entries.removeAll { $0.node == node }
        let position = entries.firstIndex { $0.node > node } ?? entries.count
        entries.insert(Entry(node: node, end: end), at: position)
    }

    mutating func removeEnded(_ now: UInt64) { entries.removeAll { $0.end <= now } }
}

/// Agents that are kept from the calls of the same nodes stand in heaps of their own, so that a call of a node that is cut off from
/// half of the agents does not look at them one by one. Group 0 is kept from nobody's.
struct ShunnedGroups: Sendable {
    /// Cuts are between few nodes; whoever is beyond these rests.
    static let maximumCount = 16

    private struct Group {
        var nodes: [NodeIndex] = []
        var members = 0
    }

    private var groups = [Group()]

    /// Moves an agent to the group of other nodes.
    ///
    /// - Returns: false, and nothing changes, where there are as many groups as there may be.
    @discardableResult
    mutating func set(_ shunned: inout Shunned, to other: Shunned) -> Bool {
        let nodes = other.nodes
        guard !nodes.isEmpty || shunned.group != 0 else {
            shunned = other
            return true
        }
        guard let group = nodes.isEmpty ? 0 : number(of: nodes, leaving: shunned.group) else { return false }
        groups[shunned.group].members -= 1
        groups[group].members += 1
        groups[group].nodes = nodes
        shunned = other
        shunned.group = group
        return true
    }

    private mutating func number(of nodes: [NodeIndex], leaving former: Int) -> Int? {
        if let known = groups.firstIndex(where: { $0.nodes == nodes }) { return known }
        if let unused = groups.indices.dropFirst().first(where: { groups[$0].members == 0 }) { return unused }
        if former != 0, groups[former].members == 1 { return former }
        guard groups.count < Self.maximumCount else { return nil }
        groups.append(Group())
        return groups.count - 1
    }

    /// The groups whose agents a call of a node may have.
    func open(to node: NodeIndex?) -> [Int] {
        groups.indices.filter { number in node.map { !groups[number].nodes.contains($0) } ?? true }
    }
}
