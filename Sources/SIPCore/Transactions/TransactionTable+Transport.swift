package import ClusterModel

// What could not be sent, and transactions over streams (RFC 3261 sections 17.1.4 and 17.2.4, RFC 6026 section 8.8).
extension TransactionTable {
    /// Streams over which there are transactions.
    package var streams: Set<FlowID> { Set(flows.keys) }

    /// A message of a client could not be sent.
    package mutating func transportFailed(
        _ id: ClientTransactionID, now: Instant, into actions: inout [TransactionAction]
    ) {
        guard let slot = slot(id) else { return }
        let steps = records[slot].transportFailed()
        settle(slot, steps, &actions, now)
    }

    /// A response could not be sent.
    package mutating func transportFailed(
        _ id: ServerTransactionID, now: Instant, into actions: inout [TransactionAction]
    ) {
        guard let slot = slot(id) else { return }
        let steps = records[slot].transportFailed()
        settle(slot, steps, &actions, now)
    }

    /// A stream has ended, and what was sent over it may have been lost: clients fail, servers reach nobody any more. What these
    /// still send goes to the stream that there was.
    package mutating func flowEnded(_ flow: FlowID, now: Instant, into actions: inout [TransactionAction]) {
        while let slot = flows[flow] {
            leaveFlow(Int(slot))
            let steps = records[Int(slot)].transportFailed()
            settle(Int(slot), steps, &actions, now)
        }
    }

    mutating func joinFlow(_ slot: Int) {
        let flow = records[slot].target.flow
        guard flow != .none else { return }
        let next = flows[flow] ?? -1
        records[slot].flowNext = next
        records[slot].flowPrevious = -1
        if next >= 0 { records[Int(next)].flowPrevious = Int32(slot) }
        flows[flow] = Int32(slot)
    }

    /// Does nothing to one that has left.
    mutating func leaveFlow(_ slot: Int) {
        let flow = records[slot].target.flow
        let next = records[slot].flowNext
        let previous = records[slot].flowPrevious
        guard flow != .none, previous >= 0 || flows[flow] == Int32(slot) else { return }
        if next >= 0 { records[Int(next)].flowPrevious = previous }
        if previous >= 0 {
            records[Int(previous)].flowNext = next
        } else {
            flows[flow] = next >= 0 ? next : nil
        }
        records[slot].flowNext = -1
        records[slot].flowPrevious = -1
    }
}
