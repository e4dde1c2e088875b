package import ClusterModel

/// An INVITE whose targets others name, one after the other, as they find them: a call that is to be routed. Never means another
/// later.
package struct OpenRequest: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}

/// What becomes of an open request.
package enum OpenRequestEvent: Equatable, Sendable {
    /// Nobody who was asked can take the call any more; this is the best that was said.
    ///
    /// - hadProgress: somebody had said that a phone rings.
    case failed(OpenRequest, status: UInt16, hadProgress: Bool)
    /// Somebody has taken the call; nothing more comes. Perhaps nobody waited any more for the DN whose phone it is.
    case answered(OpenRequest, by: DNIndex?)
    /// The caller has given up; nothing more comes.
    case abandoned(OpenRequest)
}

// Requests whose targets are not known when they come. The caller's transaction goes on whatever the targets say, until one
// accepts or somebody says that it is enough.
extension StatefulProxy {
    /// Takes on an INVITE that `received` has called new, without asking anybody.
    package mutating func hold(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: SIPSource, _ route: ProxyRoute,
        now: Instant
    ) -> Result<OpenRequest, RequestRefusal> {
        switch begin(message, in: datagram, from: source, route, isOpen: true, now: now) {
        case .success(let slot):
            noteRequest(message, datagram)
            carryOut(now)
            return .success(OpenRequest(slot: slot, generation: contexts[Int(slot)].generation))
        case .failure(let refusal):
            return .failure(refusal)
        }
    }

    /// Asks those targets together.
    ///
    /// - Parameter callee: whose phones they are.
    /// - Returns: false if the request is over.
    @discardableResult
    package mutating func ask(
        _ id: OpenRequest, _ targets: [ProxyTarget], of callee: CallParties.Callee, now: Instant
    ) -> Bool {
        guard let slot = slot(id), !targets.isEmpty else { return false }
        let request = contexts[slot].request
        var message = SIPMessage()
        guard case .request = message.parse(request.span) else { return false }
        contexts[slot].route.groups = [targets]
        contexts[slot].askedGroups = 0
        contexts[slot].askedTargets = 0
        contexts[slot].hasProgress = false
        if let call = contexts[slot].call { calls.setCallee(call, callee, now: now) }
        askNextGroup(id.slot, message, request.span, now)
        for client in contexts[slot].pending { contexts[slot].callees[client] = callee }
        carryOut(now)
        return true
    }

    /// Waits for those who were asked no longer: they are cancelled, and what they refuse is not told. Whoever accepts all the
    /// same has the call.
    package mutating func stopAsking(_ id: OpenRequest, now: Instant) {
        guard let slot = slot(id) else { return }
        cancelPending(id.slot, now)
        contexts[slot].pending.removeAll()
        if let call = contexts[slot].call { calls.setCallee(call, .nobody, now: now) }
        carryOut(now)
    }

    /// Tells the caller how it is going, with a tag of this node's own (RFC 3261 section 21.1).
    package mutating func inform(_ id: OpenRequest, _ response: SIPResponse, now: Instant) {
        guard let slot = slot(id), let server = contexts[slot].server else { return }
        respond(server, written(response, id.slot), now)
        carryOut(now)
    }

    /// Nobody is asked any more: the caller gets this answer. No event follows.
    package mutating func close(_ id: OpenRequest, _ response: SIPResponse, now: Instant) {
        guard let slot = slot(id) else { return }
        cancelPending(id.slot, now)
        contexts[slot].pending.removeAll()
        if let server = contexts[slot].server { respond(server, written(response, id.slot), now) }
        if let call = contexts[slot].call { calls.end(call, .released) }
        finish(id.slot)
        carryOut(now)
    }

    /// The same with what those who were asked last have said, as they have said it.
    ///
    /// - Parameter response: for silence.
    package mutating func closeWithRefusal(_ id: OpenRequest, else response: SIPResponse, now: Instant) {
        guard let slot = slot(id) else { return }
        let refusal = contexts[slot].lastRefusal.text
        guard !refusal.isEmpty else { return close(id, response, now: now) }
        if let server = contexts[slot].server { respond(server, refusal, now) }
        if let call = contexts[slot].call { calls.end(call, .released) }
        finish(id.slot)
        carryOut(now)
    }

    /// What has become of open requests since this was asked before, in order.
    package mutating func takeOpenEvents() -> [OpenRequestEvent] {
        guard !openEvents.isEmpty else { return [] }
        defer { openEvents.removeAll(keepingCapacity: true) }
        return openEvents
    }

    package var hasOpenEvents: Bool { !openEvents.isEmpty }

    /// The ConnID of an open request's call.
    package func connection(of id: OpenRequest) -> CallConnection? {
        slot(id).flatMap { contexts[$0].call }.flatMap { calls.connection(of: $0) }
    }

    /// Those who were asked have all refused: whoever names targets hears of it.
    mutating func noteFailure(_ slot: Int32, _ now: Instant) {
        let status = contexts[Int(slot)].best.best?.status ?? 408
        contexts[Int(slot)].lastRefusal = (status, contexts[Int(slot)].bestText)
        contexts[Int(slot)].best = BestResponse()
        contexts[Int(slot)].bestText = []
        if let call = contexts[Int(slot)].call { calls.setCallee(call, .nobody, now: now) }
        let hadProgress = contexts[Int(slot)].hasProgress
        note(slot) { .failed($0, status: status, hadProgress: hadProgress) }
    }

    mutating func note(_ slot: Int32, _ event: (OpenRequest) -> OpenRequestEvent) {
        guard contexts[Int(slot)].isOpen else { return }
        openEvents.append(event(OpenRequest(slot: slot, generation: contexts[Int(slot)].generation)))
    }

    /// - Returns: nil for one that has been answered or has ended.
    private func slot(_ id: OpenRequest) -> Int? {
        let slot = Int(id.slot)
        guard slot < contexts.count else { return nil }
        let context = contexts[slot]
        guard context.generation == id.generation, context.phase == .proceeding, !context.isCancelled else {
            return nil
        }
        return slot
    }
}
