import ClusterModel
import LinuxSystem
import Orchestration
import TestCertificates
import Testing

/// What strangers, thieves and floods get at workspaces: real processes, and browsers in Python that do what browsers do not.
@Suite(.serialized) struct WorkspaceSecurityTests {
    private static let program = TestCluster.scenario("workspace_api").replacing(".xml", with: ".py")
    private static let agents = ["ann", "ben", "cleo", "<b>eve</b>"]
    /// Their hashes take a good second to make, and are the same for all tests.
    private static let credentials = Result { try makeCredentials() }

    private static func makeCredentials() throws -> [UInt8] {
        var text = "version: 1\nsessionKeys: [ \"\(String(repeating: "5a", count: 32))\" ]\nagents:\n"
        for agent in agents {
            let made = try Program.run([
                "/bin/sh", "-c", "printf %s \"$1\" | \"$0\" password", Executables.companion("tandem"),
                "the password of \(agent)",
            ])
            try #require(made.code == 0, "\(made.output)")
            text += "  \"\(agent)\": { password: \"\(made.output.filter { $0 != "\n" })\" }\n"
        }
        return Array(text.utf8)
    }

    private func cluster(
        west: String = "http: \"127.0.0.1:8081\"", east: String = "http: \"127.0.0.1:8082\""
    ) throws -> TestCluster {
        let credentials = try Self.credentials.get()
        var options = TestCluster.Options()
        options.environment = ["TANDEM_LOG_LEVEL=debug"]
        options.preparation = { _, directory in
            try Files.writeAtomically(credentials, to: directory + "/credentials.yaml", mode: 0o600)
        }
        return try TestCluster(
            { directory in
                var text = TestCluster.twoNodes(directory)
                for (port, desk) in [(7301, "desk1: { \(west) }"), (7302, "desk2: { \(east) }")] {
                    let mesh = "        mesh: \"tcp:127.0.0.1:\(port)\"\n"
                    text = text.replacing(mesh, with: mesh + "    workspaces: { \(desk) }\n")
                }
                return text.replacing("desktopGrace: 0s", with: "desktopGrace: 10s")
                    .replacing(
                        "timing:", with: "  - { number: 7002, agentType: pstn-phone, dial: \"+15551230002\" }\ntiming:")
                    + "\nworkspace: { agents: credentials.yaml, reasons: [ break, \"<script>alert(1)</script>\" ] }\n"
            }, options: options)
    }

    /// Runs commands of the program one after the other, and looks for all that was secret in everything that the cluster wrote.
    @discardableResult
    private func tries(_ cluster: TestCluster, _ commands: [String]..., seconds: UInt64 = 120) throws -> String {
        let secrets = cluster.directory + "/secrets"
        var output = ""
        for command in commands {
            let ran = try cluster.sandbox.run(
                [
                    "/usr/bin/env", "SECRETS=\(secrets)", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1",
                    "/usr/bin/python3", Self.program,
                ]
                    + command,
                seconds: seconds)
            #expect(ran.code == 0, "\(command): \(ran.output)\n\(cluster.logText)")
            output += ran.output
        }
        let known = try Files.read(secrets, limit: 1 << 20)
        #expect(known.count > 100)
        let found = try Program.run([
            "/bin/grep", "--recursive", "--devices=skip", "--no-messages", "--fixed-strings", "--file=\(secrets)",
            "--exclude=secrets", cluster.directory,
        ])
        #expect(found.code == 1 && found.output.isEmpty, "\(found.output.prefix(2_000))")
        return output
    }

    private func audits(_ cluster: TestCluster, _ event: String) throws -> [String] {
        String(decoding: try Files.read(cluster.directory + "/log", limit: 1 << 26), as: UTF8.self)
            .split(separator: "\n").filter { $0.contains("event=\(event) ") }.map(String.init)
    }

    private func process(_ cluster: TestCluster) throws -> String {
        let desk = try #require(try cluster.status().nodes.first { $0.name == "dc1/desk1" })
        return "\(desk.pid)"
    }

    @Test func `a stolen cookie changes nothing, and after the logout it is good for nothing at either workspace`()
        throws
    {
        let cluster = try cluster()
        try tries(cluster, ["cookie"], ["fixation"])
        #expect(try audits(cluster, "login").count >= 4)
        #expect(try !audits(cluster, "csrf-refused").isEmpty)
    }

    @Test func `other sites and other names get nothing, and fill no log`() throws {
        let cluster = try cluster()
        try tries(cluster, ["strangers"])
        // A few at once, then one a second.
        #expect((10...100).contains(try audits(cluster, "origin-refused").count))
    }

    @Test func `names and reasons are text, whatever is in them`() throws {
        try tries(try cluster(), ["markup"])
    }

    @Test func `a flood of logins is refused, and others work on`() throws {
        let cluster = try cluster()
        try tries(cluster, ["logins"])
        #expect(try !audits(cluster, "login-refused").isEmpty)
    }

    @Test func `what has no end is refused and cut, and is kept nowhere`() throws {
        let cluster = try cluster()
        try tries(cluster, ["bodies", try process(cluster)])
    }

    @Test func `thousands of silent connections keep nobody out`() throws {
        let cluster = try cluster()
        try tries(cluster, ["silence", try process(cluster)])
    }

    @Test func `who sends byte by byte is cut, and others are served meanwhile`() throws {
        try tries(try cluster(), ["slowness"])
    }

    @Test func `without descriptors the workspace rests, and goes on afterwards`() throws {
        let cluster = try cluster()
        try tries(cluster, ["descriptors", try process(cluster)])
    }

    @Test func `over TLS the cookie belongs to the host alone`() throws {
        let authority = try TestAuthority()
        let issued = try authority.issue("desk", names: "DNS:desk.example.com")
        let cluster = try cluster(
            west: "https: \"127.0.0.1:8443\", url: \"https://desk.example.com:8443\", "
                + "tls: { certificate: \(issued.certificate), key: \(issued.key) }")
        try tries(cluster, ["tls", authority.certificate])
    }

    @Test func `only a listed proxy says where requests come from`() throws {
        let cluster = try cluster(east: "http: \"127.0.0.1:8082\", proxies: [ \"127.0.0.7\" ]")
        try tries(cluster, ["proxied"])
        let refused = try audits(cluster, "login-refused")
        let sources = ["203.0.113.7", "203.0.113.8", "127.0.0.8", "127.0.0.7", "127.0.0.7"]
        for (number, source) in sources.enumerated() {
            let line = try #require(refused.first { $0.contains("agent=proxied\(number) ") })
            #expect(line.contains("source=\(source)"), "\(line)")
        }
    }
}
