import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import TargetSelection

// What must hold of calls once nothing is on its way, and in the end.
extension ClusterSimulation {
    /// What of calls keeps the cluster from being at rest.
    func whatIsUnfinishedOfCalls() -> String? {
        if packetsUnderWay > 0 { return "\(packetsUnderWay) datagrams are on their way" }
        for (number, router) in routers.enumerated() {
            if router.isNewsPlanned { return "router \(number) has not heard everything" }
            if router.machine.callCount > router.machine.waitingCount { return "router \(number) waits for an answer" }
        }
        for node in nodes.indices where nodes[node].clients.contains(where: { !$0.router.outgoing.isEmpty }) {
            return "\(name(NodeIndex(node))) is being asked something"
        }
        return nil
    }

    mutating func checkCallsAtRest() {
        guard plan.calls != nil else { return }
        for position in 0..<topology.directory.count { invariantOwnersKnowTheCalls(DNIndex(position)) }
        invariantCallersAreNotForgotten()
        for caller in callers.indices { invariantTalkersAreKnown(caller) }
        invariantWaitingCallsGetAgents()
    }

    // MARK: Who has which calls

    /// 1. A DN's owner knows the calls that nodes are near which it hears, and no others: of those it hears no more it forgets what
    /// they have said in time. The DN is busy exactly while there is such a call, or its phone has said so.
    private mutating func invariantOwnersKnowTheCalls(_ dn: DNIndex) {
        for owner in nodes.indices where inspect(dn, at: NodeIndex(owner)).owner.position == owner {
            let record = inspect(dn, at: NodeIndex(owner))
            let (said, isSaidBusy) = cores[owner].inspectWitnesses(of: dn)
            var known = nearCalls(of: dn, at: NodeIndex(owner)).map(\.connection)
            for peer in nodes.indices where peer != owner {
                let word = said.first { $0.node.position == peer }
                known += word?.calls.map(\.connection) ?? []
                guard link(of: NodeIndex(owner), to: NodeIndex(peer)).state == .live else {
                    if word?.isProvisional == false { failOwner(owner, dn, "\(name(NodeIndex(peer))) is not heard") }
                    continue
                }
                let near = nearCalls(of: dn, at: NodeIndex(peer))
                if near.isEmpty, word?.isProvisional != false { continue }
                if word?.isProvisional == false, word.map({ Self.sorted($0.calls) }) == Self.sorted(near) { continue }
                failOwner(
                    owner, dn,
                    "\(name(NodeIndex(peer))) is near \(near.map(words)), and has said \(word?.calls.map(words) ?? [])")
            }
            let shown = record.calls?.calls.map(\.connection) ?? []
            if Set(known).count <= DNCalls.maximumCount, Set(known) != Set(shown) {
                failOwner(owner, dn, "it shows \(shown) and knows \(known)")
            }
            if record.occupancy.contains(.busy) != (!known.isEmpty || isSaidBusy) {
                failOwner(owner, dn, "it knows \(known), and shows \(record.occupancy)")
            }
        }
    }

    private mutating func failOwner(_ owner: Int, _ dn: DNIndex, _ what: String) {
        fail("invariantOwnersKnowTheCalls", "\(name(dn)) at \(name(NodeIndex(owner))): \(what)")
    }

    private static func sorted(_ calls: [DNCall]) -> [DNCall] { calls.sorted { $0.connection < $1.connection } }

    /// A phone that talks to its caller is known to do so by the node that rang it.
    mutating func invariantTalkersAreKnown(_ number: Int) {
        let caller = callers[number]
        guard caller.state == .talking, now < caller.silentFrom, let remote = caller.dialog?.remote,
            nodes[caller.node.position].life == caller.life
        else { return }
        // Of two phones that have answered at once the caller may hear the other one first.
        guard phones.count(where: { $0.legs.contains { $0.call == caller.callID && $0.since > 0 } }) == 1 else {
            return
        }
        for phone in phones.indices where !phones[phone].isGone {
            for leg in phones[phone].legs
            where leg.state == .talking && leg.call == caller.callID && remote.hasSuffix(";tag=\(leg.tag)") {
                guard nodes[leg.node.position].life == leg.life, nodes[leg.node.position].isUp,
                    leg.since + CallPlan.maximumCall.nanoseconds > now + .second
                else { continue }
                let calls = cores[leg.node.position].inspectCalls().filter { $0.callID == Array(leg.call.utf8) }
                let isKnown = calls.contains {
                    $0.state == .established && $0.parties.isCalleeNear && $0.parties.callee == DNIndex(phone)
                }
                if isKnown { continue }
                fail(
                    "invariantTalkersAreKnown",
                    "\(phones[phone].number) talks to caller \(caller.number), and \(name(leg.node)) knows"
                        + " \(calls.map { "\($0.parties), \($0.state)" })")
            }
        }
    }

    // MARK: Who waits

    /// Every caller is answered, refused, sent to a default, or gives up. Who waits is known to the node that said so, and not for
    /// longer than the routing point allows.
    private mutating func invariantCallersAreNotForgotten() {
        guard let plan = plan.calls else { return }
        for caller in callers where caller.state == .calling && caller.isHeard && now < caller.silentFrom {
            guard nodes[caller.node.position].life == caller.life else { continue }
            let call = cores[caller.node.position].inspectCalls().first { $0.callID == Array(caller.callID.utf8) }
            if let call, heldCalls[caller.node.position][call.connection] != nil { continue }
            fail("invariantCallersAreNotForgotten", "caller \(caller.number) waits at \(name(caller.node)) for nobody")
        }
        // It may ring somewhere when its time is up, and then at the default and two alternates.
        let longest =
            (plan.overflows ? 2 : 1) * plan.timeout.nanoseconds + 4 * plan.ringTimeout.nanoseconds + 2 * .second
        for node in nodes.indices {
            for call in cores[node].inspectRoutedCalls() {
                // A process that was stopped does what was due when it goes on.
                let since = max(heldCalls[node][call.connection]?.since ?? now, nodes[node].pausedUntil)
                if now <= since + longest { continue }
                fail(
                    "invariantCallersAreNotForgotten",
                    "\(call.connection) has been at \(name(NodeIndex(node))) too long")
            }
        }
    }

    private struct Waiting: Hashable {
        let node: Int
        let connection: CallConnection
        let dn: DN
    }

    /// No caller waits for long while an agent who fits is free, as all nodes of the router and its Stat Server see it, and the router
    /// is there. (Where a cut keeps one of its nodes from the agent, that node's calls come first and keep the agent from others.)
    private mutating func invariantWaitingCallsGetAgents() {
        // A reservation that is over before its token has come back is worth nothing.
        guard plan.timing.reservation.nanoseconds > 6 * plan.delay.upperBound + 100 * .millisecond else { return }
        let hasWaiting = nodes.indices.contains { node in
            cores[node].inspectRoutedCalls().contains { $0.state == .waiting }
        }
        // What has come to rest just now has yet to be noticed.
        if hasWaiting { run(until: now + 3 * .second) }
        var waiting = waitingCalls()
        // A router leaves an agent alone for two seconds after a choice, and an answer may take three.
        for _ in 0..<16 where !waiting.isEmpty && failure == nil {
            run(until: now + 500 * .millisecond)
            let still = Set(waitingCalls())
            waiting.removeAll { !still.contains($0) }
        }
        guard let first = waiting.first, failure == nil else { return }
        fail(
            "invariantWaitingCallsGetAgents",
            "\(first.connection) waits at \(name(NodeIndex(first.node))), and \(first.dn) is free")
    }

    private mutating func waitingCalls() -> [Waiting] {
        var waiting: [Waiting] = []
        for node in nodes.indices {
            guard let router = router(of: NodeIndex(node)), nodes[node].isUp,
                nodes[node].clients[SimulatedClient.router].router.registered == CallPlan.points.count
            else { continue }
            let seers = routers[router].nodes.map(\.position)
            for call in cores[node].inspectRoutedCalls() where call.state == .waiting {
                // A router leaves a call alone that its node has refused to send anywhere.
                guard routers[router].refusals[call.connection] ?? 0 < 4 else { continue }
                let skills = topology.routingPoints.first { $0.dn == call.routingPoint }?.skills ?? []
                for position in 0..<topology.directory.count {
                    let dn = DNIndex(position)
                    let profile = view(of: dn, at: NodeIndex(node)).agent?.profile ?? .none
                    guard profile.lacks(skills) == nil else { continue }
                    guard !call.tried.contains(topology.directory.dn(at: dn)) else { continue }
                    let isFree = seers.allSatisfy { Availability(of: view(of: dn, at: NodeIndex($0))).isAvailable }
                    guard isFree else { continue }
                    waiting.append(Waiting(node: node, connection: call.connection, dn: topology.directory.dn(at: dn)))
                }
            }
        }
        return waiting
    }

    // MARK: The end

    /// Everybody hangs up, and time passes.
    mutating func endCalls() {
        guard failure == nil, plan.calls?.isToldToTheEnd == true else { return }
        say("all callers hang up")
        count(.callsToldToTheEnd)
        for caller in callers.indices { callerActs(caller) }
        let deadline = now + 180 * .second
        while failure == nil, whatIsLeftOfCalls() != nil, now < deadline { run(until: now + .second) }
        invariantCallsEnd()
        settleDown()
    }

    /// In the end nothing is left of any call.
    private mutating func invariantCallsEnd() {
        guard failure == nil, let left = whatIsLeftOfCalls() else { return }
        fail("invariantCallsEnd", left)
    }

    private mutating func whatIsLeftOfCalls() -> String? {
        for node in nodes.indices {
            let counts = cores[node].inspectHeldCalls()
            if counts.controlled + counts.redeeming + counts.requests + counts.calls > 0 {
                return "\(name(NodeIndex(node))): \(counts)"
            }
            let trunks = (cores[node].inspectTrunkUse() ?? []) + [cores[node].inspectWaitingForPlaces()]
            if trunks.contains(where: { $0 > 0 }) {
                return "\(name(NodeIndex(node))): calls over trunks, or waiting for them: \(trunks)"
            }
            for position in 0..<topology.directory.count {
                let record = inspect(DNIndex(position), at: NodeIndex(node))
                guard record.occupancy.contains(.busy) || record.calls?.calls.isEmpty == false else { continue }
                return "\(name(DNIndex(position))) at \(name(NodeIndex(node))): \(record.occupancy),"
                    + " \(record.calls?.calls.map(words) ?? [])"
            }
        }
        for router in routers.indices where routers[router].machine.callCount > 0 {
            return "router \(router) knows of \(routers[router].machine.callCount) calls"
        }
        return callers.first { $0.state == .calling && $0.isHeard && now < $0.silentFrom && lives($0) }
            .map { "caller \($0.number) waits" }
    }

    /// The node that a caller has called has not died since.
    private func lives(_ caller: SimulatedCaller) -> Bool { nodes[caller.node.position].life == caller.life }
}
