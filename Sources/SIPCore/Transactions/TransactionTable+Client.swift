package import ClusterModel

// Requests that are sent.
extension TransactionTable {
    /// Sends a request, and again as often as it must.
    ///
    /// - Parameters:
    ///   - request: the whole request, with a Via and a branch of this node on top.
    ///   - target: where it goes; with a flow, over that stream.
    package mutating func send(
        _ request: [UInt8], to target: SIPSource, context: Int32 = -1, now: Instant,
        into actions: inout [TransactionAction]
    ) throws(TransactionRefusal) -> ClientTransactionID {
        guard case .request = scratch.parse(request.span), !scratch.topVia.branch.isEmpty else { throw .unsuitable }
        return try send(
            request, scratch.method, key: keys.client(scratch, in: request.span), to: target, context: context,
            now: now, into: &actions)
    }

    /// The same for a request of which only the topmost Via has to be looked at: whoever wrote it knows the rest.
    ///
    /// - Parameters:
    ///   - method: one that this server knows.
    ///   - via: where the value of that Via is.
    mutating func send(
        _ request: [UInt8], _ method: SIPMethod, via: ByteRange, to target: SIPSource, context: Int32, now: Instant,
        into actions: inout [TransactionAction]
    ) throws(TransactionRefusal) -> ClientTransactionID {
        var parsed = Via()
        guard method != .unknown, request.span.parseVia(via, into: &parsed) else { throw .unsuitable }
        return try send(
            request, method, key: keys.client(method, parsed, in: request.span), to: target, context: context,
            now: now, into: &actions)
    }

    private mutating func send(
        _ request: [UInt8], _ method: SIPMethod, key: UInt64, to target: SIPSource, context: Int32, now: Instant,
        into actions: inout [TransactionAction]
    ) throws(TransactionRefusal) -> ClientTransactionID {
        guard method != .ack, method != .cancel else { throw .unsuitable }
        guard slot(of: key) == nil else { throw .known }
        guard hasRoom(for: .onward, bytes: request.count) else { throw .tableFull }
        let isReliable = target.flow != .none
        let slot = insert(
            method == .invite
                ? .inviteClient(InviteClientMachine(isReliable: isReliable, now: now, timings))
                : .nonInviteClient(NonInviteClientMachine(isReliable: isReliable, now: now, timings)),
            key: key, target: target, context: context)
        if records[slot].keepsMessage { keep(request, slot) }
        actions.append(.send(request, to: target))
        return clientID(slot)
    }

    /// A response has come. What is returned goes before the actions: one of them may be the end of the transaction.
    ///
    /// - Parameters:
    ///   - status: its code, as the parser says it.
    ///   - message: what was parsed from `datagram`; one that is not sound could not go on, and counts as stray.
    package mutating func receivedResponse(
        _ status: UInt16, _ message: borrowing SIPMessage, in datagram: Span<UInt8>, now: Instant,
        into actions: inout [TransactionAction]
    ) -> ResponseOutcome {
        guard message.isSound, let slot = slot(of: keys.client(message, in: datagram)) else { return .stray }
        let isOwn = records[slot].isOwn
        let id = clientID(slot)
        let steps = records[slot].responseCame(status, now: now, timings)
        if steps.contains(.acknowledge) { acknowledge(slot, message, datagram, &actions) }
        settle(slot, steps, &actions, now)
        // 100 is between two hops (section 16.7, item 5).
        return steps.contains(.passUp) && !isOwn && status > 100 ? .forward(id) : .absorbed
    }

    /// Cancels an INVITE: as soon as a provisional response says that somebody has it, and only if no final one came (section
    /// 9.1). The final response to the INVITE is still passed up, or the transaction times out 64 T1 after the CANCEL. For
    /// other requests this does nothing.
    package mutating func cancel(_ id: ClientTransactionID, now: Instant, into actions: inout [TransactionAction]) {
        guard let slot = slot(id), case .inviteClient(var machine) = records[slot].machine else { return }
        let steps = machine.cancel(now: now, timings)
        records[slot].machine = .inviteClient(machine)
        settle(slot, steps, &actions, now)
    }

    /// Sets timer C of an INVITE, which is renewed by each provisional response but 100: when it fires, the INVITE is
    /// cancelled (section 16.8). Without this it is that of the timings.
    ///
    /// - Parameter interval: nanoseconds from now, and from each of those responses.
    package mutating func limitRinging(
        _ id: ClientTransactionID, to interval: UInt64, now: Instant, into actions: inout [TransactionAction]
    ) {
        guard let slot = slot(id), case .inviteClient(var machine) = records[slot].machine else { return }
        machine.limitRinging(to: interval, now: now)
        records[slot].machine = .inviteClient(machine)
        settle(slot, [], &actions, now)
    }

    /// Sets timer B of an INVITE: without any response until then it ends, timed out (section 17.1.1.2, where it is 64 T1).
    ///
    /// - Parameter interval: nanoseconds from now.
    package mutating func limitCalling(
        _ id: ClientTransactionID, to interval: UInt64, now: Instant, into actions: inout [TransactionAction]
    ) {
        guard let slot = slot(id), case .inviteClient(var machine) = records[slot].machine else { return }
        machine.limitCalling(to: interval, now: now)
        records[slot].machine = .inviteClient(machine)
        settle(slot, [], &actions, now)
    }

    private mutating func acknowledge(
        _ slot: Int, _ response: borrowing SIPMessage, _ datagram: Span<UInt8>, _ actions: inout [TransactionAction]
    ) {
        let request = records[slot].message
        guard case .request = scratch.parse(request.span) else { return }
        var ack: [UInt8] = []
        scratch.writeAck(of: request.span, to: response, in: datagram, into: &ack)
        keep(ack, slot)
        actions.append(.send(ack, to: records[slot].target))
    }

    /// A CANCEL for which there is no room is sent once, and not again.
    mutating func sendCancel(of slot: Int, _ actions: inout [TransactionAction], _ now: Instant) {
        let request = records[slot].message
        let target = records[slot].target
        guard case .request = scratch.parse(request.span) else { return }
        var cancel: [UInt8] = []
        scratch.writeCancel(of: request.span, into: &cancel)
        actions.append(.send(cancel, to: target))
        let key = keys.client(scratch, in: request.span, method: .cancel)
        guard hasRoom(for: .completion, bytes: cancel.count), self.slot(of: key) == nil else { return }
        let machine = NonInviteClientMachine(isReliable: target.flow != .none, now: now, timings)
        let own = insert(.nonInviteClient(machine), key: key, target: target)
        records[own].isCancelled = true
        if records[own].keepsMessage { keep(cancel, own) }
    }
}
