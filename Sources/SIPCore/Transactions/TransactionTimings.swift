import ClusterModel

/// How long transactions wait, nanoseconds (RFC 3261 section 17, appendix A).
package struct TransactionTimings: Hashable, Sendable {
    /// An estimate of the round trip: A, E and G begin with it.
    package var t1: UInt64 = 500_000_000
    /// The longest time between two sendings of E and G.
    package var t2: UInt64 = 4_000_000_000
    /// How long a message stays in the network: I and K over UDP.
    package var t4: UInt64 = 5_000_000_000
    /// What is left of a call's ringing after each provisional response but 100; more than 3 minutes (section 16.6, item 11).
    package var c: UInt64 = 181_000_000_000

    /// Those of RFC 3261.
    package init() {}

    /// How long a request is waited for: B, F, H, J, L, M, and D, for which section 17.1.1.2 wants at least 32 s.
    package var timeout: UInt64 { 64 &* t1 }

    /// When E has come to T2, counted from the first sending: after it, and over UDP not before it, the request gets a 100
    /// (RFC 4320 section 4.1). 3.5 s.
    package var trying: UInt64 {
        var interval = t1
        var sum = t1
        while interval < t2, sum < timeout {
            interval = interval &* 2
            if interval < t2 { sum &+= interval }
        }
        return sum
    }
}

/// The timers of one transaction: one that sends again, and one that ends a state.
struct TransactionTimers: Hashable, Sendable {
    static let never = UInt64.max

    /// A, E or G, and the wait that led to it, nanoseconds.
    private(set) var resendAt = TransactionTimers.never
    private(set) var interval: UInt64 = 0
    /// B, C, D, F, H, I, J, K, L or M; each state has one of them.
    private(set) var endAt = TransactionTimers.never

    /// When one of them fires, monotonic nanoseconds.
    var deadline: UInt64 { min(resendAt, endAt) }

    func resendIsDue(_ now: Instant) -> Bool { resendAt <= now.monotonic }
    func endIsDue(_ now: Instant) -> Bool { endAt <= now.monotonic }

    /// The next sending. A tick that comes late delays those after it: nothing is sent in bursts.
    mutating func resend(after interval: UInt64, _ now: Instant) {
        self.interval = interval
        resendAt = now.monotonic &+ interval
    }

    mutating func stopResending() { resendAt = Self.never }

    /// An interval without end is none.
    mutating func end(after interval: UInt64, _ now: Instant) {
        let (sum, isOver) = now.monotonic.addingReportingOverflow(interval)
        endAt = isOver ? Self.never : sum
    }

    mutating func stop() { self = TransactionTimers() }
}

extension TransactionTimers: Transferable {
    /// A greater one doubled often enough would be none, and a wait of none fires for ever.
    private static let maximumInterval: UInt64 = 1 << 55

    mutating func transfer(_ state: inout StateTransfer) {
        var resend = resendAt == Self.never ? nil : resendAt
        var end = endAt == Self.never ? nil : endAt
        state.optional(1, &resend)
        state.number(2, &interval)
        state.optional(3, &end)
        guard state.isReading else { return }
        guard resend == nil || (1...Self.maximumInterval).contains(interval) else {
            return state.refuse("a transaction would send without a pause")
        }
        resendAt = resend ?? Self.never
        endAt = end ?? Self.never
    }
}
