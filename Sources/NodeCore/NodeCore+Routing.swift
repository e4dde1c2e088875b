import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import SIPCore
import TLibraryPorts
import Trunks

// Calls to routing points: the caller's INVITE is held, routers are asked, and phones are rung until one takes the call.
extension NodeCore {
    /// A held INVITE.
    struct HeldCall: Sendable {
        var request: OpenRequest
        /// Its URI is `sips:`, so every hop has to be over TLS.
        var isSecure: Bool
        /// The routing point that it came to; nil for one that is only dialled.
        var point: DN?
        /// Who calls, as the INVITE says it.
        var caller = ""
        /// The DN that is being dialled through a trunk.
        var dialled: DNIndex?
    }

    /// INVITEs that are held.
    package var heldCount: Int { heldCalls.count }

    // MARK: Callers

    /// An INVITE for a routing point came from somebody who may call.
    ///
    /// - Returns: what it is answered instead of being held.
    mutating func holdCall(
        to point: DN, _ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant
    ) -> SIPResponse? {
        var route = ProxyRoute(groups: [])
        route.consumedRoutes = message.routeCount
        route.mark = .recordsRoute
        var parties = CallParties(caller: callerDN(datagram, source), callee: nil)
        parties.isCallerNear = source.flow.peer == nil
        parties.routingPoint = point
        route.parties = parties
        let caller = message.fromURI(in: datagram).map { datagram.visibleUser(of: $0) } ?? ""
        let isSecure = message.requestURI.scheme == .sips
        switch statefulProxy.hold(message, in: datagram, from: source, route, now: now) {
        case .failure(let refusal):
            return refusal.response
        case .success(let request):
            guard let connection = statefulProxy.connection(of: request) else { return nil }
            heldCalls[connection] = HeldCall(request: request, isSecure: isSecure, point: point, caller: caller)
            heldConnections[request] = connection
            if let trunk = trunk(of: source) {
                trunks.arrived(connection, from: trunk, now: now, &trunkActions)
            } else {
                control.arrived(connection, at: point, caller: caller, now: now, &routingActions)
            }
            return nil
        }
    }

    // MARK: Going on

    /// Hands phones' answers to the calls that wait for them, and does what follows, until nothing more does.
    mutating func settleRouting(_ now: Instant) {
        countTrunkUse(now)
        while statefulProxy.hasOpenEvents || !routingActions.isEmpty || hasRoutedRedemptions || !trunkActions.isEmpty {
            for event in statefulProxy.takeOpenEvents() { take(event, now) }
            takeRoutedRedemptions(now)
            settleTrunks(now)
            var due: [RoutingAction] = []
            swap(&due, &routingActions)
            for action in due { carryOut(action, now) }
        }
        for event in control.takeEvents() { ports.pointChanged(event, &portsActions) }
    }

    private mutating func take(_ event: OpenRequestEvent, _ now: Instant) {
        switch event {
        case .failed(let request, let status, let hadProgress):
            guard let connection = heldConnections[request] else { return }
            if trunks.isLeaving(connection) {
                trunks.failed(connection, status: status, hadProgress: hadProgress, now: now, &trunkActions)
            } else {
                control.failed(connection, status: status, now: now, &routingActions)
            }
        case .answered(let request, let dn):
            guard let connection = forget(request) else { return }
            trunks.ended(connection, isAnswered: true, now: now)
            let name = dn.map { topology.directory.dn(at: $0) }
            control.answered(connection, by: name, now: now, &routingActions)
        case .abandoned(let request):
            guard let connection = forget(request) else { return }
            trunks.ended(connection, now: now)
            control.abandoned(connection, now: now, &routingActions)
        }
    }

    @discardableResult
    mutating func forget(_ request: OpenRequest) -> CallConnection? {
        guard let connection = heldConnections.removeValue(forKey: request) else { return nil }
        heldCalls[connection] = nil
        return connection
    }

    private mutating func carryOut(_ action: RoutingAction, _ now: Instant) {
        switch action {
        case .ask(let router, let request):
            tell(ClientID(rawValue: router.rawValue), .routeRequest(request))
        case .endQuestion(let router, let connection, let point, let end):
            tellEnd(of: connection, at: point, end, to: ClientID(rawValue: router.rawValue))
        case .confirm(let router, let order, let point, let dn):
            tell(
                ClientID(rawValue: router.rawValue),
                .routeUsed(referenceID: order.reference, order.connection, routingPoint: point, destination: dn))
        case .refuseOrder(let router, let order, let refusal):
            let error: TError = refusal == .unavailable ? .staleToken : .unknownCall
            requestRefused(error, referenceID: order.reference, client: ClientID(rawValue: router.rawValue))
        case .redeem(let connection, let token):
            lastRoutedCall &+= 1
            routedRedemptions[lastRoutedCall] = connection
            startRedeeming(token, reference: lastRoutedCall, call: connection.rawValue, now)
        case .ring(let connection, let dn):
            ring(dn, for: connection, now)
        case .stopRinging(let connection):
            trunks.ended(connection, now: now)
            heldCalls[connection]?.dialled = nil
            if let held = heldCalls[connection] { statefulProxy.stopAsking(held.request, now: now) }
        case .inform(let connection, let position):
            if let held = heldCalls[connection] {
                statefulProxy.inform(held.request, SIPResponse(queuedAt: position?.position), now: now)
            }
        case .refuse(let connection, let refusal):
            guard let held = heldCalls[connection] else { return }
            statefulProxy.close(held.request, Self.response(to: refusal), now: now)
            forget(held.request)
        case .agentDidNotAnswer(let dn):
            makeNotReady(dn, now)
        }
    }

    private static func response(to refusal: CallRefusal) -> SIPResponse {
        switch refusal {
        case .busy: SIPResponse(.busyHere)
        case .unavailable: SIPResponse(.temporarilyUnavailable)
        case .overloaded: SIPResponse(.serviceUnavailable, extra: .retryAfter(5))
        }
    }

    private mutating func tellEnd(
        of connection: CallConnection, at point: DN, _ end: QuestionEnd, to client: ClientID
    ) {
        switch end {
        case .used(let dn):
            tell(client, .routeUsed(referenceID: nil, connection, routingPoint: point, destination: dn))
        case .abandoned:
            tell(client, .routeEnded(connection, routingPoint: point))
        }
    }

    /// Rings a DN that this node shows in service: nobody else is rung, whatever a router or the topology says.
    private mutating func ring(_ name: DN, for connection: CallConnection, _ now: Instant) {
        guard let held = heldCalls[connection] else { return }
        var targets: [ProxyTarget] = []
        let dn = topology.directory.index(of: name)
        if let dn, let trunk = trunkToDial(dn) {
            heldCalls[connection]?.dialled = dn
            return trunks.dial(connection, over: trunk, now: now, &trunkActions)
        }
        if let dn, ownership.view(of: dn).service.isInService || faults.contains(.unheardOwnerRung) {
            targets = self.targets(of: dn, name, isSecure: held.isSecure, now).flatMap(\.self)
        }
        guard let dn, !targets.isEmpty else {
            return control.failed(connection, status: 503, now: now, &routingActions)
        }
        let callee = CallParties.Callee.phones(of: dn, isNear: ownership.owns(dn))
        statefulProxy.ask(held.request, targets, of: callee, now: now)
    }

    /// The agent did not come to the phone: the next call shall not ring there as well.
    private mutating func makeNotReady(_ name: DN, _ now: Instant) {
        guard topology.noAnswer != .none, let dn = topology.directory.index(of: name),
            ownership.view(of: dn).agent?.state == .ready
        else { return }
        var reasons = Reasons()
        _ = reasons.add("tandem", "no answer")
        let mode: WorkMode = topology.noAnswer == .walkAway ? .walkAway : .unknown
        lastRoutedCall &+= 1
        // Nobody waits for the answer.
        ask(
            ProxiedRequest(
                client: .none, referenceID: lastRoutedCall, dn: name, request: .agent(.notReady(mode, reasons)),
                owner: me), dn, now)
    }

    // MARK: Routers

    /// TRouteCall.
    mutating func routeCall(
        _ id: UInt32, _ connection: CallConnection, _ token: ReservationToken?, _ client: ClientID, _ now: Instant
    ) {
        let order = RouteOrder(
            reference: id, connection: connection, destination: token.map { .agent($0) } ?? .default)
        control.ordered(order, by: RouterID(rawValue: client.rawValue), now: now, &routingActions)
        settleSIP(now)
    }

    mutating func routerRegistered(_ client: ClientID, for point: DN, _ now: Instant) {
        control.registered(
            RouterID(rawValue: client.rawValue), name: ports.name(of: client), for: point, now: now, &routingActions)
        settleSIP(now)
    }

    /// - Parameter point: nil for all.
    mutating func routerGone(_ client: ClientID, from point: DN?, _ now: Instant) {
        control.unregistered(RouterID(rawValue: client.rawValue), from: point, now: now, &routingActions)
        settleSIP(now)
    }

    // MARK: Tokens

    private var hasRoutedRedemptions: Bool {
        redemptions.contains { routedRedemptions[$0.call] != nil }
    }

    private mutating func takeRoutedRedemptions(_ now: Instant) {
        guard !redemptions.isEmpty else { return }
        var others: [Redemption] = []
        let due = redemptions
        redemptions = []
        for redemption in due {
            guard let connection = routedRedemptions.removeValue(forKey: redemption.call) else {
                others.append(redemption)
                continue
            }
            control.redeemed(
                connection, redemption.token, isHonoured: redemption.refusal == nil, now: now, &routingActions)
        }
        redemptions = others + redemptions
    }
}
