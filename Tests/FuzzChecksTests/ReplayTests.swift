import ClusterModel
import Foundation
import FuzzChecks
import Testing

/// What the fuzzer once found, and what it begins with, holds now. An input that traps stops the whole run; `make fuzz`
/// begins with the same inputs and names it.
@Suite struct ReplayTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func files(in directory: String) -> [URL] {
        let url = root.appending(path: directory)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path(percentEncoded: false))) ?? []
        return names.sorted().map { url.appending(path: $0) }
    }

    private func replay(_ files: [URL], _ target: FuzzTarget) throws {
        for file in files {
            let input = try Array(Data(contentsOf: file))
            do {
                try target.check(input)
            } catch {
                Issue.record("\(target.rawValue): \(file.lastPathComponent): \(error)")
            }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `inputs that once broke a promise keep it now`(target: FuzzTarget) throws {
        try replay(Self.files(in: "Fuzzing/regressions/\(target.rawValue)"), target)
    }

    @Test(arguments: FuzzTarget.allCases)
    func `what the fuzzer begins with breaks no promise`(target: FuzzTarget) throws {
        var seeds = Self.files(in: "Fuzzing/seeds/\(target.rawValue)")
        if target == .topology {
            seeds += (Self.files(in: "clusters") + Self.files(in: "clusters/invalid")).filter {
                $0.pathExtension == "yaml"
            }
        }
        #expect(!seeds.isEmpty)
        try replay(seeds, target)
    }

    @Test(arguments: [Faults.lostLinkDropsOwn, .lossKeepsLive])
    func `mistakes in a node are found`(faults: Faults) throws {
        let findings = try Self.files(in: "Fuzzing/seeds/machines").filter { file in
            let input = try Array(Data(contentsOf: file))
            return (try? FuzzTarget.checkMachines(input, with: faults)) == nil
        }
        #expect(!findings.isEmpty)
    }

    /// Choices have no shape that a fuzzer would have to find first, so any bytes do.
    @Test func `calls of any kind break no promise`() {
        let count = ProcessInfo.processInfo.environment["CALLS_SEEDS"].flatMap(Int.init) ?? 300
        for seed in 0..<count {
            var random = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
            let input = (0..<(100 + seed % 500)).map { _ in
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: random >> 56)
            }
            do {
                try FuzzTarget.calls.check(input)
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `seeds that are cut short, or have a byte changed, break no promise`(target: FuzzTarget) throws {
        var random: UInt64 = 20_261_123
        for file in Self.files(in: "Fuzzing/seeds/\(target.rawValue)") {
            let seed = try Array(Data(contentsOf: file))
            for _ in 0..<40 where !seed.isEmpty {
                random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                var input = Array(seed.prefix(1 + Int(random >> 40) % seed.count))
                input[Int(random >> 20) % input.count] ^= 1 << UInt8(random >> 61)
                do {
                    try target.check(input)
                } catch {
                    Issue.record("\(target.rawValue): \(Data(input).base64EncodedString()): \(error)")
                }
            }
        }
    }
}
