import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts

// What must hold of agents and their reservations.
extension ClusterSimulation {
    /// After every event.
    mutating func checkAgent(_ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen) {
        invariantReservationsAreTrue(node, dn, record)
        guard record.session != seen.session else { return }
        invariantSessionsWereMade(node, dn, record, seen)
        nodes[node.position].seen[dn.position].session = record.session
    }

    /// 8. What is reserved is owned here, and its agent could take a call but for one that has come; every node is told of it.
    private mutating func invariantReservationsAreTrue(_ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection) {
        let isShown = record.owner == node && record.occupancy.contains(.reserved)
        if let lease = record.lease {
            let isTrue =
                record.owner == node && record.stamp == lease.token.claim && record.service.isInService
                && record.session?.state == .ready
            if isTrue, isShown { return }
        } else if !isShown {
            return
        }
        fail(
            "invariantReservationsAreTrue",
            "\(name(dn)) at \(name(node)): \(words(record)), \(record.lease.map { "\($0)" } ?? "not reserved")")
    }

    /// 4. Every session that a node holds was made by an owner of the DN, and none is followed by a lesser one.
    private mutating func invariantSessionsWereMade(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen
    ) {
        if let former = seen.session, record.session.map({ $0 < former }) ?? true {
            fail(
                "invariantSessionsWereMade",
                "\(name(dn)) at \(name(node)): \(record.session.map { "\($0)" } ?? "nobody") after \(former)")
        }
        guard let session = record.session else { return }
        if record.owner == node { sessionsMade.insert(session.digest) }
        if sessionsMade.contains(session.digest) { return }
        fail("invariantSessionsWereMade", "\(name(dn)) at \(name(node)): nobody has made \(session)")
    }

    // MARK: At rest

    mutating func checkAgentsAtRest() {
        for position in 0..<topology.directory.count { invariantReservationsEnd(DNIndex(position)) }
        invariantAgentsAreAtOnePlace()
        invariantAgentCountsAreTrue()
        if let call = redemptions.first(where: {
            nodes[$0.value.node.position].isUp && nodes[$0.value.node.position].life == $0.value.life
        }) {
            fail("invariantRequestsAreAnswered", "nobody has told what became of call \(call.key)")
        }
        redemptions = [:]
    }

    /// 8. Nothing is stuck: who has a reservation is there, and can be heard.
    private mutating func invariantReservationsEnd(_ dn: DNIndex) {
        for node in present {
            guard let lease = inspect(dn, at: NodeIndex(node)).lease else { continue }
            let holder = whole(lease.holder.node, at: NodeIndex(node)).position
            let isThere = nodes[holder].clients.contains { $0.id?.rawValue == lease.holder.client }
            let isHeard = holder == node || link(of: NodeIndex(node), to: NodeIndex(holder)).state == .live
            if lease.awaitsCall || isThere && isHeard, lease.deadline > now { continue }
            fail("invariantReservationsEnd", "\(name(dn)) at \(name(NodeIndex(node))): \(lease)")
        }
    }

    /// What a node counts as things happen is what there is.
    private mutating func invariantAgentCountsAreTrue() {
        let nobody = View(service: .neverRegistered, owner: .none, stamp: .zero)
        for node in present {
            var counted = AgentCounts()
            for position in 0..<cores[node].topology.directory.count {
                let view = cores[node].ownership.view(of: DNIndex(position))
                counted.viewChanged(from: nobody, to: view, at: cores[node].me)
            }
            if counted == cores[node].agentCounts { continue }
            fail(
                "invariantAgentCountsAreTrue",
                "\(name(NodeIndex(node))) counts \(cores[node].agentCounts), and there are \(counted)")
        }
    }

    /// 1. An agent is logged in on one DN, among nodes that hear each other.
    private mutating func invariantAgentsAreAtOnePlace() {
        var places: [AgentID: [(dn: DNIndex, owner: Int)]] = [:]
        for position in 0..<topology.directory.count {
            let dn = DNIndex(position)
            for node in present {
                let record = inspect(dn, at: NodeIndex(node))
                guard record.owner.position == node, let session = record.session, session.isLoggedIn else { continue }
                for other in places[session.agent] ?? [] {
                    let isHeard =
                        other.owner == node || link(of: NodeIndex(node), to: NodeIndex(other.owner)).state == .live
                    guard isHeard, other.dn != dn else { continue }
                    fail(
                        "invariantAgentsAreAtOnePlace",
                        "\(session.agent) is logged in on \(name(dn)) and \(name(other.dn))")
                }
                places[session.agent, default: []].append((dn, node))
            }
        }
    }
}
