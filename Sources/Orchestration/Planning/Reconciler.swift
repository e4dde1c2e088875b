package import ClusterModel

/// Carries plans out: what is observed is planned again at every look, and of each plan that is done which waits for nothing.
/// Pure: the controller says what it sees and what has ended, and does what comes of it.
///
/// It decides nothing that the plan does not say. What it keeps is only what is under way and what did not work, so nothing is lost with
/// it: a later controller observes, and goes on.
package struct Reconciler: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        /// Phones and desktops of a node are asked to leave; they have so long.
        case drain(String, patience: Duration)
        case stop(String)
        /// It is told the topology while it serves.
        case apply(String)
        case start(String)
        /// One after the other, as a rollout; in the order in which the plan has them.
        case restart([String], RolloutPolicy)
    }

    /// How long a worker may take to go on under another topology before it is told again, nanoseconds.
    package static let patience: UInt64 = 60_000_000_000
    /// How long is waited after something did not work; doubled every time.
    static let firstRetry: UInt64 = 1_000_000_000
    static let longestRetry: UInt64 = 60_000_000_000

    /// The latest plan; nil before the first look.
    package private(set) var plan: Plan?
    /// Why the latest plan is not carried out: a mistake of the planner.
    package private(set) var objections: [PlanChecker.Objection] = []
    /// All that is kept from one look to the next.
    package private(set) var state: State

    private let faults: Faults
    /// The generation of the first look.
    private var first: UInt64?

    package init(consent: UInt64 = 0, faults: Faults = .none) {
        state = State(consent: consent)
        self.faults = faults
    }

    /// One that goes on where another one was.
    package init(_ state: State, faults: Faults = .none) {
        self.state = state
        self.faults = faults
    }

    /// The generation whose consequences an operator has accepted.
    package var consent: UInt64 {
        get { state.consent }
        set { state.consent = newValue }
    }

    /// The generation under which restarts were given up; they do not begin again by themselves.
    package var givenUp: UInt64? { state.givenUp }

    /// Nothing is to be done for a generation, nothing is under way, and every worker is there and answers.
    package func isSettled(_ generation: UInt64) -> Bool {
        plan?.target == generation && plan?.isEmpty == true && state.underWay.isEmpty && state.restarting.isEmpty
            && plan?.absences.isEmpty == true
    }

    /// An operator has to accept what the plan does before it is done.
    package var waitsForYes: Bool {
        guard let plan else { return false }
        return plan.needsYes && !plan.isEmpty && consent < plan.target
    }

    /// Workers for which something did not work, sorted, and what.
    package var problems: [(worker: String, sentence: String)] {
        state.failures.map { ($0.key, $0.value.sentence) }.sorted { $0.worker < $1.worker }
    }

    /// What is under way with a worker.
    package func work(with worker: String) -> Plan.Step.Work? {
        state.restarting.contains(worker) ? .restart(byHandover: true) : state.underWay[worker]?.work
    }

    // MARK: Looks

    /// - Parameters:
    ///   - applied: topologies by generation, as `Planner.plan` wants them.
    ///   - now: monotonic nanoseconds, as everywhere here.
    /// - Returns: what is to be done now, in order.
    package mutating func observed(
        _ observed: ObservedCluster, desired: Desired, applied: [UInt64: Topology], now: UInt64
    ) -> [Action] {
        let plan = Planner.plan(desired, observed, applied: applied)
        self.plan = plan
        objections = plan.isEmpty ? [] : PlanChecker.check(plan, desired, observed, applied: applied)
        forgetWhatIsDone(plan, observed, now)
        if first == nil { first = desired.generation }
        if faults.contains(.planNotRepeated), first == desired.generation { return [] }
        guard objections.isEmpty, plan.refusals.isEmpty, !waitsForYes else { return [] }
        var actions: [Action] = []
        for step in plan.steps where step.after.isEmpty && mayBegin(step, now) {
            guard let action = action(for: step, desired.topology.rollout) else { continue }
            let incarnation = observed.worker(named: step.worker)?.incarnation ?? 0
            state.underWay[step.worker] = State.Attempt(work: step.work, since: now, incarnation: incarnation)
            actions.append(action)
        }
        if let restart = restart(plan, desired) { actions.append(restart) }
        return actions
    }

    /// What the plan does not want any more is done, or is not wanted.
    private mutating func forgetWhatIsDone(_ plan: Plan, _ observed: ObservedCluster, _ now: UInt64) {
        let wanted = Dictionary(plan.steps.map { ($0.worker, $0.work) }) { first, _ in first }
        for (worker, attempt) in state.underWay where wanted[worker] != attempt.work { state.underWay[worker] = nil }
        for (worker, failure) in state.failures where wanted[worker] != failure.work { state.failures[worker] = nil }
        // Another process knows nothing of what the one before it was asked.
        for (worker, attempt) in state.underWay
        where observed.worker(named: worker).map({ $0.incarnation > attempt.incarnation }) == true {
            state.underWay[worker] = nil
        }
        for (worker, attempt) in state.underWay where attempt.work == .apply && now > attempt.since + Self.patience {
            ended(worker, "it has not said anything for a minute", now: now)
        }
    }

    private func mayBegin(_ step: Plan.Step, _ now: UInt64) -> Bool {
        guard state.underWay[step.worker] == nil, !state.restarting.contains(step.worker) else { return false }
        return state.failures[step.worker].map { $0.retryAt <= now } ?? true
    }

    private func action(for step: Plan.Step, _ rollout: RolloutPolicy) -> Action? {
        switch step.work {
        case .drain: .drain(step.worker, patience: rollout.deadline)
        case .stop: .stop(step.worker)
        case .apply: .apply(step.worker)
        case .start: .start(step.worker)
        case .restart: nil
        }
    }

    /// Restarts come last and all together: how many are away at a time is the rollout's to keep, as the plan has it.
    private mutating func restart(_ plan: Plan, _ desired: Desired) -> Action? {
        guard state.restarting.isEmpty, state.underWay.isEmpty, givenUp != desired.generation, !plan.steps.isEmpty
        else {
            return nil
        }
        var workers: [String] = []
        for step in plan.steps {
            guard case .restart = step.work else { return nil }
            workers.append(step.worker)
        }
        state.restarting = Set(workers)
        return .restart(workers, desired.topology.rollout)
    }

    // MARK: What has ended

    /// A worker has gone on under the topology that it was told, or has not.
    ///
    /// - Parameter problem: why it has not; empty if it has.
    package mutating func ended(_ worker: String, _ problem: String, now: UInt64) {
        guard let attempt = state.underWay.removeValue(forKey: worker), !problem.isEmpty else { return }
        let count = (state.failures[worker]?.work == attempt.work ? state.failures[worker]!.count : 0) + 1
        let wait = min(Self.firstRetry << min(count - 1, 6), Self.longestRetry)
        state.failures[worker] = State.Failure(work: attempt.work, sentence: problem, count: count, retryAt: now + wait)
    }

    /// The rollout is over.
    ///
    /// - Parameter succeeded: every worker was restarted. Otherwise none is before an operator says so, or applies something else.
    package mutating func restartsEnded(succeeded: Bool, generation: UInt64) {
        guard !state.restarting.isEmpty else { return }
        state.restarting = []
        if !succeeded { state.givenUp = generation }
    }

    /// An operator wants what was given up tried again.
    package mutating func tryAgain() {
        state.givenUp = nil
        state.failures = [:]
    }
}
