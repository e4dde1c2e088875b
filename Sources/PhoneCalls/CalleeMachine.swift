/// The end of a call that is called: it rings and answers at once (RFC 3261 sections 13.3.1 and 15.1.2).
package struct CalleeMachine: Equatable, Sendable {
    package enum State: Equatable, Sendable {
        /// Becomes answered.
        case idle
        /// The 200 is sent again until its ACK comes. Becomes established or over.
        case answered
        /// Becomes over.
        case established
        case over
    }

    package private(set) var state = State.idle
    private var timer = RepeatTimer(now: 0, longest: RepeatTimer.t2)

    package init() {}

    package enum Invitation: Equatable, Sendable {
        /// Ring, and answer.
        case new
        /// Send the answer again.
        case again
        /// The call is over already.
        case late
    }

    package mutating func invited(now: UInt64) -> Invitation {
        switch state {
        case .idle:
            state = .answered
            timer = RepeatTimer(now: now, longest: RepeatTimer.t2)
            return .new
        case .answered: return .again
        case .established, .over: return .late
        }
    }

    package mutating func acknowledged() {
        if state == .answered { state = .established }
    }

    /// BYE came; it is answered in any case. It may have overtaken the ACK.
    package mutating func ended() {
        state = .over
    }

    package enum Due: Equatable, Sendable {
        case nothing, repeatAnswer
        /// Nobody acknowledges the answer.
        case giveUp
    }

    /// To be asked often.
    package mutating func timePassed(now: UInt64) -> Due {
        guard state == .answered else { return .nothing }
        switch timer.expired(now) {
        case .notYet: return .nothing
        case .again: return .repeatAnswer
        case .over:
            state = .over
            return .giveUp
        }
    }
}
