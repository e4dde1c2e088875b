import ClusterModel
import DNOwnership
import NodeCore
import Orchestration

// What must hold where the topology changes.
extension ClusterSimulation {
    /// What another topology has left of a DN that has gone, or had another life, counts no more.
    mutating func invariantVoidClaimsAreNobodys(_ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection) {
        guard plan.changes != nil, record.owner != .none, let place = place(of: dn, at: node) else { return }
        let directory = cores[node.position].topology.directory
        guard directory.isVoid(record.stamp, of: place) else { return }
        fail(
            "invariantVoidClaimsAreNobodys",
            "\(name(dn)) was introduced at \(directory.block(of: place).introduced), and \(name(node)) holds:"
                + " \(words(record))")
    }

    /// Nobody owns anything who is not of the cluster any more.
    mutating func invariantOwnersAreNodes(_ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection) {
        guard record.owner != .none, !version(of: node).has(record.owner) else { return }
        fail("invariantOwnersAreNodes", "\(name(dn)) at \(name(node)): \(words(record))")
    }

    /// The checker never objects to a plan, and nothing is refused that an operator has declared.
    mutating func invariantPlansAreSound() {
        if let objection = controller.reconciler.objections.first {
            return fail("invariantPlansAreSound", "\(objection)")
        }
        guard let refusal = controller.reconciler.plan?.refusals.first else { return }
        fail("invariantPlansAreSound", "the planner refuses: \(refusal)")
    }

    /// A change that takes nothing away loses no link.
    mutating func invariantCalmChangesLoseNoLink(_ node: NodeIndex, _ id: Int) {
        guard isChangingCalmly else { return }
        fail("invariantCalmChangesLoseNoLink", "\(name(node)) loses connection \(id)")
    }

    /// What keeps the topology from being everywhere.
    mutating func whatIsUnfinishedOfChanges() -> String? {
        guard plan.changes != nil else { return nil }
        guard controller.isUp else { return "the controller is down" }
        for position in nodes.indices {
            let has = versions[Int(controller.desired) - 1].has(NodeIndex(position))
            let node = nodes[position]
            if has != node.isWanted { return "\(name(NodeIndex(position))) is \(has ? "not " : "")there" }
            guard has, node.isUp, node.generation != nodes[present[0]].generation else { continue }
            let problems = controller.reconciler.problems.map { "\($0.worker): \($0.sentence)" }.joined(separator: "; ")
            return "\(name(NodeIndex(position))) runs generation \(node.generation) of \(controller.desired); \(problems)"
        }
        if controller.reconciler.isSettled { return nil }
        return "the plan is not empty: \(controller.reconciler.plan.map { "\($0.steps)" } ?? "there is none")"
    }

    /// Of the cluster, as its controller has it.
    var present: [Int] { nodes.indices.filter { nodes[$0].isWanted } }

    /// Whether phones and desktops may have the DN at a node.
    func mayRegister(_ dn: DNIndex, at node: NodeIndex) -> Bool {
        guard let place = place(of: dn, at: node) else { return false }
        let directory = version(of: node).topology.directory
        let homes = directory.homes[directory.block(of: place).homes]
        return homes.isEmpty || homes.contains(topology.nodes[node.position].dataCenter)
    }

    /// The same DN since the cluster's beginning, at nodes that have all been there as long.
    func isUntouched(_ dn: DNIndex) -> Bool {
        versions.allSatisfy { version in
            guard let place = version.place(of: dn), !version.nodes.contains(nil) else { return false }
            return version.topology.directory.block(of: place).introduced == 0
        }
    }
}
