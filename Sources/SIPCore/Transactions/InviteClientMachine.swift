package import ClusterModel

/// An INVITE that was sent (RFC 3261 figure 5, RFC 6026 figure 6), with a proxy's timer C (section 16.6, item 11).
package struct InviteClientMachine: Hashable, Sendable {
    /// The raw values travel.
    package enum State: UInt8, Hashable, Sendable {
        /// Nobody has answered. To any other.
        case calling
        /// The phone rings. To any of those below.
        case proceeding
        /// After a final response other than 2xx, which is acknowledged each time. To `ended` by timer D.
        case completed
        /// After a 2xx; each more is passed up. To `ended` by timer M.
        case accepted
        case ended
    }

    package private(set) var state = State.calling
    /// The transaction user wants it cancelled; the CANCEL waits for a provisional response.
    package private(set) var isCancelled = false
    var timers = TransactionTimers()
    /// What timer C is set to, nanoseconds.
    private var ringing: UInt64
    private let isReliable: Bool

    /// The INVITE is sent now.
    ///
    /// - Parameter isReliable: over a stream.
    package init(isReliable: Bool, now: Instant, _ timings: TransactionTimings) {
        self.isReliable = isReliable
        ringing = timings.c
        if !isReliable { timers.resend(after: timings.t1, now) }
        timers.end(after: timings.timeout, now)
    }

    /// Whether the request, or its ACK, is still needed.
    var keepsMessage: Bool { state == .calling || state == .proceeding || state == .completed }

    /// A response came.
    package mutating func responseCame(
        _ status: UInt16, now: Instant, _ timings: TransactionTimings
    ) -> TransactionSteps {
        switch (state, ResponseClass(status)) {
        case (.calling, .provisional):
            state = .proceeding
            timers.stopResending()
            timers.end(after: isCancelled ? timings.timeout : ringing, now)
            return isCancelled ? [.passUp, .cancel] : .passUp
        case (.proceeding, .provisional):
            if status > 100, !isCancelled { timers.end(after: ringing, now) }
            return .passUp
        case (.calling, .success), (.proceeding, .success):
            state = .accepted
            timers.stop()
            timers.end(after: timings.timeout, now)
            return .passUp
        case (.calling, .failure), (.proceeding, .failure):
            timers.stop()
            guard !isReliable else {
                state = .ended
                return [.acknowledge, .passUp, .ended]
            }
            state = .completed
            timers.end(after: timings.timeout, now)
            return [.acknowledge, .passUp]
        case (.completed, .failure):
            return .resend
        case (.accepted, .success):
            return .passUp
        case (.completed, .provisional), (.completed, .success), (.accepted, .provisional), (.accepted, .failure),
            (.ended, _):
            return []
        }
    }

    /// The transaction user wants no more of it. If no final response comes within 64 T1 of the CANCEL the transaction ends
    /// (section 9.1).
    package mutating func cancel(now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        guard !isCancelled else { return [] }
        switch state {
        case .calling:
            isCancelled = true
            return []
        case .proceeding:
            isCancelled = true
            timers.end(after: timings.timeout, now)
            return .cancel
        case .completed, .accepted, .ended:
            return []
        }
    }

    /// Sets timer C, which provisional responses but 100 renew.
    package mutating func limitRinging(to interval: UInt64, now: Instant) {
        ringing = interval
        if state == .proceeding, !isCancelled { timers.end(after: interval, now) }
    }

    /// Sets timer B: how long it may take until anybody responds at all.
    package mutating func limitCalling(to interval: UInt64, now: Instant) {
        if state == .calling { timers.end(after: interval, now) }
    }

    /// The INVITE or its ACK could not be sent.
    package mutating func transportFailed() -> TransactionSteps {
        switch state {
        case .calling, .proceeding, .completed:
            timers.stop()
            state = .ended
            return [.failed, .ended]
        case .accepted, .ended:
            return []
        }
    }

    /// Looks at timers A, B, C, D and M. When C fires the INVITE is cancelled (section 16.8).
    package mutating func tick(now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        if timers.endIsDue(now) {
            if state == .proceeding, !isCancelled { return cancel(now: now, timings) }
            let isLate = state == .calling || state == .proceeding
            timers.stop()
            state = .ended
            return isLate ? [.timedOut, .ended] : .ended
        }
        guard timers.resendIsDue(now) else { return [] }
        timers.resend(after: timers.interval &* 2, now)
        return .resend
    }
}

extension InviteClientMachine: Transferable {
    /// Before it is read: nothing was sent, and nothing is waited for.
    init(isReliable: Bool) {
        self.isReliable = isReliable
        ringing = 0
    }

    package mutating func transfer(_ transfer: inout StateTransfer) {
        transfer.choice(1, &state)
        transfer.flag(2, &isCancelled)
        transfer.message(3, &timers)
        transfer.number(4, &ringing)
        if transfer.isReading, state == .ended { transfer.refuse("a transaction is over that should go on") }
    }
}
