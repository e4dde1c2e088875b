package import ClusterModel

/// A reconciler that says what it decides, so that somebody can write it down.
///
/// A look after which everything is as before is none of that: it does not touch the state, and the plan is made anew at the next look, so
/// the decisions that are recorded come out the same without those that are not.
package struct DecisionRecorder: Sendable {
    /// A decision, and what the reconciler knew before it.
    package struct Entry: Equatable, Sendable {
        /// What a log says first that has nothing before this decision.
        package var before: Reconciler.State
        package var decision: Decision
    }

    /// For so long findings alone that differ are not recorded again, nanoseconds: they come and go with every phone.
    package static let findingsInterval: UInt64 = 60_000_000_000

    /// What decides.
    package private(set) var reconciler: Reconciler
    /// What has been decided and not been taken yet.
    package private(set) var entries: [Entry] = []
    private var lastNumber: UInt64 = 0
    private var last: Gist?
    /// When the last look was recorded, monotonic nanoseconds.
    private var lastLook: UInt64 = 0

    /// Nothing has been decided yet.
    package init(_ reconciler: Reconciler = Reconciler()) { self.reconciler = reconciler }

    /// What has been decided since this was asked last.
    package mutating func take() -> [Entry] {
        defer { entries = [] }
        return entries
    }

    /// As `Reconciler.observed`.
    ///
    /// - Parameter applied: says the same of the desired generation as `desired`, if it says anything of it.
    package mutating func observed(
        _ observed: ObservedCluster, desired: Desired, applied: [UInt64: Topology], now: Instant
    ) -> [Reconciler.Action] {
        let before = reconciler.state
        let observed = observed.condensed
        let actions = reconciler.observed(observed, desired: desired, applied: applied, now: now.monotonic)
        guard let plan = reconciler.plan else { return actions }
        let gist = Gist(plan, reconciler.objections)
        guard !actions.isEmpty || reconciler.state != before || isNews(gist, now) else { return actions }
        last = gist
        lastLook = now.monotonic
        let look = Decision.Look(
            observed: observed, generation: desired.generation, version: desired.version,
            topologies: applied.keys.sorted())
        record(.look(look), before, actions, now)
        return actions
    }

    /// As `Reconciler.ended`.
    package mutating func ended(_ worker: String, _ problem: String, now: Instant) {
        change(.ended(worker: worker, problem: problem), now)
    }

    /// As `Reconciler.restartsEnded`.
    package mutating func restartsEnded(succeeded: Bool, generation: UInt64, now: Instant) {
        change(.restartsEnded(succeeded: succeeded, generation: generation), now)
    }

    /// As `Reconciler.tryAgain`.
    package mutating func tryAgain(now: Instant) { change(.tryAgain, now) }

    /// An operator accepts the consequences of a generation.
    package mutating func accept(_ generation: UInt64, now: Instant) { change(.consent(generation), now) }

    private mutating func change(_ input: Decision.Input, _ now: Instant) {
        let before = reconciler.state
        reconciler.hear(input, now: now.monotonic)
        if reconciler.state != before { record(input, before, [], now) }
    }

    private mutating func record(
        _ input: Decision.Input, _ before: Reconciler.State, _ actions: [Reconciler.Action], _ now: Instant
    ) {
        lastNumber += 1
        let outcome = Decision.Outcome(of: input, reconciler, actions)
        entries.append(
            Entry(before: before, decision: Decision(number: lastNumber, time: now, input: input, outcome: outcome)))
    }

    private func isNews(_ gist: Gist, _ now: Instant) -> Bool {
        guard let last else { return true }
        guard gist.findings != last.findings else { return gist != last }
        var other = gist
        other.findings = last.findings
        return other != last || now.since(lastLook) >= Self.findingsInterval
    }
}

/// What of a plan is more than figures.
private struct Gist: Equatable {
    struct Finding: Equatable {
        var kind: PlanFinding.Kind
        /// Workers; DNs come and go.
        var workers: [String]
        var needsYes: Bool
    }

    var index: UInt64
    var target: UInt64
    var version: String?
    var steps: [Plan.Step]
    var refusals: [String]
    var objections: [PlanChecker.Rule]
    var findings: [Finding]

    init(_ plan: Plan, _ objections: [PlanChecker.Objection]) {
        (index, target, version, refusals) = (plan.index, plan.target, plan.version, plan.refusals)
        steps = plan.steps.map { step in
            var step = step
            step.touch = Plan.Touch()
            return step
        }
        self.objections = objections.map(\.rule)
        findings = plan.findings.map { finding in
            var workers = finding.subjects
            if case .dn = finding.kind { workers = [] }
            return Finding(kind: finding.kind, workers: workers, needsYes: finding.needsYes)
        }
    }
}

extension Reconciler {
    /// Whatever is no look.
    mutating func hear(_ input: Decision.Input, now: UInt64) {
        switch input {
        case .look: break
        case .ended(let worker, let problem): ended(worker, problem, now: now)
        case .restartsEnded(let succeeded, let generation):
            restartsEnded(succeeded: succeeded, generation: generation)
        case .tryAgain: tryAgain()
        case .consent(let generation): consent = generation
        }
    }
}

/// Makes recorded decisions again.
package struct DecisionReplay: Sendable {
    /// What came of one.
    package enum Verdict: Equatable, Sendable {
        case same
        /// What comes of it here.
        case differs(Decision.Outcome)
        /// It cannot be said without the topology of this generation; nor for what follows, which builds on it.
        case unknown(generation: UInt64)
    }

    /// As it is after the latest decision.
    package private(set) var reconciler: Reconciler
    private var missing: UInt64?

    /// - Parameter state: what the log says before the next decision.
    package init(_ state: Reconciler.State) { reconciler = Reconciler(state) }

    /// - Parameter topologies: by generation; of these the decision needs what it names.
    package mutating func replay(_ decision: Decision, topologies: [UInt64: Topology]) -> Verdict {
        if missing == nil { missing = decision.topologies.first { topologies[$0] == nil } }
        if let missing { return .unknown(generation: missing) }
        var actions: [Reconciler.Action] = []
        if case .look(let look) = decision.input, let wanted = topologies[look.generation] {
            let known = Set(look.topologies)
            actions = reconciler.observed(
                look.observed, desired: Desired(topology: wanted, generation: look.generation, version: look.version),
                applied: topologies.filter { known.contains($0.key) }, now: decision.time.monotonic)
        } else {
            reconciler.hear(decision.input, now: decision.time.monotonic)
        }
        let outcome = Decision.Outcome(of: decision.input, reconciler, actions)
        return outcome == decision.outcome ? .same : .differs(outcome)
    }
}
