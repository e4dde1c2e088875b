package import ClusterModel

// Desktops are asked to go elsewhere.
extension PortsMachine {
    /// Asks all who hold a PSTN DN in service to register it at another node.
    ///
    /// - Returns: how many were asked.
    @discardableResult
    package mutating func askToMove(_ dn: DNIndex, to node: NodeIndex, _ actions: inout [PortsAction]) -> Int {
        var asked = 0
        for client in watchers[dn] ?? [] where clients[client]?.registrations[dn]?.holds == true {
            tell(client, .moveHint(dn: directory.dn(at: dn), to: node), &actions)
            asked += 1
        }
        return asked
    }

    /// DNs that somebody holds in service, in order.
    package var heldDNs: [DNIndex] { holders.keys.sorted() }
}
