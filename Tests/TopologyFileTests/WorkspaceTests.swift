import ClusterModel
import Testing
import TopologyFile

/// Workspaces in topology files, and agents' accounts in credentials files.
@Suite struct WorkspaceTests {
    private static let hash =
        "$scrypt$ln=15,r=8,p=3$AAECAwQFBgcICQoLDA0ODw$8nnbQopZpzTPIcUGJmkKhjS05amB1BkcT0e0TNjLkeE"

    private func topology(_ workspaces: String, _ rest: String = "") -> LoadResult {
        load(goodText.replacing("location: west", with: "workspaces: { \(workspaces) }") + rest)
    }

    @Test func `a workspace is what the file says, and has an origin without`() throws {
        let result = topology(
            """
            b: { http: 127.0.0.1:81, proxies: [ 127.0.0.2, "2001:db8::1" ] }, \
            a: { https: "0.0.0.0:443", url: "https://Desk.example.com:443", tls: { certificate: c.pem, key: k.pem } }
            """, "workspace: { agents: a.yaml, reasons: [ lunch ], idle: 2m, session: 1h }\n")
        #expect(result.diagnostics == [])
        let topology = try #require(result.topology)
        #expect(topology.notices.isEmpty)
        #expect(
            topology.workspaces == [
                WorkspaceDeclaration(
                    name: "dc1/a", dataCenter: 0, listen: NetworkAddress(ipv4: 0, port: 443), isSecure: true,
                    url: "https://desk.example.com"),
                WorkspaceDeclaration(
                    name: "dc1/b", dataCenter: 0, listen: NetworkAddress(ipv4: 0x7F00_0001, port: 81),
                    url: "http://127.0.0.1:81",
                    proxies: [
                        NetworkAddress(ipv4: 0x7F00_0002, port: 0), try #require(NetworkAddress("[2001:db8::1]:0")),
                    ]),
            ])
        #expect(topology.tls?.identity(of: "dc1/a") == TLSPolicy.Identity(certificate: "c.pem", key: "k.pem"))
        #expect(
            topology.workspacePolicy
                == WorkspacePolicy(agents: "a.yaml", reasons: ["lunch"], idle: .seconds(120), session: .seconds(3600)))
    }

    @Test func `at loopback addresses no agents need to be named`() throws {
        let result = topology("a: { http: 127.0.0.1:81 }")
        #expect(result.diagnostics == [])
        #expect(try #require(result.topology).workspacePolicy == WorkspacePolicy())
    }

    @Test(arguments: [
        ("a: { http: 192.0.2.1:81 }", ["T036"]), ("a: { http: 192.0.2.1:81, proxies: [] }", ["T036"]),
        ("a: { http: 192.0.2.1:81, proxies: [ 192.0.2.2 ] }", []),
        ("a: { http: 0.0.0.0:81, proxies: [ 192.0.2.2 ] }", ["T038"]), ("a: { http: 0.0.0.0:81 }", ["T036", "T038"]),
        ("a: { https: 192.0.2.1:81 }", ["T016"]), ("a: {}", ["T009"]), ("a: { http: 127.0.0.1:7101 }", ["T017"]),
        ("a: { http: 127.0.0.1:81, https: 127.0.0.1:82 }", ["T022", "T016"]),
        ("a: { http: 127.0.0.1:81, tls: { certificate: c, key: k } }", ["T022"]),
        ("a: { http: 127.0.0.1:81, url: desk }", ["T011"]), ("a: { http: 127.0.0.1:81, host: other }", ["T025"]),
        ("sip1: { http: 127.0.0.1:81 }", ["T007"]),
        ("a: { http: 127.0.0.1:81, proxies: [ 1, x, 1.2.3.4:5 ] }", ["T014"]),
    ])
    func `what a workspace cannot be`(_ workspace: String, _ expected: [String]) {
        let codes = topology(workspace, "workspace: { agents: a.yaml }\n").codes
        #expect(Set(codes) == Set(expected), "\(codes)")
    }

    @Test(arguments: [
        ("reasons: []", "T011"), ("reasons: [ a, a ]", "T007"), ("reasons: [ \"\" ]", "T011"),
        ("reasons: [ \"a\\tb\" ]", "T011"), ("idle: 59s", "T011"), ("session: 169h", "T011"), ("agents: [ a ]", "T010"),
        ("reasons: [ \(String(repeating: "x", count: 49)) ]", "T011"), ("agent: a", "T008"),
        ("reasons: [ \((0..<33).map { "r\($0)" }.joined(separator: ", ")) ]", "T011"),
    ])
    func `what the policy cannot be`(_ policy: String, _ code: String) {
        #expect(topology("a: { http: 127.0.0.1:81 }", "workspace: { \(policy) }\n").codes == [code])
    }

    @Test func `one who has no agents is told so once, and only beyond this machine`() {
        let codes = topology(
            "a: { http: 192.0.2.1:81, proxies: [ 192.0.2.2 ] }, b: { http: 192.0.2.1:82, proxies: [ 192.0.2.2 ] }"
        ).codes
        #expect(codes == ["T037"])
    }

    @Test func `there are at most so many`() {
        let many = (0...WorkspaceDeclaration.maximumCount).map { "d\($0): { http: 127.0.0.1:\(10_000 + $0) }" }
        #expect(topology(many.joined(separator: ", ")).codes == ["T020"])
        #expect(topology(many.dropLast().joined(separator: ", ")).codes == [])
    }

    // MARK: Accounts

    private func accounts(_ text: String, wanted: CredentialsFile.Sections = .agents) throws -> CredentialsResult {
        let topology = try #require(topology("a: { http: 127.0.0.1:81 }", "workspace: { agents: c.yaml }\n").topology)
        let places = CredentialsFile.places(of: topology, beside: "x/t.yaml")
        #expect(places.map(\.path) == ["x/c.yaml"] && places.map(\.sections) == [.agents])
        let source = TopologySource(name: "c.yaml", text: Array(("version: 1\n" + text).utf8))
        return CredentialsFile.load(source, for: topology, wanted)
    }

    private static let key = String(repeating: "0f", count: 32)

    @Test func `accounts and session keys are taken as they stand`() throws {
        let result = try accounts(
            """
            agents:
              ann: { password: "\(Self.hash)", dns: [ 1001, "1000" ] }
              sue: { password: "\(Self.hash)", supervisor: true }
            sessionKeys: [ \(Self.key), "\(Self.key)\(Self.key)" ]
            """)
        #expect(result.diagnostics == [])
        let contents = try #require(result.contents)
        #expect(
            contents.agents == [
                AgentAccount(
                    agent: try #require(AgentID("ann")), hash: Self.hash,
                    dns: [try #require(DN("1001")), try #require(DN("1000"))]),
                AgentAccount(agent: try #require(AgentID("sue")), hash: Self.hash, isSupervisor: true),
            ])
        let bytes = [UInt8](repeating: 15, count: 32)
        #expect(contents.sessionKeys == [bytes, bytes + bytes])
    }

    @Test(arguments: [
        ("ann: hunter2", "T010"), ("ann: { password: hunter2 }", "T011"), ("ann: {}", "T009"),
        ("ann: { password: \"\(hash)\", dns: [ 4711 ] }", "T016"),
        ("ann: { password: \"\(hash)\", dns: [ 1000, 1000 ] }", "T007"),
        ("ann: { password: \"\(hash)\", dns: [] }", "T011"), ("ann: { password: [ hunter2 ] }", "T011"),
        ("ann: { password: \"\(hash)\", supervisor: perhaps }", "T011"),
        ("\"ann x\": { password: \"\(hash)\" }", "T015"), ("ann: { password: \"\(hash)\", dn: 1000 }", "T008"),
        ("ann: { password: \"\(hash)\", dns: [ \((1000...1016).map { "\($0)" }.joined(separator: ", ")) ] }", "T011"),
    ])
    func `what an account cannot be, told without a password`(_ account: String, _ code: String) throws {
        let result = try accounts("agents: { \(account) }\nsessionKeys: [ \(Self.key) ]\n")
        #expect(result.diagnostics.map(\.code) == [code])
        #expect(result.contents == nil)
        for diagnostic in result.diagnostics {
            #expect(!diagnostic.renderedWithoutSource(file: "c.yaml").contains("hunter2"))
        }
    }

    @Test(arguments: [
        "[]", "[ abcd ]", "abcd", "{ a: abcd }", "[ k, k, k, k, k ]", "[ \(String(repeating: "g", count: 64)) ]",
    ])
    func `what session keys cannot be, told without them`(_ keys: String) throws {
        let text = keys.replacing("k", with: Self.key)
        let result = try accounts("agents: { ann: { password: \"\(Self.hash)\" } }\nsessionKeys: \(text)\n")
        #expect(result.diagnostics.count == 1)
        for diagnostic in result.diagnostics {
            let rendered = diagnostic.renderedWithoutSource(file: "c.yaml")
            #expect(!rendered.contains("abcd") && !rendered.contains("gggg"))
        }
    }

    @Test func `a file that the topology names for agents has them and the keys`() throws {
        #expect(try accounts("users: { 1000: secret }\n").diagnostics.map(\.code) == ["T009", "T009"])
        #expect(try accounts("users: { 1000: secret }\n", wanted: .users).diagnostics == [])
    }

    @Test func `a workspace is a client of the ports, and needs a secret`() throws {
        let result = try accounts("clients: { dc1/b: 0123456789abcdef }\n", wanted: .clients)
        #expect(result.diagnostics.map(\.code) == ["T009"])
        #expect(try #require(result.diagnostics.first).message.contains("`dc1/a`"))
        #expect(try accounts("clients: { dc1/a: 0123456789abcdef }\n", wanted: .clients).diagnostics == [])
    }

    @Test func `one file may have everything, or each section a file`() throws {
        var topology = try #require(topology("a: { http: 127.0.0.1:81 }", "workspace: { agents: c.yaml }\n").topology)
        topology.authentication = AuthenticationPolicy(realm: "r", users: "c.yaml")
        topology.clientAuthentication = ClientAuthenticationPolicy(secrets: "c.yaml")
        var places = CredentialsFile.places(of: topology, beside: "t.yaml")
        #expect(places.map(\.path) == ["c.yaml"] && places.map(\.sections) == [[.users, .clients, .agents]])
        topology.clientAuthentication = ClientAuthenticationPolicy(secrets: "d.yaml")
        places = CredentialsFile.places(of: topology, beside: "t.yaml")
        #expect(
            places.map(\.path) == ["c.yaml", "d.yaml"] && places.map(\.sections) == [[.users, .agents], .clients])
        topology.workspaces = []
        #expect(CredentialsFile.places(of: topology, beside: "t.yaml").map(\.sections) == [.users, .clients])
    }
}
