/// How many things took how long, in steps that grow from a tenth of a millisecond to ten seconds. Adding one costs a few
/// comparisons, and nothing is kept of each.
package struct DurationHistogram: Equatable, Sendable {
    /// The longest that counts in each step, nanoseconds; the last step has no bound.
    package static let bounds: [UInt64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    /// By step, those of it alone; one more than there are bounds.
    package private(set) var counts: [UInt64]
    /// Of all.
    package private(set) var sumNanoseconds: UInt64

    package init() {
        counts = Array(repeating: 0, count: Self.bounds.count + 1)
        sumNanoseconds = 0
    }

    /// What another process has counted. Counts that are missing are zeros, and what is too many counts in the last step.
    package init(counts: some Sequence<UInt64>, sumNanoseconds: UInt64) {
        self.init()
        self.sumNanoseconds = sumNanoseconds
        for (step, count) in counts.enumerated() {
            let step = min(step, self.counts.count - 1)
            self.counts[step] = self.counts[step].addingSaturating(count)
        }
    }

    package var count: UInt64 { counts.reduce(0) { $0.addingSaturating($1) } }

    package mutating func add(nanoseconds: UInt64) {
        var step = 0
        while step < Self.bounds.count, nanoseconds > Self.bounds[step] { step += 1 }
        counts[step] &+= 1
        sumNanoseconds &+= nanoseconds
    }
}

extension UInt64 {
    fileprivate func addingSaturating(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
