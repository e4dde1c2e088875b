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
}
