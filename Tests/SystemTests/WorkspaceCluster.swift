import AgentSessions
import ClusterModel
import LinuxSystem
import Orchestration
import TLibraryPorts
import Testing
import Wire

/// A workspace of the cluster that these tests use. Hosts differ, because browsers tell cookies by host and not by port.
struct Workspace {
    let name: String
    let host: String
    let port: Int

    var url: String { "http://\(host):\(port)" }

    static let west = Workspace(name: "dc1/desk1", host: "127.0.0.1", port: 8081)
    static let east = Workspace(name: "dc2/desk2", host: "127.0.0.2", port: 8082)
}

/// Somebody who may sign in.
struct Account {
    let agent: String
    var password: String
    /// Of the password, at the least cost that files may have.
    var hash: String
    let dns: [String]
    var isSupervisor = false

    /// Her telephone is +15551230001, behind the trunk.
    static let ann = Account(
        agent: "ann", password: "ann sits at a desk",
        hash: "$scrypt$ln=10,r=8,p=1$c2FsdCBvZiBhbm4gMTIzNA$S4a8WRLItlD4f4xiypxWcxCXaxj+5kf2j8Hk5kxRoWU",
        dns: ["7001", "1001"])
    static let ben = Account(
        agent: "ben", password: "ben sits at a desk",
        hash: "$scrypt$ln=10,r=8,p=1$c2FsdCBvZiBiZW4gMTIzNA$SrqoAW+TS/XvOdSH/AWKIk2BJie2uMnSzRQBUpo6VBA",
        dns: ["7002"])
    /// Her telephone is a SIP phone.
    static let cleo = Account(
        agent: "cleo", password: "cleo sits at a desk",
        hash: "$scrypt$ln=10,r=8,p=1$c2FsdCBvZiBjbGVvIDEyMw$IDZK7jemRgzXSkTj74aGDKDz20UyggvucP9UbFyMA20",
        dns: ["1001"])
    /// She may sit anywhere.
    static let sue = Account(
        agent: "sue", password: "sue sits at a desk",
        hash: "$scrypt$ln=10,r=8,p=1$c2FsdCBvZiBzdWUgMTIzNA$LnkdZS/aFY1SDyPa9ajhTRn8+zJBtPG6Lbz5H8QMy+w",
        dns: [], isSupervisor: true)

    static let all = [ann, ben, cleo, sue]

    fileprivate var line: String {
        let list = dns.isEmpty ? "" : ", dns: [ \(dns.joined(separator: ", ")) ]"
        return "  \(agent): { password: \"\(hash)\"\(list)\(isSupervisor ? ", supervisor: true" : "") }\n"
    }

    /// A credentials file.
    static func file(_ accounts: [Account] = all) -> String {
        "version: 1\nagents:\n" + accounts.map(\.line).joined()
            + "sessionKeys: [ \"\(String(repeating: "5a", count: 32))\" ]\n"
    }
}

extension TestCluster {
    /// Ports of the nodes for SIP, by data center.
    static let workspaceNodes = ["dc1/sip1": 5071, "dc1/sip2": 5072, "dc2/sip1": 5073, "dc2/sip2": 5074]

    /// Two data centers with two nodes, a Stat Server, a router and a workspace each; agents' telephones 7001 and 7002 are
    /// behind a trunk whose gateways are 5090 and 5091.
    ///
    /// - Parameters:
    ///   - timing: of the topology, besides how links are kept: a machine that has much to do must not lose any.
    ///   - more: of the topology.
    static func workspaces(
        _ timing: String = "desktopGrace: 10s, afterCallWork: 3s", more: String = "", options: Options = Options()
    ) throws -> TestCluster {
        try TestCluster({ workspaceTopology($0, timing, more) }, options: options)
    }

    /// The topology of `workspaces`. The accounts' file is written beside it.
    static func workspaceTopology(_ directory: String, _ timing: String, _ more: String) -> String {
        _ = try? Files.writeAtomically(Array(Account.file().utf8), to: directory + "/credentials.yaml", mode: 0o600)
        let centers = [(1, Workspace.west), (2, Workspace.east)].map { number, workspace in
            let nodes = [1, 2].map { node in
                let place = 2 * (number - 1) + node
                return """
                          sip\(node):
                            sip: [ "udp:127.0.0.1:507\(place)" ]
                            tcontroller: "unix:\(directory)/dc\(number)-sip\(node)"
                            default: "unix:\(directory)/dc\(number)-default\(node)"
                            mesh: "tcp:127.0.0.1:730\(place)"
                    """
            }
            let desk = workspace.name.split(separator: "/")[1]
            return """
                  dc\(number):
                    location: \(number == 1 ? "west" : "east")
                    nodes:
                \(nodes.joined(separator: "\n"))
                    statServers: { stat1: {} }
                    routers: { router1: {} }
                    workspaces: { \(desk): { http: "\(workspace.host):\(workspace.port)" } }
                """
        }
        return """
            version: 1
            cluster: test
            domain: cc.example.com
            agentTypes: { sip-phone: { phone: sip }, pstn-phone: { phone: pstn, trunk: carrier } }
            workspace: { agents: credentials.yaml, reasons: [ break, lunch, meeting ] }
            dataCenters:
            \(centers.joined(separator: "\n"))
            dns:
              - { range: 1000-1999, agentType: sip-phone }
              - { number: 7001, agentType: pstn-phone, dial: "+15551230001" }
              - { number: 7002, agentType: pstn-phone, dial: "+15551230002" }
            routingPoints: { 8000: { strategy: longest-idle, timeout: 30s } }
            trunks: { carrier: { gateways: [ "udp:127.0.0.1:5090", "udp:127.0.0.1:5091" ] } }
            timing: { keepalive: 400ms, linkTimeout: 2s, \(timing) }
            \(more)

            """
    }

    /// `tandem` with these words.
    @discardableResult
    func tandem(_ words: String..., seconds: UInt64 = 90) throws -> String {
        let result = try sandbox.run(
            [Executables.companion("tandem")] + words + ["--socket", socketPath], seconds: seconds)
        try #require(result.code == 0, "tandem \(words): \(result.output)\n\(logText)")
        return result.output
    }

    /// A workspace's process is gone without a word. The controller starts another one at once.
    func kill(_ workspace: Workspace) throws {
        try worker(workspace.name).send(.kill)
    }

    /// Waits until all nodes show a DN out of service, or in.
    func awaitService(_ dn: String, _ service: Service) throws {
        try waitUntil("\(dn) is \(service) at all nodes") { _ in
            let answers = try details(dn).answers
            return answers.count == Self.workspaceNodes.count && answers.allSatisfy { $0.report?.shown == service }
        }
    }

    /// A call from the telephone network to the routing point, that ann's telephone answers.
    ///
    /// - Parameters:
    ///   - ring: for how long it rings, ms.
    ///   - talk: until the caller hangs up, ms.
    ///   - caller: number.
    func routedCall(ring: Int = 2_000, talk: Int, caller: String = "+4930123") throws -> RoutedCall {
        try RoutedCall(
            telephone: SIPp(
                "answer-late", ["RING": "\(ring)"], callee: "+15551230001", port: 5090, node: 5071, seconds: 60,
                in: self),
            caller: SIPp(
                "call", ["TALK": "\(talk)"], callee: "8000", caller: caller, port: 5091, node: 5071, seconds: 60,
                in: self))
    }
}

/// A call by the trunk, both ends of which are SIPp.
struct RoutedCall {
    let telephone: SIPp
    let caller: SIPp

    /// Waits for its end, and checks that both ends saw what they should.
    func end() throws { for program in [telephone, caller] { try program.expectSuccess() } }
}

extension AgentWatcher {
    /// Nobody was told that a DN went out of service, or that an agent was logged out.
    func expectNoLoss(sourceLocation: SourceLocation = #_sourceLocation) {
        let losses = heard.filter { $0.type == .eventDNOutOfService || $0.type == .eventAgentLogout }
        #expect(
            losses.isEmpty, "\(losses.map { "\($0.type.name) \($0.thisDN) \($0.statuses.map(\.service))" })",
            sourceLocation: sourceLocation)
    }
}

extension Browser {
    /// Opens a workspace's page and signs somebody in.
    func signIn(_ account: Account, at workspace: Workspace) throws {
        try open(workspace.url)
        try signIn(account.agent, account.password)
    }
}
