import ArgumentParser
import LinuxSystem
import Simulation

struct TandemSim: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "tandem-sim")
    @Option var seeds: String = "1..100"
    @Option var seed: UInt64?
    @Option var inject: String?
    @Flag var trace = false
    @Flag var all = false
    func run() throws {
        let injection = inject.flatMap { Injection(rawValue: $0) }
        if let seed {
            var simulation = ClusterSimulation(seed: seed, injection: injection)
            if trace { simulation.narrator = { print($0) } }
            print(simulation.plan)
            do { try simulation.run(); print("clean", simulation.eventCount, simulation.traceHash) } catch {
                print(error)
                if trace { return }
                var minimizer = Minimizer(plan: simulation.plan, injection: injection, invariant: error.invariant)
                let script = minimizer.minimized(simulation.script)
                print(
                    "minimised to \(script.stimuli.count) of \(simulation.script.stimuli.count) in \(minimizer.runs) runs"
                )
                var again = ClusterSimulation(plan: simulation.plan, script: script, injection: injection)
                again.narrator = { if !$0.contains(" ping") && !$0.contains(" pong") { print($0) } }
                do { try again.run() } catch { print(error) }
            }
            return
        }
        let parts = seeds.split(separator: ".").compactMap { UInt64($0) }
        let start = SystemClock.monotonicNanoseconds()
        var events: UInt64 = 0
        var coverage = Coverage()
        var kinds: [String: (Int, UInt64)] = [:]
        var elapsed: UInt64 = 0
        for seed in parts[0]...parts[1] {
            var simulation = ClusterSimulation(seed: seed, injection: injection)
            do { try simulation.run() } catch {
                kinds[error.invariant, default: (0, seed)].0 += 1
                if kinds[error.invariant]!.0 <= 3 { print(error) }
                if !all && injection != nil { break }
            }
            events += simulation.eventCount
            elapsed += simulation.elapsed
            coverage.add(simulation.coverage)
        }
        let seconds = Double(SystemClock.monotonicNanoseconds() - start) / 1e9
        print(
            "events", events, "seconds", seconds, "events/s", Double(events) / seconds, "sim hours",
            Double(elapsed) / 3.6e12)
        print(kinds)
        if injection == nil {
            for (name, count) in coverage.faultCounts + coverage.transitionCounts {
                print(name, count, terminator: "; ")
            }
            print("\nmissing", coverage.missing)
        }
    }
}
TandemSim.main()
