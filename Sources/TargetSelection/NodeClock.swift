import ClusterModel

/// A node's clock as a router knows it, so that the calls of one node keep their order however late the router hears of them: one that did
/// not run for a while, or whose node asks about a call for the second time, would else take those for old that it was told the age of last.
///
/// It is set by the first call that the router knows of the node, and then stays until it knows none: what clocks drift apart
/// meanwhile, and how late that call was told, moves all of the node's calls alike.
struct NodeClock: Sendable {
    /// Calls of the node that the router knows.
    var calls = 0
    /// What the router's clock shows when the node's shows nothing; nanoseconds, modulo 2^64.
    private var zero: UInt64?

    /// Whatever a node says of a call's age, it is less than seven weeks: milliseconds.
    private static let maximumWaited: UInt64 = 1 << 32
    /// And of when it came: some centuries.
    private static let maximumArrival: UInt64 = 1 << 43

    /// How long ago a call came: nanoseconds. Less than nothing where the first one was told later than this one.
    mutating func age(of request: RouteRequest, _ now: Instant) -> Int64 {
        let waited = min(request.waited, Self.maximumWaited) * 1_000_000
        guard let arrived = request.arrived.map({ min($0, Self.maximumArrival) * 1_000_000 }) else {
            return Int64(waited)
        }
        if calls == 0 { zero = nil }
        let zero = zero ?? now.monotonic &- waited &- arrived
        self.zero = zero
        return Int64(bitPattern: now.monotonic &- zero &- arrived)
    }
}
