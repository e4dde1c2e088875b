import AgentSessions
import CallControl
import ClusterModel
import NodeCore
import SIPCore
import Statistics
import TLibraryPorts
import TargetSelection

/// What was seen of a call that nobody has taken.
struct SeenCall: Equatable, Sendable {
    var ringing: DN?
    /// When it was seen first.
    var since: UInt64
}

// What must hold of calls after every event.
extension ClusterSimulation {
    mutating func checkCalls(_ node: NodeIndex) {
        let counts = cores[node.position].inspectHeldCalls()
        invariantHeldCallsAreCounted(node, counts)
        if counts.controlled > 0 || !heldCalls[node.position].isEmpty { checkHeldCalls(node) }
        if counts.calls > 1 { invariantAgentsHaveOneRoutedCall(node) }
    }

    /// 9. Who holds an INVITE knows what becomes of it, and the other way round.
    private mutating func invariantHeldCallsAreCounted(_ node: NodeIndex, _ counts: HeldInspection) {
        let isRight =
            counts.held == counts.controlled && counts.named == counts.held && counts.controlled <= callers.count
            && counts.redeeming <= plan.requestsPerPeer * nodes.count + callers.count
        if isRight { return }
        fail("invariantHeldCallsAreCounted", "\(name(node)): \(counts)")
    }

    private mutating func checkHeldCalls(_ node: NodeIndex) {
        var seen: [CallConnection: SeenCall] = [:]
        for call in cores[node.position].inspectRoutedCalls() {
            let former = heldCalls[node.position][call.connection]
            var present = SeenCall(since: former?.since ?? now)
            invariantQuestionsAreOpen(node, call)
            if case .ringing(let dn) = call.state {
                present.ringing = dn
                if former?.ringing != dn { rung(dn, call, node) }
            }
            seen[call.connection] = present
        }
        heldCalls[node.position] = seen
    }

    private mutating func rung(_ dn: DN, _ call: CallControl.Summary, _ node: NodeIndex) {
        count(call.isRouted ? .callRouted : .callDefaulted)
        say("\(name(node)) rings \(dn) for \(call.connection)\(call.isRouted ? "" : ", which nobody has routed")")
        if call.isRouted { routedCalls[call.connection, default: []].insert(dn) }
        invariantOnlyServedPhonesAreRung(node, dn, call)
    }

    /// A call that waits for a router's word waits for one that is there.
    private mutating func invariantQuestionsAreOpen(_ node: NodeIndex, _ call: CallControl.Summary) {
        guard let asked = call.asked?.rawValue else { return }
        if nodes[node.position].clients[SimulatedClient.router].id?.rawValue == asked { return }
        // Its connection has ended, and the node has yet to hear so.
        if departed.contains(asked) { return }
        fail("invariantQuestionsAreOpen", "\(name(node)) asks a router that has gone about \(call.connection)")
    }

    /// 2. Nobody is rung who is out of service in the view of the node that has the call.
    private mutating func invariantOnlyServedPhonesAreRung(
        _ node: NodeIndex, _ name: DN, _ call: CallControl.Summary
    ) {
        guard let dn = topology.directory.index(of: name) else { return }
        let record = inspect(dn, at: node)
        // In one turn a phone may be rung, and then go out of service.
        if record.view.isInService || nodes[node.position].seen[dn.position].serviceEndedAt == now { return }
        fail(
            "invariantOnlyServedPhonesAreRung",
            "\(self.name(node)) rings \(name) for \(call.connection), and holds: \(words(record))")
    }

    /// 8. An owner lets in one call at a time by tokens of one claim. (Each side of a cut may give an agent one call: these are two
    /// claims, or two owners.)
    private mutating func invariantAgentsHaveOneRoutedCall(_ node: NodeIndex) {
        struct Place: Hashable {
            let dn: DNIndex
            let claim: Stamp
            let lineage: Incarnation
        }
        var calls: [Place: CallConnection] = [:]
        for call in cores[node.position].inspectCalls() {
            guard call.parties.isCalleeNear, let dn = call.parties.callee, call.parties.routingPoint != nil else {
                continue
            }
            let name = topology.directory.dn(at: dn)
            guard !wasTakenLate(call, at: dn) else { continue }
            guard routedCalls[call.connection]?.contains(name) == true,
                let token = tokensOfCalls[call.connection]?.last(where: { $0.dn == name })
            else { continue }
            let place = Place(dn: dn, claim: token.claim, lineage: token.lineage)
            guard let other = calls.updateValue(call.connection, forKey: place) else { continue }
            fail(
                "invariantAgentsHaveOneRoutedCall",
                "\(self.name(node)) has let \(other) and \(call.connection) in to \(self.name(dn))")
        }
    }

    /// The phone has taken the call just when it was taken back, and its agent may have been given another one meanwhile.
    private func wasTakenLate(_ call: Call, at dn: DNIndex) -> Bool {
        guard phones.indices.contains(dn.position) else { return false }
        return phones[dn.position].legs.contains { leg in
            guard case .answersLate = leg.manner else { return false }
            return leg.since > 0 && Array(leg.call.utf8) == call.callID
        }
    }

    // MARK: Stat Servers

    /// A Stat Server that hears no node knows nothing of any agent.
    mutating func invariantLostFeedsShowNothing(_ router: Int) {
        for position in 0..<topology.directory.count {
            let dn = topology.directory.dn(at: DNIndex(position))
            guard let row = routers[router].board.row(of: dn), row.status != .unknown else { continue }
            fail(
                "invariantLostFeedsShowNothing",
                "the Stat Server of \(topology.dataCenters[routers[router].dataCenter].name) shows \(dn) \(row.status.word)"
            )
        }
    }

    /// 7. A Stat Server that has been told everything shows as many calls at each routing point as there are, and of all that came it can say
    /// what has become, or that it does not know.
    mutating func invariantStatServersKnowTheCalls(_ node: NodeIndex) {
        guard let router = router(of: node),
            nodes[node.position].clients[SimulatedClient.statistics].subscriber.isComplete
        else { return }
        let control = cores[node.position].control
        for (position, figures) in routers[router].points.figures(now: outside).enumerated() {
            let tally = figures.tally
            let isWhole = tally.arrived == figures.waiting + tally.ended + tally.unknown
            if isWhole, figures.waiting == control.counters[position].present { continue }
            fail(
                "invariantStatServersKnowTheCalls",
                "\(control.counters[position].present) calls are at \(figures.point) of \(name(node)), and shown are \(figures)"
            )
        }
    }

    /// 7. A Stat Server that has been told everything shows every agent as its node does.
    mutating func invariantStatServersKnowTheAgents(_ node: NodeIndex) {
        guard let router = router(of: node),
            nodes[node.position].clients[SimulatedClient.statistics].subscriber.isComplete
        else { return }
        for position in 0..<topology.directory.count {
            let view = view(of: DNIndex(position), at: node)
            let row = routers[router].board.row(of: topology.directory.dn(at: DNIndex(position)))
            let isRight = row.map { $0.status == AgentStatus(of: view) } ?? (view.agent?.isLoggedIn != true)
            if isRight { continue }
            fail(
                "invariantStatServersKnowTheAgents",
                "\(name(DNIndex(position))) is \(AgentStatus(of: view).word) at \(name(node)), and shown"
                    + " \(row?.status.word ?? "not at all")")
        }
    }
}
