import ClusterModel
import Glibc
package import Orchestration

/// Figures and moments as people read them.
package enum Wording {
    /// `340ms`, `12s`, `4m 05s`, `3h 07m`, `2d 4h`.
    package static func duration(milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        switch seconds {
        case 0: return "\(milliseconds)ms"
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m \(twoDigits(seconds % 60))s"
        case ..<86_400: return "\(seconds / 3600)h \(twoDigits(seconds / 60 % 60))m"
        default: return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
        }
    }

    /// `85 µs` or `1.2 ms`, without the blank.
    package static func duration(microseconds: UInt64) -> String {
        microseconds < 1000 ? "\(microseconds)µs" : "\(microseconds / 1000).\(microseconds / 100 % 10)ms"
    }

    /// `512 B`, `14 kB`, `38 MB`, `1.4 GB`; decimal units.
    package static func bytes(_ count: UInt64) -> String {
        switch count {
        case ..<1000: "\(count) B"
        case ..<1_000_000: "\(count / 1000) kB"
        case ..<1_000_000_000: "\(count / 1_000_000) MB"
        default: "\(count / 1_000_000_000).\(count / 100_000_000 % 10) GB"
        }
    }

    /// `1 node`, `4 nodes`.
    package static func count(_ number: some BinaryInteger, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }

    /// `a`, `a and b`, `a, b and c`.
    package static func list(_ items: [String]) -> String {
        guard let last = items.last, items.count > 1 else { return items.first ?? "" }
        return items.dropLast().joined(separator: ", ") + " and " + last
    }

    /// `2026-01-31 14:03:07`, in the time zone of this machine.
    package static func localTime(milliseconds: UInt64) -> String {
        let time = fields(milliseconds)
        return "\(time.tm_year + 1900)-\(twoDigits(time.tm_mon + 1))-\(twoDigits(time.tm_mday)) \(clock(time))"
    }

    /// `14:03:07.250`, in the time zone of this machine.
    package static func localClock(milliseconds: UInt64) -> String {
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        return "\(clock(fields(milliseconds))).\(fraction)"
    }

    /// `2026-01-31 14:03:07.250`, in the time zone of this machine.
    package static func localTimeWithMilliseconds(milliseconds: UInt64) -> String {
        "\(localTime(milliseconds: milliseconds)).\(String(1000 + milliseconds % 1000).dropFirst())"
    }

    /// `2026-01-31T14:03:07.250Z`, by ISO 8601, for programs.
    package static func isoTime(milliseconds: UInt64) -> String {
        var seconds = time_t(clamping: milliseconds / 1000)
        var time = tm()
        gmtime_r(&seconds, &time)
        let fraction = String(1000 + milliseconds % 1000).dropFirst()
        return
            "\(time.tm_year + 1900)-\(twoDigits(time.tm_mon + 1))-\(twoDigits(time.tm_mday))T\(clock(time)).\(fraction)Z"
    }

    /// Text of phones and peers, without what would move a terminal's cursor or change its colours.
    package static func printable(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: scalars.append("\u{FFFD}")
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }

    /// A text of at most so many characters; what is longer ends in an ellipsis.
    package static func shortened(_ text: String, to maximum: Int) -> String {
        text.unicodeScalars.count <= maximum ? text : String(text.unicodeScalars.prefix(maximum - 1)) + "…"
    }

    private static func fields(_ milliseconds: UInt64) -> tm {
        var seconds = time_t(clamping: milliseconds / 1000)
        var fields = tm()
        localtime_r(&seconds, &fields)
        return fields
    }

    private static func clock(_ time: tm) -> String {
        "\(twoDigits(time.tm_hour)):\(twoDigits(time.tm_min)):\(twoDigits(time.tm_sec))"
    }

    private static func twoDigits(_ number: some BinaryInteger) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}

extension Service {
    /// `InSrv`, or `OOS` with the reason.
    package var shortWord: String { isInService ? "InSrv" : "OOS \(reason ?? "")" }
}

extension RoleName {
    /// One worker of the role, as it is called in a sentence.
    package var words: String {
        switch self {
        case .sip: "node"
        case .stat: "stat server"
        case .router: "router"
        case .workspace: "workspace"
        }
    }
}
