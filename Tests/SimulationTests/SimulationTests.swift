import Foundation
import Simulation
import Testing

@Suite struct SimulationTests {
    /// Seeds that are run with every build; `make simulate` runs thousands.
    private static let seeds: ClosedRange<UInt64> = 1...200

    private func run(_ simulation: inout ClusterSimulation) -> ClusterSimulation.Violation? {
        do {
            try simulation.run()
            return nil
        } catch {
            return error
        }
    }

    /// Transitions that take more seeds; `make simulate` asks for them too.
    private static let rare: Set<String> = [
        "closedResyncTooSlow", "closedStale", "nodeAdded", "registerBeforeIntroduction", "topologyRefused",
    ]

    @Test func `clusters come to one mind after the storm, and break no rule on the way`() {
        var coverage = Coverage()
        for seed in Self.seeds {
            var simulation = ClusterSimulation(seed: seed)
            let violation = run(&simulation)
            #expect(violation == nil, "\(violation?.description ?? ""); tandem-sim --seed \(seed)")
            #expect(simulation.eventCount > 100, "seed \(seed) hardly did anything")
            coverage.add(simulation.coverage)
        }
        #expect(Set(coverage.missing).isSubset(of: Self.rare), "\(coverage.missing)")
    }

    @Test func `what once went wrong stays mended`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "regression-seeds.txt")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let entries = lines.filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        try #require(entries.count >= 4)
        for entry in entries {
            try #require(entry.count == 2, "\(entry)")
            let mistake = try #require(Injection(named: String(entry[0])), "\(entry)")
            let seed = try #require(UInt64(entry[1]), "\(entry)")
            var sound = ClusterSimulation(seed: seed)
            let violation = run(&sound)
            #expect(violation == nil, "\(violation?.description ?? "")")
            var mistaken = ClusterSimulation(seed: seed, injection: mistake)
            #expect(run(&mistaken) != nil, "seed \(seed) does not find \(entry[0]) any more; put another there")
        }
    }

    @Test(arguments: Injection.all.map(\.name))
    func `a mistake that is put back is found within a thousand seeds`(_ name: String) throws {
        let injection = try #require(Injection(named: name))
        for seed in 1...1000 as ClosedRange<UInt64> {
            var simulation = ClusterSimulation(seed: seed, injection: injection)
            if run(&simulation) != nil { return }
        }
        Issue.record("\(injection.name) was not found: \(injection.sentence)")
    }

    @Test func `mistakes are put back into what ships`() {
        #expect(Injection.all.count { $0.isInMachines } >= 9)
        #expect(Set(Injection.all.map(\.sentence)).count == Injection.all.count)
    }

    @Test func `a seed repeats exactly`() throws {
        for seed in [7, 8, 9] as [UInt64] {
            var first = ClusterSimulation(seed: seed)
            var second = ClusterSimulation(seed: seed)
            try first.run()
            try second.run()
            #expect(first.traceHash == second.traceHash)
            #expect(first.eventCount == second.eventCount)
            #expect(first.coverage == second.coverage)
        }
    }

    @Test func `telling what happens changes nothing`() throws {
        var silent = ClusterSimulation(seed: 11)
        var told = ClusterSimulation(seed: 11)
        var lines = 0
        told.narrator = { _ in lines += 1 }
        try silent.run()
        try told.run()
        #expect(silent.traceHash == told.traceHash)
        #expect(lines > 100)
    }

    @Test func `seeds differ in mood, size and weather`() {
        let plans = Self.seeds.map { RunPlan(seed: $0) }
        #expect(Set(plans.map(\.mood)) == Set(RunPlan.Mood.allCases))
        #expect(Set(plans.map(\.nodeCount)) == [2, 3, 4, 5, 6, 7, 9])
        #expect(plans.contains { !$0.lingeringCuts.isEmpty })
        for plan in plans where plan.mood == .calm {
            #expect(plan.faultKinds.isEmpty)
            #expect(plan.skews.allSatisfy { $0 == 0 })
        }
        #expect(RunPlan(seed: 1, nodeCount: 8).nodeCount == 8)
    }

    private let mistake = Injection(named: "former-owner-untold")

    @Test func `a failing script is shortened to what matters`() throws {
        let seed = try #require(
            (1...1000 as ClosedRange<UInt64>).first { seed in
                var simulation = ClusterSimulation(seed: seed, injection: mistake)
                return run(&simulation) != nil
            })
        var simulation = ClusterSimulation(seed: seed, injection: mistake)
        let violation = try #require(run(&simulation))
        var minimizer = Minimizer(
            plan: simulation.plan, injection: mistake, invariant: violation.invariant)
        let script = minimizer.minimized(simulation.script)
        #expect(script.stimuli.count * 10 < simulation.script.stimuli.count)
        var shortened = ClusterSimulation(plan: simulation.plan, script: script, injection: mistake)
        #expect(run(&shortened)?.invariant == violation.invariant)
        var sound = ClusterSimulation(plan: simulation.plan, script: script)
        #expect(run(&sound) == nil)
    }
}
