import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts

// What must hold. Safety is checked after every event at the nodes that it touched, agreement when all faults are over.
extension ClusterSimulation {
    mutating func checkSafety(_ node: NodeIndex) throws(Violation) {
        guard nodes[node.position] != nil else { return }
        // Once for all DNs, and not the whole core: this runs after every event.
        let ownership = nodes[node.position]!.ownership
        let registrar = nodes[node.position]!.registrar
        let ports = nodes[node.position]!.ports
        for position in 0..<topology.directory.count {
            let dn = DNIndex(position)
            let view = ownership.view(of: dn)
            // Judged by the connection, which the machine's own idea of who is reachable must not outlive.
            if view.service.isInService, view.owner != node, ownership.connection(to: view.owner) == nil {
                throw violation("invariantOnlyReachableOwnersAreShown", "\(name(dn)) at \(topology.name(of: node))")
            }
            try invariantClaimsNeverRegress(node, dn, view)
            try invariantOwnersHaveWhatTheyServe(
                node, dn, view, isServed: registrar.hasBindings(dn) || ports.isHeld(dn)
            )
        }
        if let problem = subscribers[node.position].problem { throw violation("invariantSubscriberOrder", problem) }
    }

    private mutating func invariantClaimsNeverRegress(
        _ node: NodeIndex, _ dn: DNIndex, _ view: View
    ) throws(Violation) {
        guard view.owner != .none else { return }
        let claim = Claim(owner: view.owner, stamp: view.stamp)
        if let former = claims[node.position][dn.position], claim < former {
            throw violation("invariantClaimsNeverRegress", "\(name(dn)) at \(topology.name(of: node))")
        }
        claims[node.position][dn.position] = claim
    }

    /// A node's own DN is in service exactly while it has a binding or a desktop, whatever happens to its links.
    private func invariantOwnersHaveWhatTheyServe(
        _ node: NodeIndex, _ dn: DNIndex, _ view: View, isServed: Bool
    ) throws(Violation) {
        let shouldBeServed = view.owner == node && view.service.isInService
        if isServed != shouldBeServed {
            throw violation(
                "invariantOwnersHaveWhatTheyServe",
                "\(name(dn)) at \(topology.name(of: node)): bindings or desktops: \(isServed), shown: \(view)"
            )
        }
    }

    func checkQuiescence() throws(Violation) {
        // The streams are ordered and whole, so only a mistake makes a node ask; a snapshot would mend and hide it.
        if snapshotRequests > 0 { throw violation("invariantStreamsAddUp", "\(snapshotRequests) requests for a snapshot") }
        for node in nodes.indices {
            guard let core = nodes[node] else { throw violation("invariantAllStarted", topology.nodes[node].name) }
            for report in core.ownership.linkReports(now: instant(NodeIndex(node))) where report.state != .live {
                throw violation(
                    "invariantLinksLive", "\(topology.nodes[node].name) to \(topology.name(of: report.peer)): \(report)"
                )
            }
        }
        for position in 0..<topology.directory.count {
            try invariantAgreement(DNIndex(position))
            try invariantSubscribersAgree(DNIndex(position))
        }
    }

    private func invariantAgreement(_ dn: DNIndex) throws(Violation) {
        let views = nodes.compactMap { $0?.ownership.view(of: dn) }
        guard let first = views.first, views.contains(where: { $0 != first }) else { return }
        throw violation("invariantAgreement", "\(name(dn)): \(views)")
    }

    private func invariantSubscribersAgree(_ dn: DNIndex) throws(Violation) {
        for node in nodes.indices {
            guard let view = nodes[node]?.ownership.view(of: dn) else { continue }
            let heard = subscribers[node].services[topology.directory.dn(at: dn)]
            guard subscribers[node].isComplete, heard == view.service else {
                throw violation(
                    "invariantSubscribersAgree",
                    "\(name(dn)) at \(topology.nodes[node].name): \(view.service), heard \(String(describing: heard))"
                )
            }
        }
    }

    private func name(_ dn: DNIndex) -> String { topology.directory.dn(at: dn).description }

    private func violation(_ invariant: String, _ detail: String) -> Violation {
        Violation(seed: options.seed, invariant: invariant, detail: detail, milliseconds: now / 1_000_000)
    }
}
