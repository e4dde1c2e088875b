package import ClusterModel

/// Looks for what is wrong with a plan, whoever made it. It knows the same facts as the planner and has none of its
/// code: what both of them get wrong in the same way has to be thought wrong twice.
package struct PlanChecker {
    /// Which rule a plan breaks. The raw values are those of JSON.
    package enum Rule: String, Equatable, Sendable, CaseIterable {
        case stale, backwards, brokenDependencies = "broken-dependencies", unknownWorker = "unknown-worker"
        case needless, tooManyAway = "too-many-away", lastNode = "last-node", twoOwners = "two-owners"
        case drainForgotten = "drain-forgotten", leftOut = "left-out", notTheEnd = "not-the-end"
    }

    /// Why a plan is not to be carried out.
    package struct Objection: Equatable, Sendable {
        /// The rule that it breaks.
        package var rule: Rule
        /// A sentence.
        package var sentence: String

        /// As the checker says it.
        package init(rule: Rule, sentence: String) {
            self.rule = rule
            self.sentence = sentence
        }
    }

    let plan: Plan
    let desired: Desired
    let observed: ObservedCluster
    let applied: [UInt64: Topology]
    /// Workers that may be stopped or restarted although nothing asks for it.
    let allowed: Set<String>
    /// What is wanted, by name.
    let wanted: [String: DeclaredWorker]
    let seen: [String: ObservedWorker]
    /// By generation that a worker runs and that comes before the desired one.
    let differences: [UInt64: TopologyDifference]
    private(set) var objections: [Objection] = []

    /// - Parameters:
    ///   - observed: what the controller sees now, which may be later than when the plan was made.
    ///   - allowed: workers that an operator wants stopped or restarted, whatever it costs.
    /// - Returns: what is wrong; nothing for a good plan.
    package static func check(
        _ plan: Plan, _ desired: Desired, _ observed: ObservedCluster, applied: [UInt64: Topology],
        allowing allowed: Set<String> = []
    ) -> [Objection] {
        let former = Set(observed.workers.compactMap(\.generation)).filter { $0 < desired.generation }
        var checker = PlanChecker(
            plan: plan, desired: desired, observed: observed, applied: applied, allowed: allowed,
            wanted: Dictionary(DeclaredWorker.all(desired.topology).map { ($0.name, $0) }) { first, _ in first },
            seen: Dictionary(observed.workers.map { ($0.name, $0) }) { first, _ in first },
            differences: Dictionary(
                former.compactMap { generation in
                    applied[generation].map { (generation, TopologyDifference(from: $0, to: desired.topology)) }
                }
            ) { first, _ in first })
        checker.check()
        return checker.objections
    }

    private mutating func check() {
        checkGenerations()
        // A plan that does nothing because it must not is no bad plan.
        guard plan.refusals.isEmpty || !plan.steps.isEmpty else { return }
        guard let order = PlanOrder(plan.steps) else {
            object(.brokenDependencies, PlanOrder.complaint(about: plan.steps))
            return
        }
        checkNames()
        checkAway(order)
        checkStops(order)
        checkStarts(order)
        checkCompleteness()
        checkEnd()
    }

    mutating func object(_ rule: Rule, _ sentence: String) {
        objections.append(Objection(rule: rule, sentence: sentence))
    }

    // MARK: Generations

    private mutating func checkGenerations() {
        if plan.index != observed.generation {
            object(
                .stale,
                "the plan was made against generation \(plan.index), and \(observed.generation) is applied by now; "
                    + "plan again"
            )
        }
        if plan.target != desired.generation {
            object(
                .stale, "the plan brings generation \(plan.target), and \(desired.generation) is desired; plan again")
        }
        let changes = !plan.steps.isEmpty || plan.refusals.isEmpty
        if changes, plan.target < plan.index {
            object(.backwards, "generation \(plan.target) is older than \(plan.index): generations never go backwards")
        }
        for step in plan.steps where step.work == .apply || step.work.isRestart {
            guard let generation = seen[step.worker]?.generation, generation > plan.target else { continue }
            object(
                .backwards,
                "step \(step.number) brings generation \(plan.target) to \(step.worker), which runs \(generation)")
        }
    }

    // MARK: Names

    private mutating func checkNames() {
        for step in plan.steps where wanted[step.worker] == nil && seen[step.worker] == nil {
            object(.unknownWorker, "step \(step.number) is for \(step.worker), which nobody knows")
        }
        for step in plan.steps {
            guard step.work.needsProcess, wanted[step.worker] != nil, seen[step.worker] == nil else { continue }
            object(.unknownWorker, "step \(step.number) is for \(step.worker), of which no process is known")
        }
    }

    // MARK: The end

    /// What the plan does has to be all that there is to do.
    private mutating func checkEnd() {
        guard objections.isEmpty else { return }
        let after = PlanOutcome.of(plan, observed)
        var known = applied
        known[plan.target] = desired.topology
        let rest = Planner.plan(desired, after, applied: known)
        guard let step = rest.steps.first else { return }
        object(
            .notTheEnd,
            "when all is done there is more to do: \(step.work.word) \(step.worker), \(PlanWords.list(step.reasons))")
    }
}

extension Plan.Step.Work {
    var isRestart: Bool {
        switch self {
        case .restart: true
        case .drain, .stop, .apply, .start: false
        }
    }

    /// It is done with a process that is there.
    var needsProcess: Bool {
        switch self {
        case .drain, .stop, .apply, .restart: true
        case .start: false
        }
    }
}
