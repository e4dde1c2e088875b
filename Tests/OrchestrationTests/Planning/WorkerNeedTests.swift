import ClusterModel
import Orchestration
import Testing

@Suite struct WorkerNeedTests {
    private let before = PlannedClusters.topology()

    private func need(_ name: String, _ role: RoleName, _ change: (inout Topology) -> Void) -> WorkerNeed {
        var after = before
        change(&after)
        return WorkerNeed(of: name, role: role, TopologyDifference(from: before, to: after))
    }

    private static let somewhere = NetworkAddress(ipv4: 0x7F00_0001, port: 9)

    @Test func `nobody has to hear of how workers are restarted, nor of notices`() {
        for (name, role) in [("dc1/sip1", RoleName.sip), ("dc1/stat1", .stat), ("dc1/router1", .router)] {
            #expect(need(name, role) { $0.rollout.maxUnavailable = 3 } == .nothing)
            #expect(need(name, role) { $0.notices = ["one"] } == .nothing)
            #expect(need(name, role) { _ in } == .nothing)
        }
    }

    @Test func `what all take while they serve`() {
        let changes: [(inout Topology) -> Void] = [
            { $0.timing.keepalive = .seconds(1) }, { $0.agentTypes[0].registration.contacts = 9 },
            { $0.agentProfiles[AgentID("ann")!] = AgentProfile(skills: [], priority: 3) },
            { $0.trunks = [Trunk(name: "t", gateways: [])] }, { $0.clientRequestLimit = 5 }, { $0.domain = "other" },
            { $0.directory = DNDirectory(blocks: []) }, { $0.sourceLimits = SourceLimitPolicy(datagrams: 3) },
        ]
        for change in changes {
            #expect(need("dc1/sip1", .sip, change) == .live)
            #expect(need("dc1/stat1", .stat, change) == .live)
            #expect(need("dc1/router1", .router, change) == .live)
        }
    }

    @Test func `a node is restarted for its own addresses, and not for those of others`() {
        let change: (inout Topology) -> Void = { $0.nodes[0].mesh = .tcp(Self.somewhere) }
        #expect(need("dc1/sip1", .sip, change) == .restart(["mesh tcp:127.0.0.1:10013 -> tcp:127.0.0.1:9"]))
        #expect(need("dc1/sip2", .sip, change) == .live)
        #expect(need("dc1/stat1", .stat, change) == .live)
        #expect(need("dc1/router1", .router, change) == .live)
        for port in [\Node.tcontroller, \Node.mesh] {
            guard case .restart = need("dc1/sip1", .sip, { $0.nodes[0][keyPath: port] = .unix(path: "/x") }) else {
                Issue.record("not restarted")
                continue
            }
        }
        #expect(
            need("dc1/sip1", .sip) { $0.nodes[0].defaultPort = nil }
                == .restart(["default tcp:127.0.0.1:10012 -> none"]))
    }

    @Test func `a workspace is restarted for its own address alone`() {
        var with = before
        with.workspaces = ["dc1/desk1", "dc1/desk2"].map {
            WorkspaceDeclaration(name: $0, dataCenter: 0, listen: Self.somewhere, url: "http://127.0.0.1:9")
        }
        func need(_ change: (inout Topology) -> Void) -> WorkerNeed {
            var after = with
            change(&after)
            return WorkerNeed(of: "dc1/desk1", role: .workspace, TopologyDifference(from: with, to: after))
        }
        #expect(
            need { $0.workspaces[0].listen = Self.somewhere.with(port: 10) }
                == .restart(["http 127.0.0.1:9 -> 127.0.0.1:10"]))
        #expect(
            need { $0.workspaces[0].isSecure = true }
                == .restart(["http 127.0.0.1:9 -> none", "https none -> 127.0.0.1:9"]))
        let others: [(inout Topology) -> Void] = [
            { $0.workspaces[1].listen = Self.somewhere.with(port: 10) }, { $0.workspaces[0].url = "http://a" },
            { $0.workspaces[0].proxies = [Self.somewhere] }, { $0.workspacePolicy.idle = .seconds(60) },
            { $0.nodes[0].tcontroller = .tcp(Self.somewhere) }, { $0.statServers = [] }, { $0.workspaces.removeLast() },
            { $0.directory = DNDirectory(blocks: []) }, { $0.routingPoints = [] }, { $0.timing.desktopGrace = .zero },
        ]
        for change in others { #expect(!isRestart(need(change))) }
        #expect(need { _ in } == .nothing)
        for (name, role) in [("dc1/sip1", RoleName.sip), ("dc1/stat1", .stat), ("dc1/router1", .router)] {
            #expect(self.need(name, role) { $0.workspaces = with.workspaces } == .live)
        }
    }

    private func isRestart(_ need: WorkerNeed) -> Bool {
        if case .restart = need { return true }
        return false
    }

    @Test func `certificates count for connections to come, and restart nobody`() {
        let identity = TLSPolicy.Identity(certificate: "c", key: "k")
        for (name, role) in [("dc1/sip1", RoleName.sip), ("dc1/stat1", .stat), ("dc1/router1", .router)] {
            #expect(need(name, role) { $0.tls = TLSPolicy(identity: identity) } == .live)
        }
    }

    @Test func `Stat Servers and routers are restarted for what they are connected with`() {
        let port: (inout Topology) -> Void = { $0.nodes[0].tcontroller = .tcp(Self.somewhere) }
        #expect(need("dc1/stat1", .stat, port) == .restart(["node dc1/sip1 changed"]))
        #expect(need("dc1/router1", .router, port) == .live)
        let other: (inout Topology) -> Void = { $0.nodes[0].defaultPort = nil }
        #expect(need("dc1/stat1", .stat, other) == .live)
        #expect(need("dc1/router1", .router, other) == .restart(["node dc1/sip1 changed"]))
        let place: (inout Topology) -> Void = { $0.dataCenters[0].location = "west" }
        #expect(need("dc1/stat1", .stat, place) == .live)
        #expect(need("dc1/router1", .router, place) == .restart(["location of dc1"]))
        #expect(need("dc2/router1", .router, place) == .live)
        #expect(need("dc2/stat1", .stat, port) == .live)
        let node: (inout Topology) -> Void = { $0.nodes.remove(at: 1) }
        #expect(need("dc1/router1", .router, node) == .restart(["node dc1/sip2 removed"]))
        #expect(need("dc2/router1", .router, node) == .live)
        let server: (inout Topology) -> Void = {
            $0.statServers.append(StatServerDeclaration(name: "dc1/stat2", dataCenter: 0))
        }
        #expect(need("dc1/router1", .router, server) == .restart(["stat server dc1/stat2 added"]))
        #expect(need("dc1/stat1", .stat, server) == .live)
        let moved: (inout Topology) -> Void = { $0.statServers[0].listen = .tcp(Self.somewhere) }
        #expect(need("dc1/stat1", .stat, moved) == .restart(["listen unix -> tcp:127.0.0.1:9"]))
        #expect(need("dc1/router1", .router, moved) == .restart(["stat server dc1/stat1 changed"]))
        let points: (inout Topology) -> Void = {
            $0.routingPoints = [RoutingPoint(dn: DN("8000")!), RoutingPoint(dn: DN("8001")!)]
        }
        #expect(need("dc1/stat1", .stat, points) == .restart(["routing points"]))
        #expect(need("dc2/router1", .router, points) == .restart(["routing points"]))
        #expect(need("dc1/sip1", .sip, points) == .live)
    }
}
