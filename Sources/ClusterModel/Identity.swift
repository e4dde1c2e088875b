// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// What machines compare and look up for every message is public, and so are its types: the compiler inlines nothing across
// modules that is `package`, also where it says `@inlinable`.

/// A node's place in the topology's list of nodes, which is sorted by full name.
///
/// Comparing indices compares names, and an index is two bytes in a record. It has a meaning only together with one
/// topology: between processes nodes are named, never numbered.
public struct NodeIndex: Hashable, Comparable, Sendable {
    @inlinable public static var none: NodeIndex { NodeIndex(rawValue: UInt16.max) }

    public let rawValue: UInt16

    @inlinable public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    @inlinable public init(_ position: Int) {
        rawValue = UInt16(position)
    }

    @inlinable public var position: Int { Int(rawValue) }

    @inlinable public static func < (left: NodeIndex, right: NodeIndex) -> Bool { left.rawValue < right.rawValue }

    @inlinable public static func == (left: NodeIndex, right: NodeIndex) -> Bool { left.rawValue == right.rawValue }

    @inlinable public static func != (left: NodeIndex, right: NodeIndex) -> Bool { left.rawValue != right.rawValue }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// A DN's place in the topology's directory; dense, so tables of DNs are arrays.
public struct DNIndex: Hashable, Comparable, Sendable {
    /// No DN that there is.
    @inlinable public static var none: DNIndex { DNIndex(rawValue: UInt32.max) }

    public let rawValue: UInt32

    @inlinable public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    @inlinable public init(_ position: Int) {
        rawValue = UInt32(position)
    }

    @inlinable public var position: Int { Int(rawValue) }

    @inlinable public static func < (left: DNIndex, right: DNIndex) -> Bool { left.rawValue < right.rawValue }

    @inlinable public static func == (left: DNIndex, right: DNIndex) -> Bool { left.rawValue == right.rawValue }

    @inlinable public static func != (left: DNIndex, right: DNIndex) -> Bool { left.rawValue != right.rawValue }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// One life of a worker process. Issued by the controller, strictly increasing for each node, persisted.
public struct Incarnation: Hashable, Comparable, Sendable {
    public let rawValue: UInt64

    @inlinable public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable public static func < (left: Incarnation, right: Incarnation) -> Bool { left.rawValue < right.rawValue }

    @inlinable public static func == (left: Incarnation, right: Incarnation) -> Bool {
        left.rawValue == right.rawValue
    }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// Who owns a DN, and since which stamp. Claims are ordered by stamp, then by the owner's name.
public struct Claim: Hashable, Comparable, Sendable {
    public var owner: NodeIndex
    public var stamp: Stamp

    @inlinable public init(owner: NodeIndex, stamp: Stamp) {
        self.owner = owner
        self.stamp = stamp
    }

    @inlinable public static func < (left: Claim, right: Claim) -> Bool {
        left.stamp != right.stamp ? left.stamp < right.stamp : left.owner < right.owner
    }

    @inlinable public static func == (left: Claim, right: Claim) -> Bool {
        left.stamp == right.stamp && left.owner == right.owner
    }
}
