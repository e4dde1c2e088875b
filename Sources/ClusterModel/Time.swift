// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// A moment as the machines see it: one reading of both clocks, always passed in, never asked for.
public struct Instant: Hashable, Sendable {
    /// Nanoseconds of a clock that never jumps; timers use it.
    public var monotonic: UInt64
    /// Milliseconds since 1970 as the host believes; stamps use it.
    public var wallMilliseconds: UInt64

    @inlinable public init(monotonic: UInt64, wallMilliseconds: UInt64) {
        self.monotonic = monotonic
        self.wallMilliseconds = wallMilliseconds
    }

    /// Nanoseconds from an earlier reading of the monotonic clock; 0 from a later one.
    @inlinable public func since(_ past: UInt64) -> UInt64 { monotonic - min(past, monotonic) }

    @inlinable public func advanced(by nanoseconds: UInt64) -> Instant {
        Instant(monotonic: monotonic + nanoseconds, wallMilliseconds: wallMilliseconds + nanoseconds / 1_000_000)
    }
}

extension Duration {
    /// Whole nanoseconds; negative durations count as zero, and 292 years is the most.
    package var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? UInt64(Int64.max) : product + UInt64(attoseconds) / 1_000_000_000
    }
}

/// A hybrid logical clock reading: 48 bits of milliseconds since 1970, 16 bits of counter.
///
/// Stamps order claims. A node's clock moves past every stamp that it hears, so a claim made after seeing another is
/// always the greater, whatever the wall clocks say.
public struct Stamp: Hashable, Comparable, Sendable {
    @inlinable public static var zero: Stamp { Stamp(rawValue: 0) }

    public let rawValue: UInt64

    @inlinable public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable public init(milliseconds: UInt64, counter: UInt16) {
        rawValue = milliseconds << 16 | UInt64(counter)
    }

    @inlinable public var milliseconds: UInt64 { rawValue >> 16 }
    @inlinable public var counter: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    @inlinable public static func < (left: Stamp, right: Stamp) -> Bool { left.rawValue < right.rawValue }

    @inlinable public static func <= (left: Stamp, right: Stamp) -> Bool { left.rawValue <= right.rawValue }

    @inlinable public static func > (left: Stamp, right: Stamp) -> Bool { left.rawValue > right.rawValue }

    @inlinable public static func >= (left: Stamp, right: Stamp) -> Bool { left.rawValue >= right.rawValue }

    @inlinable public static func == (left: Stamp, right: Stamp) -> Bool { left.rawValue == right.rawValue }

    @inlinable public static func != (left: Stamp, right: Stamp) -> Bool { left.rawValue != right.rawValue }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

extension Stamp: CustomStringConvertible {
    public var description: String { "\(milliseconds).\(counter)" }
}

/// The clock that issues stamps at one node.
package struct HybridClock: Equatable, Sendable {
    /// The greatest stamp issued or heard.
    package private(set) var greatest: Stamp

    /// - Parameter greatest: where an earlier life of this node stopped; the clock begins above it.
    package init(startingAbove greatest: Stamp = .zero) {
        self.greatest = greatest
    }

    /// A stamp greater than any issued or heard before.
    package mutating func next(wallMilliseconds: UInt64) -> Stamp {
        let wall = Stamp(milliseconds: wallMilliseconds, counter: 0)
        greatest = wall > greatest ? wall : Stamp(rawValue: greatest.rawValue + 1)
        return greatest
    }

    /// Moves the clock past a stamp that was heard.
    package mutating func observe(_ stamp: Stamp) {
        if stamp > greatest { greatest = stamp }
    }
}
