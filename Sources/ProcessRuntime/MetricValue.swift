import CoreMetrics
import Synchronization

/// The value of one series: a number, or the steps of a histogram.
final class MetricValue: Sendable {
    private struct State {
        var number: Double = 0
        /// Of each step alone; empty for a number.
        var counts: [UInt64]
    }

    private let state: Mutex<State>
    private let bounds: [Double]

    /// - Parameter steps: 0 for a number.
    init(steps: Int, bounds: [Double] = []) {
        state = Mutex(State(counts: Array(repeating: 0, count: steps)))
        self.bounds = bounds
    }

    func set(counts: [UInt64], sum: Double) {
        state.withLock { state in
            for step in state.counts.indices { state.counts[step] = step < counts.count ? counts[step] : 0 }
            state.number = sum
        }
    }

    func write(_ name: String, _ labels: String, _ bounds: [Double], into text: inout String) {
        let (number, counts) = state.withLock { ($0.number, $0.counts) }
        guard !counts.isEmpty else {
            text += name
            if !labels.isEmpty { text += "{\(labels)}" }
            text += " \(PrometheusText.number(number))\n"
            return
        }
        var count: UInt64 = 0
        for (step, own) in counts.enumerated() {
            count &+= own
            let bound = step < bounds.count ? PrometheusText.number(bounds[step]) : "+Inf"
            text += "\(name)_bucket{\(labels.isEmpty ? "" : labels + ",")le=\"\(bound)\"} \(count)\n"
        }
        let braced = labels.isEmpty ? "" : "{\(labels)}"
        text += "\(name)_sum\(braced) \(PrometheusText.number(number))\n\(name)_count\(braced) \(count)\n"
    }

    private func change(_ change: (inout Double) -> Void) {
        state.withLock { change(&$0.number) }
    }

    private func observe(_ value: Double) {
        state.withLock { state in
            guard !state.counts.isEmpty, value.isFinite else {
                state.number = value
                return
            }
            state.counts[bounds.firstIndex { value <= $0 } ?? state.counts.count - 1] += 1
            state.number += value
        }
    }
}

extension MetricValue: CounterHandler, FloatingPointCounterHandler {
    func increment(by amount: Int64) { change { $0 += Double(max(0, amount)) } }
    func increment(by amount: Double) { change { $0 += amount } }
    func reset() { change { $0 = 0 } }
}

extension MetricValue: MeterHandler {
    func set(_ value: Int64) { change { $0 = Double(value) } }
    func set(_ value: Double) { change { $0 = value } }
    func decrement(by amount: Double) { change { $0 -= amount } }
}

extension MetricValue: RecorderHandler {
    func record(_ value: Int64) { observe(Double(value)) }
    func record(_ value: Double) { observe(value) }
}

extension MetricValue: TimerHandler {
    func recordNanoseconds(_ duration: Int64) { observe(Double(duration) / 1e9) }
}

/// How names, labels and numbers are written.
enum PrometheusText {
    /// A letter, an underscore or a colon, then also digits; all else becomes an underscore.
    static func name(_ text: String) -> String {
        isName(text.utf8, colons: true) ? text : mended(text, colons: true)
    }

    /// What stands between the braces, in the order of the names.
    static func labels(_ dimensions: [(String, String)]) -> String {
        var text = ""
        for (name, value) in dimensions.sorted(by: { $0.0 < $1.0 }) {
            if !text.isEmpty { text += "," }
            text += isName(name.utf8, colons: false) ? name : mended(name, colons: false)
            text += "=\""
            text += escaped(value)
            text += "\""
        }
        return text
    }

    /// A whole number without a fraction.
    static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return "\(whole)" }
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 92 || $0 == 34 || $0 == 10 }) else { return value }
        return value.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    private static func mended(_ text: String, colons: Bool) -> String {
        var name = String(
            decoding: text.utf8.map { isPart($0, colons: colons) ? $0 : 95 }, as: UTF8.self)
        if name.isEmpty || isDigit(name.utf8.first!) { name = "_" + name }
        return name
    }

    private static func isName(_ text: String.UTF8View, colons: Bool) -> Bool {
        guard let first = text.first, !isDigit(first) else { return false }
        return text.allSatisfy { isPart($0, colons: colons) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }

    private static func isPart(_ byte: UInt8, colons: Bool) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 95: true
        case 58: colons
        default: false
        }
    }
}
