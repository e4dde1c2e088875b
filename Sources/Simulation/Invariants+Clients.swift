import ClusterModel
import NodeCore
import TLibraryPorts

// What must hold of the clients of the T-Controller port.
extension ClusterSimulation {
    /// A desktop that registers makes its node the owner where it takes over or nobody serves the DN, and else nothing.
    mutating func invariantDesktopsGetWhatTheyAsk(
        _ node: NodeIndex, _ dn: DNIndex, _ before: DNInspection, serves: Bool
    ) {
        let record = cores[node.position].inspect(dn)
        let isRight = serves ? record.owner == node && record.isHeld : record.owner == before.owner
        if isRight { return }
        fail("invariantDesktopsGetWhatTheyAsk", "\(name(dn)) at \(name(node)): \(words(record))")
    }

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

    /// 7. A client with filters is told of nothing else. A DN that went to another node is superseded.
    mutating func invariantClientsAreToldWhatTheyAskedFor(
        _ node: NodeIndex, _ event: TEvent, _ options: MonitorOptions
    ) {
        let statuses: [DNStatus] =
            switch event {
            case .status(let statuses, _): statuses
            case .serviceChanged(let status, _): [status]
            case .error, .registered, .unregistered, .addressInfo, .monitoring, .endOfSnapshot, .ownerUnreachable,
                .ownerReachable:
                []
            }
        for status in statuses {
            let isOwnedHere = status.view.owner == node || status.view.service == .superseded
            if isInRange(status.dn, options), isOwnedHere || !options.ownedHereOnly { continue }
            fail("invariantClientsAreToldWhatTheyAskedFor", "\(name(node)) tells \(Words.of(event, topology))")
        }
    }

    private func isInRange(_ name: DN, _ options: MonitorOptions) -> Bool {
        options.ranges.isEmpty || options.ranges.contains { $0.first <= name && name <= $0.last }
    }

    private func isRight(
        _ heard: Service?, _ record: DNInspection, _ dn: DNIndex, _ node: NodeIndex, _ options: MonitorOptions
    ) -> Bool {
        let name = topology.directory.dn(at: dn)
        if !isInRange(name, options) { return heard == nil }
        if options.ownedHereOnly, record.owner != node { return heard?.isInService != true }
        return heard == record.view
    }
}
