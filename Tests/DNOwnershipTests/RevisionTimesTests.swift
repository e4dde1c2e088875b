import DNOwnership
import Testing

@Suite struct RevisionTimesTests {
    private static let millisecond: UInt64 = 1_000_000

    @Test func `what this turn has said is of now, what waits is as old as its turn`() {
        var times = RevisionTimes()
        #expect(times.time(of: 1, now: 5) == 5)
        times.turnEnded(revision: 3, now: 10 * Self.millisecond)
        times.turnEnded(revision: 3, now: 15 * Self.millisecond)
        times.turnEnded(revision: 7, now: 20 * Self.millisecond)
        #expect(times.time(of: 1, now: 90) == 10 * Self.millisecond)
        #expect(times.time(of: 3, now: 90) == 10 * Self.millisecond)
        #expect(times.time(of: 4, now: 90) == 20 * Self.millisecond)
        #expect(times.time(of: 8, now: 90) == 90)
    }

    @Test func `turns within a millisecond share the time of the first`() {
        var times = RevisionTimes()
        times.turnEnded(revision: 1, now: 10 * Self.millisecond)
        times.turnEnded(revision: 2, now: 10 * Self.millisecond + 999_999)
        times.turnEnded(revision: 3, now: 11 * Self.millisecond)
        #expect(times.time(of: 2, now: 0) == 10 * Self.millisecond)
        #expect(times.time(of: 3, now: 0) == 11 * Self.millisecond)
    }

    @Test func `what is older than all marks is as old as the oldest`() {
        var times = RevisionTimes()
        for turn in 1...5_000 as ClosedRange<UInt64> {
            times.turnEnded(revision: turn, now: turn * 2 * Self.millisecond)
        }
        #expect(times.time(of: 1, now: 0) == 905 * 2 * Self.millisecond)
        #expect(times.time(of: 905, now: 0) == 905 * 2 * Self.millisecond)
        #expect(times.time(of: 906, now: 0) == 906 * 2 * Self.millisecond)
        #expect(times.time(of: 5_000, now: 0) == 5_000 * 2 * Self.millisecond)
    }

    @Test func `of what another process has said nothing is known`() {
        var times = RevisionTimes(revision: 40)
        #expect(times.time(of: 40, now: 9) == nil)
        #expect(times.time(of: 41, now: 9) == 9)
        times.turnEnded(revision: 41, now: 9)
        #expect(times.time(of: 41, now: 10) == 9)
    }
}
