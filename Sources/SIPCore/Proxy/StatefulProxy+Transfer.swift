package import ClusterModel

// What the successor of this process is given of the requests that go on.
extension StatefulProxy: Transferable {
    /// Called at the end of a turn: what was to be sent, what came back, and what has become of open requests and of phones is
    /// with whoever takes it, and does not go over.
    ///
    /// After something was refused the proxy is of no use.
    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &transactions)
        state.message(2, &calls)
        state.message(3, &branches)
        state.places(4, &contexts)
        state.freePlaces(5, &freeContexts, state.isReading ? contexts.map { $0.phase == .free } : [])
        state.message(6, &trunkLegs)
        guard state.isReading else { return }
        tie(&state)
        for slot in contexts.indices { check(Int32(slot), &state) }
        for id in trunkLegs.holders where !isAwaited(id) {
            state.refuse("an INVITE that is over has a place on a trunk")
        }
    }

    /// Each transaction says which request it belongs to, so requests need not say which transactions are theirs.
    private mutating func tie(_ state: inout StateTransfer) {
        for slot in contexts.indices {
            contexts[slot].server = nil
            contexts[slot].clients = 0
        }
        for slot in transactions.records.indices where state.problem == nil {
            let context = Int(transactions.records[slot].context)
            switch transactions.records[slot].machine.kind {
            case .none: continue
            case .inviteServer, .nonInviteServer:
                // Of one that has its final response nobody needs to hear.
                guard context != -1 else { continue }
                guard isTaken(context), contexts[context].server == nil else {
                    return state.refuse("transaction \(slot) came with no request, or with that of another")
                }
                contexts[context].server = transactions.serverID(slot)
            case .inviteClient, .nonInviteClient:
                guard !transactions.records[slot].isOwn else { continue }
                guard isTaken(context) else { return state.refuse("transaction \(slot) is of no request") }
                contexts[context].clients += 1
            }
        }
    }

    private func isTaken(_ context: Int) -> Bool {
        contexts.indices.contains(context) && contexts[context].phase != .free
    }

    private func check(_ slot: Int32, _ state: inout StateTransfer) {
        let context = contexts[Int(slot)]
        guard context.phase != .free else { return }
        guard !context.isOver else { return state.refuse("request \(slot) has no transactions any more") }
        guard context.pending.allSatisfy({ $0.context == slot && isAwaited($0) }),
            Set(context.pending).count == context.pending.count
        else { return state.refuse("request \(slot) waits for what is not there") }
    }

    /// Whether there is a transaction whose end this proxy hears of.
    private func isAwaited(_ id: ClientTransactionID) -> Bool {
        guard let slot = transactions.slot(id), transactions.clientID(slot) == id else { return false }
        switch transactions.records[slot].machine.kind {
        case .none, .inviteServer, .nonInviteServer: return false
        case .inviteClient, .nonInviteClient: return !transactions.records[slot].isOwn
        }
    }
}

extension OpenRequest: Restorable {
    package static var blank: OpenRequest { OpenRequest(slot: 0, generation: 0) }

    /// One that is over, or never was, leads nowhere.
    package mutating func transfer(_ state: inout StateTransfer) {
        var (slot, generation) = (self.slot, self.generation)
        state.place(1, &slot)
        state.number(2, &generation)
        if state.isReading { self = OpenRequest(slot: slot, generation: generation) }
    }
}
