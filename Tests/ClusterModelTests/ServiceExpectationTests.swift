import ClusterModel
import Testing

@Suite struct ServiceExpectationTests {
    /// Monday, 5 January 2026, 00:00 UTC.
    private static let monday: UInt64 = 1_767_571_200_000

    private func isDue(_ expectation: ServiceExpectation, _ day: Int, _ hour: Int, _ minute: Int = 0) -> Bool {
        expectation.isDue(at: UInt64(Int(Self.monday) + ((day * 24 + hour) * 60 + minute) * 60_000))
    }

    private func hours(_ start: Int, _ end: Int) -> ServiceExpectation.Hours {
        ServiceExpectation.Hours(start: start * 60, end: end * 60)
    }

    private let workdays: ServiceExpectation.Days = [.day(0), .day(1), .day(2), .day(3), .day(4)]

    @Test func `unless more is said it is due always`() {
        let always = ServiceExpectation()
        for hour in 0..<200 { #expect(isDue(always, 0, hour)) }
        #expect(always.isDue(at: 0))
        #expect(always.isDue(at: .max))
    }

    @Test func `hours of some days begin on the minute and end before it`() {
        let office = ServiceExpectation(hours: hours(8, 18), days: workdays)
        #expect(!isDue(office, 0, 7, 59))
        #expect(isDue(office, 0, 8))
        #expect(isDue(office, 4, 17, 59))
        #expect(!isDue(office, 4, 18))
        #expect(!isDue(office, 5, 12))
        #expect(!isDue(office, 6, 12))
        #expect(isDue(office, 7, 12))
    }

    @Test func `hours over midnight belong to the day on which they begin`() {
        let night = ServiceExpectation(hours: hours(22, 6), days: .day(4))
        #expect(!isDue(night, 4, 5))
        #expect(!isDue(night, 4, 21, 59))
        #expect(isDue(night, 4, 22))
        #expect(isDue(night, 4, 23, 59))
        #expect(isDue(night, 5, 0))
        #expect(isDue(night, 5, 5, 59))
        #expect(!isDue(night, 5, 6))
        #expect(!isDue(night, 5, 23))
        // From Sunday to Monday as well.
        let sunday = ServiceExpectation(hours: hours(22, 6), days: .day(6))
        #expect(isDue(sunday, 0, 3) && isDue(sunday, 7, 3) && !isDue(sunday, 1, 3))
    }

    @Test func `an offset moves hours and days`() {
        let east = ServiceExpectation(hours: hours(0, 8), days: .day(0), offset: 14 * 60)
        // Its Monday begins on Sunday at 10:00 UTC.
        #expect(!isDue(east, -1, 9, 59))
        #expect(isDue(east, -1, 10))
        #expect(isDue(east, -1, 17, 59))
        #expect(!isDue(east, -1, 18))
        let west = ServiceExpectation(days: .day(6), offset: -5 * 60)
        // Its Sunday ends on Monday at 05:00 UTC.
        #expect(isDue(west, 0, 4, 59))
        #expect(!isDue(west, 0, 5))
        #expect(!isDue(west, -1, 4, 59))
    }

    @Test func `the first day of 1970 was a Thursday, also west of it`() {
        #expect(ServiceExpectation(days: .day(3)).isDue(at: 0))
        #expect(ServiceExpectation(days: .day(2), offset: -60).isDue(at: 0))
    }

    @Test(arguments: [
        (ServiceExpectation(), "in-service"),
        (
            ServiceExpectation(
                hours: .init(start: 8 * 60 + 5, end: 24 * 60), days: [.day(0), .day(1), .day(6)], offset: 330),
            "in-service 08:05-24:00 mon-tue,sun +05:30"
        ), (ServiceExpectation(days: .day(2), offset: -60), "in-service wed -01:00"),
    ])
    func `it is told in the words of the file`(expectation: ServiceExpectation, words: String) {
        #expect("\(expectation)" == words)
    }
}
