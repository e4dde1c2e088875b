package import ClusterModel

// Only the moments go over: who works on after a call is part of what the owner says of the DN.
extension WrapUpTimers: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        var moments: [DNIndex: Moment] = [:]
        if !state.isReading {
            var slot = 0
            while moments.count < queue.count {
                if let deadline = queue.deadline(of: slot) { moments[DNIndex(slot)] = Moment(deadline: deadline) }
                slot += 1
            }
        }
        state.table(1, &moments)
        guard state.isReading else { return }
        queue = DeadlineQueue()
        for (dn, moment) in moments { queue.set(dn.position, to: moment.deadline) }
    }

    private struct Moment: Restorable {
        /// Monotonic nanoseconds.
        var deadline: UInt64

        static var blank: Moment { Moment(deadline: 0) }

        mutating func transfer(_ state: inout StateTransfer) { state.number(1, &deadline) }
    }
}
