import Simulation

/// Runs one seed, and shows what happened.
struct OneSeed {
    let seed: UInt64
    let setup: RunSetup
    let tellsAll: Bool
    let printsHash: Bool

    /// - Returns: whether all rules held.
    func run() -> Bool {
        var simulation = setup.simulation(seed: seed)
        if tellsAll { simulation.narrator = { print($0) } }
        do {
            try simulation.run()
        } catch {
            FailureReport(violation: error, simulation: simulation, setup: setup).print(withTrace: !tellsAll)
            return false
        }
        if printsHash {
            print("\(seed) \(hexadecimal(simulation.traceHash))")
        } else {
            print("seed \(seed) is clean: \(simulation.plan.sentence)")
            print("\(grouped(simulation.eventCount)) events, trace \(hexadecimal(simulation.traceHash))")
        }
        return true
    }
}

/// A broken rule: what is needed to repeat it, and the shortest story that leads there.
struct FailureReport {
    let violation: ClusterSimulation.Violation
    let simulation: ClusterSimulation
    let setup: RunSetup

    func print(withTrace: Bool) {
        Swift.print("\(violation)")
        Swift.print("repeat with: tandem-sim \(setup.arguments(seed: violation.seed))")
        Swift.print("commit: \(Commit.current ?? "unknown; this does not run in a clone of the repository")")
        Swift.print("the run: \(simulation.plan.sentence)")
        guard withTrace else { return }
        var minimizer = Minimizer(
            plan: simulation.plan, injection: setup.injection, invariant: violation.invariant)
        let script = minimizer.minimized(simulation.script)
        Swift.print(
            "shortened from \(simulation.script.stimuli.count) to \(script.stimuli.count) things that happen from outside"
                + " in \(minimizer.runs) runs:\n")
        var shortened = ClusterSimulation(plan: simulation.plan, script: script, injection: setup.injection)
        shortened.isBrief = true
        shortened.narrator = { Swift.print($0) }
        try? shortened.run()
    }
}
