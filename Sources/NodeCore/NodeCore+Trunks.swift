import CallControl
package import ClusterModel
package import DNOwnership
import SIPCore
package import Trunks

// Calls over trunks: those that come from gateways wait for a place, those to telephones for a place and a gateway.
extension NodeCore {
    static func trunkSetup(_ setup: NodeSetup) -> TrunkDesk.Setup {
        let topology = setup.topology
        let listeners = topology.nodes[setup.identity.index.position].sip
        var desk = TrunkDesk.Setup(
            trunks: topology.trunks, groups: topology.capacityGroups, me: setup.identity.index,
            nodeCount: topology.nodes.count,
            reachable: topology.trunks.map { trunk in
                trunk.gateways.map { $0.isDialled && listeners.map(\.transport).contains($0.transport) }
            })
        // A peer that is asked for places answers within the time in which a link is lost.
        desk.patience = topology.timing.linkTimeout.nanoseconds
        desk.settling = 3 * topology.timing.linkTimeout.nanoseconds
        desk.seed = mixed(setup.seed &+ 5)
        desk.faults = setup.faults
        return desk
    }

    // MARK: Gateways

    /// The trunk of the gateway that a message came from.
    mutating func trunk(of source: SIPSource) -> TrunkIndex? {
        guard !topology.trunks.isEmpty, source.flow.peer == nil else { return nil }
        if let gateway = source.flow.gateway { return gateway.trunk }
        let listeners = topology.nodes[me.position].sip
        guard Int(source.listener) < listeners.count else { return nil }
        let transport = listeners[Int(source.listener)].transport
        return topology.trunks.firstIndex { $0.gateway(at: source.address, over: transport) != nil }
            .map { TrunkIndex($0) }
    }

    /// Where a gateway is reached, and from which of this node's ports; nil where none speaks as it does.
    private func source(of gateway: GatewayIndex) -> SIPSource? {
        let address = topology.trunks[gateway.trunk.position].gateways[gateway.position]
        let listeners = topology.nodes[me.position].sip
        guard let listener = listeners.firstIndex(where: { $0.transport == address.transport }) else { return nil }
        let flow: FlowID = address.transport == .udp ? .none : .gateway(gateway.trunk, gateway.position)
        return SIPSource(address.address, flow: flow, listener: UInt8(listener))
    }

    /// `sip:+15551230001@192.0.2.1:5060;user=phone`, or without user for the gateway itself (RFC 3261 section 19.1.6).
    private func uri(of gateway: GatewayIndex, user: String) -> [UInt8] {
        let address = topology.trunks[gateway.trunk.position].gateways[gateway.position]
        let name = user.replacing("#", with: "%23")
        var uri = "sip:\(name)\(name.isEmpty ? "" : "@")\(address.address)"
        if address.transport != .udp { uri += ";transport=tcp" }
        if !name.isEmpty { uri += ";user=phone" }
        return Array(uri.utf8)
    }

    /// Asks the gateways that it is time to ask whether they are there.
    mutating func checkGateways(_ now: Instant) {
        while let question = trunks.nextQuestion(now: now) {
            guard let target = source(of: question.gateway) else { continue }
            let listener = topology.nodes[me.position].sip[Int(target.listener)]
            let request = prober.write(
                toGateway: (question.gateway.trunk, question.gateway.position), number: question.number,
                uri: uri(of: question.gateway, user: ""), from: listener.address,
                over: Hop.Transport(listener.transport))
            actions.append(.send(request, to: target))
        }
    }

    // MARK: Calls to telephones

    /// The trunk through which a DN's telephone is dialled: by the DN's owner, while the DN is in service.
    func trunkToDial(_ dn: DNIndex) -> TrunkIndex? {
        guard ownership.owns(dn), ownership.view(of: dn).service.isInService else { return nil }
        return trunkOfType[topology.directory.block(of: dn).agentType]
    }

    /// An INVITE for a telephone came from somebody who may call.
    ///
    /// - Returns: what it is answered instead of being held.
    mutating func dialCall(
        to dn: DNIndex, over trunk: TrunkIndex, _ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant
    ) -> SIPResponse? {
        var route = ProxyRoute(groups: [])
        route.consumedRoutes = message.routeCount
        route.mark = .recordsRoute
        var parties = CallParties(caller: callerDN(datagram, source), callee: dn)
        parties.isCallerNear = source.flow.peer == nil
        parties.isCalleeNear = true
        parties.routingPoint = dialedPoint(datagram, source)
        route.parties = parties
        let isSecure = message.requestURI.scheme == .sips
        switch statefulProxy.hold(message, in: datagram, from: source, route, now: now) {
        case .failure(let refusal):
            return refusal.response
        case .success(let request):
            guard let connection = statefulProxy.connection(of: request) else { return nil }
            guard heldCalls[connection] == nil else {
                // It went to the DN's former owner, and comes back to where it is being routed: the next agent is closer.
                statefulProxy.close(request, SIPResponse(.loopDetected), now: now)
                return nil
            }
            heldCalls[connection] = HeldCall(request: request, isSecure: isSecure, dialled: dn)
            heldConnections[request] = connection
            trunks.dial(connection, over: trunk, now: now, &trunkActions)
            return nil
        }
    }

    // MARK: Going on

    /// Does what trunks want done, until nothing more follows.
    mutating func settleTrunks(_ now: Instant) {
        repeat {
            var due: [TrunkAction] = []
            swap(&due, &trunkActions)
            for action in due { carryOut(action, now) }
            countTrunkUse(now)
        } while !trunkActions.isEmpty
    }

    /// Calls that have ended make room for others.
    mutating func countTrunkUse(_ now: Instant) {
        guard statefulProxy.trunkChanges != countedTrunkChanges else { return }
        countedTrunkChanges = statefulProxy.trunkChanges
        let use = topology.trunks.indices.map { statefulProxy.use(of: TrunkIndex($0)) }
        trunks.used(use, now: now, &trunkActions)
    }

    private mutating func carryOut(_ action: TrunkAction, _ now: Instant) {
        switch action {
        case .admit(let connection, let trunk):
            guard let held = heldCalls[connection], let point = held.point else { return }
            statefulProxy.setTrunk(held.request, trunk)
            control.arrived(connection, at: point, caller: held.caller, now: now, &routingActions)
        case .refuseArrival(let connection):
            guard let held = heldCalls[connection] else { return }
            statefulProxy.close(held.request, SIPResponse(.serviceUnavailable), now: now)
            forget(held.request)
        case .dial(let connection, let gateway):
            dial(gateway, for: connection, now)
        case .refuseDial(let connection, let refusal):
            refuse(connection, refusal, now)
        }
    }

    private mutating func dial(_ gateway: GatewayIndex, for connection: CallConnection, _ now: Instant) {
        guard let held = heldCalls[connection], let dn = held.dialled, let number = topology.directory.dialStrings[dn],
            let destination = source(of: gateway), !held.isSecure || isSecure(destination)
        else {
            return trunks.failed(connection, status: 503, hadProgress: false, now: now, &trunkActions)
        }
        let target = ProxyTarget(
            uri: uri(of: gateway, user: number), destination: destination, trunk: gateway.trunk,
            patience: topology.trunks[gateway.trunk.position].failover.nanoseconds)
        if !statefulProxy.ask(held.request, [target], of: .phones(of: dn, isNear: true), now: now) {
            trunks.ended(connection, now: now)
        }
    }

    /// The telephone cannot be reached: a call that is routed goes elsewhere, the caller of another is told.
    private mutating func refuse(_ connection: CallConnection, _ refusal: TrunkRefusal, _ now: Instant) {
        guard let held = heldCalls[connection] else { return }
        guard held.point == nil else {
            heldCalls[connection]?.dialled = nil
            return control.failed(connection, status: refusal.status, now: now, &routingActions)
        }
        switch refusal {
        case .full, .noGateway:
            statefulProxy.close(held.request, SIPResponse(.serviceUnavailable), now: now)
        case .refused(let status):
            let silence = SIPResponse(status == 408 ? .requestTimeout : .serviceUnavailable)
            statefulProxy.closeWithRefusal(held.request, else: silence, now: now)
        }
        forget(held.request)
    }

    // MARK: Between nodes

    /// The next word of capacities to a peer, or nil. `nextPeerMessage` goes first.
    package mutating func nextCapacityWord(for peer: NodeIndex) -> CapacityWord? {
        ownership.state(of: peer) == .live ? trunks.nextWord(for: peer) : nil
    }

    /// A peer tells of capacities. On a connection that has not said hello it counts for nothing.
    package mutating func received(_ word: CapacityWord, from connection: ConnectionID, now: Instant) {
        guard let peer = ownership.introducedPeer(of: connection) else { return }
        trunks.received(word, from: peer, now: now, &trunkActions)
        settleSIP(now)
        settle(now)
    }
}
