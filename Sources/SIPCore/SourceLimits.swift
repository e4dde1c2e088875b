package import ClusterModel

/// Holds each source to what the topology allows it a second. A source is an IPv4 address, or the /64 of an IPv6 address:
/// whoever has one address of those has all of them.
///
/// Sources share a table of fixed size. Each has its place in one of many small sets, by a hash with a secret, so nobody can
/// choose addresses that meet in one set; where a set is full, whoever was heard longest ago is forgotten, and begins anew
/// when it is heard again. So whoever sends from very many addresses is not held by this, and makes it forget others, which
/// then may do a second's worth once more.
///
/// UDP tells nothing of who sends: somebody who writes a phone's address into datagrams uses up what the phone may do. That
/// costs the phone nothing but the time for which it goes on: what was used up comes back evenly, all of it in a second.
///
/// A process does not hand the table over to its successor: that everybody may do a second's worth once more is the price of
/// some hundred kilobytes that need not be sent.
package struct SourceLimits: Sendable {
    static let ways = 4
    static let sets = 4096

    private let datagrams: Rate
    private let attempts: Rate
    private let connections: Rate
    private let secret: UInt64
    /// The sets, one after the other.
    private var places: [Place]

    /// - Parameter secret: nobody outside may be able to find it out.
    package init(_ policy: SourceLimitPolicy, secret: UInt64) {
        datagrams = Rate(policy.datagrams)
        attempts = Rate(policy.attempts)
        connections = Rate(policy.connections)
        self.secret = secret
        places = Array(repeating: Place(), count: Self.ways * Self.sets)
    }

    /// A SIP message came. Whether it is looked at; if not it is best dropped without a word, since each answer costs and goes
    /// to whoever is named as its source.
    package mutating func mayBeRead(from source: NetworkAddress, now: Instant) -> Bool {
        guard datagrams.isLimited else { return true }
        return places[place(of: source, now)].datagrams.take(datagrams, now)
    }

    /// Whether credentials from there are checked. This takes nothing: `attemptFailed` does, if they are wrong, so right ones
    /// may come as often as they like.
    package mutating func mayAttempt(from source: NetworkAddress, now: Instant) -> Bool {
        guard attempts.isLimited else { return true }
        return places[place(of: source, now)].attempts.has(attempts, now)
    }

    /// Credentials from there were checked and are wrong.
    package mutating func attemptFailed(from source: NetworkAddress, now: Instant) {
        guard attempts.isLimited else { return }
        _ = places[place(of: source, now)].attempts.take(attempts, now)
    }

    /// A connection from there was accepted. Whether it may stay.
    package mutating func mayConnect(from source: NetworkAddress, now: Instant) -> Bool {
        guard connections.isLimited else { return true }
        return places[place(of: source, now)].connections.take(connections, now)
    }

    /// The place of a source, perhaps one that was another's.
    private mutating func place(of source: NetworkAddress, _ now: Instant) -> Int {
        // Of IPv4 addresses all bits; as a /64 this would be one of multicast, from which nothing comes.
        let key = source.isIPv4 ? 0xFFFF_FFFF_0000_0000 | UInt64(source.ipv4) : source.high
        // Twice, or differences between addresses would show in differences between sets.
        let first = Int(mixed(mixed(key ^ secret) ^ secret) % UInt64(Self.sets)) &* Self.ways
        var oldest = first
        for position in first..<first &+ Self.ways {
            // A place that nobody has had is as good as one of the source's own that it has not used for long.
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

/// How often something may happen.
private struct Rate: Sendable {
    /// Between two of them at an even pace, rounded up so that the rate is never exceeded; 0 where there is no limit.
    let nanosecondsEach: UInt64
    /// What a second's worth of them takes.
    let nanosecondsAll: UInt64

    init(_ aSecond: Int?) {
        let count = UInt64(clamping: aSecond ?? 0)
        nanosecondsEach = count == 0 ? 0 : (1_000_000_000 + count - 1) / count
        nanosecondsAll = count * nanosecondsEach
    }

    var isLimited: Bool { nanosecondsEach > 0 }
}

/// A bucket of tokens, told by the time at which it will be full again. It holds a second's worth, and one that was never
/// used is full.
private struct TokenBucket: Sendable {
    private var fullAt: UInt64 = 0

    func has(_ rate: Rate, _ now: Instant) -> Bool {
        max(fullAt, now.monotonic) &+ rate.nanosecondsEach <= now.monotonic &+ rate.nanosecondsAll
    }

    /// - Returns: false, and nothing is taken, if there is none.
    mutating func take(_ rate: Rate, _ now: Instant) -> Bool {
        guard has(rate, now) else { return false }
        fullAt = max(fullAt, now.monotonic) &+ rate.nanosecondsEach
        return true
    }
}

/// What is known of one source.
private struct Place: Sendable {
    var key: UInt64 = 0
    /// Monotonic nanoseconds.
    var lastHeard: UInt64 = 0
    var datagrams = TokenBucket()
    var attempts = TokenBucket()
    var connections = TokenBucket()
}
