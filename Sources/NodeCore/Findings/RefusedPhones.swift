import ClusterModel

/// Phones whose REGISTERs were refused because they are none of the DN: another kind of phone, or one in a data center where the
/// DN may not register. Whoever has not tried for a while is forgotten, and so is the one that tried longest ago when there are
/// too many.
struct RefusedPhones: Sendable {
    static let maximumCount = 256
    /// Nanoseconds after its last attempt.
    static let patience: UInt64 = 600_000_000_000

    enum Reason: Sendable {
        /// The DN's phone is one of the telephone network.
        case kind
        case dataCenter
    }

    struct Entry: Sendable {
        var dn: DNIndex
        /// Its port is that of the latest attempt: behind a translator it may be another one each time.
        var source: NetworkAddress
        var reason: Reason
        /// What it calls itself; at most 64 visible characters.
        var agent: String
        var count: UInt32
        /// Monotonic nanoseconds.
        var first: UInt64
        var last: UInt64
    }

    private(set) var entries: [Entry] = []

    /// - Parameter agent: what it calls itself; asked of the first attempt only.
    mutating func refused(
        _ dn: DNIndex, _ source: NetworkAddress, _ reason: Reason, agent: @autoclosure () -> String, now: Instant
    ) {
        let known = entries.firstIndex {
            $0.dn == dn && $0.source.low == source.low && $0.source.high == source.high
        }
        if let known, now.since(entries[known].last) <= Self.patience {
            entries[known].source = source
            entries[known].reason = reason
            entries[known].count &+= 1
            entries[known].last = now.monotonic
            return
        }
        let entry = Entry(
            dn: dn, source: source, reason: reason, agent: agent(), count: 1, first: now.monotonic,
            last: now.monotonic)
        if let known {
            entries[known] = entry
        } else if entries.count < Self.maximumCount {
            entries.append(entry)
        } else if let oldest = entries.indices.min(by: { entries[$0].last < entries[$1].last }) {
            entries[oldest] = entry
        }
    }

    /// Those that are not forgotten, by DN and source.
    mutating func present(_ now: Instant) -> [Entry] {
        entries.removeAll { now.since($0.last) > Self.patience }
        return entries.sorted {
            ($0.dn, $0.source.high, $0.source.low) < ($1.dn, $1.source.high, $1.source.low)
        }
    }
}
