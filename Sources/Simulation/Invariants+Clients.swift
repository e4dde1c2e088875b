import ClusterModel
import NodeCore
import TLibraryPorts

// What must hold of the clients of the T-Controller port.
extension ClusterSimulation {
    mutating func invariantClientsAreToldInOrder(_ node: NodeIndex, _ client: Int) {
        let model = nodes[node.position].clients[client]
        guard let problem = model.subscriber.problem ?? model.desktop.problem else { return }
        fail("invariantClientsAreToldInOrder", "client \(client) of \(name(node)): \(problem)")
    }

    /// 7. A client that has been told everything knows exactly what the node shows.
    mutating func invariantClientsKnowTheView(_ node: NodeIndex, _ client: Int) {
        let model = nodes[node.position].clients[client]
        for position in 0..<topology.directory.count {
            let dn = DNIndex(position)
            let record = cores[node.position].inspect(dn)
            switch model.kind {
            case .desktop:
                guard let known = model.desktop.services[position] else { continue }
                if known == record.view, !model.desktop.holds[position] || record.isHeld { continue }
                fail(
                    "invariantClientsKnowTheView",
                    "desktop of \(name(node)): \(name(dn)) is \(words(record)), heard \(known)")
            case .monitor(let options):
                guard model.subscriber.isComplete else { continue }
                let heard = model.subscriber.services[position]
                if isRight(heard, record, dn, node, options) { continue }
                fail(
                    "invariantClientsKnowTheView",
                    "client \(client) of \(name(node)): \(name(dn)) is \(words(record)), heard \(heard?.reason ?? (heard == nil ? "nothing" : "in service"))"
                )
            }
        }
    }

    private func isRight(
        _ heard: Service?, _ record: DNInspection, _ dn: DNIndex, _ node: NodeIndex, _ options: MonitorOptions
    ) -> Bool {
        let name = topology.directory.dn(at: dn)
        if !options.ranges.isEmpty, !options.ranges.contains(where: { $0.contains(name) }) { return heard == nil }
        if options.ownedHereOnly, record.owner != node { return heard?.isInService != true }
        return heard == record.view
    }
}
