import Foundation
import LinuxSystem
import Orchestration
import Testing

/// What controllers have decided, from the file in which they write it down: `tandem replay`.
@Suite(.serialized) struct DecisionLogTests {
    private func tandem(_ words: [String], in cluster: TestCluster) throws -> (code: Int32, output: String) {
        let result = try cluster.sandbox.run([Executables.companion("tandem")] + words, seconds: 90)
        return (result.code, result.output)
    }

    private func apply(_ text: String, to cluster: TestCluster) throws {
        let file = cluster.directory + "/wanted.yaml"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let applied = try tandem(
            ["apply", file, "--wait", "--timeout", "60s", "--socket", cluster.socketPath], in: cluster)
        try #require(applied.code == 0, "\(applied.output)\n\(cluster.logText)")
    }

    private struct Log: Decodable {
        struct Decision: Decodable {
            struct Outcome: Decodable {
                var actions: [String]
                var plan: String?
            }
            struct Worker: Decodable {
                var name: String
                var generation: UInt64?
            }

            var number: UInt64
            var input: String
            var verdict: String
            var afterGap: Bool
            var recorded: Outcome
            var workers: [Worker]?
        }
        struct File: Decodable {
            var cluster: String
            var torn: Bool
            var problem: String?
            var decisions: [Decision]
        }

        var files: [File]
        var decisions: Int
        var differing: Int
    }

    private func log(_ words: [String], in cluster: TestCluster, code: Int32 = 0) throws -> Log {
        let replayed = try tandem(["replay"] + words + ["--json"], in: cluster)
        try #require(replayed.code == code, "\(replayed.output)")
        // What is wrong is said beside it.
        let start = try #require(replayed.output.range(of: "{\n")).lowerBound
        let end = try #require(replayed.output.range(of: "\n}\n")).upperBound
        return try JSONDecoder().decode(Log.self, from: Data(replayed.output[start..<end].utf8))
    }

    @Test func `what two controllers have decided comes out the same again, though the first was killed`() throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        let text = TestCluster.twoNodes(cluster.directory)
        let wanted = text.replacing("keepalive: 200ms", with: "keepalive: 150ms")
        try apply(wanted, to: cluster)
        try cluster.killController()
        try cluster.write(topology: wanted)
        try cluster.startController()
        try cluster.waitUntil("the workers are taken up") { $0.isHealthy }
        try apply(wanted.replacing("range: 1000-1099", with: "range: 1000-1199"), to: cluster)

        let file = cluster.directory + "/state/test/decisions"
        let permissions = try #require(try Files.permissions(of: file))
        #expect(permissions.mode & 0o7777 == 0o600)
        let shown = try tandem(["replay", file], in: cluster)
        #expect(shown.code == 0 && shown.output.contains(" decisions, all the same\n"), "\(shown.output)")
        let lines = shown.output.split(separator: "\n")
        #expect(lines.count { $0.contains("#1 ") } == 2, "each controller begins at 1: \(shown.output)")
        for generation in [2, 3] {
            let look = "look: generation \(generation), 2 steps"
            #expect(
                lines.contains { $0.contains(look) && $0.contains("-> apply dc1/sip1; apply dc2/sip1") },
                "\(shown.output)")
            #expect(lines.contains { $0.contains("look: generation \(generation), nothing to do") }, "\(shown.output)")
        }
        for node in ["dc1/sip1", "dc2/sip1"] {
            #expect(lines.contains { $0.hasSuffix("\(node) has done it") }, "\(shown.output)")
        }

        let whole = try log([file], in: cluster)
        #expect(whole.files.map(\.cluster) == ["test"] && !whole.files[0].torn && whole.files[0].problem == nil)
        #expect(whole.differing == 0 && whole.decisions == whole.files[0].decisions.count)
        #expect(whole.files[0].decisions.allSatisfy { $0.verdict == "same" && !$0.afterGap && $0.workers == nil })
        // Written down, and not made up by the replay.
        let applying = try #require(whole.files[0].decisions.last { !$0.recorded.actions.isEmpty })
        #expect(applying.recorded.actions == ["apply dc1/sip1", "apply dc2/sip1"])
        #expect(applying.recorded.plan?.contains("apply  dc1/sip1 and dc2/sip1  -      DNs\n") == true)

        let one = try log([file, "--decision", "\(applying.number)"], in: cluster)
        #expect(one.files[0].decisions.allSatisfy { $0.number == applying.number })
        let workers = try #require(one.files[0].decisions.last?.workers)
        #expect(workers.map(\.name).sorted() == ["dc1/sip1", "dc2/sip1"])
        #expect(workers.allSatisfy { $0.generation == 2 })
        let page = try tandem(["replay", file, "--decision", "\(applying.number)"], in: cluster)
        #expect(page.code == 0 && page.output.contains("made again\n  same\n"), "\(page.output)")
        #expect(page.output.contains("apply  dc1/sip1 and dc2/sip1  -      DNs\n"), "\(page.output)")
        let missing = try tandem(["replay", file, "--decision", "1000000"], in: cluster)
        #expect(missing.code == 1 && missing.output.contains("there is no decision 1000000"), "\(missing.output)")

        try damage(file, in: cluster)
    }

    /// Copies of a file that a crash has cut off, or a disk has changed, and what was never one.
    private func damage(_ file: String, in cluster: TestCluster) throws {
        let bytes = try Files.read(file, limit: 64 << 20)
        let (original, copy) = (cluster.directory + "/original", cluster.directory + "/copy")
        try Files.writeAtomically(bytes, to: original)
        let whole = try log([original], in: cluster)
        try Files.writeAtomically(Array(bytes.dropLast(5)), to: copy)
        let torn = try log([copy], in: cluster)
        #expect(torn.files[0].torn && torn.decisions == whole.decisions - 1 && torn.differing == 0)

        var damaged = bytes
        damaged[bytes.count - 40] ^= 0x10
        try Files.writeAtomically(damaged, to: copy)
        let refused = try tandem(["replay", copy], in: cluster)
        #expect(refused.code == 65 && refused.output.contains("is damaged: from byte"), "\(refused.output)")
        let rest = try log([copy], in: cluster, code: 65)
        #expect(rest.files[0].problem?.contains("is damaged") == true)
        #expect(rest.decisions == whole.decisions - 1 && rest.differing == 0)
        // The other file is read all the same.
        let both = try log([copy, original], in: cluster, code: 65)
        #expect(both.files.map(\.problem) == [rest.files[0].problem, nil])
        #expect(both.decisions == 2 * whole.decisions - 1)

        let other = try tandem(["replay", cluster.directory + "/topology.yaml"], in: cluster)
        #expect(other.code == 65 && other.output.contains("is no log of decisions"), "\(other.output)")
        #expect(try tandem(["replay", cluster.directory + "/nothing"], in: cluster).code == 66)

        // The next controller goes on behind what was written whole, or begins another file after a damaged one.
        try goOn(after: Array(bytes.dropLast(5)), file, in: cluster)
        #expect(try Files.kind(of: file + ".1") == nil)
        let longer = try log([file], in: cluster)
        #expect(longer.differing == 0 && !longer.files[0].torn)
        #expect(longer.files[0].decisions.count { $0.number == 1 } == 3)
        try goOn(after: damaged, file, in: cluster)
        #expect(try Files.read(file + ".1", limit: 64 << 20) == damaged)
        #expect(try log([file], in: cluster).files[0].decisions.count { $0.number == 1 } == 1)
    }

    /// Another controller finds these bytes, and decides something.
    private func goOn(after bytes: [UInt8], _ file: String, in cluster: TestCluster) throws {
        try cluster.killController()
        try Files.writeAtomically(bytes, to: file)
        try cluster.startController()
        try cluster.waitUntil("it has decided something") { _ in
            (try? Files.read(file, limit: 64 << 20))?.count != bytes.count
        }
        try cluster.waitUntil("the workers are taken up") { $0.isHealthy }
    }
}
