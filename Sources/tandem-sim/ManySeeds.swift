import LinuxSystem
import Simulation

/// Runs a range of seeds, several at a time, until one breaks a rule. What is printed does not depend on how many run at
/// a time, but for the times.
struct ManySeeds {
    let range: ClosedRange<UInt64>
    let setup: RunSetup
    let jobs: Int
    let printsHashes: Bool

    /// Below so many seeds, what never happened says nothing.
    static let seedsForCoverage: UInt64 = 2_000

    /// What one seed came to.
    private struct Outcome: Sendable {
        var seed: UInt64
        var hash: UInt64
        var events: UInt64
        var elapsed: UInt64
        var coverage: Coverage
        var violation: ClusterSimulation.Violation?
    }

    /// - Returns: whether all rules held.
    func run() -> Bool {
        var progress = Progress(total: UInt64(range.count))
        var coverage = Coverage()
        var next = range.lowerBound
        while next <= range.upperBound {
            // A piece at a time, so that the first seed that breaks a rule is always the same one.
            let last = min(range.upperBound, next + UInt64(jobs) * 32 - 1)
            for outcome in outcomes(next...last) {
                progress.add(events: outcome.events, elapsed: outcome.elapsed)
                coverage.add(outcome.coverage)
                if printsHashes { print("\(outcome.seed) \(hexadecimal(outcome.hash))") }
                guard let violation = outcome.violation else { continue }
                progress.clear()
                FailureReport(violation: violation, simulation: setup.simulation(seed: outcome.seed), setup: setup)
                    .print(withTrace: true)
                return false
            }
            progress.show()
            next = last + 1
        }
        progress.clear()
        return summarize(progress, coverage)
    }

    private func outcomes(_ seeds: ClosedRange<UInt64>) -> [Outcome] {
        let setup = setup
        let jobs = jobs
        if jobs == 1 { return seeds.map { Self.outcome($0, setup) } }
        return Parallel.run(jobs: jobs) { job in
            stride(from: seeds.lowerBound + UInt64(job), through: seeds.upperBound, by: jobs).map { seed in
                Self.outcome(seed, setup)
            }
        }.sorted { $0.seed < $1.seed }
    }

    private static func outcome(_ seed: UInt64, _ setup: RunSetup) -> Outcome {
        var simulation = setup.simulation(seed: seed)
        try? simulation.run()
        return Outcome(
            seed: seed, hash: simulation.traceHash, events: simulation.eventCount, elapsed: simulation.elapsed,
            coverage: simulation.coverage, violation: simulation.failure
        )
    }

    private func summarize(_ progress: Progress, _ coverage: Coverage) -> Bool {
        if printsHashes { return true }
        print("\(grouped(progress.total)) seeds are clean: \(progress.figures(jobs: jobs))\n")
        CoverageTable(coverage).print()
        guard setup.injection == nil, progress.total >= Self.seedsForCoverage, !coverage.missing.isEmpty else {
            return true
        }
        print("\nnever happened, so nothing is known of it: \(coverage.missing.joined(separator: ", "))")
        return false
    }
}

/// How far a long run has come: on the terminal, in place.
struct Progress {
    let total: UInt64
    private let start = SystemClock.monotonicNanoseconds()
    private var seeds: UInt64 = 0
    private var events: UInt64 = 0
    private var elapsed: UInt64 = 0
    private var shown: UInt64

    init(total: UInt64) {
        self.total = total
        shown = start
    }

    mutating func add(events: UInt64, elapsed: UInt64) {
        seeds += 1
        self.events += events
        self.elapsed += elapsed
    }

    private var seconds: Double {
        max(0.001, Double(SystemClock.monotonicNanoseconds() - start) / 1e9)
    }

    /// Once a second in place, or a line every ten seconds where that cannot be.
    mutating func show() {
        let now = SystemClock.monotonicNanoseconds()
        guard now - shown > (StandardError.isTerminal ? 1_000_000_000 : 10_000_000_000) else { return }
        shown = now
        let text = "\(grouped(seeds)) of \(grouped(total)) seeds, \(figures(jobs: 1))"
        StandardError.write(StandardError.isTerminal ? "\r\(text)   " : "\(text)\n")
    }

    func clear() {
        guard shown > start, StandardError.isTerminal else { return }
        StandardError.write("\n")
    }

    /// Events a second and simulated hours.
    func figures(jobs: Int) -> String {
        let seconds = seconds
        let rate = grouped(UInt64(Double(events) / seconds))
        let hours = Double(elapsed) / 3.6e12
        return "\(decimal(Double(seeds) / seconds)) seeds/s, \(rate) events/s, \(decimal(hours)) simulated hours in"
            + " \(decimal(seconds)) s" + (jobs > 1 ? " with \(jobs) at a time" : "")
    }
}
