import ClusterModel
import Orchestration

/// What `tandem replay --json` prints.
package struct ReplayJSON: Encodable, Equatable, Sendable {
    /// What came of a decision.
    package struct Outcome: Encodable, Equatable, Sendable {
        var actions: [String]
        /// As `tandem plan` shows it; null but for a look.
        @OrNull var plan: String?
        var objections: [String]
        var remembered: [String]

        init(_ outcome: Decision.Outcome) {
            actions = outcome.actions
            plan = outcome.plan.isEmpty ? nil : outcome.plan
            objections = outcome.objections
            remembered = outcome.remembered
        }
    }

    /// A worker as the controller saw it.
    package struct Worker: Encodable, Equatable, Sendable {
        var name: String
        var role: String
        var dataCenter: String
        var state: String
        @OrNull var generation: UInt64?
        @OrNull var version: String?
        var incarnation: UInt64
        var restarts: UInt32
        var drains: Bool
        var dnsInService: UInt64
        var calls: UInt64
        var agents: UInt64
        var liveLinks: UInt32
        var expectedLinks: UInt32
        @OrNull var problem: String?

        init(_ worker: ObservedWorker) {
            (name, role, dataCenter) = (worker.name, worker.role.rawValue, worker.dataCenter)
            (state, generation, incarnation) = (worker.state.rawValue, worker.generation, worker.incarnation)
            version = worker.version.isEmpty ? nil : worker.version
            (restarts, drains, dnsInService) = (worker.restarts, worker.drains, worker.dnsInService)
            (calls, agents) = (worker.calls, worker.agents)
            (liveLinks, expectedLinks) = (worker.liveLinks, worker.expectedLinks)
            problem = worker.lastProblem.isEmpty ? nil : worker.lastProblem
        }
    }

    /// One decision.
    package struct Entry: Encodable, Equatable, Sendable {
        var number: UInt64
        var time: String
        var input: String
        @OrNull var generation: UInt64?
        @OrNull var worker: String?
        @OrNull var problem: String?
        @OrNull var succeeded: Bool?
        var verdict: String
        var afterGap: Bool
        var recorded: Outcome
        /// Null where it is the same, or is not known.
        @OrNull var replayed: Outcome?
        /// Null unless the decision was asked for.
        @OrNull var workers: [Worker]?
        @OrNull var plan: PlanJSON?

        init(_ replayed: ReplayedDecision, isWhole: Bool) {
            let decision = replayed.decision
            number = decision.number
            time = Wording.isoTime(milliseconds: decision.time.wallMilliseconds)
            input = decision.input.word
            verdict = replayed.verdict.word
            afterGap = replayed.isAfterGap
            recorded = Outcome(decision.outcome)
            if case .differs(let outcome) = replayed.verdict { self.replayed = Outcome(outcome) }
            switch decision.input {
            case .look(let look):
                generation = look.generation
                if isWhole { workers = look.observed.workers.map { Worker($0) } }
            case .ended(let worker, let problem):
                self.worker = worker
                self.problem = problem.isEmpty ? nil : problem
                succeeded = problem.isEmpty
            case .restartsEnded(let succeeded, let generation):
                (self.succeeded, self.generation) = (succeeded, generation)
            case .tryAgain: break
            case .consent(let generation): self.generation = generation
            }
            if isWhole { plan = replayed.plan.map { PlanJSON($0) } }
        }
    }

    /// A log.
    package struct File: Encodable, Equatable, Sendable {
        var file: String
        @OrNull var cluster: String?
        /// Of the programs that decided.
        var versions: [String] = []
        var decisions: [Entry] = []
        /// What was written last was cut off.
        var torn = false
        @OrNull var problem: String?

        /// Nothing has been read of it yet.
        package init(_ file: String) { self.file = file }

        /// - Parameter isWhole: with what was seen, and the plan.
        package mutating func add(_ replayed: ReplayedDecision, isWhole: Bool) {
            cluster = replayed.segment.cluster
            if !versions.contains(replayed.segment.version) { versions.append(replayed.segment.version) }
            decisions.append(Entry(replayed, isWhole: isWhole))
        }

        mutating func end(_ run: DecisionRun) { torn = run.isTorn }
    }

    var files: [File]
    /// How many there are in all files, and how many do not come out the same.
    var decisions: Int
    var differing: Int

    /// Of all files.
    package init(files: [File], decisions: Int, differing: Int) {
        (self.files, self.decisions, self.differing) = (files, decisions, differing)
    }
}
