import ClusterModel
import DNOwnership
import NodeCore
import Orchestration

/// What a node knows before its topology changes, of what is in both.
struct KeptKnowledge {
    var dns: [(dn: DNIndex, record: DNInspection)] = []
    var links: [(peer: NodeIndex, connection: ConnectionID?, state: LinkReport.State)] = []
}

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

    /// A node's clock, and all that it has heard, is from before a DN was introduced: it cannot claim that.
    func isBeforeIntroduction(_ dn: DNIndex, at node: NodeIndex) -> Bool {
        guard plan.changes != nil, let place = place(of: dn, at: node) else { return false }
        let wall = Stamp(milliseconds: instant(node).wallMilliseconds, counter: 0)
        let latest = max(wall, cores[node.position].ownership.greatestStamp)
        return cores[node.position].topology.directory.isVoid(latest, of: place)
    }

    /// Nobody owns anything who is not of the cluster any more.
    mutating func invariantOwnersAreNodes(_ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection) {
        guard record.owner != .none, !version(of: node).has(record.owner) else { return }
        fail("invariantOwnersAreNodes", "\(name(dn)) at \(name(node)): \(words(record))")
    }

    /// What a node knows of DNs and links that are in both topologies.
    mutating func whatIsKept(_ node: NodeIndex, _ later: TopologyVersion) -> KeptKnowledge {
        var kept = KeptKnowledge()
        for position in nodes[node.position].seen.indices {
            let dn = DNIndex(position)
            guard !isGone(dn, at: node, later) else { continue }
            kept.dns.append((dn, inspect(dn, at: node)))
        }
        for peer in nodes.indices where peer != node.position && later.has(NodeIndex(peer)) {
            let link = link(of: node, to: NodeIndex(peer))
            kept.links.append((NodeIndex(peer), link.connection, link.state))
        }
        return kept
    }

    /// What is in both topologies is as it was, to the last bit.
    mutating func invariantTheRestStays(_ node: NodeIndex, _ kept: KeptKnowledge) {
        for (dn, before) in kept.dns {
            var (before, after) = (before, inspect(dn, at: node))
            // Holders of reservations bear the numbers that their nodes have here.
            before.lease = nil
            after.lease = nil
            if before == after { continue }
            return fail(
                "invariantTheRestStays",
                "\(name(node)) held \(name(dn)): \(before), and holds: \(after)")
        }
        for (peer, connection, state) in kept.links {
            let after = link(of: node, to: peer)
            if after.connection == connection, after.state == state { continue }
            return fail(
                "invariantTheRestStays",
                "\(name(node))'s link to \(name(peer)) was \(state.rawValue), and is \(after.state.rawValue)")
        }
    }

    // MARK: What was skipped

    mutating func noteSkipped(_ message: PeerMessage, _ node: NodeIndex, _ peer: NodeIndex) {
        func isUnknown(_ dn: DN) -> Bool {
            topology.directory.index(of: dn).flatMap { place(of: $0, at: node) } == nil
        }
        switch message {
        case .records(let batch):
            // That the DN was yielded to a node of another topology is left out, so what was heard does not add up.
            let owners = batch.yielded.map(\.claim.owner)
            if owners.contains(where: { $0 != .none && !version(of: node).has($0) }) {
                nodes[node.position].streams[peer.position].mayAskAnew = true
            }
            guard batch.owned.contains(where: { isUnknown($0.dn) }) else { return }
            nodes[node.position].skipped.insert(peer.position)
        case .syncBegin(let begin):
            guard begin.isSnapshot else { return }
            nodes[node.position].skipped.remove(peer.position)
            nodes[node.position].mustAsk.remove(peer.position)
            nodes[node.position].hasAsked.remove(peer.position)
        case .hello: nodes[node.position].hasAsked.remove(peer.position)
        case .claims, .syncEnd, .ping, .snapshotRequest, .pong: break
        }
    }

    /// A node has DNs that it had not: those that it hears, and that have said something that it did not know, are asked.
    mutating func noteWhoIsAsked(_ node: NodeIndex) {
        for peer in nodes[node.position].skipped.sorted() {
            guard nodes[node.position].hearing[peer].lineage != nil, !nodes[node.position].hasAsked.contains(peer)
            else { continue }
            nodes[node.position].mustAsk.insert(peer)
        }
    }

    /// Whoever may have skipped something asks for it as soon as there is room.
    mutating func invariantSkippedDNsAreAskedFor(_ node: NodeIndex) {
        for peer in nodes[node.position].mustAsk.sorted() {
            let link = link(of: node, to: NodeIndex(peer))
            guard let id = link.connection.map({ Int($0.rawValue) }), let connection = network.connections[id],
                nodes[node.position].hearing[peer].connection == id
            else {
                nodes[node.position].mustAsk.remove(peer)
                continue
            }
            if connection.inFlight[connection.side(of: node)].count >= plan.connectionCapacity { continue }
            return fail(
                "invariantSkippedDNsAreAskedFor",
                "\(name(node)) does not ask \(name(NodeIndex(peer))) of DNs that it did not know before")
        }
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
            return
                "\(name(NodeIndex(position))) runs generation \(node.generation) of \(controller.desired); \(problems)"
        }
        // What a node has dropped shows when sums are compared next.
        if now < lastChange + longestTimeout { return "a node has just changed" }
        if controller.reconciler.isSettled(controller.desired) { return nil }
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
