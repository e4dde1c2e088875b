import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing

/// Phones with passwords, by programs that others wrote. Both know MD5, and answer the first challenge or none.
@Suite(.serialized) struct AuthenticationTests {
    private func cluster(
        _ credentials: String, _ algorithms: String = "md5", more: String = ""
    ) throws -> TestCluster {
        try TestCluster { directory in
            _ = try? Files.writeAtomically(Array(credentials.utf8), to: directory + "/credentials.yaml", mode: 0o600)
            return TestCluster.twoNodes(directory)
                .replacing(#"[ "udp:127.0.0.1:5071" ]"#, with: #"[ "udp:127.0.0.1:5071", "tcp:127.0.0.1:5071" ]"#)
                + "\nauthentication: { realm: cc.example.com, users: credentials.yaml, algorithms: [ \(algorithms) ] }\n"
                + more
        }
    }

    private static let users = "version: 1\nusers:\n  1001: secret\n  1002: { password: other }\n"

    private func sipsak(
        _ cluster: TestCluster, _ dn: String, as user: String, _ password: String, over transport: String = "udp"
    ) throws -> Bool {
        let result = try cluster.sandbox.run([
            "/usr/bin/sipsak", "-E", transport, "-U", "-x", "60", "-u", user, "-a", password, "-C",
            "sip:\(dn)@127.0.0.1:6060", "-s",
            "sip:\(dn)@127.0.0.1:5071",
        ])
        return result.code == 0
    }

    @Test func `a phone registers with its password and with no other, and for itself alone`() throws {
        let cluster = try cluster(Self.users)
        #expect(try !sipsak(cluster, "1001", as: "1001", "wrong"))
        #expect(try !sipsak(cluster, "1001", as: "1002", "other"), "another's DN")
        #expect(try cluster.details("1001").authority?.lastWord != .inService)
        #expect(try sipsak(cluster, "1001", as: "1001", "secret"))
        #expect(try cluster.details("1001").authority?.lastWord == .inService)
        #expect(try cluster.details("1001").answers.allSatisfy { $0.report?.shown == .inService })
        #expect(try !sipsak(cluster, "1002", as: "1002", "secret", over: "tcp"))
        #expect(try sipsak(cluster, "1002", as: "1002", "other", over: "tcp"))
        let plain = try cluster.sandbox.run([
            "/usr/bin/sipsak", "-v", "-U", "-x", "60", "-C", "sip:1002@127.0.0.1:6060", "-s", "sip:1002@127.0.0.1:5071",
        ])
        #expect(plain.code != 0)
        #expect(!cluster.logText.contains("secret"))
        let failed = try cluster.status().nodes.first { $0.name == "dc1/sip1" }?.report?.failedAuthentications
        #expect((failed ?? 0) > 0)
    }

    @Test func `who guesses passwords is not listened to, and a second later the right one is taken`() throws {
        let cluster = try cluster(Self.users, more: "limits: { perSource: { attempts: 1 } }\n")
        for _ in 0..<4 { #expect(try !sipsak(cluster, "1001", as: "1001", "wrong")) }
        let report = try cluster.status().nodes.first { $0.name == "dc1/sip1" }?.report
        #expect((report?.limited ?? 0) > 0)
        #expect((report?.failedAuthentications ?? 0) > 0)
        // It sends its request again until it is answered.
        #expect(try sipsak(cluster, "1001", as: "1001", "secret"))
    }

    @Test(arguments: ["md5", "md5, sha-256"], ["u1", "t1"])
    func `SIPp answers the challenge`(_ algorithms: String, _ transport: String) throws {
        let cluster = try cluster(Self.users, algorithms)
        let result = try cluster.sandbox.run([
            "/usr/bin/sipp", "127.0.0.1:5071", "-sf", TestCluster.scenario("register-digest"), "-s", "1002", "-au",
            "1002",
            "-ap", "other", "-m", "1", "-t", transport, "-i", "127.0.0.1", "-p", transport == "t1" ? "6071" : "6070",
            "-timeout", "10", "-timeout_error", "-nostdin",
        ])
        #expect(result.code == 0, "\(result.output.suffix(1500))")
        #expect(try cluster.details("1002").authority?.lastWord == .inService)
    }

    @Test func `SIGHUP reads the passwords again; a file with a mistake changes nothing`() throws {
        let cluster = try cluster(Self.users)
        let path = cluster.directory + "/credentials.yaml"
        try Files.writeAtomically(Array("version: 1\nusers:\n  1001: renewed\n".utf8), to: path, mode: 0o600)
        kill(Int32(try cluster.status().controllerPID), SIGHUP)
        try cluster.waitUntil("both nodes have taken them") { _ in
            cluster.logText.components(of: "took new credentials") == 2
        }
        #expect(try !sipsak(cluster, "1001", as: "1001", "secret"))
        #expect(try sipsak(cluster, "1001", as: "1001", "renewed"))
        try Files.writeAtomically(Array("users: 7\n".utf8), to: path, mode: 0o600)
        kill(Int32(try cluster.status().controllerPID), SIGHUP)
        try cluster.waitUntil("the controller says so") { _ in cluster.logText.contains("what was known before goes on")
        }
        #expect(try sipsak(cluster, "1001", as: "1001", "renewed"))
        #expect(try cluster.status().isHealthy)
    }

    @Test func `a credentials file that others may read stops the controller, and tandem validate too`() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = temporary.path
        let topology =
            TestCluster.twoNodes(directory) + "\nauthentication: { realm: cc.example.com, users: credentials.yaml }\n"
        try Files.writeAtomically(Array(topology.utf8), to: directory + "/topology.yaml")
        try Files.writeAtomically(Array(Self.users.utf8), to: directory + "/credentials.yaml", mode: 0o644)
        let tandem = Executables.companion("tandem")
        let open = try Program.run([tandem, "validate", directory + "/topology.yaml"])
        #expect(open.code == 77)
        #expect(open.output.contains("chmod 600 \(directory)/credentials.yaml"), "\(open.output)")
        let controller = try Program.run([
            Executables.companion("tandemd"), "--topology", directory + "/topology.yaml", "--runtime-dir", directory,
            "--state-dir", directory + "/state",
        ])
        #expect(controller.code == 77)
        #expect(controller.output.contains("chmod 600"), "\(controller.output)")
        chmod(directory + "/credentials.yaml", 0o600)
        let closed = try Program.run([tandem, "validate", directory + "/topology.yaml"])
        #expect(closed.code == 0, "\(closed.output)")
        #expect(closed.output.contains("ok, 2 users"))
    }
}

extension String {
    /// How often a text stands in this one.
    func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
