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
            case .route(let node, let reference, let connection, let point, let token):
                let key = Shadow.Key(node: node, connection: connection)
                expect(shadow.questions[reference] == nil, "\(reference) is under way")
                expect(shadow.calls[key]?.request.routingPoint == point, "\(connection) is elsewhere")
                guard let token else {
                    wasTurnedAway(key)
                    continue
                }
                expect(shadow.calls[key]?.agent == token.dn, "\(connection) goes to \(token.dn)")
                shadow.questions[reference] = Shadow.Question(key: key, dn: token.dn, isRoute: true, since: now)
            case .tellPosition(let node, let reference, let connection, let position, let waiting):
                expect(shadow.questions[reference] == nil, "\(reference) is under way")
                told(Shadow.Key(node: node, connection: connection), position, of: waiting)
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
            .sorted { $0.value.order.lexicographicallyPrecedes($1.value.order) }
        guard let first = able.first(where: { $0.key.node == node }) else {
            return expect(false, "nobody at \(node) may have \(dn)")
        }
        expect(able.first?.key == first.key, "\(first.key) is served before \(able.map(\.key))")
        if first.key == new { checkChoice(first.value, agent) }
        let (request, location) = (first.value.request, agent.row.location)
        if request.routingPoint == strict, request.location != location { overflows += 1 }
        if request.routingPoint == bilingual { skilled += 1 }
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
        // The lesser goes first.
        func rank(_ agent: Shadow.Agent) -> [Int] {
            let (profile, since) = (agent.row.profile, Int(agent.row.since))
            return switch point.strategy {
            case .longestIdle: [since]
            case .skill: [-point.skills.map { Int(profile.level(of: $0.name)) }.reduce(0, +), since]
            case .priority: [-Int(profile.priority), since]
            case .roundRobin, .random: []
            }
        }
        expect(
            able.allSatisfy { !rank($0).lexicographicallyPrecedes(rank(agent)) },
            "somebody goes before \(agent.row.dn)")
    }

    /// A call for which there was nobody and no room.
    private mutating func wasTurnedAway(_ key: Shadow.Key) {
        guard let call = shadow.calls[key], let point = shadow.point(of: call) else {
            return expect(false, "\(key) is no call")
        }
        turnedAway += 1
        expect(call.agent == nil && !call.hasPlace, "\(key) had a place")
        let others = shadow.calls.filter {
            $0.key != key && $0.value.request.routingPoint == point.dn && ($0.value.hasPlace || $0.value.agent == nil)
        }
        expect(others.count >= point.maximumWaiting, "there was room for \(key)")
        let isFree = shadow.agents.values.contains { $0.isOffered(now) && shadow.fits(call, $0, now) }
        expect(!isFree, "there was somebody for \(key)")
        shadow.end(key)
    }

    private mutating func told(_ key: Shadow.Key, _ position: Int, of waiting: Int) {
        positions += 1
        guard let call = shadow.calls[key] else { return expect(false, "\(key) is no call") }
        let line = shadow.waiting(at: call.request.routingPoint)
        expect(line.count == waiting && line.firstIndex(of: key) == position - 1, "\(key) is not at \(position)")
        expect(call.toldPosition != position, "\(key) was told before")
        expect(
            call.toldAt.map { $0.monotonic + 10_000_000_000 <= now.monotonic } ?? true, "\(key) was told just now")
        shadow.calls[key]?.toldPosition = position
        shadow.calls[key]?.toldAt = now
    }

    /// After time has passed: whoever waits has been told where, and not too long ago.
    mutating func checkPositions() {
        for point in points {
            for (offset, key) in shadow.waiting(at: point.dn).enumerated() {
                guard let call = shadow.calls[key], call.toldPosition != offset + 1, let since = call.waitsSince else {
                    continue
                }
                let due = call.toldAt.map { $0.monotonic + 10_000_000_000 } ?? since.monotonic
                expect(due + 1_050_000_000 > now.monotonic, "\(key) does not know that it is at \(offset + 1)")
            }
        }
    }

    mutating func noteWhoWaits() {
        for key in shadow.calls.keys {
            guard var call = shadow.calls[key] else { continue }
            if call.agent == nil { call.hasPlace = true }
            call.waitsSince = call.agent == nil ? call.waitsSince ?? now : nil
            shadow.calls[key] = call
        }
    }

    /// After every event.
    mutating func settle() {
        for call in shadow.calls.values where call.agent == nil {
            for agent in shadow.agents.values where agent.isOffered(now) && shadow.fits(call, agent, now) {
                expect(false, "\(call.request.connection) waits while \(agent.row.dn) is free")
            }
        }
        noteWhoWaits()
        for point in points {
            let count = shadow.calls.values.count { $0.request.routingPoint == point.dn && $0.hasPlace }
            expect(count <= point.maximumWaiting, "\(count) wait at \(point.dn)")
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
