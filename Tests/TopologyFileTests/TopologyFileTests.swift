import ClusterModel
import Testing
import TopologyFile

struct TopologyFileTests {
    @Test func `several faults are reported in one run, by position`() {
        let result = load(
            """
            version: 1
            cluster: Test
            domain: cc.example.com
            agentTypes: { sip-phone: { phone: sipp } }
            dataCenters: { dc1: { nodes: { sip1: { sip: [ "udp:127.0.0.1:0" ], tcontroller: x } } } }
            dns:
              - { range: 20-10, agentType: sip-fone, homes: [dc2] }
            timing: { keepalive: 500 }
            """
        )
        #expect(result.codes == ["T015", "T011", "T009", "T014", "T014", "T019", "T016", "T016", "T013"])
        #expect(result.diagnostics.map(\.line) == [2, 4, 5, 5, 5, 7, 7, 7, 8])
        #expect(result.topology == nil)
    }

    @Test func `numbers are text as they are written`() throws {
        let result = load(
            goodText + "  - { number: 0042, agentType: sip-phone }\n  - { number: 42, agentType: sip-phone }\n")
        let directory = try #require(result.topology).directory
        let short = try #require(DN("42"))
        let long = try #require(DN("0042"))
        #expect(directory.index(of: short) != nil)
        #expect(directory.index(of: long) != nil)
        #expect(directory.index(of: short) != directory.index(of: long))
    }

    @Test func `what this version does not run is warned of once a kind and listed in the notices`() throws {
        let result = load(
            goodText + """
                trunks: { west: { address: "tls:127.0.0.1:5090" }, east: { address: "tls:127.0.0.1:5091" } }
                """
        )
        let topology = try #require(result.topology)
        #expect(result.diagnostics.map(\.severity) == [.warning, .warning])
        // Phones that are dialled, and no trunk named for them.
        #expect(Set(result.codes) == ["T027", "T034"])
        #expect(
            topology.notices
                == ["this version does not run calls out to gateways over TLS yet; the file declares 2"])
    }

    /// A cluster that routes, without its routing points.
    private var routing: String {
        goodText
            .replacing(
                "location: west",
                with: "routers: { r1: {} }\n    statServers: { s2: {}, s1: { listen: \"tcp:127.0.0.1:7401\" } }"
            )
            .replacing("host: local", with: "default: \"tcp:127.0.0.1:7201\"")
    }

    @Test func `what routes is taken as it stands, and what is not said is as usual`() throws {
        let result = load(
            routing + """
                routingPoints:
                  8001: { strategy: random }
                  8000: { strategy: longest-idle, prefer: same-location, overflow: 5s, timeout: 30s, ringTimeout: 10s,
                          default: 1000, alternate: [ 1002, 1001 ] }
                trunks: { west: { address: "udp:127.0.0.1:5090", capacity: 60 }, east: { address: "tls:[::1]:5091" } }
                agents: { noAnswer: walkaway }
                """
        )
        let topology = try #require(result.topology)
        let dns = try ["8000", "8001", "1000", "1001", "1002"].map { try #require(DN($0)) }
        #expect(
            topology.routingPoints == [
                RoutingPoint(
                    dn: dns[0], strategy: .longestIdle, prefersSameLocation: true, overflow: .seconds(5),
                    timeout: .seconds(30), ringTimeout: .seconds(10), defaultDN: dns[2], alternates: [dns[4], dns[3]]),
                RoutingPoint(dn: dns[1], strategy: .random),
            ])
        #expect(topology.trunks.map(\.name) == ["east", "west"])
        #expect(
            topology.trunks.flatMap(\.gateways).map(\.description) == [
                "tls:[0:0:0:0:0:0:0:1]:5091", "udp:127.0.0.1:5090",
            ])
        #expect(topology.trunks.map(\.capacity) == [nil, 60])
        #expect(topology.statServers.map(\.name) == ["dc1/s1", "dc1/s2"])
        #expect(topology.statServers.map(\.listen) == [StreamAddress("tcp:127.0.0.1:7401"), nil])
        #expect(topology.routers == [RouterDeclaration(name: "dc1/r1", dataCenter: 0)])
        #expect(topology.noAnswer == .walkAway)
    }

    @Test func `a routing point that no router serves is warned of, and runs`() throws {
        let result = load(goodText + "routingPoints: { 8000: { strategy: longest-idle, default: 1000 } }\n")
        #expect(result.codes == ["T033"])
        #expect(result.topology?.routingPoints.count == 1)
        #expect(result.topology?.notices == [])
    }

    @Test func `the whole format is accepted`() throws {
        let result = load(
            goodText + """
                timing:  { keepalive: 500ms, linkTimeout: 2s, reservation: 10s, reservationWindow: 0s, desktopGrace: 10s,
                           handoverHold: 2s, clockSkewLimit: 5s, afterCallWork: 0s }
                limits:  { perSource: off }
                rollout: { maxUnavailable: 1, minHealthy: 5s, deadline: 2m, onFailure: stop }
                """
        )
        #expect(result.codes == [])
        #expect(try #require(result.topology).timing.desktopGrace == .seconds(10))
    }

    @Test func `limits of sources are read, each for itself, and off is none`() throws {
        func limits(_ text: String) throws -> SourceLimitPolicy? {
            try #require(load(goodText + "limits: { perSource: \(text) }\n").topology).sourceLimits
        }
        #expect(
            try limits("{ datagrams: 500, attempts: 5, connections: 10 }")
                == SourceLimitPolicy(datagrams: 500, attempts: 5, connections: 10))
        #expect(try limits("{ datagrams: 1000000 }") == SourceLimitPolicy(datagrams: 1_000_000))
        #expect(try limits("{ attempts: 1000 }") == SourceLimitPolicy(attempts: 1000))
        #expect(try limits("{ connections: 1 }") == SourceLimitPolicy(connections: 1))
        #expect(try limits("off") == nil)
        #expect(try #require(load(goodText).topology).sourceLimits == nil)
    }

    @Test func `registration limits are read, and the domain is made small`() throws {
        let text =
            goodText
            .replacing(
                "{ phone: sip }", with: "{ phone: sip, registration: { expires: { min: 90s, max: 2h }, contacts: 2 } }"
            )
            .replacing("cc.example", with: "CC.Example")
        let topology = try #require(load(text).topology)
        #expect(topology.domain == "cc.example.com")
        let type = try #require(topology.agentTypes.first { $0.name == "sip-phone" })
        let limits = RegistrationLimits(minimumExpires: 90, defaultExpires: 300, maximumExpires: 7200, contacts: 2)
        #expect(type.registration == limits)
    }

    @Test func `nodes are sorted by full name, not by data center and name`() throws {
        let node = { (port: Int) in
            "{ sip: [ \"udp:127.0.0.1:\(port)\" ], tcontroller: \"unix:/t\(port)\", mesh: \"unix:/m\(port)\" }"
        }
        let text = goodText.replacing(
            "dns:", with: "  dc1-a: { nodes: { z: \(node(1)), b: \(node(2)) } }\ndns:"
        )
        let topology = try #require(load(text).topology)
        #expect(topology.nodes.map(\.name) == ["dc1-a/b", "dc1-a/z", "dc1/sip1"])
        #expect(topology.nodes.map { topology.dataCenters[$0.dataCenter].name } == ["dc1-a", "dc1-a", "dc1"])
    }

    @Test func `an alias stands for a whole value`() throws {
        let text = goodText.replacing("[dc1]", with: "&home [dc1]")
        let topology = try #require(load(text + "  - { number: 1, agentType: sip-phone, homes: *home }\n").topology)
        #expect(topology.directory.homes == [[], [0]])
        #expect(topology.directory.count == 1001)
    }

    @Test func `UDP and TCP share a port number, and so do two addresses`() {
        let text = goodText.replacing(
            "\"udp:127.0.0.1:5071\"", with: "\"udp:127.0.0.1:7101\", \"udp:127.0.0.2:7101\", \"udp:[::1]:7101\""
        )
        #expect(load(text).codes == [])
    }

    @Test func `a million DNs cost one block`() throws {
        let text = goodText.replacing("1000-1999", with: "000000-999999")
        let directory = try #require(load(text).topology).directory
        #expect(directory.count == 1_000_000)
        #expect(directory.blocks.count == 1)
        let last = try #require(DN("999999"))
        #expect(directory.index(of: last) == DNIndex(999_999))
    }

    @Test func `a hundred thousand DNs are declared one by one`() throws {
        let lines = (0..<100_000).map { "  - { number: \(200_000 + $0), agentType: sip-phone, homes: [dc1] }\n" }
        let directory = try #require(load(goodText + lines.joined()).topology).directory
        #expect(directory.count == 101_000)
    }

    @Test func `every code has an explanation, in upper and lower case`() {
        for code in DiagnosticCatalog.allCodes {
            #expect((DiagnosticCatalog.explanation(of: code)?.count ?? 0) > 80, "\(code)")
        }
        #expect(DiagnosticCatalog.explanation(of: "t012") == DiagnosticCatalog.explanation(of: "T012"))
        #expect(DiagnosticCatalog.explanation(of: "T999") == nil)
        #expect(DiagnosticCatalog.allCodes == DiagnosticCatalog.allCodes.sorted())
    }

    @Test(arguments: [
        ("E012", "T012"), ("t12", "T012"), ("T0012", "T012"), ("T039", "T038"), ("T999", nil), ("T000", nil),
        ("1000", nil), ("T012", nil), ("desk.7", nil), ("", nil), ("T-1", nil),
    ])
    func `a code with a typing error is guessed`(text: String, code: String?) {
        #expect(DiagnosticCatalog.nearestCode(to: text) == code)
    }

    @Test func `colour changes nothing but the colour`() {
        let text = goodText + "  - { range: 1500-2500, agentType: sip-phone }\n"
        let source = TopologySource(name: "test.yaml", text: text.utf8)
        for diagnostic in TopologyFile.load(source).diagnostics {
            let colored = diagnostic.rendered(source: source, color: true)
            #expect(colored.contains("\u{1B}["))
            #expect(
                colored.replacing(/\u{1B}\[[0-9;]*m/, with: "") == diagnostic.rendered(source: source, color: false))
        }
    }

    @Test func `a long line is cut around the fault`() throws {
        let list = (0..<500).map { "{ number: \(5000 + $0), agentType: sip-phone }" }.joined(separator: ", ")
        let text = goodText.replacing(
            /dns:(.|\n)*/, with: "dns: [ \(list), { nummer: 1, agentType: sip-phone }, \(list) ]\n")
        let source = TopologySource(name: "test.yaml", text: text.utf8)
        let fault = try #require(TopologyFile.load(source).diagnostics.first { $0.code == "T008" })
        let lines = fault.rendered(source: source, color: false).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count < 140 })
        let caret = try #require(lines[3].firstIndex(of: "^")).utf16Offset(in: lines[3])
        #expect(lines[2].dropFirst(caret).hasPrefix("nummer"))
    }
}
