package import ClusterModel

/// A request other than INVITE and ACK that was received (RFC 3261 figure 8, RFC 4320).
package struct NonInviteServerMachine: Hashable, Sendable {
    /// The raw values travel.
    package enum State: UInt8, Hashable, Sendable {
        /// To `proceeding` when the sender should hear that the request is here, to `completed` by a final response, to
        /// `expired` without.
        case trying
        /// To `completed` by a final response, to `expired` without.
        case proceeding
        /// To `ended` by timer J.
        case completed
        /// It is too late for a response. Absorbs what the network still has of the request, or it would be new; to `ended`
        /// thereafter.
        case expired
        case ended
    }

    package private(set) var state = State.trying
    /// Before the final response: when the sender is told 100, and when he waits no more.
    var timers = TransactionTimers()
    private let isReliable: Bool

    /// The request has come now.
    ///
    /// - Parameter isReliable: over a stream.
    package init(isReliable: Bool, now: Instant, _ timings: TransactionTimings) {
        self.isReliable = isReliable
        timers.resend(after: timings.trying, now)
        timers.end(after: timings.timeout, now)
    }

    /// Whether the last response, or the 100 that is not sent yet, may have to go out.
    var keepsMessage: Bool { state != .expired && state != .ended }

    /// The request came again.
    package mutating func requestCame() -> TransactionSteps {
        switch state {
        case .proceeding, .completed: .resend
        case .trying, .expired, .ended: []
        }
    }

    /// The transaction user responds. It may say nothing provisional but 100, and that not early over UDP, and no 408: whoever
    /// would hear that has given up (RFC 4320 section 4).
    package mutating func respond(_ status: UInt16, now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        switch state {
        case .trying, .proceeding:
            if status < 200 {
                guard status == 100, isReliable || state == .proceeding else { return [] }
                state = .proceeding
                timers.stopResending()
                return .send
            }
            timers.stop()
            guard !isReliable else {
                state = .ended
                return status == 408 ? [.timedOut, .ended] : [.send, .ended]
            }
            state = status == 408 ? .expired : .completed
            timers.end(after: timings.timeout, now)
            return status == 408 ? [] : .send
        case .completed, .expired, .ended:
            return []
        }
    }

    /// A response could not be sent. The transaction stays as it is (RFC 6026 section 8.8).
    package mutating func transportFailed() -> TransactionSteps { keepsMessage ? .failed : [] }

    /// Looks at timer J, and before the final response at the times of RFC 4320: the 100, and the end of the sender's patience.
    package mutating func tick(now: Instant, _ timings: TransactionTimings) -> TransactionSteps {
        if timers.endIsDue(now) {
            timers.stop()
            switch state {
            case .trying where !isReliable, .proceeding where !isReliable:
                state = .expired
                timers.end(after: timings.t4, now)
                return []
            case .trying, .proceeding, .expired:
                state = .ended
                return [.timedOut, .ended]
            case .completed, .ended:
                state = .ended
                return .ended
            }
        }
        guard timers.resendIsDue(now) else { return [] }
        timers.stopResending()
        state = .proceeding
        return .resend
    }
}

extension NonInviteServerMachine: Transferable {
    /// Before it is read: nothing is waited for.
    init(isReliable: Bool) { self.isReliable = isReliable }

    package mutating func transfer(_ transfer: inout StateTransfer) {
        transfer.choice(1, &state)
        transfer.message(2, &timers)
        if transfer.isReading, state == .ended { transfer.refuse("a transaction is over that should go on") }
    }
}
