import Histogram

/// What calls came to.
struct CallResult {
    /// Calls whose BYE was answered with 200.
    var completed = 0
    /// Those of them that were so before the time for beginning calls was over.
    var completedInTime = 0
    var begun = 0
    /// By status: calls that were refused, and calls whose BYE was.
    var refused: [Int: Int] = [:]
    var endRefused: [Int: Int] = [:]
    /// Calls given up because an answer to INVITE or BYE did not come.
    var timedOut = 0
    /// Answers of callees that nobody acknowledged.
    var unacknowledged = 0
    /// Messages sent again, by either end.
    var repeats = 0
    /// Messages of calls that were over.
    var late = 0
    /// Calls that were not begun when they should have been, because too many were in flight.
    var heldBack = 0
    /// Callers were told so often that they wait (182).
    var queued = 0
    /// How long calls were begun.
    var nanoseconds: UInt64 = 0
    /// From sending INVITE to hearing that the callee's phone rings, and to the end of the call; nanoseconds.
    var postDialDelays = LoadResult.noLatencies
    var durations = LoadResult.noLatencies
    /// From when a call was due to its INVITE at a phone, and to the answer at the caller; nanoseconds.
    var arrivals = LoadResult.noLatencies
    var answers = LoadResult.noLatencies
    /// Calls that came to phones, by the server that brought them.
    var arrivalCounts: [Int: Int] = [:]

    var perSecond: Double { Double(completedInTime) / (Double(max(1, nanoseconds)) / 1e9) }

    var failed: Int {
        timedOut + refused.values.reduce(0, +) + endRefused.values.reduce(0, +)
    }

    /// The median post-dial delay, nanoseconds.
    var p50: UInt64 { postDialDelays.valueAtPercentile(50) }
    /// Ninety-nine of a hundred phones rang at least as soon, nanoseconds.
    var p99: UInt64 { postDialDelays.valueAtPercentile(99) }

    mutating func rang(after delay: UInt64) {
        postDialDelays.record(min(delay, LoadResult.longestLatency))
    }

    mutating func arrived(after delay: UInt64, over line: Int) {
        arrivalCounts[line, default: 0] += 1
        arrivals.record(min(delay, LoadResult.longestLatency))
    }

    mutating func answered(after delay: UInt64) {
        answers.record(min(delay, LoadResult.longestLatency))
    }

    mutating func ended(after duration: UInt64, inTime: Bool) {
        completed += 1
        if inTime { completedInTime += 1 }
        durations.record(min(duration, LoadResult.longestLatency))
    }

    static func += (left: inout CallResult, right: CallResult) {
        left.completed += right.completed
        left.completedInTime += right.completedInTime
        left.begun += right.begun
        left.refused.merge(right.refused, uniquingKeysWith: +)
        left.endRefused.merge(right.endRefused, uniquingKeysWith: +)
        left.timedOut += right.timedOut
        left.unacknowledged += right.unacknowledged
        left.repeats += right.repeats
        left.late += right.late
        left.heldBack += right.heldBack
        left.queued += right.queued
        left.nanoseconds += right.nanoseconds
        left.postDialDelays.add(right.postDialDelays)
        left.durations.add(right.durations)
        left.arrivals.add(right.arrivals)
        left.arrivalCounts.merge(right.arrivalCounts, uniquingKeysWith: +)
        left.answers.add(right.answers)
    }
}
