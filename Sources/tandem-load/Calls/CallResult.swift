import Histogram

/// What a load of calls came to.
struct CallResult {
    /// Calls that were set up and hung up, or set up where they were to stay.
    var completed = 0
    /// Calls that were refused, by status.
    var refused: [Int: Int] = [:]
    /// Calls of which nothing was heard for too long.
    var lost = 0
    /// Requests that were sent again.
    var repeats = 0
    var nanoseconds: UInt64 = 0
    /// From the INVITE to the first answer that says that a phone rings, nanoseconds ("post-dial delay").
    var postDial = LoadResult.noLatencies
    /// From the INVITE to the 200 of the BYE, or to that of the INVITE where the call stays, nanoseconds.
    var whole = LoadResult.noLatencies

    var perSecond: Double { Double(completed) / (Double(max(1, nanoseconds)) / 1e9) }
    /// All that did not end as they should.
    var failed: Int { lost + refused.values.reduce(0, +) }

    static func += (left: inout CallResult, right: CallResult) {
        left.completed += right.completed
        left.refused.merge(right.refused, uniquingKeysWith: +)
        left.lost += right.lost
        left.repeats += right.repeats
        left.nanoseconds += right.nanoseconds
        left.postDial.add(right.postDial)
        left.whole.add(right.whole)
    }
}
