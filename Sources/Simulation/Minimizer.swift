/// Shortens a script that violates an invariant until nothing more can be left out (delta debugging: ever smaller parts
/// are removed as long as the same invariant is violated).
package struct Minimizer {
    private let plan: RunPlan
    private let injection: Injection?
    private let invariant: String
    /// How many runs may be spent.
    private var budget: Int
    package private(set) var runs = 0

    package init(plan: RunPlan, injection: Injection?, invariant: String, budget: Int = 600) {
        self.plan = plan
        self.injection = injection
        self.invariant = invariant
        self.budget = budget
    }

    /// - Returns: the shortest script found; it violates the invariant.
    package mutating func minimized(_ script: Script) -> Script {
        var stimuli = script.stimuli
        var parts = 2
        while stimuli.count > 1, runs < budget {
            let size = max(1, (stimuli.count + parts - 1) / parts)
            var isShorter = false
            var start = 0
            while start < stimuli.count, runs < budget {
                var rest = stimuli
                rest.removeSubrange(start..<min(start + size, stimuli.count))
                if fails(rest) {
                    stimuli = rest
                    isShorter = true
                } else {
                    start += size
                }
            }
            if isShorter {
                parts = max(2, parts - 1)
            } else if size == 1 {
                break
            } else {
                parts = min(parts * 2, stimuli.count)
            }
        }
        return Script(stimuli: stimuli)
    }

    private mutating func fails(_ stimuli: [TimedStimulus]) -> Bool {
        runs += 1
        var simulation = ClusterSimulation(plan: plan, script: Script(stimuli: stimuli), injection: injection)
        do {
            try simulation.run()
            return false
        } catch {
            return error.invariant == invariant
        }
    }
}
