import AgentSessions
import ClusterModel
import TargetSelection

/// What the machine has done.
extension Game {
    /// - Parameter new: the call that has just come, for which the machine chooses; otherwise an agent chooses its call.
    mutating func check(_ actions: [RouterAction], new: Shadow.Key? = nil) {
        var cancelled: [DN] = []
        for action in actions {
            switch action {
            case .reserve(let node, let reference, let dn, _, _): reserved(node, reference, dn, new)
            case .cancelReservation(_, let reference, let dn):
                expect(shadow.questions[reference] == nil, "\(reference) is under way")
                cancelled.append(dn)
            case .route(let node, let reference, let connection, let point, let dn, let token):
                let key = Shadow.Key(node: node, connection: connection)
                expect(shadow.questions[reference] == nil, "\(reference) is under way")
                expect(shadow.calls[key]?.agent == dn && token.dn == dn, "\(connection) goes to \(dn)")
                expect(shadow.calls[key]?.request.routingPoint == point, "\(connection) is elsewhere")
                shadow.questions[reference] = Shadow.Question(key: key, dn: dn, isRoute: true, since: now)
            }
        }
        expect(cancelled.sorted() == expectedCancels.sorted(), "took back \(cancelled), not \(expectedCancels)")
        expectedCancels = []
    }

    private mutating func reserved(_ node: NodeIndex, _ reference: UInt32, _ dn: DN, _ new: Shadow.Key?) {
        reservations += 1
        expect(shadow.questions[reference] == nil, "\(reference) is under way")
        expect(connected.contains(node), "\(node) is not heard")
        guard let agent = shadow.agents[dn] else { return expect(false, "\(dn) is nobody") }
        expect(agent.isOffered(now), "\(dn) is not offered")
        // The machine does not say for which call it is: for the first of this node that may have the agent. Calls of other nodes
        // that came earlier, and may have it too, have been passed over.
        let able = shadow.calls.filter { $0.value.agent == nil && shadow.fits($0.value, agent, now) }
            .sorted { $0.value.ticket < $1.value.ticket }
        guard let first = able.first(where: { $0.key.node == node }) else {
            return expect(false, "nobody at \(node) may have \(dn)")
        }
        expect(able.first?.key == first.key, "\(first.key) is served before \(able.map(\.key))")
        if first.key == new { checkChoice(first.value, agent) }
        let (request, location) = (first.value.request, agent.row.location)
        if request.routingPoint == strict, request.location != location { overflows += 1 }
        shadow.calls[first.key]?.agent = dn
        shadow.agents[dn]?.isTaken = true
        shadow.agents[dn]?.restsUntil = nil
        shadow.questions[reference] = Shadow.Question(key: first.key, dn: dn, isRoute: false, since: now)
    }

    /// The strategy's choice of all that the call may have.
    private mutating func checkChoice(_ call: Shadow.Call, _ agent: Shadow.Agent) {
        guard let point = points.first(where: { $0.dn == call.request.routingPoint }) else { return }
        var able = shadow.agents.values.filter { $0.isOffered(now) && shadow.fits(call, $0, now) }
        let isHere = { (agent: Shadow.Agent) in agent.row.location == call.request.location }
        if point.prefersSameLocation, able.contains(where: isHere) { able.removeAll { !isHere($0) } }
        expect(able.contains { $0.row.dn == agent.row.dn }, "\(agent.row.dn) is not near")
        guard point.strategy == .longestIdle else { return }
        expect(able.allSatisfy { $0.row.since >= agent.row.since }, "somebody was free before \(agent.row.dn)")
    }

    /// After every event.
    mutating func settle() {
        for call in shadow.calls.values where call.agent == nil {
            for agent in shadow.agents.values where agent.isOffered(now) && shadow.fits(call, agent, now) {
                expect(false, "\(call.request.connection) waits while \(agent.row.dn) is free")
            }
        }
        let machine = machine.machine
        expect(machine.callCount == shadow.calls.count && machine.callCount <= 16, "\(machine.callCount) calls")
        expect(machine.waitingCount == shadow.calls.values.count { $0.agent == nil }, "\(machine.waitingCount) wait")
        expect(machine.offeredCount == shadow.agents.values.count { $0.isOffered(now) }, "offered")
        expect(machine.agentCount == shadow.agents.count, "agents")
        let busy = shadow.questions.values.map(\.dn)
        expect(Set(busy).count == busy.count, "an agent is asked twice")
        expect(Set(shadow.questions.values.map(\.key)).count == busy.count, "two agents are asked for a call")
    }
}
