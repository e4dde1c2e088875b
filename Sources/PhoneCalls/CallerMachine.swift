/// The end of a call that calls, and that hangs up (RFC 3261 sections 13.2 and 15.1.1).
package struct CallerMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// INVITE is sent again until something is heard. Becomes proceeding, held or over.
        case calling
        /// A provisional response came. Becomes held or over.
        case proceeding
        /// The 2xx is acknowledged. Becomes ending.
        case held
        /// BYE is sent again until it is answered. Becomes over.
        case ending
        case over
    }

    /// Longer nothing is waited for that may take its time: the callee's answer.
    static let longestRinging: UInt64 = 60_000_000_000

    package private(set) var state = State.calling
    /// When INVITE was sent for the first time.
    package let invitedAt: UInt64
    private var hasRung = false
    private var timer: RepeatTimer
    /// While it is proceeding, when it gives up; while it is held, when it hangs up.
    private var waitsUntil: UInt64 = .max

    /// INVITE was sent.
    package init(now: UInt64) {
        invitedAt = now
        timer = RepeatTimer(now: now, longest: .max)
    }

    /// - Returns: whether the callee's phone rings now and did not before.
    package mutating func provisionalCame(status: Int, now: UInt64) -> Bool {
        guard state == .calling || state == .proceeding else { return false }
        if state == .calling {
            state = .proceeding
            waitsUntil = now + Self.longestRinging
        }
        guard status == 180 || status == 183, !hasRung else { return false }
        hasRung = true
        return true
    }

    package enum Acceptance: Equatable, Sendable {
        /// ACK it and hold the call.
        case accepted
        /// The ACK was lost: send it again.
        case again
        case late
    }

    /// A 2xx came.
    ///
    /// - Parameter hangsUpAt: when this end will want to hang up.
    package mutating func acceptanceCame(hangsUpAt: UInt64) -> Acceptance {
        switch state {
        case .calling, .proceeding:
            state = .held
            waitsUntil = hangsUpAt
            return .accepted
        case .held, .ending: return .again
        case .over: return .late
        }
    }

    /// Another final response to INVITE came. It is acknowledged in any case.
    ///
    /// - Returns: whether the call ends with it.
    package mutating func refusalCame() -> Bool {
        guard state == .calling || state == .proceeding else { return false }
        state = .over
        return true
    }

    /// The call is not wanted any more.
    ///
    /// - Returns: whether BYE is to be sent.
    package mutating func hungUp(now: UInt64) -> Bool {
        guard state == .held else { return false }
        state = .ending
        timer = RepeatTimer(now: now, longest: RepeatTimer.t2)
        return true
    }

    /// A final response to BYE came.
    ///
    /// - Returns: whether the call ends with it.
    package mutating func endCame() -> Bool {
        guard state == .ending else { return false }
        state = .over
        return true
    }

    package enum Due: Equatable, Sendable {
        case nothing, repeatInvite, hangUp, repeatBye, giveUp
    }

    /// To be asked often. `hangUp` wants `hungUp` to be called.
    package mutating func timePassed(now: UInt64) -> Due {
        switch state {
        case .over: return .nothing
        case .held: return now >= waitsUntil ? .hangUp : .nothing
        case .proceeding:
            guard now >= waitsUntil else { return .nothing }
            state = .over
            return .giveUp
        case .calling, .ending:
            switch timer.expired(now) {
            case .notYet: return .nothing
            case .again: return state == .calling ? .repeatInvite : .repeatBye
            case .over:
                state = .over
                return .giveUp
            }
        }
    }
}
