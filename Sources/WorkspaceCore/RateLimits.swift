package import ClusterModel

/// How often strangers, agents and pages may ask. The tables are of fixed size; whoever was heard longest ago is forgotten, as in
/// `SourceLimits`, so those who ask from very many addresses make it forget others, but no agent.
///
/// Guesses at an agent's password are counted for the agent, from wherever they come, but for places from which the agent has
/// signed in: each of those is counted apart, so a stranger's guesses do not keep the agent out. Which places those are is kept
/// in a table that only right passwords write to.
package struct RateLimits: Sendable {
    /// What somebody is known by.
    package enum Subject: Hashable, Sendable {
        /// Logins for an agent, whether or not there is such an account.
        case agent(String)
        /// Logins for an agent from where it has signed in before.
        case agentFrom(String, SourceID)
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

    static let sets = 16_384
    static let agentSets = 4_096
    static let acquaintanceSets = 8_192

    private let hash: SipHash
    private var others = Table(sets: Self.sets)
    private var agents = Table(sets: Self.agentSets)
    private var acquaintances = Table(sets: Self.acquaintanceSets)
    private var refused: UInt64 = 0
    /// How many requests were refused.
    package var refusals: UInt64 { refused }

    /// - Parameter seed: nobody outside may be able to find it out.
    package init(seed: UInt64) {
        hash = SipHash(key: mixed(seed), mixed(seed &+ 0x9E37_79B9_7F4A_7C15))
    }

    static func rate(of subject: Subject) -> Rate {
        switch subject {
        case .agent, .agentFrom: Rate(burst: 5, each: 30_000_000_000)
        case .loginsFrom: Rate(burst: 20, each: 3_000_000_000)
        case .session: Rate(burst: 40, each: 50_000_000)
        // All pages of an office may come at once when a gateway is lost, and behind one address.
        case .requestsFrom: Rate(burst: 1_000, each: 5_000_000)
        }
    }

    /// One more of a subject.
    ///
    /// - Returns: nil if it may be; otherwise, and then nothing is taken, after how many milliseconds it may.
    package mutating func take(_ subject: Subject, now: Instant) -> UInt64? {
        let rate = Self.rate(of: subject)
        let wait =
            switch subject {
            case .agent, .agentFrom: agents.take(key(of: subject), rate, now)
            case .loginsFrom, .session, .requestsFrom: others.take(key(of: subject), rate, now)
            }
        if wait != nil { refused += 1 }
        return wait
    }

    /// What was taken was not what is limited.
    package mutating func giveBack(_ subject: Subject, now: Instant) {
        let (key, rate) = (key(of: subject), Self.rate(of: subject))
        switch subject {
        case .agent, .agentFrom: agents.giveBack(key, rate, now)
        case .loginsFrom, .session, .requestsFrom: others.giveBack(key, rate, now)
        }
    }

    /// The agent has signed in from there.
    package mutating func acquaint(_ agent: String, _ source: SourceID, now: Instant) {
        _ = acquaintances.place(of: key(of: .agentFrom(agent, source)), now)
    }

    package func isAcquainted(_ agent: String, _ source: SourceID) -> Bool {
        acquaintances.has(key(of: .agentFrom(agent, source)))
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
        case .agentFrom(let name, let source): [5] + bytes(of: source) + name.utf8
        }
    }

    private static func bytes(of source: SourceID) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: source.key >> UInt64($0 * 8)) }
    }
}

extension RateLimits {
    /// Sets of a few places each, so that looking for one takes the same time however many there are.
    private struct Table: Sendable {
        static let ways = 4

        /// A bucket of tokens, told by the time at which it will be full again.
        struct Place: Sendable {
            var key: UInt64 = 0
            /// Monotonic nanoseconds.
            var lastHeard: UInt64 = 0
            var fullAt: UInt64 = 0
        }

        private let sets: Int
        private var places: [Place]

        init(sets: Int) {
            self.sets = sets
            places = Array(repeating: Place(), count: Self.ways * sets)
        }

        mutating func take(_ key: UInt64, _ rate: Rate, _ now: Instant) -> UInt64? {
            let position = place(of: key, now)
            let next = max(places[position].fullAt, now.monotonic) &+ rate.each
            let limit = now.monotonic &+ rate.burst &* rate.each
            guard next <= limit else { return (next - limit + 999_999) / 1_000_000 }
            places[position].fullAt = next
            return nil
        }

        mutating func giveBack(_ key: UInt64, _ rate: Rate, _ now: Instant) {
            let position = place(of: key, now)
            places[position].fullAt -= min(rate.each, places[position].fullAt)
        }

        private func positions(of key: UInt64) -> Range<Int> {
            let first = Int(key % UInt64(sets)) * Self.ways
            return first..<first + Self.ways
        }

        func has(_ key: UInt64) -> Bool { positions(of: key).contains { places[$0].key == key } }

        /// Where the key is; whoever was heard longest ago makes room for it.
        mutating func place(of key: UInt64, _ now: Instant) -> Int {
            let positions = positions(of: key)
            var oldest = positions.lowerBound
            for position in positions {
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
}
