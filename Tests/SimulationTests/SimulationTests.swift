import Foundation
import Simulation
import Testing

@Suite struct SimulationTests {
    /// `TANDEM_SIMULATION_SEEDS` asks for more of them.
    @Test func `clusters come to one mind after the storm`() throws {
        let seeds = ProcessInfo.processInfo.environment["TANDEM_SIMULATION_SEEDS"].flatMap { UInt64($0) } ?? 30
        var events: UInt64 = 0
        for seed in 1...seeds {
            let options = ClusterSimulation.Options(
                seed: seed, nodeCount: 2 + Int(seed % 4), phoneCount: 16, faultPercent: seed % 5 * 25
            )
            var simulation = ClusterSimulation(options)
            do {
                _ = try simulation.run()
            } catch {
                Issue.record("\(error)")
                return
            }
            events += simulation.eventCount
        }
        #expect(events > 1_000 * seeds)
    }

    @Test func `a seed repeats exactly`() throws {
        var first = ClusterSimulation(ClusterSimulation.Options(seed: 7))
        var second = ClusterSimulation(ClusterSimulation.Options(seed: 7))
        let times = (try first.run(), try second.run())
        #expect(times.0 == times.1)
        #expect(first.traceHash == second.traceHash)
        #expect(first.eventCount == second.eventCount)
    }
}
