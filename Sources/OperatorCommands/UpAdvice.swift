package import ClusterModel

/// The three lines that a cluster which has just come up ends its greeting with.
package enum UpAdvice {
    /// Where the example phone says that it can be reached; nothing needs to listen there to be registered.
    private static let phonePort: UInt16 = 6060

    /// - Parameters:
    ///   - program: how the user called this program.
    ///   - socket: the control socket, if commands would not find it by themselves.
    package static func lines(_ topology: Topology, program: String, socket: String?) -> [String] {
        let option = socket.map { " --socket \($0)" } ?? ""
        let dn = firstSIP(topology)?.dn ?? (topology.directory.count > 0 ? topology.directory.dn(at: DNIndex(0)) : nil)
        let look = dn.map { "\(program) dn show \($0)\(option)" } ?? "\(program) status\(option)"
        return [
            "Register a phone:  \(registration(topology))",
            "Look at it:        \(look)",
            "Stop everything:   Ctrl-C",
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
