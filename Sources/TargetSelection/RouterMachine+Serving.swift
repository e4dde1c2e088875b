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
        if let choice = index.choose(point.strategy, reach, excluding: call.request.tried) {
            reserve(choice.dn, choice.agent, for: slot, now)
        } else {
            calls.wait(slot)
        }
    }

    func reach(at point: RoutingPoint, near location: LocationIndex, isNearOnly: Bool) -> AgentIndex.Reach {
        guard point.prefersSameLocation else { return .anywhere }
        return isNearOnly ? .near(location) : .nearFirst(location)
    }

    /// An agent is free, perhaps: the call that has waited for longest of those that may have it gets it.
    mutating func serve(_ dn: DN, _ now: Instant) {
        guard index.isOffered(dn), let location = index.location(of: dn), let agent = index.row(of: dn)?.agent,
            let slot = calls.longestWaiting(for: dn, at: location)
        else { return }
        reserve(dn, agent, for: slot, now)
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

    /// Does what is due. Of calls that may have other agents from now on those that came first choose first.
    package mutating func tick(now: Instant) {
        var seeking: [Int] = []
        while let slot = calls.due(now: now) {
            giveUp(slot, now)
            guard let call = calls[slot], call.end > now.monotonic else {
                calls.remove(slot)
                continue
            }
            seeking.append(slot)
        }
        for slot in calls.sorted(seeking) { seek(slot, now) }
        while let dn = index.rested(now: now) { serve(dn, now) }
    }
}
