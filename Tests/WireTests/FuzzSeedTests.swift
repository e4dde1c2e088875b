import Foundation
import Testing
import Wire

/// The fuzzer begins with one frame of every message. They need not be the latest: it changes them anyway.
@Suite struct FuzzSeedTests {
    @Test(.enabled(if: ProcessInfo.processInfo.environment["TANDEM_REGENERATE"] == "1"))
    func `the fuzzer's frames are written`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        for (number, sample) in everySample().enumerated() {
            let name = "\(header(sample.frame).type)-\(number)"
            try Data(sample.frame).write(to: root.appending(path: "Fuzzing/seeds/frames/\(name)"))
        }
    }

    /// As `DecisionsCheck` takes them: a log, and frames with their kinds and lengths.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["TANDEM_REGENERATE"] == "1"))
    func `the fuzzer's decisions are written`() throws {
        let seeds = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fuzzing/seeds/decisions")
        for seed in 1...4 as ClosedRange<UInt64> {
            var chance = DecisionChance(seed: seed)
            let log = chance.log(3)
            let frames = log.joined().flatMap { decision in
                let bytes = frame { _ = DecisionCodec.encode(decision, to: &$0) }
                let (kind, count) = (UInt8(header(bytes).type - 1360), payload(bytes).count)
                return [kind, UInt8(count >> 8), UInt8(count & 0xFF)] + payload(bytes)
            }
            try Data(frames).write(to: seeds.appending(path: "frames-\(seed)"))
            if seed == 1 { try Data(decisionFile(log).bytes).write(to: seeds.appending(path: "log")) }
        }
    }
}
