import ClusterModel
import Orchestration
import Wire

/// What logs of decisions may hold, as chance has it. SplitMix64.
struct DecisionChance {
    private var random: UInt64

    init(seed: UInt64) { random = seed &* 0x9E37_79B9_7F4A_7C15 }

    mutating func word() -> UInt64 {
        random &+= 0x9E37_79B9_7F4A_7C15
        var word = random
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }

    mutating func below(_ limit: Int) -> Int { Int(word() % UInt64(limit)) }

    mutating func flag() -> Bool { below(2) == 0 }

    /// Often one of those at the ends.
    private mutating func figure(upTo greatest: UInt64 = 1 << 48) -> UInt64 {
        [0, UInt64(below(200)), word() % greatest, greatest][below(4)]
    }

    private mutating func text() -> String {
        ["", "it is not ready", "Zürich 📞", "a\nb\u{1B}[31m", "\(word())"][below(5)]
    }

    private mutating func texts() -> [String] { (0..<below(4)).map { _ in text() } }

    private mutating func name() -> String { ["dc1/alpha", "dc1/beta", "dc2/gamma", "dc3/delta"][below(4)] }

    private mutating func work() -> Plan.Step.Work {
        [.drain, .stop, .apply, .start, .restart(byHandover: flag())][below(5)]
    }

    mutating func segment() -> DecisionSegment {
        DecisionSegment(cluster: text(), began: word(), statDirectory: text())
    }

    mutating func state() -> Reconciler.State {
        var state = Reconciler.State(consent: word())
        for _ in 0..<below(3) {
            state.underWay[name()] = .init(work: work(), since: figure(upTo: 1 << 62), incarnation: word())
        }
        for _ in 0..<below(3) {
            state.failures[name()] = .init(
                work: work(), sentence: text(), count: figure(), retryAt: figure(upTo: 1 << 62))
        }
        for _ in 0..<below(3) { state.restarting.insert(name()) }
        state.givenUp = flag() ? word() : nil
        return state
    }

    private mutating func worker() -> ObservedWorker {
        let role = RoleName.allCases[below(RoleName.allCases.count)]
        let condition = NodeState.allCases[below(NodeState.allCases.count)]
        var worker = ObservedWorker(name(), role, dataCenter: ["dc1", "dc2"][below(2)], condition)
        (worker.incarnation, worker.version, worker.runsFormerProgram) = (word(), text(), flag())
        worker.generation = flag() ? max(1, figure()) : nil
        (worker.restarts, worker.backsOffFor) = (UInt32(truncatingIfNeeded: word()), flag() ? word() : nil)
        (worker.lastProblem, worker.drains, worker.drainIsOver) = (text(), flag(), flag())
        (worker.dnsInService, worker.calls, worker.agents) = (figure(), figure(), figure())
        worker.liveLinks = UInt32(truncatingIfNeeded: word())
        worker.expectedLinks = UInt32(truncatingIfNeeded: word())
        worker.unprovisioned = flag() ? figure() : nil
        return worker
    }

    private mutating func look() -> Decision.Look {
        let kinds = DNException.Kind.allCases
        var observed = ObservedCluster(generation: figure(), workers: (0..<below(5)).map { _ in worker() })
        for _ in 0..<below(4) {
            observed.exceptions.append(
                DNException(
                    kinds[below(kinds.count)], DN(decimal: UInt64(below(10_000)), length: 4), node: name(),
                    detail: text(), milliseconds: word()))
        }
        for _ in 0..<below(3) { observed.exceptionCounts[kinds[below(kinds.count)]] = figure() }
        return Decision.Look(
            observed: observed, generation: figure(), version: flag() ? text() : nil,
            topologies: (0..<below(4)).map { UInt64($0 + 1) })
    }

    mutating func decision() -> Decision {
        let input: Decision.Input =
            switch below(7) {
            case 0: .ended(worker: name(), problem: text())
            case 1: .restartsEnded(succeeded: flag(), generation: word())
            case 2: .tryAgain
            case 3: .consent(word())
            default: .look(look())
            }
        let time = Instant(monotonic: figure(upTo: 1 << 62), wallMilliseconds: word())
        let outcome = Decision.Outcome(actions: texts(), plan: text(), objections: texts(), remembered: texts())
        return Decision(number: word(), time: time, input: input, outcome: outcome)
    }

    private mutating func piece() -> TopologyPiece {
        TopologyPiece(
            generation: word(), isFirst: flag(), isLast: flag(),
            bytes: (0..<below(40)).map { _ in UInt8(truncatingIfNeeded: word()) })
    }

    /// What was written at once, so many times.
    mutating func log(_ count: Int) -> [[DecisionFrame]] {
        (0..<count).map { position in
            var frames: [DecisionFrame] = position == 0 ? [.segment(segment())] : []
            for _ in 0..<below(3) { frames.append(flag() ? .state(state()) : .topology(piece())) }
            return frames + [.decision(decision())]
        }
    }
}

/// A whole log as it is written, and where each of the parts ends that were written at once.
func decisionFile(_ batches: [[DecisionFrame]]) -> (bytes: [UInt8], ends: [Int]) {
    var bytes: [UInt8] = []
    var ends: [Int] = []
    for frames in batches {
        var batch = DecisionBatch()
        for frame in frames { _ = batch.add(frame) }
        bytes += batch.sealed()
        ends.append(bytes.count)
    }
    return (bytes, ends)
}

/// One of each kind of frame and input.
let decisionFrames: [DecisionFrame] = {
    var chance = DecisionChance(seed: 12)
    var frames: [DecisionFrame] = []
    var words: Set<String> = []
    for batch in chance.log(60) {
        for frame in batch {
            let word =
                switch frame {
                case .segment: "segment"
                case .topology: "topology"
                case .state: "state"
                case .decision(let decision): decision.input.word
                }
            if words.insert(word).inserted { frames.append(frame) }
        }
    }
    return frames
}()
