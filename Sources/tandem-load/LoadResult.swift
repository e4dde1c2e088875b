import Histogram

/// What a load came to.
struct LoadResult {
    /// Requests that were answered with 200, each for its own Call-ID and CSeq.
    var answered = 0
    /// Requests that were sent again because no answer came for half a second.
    var repeats = 0
    /// Answers that asked for a password, or for a new proof of it, and were followed by another request.
    var challenges = 0
    /// From before the first request to after the last answer.
    var nanoseconds: UInt64 = 0
    /// From sending a request for the first time to receiving its answer, nanoseconds; challenges are answers too.
    var latencies = Self.noLatencies

    /// A longer wait counts as this one.
    static let longestLatency: UInt64 = 60_000_000_000
    /// Nothing counted yet; values keep three digits.
    static let noLatencies = Histogram<UInt32>(
        highestTrackableValue: longestLatency, numberOfSignificantValueDigits: .three)

    var perSecond: Double { Double(answered) / (Double(max(1, nanoseconds)) / 1e9) }

    /// The median latency, nanoseconds.
    var p50: UInt64 { latencies.valueAtPercentile(50) }
    /// Ninety-nine of a hundred answers came at least as fast, nanoseconds.
    var p99: UInt64 { latencies.valueAtPercentile(99) }

    /// Counts an answer that came so many nanoseconds after its request.
    mutating func record(_ latency: UInt64) {
        latencies.record(min(latency, Self.longestLatency))
    }

    static func += (left: inout LoadResult, right: LoadResult) {
        left.answered += right.answered
        left.repeats += right.repeats
        left.challenges += right.challenges
        left.nanoseconds += right.nanoseconds
        left.latencies.add(right.latencies)
    }
}
