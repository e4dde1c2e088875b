import AgentSessions
import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

extension TestCluster {
    /// The gateway that calls come from.
    static let gateway = 5090

    /// Two data centers with a node, a Stat Server and routers each, and a routing point.
    ///
    /// - Parameter more: of the routing point.
    static func routed(_ more: String = "", agents: String = "", routers: Int = 1) -> (String) -> String {
        { directory in
            let centers = [1, 2].map { number in
                let names = (1...routers).map { "router\($0): {}" }.joined(separator: ", ")
                return """
                      dc\(number):
                        location: \(number == 1 ? "west" : "east")
                        nodes:
                          sip1:
                            sip: [ "udp:127.0.0.1:507\(number)" ]
                            tcontroller: "unix:\(directory)/dc\(number)-sip1"
                            default: "unix:\(directory)/dc\(number)-default"
                            mesh: "tcp:127.0.0.1:730\(number)"
                        statServers: { stat1: {} }
                        routers: { \(names) }
                    """
            }
            return """
                version: 1
                cluster: test
                domain: cc.example.com
                agentTypes: { sip-phone: { phone: sip } }
                dataCenters:
                \(centers.joined(separator: "\n"))
                dns: [ { range: 1000-1999, agentType: sip-phone } ]
                routingPoints: { 8000: { strategy: longest-idle\(more) } }
                trunks: { carrier: { address: "udp:127.0.0.1:\(gateway)" } }
                timing: { keepalive: 100ms, linkTimeout: 400ms }
                \(agents)

                """
        }
    }

    /// Registers phones at a node and logs their agents in, ready.
    ///
    /// - Parameter agents: their DNs and the ports of their phones.
    func logIn(_ agents: [(dn: String, port: Int)], at node: Int) throws {
        try register(agents.map { ($0.dn, $0.port, node) })
        let desk = try client(node == 5071 ? "dc1/sip1" : "dc2/sip1")
        for (dn, _) in agents {
            try desk.agent(.login(try #require(AgentID("agent\(dn)")), .autoIn, Reasons()), on: dn)
        }
    }

    /// Waits until as many more calls to the routing point have been answered at each of some nodes.
    func awaitAnswers(_ count: UInt64, at nodes: [String]) throws {
        var first: [UInt64] = []
        try waitUntil("\(count) more calls are answered at each of \(nodes)") { status in
            let present = try nodes.map { name in
                try #require(status.nodes.first { $0.name == name }?.report?.points.first).answered
            }
            if first.isEmpty { first = present }
            return zip(first, present).allSatisfy { $1 >= $0 + count }
        }
    }

    /// Waits until both routers know so many free agents.
    func awaitAgents(_ count: UInt64) throws {
        try waitUntil("the routers know \(count) agents") { status in
            status.nodes.filter { $0.role == .router }.allSatisfy { $0.report?.agentsAvailable == count }
        }
    }
}
