/// Figures and lists as people read them in plans.
package enum PlanWords {
    /// `1 DN`, `4 DNs`.
    static func count(_ number: UInt64, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }

    /// `a`, `a and b`, `a, b and c`; of many the first ones.
    static func list(_ items: [String], atMost maximum: Int = 6) -> String {
        guard items.count > 1 else { return items.first ?? "" }
        if items.count > maximum {
            return items.prefix(maximum - 1).joined(separator: ", ") + " and \(items.count - maximum + 1) more"
        }
        return items.dropLast().joined(separator: ", ") + " and " + items[items.count - 1]
    }

    /// `1, 3-5`.
    package static func ranges(_ numbers: [Int]) -> String {
        var runs: [(first: Int, last: Int)] = []
        for number in numbers {
            if let last = runs.last, last.last + 1 == number {
                runs[runs.count - 1].last = number
            } else {
                runs.append((number, number))
            }
        }
        return runs.map { $0.first == $0.last ? "\($0.first)" : "\($0.first)-\($0.last)" }.joined(separator: ", ")
    }

    /// `step 1`, `steps 1, 3-5`.
    static func steps(_ numbers: [Int]) -> String { "step\(numbers.count == 1 ? "" : "s") \(ranges(numbers))" }

    /// `340ms`, `12s`, `4m 05s`, `3h 07m`, `2d 4h`.
    static func time(_ milliseconds: UInt64) -> String {
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let seconds = milliseconds / 1000
        switch seconds {
        case 0: return "\(milliseconds)ms"
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m \(two(seconds % 60))s"
        case ..<86_400: return "\(seconds / 3600)h \(two(seconds / 60 % 60))m"
        default: return "\(seconds / 86_400)d \(seconds / 3600 % 24)h"
        }
    }
}
