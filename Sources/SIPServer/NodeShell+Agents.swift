import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import Orchestration
import Transport

// The agents that an operator asks for.
extension NodeShell {
    /// Reservations that are looked at for a list.
    private static let maximumReservations = 65_536

    /// Those on the DNs that this node owns, and on those whose owner it does not hear.
    func agentList(_ filter: AgentFilter, request: UInt64) -> AgentList {
        var list = AgentList()
        list.request = request
        var dn: DNIndex?
        if !filter.dn.isEmpty {
            dn = core.index(of: filter.dn)
            // A name that this topology does not have fits nothing.
            guard dn != nil else { return list }
        }
        // Taken out of the shell once: reached through it for every DN, all of its tables would be retained every time.
        let ownership = core.ownership
        let summaries = core.desk.summaries(limit: Self.maximumReservations, now: loop.now)
        let reservations = Dictionary(summaries.map { ($0.dn, $0) }, uniquingKeysWith: { first, _ in first })
        for candidate in dn.map({ [$0] }) ?? ownership.dnsWithAgent() {
            let view = ownership.view(of: candidate)
            guard view.owner == me || view.owner == .none || view.service == .ownerUnreachable,
                let session = view.agent, let activity = AgentActivity(of: view)
            else { continue }
            let entry = entry(candidate, view, session, activity, reservations[candidate])
            guard filter.agent.isEmpty || entry.agent == filter.agent,
                filter.node.isEmpty || entry.owner == filter.node,
                entry.isIn(filter.state)
            else { continue }
            guard list.entries.count < Int(filter.limit) else {
                list.hasMore = true
                break
            }
            list.entries.append(entry)
        }
        return list
    }

    /// The agent of a DN as this node knows it; nil for none.
    func agentEntry(_ dn: DNIndex) -> AgentEntry? {
        let view = core.ownership.view(of: dn)
        guard let session = view.agent, let activity = AgentActivity(of: view) else { return nil }
        let reservation = core.desk.lease(of: dn).map {
            ReservationDesk.Summary(dn: dn, $0, now: loop.now)
        }
        return entry(dn, view, session, activity, reservation)
    }

    private func entry(
        _ dn: DNIndex, _ view: View, _ session: AgentSession, _ activity: AgentActivity,
        _ reservation: ReservationDesk.Summary?
    ) -> AgentEntry {
        var entry = AgentEntry()
        entry.agent = session.agent.text
        entry.dn = "\(topology.directory.dn(at: dn))"
        entry.state = activity.rawValue
        entry.workMode = session.workMode.word
        entry.reasons = session.reasons.list
        entry.since = session.stamp.milliseconds
        entry.login = session.login.milliseconds
        entry.service = view.service
        entry.isAvailable = Availability(of: view).isAvailable
        entry.isOwnersWord = view.owner == me
        entry.profile = session.profile
        if view.owner != .none {
            entry.owner = topology.name(of: view.owner)
            entry.site = topology.dataCenters[topology.nodes[view.owner.position].dataCenter].location
        }
        if view.owner == me, let reservation {
            entry.reservation = AgentEntry.Reservation(
                node: topology.name(of: reservation.holder.node), client: reservation.holder.client,
                priority: reservation.priority, millisecondsLeft: reservation.millisecondsLeft)
        }
        return entry
    }
}
