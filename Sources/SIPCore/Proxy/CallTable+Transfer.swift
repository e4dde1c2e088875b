package import ClusterModel

// What the successor of this process is given of the calls. What follows from them is made anew; where several calls have the
// same names, or the same party, their order goes over. Changes that nobody has taken do not: whoever is handed over has taken
// them at the end of his turn.
extension CallTable: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        transferRecords(1, &state)
        state.freePlaces(2, &free, state.isReading ? records.map { !$0.isUsed } : [])
        var namesakes = state.isReading ? [] : orderOfNamesakes
        state.numbers(3, &namesakes)
        var parties = state.isReading ? [] : orderOfParties
        state.numbers(4, &parties)
        var changes = trunkUse.changes
        state.number(5, &changes)
        guard state.isReading, state.problem == nil else { return }
        rebuildNames(namesakes, &state)
        rebuildChains(parties, &state)
        trunkUse.goOn(from: changes)
    }

    private mutating func transferRecords(_ field: Int, _ state: inout StateTransfer) {
        guard state.isReading else {
            for slot in records.indices {
                var call = TransferredCall(record: records[slot], deadline: queue.deadline(of: slot))
                state.message(field, &call)
            }
            return
        }
        var read: [TransferredCall] = []
        state.places(field, &read)
        guard read.count <= Self.maximumCount else { return state.refuse("there are more calls than there may be") }
        records = read.map(\.record)
        queue = DeadlineQueue()
        trunkUse = TrunkUse()
        count = 0
        for slot in records.indices where records[slot].isUsed {
            count += 1
            queue.set(slot, to: read[slot].deadline ?? DeadlineQueue.never)
            records[slot].call.callerTrunk.map { trunkUse.begin($0) }
            records[slot].call.calleeTrunk.map { trunkUse.begin($0) }
        }
    }

    // MARK: Calls under the same names

    /// Calls that share their names with others, in an order in which they can join them again.
    private var orderOfNamesakes: [UInt32] {
        var order: [UInt32] = []
        for slot in records.indices where records[slot].next >= 0 && slots[records[slot].key] == Int32(slot) {
            let start = order.count
            var other = Int32(slot)
            while other >= 0 {
                order.append(UInt32(other))
                other = records[Int(other)].next
            }
            order[start...].reverse()
        }
        return order
    }

    private mutating func rebuildNames(_ order: [UInt32], _ state: inout StateTransfer) {
        slots = [:]
        slots.reserveCapacity(count)
        var isNamed = Array(repeating: false, count: records.count)
        for number in order {
            let slot = Int(number)
            guard slot < records.count, records[slot].isUsed, !isNamed[slot] else {
                return state.refuse("call \(number) cannot have the names of another")
            }
            isNamed[slot] = true
            putFirst(slot)
        }
        for slot in records.indices where records[slot].isUsed && !isNamed[slot] { putFirst(slot) }
    }

    /// Before all that have the same names.
    private mutating func putFirst(_ slot: Int) {
        records[slot].next = slots[records[slot].key] ?? -1
        slots[records[slot].key] = Int32(slot)
    }

    // MARK: Calls of a DN

    /// The sides of calls of DNs that have more than one, in an order in which they can join the others again.
    private var orderOfParties: [UInt32] {
        var order: [UInt32] = []
        let several = chains.latest.filter { links($0.value).earlier != nil }
        for (_, latest) in several.sorted(by: { $0.key < $1.key }) {
            let start = order.count
            var place: DNChains.Place? = latest
            while let present = place {
                order.append(UInt32(bitPattern: present.rawValue))
                place = links(present).earlier
            }
            order[start...].reverse()
        }
        return order
    }

    private mutating func rebuildChains(_ order: [UInt32], _ state: inout StateTransfer) {
        chains = DNChains()
        for number in order {
            let slot = Int(number >> 1)
            let side = number & 1 == 1 ? DNChains.Side.callee : .caller
            guard slot < records.count, records[slot].isUsed else {
                return state.refuse("a side of call \(slot) is none")
            }
            // Its DN is not provisioned any more, and the call goes on as one of nobody's.
            if state.renumbering != nil, dn(slot, side) == nil { continue }
            guard dn(slot, side) != nil, joinOnce(slot, side) else {
                return state.refuse("a side of call \(slot) is no DN's, or a DN's twice")
            }
        }
        for slot in records.indices where records[slot].isUsed {
            _ = joinOnce(slot, .caller)
            _ = joinOnce(slot, .callee)
        }
    }

    private mutating func joinOnce(_ slot: Int, _ side: DNChains.Side) -> Bool {
        guard !links(DNChains.Place(slot, side)).isJoined else { return false }
        join(slot, side)
        return true
    }
}

/// A place in the table, with what the table's queue knows of it.
private struct TransferredCall: Restorable {
    var record: CallTable.Record
    /// Monotonic nanoseconds.
    var deadline: UInt64?

    static var blank: TransferredCall { TransferredCall(record: CallTable.Record(), deadline: nil) }

    /// Of a free place nothing but its generation.
    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &record.generation)
        state.flag(2, &record.isUsed)
        guard record.isUsed else { return }
        state.fixed(3, &record.key)
        state.optional(4, &deadline)
        state.message(5, &record.call)
    }
}

extension Call: Restorable {
    package static var blank: Call { Call() }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.bytes(1, &callID)
        state.bytes(2, &callerTag)
        state.bytes(3, &calleeTag)
        state.number(4, &connection)
        state.message(5, &parties)
        state.text(6, &callerText)
        state.text(7, &dialedText)
        state.optional(8, &callerTrunk)
        state.optional(9, &calleeTrunk)
        state.choice(10, &self.state)
        state.message(11, &since)
        state.message(12, &begun)
        state.message(13, &askedSince)
    }
}

extension CallParties: Restorable {
    package static var blank: CallParties { CallParties(caller: nil, callee: nil) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.optional(1, &caller)
        state.optional(2, &callee)
        state.flag(3, &isCallerNear)
        state.flag(4, &isCalleeNear)
        state.optional(5, &routingPoint)
    }
}

extension CallID: Restorable {
    package static var blank: CallID { CallID(slot: 0, generation: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        var (slot, generation) = (self.slot, self.generation)
        state.place(1, &slot)
        state.number(2, &generation)
        if state.isReading { self = CallID(slot: slot, generation: generation) }
    }
}
