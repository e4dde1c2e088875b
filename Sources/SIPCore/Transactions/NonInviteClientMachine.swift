package import ClusterModel

/// A request other than INVITE and ACK that was sent (RFC 3261 figure 6).
package struct NonInviteClientMachine: Hashable, Sendable {
    /// The raw values travel.
    package enum State: UInt8, Hashable, Sendable {
        /// Nobody has answered. To any other.
        case trying
        /// Somebody has it. To `completed` by a final response.
        case proceeding
        /// Absorbs what comes again. To `ended` by timer K.
        case completed
        case ended
    }

    package private(set) var state = State.trying
    var timers = TransactionTimers()
    private let isReliable: Bool

    /// The request is sent now.
    ///
    /// - Parameter isReliable: over a stream.
    package init(isReliable: Bool, now: Instant, _ timings: TransactionTimings) {
        self.isReliable = isReliable
        if !isReliable { timers.resend(after: timings.t1, now) }
        timers.end(after: timings.timeout, now)
    }

    /// Whether the request may have to go out again.
    var keepsMessage: Bool { !isReliable && (state == .trying || state == .proceeding) }

    /// A response came.
    package mutating func responseCame(
        _ status: UInt16, now: Instant, _ timings: TransactionTimings
    ) -> TransactionSteps {
        switch state {
        case .trying, .proceeding:
            guard status >= 200 else {
                state = .proceeding
                return .passUp
            }
            timers.stop()
            guard !isReliable else {
                state = .ended
                return [.passUp, .ended]
            }
            state = .completed
            timers.end(after: timings.t4, now)
            return .passUp
        case .completed, .ended:
            return []
        }
    }

    /// The request could not be sent.
    package mutating func transportFailed() -> TransactionSteps {
        switch state {
        case .trying, .proceeding:
            timers.stop()
            state = .ended
            return [.failed, .ended]
        case .completed, .ended:
            return []
        }
    }

    /// Looks at timers E, F and K.
    package mutating func tick(now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        if timers.endIsDue(now) {
            let isLate = state != .completed
            timers.stop()
            state = .ended
            return isLate ? [.timedOut, .ended] : .ended
        }
        guard timers.resendIsDue(now) else { return [] }
        timers.resend(after: state == .proceeding ? timings.t2 : min(timers.interval &* 2, timings.t2), now)
        return .resend
    }
}

extension NonInviteClientMachine: Transferable {
    /// Before it is read: nothing was sent, and nothing is waited for.
    init(isReliable: Bool) { self.isReliable = isReliable }

    package mutating func transfer(_ transfer: inout StateTransfer) {
        transfer.choice(1, &state)
        transfer.message(2, &timers)
        if transfer.isReading, state == .ended { transfer.refuse("a transaction is over that should go on") }
    }
}
