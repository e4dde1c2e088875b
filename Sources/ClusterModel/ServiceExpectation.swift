/// When a DN should be in service, as `expect` in the topology says it.
package struct ServiceExpectation: Hashable, Sendable {
    /// The minutes of a day in which it should be; nil for all of them. The end is not among them. An end that is not after the
    /// beginning is one of the next day.
    package var hours: Hours?
    /// On which days, Monday first. Hours that go over midnight belong to the day on which they begin.
    package var days: Days
    /// Minutes that its clock is ahead of UTC. It knows no summer time.
    package var offset: Int

    /// Minutes after midnight.
    package struct Hours: Hashable, Sendable {
        package var start: Int
        package var end: Int

        package init(start: Int, end: Int) {
            self.start = start
            self.end = end
        }
    }

    /// Days of the week.
    package struct Days: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        package static let all = Days(rawValue: 0x7F)
        /// As a topology writes them.
        package static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

        /// The day at a position in `names`.
        package static func day(_ position: Int) -> Days { Days(rawValue: 1 << UInt8(position)) }
    }

    package static let offsetBounds = -14 * 60...14 * 60

    package init(hours: Hours? = nil, days: Days = .all, offset: Int = 0) {
        self.hours = hours
        self.days = days
        self.offset = offset
    }

    /// Whether a DN should be in service at a time.
    ///
    /// - Parameter milliseconds: since 1970.
    package func isDue(at milliseconds: UInt64) -> Bool {
        // A week more, so that no offset leads before the beginning of the count.
        let minutes = Int(clamping: milliseconds / 60_000) + 7 * Self.day + offset
        let (days, minute) = (minutes / Self.day, minutes % Self.day)
        guard let hours else { return isDay(days) }
        if hours.start < hours.end { return isDay(days) && minute >= hours.start && minute < hours.end }
        return minute >= hours.start ? isDay(days) : minute < hours.end && isDay(days - 1)
    }

    private static let day = 24 * 60

    /// - Parameter days: since the first Thursday of 1970 or a week before it.
    private func isDay(_ days: Int) -> Bool { self.days.contains(.day((days + 3) % 7)) }
}

extension ServiceExpectation: CustomStringConvertible {
    /// `in-service`, or `in-service 08:00-18:00 mon-fri +01:00`.
    package var description: String {
        var words = ["in-service"]
        if let hours { words.append("\(Self.clock(hours.start))-\(Self.clock(hours.end))") }
        if days != .all { words.append(days.description) }
        if offset != 0 { words.append("\(offset < 0 ? "-" : "+")\(Self.clock(abs(offset)))") }
        return words.joined(separator: " ")
    }

    private static func clock(_ minutes: Int) -> String { "\(twoDigits(minutes / 60)):\(twoDigits(minutes % 60))" }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension ServiceExpectation.Days: CustomStringConvertible {
    /// `mon-fri`, or `mon,wed-fri`.
    package var description: String {
        var runs: [String] = []
        var position = 0
        while position < 7 {
            guard contains(.day(position)) else {
                position += 1
                continue
            }
            let first = position
            while position < 7, contains(.day(position)) { position += 1 }
            let last = position - 1
            runs.append(first == last ? Self.names[first] : "\(Self.names[first])-\(Self.names[last])")
        }
        return runs.joined(separator: ",")
    }
}
