package import ClusterModel

// Requests that go on (RFC 3261 sections 16.6 and 16.10).
extension StatefulProxy {
    /// Sends a request on that `received` has called new.
    ///
    /// - Returns: what it is to be answered instead, without a transaction.
    package mutating func forward(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: SIPSource, _ route: ProxyRoute,
        now: Instant
    ) -> SIPResponse? {
        switch begin(message, in: datagram, from: source, route, isOpen: false, now: now) {
        case .failure(let refusal):
            return refusal.response
        case .success(let slot):
            noteRequest(message, datagram)
            askNextGroup(slot, message, datagram, now)
            carryOut(now)
            return nil
        }
    }

    /// Why a request is not taken on.
    package struct RequestRefusal: Error, Sendable {
        package let response: SIPResponse
    }

    /// Opens the transaction of a request, and what is known of the call that it begins.
    mutating func begin(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: SIPSource, _ route: ProxyRoute,
        isOpen: Bool, now: Instant
    ) -> Result<Int32, RequestRefusal> {
        var context = ResponseContext()
        context.phase = .proceeding
        context.isOpen = isOpen
        context.isInvite = message.method == .invite
        context.source = source
        context.route = route
        context.session = sessionTerms(of: message)
        if let parties = route.parties {
            context.call = calls.begin(message, in: datagram, parties, now: now)
            // An INVITE again under the same names, perhaps after a 401, belongs to the call that there is.
            if context.call == nil, calls.count >= CallTable.maximumCount {
                return .failure(RequestRefusal(response: Self.overload))
            }
            // To be routed twice is one time too many (section 8.2.2.2).
            if context.call == nil, isOpen { return .failure(RequestRefusal(response: SIPResponse(.loopDetected))) }
        }
        let slot = freeContexts.popLast() ?? Int32(contexts.count)
        if Int(slot) == contexts.count { contexts.append(ResponseContext()) }
        context.generation = contexts[Int(slot)].generation
        do throws(TransactionRefusal) {
            context.server = try transactions.open(
                message, in: datagram, from: source, context: slot, now: now, into: &actions)
        } catch {
            freeContexts.append(slot)
            if let call = context.call { calls.end(call, .released) }
            let response = error == .tableFull ? Self.overload : SIPResponse(.badRequest)
            return .failure(RequestRefusal(response: response))
        }
        context.request = datagram.bytes(ByteRange(0, datagram.count))
        contexts[Int(slot)] = context
        return .success(slot)
    }

    /// Sends an ACK of a 2xx on: it has no answer, and no transaction (section 16.11).
    package mutating func pass(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: SIPSource, _ route: ProxyRoute
    ) {
        for target in route.groups.joined() {
            let (bytes, _) = copy(message, datagram, from: source, to: target, route, session: SessionTerms())
            output.append(OutgoingMessage(bytes: bytes, target: target.destination))
        }
    }

    /// The sender of an INVITE wants no more of it. All of its branches are cancelled; their responses end it.
    package mutating func cancel(_ id: ServerTransactionID, now: Instant) {
        giveUp(id, now)
        carryOut(now)
    }

    /// Of other requests than INVITE nobody is told: their senders wait for no long time.
    mutating func giveUp(_ id: ServerTransactionID, _ now: Instant) {
        guard id.context >= 0, contexts[Int(id.context)].phase == .proceeding, contexts[Int(id.context)].isInvite
        else { return }
        contexts[Int(id.context)].isCancelled = true
        note(id.context) { .abandoned($0) }
        cancelPending(id.context, now)
        if contexts[Int(id.context)].pending.isEmpty { conclude(id.context, now) }
    }

    /// An INVITE that was refused for the moment may come again, so the sender is told when (section 21.5.4).
    static var overload: SIPResponse { SIPResponse(.serviceUnavailable, extra: .retryAfter(5)) }

    // MARK: Branches

    /// - Parameter message: the context's request, parsed from `datagram`.
    mutating func askNextGroup(
        _ slot: Int32, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ now: Instant
    ) {
        let position = contexts[Int(slot)].askedGroups
        contexts[Int(slot)].askedGroups += 1
        for target in contexts[Int(slot)].route.groups[position] {
            guard contexts[Int(slot)].askedTargets < Self.maximumTargets else { break }
            contexts[Int(slot)].askedTargets += 1
            contexts[Int(slot)].asksPeer = target.destination.flow.peer != nil
            let (bytes, via) = copy(
                message, datagram, from: contexts[Int(slot)].source, to: target, contexts[Int(slot)].route,
                session: contexts[Int(slot)].session)
            do throws(TransactionRefusal) {
                let id =
                    message.method == .unknown
                    ? try transactions.send(bytes, to: target.destination, context: slot, now: now, into: &actions)
                    : try transactions.send(
                        bytes, message.method, via: via, to: target.destination, context: slot, now: now,
                        into: &actions)
                contexts[Int(slot)].clients += 1
                contexts[Int(slot)].pending.append(id)
                if let patience = target.patience {
                    transactions.limitCalling(id, to: patience, now: now, into: &actions)
                }
                if let trunk = target.trunk { trunkLegs.begin(id, over: trunk) }
            } catch {
                consider(slot, 503, of: -1, text: [])
            }
        }
        guard contexts[Int(slot)].pending.isEmpty else { return }
        if contexts[Int(slot)].isOpen { noteFailure(slot, now) } else { conclude(slot, now) }
    }

    /// A copy of a request for one target.
    private mutating func copy(
        _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, from source: SIPSource, to target: ProxyTarget,
        _ route: ProxyRoute, session: SessionTerms
    ) -> (bytes: [UInt8], via: ByteRange) {
        let port = port(of: target.destination)
        var hop = Hop()
        hop.uri = target.uri
        hop.routes = target.routes
        hop.transport = port.transport
        hop.sentBy = port.sentBy
        hop.branch = branches.next(for: message, in: datagram).branch
        hop.consumedRoutes = route.consumedRoutes
        switch route.mark {
        case .none: break
        case .recordsRoute:
            // The side that the request goes to stands on top: there it is the first on the way back (RFC 5658).
            hop.recordRoute.reserveCapacity(192)
            let isSecure = message.requestURI.scheme == .sips
            port.append(token: token, of: target.destination, isSecure: isSecure, to: &hop.recordRoute)
            hop.recordRoute += [UInt8(ascii: ","), 32]
            let caller = answerTarget(of: message, from: source)
            self.port(of: source).append(token: token, of: caller, isSecure: isSecure, to: &hop.recordRoute)
        case .recordsPath:
            hop.headers += Array("Path: ".utf8)
            self.port(of: source).append(token: token, of: source, isSecure: false, to: &hop.headers)
            hop.headers += [13, 10]
        }
        appendSession(session, message, &hop.headers)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(datagram.count + 512)
        let via = forwarder.write(message, in: datagram, from: source.address, over: hop, into: &bytes)
        return (bytes, via)
    }

    /// Where later requests for the sender go: where its answers go.
    private func answerTarget(of message: borrowing SIPMessage, from source: SIPSource) -> SIPSource {
        guard source.flow == .none else { return source }
        return SIPSource(writer.target(of: message, from: source.address), listener: source.listener)
    }

    /// How this node is seen from there.
    private func port(of side: SIPSource) -> ProxyPort {
        if side.flow.peer != nil { return setup.peerPort }
        return Int(side.listener) < setup.ports.count ? setup.ports[Int(side.listener)] : setup.peerPort
    }

    /// A CANCEL for each branch that has not ended.
    mutating func cancelPending(_ slot: Int32, _ now: Instant) {
        contexts[Int(slot)].askedGroups = contexts[Int(slot)].route.groups.count
        for id in contexts[Int(slot)].pending { transactions.cancel(id, now: now, into: &actions) }
    }
}
