package import ClusterModel

/// How often strangers, agents and pages may ask. All share one table of fixed size; whoever was heard longest ago is forgotten, as
/// in `SourceLimits`, so those who ask from very many addresses make it forget others.
package struct RateLimits: Sendable {
    /// What somebody is known by.
    package enum Subject: Hashable, Sendable {
        /// Logins for an agent, whether or not there is such an account.
        case agent(String)
        case loginsFrom(SourceID)
        case session(SessionID)
        /// Requests without a session.
        case requestsFrom(SourceID)
    }

    /// How many at once, and then one after how long.
    struct Rate: Sendable {
        let burst: UInt64
        /// Nanoseconds.
        let each: UInt64
    }

    static let ways = 4
    static let sets = 16_384

    /// A bucket of tokens, told by the time at which it will be full again.
    private struct Place: Sendable {
        var key: UInt64 = 0
        /// Monotonic nanoseconds.
        var lastHeard: UInt64 = 0
        var fullAt: UInt64 = 0
    }

    private let hash: SipHash
    private var places: [Place]
    private var refused: UInt64 = 0
    /// How many requests were refused.
    package var refusals: UInt64 { refused }

    /// - Parameter seed: nobody outside may be able to find it out.
    package init(seed: UInt64) {
        hash = SipHash(key: mixed(seed), mixed(seed &+ 0x9E37_79B9_7F4A_7C15))
        places = Array(repeating: Place(), count: Self.ways * Self.sets)
    }

    static func rate(of subject: Subject) -> Rate {
        switch subject {
        case .agent: Rate(burst: 5, each: 30_000_000_000)
        case .loginsFrom: Rate(burst: 20, each: 3_000_000_000)
        case .session: Rate(burst: 40, each: 50_000_000)
        case .requestsFrom: Rate(burst: 100, each: 20_000_000)
        }
    }

    /// One more of a subject.
    ///
    /// - Returns: nil if it may be; otherwise, and then nothing is taken, after how many milliseconds it may.
    package mutating func take(_ subject: Subject, now: Instant) -> UInt64? {
        let rate = Self.rate(of: subject)
        let position = place(of: key(of: subject), now)
        let fullAt = max(places[position].fullAt, now.monotonic)
        let next = fullAt &+ rate.each
        let limit = now.monotonic &+ rate.burst &* rate.each
        guard next <= limit else {
            refused += 1
            return (next - limit + 999_999) / 1_000_000
        }
        places[position].fullAt = next
        return nil
    }

    private func key(of subject: Subject) -> UInt64 {
        let bytes = Self.bytes(of: subject)
        // A place that nobody has had has the key 0.
        return max(hash.hash(bytes.span), 1)
    }

    private static func bytes(of subject: Subject) -> [UInt8] {
        switch subject {
        case .agent(let name): [1] + name.utf8
        case .loginsFrom(let source): [2] + bytes(of: source)
        case .session(let session): [3] + session.bytes
        case .requestsFrom(let source): [4] + bytes(of: source)
        }
    }

    private static func bytes(of source: SourceID) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: source.key >> UInt64($0 * 8)) }
    }

    private mutating func place(of key: UInt64, _ now: Instant) -> Int {
        let first = Int(key % UInt64(Self.sets)) * Self.ways
        var oldest = first
        for position in first..<first + Self.ways {
            if places[position].key == key {
                places[position].lastHeard = now.monotonic
                return position
            }
            if places[position].lastHeard < places[oldest].lastHeard { oldest = position }
        }
        places[oldest] = Place(key: key, lastHeard: now.monotonic)
        return oldest
    }
}
