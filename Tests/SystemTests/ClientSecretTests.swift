import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Transport
import Wire

/// Clients of the ports with secrets, and those that know none.
@Suite(.serialized) struct ClientSecretTests {
    private static let secret = "0123456789abcdef-of-stat1"

    private static func file(_ secret: String) -> [UInt8] {
        Array("version: 1\nclients:\n  stat1: \(secret)\n  router1: { secret: 0123456789abcdef-router }\n".utf8)
    }

    private func cluster() throws -> TestCluster {
        try TestCluster { directory in
            _ = try? Files.writeAtomically(Self.file(Self.secret), to: directory + "/credentials.yaml", mode: 0o600)
            return TestCluster.twoNodes(directory) + "\nclients: { secrets: credentials.yaml }\n"
        }
    }

    private func client(
        _ cluster: TestCluster, _ name: String = "stat1", _ secret: String? = secret
    ) throws -> TLibraryClient {
        try TLibraryClient(
            to: .unix(path: cluster.directory + "/dc1-sip1"), name: name, secret: secret.map { Array($0.utf8) })
    }

    /// What the node says when it closes, or the client when it does.
    private func refusal(_ cluster: TestCluster, _ name: String, _ secret: String?) throws -> String {
        do {
            _ = try client(cluster, name, secret)
            return "none"
        } catch TLibraryClientError.closed(_, let problem) {
            return problem ?? "closed"
        } catch TLibraryClientError.unproved(_, let reason) {
            return reason
        }
    }

    @Test func `who knows the secret is served, who does not is not, and nobody learns which names there are`()
        async throws
    {
        let cluster = try cluster()
        let known = try client(cluster)
        #expect(known.serverHello.nonce.count == 32)
        #expect(try known.queryServer().server == "dc1/sip1")
        let library = try await TLibraryConnection.connect(
            to: "unix:\(cluster.directory)/dc1-sip1",
            TLibraryOptions(name: "stat1", secret: Array(Self.secret.utf8)))
        #expect(library.node == "dc1/sip1")
        let wrong = try refusal(cluster, "stat1", "another-secret-of-some-length")
        #expect(wrong == "the client's name and secret do not belong together")
        let path = "unix:\(cluster.directory)/dc1-sip1"
        let mistaken = TLibraryMonitor(
            of: [path], TLibraryOptions(name: "stat1", secret: Array("another-secret-of-some-length".utf8)))
        await #expect(throws: TLibraryClientError.unproved(path, reason: wrong)) {
            for try await change in mistaken { Issue.record("\(change)") }
        }
        #expect(try refusal(cluster, "nobody", Self.secret) == wrong)
        #expect(try refusal(cluster, "router1", Self.secret) == wrong)
        #expect(try refusal(cluster, "stat1", nil) == "the node demands the proof of a secret")
        #expect(!cluster.logText.contains(Self.secret))
        // Others' attempts are no trouble for those that are there.
        #expect(try known.queryServer().server == "dc1/sip1")
        let events = try cluster.sandbox.run([
            Executables.companion("tandem"), "events", "--socket", cluster.socketPath,
        ])
        #expect(events.output.contains(wrong), "\(events.output)")
    }

    @Test func `a client that skips the proof is cut off`() throws {
        let cluster = try cluster()
        var skipping: [UInt8] = []
        CommonCodec.encode(PortHello(name: "stat1", nonce: SystemRandom.bytes(32)), to: &skipping)
        TLibraryCodec.encode(.queryServer(referenceID: 1), to: &skipping)
        var without: [UInt8] = []
        CommonCodec.encode(PortHello(name: "stat1"), to: &without)
        let cases = [
            (skipping, "the proof of the client's secret must follow the hello"),
            (without, "clients must prove here that they know a secret, and this one has none"),
        ]
        for (bytes, problem) in cases {
            let connection = try cluster.connection("dc1/sip1")
            try connection.send(raw: bytes)
            var frame = try connection.receive(timeout: .seconds(5))
            if frame.type == FrameType.hello { frame = try connection.receive(timeout: .seconds(5)) }
            try #require(frame.type == FrameType.problem)
            #expect(try CommonCodec.decodeProblem(frame.payload.span.bytes) == problem)
        }
    }

    @Test func `SIGHUP takes new secrets; after a mistake those of before go on; those connected stay`() throws {
        let cluster = try cluster()
        let before = try client(cluster)
        let path = cluster.directory + "/credentials.yaml"
        let renewed = "renewed-0123456789abcdef"
        try Files.writeAtomically(Self.file(renewed), to: path, mode: 0o600)
        kill(Int32(try cluster.status().controllerPID), SIGHUP)
        try cluster.waitUntil("both nodes have taken them") { _ in
            cluster.logText.components(of: "took secrets of clients") == 4
        }
        #expect(try refusal(cluster, "stat1", Self.secret) == "the client's name and secret do not belong together")
        #expect(try client(cluster, "stat1", renewed).queryServer().server == "dc1/sip1")
        try Files.writeAtomically(Self.file("too-short"), to: path, mode: 0o600)
        kill(Int32(try cluster.status().controllerPID), SIGHUP)
        try cluster.waitUntil("the controller says so") { _ in cluster.logText.contains("what was known before goes on")
        }
        #expect(try client(cluster, "stat1", renewed).queryServer().server == "dc1/sip1")
        #expect(try before.queryServer().server == "dc1/sip1")
    }

    @Test func `a connection that says nothing is closed, and told why`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let silent = try cluster.connection("dc1/sip1")
        let frame = try silent.receive(timeout: .seconds(20))
        try #require(frame.type == FrameType.problem)
        #expect(
            try CommonCodec.decodeProblem(frame.payload.span.bytes) == "the client did not introduce itself in time")
        #expect(throws: BlockingConnectionError.self) { try silent.receive(timeout: .seconds(5)) }
    }

    @Test func `tandem monitor takes the secret from a private file`() throws {
        let cluster = try cluster()
        let path = cluster.directory + "/stat1.secret"
        func monitor(_ more: [String]) throws -> (code: Int32, output: String) {
            let result = try cluster.sandbox.run(
                [
                    Executables.companion("tandem"), "monitor", "dc1/sip1", "--socket", cluster.socketPath,
                    "--timeout", "1",
                ] + more)
            return (Int32(result.code), result.output)
        }
        try Files.writeAtomically(Array((Self.secret + "\n").utf8), to: path, mode: 0o600)
        let known = try monitor(["--secret-file", path, "--name", "stat1"])
        #expect(known.code == 124, "\(known.output)")
        #expect(known.output.contains("end of snapshot"), "\(known.output)")
        let without = try monitor([])
        #expect(without.code == 1)
        let advice = "the node demands the proof of a secret; give --secret-file and --name"
        #expect(without.output.contains(advice), "\(without.output)")
        chmod(path, 0o644)
        let open = try monitor(["--secret-file", path, "--name", "stat1"])
        #expect(open.code == 77)
        #expect(open.output.contains("chmod 600 \(path)"), "\(open.output)")
        #expect(try monitor(["--secret-file", path]).code == 64)
    }

    @Test func `the example in Python proves its secret too`() throws {
        let cluster = try cluster()
        let example = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/examples/python"
        let made = try cluster.sandbox.run(["make", "-C", example, "OUT=\(cluster.directory)"])
        try #require(made.code == 0, "\(made.output)")
        let program = """
            import sys
            import tandem
            client = tandem.Client(sys.argv[1], "stat1", secret=b"\(Self.secret)")
            print(client.node.name, client.server)
            try:
                tandem.Client(sys.argv[1], "stat1", secret=b"another-secret-of-some-length")
            except ConnectionError as problem:
                print(problem)
            """
        let path = cluster.directory + "/program.py"
        try Files.writeAtomically(Array(program.utf8), to: path)
        let result = try cluster.sandbox.run([
            "/usr/bin/env", "PYTHONPATH=\(example):\(cluster.directory)", "PYTHONDONTWRITEBYTECODE=1",
            "/usr/bin/python3", path, "unix:\(cluster.directory)/dc1-sip1",
        ])
        #expect(result.output.hasPrefix("dc1/sip1 EventServerInfo"), "\(result.output)")
        #expect(result.output.contains("do not belong together"), "\(result.output)")
    }
}
