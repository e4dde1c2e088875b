package import ClusterModel

/// The lines that a cluster which has just come up ends its greeting with: what can be tried now.
package enum UpAdvice {
    /// Where the example phone says that it can be reached; nothing needs to listen there to be registered.
    private static let phonePort: UInt16 = 6060

    /// - Parameters:
    ///   - program: how the user called this program.
    ///   - socket: the control socket, if commands would not find it by themselves.
    ///   - metrics: where figures can be asked for; nil for nowhere.
    ///   - agents: who may sign in at the workspaces for a try; nil where the topology names them.
    package static func lines(
        _ topology: Topology, program: String, socket: String?, metrics: String? = nil,
        agents: DemoAgents? = nil
    ) -> [String] {
        let option = socket.map { " --socket \($0)" } ?? ""
        let dn = firstSIP(topology)?.dn ?? (topology.directory.count > 0 ? topology.directory.dn(at: DNIndex(0)) : nil)
        let look = dn.map { "\(program) dn show \($0)\(option)" } ?? "\(program) status\(option)"
        return [
            "Register a phone:  \(registration(topology))",
            "Look at it:        \(look)",
        ] + call(topology, program, option) + desk(topology, agents) + figures(metrics) + ["Stop everything:   Ctrl-C"]
    }

    /// Where an agent sits down with a browser, and a supervisor.
    private static func desk(_ topology: Topology, _ agents: DemoAgents?) -> [String] {
        guard let url = topology.workspaces.first?.url else { return [] }
        guard let agents else { return ["Sit down as agent: \(url)/"] }
        func login(_ agent: DemoAgents.Agent) -> String { "as \(agent.name), password \(agent.password)" }
        let seated = agents.agents.first { $0.dn != nil }
        let supervisor = agents.agents.first(where: \.isSupervisor)
        return [
            seated.map { "Sit down as agent: \(url)/  \(login($0)) (line \($0.dn.map { "\($0)" } ?? ""))" },
            supervisor.map { "Supervise agents:  \(url)/  \(login($0))" },
        ].compactMap { $0 }
    }

    private static func figures(_ address: String?) -> [String] {
        guard let address else { return [] }
        let target =
            address.hasPrefix("unix:")
            ? "--unix-socket \(address.dropFirst(5)) http://localhost/metrics" : "http://\(address)/metrics"
        return ["Read its figures:  curl \(target)"]
    }

    /// How an agent at the example phone is called over a routing point, where the gateway can be played on this machine. The call
    /// comes to another data center than the phone's, if there is one. The files are in `examples/sipp`.
    private static func call(_ topology: Topology, _ program: String, _ option: String) -> [String] {
        let gateways = topology.trunks.flatMap(\.gateways).filter { $0.transport == .udp }.map(\.address)
        guard let (dn, _, registrar) = firstSIP(topology), let point = topology.routingPoints.first,
            // The first may be taken by somebody who answers calls.
            let gateway = gateways.last(where: { $0.isLoopback && $0.isIPv4 }), registrar.isLoopback
        else { return [] }
        let home = topology.nodes.first { node in node.sip.contains { $0.address == registrar } }?.dataCenter
        let others = topology.nodes.filter { $0.dataCenter != home }.flatMap(\.sip).filter { $0.transport == .udp }
        let node = others.map(\.address).first { $0.isLoopback && $0.isIPv4 } ?? registrar
        return [
            "Answer its calls:  sipp -sf examples/sipp/answer.xml -s \(dn) -i \(registrar.host) -p \(phonePort) "
                + "\(registrar.host):\(registrar.port)",
            "Log an agent in:   \(program) agent login \(dn) ann --work-mode auto-in\(option)",
            "Call the agent:    sipp -sf examples/sipp/call.xml -s \(point.dn) -i \(gateway.host) -p \(gateway.port) "
                + "-d 5000 -m 1 \(node.host):\(node.port)",
        ]
    }

    /// A command that registers the first SIP DN. The request goes straight to the node's address, so no name is looked
    /// up, and it names the cluster's domain, as a phone would.
    private static func registration(_ topology: Topology) -> String {
        guard let (dn, agentType, address) = firstSIP(topology) else {
            return "no DN here has a SIP phone; a PSTN phone is in service while its agent is logged in"
        }
        let host = address.isWildcard ? (address.isIPv4 ? "127.0.0.1" : "[::1]") : bracketed(address)
        let user = "\(dn)".split(separator: "#", omittingEmptySubsequences: false).joined(separator: "%23")
        return "sipsak -v -U -C sip:\(user)@\(host):\(phonePort) -x \(agentType.registration.defaultExpires) "
            + "-p \(host):\(address.port) -s sip:\(user)@\(topology.domain)"
    }

    private static func bracketed(_ address: NetworkAddress) -> String {
        address.isIPv4 ? address.host : "[\(address.host)]"
    }

    /// The first DN with a SIP phone, and where it may register.
    private static func firstSIP(_ topology: Topology) -> (dn: DN, agentType: AgentType, address: NetworkAddress)? {
        for block in topology.directory.blocks {
            let agentType = topology.agentTypes[block.agentType]
            guard agentType.phone == .sip,
                let address = registrar(topology, homes: topology.directory.homes[block.homes])
            else { continue }
            return (block.first, agentType, address)
        }
        return nil
    }

    /// Of the first node in the most preferred home. IPv4 before IPv6, which sipsak does not speak.
    private static func registrar(_ topology: Topology, homes: [Int]) -> NetworkAddress? {
        let candidates =
            homes.isEmpty ? topology.nodes : homes.flatMap { home in topology.nodes.filter { $0.dataCenter == home } }
        let addresses = candidates.flatMap(\.sip).filter { $0.transport == .udp }.map(\.address)
        return addresses.first { $0.isIPv4 } ?? addresses.first
    }
}
