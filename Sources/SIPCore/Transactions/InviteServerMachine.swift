package import ClusterModel

/// An INVITE that was received (RFC 3261 figure 7, RFC 6026 figure 5).
package struct InviteServerMachine: Hashable, Sendable {
    /// The raw values travel.
    package enum State: UInt8, Hashable, Sendable {
        /// To any of the next two, by a final response.
        case proceeding
        /// After a 2xx. The transaction user says it again if it must; to `ended` by timer L.
        case accepted
        /// After another final response, which is said again until the ACK; to `confirmed`, or to `ended` by timer H.
        case completed
        /// The ACK came. To `ended` by timer I.
        case confirmed
        case ended
    }

    package private(set) var state = State.proceeding
    var timers = TransactionTimers()
    private let isReliable: Bool

    /// - Parameter isReliable: the request came over a stream.
    package init(isReliable: Bool) {
        self.isReliable = isReliable
    }

    /// Whether the last response may have to go out again.
    var keepsMessage: Bool { state == .proceeding || state == .completed }

    /// The INVITE came again.
    package mutating func requestCame() -> TransactionSteps {
        switch state {
        case .proceeding, .completed: .resend
        case .accepted, .confirmed, .ended: []
        }
    }

    /// The transaction user responds. Nothing follows a final response but a 2xx a 2xx.
    package mutating func respond(_ status: UInt16, now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        switch (state, ResponseClass(status)) {
        case (.proceeding, .provisional):
            return .send
        case (.proceeding, .success):
            state = .accepted
            timers.end(after: timings.timeout, now)
            return .send
        case (.proceeding, .failure):
            state = .completed
            timers.end(after: timings.timeout, now)
            if !isReliable { timers.resend(after: timings.t1, now) }
            return .send
        case (.accepted, .success):
            return .send
        case (.accepted, .provisional), (.accepted, .failure), (.completed, _), (.confirmed, _), (.ended, _):
            return []
        }
    }

    /// An ACK came. That of a 2xx is the transaction user's (RFC 6026 section 7.1).
    package mutating func acknowledged(now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        switch state {
        case .accepted:
            return .passUp
        case .completed:
            timers.stop()
            guard !isReliable else {
                state = .ended
                return .ended
            }
            state = .confirmed
            timers.end(after: timings.t4, now)
            return []
        case .proceeding, .confirmed, .ended:
            return []
        }
    }

    /// A response could not be sent. The transaction stays as it is (RFC 6026 section 8.8).
    package mutating func transportFailed() -> TransactionSteps {
        state == .ended || state == .confirmed ? [] : .failed
    }

    /// Looks at timers G, H, I and L.
    package mutating func tick(now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        if timers.endIsDue(now) {
            let isLate = state == .completed
            timers.stop()
            state = .ended
            return isLate ? [.timedOut, .ended] : .ended
        }
        guard timers.resendIsDue(now) else { return [] }
        timers.resend(after: min(timers.interval &* 2, timings.t2), now)
        return .resend
    }
}

extension InviteServerMachine: Transferable {
    package mutating func transfer(_ transfer: inout StateTransfer) {
        transfer.choice(1, &state)
        transfer.message(2, &timers)
        if transfer.isReading, state == .ended { transfer.refuse("a transaction is over that should go on") }
    }
}
