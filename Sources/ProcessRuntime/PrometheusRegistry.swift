package import CoreMetrics
import Synchronization

/// What is known of a family of metrics before anything is recorded.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package let name: String
    package let kind: Kind
    /// One sentence, for whoever reads the figures.
    package let help: String
    /// It shows what the last collection has recorded, and nothing from before it.
    package let isCollected: Bool

    package init(_ name: String, _ kind: Kind, isCollected: Bool = false, help: String) {
        self.name = name
        self.kind = kind
        self.help = help
        self.isCollected = isCollected
    }
}

/// Keeps what is recorded through swift-metrics, and shows it as Prometheus reads it (text exposition format 0.0.4).
///
/// Labels of swift-metrics are names of families, dimensions are labels. Counters count up, recorders that do not aggregate and
/// meters are gauges, timers and recorders that aggregate are histograms, timers of seconds. A name that has another kind already
/// is not shown. Any thread may record.
package final class PrometheusRegistry: MetricsFactory {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private struct Family {
        var kind: MetricFamily.Kind
        var help = ""
        var isCollected = false
        /// By their labels as they are shown.
        var series: [String: Series] = [:]
    }

    private struct Series {
        var dimensions: [(String, String)]
        var value: MetricValue
        /// The collection that has recorded it last.
        var collection: UInt64
    }

    private struct State {
        var families: [String: Family] = [:]
        var collection: UInt64 = 0
    }

    private let state = Mutex(State())
    private let bounds: [Double]

    /// - Parameters:
    ///   - families: those that are known, which are shown with what they are for.
    ///   - bounds: the steps of histograms without the last one, ascending; seconds where it is about time.
    package init(_ families: [MetricFamily] = [], bounds: [Double]) {
        self.bounds = bounds
        state.withLock { state in
            for family in families {
                state.families[family.name] = Family(
                    kind: family.kind, help: family.help, isCollected: family.isCollected)
            }
        }
    }

    /// Has `body` record everything that is collected anew: what it does not record is gone afterwards.
    package func collect(_ body: () -> Void) {
        let collection = state.withLock { state in
            state.collection += 1
            return state.collection
        }
        body()
        state.withLock { state in
            for name in state.families.keys where state.families[name]!.isCollected {
                state.families[name]!.series = state.families[name]!.series.filter { $0.value.collection == collection }
            }
        }
    }

    /// Forgets all series with a dimension whose value is none of these.
    package func keepOnly(_ dimension: String, in values: Set<String>) {
        state.withLock { state in
            for name in state.families.keys {
                state.families[name]!.series = state.families[name]!.series.filter { _, series in
                    series.dimensions.allSatisfy { $0.0 != dimension || values.contains($0.1) }
                }
            }
        }
    }

    /// A histogram that somebody else has counted, for which swift-metrics has no word.
    ///
    /// - Parameter counts: of each step alone; one more than there are bounds.
    package func setHistogram(_ label: String, _ dimensions: [(String, String)], counts: [UInt64], sum: Double) {
        value(label, dimensions, .histogram).set(counts: counts, sum: sum)
    }

    // MARK: Rendering

    /// Families and series in the order of their names.
    package func rendered() -> [UInt8] {
        state.withLock { state in
            var text = ""
            for (name, family) in state.families.sorted(by: { $0.key < $1.key }) {
                if !family.help.isEmpty { text += "# HELP \(name) \(Self.escaped(help: family.help))\n" }
                text += "# TYPE \(name) \(family.kind.rawValue)\n"
                for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                    series.value.write(name, labels, bounds, into: &text)
                }
            }
            return Array(text.utf8)
        }
    }

    private static func escaped(help: String) -> String {
        help.contains { $0 == "\\" || $0.isNewline }
            ? help.reduce(into: "") { $0 += $1 == "\\" ? "\\\\" : $1.isNewline ? "\\n" : String($1) } : help
    }

    // MARK: Series

    private func value(
        _ label: String, _ dimensions: [(String, String)], _ kind: MetricFamily.Kind
    ) -> MetricValue {
        let name = PrometheusText.name(label)
        let labels = PrometheusText.labels(dimensions)
        return state.withLock { state in
            guard state.families[name, default: Family(kind: kind)].kind == kind else {
                return MetricValue(steps: bounds.count + 1)
            }
            let collection = state.collection
            if let known = state.families[name]?.series[labels]?.value {
                state.families[name]!.series[labels]!.collection = collection
                return known
            }
            let value = MetricValue(steps: kind == .histogram ? bounds.count + 1 : 0, bounds: bounds)
            state.families[name, default: Family(kind: kind)].series[labels] = Series(
                dimensions: dimensions, value: value, collection: collection)
            return value
        }
    }

    private func forget(_ handler: AnyObject) {
        state.withLock { state in
            for name in state.families.keys {
                state.families[name]!.series = state.families[name]!.series.filter { $0.value.value !== handler }
            }
        }
    }

    // MARK: swift-metrics

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        value(label, dimensions, .counter)
    }

    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        value(label, dimensions, .counter)
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        value(label, dimensions, .gauge)
    }

    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        value(label, dimensions, aggregate ? .histogram : .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        value(label, dimensions, .histogram)
    }

    package func destroyCounter(_ handler: any CounterHandler) { forget(handler) }
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { forget(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { forget(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { forget(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { forget(handler) }
}
