package import AgentSessions
package import ClusterModel

extension RouterMachine {
    // MARK: Agents

    /// The Stat Server tells how an agent is.
    package mutating func agentTold(_ row: AgentRow, now: Instant) {
        if index.told(row) { serve(row.dn, now) }
    }

    /// The Stat Server tells of all agents from the beginning. Until it has, what was known of them counts.
    package mutating func snapshotBegan() { index.snapshotBegan() }

    /// Agents whom the Stat Server did not tell of again are no more.
    package mutating func snapshotEnded() { index.snapshotEnded() }

    // MARK: Choices

    /// Finds an agent for a call that has none; otherwise it waits.
    mutating func seek(_ slot: Int, _ now: Instant) {
        guard let call = calls[slot], let point = points[call.request.routingPoint] else { return }
        let isNearOnly = now.monotonic < call.overflow
        if !isNearOnly { calls.overflowed(slot) }
        let reach = reach(at: point, near: call.location, isNearOnly: isNearOnly)
        if let choice = index.choose(call.target, reach, for: call.node, excluding: call.request.tried) {
            reserve(choice.dn, choice.agent, for: slot, now)
        } else if !calls.wait(slot, atMost: point.maximumWaiting) {
            turnAway(slot)
        }
    }

    /// Too many wait already: the node sends the call where calls go whose time is up.
    private mutating func turnAway(_ slot: Int) {
        guard let call = calls[slot] else { return }
        turnedAway += 1
        calls.remove(slot)
        actions.append(
            .route(
                node: call.node, reference: calls.newReference(), connection: call.request.connection,
                routingPoint: call.request.routingPoint, token: nil))
    }

    func reach(at point: RoutingPoint, near location: LocationIndex, isNearOnly: Bool) -> AgentIndex.Reach {
        guard point.prefersSameLocation else { return .anywhere }
        return isNearOnly ? .near(location) : .nearFirst(location)
    }

    /// An agent is free, perhaps: the most urgent of the calls that wait and may have it gets it.
    mutating func serve(_ dn: DN, _ now: Instant) {
        guard let slot = nextCall(for: dn), let agent = index.record(of: dn)?.agent else { return }
        reserve(dn, agent, for: slot, now)
    }

    func nextCall(for dn: DN) -> Int? {
        guard let record = index.record(of: dn), record.isOffered else { return nil }
        return calls.mostUrgent(
            for: dn, at: record.location, of: record.memberships.map(\.ranking), notOf: record.shunned)
    }

    private mutating func reserve(_ dn: DN, _ agent: AgentID, for slot: Int, _ now: Instant) {
        guard let call = calls[slot] else { return }
        index.take(dn)
        let reference = calls.newReference()
        calls.attempt(
            slot, CallTable.Attempt(reference: reference, dn: dn, deadline: now.monotonic + setup.answerTimeout))
        actions.append(
            .reserve(node: call.node, reference: reference, dn: dn, agent: agent, priority: setup.priority))
    }

    /// What was asked for a call is taken back, whether or not it has been granted. A later answer finds nothing.
    mutating func giveUp(_ slot: Int, _ now: Instant) {
        guard let call = calls[slot], let attempt = call.attempt else { return }
        calls.endAttempt(slot)
        cancel(attempt.dn, at: call.node)
        rest(attempt.dn, now)
    }

    /// A node does for its clients one after the other what they ask, so nothing that is asked for the agent later is cancelled.
    mutating func cancel(_ dn: DN, at node: NodeIndex) {
        actions.append(.cancelReservation(node: node, reference: calls.newReference(), dn: dn))
    }

    mutating func rest(_ dn: DN, _ now: Instant) { index.rest(dn, until: now.monotonic + setup.restTime) }

    // MARK: Time

    /// Does what is due: first it is found out who may have whom from now on, then agents choose calls and calls choose agents, the
    /// most urgent ones first.
    package mutating func tick(now: Instant) {
        var rested: [DN] = []
        while let dn = index.rested(now: now) { rested.append(dn) }
        var seeking: [Int] = []
        while let slot = calls.due(now: now) {
            giveUp(slot, now)
            guard let call = calls[slot], call.end > now.monotonic else {
                calls.remove(slot)
                continue
            }
            if now.monotonic >= call.overflow { calls.overflowed(slot) }
            calls.lineUp(slot)
            seeking.append(slot)
        }
        for dn in rested { serve(dn, now) }
        for slot in calls.sorted(seeking) where calls[slot]?.attempt == nil { seek(slot, now) }
        tellPositions(now)
    }
}
