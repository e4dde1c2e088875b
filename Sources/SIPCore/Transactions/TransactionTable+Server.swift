package import ClusterModel

// Requests that were received.
extension TransactionTable {
    /// A request has come; first of all it is asked here whether it is known.
    ///
    /// - Parameter message: what was parsed from `datagram`, without a fault.
    package mutating func receivedRequest(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: SIPSource, now: Instant,
        into actions: inout [TransactionAction]
    ) -> RequestOutcome {
        let slot = slot(of: keys.server(message, in: datagram))
        switch message.method {
        case .ack:
            return acknowledged(slot, source, now, &actions)
        case .cancel:
            return cancelled(slot, message, datagram, source, &actions)
        case .register, .options, .invite, .bye, .subscribe, .notify, .publish, .message, .info, .update, .refer,
            .prack, .unknown:
            guard let slot else { return .new }
            let steps = records[slot].requestCame()
            settle(slot, steps, &actions, now)
            return .absorbed
        }
    }

    /// Begins the transaction of a request that is new. An INVITE gets its 100 at once; others get it when the sender has
    /// waited so long that RFC 4320 wants it.
    ///
    /// The user responds in the end; where he has nothing to say in time, a transaction that is no INVITE's ends without.
    package mutating func open(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: SIPSource, context: Int32 = -1,
        now: Instant, into actions: inout [TransactionAction]
    ) throws(TransactionRefusal) -> ServerTransactionID {
        guard message.method != .ack, message.method != .cancel, message.isSound else { throw .unsuitable }
        let key = keys.server(message, in: datagram)
        guard slot(of: key) == nil else { throw .known }
        // What belongs to a dialog goes before what would begin one: a call that is accepted must be able to end.
        let purpose = message.to.tag.isEmpty ? Purpose.request : .onward
        guard hasRoom(for: purpose, bytes: 0) else { throw .tableFull }
        var trying: [UInt8] = []
        writer.write(
            SIPResponse(.trying, extra: .timestamp), to: message, in: datagram, from: source.address, into: &trying)
        guard hasRoom(for: purpose, bytes: trying.count) else { throw .tableFull }
        let target = answerTarget(of: message, from: source)
        let isReliable = source.flow != .none
        let machine: TransactionRecord.Machine
        if message.method == .invite {
            machine = .inviteServer(InviteServerMachine(isReliable: isReliable))
            actions.append(.send(trying, to: target))
        } else {
            machine = .nonInviteServer(NonInviteServerMachine(isReliable: isReliable, now: now, timings))
        }
        let slot = insert(machine, key: key, target: target, context: context)
        keep(trying, slot)
        return serverID(slot)
    }

    /// The user of a transaction responds.
    ///
    /// - Parameter response: the whole response, from its status line on.
    /// - Returns: false if it was not sent: the transaction is over, or must not say that after what it has said.
    @discardableResult
    package mutating func respond(
        _ id: ServerTransactionID, _ response: [UInt8], now: Instant, into actions: inout [TransactionAction]
    ) -> Bool {
        guard let slot = slot(id), let status = response.span.status else { return false }
        let steps = records[slot].respond(status, now: now, timings)
        let isSent = steps.contains(.send)
        if isSent {
            actions.append(.send(response, to: records[slot].target))
            if records[slot].keepsMessage { keep(response, slot) }
        }
        settle(slot, steps, &actions, now)
        return isSent
    }

    /// The user wants to hear no more of a transaction that he has given a final response: it ends by itself, and he is not told.
    package mutating func forget(_ id: ServerTransactionID) {
        guard let slot = slot(id) else { return }
        records[slot].context = -1
    }

    private mutating func acknowledged(
        _ slot: Int?, _ source: SIPSource, _ now: Instant, _ actions: inout [TransactionAction]
    ) -> RequestOutcome {
        guard let slot, isSender(source, of: slot), case .inviteServer(var machine) = records[slot].machine else {
            return .ack(of: nil)
        }
        let steps = machine.acknowledged(now: now, timings)
        records[slot].machine = .inviteServer(machine)
        if steps.contains(.passUp) { return .ack(of: serverID(slot)) }
        settle(slot, steps, &actions, now)
        return .absorbed
    }

    /// The answer is the same whenever the CANCEL comes, so it needs no transaction of its own (section 9.2).
    private mutating func cancelled(
        _ slot: Int?, _ message: borrowing SIPMessage, _ datagram: Span<UInt8>, _ source: SIPSource,
        _ actions: inout [TransactionAction]
    ) -> RequestOutcome {
        guard let slot, isSender(source, of: slot), case .inviteServer(let machine) = records[slot].machine else {
            return .cancel(of: nil)
        }
        var answer: [UInt8] = []
        writer.write(SIPResponse(.ok), to: message, in: datagram, from: source.address, into: &answer)
        actions.append(.send(answer, to: answerTarget(of: message, from: source)))
        guard machine.state == .proceeding, !records[slot].isCancelled else { return .absorbed }
        records[slot].isCancelled = true
        return .cancel(of: serverID(slot))
    }

    /// Whether an ACK or CANCEL comes from the host that the INVITE came from: nobody else ends calls, even if he knows a
    /// branch.
    private func isSender(_ source: SIPSource, of slot: Int) -> Bool {
        let address = records[slot].target.address
        return address.high == source.address.high && address.low == source.address.low
    }

    private func answerTarget(of message: borrowing SIPMessage, from source: SIPSource) -> SIPSource {
        guard source.flow == .none else { return source }
        return SIPSource(writer.target(of: message, from: source.address), listener: source.listener)
    }
}

extension Span<UInt8> {
    /// The status of a response that this node has written.
    fileprivate var status: UInt16? {
        guard count > 12, word(at: 0) == 0x2030_2E32_2F50_4953, let status = decimal(ByteRange(8, 11)), status >= 100,
            status < 700
        else { return nil }
        return UInt16(status)
    }
}
