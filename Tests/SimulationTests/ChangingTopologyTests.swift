import Simulation
import Testing

/// Runs whose topology changes.
@Suite struct ChangingTopologyTests {
    private static let changing = (1...60 as ClosedRange<UInt64>).filter { RunPlan(seed: $0).changes != nil }

    @Test func `many seeds change the topology, and none where calls are told to the end`() {
        #expect(Self.changing.count > 15)
        #expect(Self.changing.allSatisfy { RunPlan(seed: $0).calls == nil })
    }

    @Test func `people are told what an operator declares, what comes of it, and what the controller does`() throws {
        let seed = try #require(Self.changing.first)
        var simulation = ClusterSimulation(seed: seed)
        var lines: [String] = []
        simulation.narrator = { lines.append($0) }
        simulation.isBrief = true
        try simulation.run()
        for words in ["an operator declares generation 2", "the controller: apply(", "goes on under generation 2"] {
            #expect(lines.contains { $0.contains(words) }, "\(words)")
        }
    }

    @Test func `the last change takes nothing away, also where a shortened script has left out those before it`() throws
    {
        for seed in Self.changing {
            var simulation = ClusterSimulation(plan: RunPlan(seed: seed), script: Script(stimuli: []))
            try simulation.run()
        }
    }

    @Test func `a changing run repeats exactly`() throws {
        for seed in Self.changing.prefix(3) {
            var (first, second) = (ClusterSimulation(seed: seed), ClusterSimulation(seed: seed))
            try first.run()
            try second.run()
            #expect(first.traceHash == second.traceHash)
            #expect(first.coverage == second.coverage)
        }
    }
}
