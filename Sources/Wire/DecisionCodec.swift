import CProtobufC
import CTandemProto
import ClusterModel
package import Orchestration

/// What a log of decisions is made of, but for seals.
package enum DecisionFrame: Equatable, Sendable {
    case segment(DecisionSegment)
    case topology(TopologyPiece)
    /// What the next decision finds.
    case state(Reconciler.State)
    case decision(Decision)
}

/// Puts the log of decisions into frames.
package enum DecisionCodec {
    private static let maximumWorkers = ChangeStatus.maximumWorkers
    private static let maximumLines = 16_384
    /// Of generations, counts and times: sums of some thousands of them are numbers yet.
    private static let greatest: UInt64 = 1 << 48
    /// More than a century in nanoseconds, on top of which a wait is a number yet.
    private static let latest: UInt64 = 1 << 62

    /// - Returns: false, with the output as it was, for what a reader would not take.
    package static func encode(_ frame: DecisionFrame, to output: inout [UInt8]) -> Bool {
        let arena = PackingArena()
        defer { withExtendedLifetime(arena) {} }
        switch frame {
        case .segment(let segment):
            let message = arena.make(tandem__control__decision_segment__init) {
                $0.version = arena.string(segment.version)
                $0.cluster = arena.string(segment.cluster)
                $0.began = segment.began
                $0.stat_directory = arena.string(segment.statDirectory)
            }
            return appendFrameIfItFits(type: FrameType.decisionSegment, message, to: &output)
        case .topology(let piece):
            return appendFrameIfItFits(type: FrameType.decisionTopology, PlanCodec.pack(piece, arena), to: &output)
        case .state(let state):
            guard fits(state) else { return false }
            return appendFrameIfItFits(type: FrameType.reconcilerState, pack(state, arena), to: &output)
        case .decision(let decision):
            guard fits(decision) else { return false }
            return appendFrameIfItFits(type: FrameType.decision, pack(decision, arena), to: &output)
        }
    }

    /// - Throws: a `WireError` for what no log has.
    package static func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> DecisionFrame {
        switch type {
        case FrameType.decisionSegment: .segment(try segment(payload))
        case FrameType.decisionTopology: .topology(try PlanCodec.piece(type, payload))
        case FrameType.reconcilerState: .state(try state(payload))
        case FrameType.decision: .decision(try decision(payload))
        default: throw .unknownType(type)
        }
    }

    private static func segment(_ payload: RawSpan) throws(WireError) -> DecisionSegment {
        try unpack(
            type: FrameType.decisionSegment, tandem__control__decision_segment__descriptor, payload,
            as: Tandem__Control__DecisionSegment.self
        ) {
            DecisionSegment(
                version: text($0.version), cluster: text($0.cluster), began: $0.began,
                statDirectory: text($0.stat_directory))
        }
    }

    // MARK: Figures that can be reckoned with

    private static func fits(_ state: Reconciler.State) -> Bool {
        state.underWay.count <= maximumWorkers && state.failures.count <= maximumWorkers
            && state.restarting.count <= maximumWorkers && state.underWay.values.allSatisfy { $0.since <= latest }
            && state.failures.values.allSatisfy { $0.retryAt <= latest && $0.count <= greatest }
    }

    private static func fits(_ decision: Decision) -> Bool {
        let outcome = decision.outcome
        guard decision.time.monotonic <= latest, outcome.actions.count <= maximumLines,
            outcome.objections.count <= maximumLines, outcome.remembered.count <= maximumLines
        else { return false }
        guard case .look(let look) = decision.input else { return true }
        let observed = look.observed
        return PlanCodec.fits(PlanInputs(observed: observed, topologies: look.topologies))
            && ([look.generation, observed.generation] + look.topologies).allSatisfy { $0 <= greatest }
            && observed.exceptionCounts.values.allSatisfy { $0 <= greatest }
            && observed.workers.allSatisfy { worker in
                // On the wire 0 is none.
                worker.generation != 0
                    && [
                        worker.generation ?? 0, worker.dnsInService, worker.calls, worker.agents,
                        worker.unprovisioned ?? 0,
                    ].allSatisfy { $0 <= greatest }
            }
    }

    // MARK: What is kept

    private static func pack(
        _ state: Reconciler.State, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ReconcilerState> {
        let attempts = state.underWay.sorted { $0.key < $1.key }.map { worker, attempt in
            Optional(
                arena.make(tandem__control__reconciler_attempt__init) {
                    $0.worker = arena.string(worker)
                    $0.work = arena.string(attempt.work.word)
                    $0.by_handover = attempt.work == .restart(byHandover: true) ? 1 : 0
                    $0.since = attempt.since
                    $0.incarnation = attempt.incarnation
                })
        }
        let failures = state.failures.sorted { $0.key < $1.key }.map { worker, failure in
            Optional(
                arena.make(tandem__control__reconciler_failure__init) {
                    $0.worker = arena.string(worker)
                    $0.work = arena.string(failure.work.word)
                    $0.by_handover = failure.work == .restart(byHandover: true) ? 1 : 0
                    $0.sentence = arena.string(failure.sentence)
                    $0.count = failure.count
                    $0.retry_at = failure.retryAt
                })
        }
        return arena.make(tandem__control__reconciler_state__init) {
            $0.consent = state.consent
            $0.n_under_way = attempts.count
            $0.under_way = arena.array(attempts)
            $0.n_failures = failures.count
            $0.failures = arena.array(failures)
            $0.n_restarting = state.restarting.count
            $0.restarting = arena.strings(state.restarting.sorted())
            $0.has_given_up = state.givenUp == nil ? 0 : 1
            $0.given_up = state.givenUp ?? 0
        }
    }

    private static func state(_ payload: RawSpan) throws(WireError) -> Reconciler.State {
        let type = FrameType.reconcilerState
        return try unpack(
            type: type, tandem__control__reconciler_state__descriptor, payload,
            as: Tandem__Control__ReconcilerState.self
        ) { (message) throws(WireError) in
            guard message.n_under_way <= maximumWorkers, message.n_failures <= maximumWorkers,
                message.n_restarting <= maximumWorkers
            else { throw .tooMany(type: type) }
            var state = Reconciler.State(consent: message.consent)
            for attempt in messages(message.n_under_way, message.under_way) {
                let attempt = attempt.pointee
                state.underWay[text(attempt.worker)] = Reconciler.State.Attempt(
                    work: try work(text(attempt.work), attempt.by_handover != 0), since: attempt.since,
                    incarnation: attempt.incarnation)
            }
            for failure in messages(message.n_failures, message.failures) {
                let failure = failure.pointee
                state.failures[text(failure.worker)] = Reconciler.State.Failure(
                    work: try work(text(failure.work), failure.by_handover != 0), sentence: text(failure.sentence),
                    count: failure.count, retryAt: failure.retry_at)
            }
            state.restarting = Set(texts(message.n_restarting, message.restarting))
            state.givenUp = message.has_given_up != 0 ? message.given_up : nil
            guard fits(state) else { throw .badValue(type: type, field: "time or count") }
            return state
        }
    }

    private static func work(_ word: String, _ byHandover: Bool) throws(WireError) -> Plan.Step.Work {
        let all: [Plan.Step.Work] = [.drain, .stop, .apply, .start, .restart(byHandover: byHandover)]
        guard let work = all.first(where: { $0.word == word }) else {
            throw .badValue(type: FrameType.reconcilerState, field: "work")
        }
        return work
    }

    // MARK: Decisions

    private static func pack(
        _ decision: Decision, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Decision> {
        arena.make(tandem__control__decision__init) {
            $0.number = decision.number
            $0.wall = decision.time.wallMilliseconds
            $0.monotonic = decision.time.monotonic
            $0.input = arena.string(decision.input.word)
            switch decision.input {
            case .look(let look):
                $0.look = PlanCodec.pack(PlanInputs(observed: look.observed, topologies: look.topologies), arena)
                $0.generation = look.generation
                $0.has_version = look.version == nil ? 0 : 1
                $0.version = arena.string(look.version ?? "")
            case .ended(let worker, let problem):
                $0.worker = arena.string(worker)
                $0.problem = arena.string(problem)
            case .restartsEnded(let succeeded, let generation):
                $0.succeeded = succeeded ? 1 : 0
                $0.generation = generation
            case .tryAgain: break
            case .consent(let generation): $0.generation = generation
            }
            let outcome = decision.outcome
            $0.n_actions = outcome.actions.count
            $0.actions = arena.strings(outcome.actions)
            $0.plan = arena.string(outcome.plan)
            $0.n_objections = outcome.objections.count
            $0.objections = arena.strings(outcome.objections)
            $0.n_remembered = outcome.remembered.count
            $0.remembered = arena.strings(outcome.remembered)
        }
    }

    private static func decision(_ payload: RawSpan) throws(WireError) -> Decision {
        let type = FrameType.decision
        return try unpack(
            type: type, tandem__control__decision__descriptor, payload, as: Tandem__Control__Decision.self
        ) { (message) throws(WireError) in
            guard message.n_actions <= maximumLines, message.n_objections <= maximumLines,
                message.n_remembered <= maximumLines
            else { throw .tooMany(type: type) }
            let outcome = Decision.Outcome(
                actions: texts(message.n_actions, message.actions), plan: text(message.plan),
                objections: texts(message.n_objections, message.objections),
                remembered: texts(message.n_remembered, message.remembered))
            let decision = Decision(
                number: message.number,
                time: Instant(monotonic: message.monotonic, wallMilliseconds: message.wall),
                input: try input(message), outcome: outcome)
            guard fits(decision) else { throw .badValue(type: type, field: "time or figure") }
            return decision
        }
    }

    private static func input(
        _ message: borrowing Tandem__Control__Decision
    ) throws(WireError) -> Decision.Input {
        let type = FrameType.decision
        switch text(message.input) {
        case "look":
            guard let look = message.look?.pointee else { throw .badValue(type: type, field: "look") }
            let inputs = try PlanCodec.inputs(look, type: type)
            return .look(
                Decision.Look(
                    observed: inputs.observed, generation: message.generation,
                    version: message.has_version != 0 ? text(message.version) : nil, topologies: inputs.topologies))
        case "ended": return .ended(worker: text(message.worker), problem: text(message.problem))
        case "restarts-ended":
            return .restartsEnded(succeeded: message.succeeded != 0, generation: message.generation)
        case "try-again": return .tryAgain
        case "consent": return .consent(message.generation)
        default: throw .badValue(type: type, field: "input")
        }
    }
}
