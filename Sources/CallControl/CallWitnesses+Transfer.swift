import AgentSessions
package import ClusterModel

// What the successor of this process is given of other nodes' words, and of those that it owes them.
extension CallWitnesses: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        state.table(1, &entries)
        state.list(2, &changed)
        guard state.isReading else { return }
        queue = DeadlineQueue()
        for dn in entries.keys.sorted() { settle(dn) }
    }
}

extension CallWitnesses.Entry: Restorable {
    static var blank: CallWitnesses.Entry { CallWitnesses.Entry() }

    mutating func transfer(_ state: inout StateTransfer) {
        state.table(1, &words)
        state.optional(2, &busyUntil)
        guard state.isReading else { return }
        words = words.filter { node, word in node != .none && !word.calls.isEmpty }
    }
}

extension CallWitnesses.Word: Restorable {
    static var blank: CallWitnesses.Word { CallWitnesses.Word(calls: []) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.list(1, &calls)
        state.optional(2, &endsAt)
    }
}

extension CallWitnesses.CallsChanged: Restorable {
    package static var blank: CallWitnesses.CallsChanged { CallWitnesses.CallsChanged(dn: DNIndex(0)) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &dn)
        state.optional(2, &ended)
    }
}

extension CallReports: Restorable {
    package static var blank: CallReports { CallReports() }

    package mutating func transfer(_ state: inout StateTransfer) {
        var rest = order[position...].compactMap { dn in
            owed[dn].map { CallWitnesses.CallsChanged(dn: dn, ended: $0) }
        }
        state.list(1, &rest)
        state.flag(2, &owesEnd)
        guard state.isReading else { return }
        (order, position, owed) = ([], 0, [:])
        for report in rest { owe(report.dn, ended: report.ended) }
    }
}
