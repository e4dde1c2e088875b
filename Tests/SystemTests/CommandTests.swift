import ClusterModel
import Foundation
import LinuxSystem
import Testing

/// What a newcomer types, and what goes wrong then.
@Suite(.serialized) struct CommandTests {
    private let tandem = Executables.companion("tandem")

    private func cluster(_ name: String) -> String {
        let root = TestCluster.scenario("x").components(separatedBy: "/Tests/SystemTests/")[0]
        return "\(root)/clusters/\(name).yaml"
    }

    private func temporaryDirectory() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/tandem-up-\(UUID().uuidString.prefix(8))"
        try Files.makeDirectory(path)
        return path
    }

    @Test func `tandem up: the phone that it tells to register is in service in all views, and SIGTERM stops all`() throws {
        let sandbox = try NetworkSandbox()
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (ours, theirs) = try Sockets.streamPair()
        let command = sandbox.inside([tandem, "up", cluster("two-datacenters"), "--runtime-dir", directory])
        let up = try ChildProcess.spawn(
            command[0], arguments: Array(command.dropFirst()), environment: Executables.environment,
            inherited: [ChildProcess.Inheritance(theirs, as: 1)], group: .new
        )
        theirs.close()
        let output = try read(ours, until: "Stop everything:")
        let advice = try #require(output.components(separatedBy: "\n").first { $0.hasPrefix("Register a phone:") })
        let words = advice.dropFirst("Register a phone:".count).split(separator: " ").map(String.init)
        let phone = try sandbox.run(["/usr/bin/env"] + words)
        #expect(phone.code == 0, "\(phone.output)")
        let shown = try Program.run([tandem, "dn", "show", "1000", "--json", "--socket", directory + "/control.sock"])
        #expect(shown.code == 0)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any])
        #expect(json["owner"] as? String == "dc1/sip1")
        #expect(json["service"] as? String == "in-service")
        let views = try #require(json["views"] as? [String: [String: Any]])
        #expect(views.keys.sorted() == ["dc1/sip1", "dc1/sip2", "dc2/sip1", "dc2/sip2"])
        #expect(views.values.allSatisfy { $0["service"] as? String == "in-service" })
        let status = try Program.run([tandem, "status", "--socket", directory + "/control.sock"])
        #expect(status.code == 0, "\(status.output)")
        try up.send(.terminate)
        try #require(try up.descriptor.wait(forReading: true, nanoseconds: 5_000_000_000))
        #expect(try up.exitStatus() == .exited(code: 0))
        let after = try Program.run([tandem, "status", "--socket", directory + "/control.sock"])
        #expect(after.code == 69)
    }

    @Test func `a port in use stops up with one sentence that names it`() throws {
        let running = try TestCluster(TestCluster.twoNodes)
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let result = try running.sandbox.run([tandem, "up", cluster("single-node"), "--runtime-dir", directory])
        #expect(result.code == 1)
        #expect(result.output.contains("cannot bind udp:127.0.0.1:5071: address already in use"), "\(result.output)")
        let again = try running.sandbox.run([
            tandem, "up", cluster("single-node"), "--runtime-dir", running.directory,
        ])
        #expect(again.code == 75, "\(again.output)")
    }

    @Test func `what cannot be started says why, with the documented exit code`() throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let nowhere = directory + "/nowhere.yaml"
        let invalid = cluster("invalid/bad-names")
        let cases: [(arguments: [String], code: Int32, words: String)] = [
            (["up", nowhere], 66, nowhere),
            (["validate", nowhere], 66, nowhere),
            (["up", invalid], 65, "error[T015]"),
            (["validate", invalid], 65, "bad-names.yaml:3:10: error[T015]"),
            (["validate", cluster("two-datacenters")], 0, "ok, 4 nodes, 1004 DNs"),
            (["up", cluster("single-node"), "--runtime-dir", "/proc/tandem"], 1, "/proc/tandem"),
            (["status", "--socket", directory + "/control.sock"], 69, directory + "/control.sock"),
            (["status", "--nonsense"], 64, "nonsense"),
        ]
        for (arguments, code, words) in cases {
            let result = try Program.run([tandem] + arguments)
            #expect(result.code == code, "\(arguments): \(result.output)")
            #expect(result.output.contains(words), "\(arguments): \(result.output)")
        }
    }

    @Test func `a missing worker program is named`() throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.copyItem(atPath: Executables.companion("tandemd"), toPath: directory + "/tandemd")
        let result = try Program.run([
            directory + "/tandemd", "--topology", cluster("single-node"), "--runtime-dir", directory, "--state-dir",
            directory,
        ])
        #expect(result.code == 1)
        #expect(result.output.contains("cannot find \(directory)/tandem-worker"), "\(result.output)")
    }

    private func read(_ descriptor: OwnedDescriptor, until words: String) throws -> String {
        var bytes: [UInt8] = []
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 1)
        defer { piece.deallocate() }
        while !String(decoding: bytes, as: UTF8.self).contains(words) {
            guard try descriptor.wait(forReading: true, nanoseconds: 30_000_000_000),
                let count = try descriptor.read(into: piece), count > 0
            else { throw Timeout(what: words) }
            bytes.append(contentsOf: piece[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
