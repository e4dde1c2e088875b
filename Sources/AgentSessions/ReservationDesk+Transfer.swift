package import ClusterModel

// What the successor of this process is given of reservations: every lease goes on until its moment under its own token, and
// every window ends when it would have.
extension ReservationDesk: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        state.tally(1, &count)
        state.tally(2, &expired)
        state.table(3, &leases)
        var open = windows.reduce(into: [DNIndex: Window]()) { open, entry in
            open[entry.key] = Window(
                deadline: queue.deadline(of: entry.key.position) ?? DeadlineQueue.never, candidates: entry.value)
        }
        state.table(4, &open)
        guard state.isReading else { return }
        guard open.keys.allSatisfy({ leases[$0] == nil }) else {
            return state.refuse("an agent is reserved and asked for at a time")
        }
        windows = open.mapValues(\.candidates)
        queue = DeadlineQueue()
        for (dn, lease) in leases { queue.set(dn.position, to: lease.deadline) }
        for (dn, window) in open { queue.set(dn.position, to: window.deadline) }
    }

    /// Requests that are collected, and until when: monotonic nanoseconds.
    private struct Window: Restorable {
        var deadline: UInt64
        var candidates: [Candidate]

        static var blank: Window { Window(deadline: 0, candidates: []) }

        mutating func transfer(_ state: inout StateTransfer) {
            state.number(1, &deadline)
            state.list(2, &candidates)
        }
    }
}

extension ReservationDesk.Lease: Restorable {
    package static var blank: ReservationDesk.Lease {
        ReservationDesk.Lease(token: .blank, holder: .blank, agent: .blank, priority: 0, deadline: 0, since: 0)
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &token)
        state.message(2, &holder)
        state.message(3, &agent)
        state.signed(4, &priority)
        state.number(5, &deadline)
        state.optional(6, &call)
        state.number(7, &since)
    }
}

extension ReservationDesk.Candidate: Restorable {
    static var blank: ReservationDesk.Candidate {
        ReservationDesk.Candidate(asker: .blank, request: .blank)
    }

    mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &asker)
        state.message(2, &request)
        // Nobody is left to be answered.
        if state.isReading, asker.holder.node == .none { state.lose() }
    }
}

extension ReservationDesk.Asker: Restorable {
    package static var blank: ReservationDesk.Asker { ReservationDesk.Asker(holder: .blank, number: 0) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &holder)
        state.number(2, &number)
        state.number(3, &connection)
    }
}
