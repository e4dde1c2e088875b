import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts

// What must hold. Safety is checked after every event at the nodes that it touched, agreement when all faults are over.
extension ClusterSimulation {
    /// What a node shows of a DN, and what it has to show for it.
    private struct Shown {
        let view: View
        let isOwnerReachable: Bool
        let isServed: Bool
    }

    mutating func checkSafety(_ node: NodeIndex) throws(Violation) {
        guard isUp[node.position] else { return }
        for (position, shown) in look(at: node).enumerated() {
            let dn = DNIndex(position)
            try invariantOnlyReachableOwnersAreShown(node, dn, shown)
            try invariantClaimsNeverRegress(node, dn, shown.view)
            try invariantOwnersHaveWhatTheyServe(node, dn, shown)
        }
        for subscriber in subscribers[node.position] {
            if let problem = subscriber.problem { throw violation("invariantSubscriberOrder", problem) }
        }
    }

    /// Through a span, because an array's element is copied when it is only looked at.
    private func look(at node: NodeIndex) -> [Shown] {
        let nodes = nodes.span
        var all: [Shown] = []
        for position in 0..<topology.directory.count {
            let dn = DNIndex(position)
            let view = nodes[node.position].ownership.view(of: dn)
            let isReachable = nodes[node.position].ownership.isReachable(view.owner)
            let isServed = nodes[node.position].registrar.hasBindings(dn) || nodes[node.position].ports.isHeld(dn)
            all.append(Shown(view: view, isOwnerReachable: isReachable, isServed: isServed))
        }
        return all
    }

    private func invariantOnlyReachableOwnersAreShown(
        _ node: NodeIndex, _ dn: DNIndex, _ shown: Shown
    ) throws(Violation) {
        guard shown.view.service.isInService, !shown.isOwnerReachable else { return }
        throw violation("invariantOnlyReachableOwnersAreShown", "\(name(dn)) at \(topology.name(of: node))")
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
    private func invariantOwnersHaveWhatTheyServe(_ node: NodeIndex, _ dn: DNIndex, _ shown: Shown) throws(Violation) {
        let shouldBeServed = shown.view.owner == node && shown.view.service.isInService
        guard shown.isServed != shouldBeServed else { return }
        throw violation(
            "invariantOwnersHaveWhatTheyServe",
            "\(name(dn)) at \(topology.name(of: node)): bindings or desktops: \(shown.isServed), shown: \(shown.view)"
        )
    }

    func checkQuiescence() throws(Violation) {
        for node in nodes.indices {
            guard isUp[node] else { throw violation("invariantAllStarted", topology.nodes[node].name) }
            for report in nodes[node].ownership.linkReports(now: instant(NodeIndex(node))) where report.state != .live {
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
        let views = nodes.map { $0.ownership.view(of: dn) }
        guard let first = views.first, views.contains(where: { $0 != first }) else { return }
        throw violation("invariantAgreement", "\(name(dn)): \(views)")
    }

    private func invariantSubscribersAgree(_ dn: DNIndex) throws(Violation) {
        for node in nodes.indices {
            let view = nodes[node].ownership.view(of: dn)
            for subscriber in subscribers[node] {
                let heard = subscriber.services[topology.directory.dn(at: dn)]
                guard !subscriber.isComplete || heard != view.service else { continue }
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
