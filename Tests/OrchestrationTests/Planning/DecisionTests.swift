import ClusterModel
import Orchestration
import Testing

/// A controller's life as chance has it: what is seen, what has ended, what operators want. Every decision is made twice, by the recorder
/// and by a reconciler that nobody records.
private struct RecordedLife {
    private(set) var entries: [DecisionRecorder.Entry] = []
    private(set) var topologies: [UInt64: Topology]
    private(set) var looks = 0
    /// Where the two did not decide alike.
    private(set) var quarrels: [String] = []

    private var chance: Chance
    private var recorder: DecisionRecorder
    private var plain: Reconciler
    private var desired: Desired
    private var observed: ObservedCluster
    private var now = Instant(monotonic: 1_000_000_000, wallMilliseconds: 1_700_000_000_000)

    init(seed: UInt64) {
        chance = Chance(seed: seed)
        let planned = PlannerPropertyTests.planned(seed)
        (desired, observed) = (planned.desired, planned.observed)
        topologies = planned.applied
        topologies[desired.generation] = desired.topology
        let state = Reconciler.State(consent: chance.once(in: 2) ? desired.generation : 0)
        (recorder, plain) = (DecisionRecorder(Reconciler(state)), Reconciler(state))
        if chance.once(in: 2) { observed.generation = desired.generation }
        for _ in 0..<80 { step() }
    }

    private mutating func step() {
        now = now.advanced(by: UInt64(chance.below(chance.once(in: 8) ? 90_000 : 300)) * 1_000_000)
        switch chance.below(20) {
        case 0..<9: look()
        case 9, 10: carryOut()
        case 11: ended()
        case 12: restartsEnded(succeeded: chance.once(in: 2))
        case 13: disturb()
        case 14, 15: changeFigures()
        case 16: report()
        case 17: applyAnother()
        case 18: accept()
        default: tryAgain()
        }
        entries += recorder.take()
        if recorder.reconciler.state != plain.state { quarrels.append("state at \(now.monotonic)") }
    }

    private mutating func look() {
        looks += 1
        var known = topologies.filter { generation, _ in
            generation == desired.generation || observed.workers.contains { $0.generation == generation }
        }
        if let before = topologies[observed.generation] { known[observed.generation] = before }
        let actions = recorder.observed(observed, desired: desired, applied: known, now: now)
        if actions != plain.observed(observed, desired: desired, applied: known, now: now.monotonic)
            || recorder.reconciler.plan != plain.plan || recorder.reconciler.objections != plain.objections
        {
            quarrels.append("look at \(now.monotonic)")
        }
    }

    /// Some of the latest plan has come true.
    private mutating func carryOut() {
        guard var plan = plain.plan else { return }
        plan.steps = plan.steps.filter { $0.after.isEmpty && chance.once(in: 2) }
        let generation = observed.generation
        observed = PlanOutcome.of(plan, observed)
        observed.generation = generation
    }

    private mutating func ended() {
        guard let worker = observed.workers.isEmpty ? nil : observed.workers[chance.below(observed.workers.count)].name
        else { return }
        let problem = chance.once(in: 2) ? "" : "it cannot"
        recorder.ended(worker, problem, now: now)
        plain.ended(worker, problem, now: now.monotonic)
    }

    private mutating func restartsEnded(succeeded: Bool) {
        recorder.restartsEnded(succeeded: succeeded, generation: desired.generation, now: now)
        plain.restartsEnded(succeeded: succeeded, generation: desired.generation)
    }

    private mutating func disturb() {
        guard !observed.workers.isEmpty else { return }
        let position = chance.below(observed.workers.count)
        PlannerPropertyTests.disturb(&observed.workers[position], &chance, desired: desired.generation)
        if chance.once(in: 3) { observed.workers[position].incarnation += 1 }
    }

    private mutating func changeFigures() {
        for position in observed.workers.indices where observed.workers[position].role == .sip {
            observed.workers[position].dnsInService = UInt64(chance.below(100))
            observed.workers[position].calls = UInt64(chance.below(10))
            observed.workers[position].backsOffFor = UInt64(chance.below(10_000))
        }
    }

    private mutating func report() {
        let kinds = DNException.Kind.allCases
        observed.exceptions = (0..<chance.below(30)).map { _ in
            DNException(
                kinds[chance.below(3)], DN(decimal: UInt64(1000 + chance.below(20)), length: 4),
                node: "dc1/sip\(chance.below(3))", milliseconds: UInt64(chance.below(100_000)))
        }
        observed.exceptionCounts = chance.once(in: 2) ? [kinds[0]: UInt64(chance.below(100))] : [:]
    }

    private mutating func applyAnother() {
        desired.generation += 1
        desired.topology = PlannerPropertyTests.topology(&chance)
        topologies[desired.generation] = desired.topology
        if chance.once(in: 3) { observed.generation = desired.generation }
    }

    private mutating func accept() {
        recorder.accept(desired.generation, now: now)
        plain.consent = desired.generation
    }

    private mutating func tryAgain() {
        recorder.tryAgain(now: now)
        plain.tryAgain()
    }
}

@Suite struct DecisionTests {
    private static let lives = (0..<120 as Range<UInt64>).map { RecordedLife(seed: $0) }

    /// Also by a log that begins later: what the state says is all that has to be known.
    @Test(arguments: 0..<10)
    func `what is recorded comes out the same again, though what changed nothing is left out`(batch: Int) {
        for seed in (batch * 12)..<(batch * 12 + 12) {
            let life = Self.lives[seed]
            #expect(life.quarrels.isEmpty, "seed \(seed): \(life.quarrels)")
            for start in [0, life.entries.count / 2] where start < life.entries.count {
                var replay = DecisionReplay(life.entries[start].before)
                for entry in life.entries[start...] {
                    let (number, state) = (entry.decision.number, replay.reconciler.state)
                    #expect(state == entry.before, "seed \(seed), before \(number)")
                    let verdict = replay.replay(entry.decision, topologies: life.topologies)
                    #expect(verdict == .same, "seed \(seed), decision \(number)")
                }
            }
        }
    }

    /// What the seeds above lead to, so that they prove something.
    @Test func `the lives made up have every input and every action, and looks that are left out`() {
        var inputs: [String: Int] = [:]
        var actions: [String: Int] = [:]
        var remembered: [String: Int] = [:]
        var (looks, recorded) = (0, 0)
        for life in Self.lives {
            looks += life.looks
            for entry in life.entries {
                inputs[entry.decision.input.word, default: 0] += 1
                if entry.decision.input.word == "look" { recorded += 1 }
                let outcome = entry.decision.outcome
                for action in outcome.actions { actions["\(action.prefix { $0 != " " })", default: 0] += 1 }
                for word in ["under way", "failed", "restarting", "given up", "accepted"]
                where outcome.remembered.contains(where: { $0.contains(word) }) { remembered[word, default: 0] += 1 }
            }
        }
        #expect(inputs.count == 5 && inputs.values.allSatisfy { $0 > 2 }, "\(inputs)")
        #expect(actions.count == 5 && actions.values.allSatisfy { $0 > 2 }, "\(actions)")
        #expect(remembered.count == 5 && remembered.values.allSatisfy { $0 > 2 }, "\(remembered)")
        #expect(recorded * 10 < looks * 9, "\(recorded) of \(looks)")
    }

    @Test func `a decision that is missing, or was another, is noticed`() {
        var (missed, changed) = (0, 0)
        for life in Self.lives.prefix(40) {
            guard let first = life.entries.first else { continue }
            for (position, entry) in life.entries.enumerated() where entry.decision.input.word == "ended" {
                var replay = DecisionReplay(first.before)
                let others = life.entries.enumerated().filter { $0.offset != position }.map(\.element.decision)
                let verdicts = others.map { replay.replay($0, topologies: life.topologies) }
                if verdicts.contains(where: { $0 != .same }) { missed += 1 }
            }
            for entry in life.entries {
                guard case .look(var look) = entry.decision.input, look.observed.workers.count > 1 else { continue }
                look.observed.workers.removeLast()
                var decision = entry.decision
                decision.input = .look(look)
                var replay = DecisionReplay(entry.before)
                if replay.replay(decision, topologies: life.topologies) != .same { changed += 1 }
            }
        }
        #expect(missed > 10 && changed > 100, "\((missed, changed))")
    }

    // MARK: What is recorded

    private static func start(_ seconds: UInt64) -> Instant {
        Instant(monotonic: seconds * 1_000_000_000, wallMilliseconds: 1_700_000_000_000 + seconds * 1000)
    }

    private struct Case {
        var recorder = DecisionRecorder(Reconciler(consent: 2))
        var observed: ObservedCluster
        let desired: Desired
        let applied: [UInt64: Topology]

        init() {
            let before = PlannedClusters.topology()
            var after = before
            after.timing.keepalive = .milliseconds(700)
            desired = Desired(topology: after, generation: 2)
            applied = [1: before, 2: after]
            observed = PlannedClusters.observed(after, generation: 2)
        }

        /// - Returns: the words of the inputs that were recorded.
        mutating func look(_ seconds: UInt64) -> [String] {
            _ = recorder.observed(observed, desired: desired, applied: applied, now: start(seconds))
            return recorder.take().map(\.decision.input.word)
        }
    }

    @Test func `figures alone are no news, and findings once a minute`() {
        var test = Case()
        #expect(test.look(1) == ["look"])
        #expect(test.look(2) == [])
        test.observed.workers[0].dnsInService = 7
        test.observed.workers[0].calls = 1
        #expect(test.look(3) == [])
        test.observed.exceptions = [DNException(.flapping, DN("1004")!, node: "dc1/sip1", milliseconds: 5)]
        #expect(test.look(4) == [])
        #expect(test.look(61) == ["look"])
        test.observed.exceptions[0].milliseconds = 60_000
        test.observed.exceptionCounts[.flapping] = 9
        #expect(test.look(200) == [])
        test.observed.exceptions = []
        test.observed.exceptionCounts = [:]
        #expect(test.look(201) == ["look"])
        // What has to be done is news at once.
        test.observed.workers[0].generation = 1
        #expect(test.look(202) == ["look"])
        #expect(test.look(203) == [])
        test.recorder.ended("dc1/sip1", "it cannot", now: Self.start(204))
        #expect(test.recorder.take().map(\.decision.outcome.remembered.count) == [2])
        test.recorder.ended("dc1/sip1", "it cannot", now: Self.start(204))
        test.recorder.restartsEnded(succeeded: true, generation: 2, now: Self.start(204))
        test.recorder.accept(2, now: Self.start(204))
        #expect(test.recorder.take().isEmpty)
        #expect(test.look(206) == ["look"])
    }

    @Test func `what is done is written in words, and a topology that is missing is named`() {
        var test = Case()
        test.observed.workers[0].generation = 1
        _ = test.recorder.observed(test.observed, desired: test.desired, applied: test.applied, now: Self.start(1))
        let entry = test.recorder.take()[0]
        #expect(entry.decision.outcome.actions == ["apply dc1/sip1"])
        #expect(entry.decision.outcome.plan.contains("1     apply  dc1/sip1  -      timing\n"))
        #expect(entry.decision.topologies == [1, 2])
        var replay = DecisionReplay(entry.before)
        let unknown = DecisionReplay.Verdict.unknown(generation: 1)
        #expect(replay.replay(entry.decision, topologies: [2: test.desired.topology]) == unknown)
        // What follows builds on it.
        #expect(replay.replay(entry.decision, topologies: test.applied) == unknown)
    }

    @Test func `of exceptions what plans tell of them is kept`() {
        var cluster = Case().observed
        cluster.exceptions = (0..<200).reversed().map {
            DNException(.flapping, DN(decimal: UInt64(1000 + $0), length: 4), node: "dc1/sip1")
        }
        let condensed = cluster.condensed
        #expect(condensed.exceptions.map(\.dn.description) == ["1000", "1001", "1002", "1003", "1004"])
        #expect(condensed.exceptionCounts == [.flapping: 200])
        #expect(condensed.condensed == condensed)
    }
}
