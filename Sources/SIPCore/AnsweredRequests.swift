package import ClusterModel

/// Completed non-INVITE server transactions over UDP (RFC 3261 section 17.2.2): a request that comes again within 32 s gets
/// the same answer, and has no second effect.
///
/// Only requests that changed something are kept; whatever else comes again is answered anew, to the same end. The table is
/// bounded: when more is answered than fits into it, the oldest answers go first, and the CSeq of a binding still tells a
/// repeated REGISTER from a new one. Over streams nothing comes again (timer J is zero).
package struct AnsweredRequests: Sendable {
    /// Timer J, 64 times T1.
    private static let seconds: UInt32 = 32
    private static let ways = 4
    /// Places, a power of two, and bytes of answers: about those of 32 s when 100,000 phones refresh every half hour, and
    /// few enough to stay in the processor's cache.
    static let places = 4096
    static let capacity = 1 << 20

    private struct Entry {
        var key: UInt64 = 0
        /// Of all answers ever written here, end to end.
        var position: UInt64 = 0
        var second: UInt32 = 0
        var length: UInt16 = 0
    }

    private var entries: [Entry] = []
    /// Grows up to its capacity, then round and round.
    private var bytes: [UInt8] = []
    private var written: UInt64 = 0

    package init() {}

    /// What tells a request from all others (RFC 3261 section 17.2.3): topmost Via with its branch, Call-ID, CSeq with the
    /// method. Also where it came from and how long it is, so that nobody gets another's answer, and phones that use a
    /// branch twice get two.
    package static func key(
        of message: borrowing SIPMessage, in datagram: Span<UInt8>, from source: NetworkAddress, secret: UInt64
    ) -> UInt64 {
        var key = datagram.hash(message.topVia.whole, seed: secret ^ UInt64(datagram.count))
        key = datagram.hash(message.callID, seed: key)
        key = datagram.hash(message.cseqValue, seed: key)
        key = mixed(key ^ source.high)
        return mixed(mixed(key ^ source.low) ^ UInt64(source.port))
    }

    /// The answer that a request got within the last 32 s, if it is still there.
    package func answer(to key: UInt64, now: Instant) -> Range<Int>? {
        guard !entries.isEmpty else { return nil }
        let first = Int(key & UInt64(Self.places / Self.ways - 1)) &* Self.ways
        for place in first..<(first &+ Self.ways) where entries[place].key == key {
            let entry = entries[place]
            guard Self.second(now) &- entry.second <= Self.seconds,
                written &- entry.position <= UInt64(Self.capacity)
            else { return nil }
            let start = Int(entry.position % UInt64(Self.capacity))
            return start..<(start &+ Int(entry.length))
        }
        return nil
    }

    /// The bytes of an answer that was found.
    package func append(_ answer: Range<Int>, to output: inout [UInt8]) { output += bytes[answer] }

    /// Keeps an answer: what `output` has from `start` on.
    package mutating func remember(_ output: borrowing [UInt8], from start: Int, as key: UInt64, now: Instant) {
        let length = output.count &- start
        guard length > 0, length <= Int(UInt16.max) else { return }
        if entries.isEmpty { entries = Array(repeating: Entry(), count: Self.places) }
        let place = place(for: key, now)
        var offset = Int(written % UInt64(Self.capacity))
        if offset &+ length > Self.capacity {
            // Answers are not torn apart at the end.
            written &+= UInt64(Self.capacity &- offset)
            offset = 0
        }
        entries[place] = Entry(key: key, position: written, second: Self.second(now), length: UInt16(length))
        written &+= UInt64(length)
        if bytes.count < offset &+ length {
            bytes.append(contentsOf: repeatElement(0, count: offset &+ length &- bytes.count))
        }
        var target = bytes.mutableSpan
        let source = output.span
        var part = target._mutatingExtracting(offset..<offset &+ length)
        for position in 0..<length { part[position] = source[start &+ position] }
    }

    /// The place of the same key, else the oldest of the four.
    private func place(for key: UInt64, _ now: Instant) -> Int {
        let first = Int(key & UInt64(Self.places / Self.ways - 1)) &* Self.ways
        var oldest = first
        for place in first..<(first &+ Self.ways) {
            if entries[place].key == key { return place }
            if entries[place].position < entries[oldest].position || entries[place].length == 0 { oldest = place }
        }
        return oldest
    }

    private static func second(_ now: Instant) -> UInt32 { UInt32(truncatingIfNeeded: now.monotonic / 1_000_000_000) }
}
