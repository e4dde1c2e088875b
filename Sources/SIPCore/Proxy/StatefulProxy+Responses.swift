package import ClusterModel

// Responses that go back (RFC 3261 section 16.7).
extension StatefulProxy {
    /// A response came.
    ///
    /// - Returns: false if nobody has asked for it here.
    package mutating func received(
        _ status: UInt16, _ message: borrowing SIPMessage, in datagram: Span<UInt8>, now: Instant
    ) -> Bool {
        let outcome = transactions.receivedResponse(status, message, in: datagram, now: now, into: &actions)
        if case .forward(let id) = outcome { take(status, id, message, datagram, now) }
        carryOut(now)
        return outcome != .stray
    }

    private mutating func take(
        _ status: UInt16, _ id: ClientTransactionID, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>,
        _ now: Instant
    ) {
        let slot = id.context
        let isAwaited = contexts[Int(slot)].pending.contains(id)
        if status >= 200 { contexts[Int(slot)].pending.removeAll { $0 == id } }
        if status >= 300 { trunkLegs.end(id) }
        guard contexts[Int(slot)].phase == .proceeding || (status / 100 == 2 && contexts[Int(slot)].isInvite) else {
            return
        }
        // Of who was asked in vain only an acceptance counts.
        guard isAwaited || status / 100 == 2 || !contexts[Int(slot)].isOpen else { return }
        if status == 486, let call = contexts[Int(slot)].call, let dn = calls.nearCallee(of: call) {
            busyParties.append(dn)
        }
        switch status {
        case ..<200:
            guard let server = contexts[Int(slot)].server else { return }
            contexts[Int(slot)].hasProgress = true
            if status > 100, let call = contexts[Int(slot)].call { calls.ring(call, now: now) }
            respond(server, forwarded(message, datagram), now)
        case 200..<300:
            if contexts[Int(slot)].phase == .proceeding, let callee = contexts[Int(slot)].callees[id],
                let call = contexts[Int(slot)].call
            {
                calls.setCallee(call, callee, now: now)
            }
            // From now on it is the call that the trunk has. Of two that answer one is not taken, and ends by itself.
            if contexts[Int(slot)].phase == .proceeding, let call = contexts[Int(slot)].call {
                trunkLegs.end(id).map { calls.setTrunk(call, ofCallee: $0) }
            }
            succeed(slot, message, datagram, now)
        case 600... where !contexts[Int(slot)].isOpen:
            // Nobody else is asked any more (section 16.7, item 5).
            consider(slot, status, of: Int(id.slot), text: forwarded(message, datagram))
            cancelPending(slot, now)
            if contexts[Int(slot)].pending.isEmpty { goOn(slot, now) }
        case 302 where contexts[Int(slot)].route.mayReturn:
            comeBack(slot)
        case _:
            consider(
                slot, status, of: Int(id.slot), text: forwarded(message, datagram), isOwn: contexts[Int(slot)].asksPeer)
            if contexts[Int(slot)].pending.isEmpty { goOn(slot, now) }
        }
    }

    private mutating func succeed(
        _ slot: Int32, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ now: Instant
    ) {
        let added = noteSuccess(slot, message, datagram, now)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(datagram.count + added.count)
        forwarder.write(message, in: datagram, adding: added, into: &bytes)
        if let server = contexts[Int(slot)].server { respond(server, bytes, now) }
        guard contexts[Int(slot)].phase == .proceeding else { return }
        let callee = contexts[Int(slot)].call.flatMap { calls.callee(of: $0) }
        if !contexts[Int(slot)].isCancelled { note(slot) { .answered($0, by: callee) } }
        cancelPending(slot, now)
        finish(slot)
    }

    private func forwarded(_ message: borrowing SIPMessage, _ datagram: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(datagram.count)
        forwarder.write(message, in: datagram, into: &bytes)
        return bytes
    }

    mutating func respond(_ server: ServerTransactionID, _ bytes: [UInt8], _ now: Instant) {
        transactions.respond(server, bytes, now: now, into: &actions)
    }

    // MARK: Final responses

    /// Keeps a final response if it is better than those before.
    ///
    /// - Parameter text: the response as it would go to the sender; empty for one that this node writes.
    mutating func consider(_ slot: Int32, _ status: UInt16, of branch: Int, text: [UInt8], isOwn: Bool = false) {
        if contexts[Int(slot)].best.consider(status, of: branch, isOwn: isOwn) { contexts[Int(slot)].bestText = text }
    }

    /// All targets that were asked have answered: asks the next, or ends the request.
    mutating func goOn(_ slot: Int32, _ now: Instant) {
        if contexts[Int(slot)].isOpen, !contexts[Int(slot)].isCancelled { return noteFailure(slot, now) }
        guard contexts[Int(slot)].askedGroups < contexts[Int(slot)].route.groups.count,
            !contexts[Int(slot)].isCancelled
        else { return conclude(slot, now) }
        let request = contexts[Int(slot)].request
        var message = SIPMessage()
        guard case .request = message.parse(request.span) else { return conclude(slot, now) }
        askNextGroup(slot, message, request.span, now)
    }

    /// The sender gets the best of what there is.
    mutating func conclude(_ slot: Int32, _ now: Instant) {
        guard contexts[Int(slot)].phase == .proceeding, let server = contexts[Int(slot)].server else { return }
        let best = contexts[Int(slot)].best
        let isOther = best.status != best.best?.status
        if contexts[Int(slot)].bestText.isEmpty || isOther {
            guard let response = ownResponse(slot) else { return finish(slot) }
            respond(server, written(response, slot), now)
        } else {
            respond(server, contexts[Int(slot)].bestText, now)
        }
        if let call = contexts[Int(slot)].call {
            calls.end(call, contexts[Int(slot)].isCancelled ? .abandoned : .released)
        }
        finish(slot)
    }

    /// An answer of this node's own to the request of a context that has not got its final response.
    mutating func written(_ response: SIPResponse, _ slot: Int32) -> [UInt8] {
        let request = contexts[Int(slot)].request
        var bytes: [UInt8] = []
        if case .request = kept.parse(request.span) {
            writer.write(response, to: kept, in: request.span, from: contexts[Int(slot)].source.address, into: &bytes)
        }
        return bytes
    }

    /// What this node says itself where no response is there to send on; nil for silence, which is better than a 408
    /// that comes after the sender has given up (RFC 4320 section 4.2).
    private func ownResponse(_ slot: Int32) -> SIPResponse? {
        if contexts[Int(slot)].isCancelled { return SIPResponse(.requestTerminated) }
        switch contexts[Int(slot)].best.best?.status {
        case 408, nil: return contexts[Int(slot)].isInvite ? SIPResponse(.requestTimeout) : nil
        case 480: return SIPResponse(.temporarilyUnavailable)
        case 503 where contexts[Int(slot)].bestText.isEmpty: return Self.overload
        case _: return SIPResponse(.serverError)
        }
    }

    /// A final response has gone.
    mutating func finish(_ slot: Int32) {
        contexts[Int(slot)].phase = .final
        contexts[Int(slot)].request = []
        contexts[Int(slot)].bestText = []
        contexts[Int(slot)].route.groups = []
        contexts[Int(slot)].callees = [:]
        contexts[Int(slot)].lastRefusal = (0, [])
        contexts[Int(slot)].askedGroups = 0
        // Only an INVITE's 2xx is followed by others that are sent on.
        guard let server = contexts[Int(slot)].server, !contexts[Int(slot)].isInvite else { return }
        transactions.forget(server)
        contexts[Int(slot)].server = nil
        release(slot)
    }

    private mutating func comeBack(_ slot: Int32) {
        let context = contexts[Int(slot)]
        returned.append(
            ReturnedRequest(
                context: slot, generation: context.generation, request: context.request, source: context.source))
    }

    /// Answers a request that came back, if whoever sent it can still be told.
    ///
    /// - Parameter response: the whole response.
    package mutating func answer(_ request: ReturnedRequest, _ response: [UInt8], now: Instant) {
        let context = contexts[Int(request.context)]
        guard context.generation == request.generation, context.phase == .proceeding else { return }
        if let server = contexts[Int(request.context)].server { respond(server, response, now) }
        finish(request.context)
        carryOut(now)
    }

    // MARK: Transactions that ended

    mutating func clientEnded(_ id: ClientTransactionID, _ end: TransactionEnd, _ now: Instant) {
        let slot = id.context
        contexts[Int(slot)].clients -= 1
        let trunk = trunkLegs.end(id)
        if let position = contexts[Int(slot)].pending.firstIndex(of: id) {
            contexts[Int(slot)].pending.remove(at: position)
            if end == .failed, contexts[Int(slot)].route.mayReturn {
                comeBack(slot)
                return release(slot)
            }
            // A stream that has ended is a phone that cannot be reached now.
            consider(slot, end == .failed ? (trunk == nil ? 480 : 503) : 408, of: Int(id.slot), text: [])
            if contexts[Int(slot)].phase == .proceeding, contexts[Int(slot)].pending.isEmpty { goOn(slot, now) }
        }
        release(slot)
    }

    mutating func serverEnded(_ id: ServerTransactionID) {
        guard id.context >= 0 else { return }
        contexts[Int(id.context)].server = nil
        release(id.context)
    }

    private mutating func release(_ slot: Int32) {
        guard contexts[Int(slot)].isOver, contexts[Int(slot)].phase != .free else { return }
        // Of a call that was never answered nobody is told any more.
        if contexts[Int(slot)].phase == .proceeding {
            if let call = contexts[Int(slot)].call { calls.end(call, .released) }
            if !contexts[Int(slot)].isCancelled { note(slot) { .abandoned($0) } }
        }
        let generation = contexts[Int(slot)].generation
        contexts[Int(slot)] = ResponseContext()
        contexts[Int(slot)].generation = generation &+ 1
        freeContexts.append(slot)
    }
}
