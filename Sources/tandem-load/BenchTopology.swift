import ClusterModel

/// What the files of a bench's cluster say.
struct BenchTopology {
    var directory: String
    /// By node: where phones register over UDP and over TCP, and where other nodes dial it.
    var sip: [NetworkAddress]
    var streamSIP: [NetworkAddress]
    var mesh: [NetworkAddress]
    /// How many nodes a data center has: those that come one after the other.
    var nodesTogether = 1
    /// The first DN, of as many digits as the last.
    var firstDN = 100_000
    var dns: Int
    var shape = DNShape.ranges
    /// Milliseconds between two pings.
    var keepalive: Int
    /// What the nodes challenge with; nil where phones need no password.
    var authentication: DigestAlgorithm?
    /// What makes calls come to agents; nil where phones call each other.
    var routing: Routing?

    /// A number that is routed, and a gateway that calls it. Each data center has a Stat Server and a router then.
    struct Routing {
        var point: UInt64
        var trunk: NetworkAddress
        var strategy = RoutingStrategy.longestIdle
    }

    /// Where agents sit at telephones outside, in the first data center; nil where there is none.
    var workspace: Workspace?

    /// Each DN has an agent of its own.
    struct Workspace {
        var address: NetworkAddress
        /// Of the password that all have.
        var hash: String
    }

    var text: String {
        """
        version: 1
        cluster: load
        domain: \(BenchCluster.domain)
        agentTypes:
          sip-phone: { phone: sip, registration: { expires: { min: 1s, default: 300s, max: 1h } } }
          pstn-phone: { phone: pstn }
        dataCenters:
        \(dataCenters)
        dns:
        \(entries)
        timing: { keepalive: \(keepalive)ms }
        \(policy)
        \(points)
        \(workspace == nil ? "" : "workspace: { agents: credentials.yaml }")

        """
    }

    private var numbers: Range<Int> { firstDN..<firstDN + dns }

    private var entries: String {
        guard workspace == nil else {
            return numbers.lazy.map { "  - { number: \($0), agentType: pstn-phone, dial: \"+1555\($0)\" }" }
                .joined(separator: "\n")
        }
        return switch shape {
        case .ranges: "  - { range: \(firstDN)-\(firstDN + dns - 1), agentType: sip-phone }"
        case .lines: numbers.lazy.map { "  - { number: \($0), agentType: sip-phone }" }.joined(separator: "\n")
        }
    }

    private var dataCenters: String {
        stride(from: 0, to: sip.count, by: nodesTogether).map { first in
            """
              dc\(first / nodesTogether + 1):
                nodes:
            \((first..<first + nodesTogether).map(node).joined(separator: "\n"))
            \(routing == nil ? "" : roles)
            \(first == 0 ? desk : "")
            """
        }.joined(separator: "\n")
    }

    private func node(_ position: Int) -> String {
        """
              sip\(position % nodesTogether + 1):
                sip: [ "udp:\(sip[position])", "tcp:\(streamSIP[position])" ]
                tcontroller: "unix:\(directory)/node\(position + 1).sock"
                mesh: "tcp:\(mesh[position])"
        \(routing == nil ? "" : "        default: \"unix:\(directory)/default\(position + 1).sock\"")
        """
    }

    private var roles: String {
        """
            statServers: { stat1: {} }
            routers: { router1: {} }
        """
    }

    private var desk: String {
        workspace.map { "    workspaces: { desk1: { http: \"\($0.address)\" } }" } ?? ""
    }

    private var points: String {
        guard let routing else { return "" }
        return """
            routingPoints: { \(routing.point): { strategy: \(routing.strategy.rawValue), timeout: 10m, maxWaiting: 100000 } }
            trunks: { carrier: { address: "udp:\(routing.trunk)" } }
            """
    }

    private var policy: String {
        guard let authentication else { return "" }
        return "authentication: { realm: \(BenchCluster.domain), users: credentials.yaml, "
            + "algorithms: [ \(authentication.key) ] }"
    }

    /// The same password for every DN; nobody, where phones and agents need none.
    var credentials: String {
        if let workspace {
            let agents = numbers.map {
                "  \(PageBank.agent($0)): { password: \"\(workspace.hash)\", dns: [ \($0) ] }\n"
            }
            return "version: 1\nagents:\n\(agents.joined())sessionKeys: [ \"\(String(repeating: "5a", count: 32))\" ]\n"
        }
        guard authentication != nil else { return "version: 1\nusers: {}\n" }
        let users = numbers.map { "  \($0): \(BenchCluster.password)\n" }
        return "version: 1\nusers:\n" + users.joined()
    }
}
