import Simulation
import Testing

@Suite struct SimulationTests {
    @Test func `a hundred clusters come to one mind after the storm`() throws {
        var events: UInt64 = 0
        for seed in 1...100 as ClosedRange<UInt64> {
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
        #expect(events > 100_000)
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
