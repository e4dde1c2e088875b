import ClusterModel
package import Orchestration
import TopologyFile
package import Wire

/// A recorded decision, made again.
package struct ReplayedDecision: Equatable, Sendable {
    /// Which program made it, and where.
    package var segment: DecisionSegment
    package var decision: Decision
    package var verdict: DecisionReplay.Verdict
    /// What is planned here; nil but for a look.
    package var plan: Plan?
    /// Why that is not carried out.
    package var objections: [PlanChecker.Objection] = []
    /// Before it are others that are not in the log.
    package var isAfterGap: Bool
}

/// Makes all decisions of a log again, one after the other.
package struct DecisionRun {
    private var reader: DecisionFileReader
    private var frames: ArraySlice<DecisionFrame> = []
    private var segment: DecisionSegment?
    private var replay: DecisionReplay?
    /// Of the latest decision.
    private var lastNumber: UInt64?
    /// Of the segment, by generation; those that have not been needed yet.
    private var texts: [UInt64: [UInt8]] = [:]
    private var topologies: [UInt64: Topology] = [:]
    /// How many decisions have been made again, and how many of them did not come out the same.
    package private(set) var count = 0
    package private(set) var differing = 0
    /// Programs of other versions that made some of them; sorted.
    package private(set) var otherVersions: [String] = []

    /// - Parameter bytes: of the whole log.
    package init(_ bytes: [UInt8]) { reader = DecisionFileReader(bytes) }

    /// What was written last is not there to its end.
    package var isTorn: Bool { reader.isTorn }

    /// - Returns: nil at the end.
    package mutating func next() throws(DecisionFileError) -> ReplayedDecision? {
        while true {
            while let frame = frames.popFirst() {
                if let replayed = take(frame) { return replayed }
            }
            guard let batch = try reader.next() else { return nil }
            frames = batch[...]
        }
    }

    private mutating func take(_ frame: DecisionFrame) -> ReplayedDecision? {
        switch frame {
        case .segment(let segment):
            self.segment = segment
            (replay, texts, topologies) = (nil, [:], [:])
            if segment.version != TandemVersion.current, !otherVersions.contains(segment.version) {
                otherVersions = (otherVersions + [segment.version]).sorted()
            }
        case .state(let state): replay = DecisionReplay(state)
        case .topology(let piece):
            if piece.isFirst { texts[piece.generation] = [] }
            // One that is longer than any can be is cut short, and none.
            if texts[piece.generation, default: []].count <= TopologyFile.maximumBytes {
                texts[piece.generation, default: []] += piece.bytes
            }
            topologies[piece.generation] = nil
        case .decision(let decision):
            return replayed(decision)
        }
        return nil
    }

    /// Without a state before it, it is made by a reconciler that knows of nothing.
    private mutating func replayed(_ decision: Decision) -> ReplayedDecision {
        let segment = segment ?? DecisionSegment(version: "", cluster: "", began: 0, statDirectory: "")
        for generation in decision.topologies where topologies[generation] == nil {
            guard let text = texts.removeValue(forKey: generation) else { continue }
            let topology = TopologyFile.load(TopologySource(name: "", text: text)).topology
            topologies[generation] = topology.map { StatSockets(directory: segment.statDirectory).resolved($0) }
        }
        var replay = replay ?? DecisionReplay(Reconciler.State())
        let verdict = replay.replay(decision, topologies: topologies)
        // Another controller begins at 1.
        let isNext = decision.number == 1 || lastNumber.map { $0 &+ 1 == decision.number } ?? true
        var replayed = ReplayedDecision(
            segment: segment, decision: decision, verdict: verdict, isAfterGap: !isNext)
        if case .look = decision.input, !verdict.isUnknown {
            replayed.plan = replay.reconciler.plan
            replayed.objections = replay.reconciler.objections
        }
        self.replay = replay
        lastNumber = decision.number
        count += 1
        if verdict != .same { differing += 1 }
        return replayed
    }
}

extension DecisionReplay.Verdict {
    /// For people and programs.
    package var word: String {
        switch self {
        case .same: "same"
        case .differs: "differs"
        case .unknown: "unknown"
        }
    }

    fileprivate var isUnknown: Bool { if case .unknown = self { true } else { false } }
}

extension DecisionFileError {
    /// What is wrong with a file, and what can be done.
    func sentence(_ file: String) -> String {
        switch self {
        case .notALog: "\(file) is no log of decisions; tandemd keeps one as `decisions` in its cluster's directory"
        case .damaged(let position):
            "\(file) is damaged: from byte \(position) on it is not what was written, and is not read"
        case .unreadable(let position, let error):
            "\(file) has something at byte \(position) that this program cannot read: \(error.sentence); "
                + "use the `tandem` of the version that wrote it"
        }
    }
}
