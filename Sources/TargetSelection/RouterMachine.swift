package import AgentSessions
package import ClusterModel

/// What a router decides: which agent gets which call.
///
/// The nodes tell of calls at routing points, a Stat Server of agents. For each call the router chooses an agent by the
/// strategy of the routing point, reserves it through the node that has the call, and has the call sent there with the proof
/// of that. Calls that find nobody wait; an agent who becomes free gets the most urgent one of those that he is good enough for.
///
/// A call has at most one agent reserved, an agent is reserved for at most one call, and after every event no call waits
/// while an agent is offered that it may have.
package struct RouterMachine: Sendable {
    package struct Setup: Sendable {
        package var routingPoints: [RoutingPoint]
        /// For draws between agents.
        package var seed: UInt64
        /// Calls that are known at a time. A request beyond is not answered: the node's own timeout takes care of the call.
        package var maximumCalls = 262_144
        package var maximumAgents = 1_000_000
        /// Of reservations: the greater goes first.
        package var priority: Int32 = 0
        /// How long a node has time to answer: nanoseconds. It gives up its own questions to other nodes earlier.
        package var answerTimeout: UInt64 = 3_000_000_000
        /// How long an agent is not offered after a choice or a refusal, unless news of it come: nanoseconds.
        package var restTime: UInt64 = 2_000_000_000
        /// How much longer than the routing point's timeout a call is remembered of which nothing is heard: nanoseconds.
        package var patience: UInt64 = 5_000_000_000
        /// How often the node may refuse to send a call somewhere until the router leaves it alone.
        package var maximumRefusedRoutes = 4
        /// How long a call waits until it is as urgent as one of a priority greater by one: nanoseconds. Zero for never.
        package var ageing: UInt64 = 30_000_000_000
        /// How many calls' positions are told at a time; zero for none at all.
        package var positionsAtATime = 4096
        /// Requests are numbered from the next number on.
        package var lastReference: UInt32 = 0

        package init(routingPoints: [RoutingPoint], seed: UInt64) {
            self.routingPoints = routingPoints
            self.seed = seed
        }
    }

    /// What is to be done, in this order. Whoever does it empties the list.
    package var actions: [RouterAction] = []
    private(set) var setup: Setup
    var index: AgentIndex
    var calls: CallTable
    let points: [DN: RoutingPoint]
    private var connected: Set<NodeIndex> = []
    /// Requests that came when as many calls were known as may be.
    package private(set) var droppedRequests: UInt64 = 0
    /// Calls that came to a routing point where as many waited as may.
    package internal(set) var turnedAway: UInt64 = 0

    package init(_ setup: Setup) {
        self.setup = setup
        points = Dictionary(setup.routingPoints.map { ($0.dn, $0) }) { first, _ in first }
        index = AgentIndex(
            classes: setup.routingPoints.map(\.targetClass), limit: setup.maximumAgents, seed: setup.seed)
        calls = CallTable(
            limit: setup.maximumCalls, targetCount: index.rankings.count, lastReference: setup.lastReference)
        calls.positions.atATime = setup.positionsAtATime
    }

    /// Calls that wait for an agent.
    /// Other times and bounds count from now on; the routing points are the same.
    package mutating func replace(ageing: UInt64, positionsAtATime: Int) {
        setup.ageing = ageing
        setup.positionsAtATime = positionsAtATime
        calls.positions.atATime = positionsAtATime
    }

    package var waitingCount: Int { calls.waitingCount }
    /// Calls that wait, or are on their way to an agent.
    package var callCount: Int { calls.count }
    package var agentCount: Int { index.count }
    /// Agents who could be given a call now.
    package var offeredCount: Int { index.offeredCount }
    /// Agents who were told of and are not kept, as there are as many as there may be.
    package var droppedAgents: UInt64 { index.dropped }

    /// When `tick` has something to do: monotonic nanoseconds.
    package var nextDeadline: UInt64? {
        guard let first = calls.nextDeadline else { return index.nextDeadline }
        return index.nextDeadline.map { min($0, first) } ?? first
    }

    // MARK: Nodes

    /// The routing points are registered at a node.
    package mutating func nodeConnected(_ node: NodeIndex, now: Instant) {
        nodeLost(node, now: now)
        connected.insert(node)
    }

    /// A node is not heard any more. It has another router route its calls, and its reservations end.
    package mutating func nodeLost(_ node: NodeIndex, now: Instant) {
        guard connected.remove(node) != nil else { return }
        for slot in calls.slots(of: node) {
            // The agent's owner has yet to hear of the loss.
            if let attempt = calls[slot]?.attempt { rest(attempt.dn, now) }
            calls.remove(slot)
        }
    }

    // MARK: Calls

    /// A node wants to know where a call goes, or wants to know it again since somebody did not take it.
    package mutating func routeRequested(_ node: NodeIndex, _ request: RouteRequest, now: Instant) {
        guard connected.contains(node), let point = points[request.routingPoint],
            let target = index.numbers[point.targetClass]
        else { return }
        let key = CallTable.Key(node: node, connection: request.connection)
        var freed: DN?
        if let slot = calls.slot(of: key) {
            if calls[slot]?.request.routingPoint == request.routingPoint {
                return askedAgain(slot, request, point, now)
            }
            freed = end(slot, now)
        }
        guard !calls.isFull else {
            droppedRequests += 1
            return
        }
        let slot = calls.add(
            request, at: node, target: target, near: index.location(named: request.location),
            arrival: Urgency.arrival(
                age: calls.age(of: request, at: node, now), priority: request.priority, ageing: setup.ageing, now: now),
            overflow: point.prefersSameLocation ? now.monotonic + point.overflow.nanoseconds : 0,
            end: memory(of: point, now), now: now)
        guard let freed else { return seek(slot, now) }
        // It may be more urgent now than those that have waited.
        calls.lineUp(slot)
        if nextCall(for: freed) != slot { serve(freed, now) }
        seek(slot, now)
        serve(freed, now)
    }

    /// The call keeps its place in the line, and the agent who is being reserved unless that one has been tried.
    private mutating func askedAgain(_ slot: Int, _ request: RouteRequest, _ point: RoutingPoint, _ now: Instant) {
        calls.replace(
            slot, with: request, near: index.location(named: request.location), end: memory(of: point, now))
        if let attempt = calls[slot]?.attempt {
            guard request.tried.contains(attempt.dn) else { return }
            giveUp(slot, now)
        }
        seek(slot, now)
    }

    private func memory(of point: RoutingPoint, _ now: Instant) -> UInt64 {
        now.monotonic + point.timeout.nanoseconds + setup.patience
    }

    /// Nobody wants a target for a call any more: the caller has given up, or somebody else has routed it.
    package mutating func routeEnded(_ node: NodeIndex, _ connection: CallConnection, now: Instant) {
        guard let slot = calls.slot(of: CallTable.Key(node: node, connection: connection)) else { return }
        if let freed = end(slot, now) { serve(freed, now) }
    }

    /// - Returns: the agent who is free again.
    private mutating func end(_ slot: Int, _ now: Instant) -> DN? {
        guard let call = calls[slot] else { return nil }
        calls.remove(slot)
        guard let attempt = call.attempt else { return nil }
        cancel(attempt.dn, at: call.node)
        if attempt.isRouting {
            rest(attempt.dn, now)
            return nil
        }
        index.release(attempt.dn)
        return attempt.dn
    }

    // MARK: Answers of nodes

    /// An agent is reserved.
    package mutating func reserved(_ node: NodeIndex, _ reference: UInt32, _ reservation: Reservation, now: Instant) {
        guard let slot = calls.slot(of: reference, at: node), let call = calls[slot], let attempt = call.attempt,
            !attempt.isRouting
        else { return }  // Taken back before.
        let route = calls.newReference()
        calls.attempt(
            slot,
            CallTable.Attempt(
                reference: route, dn: attempt.dn, isRouting: true, deadline: now.monotonic + setup.answerTimeout))
        actions.append(
            .route(
                node: node, reference: route, connection: call.request.connection,
                routingPoint: call.request.routingPoint, token: reservation.token))
    }

    /// An agent could not be reserved.
    package mutating func reservationRefused(
        _ node: NodeIndex, _ reference: UInt32, _ failure: ReservationFailure, now: Instant
    ) {
        guard let slot = calls.slot(of: reference, at: node), let attempt = calls[slot]?.attempt, !attempt.isRouting
        else { return }
        calls.endAttempt(slot)
        switch failure {
        case .refused:
            rest(attempt.dn, now)
            seek(slot, now)
        case .unreachable:
            index.keep(attempt.dn, fromCallsOf: node, until: now.monotonic + setup.restTime)
            seek(slot, now)
            serve(attempt.dn, now)
        }
    }

    /// A call is on its way to its agent. If nobody answers there, the node asks again.
    package mutating func routed(_ node: NodeIndex, _ reference: UInt32, now: Instant) {
        guard let slot = calls.slot(of: reference, at: node), let attempt = calls[slot]?.attempt, attempt.isRouting
        else { return }
        calls.remove(slot)
        rest(attempt.dn, now)
    }

    /// A call was not sent to its agent.
    package mutating func routeRefused(_ node: NodeIndex, _ reference: UInt32, now: Instant) {
        guard let slot = calls.slot(of: reference, at: node), let attempt = calls[slot]?.attempt, attempt.isRouting
        else { return }
        giveUp(slot, now)
        guard calls.routeRefused(slot) < setup.maximumRefusedRoutes else { return calls.remove(slot) }
        seek(slot, now)
    }
}
