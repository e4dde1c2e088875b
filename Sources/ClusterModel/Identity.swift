// What machines compare and look up for every message can be inlined in other rooms: nothing else of these types is cheaper
// than a call.

/// A node's place in the topology's list of nodes, which is sorted by full name.
///
/// Comparing indices compares names, and an index is two bytes in a record. It has a meaning only together with one
/// topology: between processes nodes are named, never numbered.
package struct NodeIndex: Hashable, Comparable, Sendable {
    @inlinable package static var none: NodeIndex { NodeIndex(rawValue: UInt16.max) }

    package let rawValue: UInt16

    @inlinable package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    @inlinable package init(_ position: Int) {
        rawValue = UInt16(position)
    }

    @inlinable package var position: Int { Int(rawValue) }

    @inlinable package static func < (left: NodeIndex, right: NodeIndex) -> Bool { left.rawValue < right.rawValue }

    @inlinable package static func == (left: NodeIndex, right: NodeIndex) -> Bool { left.rawValue == right.rawValue }

    @inlinable package static func != (left: NodeIndex, right: NodeIndex) -> Bool { left.rawValue != right.rawValue }

    @inlinable package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// A DN's place in the topology's directory; dense, so tables of DNs are arrays.
package struct DNIndex: Hashable, Comparable, Sendable {
    package let rawValue: UInt32

    @inlinable package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    @inlinable package init(_ position: Int) {
        rawValue = UInt32(position)
    }

    @inlinable package var position: Int { Int(rawValue) }

    @inlinable package static func < (left: DNIndex, right: DNIndex) -> Bool { left.rawValue < right.rawValue }

    @inlinable package static func == (left: DNIndex, right: DNIndex) -> Bool { left.rawValue == right.rawValue }

    @inlinable package static func != (left: DNIndex, right: DNIndex) -> Bool { left.rawValue != right.rawValue }

    @inlinable package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// One life of a worker process. Issued by the controller, strictly increasing for each node, persisted.
package struct Incarnation: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    @inlinable package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable package static func < (left: Incarnation, right: Incarnation) -> Bool { left.rawValue < right.rawValue }

    @inlinable package static func == (left: Incarnation, right: Incarnation) -> Bool {
        left.rawValue == right.rawValue
    }

    @inlinable package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// Who owns a DN, and since which stamp. Claims are ordered by stamp, then by the owner's name.
package struct Claim: Hashable, Comparable, Sendable {
    package var owner: NodeIndex
    package var stamp: Stamp

    @inlinable package init(owner: NodeIndex, stamp: Stamp) {
        self.owner = owner
        self.stamp = stamp
    }

    @inlinable package static func < (left: Claim, right: Claim) -> Bool {
        left.stamp != right.stamp ? left.stamp < right.stamp : left.owner < right.owner
    }

    @inlinable package static func == (left: Claim, right: Claim) -> Bool {
        left.stamp == right.stamp && left.owner == right.owner
    }
}
