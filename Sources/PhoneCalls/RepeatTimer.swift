/// When something is sent again, and when nobody waits for an answer any more (RFC 3261 section 17.1.1.1). Nanoseconds of one clock.
struct RepeatTimer: Equatable, Sendable {
    static let t1: UInt64 = 500_000_000
    static let t2: UInt64 = 4_000_000_000
    static let patience = 64 * t1

    enum Expiry {
        case notYet, again, over
    }

    private var next: UInt64
    private var interval = Self.t1
    private let longest: UInt64
    private let end: UInt64

    /// - Parameter longest: between two repetitions.
    init(now: UInt64, longest: UInt64) {
        next = now + interval
        end = now + Self.patience
        self.longest = longest
    }

    mutating func expired(_ now: UInt64) -> Expiry {
        if now >= end { return .over }
        guard now >= next else { return .notYet }
        interval = min(longest, interval * 2)
        next = now + interval
        return .again
    }
}
