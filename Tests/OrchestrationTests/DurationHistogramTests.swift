import Orchestration
import Testing

@Suite struct DurationHistogramTests {
    @Test func `a duration counts in the first step that is long enough`() {
        var histogram = DurationHistogram()
        for nanoseconds: UInt64 in [0, 100_000, 100_001, 10_000_000_000, 10_000_000_001] {
            histogram.add(nanoseconds: nanoseconds)
        }
        #expect(histogram.counts.first == 2)
        #expect(histogram.counts[1] == 1)
        #expect(histogram.counts[DurationHistogram.bounds.count - 1] == 1)
        #expect(histogram.counts.last == 1)
        #expect(histogram.count == 5)
        #expect(histogram.sumNanoseconds == 20_000_200_002)
    }

    @Test func `counts of a program with other steps are taken as they fit`() {
        let few = DurationHistogram(counts: [1, 2], sumNanoseconds: 3)
        #expect(few.count == 3)
        let many = DurationHistogram(counts: [UInt64](repeating: 1, count: 40), sumNanoseconds: 3)
        #expect(many.counts.count == DurationHistogram.bounds.count + 1)
        #expect(many.count == 40)
        #expect(DurationHistogram(counts: [.max, .max], sumNanoseconds: 0).count == .max)
    }
}
