package import ClusterModel

// What the successor of this process is given of the transactions. What follows from them is made anew: keys, timers, bytes.
// A machine whose reading fails is of no use to anybody.
extension TransactionTable: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        state.places(1, &records)
        state.freePlaces(2, &free, state.isReading ? records.map { $0.machine.kind == .none } : [])
        var order = state.isReading ? [] : flowOrder
        state.numbers(3, &order)
        guard state.isReading, state.problem == nil else { return }
        rebuild(&state)
        joinFlows(order, &state)
    }

    /// Transactions that a stream's end concerns, in an order in which they can join the others of their streams again. A stream's
    /// end reaches the latest first.
    private var flowOrder: [UInt32] {
        var order: [UInt32] = []
        for flow in flows.keys.sorted(by: { $0.rawValue < $1.rawValue }) {
            let start = order.count
            var slot = flows[flow] ?? -1
            while slot >= 0 {
                order.append(UInt32(slot))
                slot = records[Int(slot)].flowNext
            }
            order[start...].reverse()
        }
        return order
    }

    private mutating func rebuild(_ state: inout StateTransfer) {
        slots = [:]
        slots.reserveCapacity(records.count - free.count)
        queue = DeadlineQueue()
        byteCount = 0
        for slot in records.indices where records[slot].machine.kind != .none {
            guard slots.updateValue(Int32(slot), forKey: records[slot].key) == nil else {
                return state.refuse("two transactions have one key")
            }
            byteCount += records[slot].message.count
            queue.set(slot, to: records[slot].deadline)
        }
    }

    /// Those that are not named have outlived their streams.
    private mutating func joinFlows(_ order: [UInt32], _ state: inout StateTransfer) {
        flows = [:]
        for number in order {
            let slot = Int(number)
            guard slot < records.count, records[slot].isReliable, records[slot].flowPrevious < 0,
                flows[records[slot].target.flow] != Int32(slot)
            else { return state.refuse("a transaction is over no stream, or over one twice") }
            joinFlow(slot)
        }
    }
}

extension TransactionRecord: Restorable {
    static var blank: TransactionRecord { TransactionRecord() }

    /// Of a free place nothing but its generation. The neighbours over a stream are found by their order.
    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &generation)
        var kind = machine.kind
        state.choice(2, &kind)
        guard kind != .none else { return }
        state.signed(3, &context)
        state.flag(4, &isCancelled)
        state.fixed(5, &key)
        state.bytes(6, &message)
        state.message(7, &target)
        switch kind {
        case .none: break
        case .inviteServer:
            var inner = InviteServerMachine(isReliable: isReliable)
            if case .inviteServer(let present) = machine { inner = present }
            state.message(8, &inner)
            machine = .inviteServer(inner)
        case .nonInviteServer:
            var inner = NonInviteServerMachine(isReliable: isReliable)
            if case .nonInviteServer(let present) = machine { inner = present }
            state.message(8, &inner)
            machine = .nonInviteServer(inner)
        case .inviteClient:
            var inner = InviteClientMachine(isReliable: isReliable)
            if case .inviteClient(let present) = machine { inner = present }
            state.message(8, &inner)
            machine = .inviteClient(inner)
        case .nonInviteClient:
            var inner = NonInviteClientMachine(isReliable: isReliable)
            if case .nonInviteClient(let present) = machine { inner = present }
            state.message(8, &inner)
            machine = .nonInviteClient(inner)
        }
    }
}

extension TransactionRecord.Machine {
    /// The raw values travel.
    enum Kind: UInt8 {
        case none, inviteServer, nonInviteServer, inviteClient, nonInviteClient
    }

    var kind: Kind {
        switch self {
        case .none: .none
        case .inviteServer: .inviteServer
        case .nonInviteServer: .nonInviteServer
        case .inviteClient: .inviteClient
        case .nonInviteClient: .nonInviteClient
        }
    }
}

extension ClientTransactionID: Restorable {
    package static var blank: ClientTransactionID { ClientTransactionID(slot: 0, generation: 0, context: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        var (slot, generation, context) = (self.slot, self.generation, self.context)
        state.place(1, &slot)
        state.number(2, &generation)
        state.place(3, &context)
        if state.isReading { self = ClientTransactionID(slot: slot, generation: generation, context: context) }
    }

    /// An order that is the same every time.
    func precedes(_ other: ClientTransactionID) -> Bool {
        slot != other.slot ? slot < other.slot : generation < other.generation
    }
}
