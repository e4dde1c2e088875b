/// What has become of the calls of a routing point at this node.
package struct PointCounters: Equatable, Sendable {
    package var arrived: UInt64 = 0
    /// Sent to an agent by a router; one call may be so several times.
    package var routed: UInt64 = 0
    package var answered: UInt64 = 0
    package var abandoned: UInt64 = 0
    /// Gone to another routing point.
    package var overflowed: UInt64 = 0
    /// Gone to the default and alternate DNs.
    package var defaulted: UInt64 = 0
    package var refused: UInt64 = 0
    /// Waiting or ringing now.
    package var present: UInt64 = 0

    package init() {}
}
