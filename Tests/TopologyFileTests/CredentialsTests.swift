import ClusterModel
import Glibc
import Testing
import TopologyFile

/// Files with passwords: what is taken, what is refused, and that nothing of them is shown.
@Suite struct CredentialsTests {
    private static let policy = AuthenticationPolicy(realm: "cc.example.com", users: "credentials.yaml")
    private let topology = Topology(
        cluster: "test", domain: "cc.example.com", agentTypes: [AgentType(name: "sip", phone: .sip)], dataCenters: [],
        nodes: [], directory: DNDirectory(blocks: [DNBlock(first: DN("1000")!, count: 10, agentType: 0, homes: 0)]),
        authentication: Self.policy)

    private func load(_ users: String) -> CredentialsResult {
        let text = "version: 1\nusers:\n" + users
        return CredentialsFile.load(
            TopologySource(name: "credentials.yaml", text: Array(text.utf8)), for: topology, .users)
    }

    private func codes(_ users: String) -> [String] { load(users).diagnostics.map(\.code) }

    @Test func `passwords and hashes are taken as they stand`() throws {
        let digits = String(repeating: "aB", count: 32)
        let result = load(
            """
              1000: secret
              1001: { password: "with: colon" }
              1002: { sha-256: \(digits), md5: \(digits.prefix(32)) }
              "1003": 0042
            """)
        let bytes = Array(repeating: UInt8(0xAB), count: 32)
        #expect(result.diagnostics.isEmpty)
        #expect(
            result.contents?.users == [
                Credential(dn: try #require(DN("1000")), secret: .password("secret")),
                Credential(dn: try #require(DN("1001")), secret: .password("with: colon")),
                Credential(
                    dn: try #require(DN("1002")),
                    secret: .hashes(md5: Array(bytes.prefix(16)), sha256: bytes, sha512_256: [])),
                Credential(dn: try #require(DN("1003")), secret: .password("0042")),
            ])
    }

    @Test func `the reference's example is taken`() throws {
        let path = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 } + "/docs/topology.md"
        let reference = String(decoding: try TopologyFile.read(path: path).text, as: UTF8.self)
        let section = try #require(reference.split(separator: "<!-- credentials -->").last)
        let example = try #require(section.split(separator: "```").dropFirst().first)
        let result = CredentialsFile.load(
            TopologySource(name: "example", text: example.utf8), for: topology, [.users, .clients, .agents])
        #expect(result.diagnostics.map(\.message) == [])
        #expect(result.contents?.users.count == 3)
        #expect(result.contents?.clients.map(\.name) == ["stat1", "router1", "dc1/router1"])
        #expect(result.contents?.agents.map(\.agent.text) == ["ann", "sue"])
        #expect(result.contents?.sessionKeys.count == 1)
    }

    @Test(
        arguments: [
            ("  4711: hunter2", "T016"), ("  1000: hunter2\n  1000: hunter2", "T007"), ("  1000: ''", "T011"),
            ("  1000: [ hunter2 ]", "T010"), ("  1000: { password: [ hunter2 ] }", "T010"),
            ("  1000: { pasword: hunter2 }", "T008"), ("  1000: { md5: hunter2 }", "T011"),
            ("  1000: { password: hunter2, md5: 00000000000000000000000000000000 }", "T022"),
            ("  1000: { sha-256: 00000000000000000000000000000000 }", "T011"), ("  1000: {}", "T009"),
            ("  1000:", "T009"), ("  1000: { md5: [ hunter2 ] }", "T011"), ("  1000: \"hunter2", "T001"),
        ] as [(String, String)])
    func `what is wrong is told by its code, and without the password`(_ users: String, _ code: String) {
        let result = load(users)
        #expect(result.contents == nil)
        #expect(result.diagnostics.map(\.code).contains(code), "\(result.diagnostics)")
        for diagnostic in result.diagnostics {
            #expect(!diagnostic.renderedWithoutSource(file: "credentials.yaml").contains("hunter2"))
        }
    }

    @Test func `a file that others may open is refused, and told how to be closed`() throws {
        var template = Array("/tmp/tandem-credentials-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        try #require(descriptor >= 0)
        defer {
            close(descriptor)
            unlink(template)
        }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(throws: Never.self) { try TopologyFile.read(path: path, holdsSecrets: true) }
        fchmod(descriptor, 0o640)
        let expected = TopologyFileError.notPrivate(path: path, mode: 0o640)
        #expect(throws: expected) { try TopologyFile.read(path: path, holdsSecrets: true) }
        #expect("\(expected)".contains("chmod 600 \(path)"))
        #expect(expected.exitCode == 77)
    }

    @Test func `the file is beside the topology, wherever that is`() {
        func path(_ users: String, _ topology: String) -> String {
            var named = self.topology
            named.authentication = AuthenticationPolicy(realm: "r", users: users)
            return CredentialsFile.places(of: named, beside: topology)[0].path
        }
        #expect(path("c.yaml", "/etc/tandem/clusters/one.yaml") == "/etc/tandem/clusters/c.yaml")
        #expect(path("c.yaml", "one.yaml") == "c.yaml")
        #expect(path("/run/secrets/c.yaml", "/etc/one.yaml") == "/run/secrets/c.yaml")
        #expect(path("../c.yaml", "clusters/one.yaml") == "clusters/../c.yaml")
    }

    // MARK: Clients

    private func loadClients(_ text: String, _ sections: CredentialsFile.Sections = .clients) -> CredentialsResult {
        CredentialsFile.load(
            TopologySource(name: "credentials.yaml", text: Array(("version: 1\n" + text).utf8)), for: topology, sections
        )
    }

    @Test func `clients' secrets are taken as they stand`() {
        let longest = String(repeating: "x", count: 256)
        let result = loadClients(
            "clients:\n  dc1/stat1: 0123456789abcdef\n  Router-1.dc_2: { secret: \(longest) }\n")
        #expect(result.diagnostics.isEmpty)
        #expect(
            result.contents?.clients == [
                ClientSecret(name: "dc1/stat1", secret: Array("0123456789abcdef".utf8)),
                ClientSecret(name: "Router-1.dc_2", secret: Array(longest.utf8)),
            ])
    }

    @Test(
        arguments: [
            ("clients:\n  stat1: hunter2", "T011"),
            ("clients:\n  stat1: \(String(repeating: "x", count: 257))", "T011"),
            ("clients:\n  a b: hunter2hunter2hunter2", "T015"), ("clients:\n  stat1:", "T009"),
            ("clients:\n  stat1: [ hunter2hunter2hunter2 ]", "T010"),
            ("clients:\n  stat1: { secret: [ hunter2 ] }", "T010"),
            ("clients:\n  stat1: { password: hunter2hunter2hunter2 }", "T008"),
            ("clients:\n  stat1: hunter2hunter2hunter2\n  stat1: hunter2hunter2hunter2", "T007"),
            ("clients: 7", "T010"), ("users: {}", "T009"), ("", "T009"),
        ] as [(String, String)])
    func `what is wrong with a client's secret is told without it`(_ text: String, _ code: String) {
        let result = loadClients(text)
        #expect(result.contents == nil)
        #expect(result.diagnostics.map(\.code).contains(code), "\(result.diagnostics)")
        for diagnostic in result.diagnostics {
            #expect(!diagnostic.renderedWithoutSource(file: "credentials.yaml").contains("hunter2"))
        }
    }

    @Test func `a file needs what the topology takes from it, and no more`() {
        let clients = "clients: { stat1: 0123456789abcdef }\n"
        let users = "users: { 1000: secret }\n"
        #expect(loadClients(clients).contents != nil)
        #expect(loadClients(users, .users).contents != nil)
        #expect(loadClients(users + clients, [.users, .clients]).contents?.users.count == 1)
        #expect(loadClients(clients, [.users, .clients]).contents == nil)
        #expect(loadClients(users, [.users, .clients]).contents == nil)
    }

    @Test func `the cluster's own programs need secrets under their full names`() {
        var routing = topology
        routing.statServers = [StatServerDeclaration(name: "dc1/stat1", dataCenter: 0)]
        routing.routers = [RouterDeclaration(name: "dc1/router1", dataCenter: 0)]
        func messages(_ text: String, _ sections: CredentialsFile.Sections = .clients) -> [String] {
            let source = TopologySource(name: "credentials.yaml", text: Array(("version: 1\n" + text).utf8))
            return CredentialsFile.load(source, for: routing, sections).diagnostics.map(\.message)
        }
        let one = "clients:\n  dc1/stat1: 0123456789abcdef\n"
        #expect(messages(one) == ["`clients` has no secret for `dc1/router1`, and the nodes would refuse it"])
        #expect(messages(one + "  dc1/router1: 0123456789abcdef\n") == [])
        #expect(messages(one + "  dc1/router1: short\n") == ["a client's secret has 16 to 256 bytes, and this one 5"])
        #expect(messages("users: { 1000: secret }\n" + one, .users) == [])
    }

    @Test func `passwords and secrets are in one file or in two`() {
        var named = topology
        named.clientAuthentication = ClientAuthenticationPolicy(secrets: "credentials.yaml")
        let one = CredentialsFile.places(of: named, beside: "/etc/one.yaml")
        #expect(one.map(\.path) == ["/etc/credentials.yaml"])
        #expect(one.map(\.sections) == [[.users, .clients]])
        named.clientAuthentication = ClientAuthenticationPolicy(secrets: "clients.yaml")
        let two = CredentialsFile.places(of: named, beside: "/etc/one.yaml")
        #expect(two.map(\.path) == ["/etc/credentials.yaml", "/etc/clients.yaml"])
        #expect(two.map(\.sections) == [.users, .clients])
    }
}
