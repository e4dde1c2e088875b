import Glibc
package import Orchestration

/// Where `--since` wants the events to begin.
package enum SinceWhen: Equatable, Sendable {
    /// So many milliseconds ago.
    case ago(UInt64)
    /// Milliseconds since 1970.
    case time(UInt64)
    case sequence(UInt64)

    /// A duration (`90s`, `10m`, `1h30m`, `2d`), a moment by ISO 8601 (`2026-01-31`, `2026-01-31T14:03:07Z`; without a zone
    /// in this machine's), or the sequence number of an event.
    package init?(_ text: String) {
        if let number = UInt64(text) {
            self = .sequence(number)
        } else if let milliseconds = Self.duration(text) {
            self = .ago(milliseconds)
        } else if let milliseconds = Self.moment(text) {
            self = .time(milliseconds)
        } else {
            return nil
        }
    }

    /// - Parameter now: milliseconds since 1970.
    package func start(now: UInt64) -> EventStart {
        switch self {
        case .ago(let milliseconds): .time(now - min(milliseconds, now))
        case .time(let milliseconds): .time(milliseconds)
        case .sequence(let sequence): .sequence(sequence, stream: 0)
        }
    }

    // MARK: Reading

    private static let units: [(name: String, milliseconds: UInt64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    static func duration(_ text: String) -> UInt64? {
        var rest = text[...]
        var sum: UInt64 = 0
        repeat {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            let unit = rest.dropFirst(digits.count).prefix { $0.isLetter }
            guard let number = UInt64(digits), let found = units.first(where: { $0.name == unit }) else { return nil }
            let (part, overflow) = number.multipliedReportingOverflow(by: found.milliseconds)
            guard !overflow, part < 1 << 50 else { return nil }
            sum += part
            rest = rest.dropFirst(digits.count + unit.count)
        } while !rest.isEmpty && sum < 1 << 50
        return rest.isEmpty ? sum : nil
    }

    private static func moment(_ text: String) -> UInt64? {
        let pattern =
            /(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d\d:?\d\d)?)?/
        guard let match = text.wholeMatch(of: pattern)?.output else { return nil }
        func number(_ digits: Substring?) -> Int32 { digits.flatMap { Int32($0) } ?? 0 }
        var fields = tm()
        (fields.tm_year, fields.tm_mon, fields.tm_mday) = (number(match.1) - 1900, number(match.2) - 1, number(match.3))
        (fields.tm_hour, fields.tm_min, fields.tm_sec) = (number(match.4), number(match.5), number(match.6))
        guard (0...11).contains(fields.tm_mon), (1...31).contains(fields.tm_mday), fields.tm_hour < 24,
            fields.tm_min < 60, fields.tm_sec <= 60
        else { return nil }
        var seconds: Int
        if let zone = match.8 {
            seconds = timegm(&fields) - offset(zone)
        } else {
            fields.tm_isdst = -1
            seconds = mktime(&fields)
        }
        guard seconds >= 0 else { return nil }
        let fraction = match.7.map { UInt64($0 + repeatElement("0", count: 3 - $0.count)) ?? 0 } ?? 0
        return UInt64(seconds) * 1000 + fraction
    }

    /// Seconds east of Greenwich.
    private static func offset(_ zone: Substring) -> Int {
        let digits = zone.filter(\.isNumber)
        guard digits.count == 4, let hours = Int(digits.prefix(2)), let minutes = Int(digits.suffix(2)) else {
            return 0
        }
        return (zone.hasPrefix("-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }
}
