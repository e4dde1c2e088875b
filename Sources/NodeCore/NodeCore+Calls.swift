package import ClusterModel
package import DNOwnership
import SIPCore

// Requests from phone to phone: who may send them, and where they go. How they go there is the proxy's.
extension NodeCore {
    /// A request came that is not for this node itself.
    mutating func forward(
        _ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant, _ answers: inout DatagramBatch
    ) {
        defer { settleSIP(now) }
        switch statefulProxy.received(message, in: datagram, from: source, now: now) {
        case .absorbed:
            return
        case .cancel(of: let invite):
            guard let invite else { return answer(SIPResponse(.noSuchTransaction), datagram, source, &answers) }
            return statefulProxy.cancel(invite, now: now)
        case .ack:
            guard case .to(let route) = inDialogRoute(datagram, source) else { return }
            statefulProxy.pass(message, in: datagram, from: source, route)
        case .new:
            guard message.method != .ack, message.method != .cancel else { return }
            switch decide(datagram, source, now) {
            case .refused(let response):
                answer(response, datagram, source, &answers)
            case .dropped:
                return
            case .toTelephone(let dn, let trunk):
                if let refusal = dialCall(to: dn, over: trunk, datagram, source, now) {
                    answer(refusal, datagram, source, &answers)
                }
            case .toPoint(let point):
                if let refusal = holdCall(to: point, datagram, source, now) {
                    answer(refusal, datagram, source, &answers)
                }
            case .to(let route):
                let refusal = statefulProxy.forward(message, in: datagram, from: source, route, now: now)
                if let refusal { answer(refusal, datagram, source, &answers) }
            }
        }
    }

    /// What becomes of a request.
    enum Routing {
        case to(ProxyRoute)
        /// To be dialled through a trunk.
        case toTelephone(DNIndex, TrunkIndex)
        /// To be routed.
        case toPoint(DN)
        case refused(SIPResponse)
        case dropped
    }

    private mutating func decide(_ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant) -> Routing {
        if let refusal = message.proxyRefusal { return .refused(refusal) }
        if statefulProxy.isLoop(message, in: datagram) { return .refused(SIPResponse(.loopDetected)) }
        if let routing = inDialogRoute(datagram, source) { return routing }
        // A peer has asked already who it is.
        if source.flow.peer == nil, let refusal = refusalOfSender(datagram, source, now) { return refusal }
        return routeToDN(datagram, source, now)
    }

    /// By the Routes that this node has given the two sides of a dialog, or for a phone that has registered through it.
    /// Nobody else's lead anywhere: there is no way through this node to somewhere else.
    ///
    /// - Returns: nil for a request that has none.
    private func inDialogRoute(_ datagram: Span<UInt8>, _ source: SIPSource) -> Routing? {
        guard message.routeCount > 0 else { return nil }
        let own = statefulProxy.ownRoutes(of: message, in: datagram)
        if own.isForged { return .refused(SIPResponse(.forbidden)) }
        if let destination = own.destination, !message.to.tag.isEmpty || source.flow.peer != nil {
            var route = ProxyRoute(to: ProxyTarget(destination: destination), consumedRoutes: own.count)
            // To a phone that has registered through this node; later requests must find the way too.
            if message.to.tag.isEmpty { keepOnTheWay(of: &route) }
            return .to(route)
        }
        // A phone may have this node's address as its outbound proxy (RFC 3261 section 8.1.1.1).
        return own.count == message.routeCount && own.destination == nil ? nil : .refused(SIPResponse(.forbidden))
    }

    /// Whose phone rings.
    private mutating func routeToDN(_ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant) -> Routing {
        guard Self.isHost(message.requestURI.host, in: datagram, among: ownHosts),
            let name = message.requestURI.dn(in: datagram)
        else { return .refused(SIPResponse(.notFound)) }
        // Every hop over TLS or none (RFC 3261 section 26.2.2).
        let wantsSecurity = message.requestURI.scheme == .sips
        if wantsSecurity, !isSecure(source) { return .refused(SIPResponse(.temporarilyUnavailable)) }
        guard let dn = topology.directory.index(of: name) else { return routeToPoint(name, source) }
        if let trunk = trunkToDial(dn) {
            guard message.method == .invite, message.to.tag.isEmpty else {
                return .refused(SIPResponse(.methodNotAllowed, extra: .allow))
            }
            return .toTelephone(dn, trunk)
        }
        let targets = targets(of: dn, name, isSecure: wantsSecurity, now)
        guard !targets.isEmpty else { return .refused(SIPResponse(.temporarilyUnavailable)) }
        var route = ProxyRoute(groups: targets)
        route.consumedRoutes = message.routeCount
        guard message.to.tag.isEmpty else { return .to(route) }
        keepOnTheWay(of: &route)
        if message.method == .invite {
            var parties = CallParties(caller: callerDN(datagram, source), callee: dn)
            parties.isCallerNear = source.flow.peer == nil
            parties.isCalleeNear = ownership.owns(dn)
            parties.routingPoint = dialedPoint(datagram, source)
            route.parties = parties
        }
        return .to(route)
    }

    /// A call that is to be routed stays at the node where it came.
    private func routeToPoint(_ name: DN, _ source: SIPSource) -> Routing {
        guard topology.routingPoints.contains(where: { $0.dn == name }), source.flow.peer == nil else {
            return .refused(SIPResponse(.notFound))
        }
        guard message.method == .invite, message.to.tag.isEmpty else {
            return .refused(SIPResponse(.methodNotAllowed, extra: .allow))
        }
        return .toPoint(name)
    }

    /// The caller, if it is a DN of the cluster; what a gateway says of its callers makes none of them a DN.
    mutating func callerDN(_ datagram: Span<UInt8>, _ source: SIPSource) -> DNIndex? {
        trunk(of: source) == nil ? fromDN(datagram) : nil
    }

    /// The routing point that another node has had the call from: it stands in To as it was dialled.
    func dialedPoint(_ datagram: Span<UInt8>, _ source: SIPSource) -> DN? {
        guard source.flow.peer != nil, let name = message.to.uri.dn(in: datagram) else { return nil }
        return topology.routingPoints.contains { $0.dn == name } ? name : nil
    }

    /// Requests that begin a dialog bring its later ones here.
    private func keepOnTheWay(of route: inout ProxyRoute) {
        switch message.method {
        case .invite, .subscribe, .refer: route.mark = .recordsRoute
        case .register, .options, .ack, .cancel, .bye, .notify, .publish, .message, .info, .update, .prack, .unknown:
            break
        }
    }

    /// The phones of a DN that is owned here, those of the same preference together; else its owner, if this node hears him.
    ///
    /// - Parameter isSecure: only over TLS.
    func targets(of dn: DNIndex, _ name: DN, isSecure: Bool, _ now: Instant) -> [[ProxyTarget]] {
        let targets = targets(of: dn, name, scheme: isSecure ? "sips" : "sip", now)
        guard isSecure else { return targets }
        return targets.map { $0.filter { self.isSecure($0.destination) } }.filter { !$0.isEmpty }
    }

    private func targets(of dn: DNIndex, _ name: DN, scheme: String, _ now: Instant) -> [[ProxyTarget]] {
        if ownership.owns(dn) {
            var groups: [[ProxyTarget]] = []
            var quality: UInt16?
            for target in registrar.callTargets(of: dn, now: now) {
                if target.quality != quality { groups.append([]) }
                quality = target.quality
                groups[groups.count - 1].append(
                    ProxyTarget(uri: target.uri, routes: target.path, destination: target.source))
            }
            return groups
        }
        let view = ownership.view(of: dn)
        let isHeard = view.service.isInService || faults.contains(.unheardOwnerRung)
        guard isHeard, view.owner != me, view.owner != .none else { return [] }
        let uri = Array("\(scheme):\(name)@\(topology.domain)".utf8)
        return [[ProxyTarget(uri: uri, destination: peerSource(view.owner))]]
    }

    /// Whether what is sent there goes over TLS.
    func isSecure(_ side: SIPSource) -> Bool {
        if let peer = side.flow.peer {
            // Which of the two has dialled depends on their names, and either's listener serves then.
            return topology.nodes[min(peer, me).position].mesh.isSecure
                && topology.nodes[max(peer, me).position].mesh.isSecure
        }
        let listeners = topology.nodes[me.position].sip
        return side.flow != .none && Int(side.listener) < listeners.count
            && listeners[Int(side.listener)].transport == .tls
    }

    // MARK: Registrations

    /// A REGISTER that only the DN's owner can answer goes there, with this node as its Path. Who sent it has been found out.
    mutating func registerAtOwner(
        of dn: DNIndex, mayReturn: Bool = false, _ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant,
        _ answers: inout DatagramBatch
    ) {
        let owner = ownership.view(of: dn).owner
        // From node to node it goes once: two that took each other for the owner would send it to and fro.
        guard source.flow.peer == nil, ownership.isReachable(owner) else {
            return answer(SIPResponse(.serverTimeout), datagram, source, &answers)
        }
        defer { settleSIP(now) }
        guard statefulProxy.received(message, in: datagram, from: source, now: now) == .new else { return }
        if let refusal = message.proxyRefusal { return answer(refusal, datagram, source, &answers) }
        // The owner may know nothing of this node's address, which the phone may have asked.
        let uri = Array("sip:\(topology.domain)".utf8)
        var route = ProxyRoute(
            to: ProxyTarget(uri: uri, destination: peerSource(owner)), consumedRoutes: message.routeCount)
        route.mark = .recordsPath
        route.mayReturn = mayReturn
        let refusal = statefulProxy.forward(message, in: datagram, from: source, route, now: now)
        if let refusal { answer(refusal, datagram, source, &answers) }
    }

    // MARK: Who asks

    /// Why a request of this sender does not go on; nil when it does. Where phones have passwords they say them; where
    /// anybody may register, those who have may call.
    private mutating func refusalOfSender(
        _ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant
    ) -> Routing? {
        // Gateways call routing points, and prove themselves by where they are.
        if trunk(of: source) != nil, callsPoint(datagram) { return nil }
        let caller = fromDN(datagram)
        guard authenticator != nil else {
            let isKnown = caller.map { registrar.hasBinding(of: $0, from: source) } ?? false
            return isKnown ? nil : .refused(SIPResponse(.forbidden))
        }
        guard message.proxyAuthorizationCount == 0 || mayAttempt(from: source.address, now: now) else {
            return .dropped
        }
        let outcome = authenticator!.check(
            message, in: datagram, isForProxy: true, directory: topology.directory, now: now)
        switch outcome {
        case .authenticated(let sender), .repeated(let sender):
            // A repeated count is what a phone sends that forks or has lost an answer; the call costs what its first
            // copy would.
            return sender == caller ? nil : .refused(SIPResponse(.forbidden))
        case .challenge(let isStale):
            return .refused(challenge(isStale: isStale, now))
        case .failed:
            counters.failedAuthentications += 1
            sourceLimits?.attemptFailed(from: source.address, now: now)
            return .refused(challenge(isStale: false, now))
        }
    }

    private mutating func callsPoint(_ datagram: Span<UInt8>) -> Bool {
        guard let name = message.requestURI.dn(in: datagram) else { return false }
        return topology.routingPoints.contains { $0.dn == name }
    }

    private mutating func challenge(isStale: Bool, _ now: Instant) -> SIPResponse {
        let nonce = authenticator!.challenge(now: now)
        return SIPResponse(.proxyAuthenticationRequired, extra: .proxyChallenge(nonce, isStale: isStale))
    }

    /// The DN that a request says it is from; nil if it is none of the cluster's.
    private mutating func fromDN(_ datagram: Span<UInt8>) -> DNIndex? {
        guard let uri = message.fromURI(in: datagram), Self.isHost(uri.host, in: datagram, among: ownHosts),
            let name = uri.dn(in: datagram)
        else { return nil }
        return topology.directory.index(of: name)
    }

    // MARK: Between nodes

    /// A SIP message came over the link from another node. On a connection that has not said hello it counts for nothing.
    /// On one that has it counts even if this node does not know all of the other's DNs yet: the other may know all of
    /// this one's, and calls them.
    package mutating func receivedSIP(_ bytes: Span<UInt8>, from connection: ConnectionID, now: Instant) {
        guard let peer = ownership.introducedPeer(of: connection) else { return }
        var answers = DatagramBatch()
        swap(&answers, &peerAnswers)
        messageReceived(bytes, from: peerSource(peer), now: now, answers: &answers)
        for entry in answers.entries { peerMessages[peer.position].append(Array(answers.bytes(of: entry))) }
        answers.removeAll()
        swap(&answers, &peerAnswers)
    }

    /// The next SIP message for another node, or nil.
    package mutating func nextSIPMessage(for peer: NodeIndex) -> [UInt8]? {
        peerMessages[peer.position].next()
    }

    package func hasSIPMessages(for peer: NodeIndex) -> Bool { !peerMessages[peer.position].isEmpty }

    /// Messages to and from a node go over the link; what is said of its address is for Vias alone.
    private func peerSource(_ peer: NodeIndex) -> SIPSource {
        SIPSource(topology.nodes[peer.position].sip[0].address, flow: .peer(peer))
    }

    mutating func endPeerFlow(_ peer: NodeIndex, _ now: Instant) {
        peerMessages[peer.position].removeAll()
        commits?.flowEnded(.peer(peer))
        statefulProxy.flowEnded(.peer(peer), now: now)
        settleSIP(now)
        // Phones that have registered through that node are not reached any more.
        registrar.flowEnded(.peer(peer), now: now, into: &emptied)
        for dn in emptied { ownership.serviceLost(dn, reason: .flowLost, &ownershipActions) }
        emptied.removeAll(keepingCapacity: true)
    }

    /// Hands on what the proxy wants sent.
    mutating func settleSIP(_ now: Instant) {
        repeat {
            while let request = statefulProxy.nextReturned() { registerHere(request, written: nil, now) }
            var unreachable: [NodeIndex] = []
            for message in statefulProxy.takeOutput() {
                guard let peer = message.target.flow.peer else {
                    actions.append(.send(message.bytes, to: message.target))
                    continue
                }
                guard peer.position < peerMessages.count else { continue }
                if ownership.state(of: peer) == .down {
                    if !unreachable.contains(peer) { unreachable.append(peer) }
                } else if !peerMessages[peer.position].append(message.bytes) {
                    counters.limited += 1
                }
            }
            // Who has asked is told now: when the link is back it is too late.
            for peer in unreachable { statefulProxy.flowEnded(.peer(peer), now: now) }
            settleRouting(now)
        } while statefulProxy.hasOutput || statefulProxy.hasReturned
        settleCalls(now)
    }
}

/// Messages that wait for the link to a node. One that has no room is lost: whoever sent it hears nothing and gives up.
struct PeerMessages: Sendable {
    /// Bytes.
    static let limit = 8 << 20

    private var messages: [[UInt8]] = []
    private var position = 0
    private var byteCount = 0

    var isEmpty: Bool { position == messages.count }

    @discardableResult
    mutating func append(_ message: [UInt8]) -> Bool {
        guard byteCount + message.count <= Self.limit else { return false }
        byteCount += message.count
        messages.append(message)
        return true
    }

    mutating func next() -> [UInt8]? {
        guard position < messages.count else { return nil }
        var message: [UInt8] = []
        swap(&message, &messages[position])
        position += 1
        byteCount -= message.count
        if position == messages.count {
            messages.removeAll(keepingCapacity: true)
            position = 0
        }
        return message
    }

    mutating func removeAll() { self = PeerMessages() }

    /// Those that wait, in order.
    var waiting: ArraySlice<[UInt8]> { messages[position...] }
}
