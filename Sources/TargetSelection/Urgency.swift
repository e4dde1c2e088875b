import ClusterModel

/// Which of two calls goes first: the lesser. Equal ones go in the order in which they came to this router.
struct Urgency: Comparable, Sendable {
    /// When the call came, and earlier by a step for each point of priority: so a call that waits becomes as urgent as one of a greater
    /// priority that has just come. Nanoseconds, from a zero long before the machine's.
    let arrival: UInt64
    let ticket: UInt64

    static func < (left: Urgency, right: Urgency) -> Bool {
        left.arrival != right.arrival ? left.arrival < right.arrival : left.ticket < right.ticket
    }

    /// What a point of priority is worth where nobody's waiting makes up for it: more than a year. A hundred of these are less than
    /// `zero`.
    private static let wholeStep: UInt64 = 1 << 55
    private static let zero: UInt64 = 1 << 62
    /// Nanoseconds: about seven weeks.
    private static let maximumAge: Int64 = 1_000_000 << 32

    /// - Parameters:
    ///   - age: how long ago the call came, nanoseconds.
    ///   - ageing: nanoseconds; zero for never.
    static func arrival(age: Int64, priority: Int, ageing: UInt64, now: Instant) -> UInt64 {
        let bounds = RoutingPoint.priorityBounds
        let priority = UInt64(min(max(priority, bounds.lowerBound), bounds.upperBound))
        let gained = priority * (ageing == 0 ? wholeStep : min(ageing, wholeStep))
        let came = Int64(zero &+ now.monotonic) - min(max(age, -maximumAge), maximumAge)
        return UInt64(came) - gained
    }
}
