import Histogram

/// What the command prints of a result.
struct CallReport {
    private let result: CallResult

    init(_ result: CallResult) {
        self.result = result
    }

    var text: String {
        var lines = [
            "\(result.completed) calls completed, \(FigureTable.grouped(result.perSecond)) a second, "
                + "\(result.failed) failed, \(result.repeats) messages sent again",
            "post-dial delay: \(Self.quantiles(result.postDialDelays))",
            "whole call: \(Self.quantiles(result.durations))",
        ]
        lines += failures
        let others = [
            (result.unacknowledged, "answers were not acknowledged"),
            (result.heldBack, "calls were not begun in time: too many were in flight"),
            (result.late, "messages came for calls that were over"),
        ]
        lines += others.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return lines.joined(separator: "\n")
    }

    /// What has become of calls that failed.
    var failures: [String] {
        Self.statuses(result.refused).map { "\($0.count) calls refused with \($0.status)" }
            + Self.statuses(result.endRefused).map { "\($0.count) calls whose BYE was refused with \($0.status)" }
            + (result.timedOut > 0 ? ["\(result.timedOut) calls timed out"] : [])
    }

    var json: String {
        let numbers: [(String, String)] = [
            ("begun", "\(result.begun)"), ("completed", "\(result.completed)"), ("failed", "\(result.failed)"),
            ("perSecond", "\(result.perSecond)"), ("seconds", "\(Double(result.nanoseconds) / 1e9)"),
            ("refused", Self.object(result.refused)), ("endRefused", Self.object(result.endRefused)),
            ("timedOut", "\(result.timedOut)"), ("unacknowledged", "\(result.unacknowledged)"),
            ("repeats", "\(result.repeats)"), ("late", "\(result.late)"), ("heldBack", "\(result.heldBack)"),
            ("postDialDelay", Self.object(result.postDialDelays)), ("wholeCall", Self.object(result.durations)),
        ]
        return "{\n" + numbers.map { "  \"\($0.0)\": \($0.1)" }.joined(separator: ",\n") + "\n}"
    }

    private static func statuses(_ counts: [Int: Int]) -> [(status: Int, count: Int)] {
        counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func object(_ counts: [Int: Int]) -> String {
        "{" + statuses(counts).map { "\"\($0.status)\": \($0.count)" }.joined(separator: ", ") + "}"
    }

    private static func microseconds(_ histogram: Histogram<UInt32>, _ percentile: Double) -> Double {
        Double(histogram.valueAtPercentile(percentile)) / 1000
    }

    private static func quantiles(_ histogram: Histogram<UInt32>) -> String {
        [("p50", 50.0), ("p99", 99), ("p99.9", 99.9)].map { name, percentile in
            "\(name) \(FigureTable.grouped(microseconds(histogram, percentile))) µs"
        }.joined(separator: ", ")
    }

    private static func object(_ histogram: Histogram<UInt32>) -> String {
        let values = [("p50", 50.0), ("p90", 90), ("p99", 99), ("p999", 99.9)].map { name, percentile in
            "\"\(name)\": \(microseconds(histogram, percentile))"
        }
        return "{\"unit\": \"µs\", " + values.joined(separator: ", ") + "}"
    }
}
