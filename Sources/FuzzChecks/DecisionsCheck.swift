import ClusterModel
import Orchestration
import Wire

/// A log of decisions, whatever it holds: it is read to its end or refused; what can be read can be written; and decisions are made again
/// without a trap, each time alike.
enum DecisionsCheck {
    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        readAll(input)
        // A seal is nothing that a fuzzer finds, so the same bytes are also taken for what stands before one.
        let frames = frames(input)
        var batch = DecisionBatch()
        let segment = DecisionSegment(cluster: "test", began: 0, statDirectory: "/run")
        try expect(batch.add(.segment(segment)), "a segment cannot be written")
        for frame in frames { try expect(batch.add(frame), "\(frame) was read and cannot be written") }
        let file = batch.sealed()
        try expect(DecisionFileReader.end(of: file) == file.count, "a log cannot be gone on with")
        var reader = DecisionFileReader(file)
        let read = try? reader.next()
        try expect(read == [.segment(segment)] + frames, "\(frames) come back as \(read.map { "\($0)" } ?? "nothing")")
        try makeAgain(frames)
    }

    private static func readAll(_ input: [UInt8]) {
        var reader = DecisionFileReader(input)
        while (try? reader.next()) != nil {}
    }

    /// A byte says what kind of frame it is, two its length.
    private static func frames(_ input: [UInt8]) -> [DecisionFrame] {
        var choices = FuzzBytes(input)
        var frames: [DecisionFrame] = []
        while !choices.isEmpty, frames.count < 64 {
            let type = FrameType.decisionSegment + UInt16(choices.choice(4))
            let count = Int(choices.byte()) << 8 | Int(choices.byte())
            let payload = choices.bytes(count)
            if let frame = try? DecisionCodec.decode(type: type, payload.span.bytes) { frames.append(frame) }
        }
        return frames
    }

    private static func makeAgain(_ frames: [DecisionFrame]) throws(FuzzFinding) {
        var replay = DecisionReplay(Reconciler.State())
        for frame in frames {
            switch frame {
            case .segment, .topology: break
            case .state(let state): replay = DecisionReplay(state)
            case .decision(var decision):
                let topologies = Dictionary(decision.topologies.map { ($0, topology($0)) }) { first, _ in first }
                var other = replay
                if case .differs(let outcome) = replay.replay(decision, topologies: topologies) {
                    decision.outcome = outcome
                    let verdict = other.replay(decision, topologies: topologies)
                    try expect(verdict == .same, "\(decision) does not come out the same when it is made again")
                }
            }
        }
    }

    /// Another one for each of some generations.
    private static func topology(_ generation: UInt64) -> Topology {
        var topology = FuzzCluster.topology
        if generation & 1 != 0 { topology.timing.keepalive = .milliseconds(700) }
        if generation & 2 != 0 { topology.nodes.removeLast() }
        if generation & 4 != 0 { topology.statServers = [StatServerDeclaration(name: "dc1/alpha", dataCenter: 0)] }
        return topology
    }
}
