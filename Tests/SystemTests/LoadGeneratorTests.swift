import ClusterModel
import LinuxSystem
import Orchestration
import Testing

/// The load generator's phones against a cluster: over both transports, with and without passwords.
@Suite(.serialized) struct LoadGeneratorTests {
    private static let users = "version: 1\nusers:\n" + (1000..<1100).map { "  \($0): secret\n" }.joined()

    private func cluster(_ algorithm: DigestAlgorithm?) throws -> TestCluster {
        try TestCluster { directory in
            _ = try? Files.writeAtomically(Array(Self.users.utf8), to: directory + "/credentials.yaml", mode: 0o600)
            let topology = TestCluster.twoNodes(directory)
                .replacing(#"[ "udp:127.0.0.1:5071" ]"#, with: #"[ "udp:127.0.0.1:5071", "tcp:127.0.0.1:5071" ]"#)
            guard let algorithm else { return topology }
            return topology
                + "\nauthentication: { realm: cc.example.com, users: credentials.yaml, "
                + "algorithms: [ \(algorithm.key) ] }\n"
        }
    }

    private func load(_ cluster: TestCluster, _ options: [String]) throws -> (code: Int32, output: String) {
        let result = try cluster.sandbox.run(
            [
                Executables.companion("tandem-load"), "register", "--target", "127.0.0.1:5071", "--first", "1000",
                "--count", "100", "--seconds", "1", "--window", "50",
            ] + options)
        return (Int32(result.code), result.output)
    }

    @Test(arguments: DigestAlgorithm.allCases)
    func `phones are challenged once, and then prove their password with every refresh`(
        _ algorithm: DigestAlgorithm
    ) throws {
        let cluster = try cluster(algorithm)
        let digest = ["--digest", algorithm.key, "--password", "secret"]
        for options in [digest, digest + ["--tcp", "--connections", "7"]] {
            let result = try load(cluster, options)
            #expect(result.code == 0, "\(result.output)")
            #expect(result.output.contains("; 100 challenges answered"), "\(result.output)")
        }
        #expect(try cluster.details("1099").answers.allSatisfy { $0.report?.shown == .inService })
        let refused = try load(cluster, ["--digest", algorithm.key, "--password", "wrong"])
        #expect(refused.code != 0)
        #expect(refused.output.contains("refuses the password"), "\(refused.output)")
    }

    @Test func `phones register over TCP and leave`() throws {
        let cluster = try cluster(nil)
        let result = try load(cluster, ["--tcp", "--once", "--leave"])
        #expect(result.code == 0, "\(result.output)")
        #expect(result.output.contains("200 answered with 200"), "\(result.output)")
        #expect(result.output.contains("latency: p50 "), "\(result.output)")
        try cluster.waitUntil("nobody is in service") { _ in
            try cluster.details("1099").answers.allSatisfy { $0.report?.shown != .inService }
        }
    }
}
