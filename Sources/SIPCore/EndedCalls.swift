package import ClusterModel

/// The Call-IDs of bindings that have ended within the last 32 s, each with the last CSeq that was served: as long as a
/// REGISTER that the network has kept may still come (timer J, RFC 3261 section 17.2.2). With the Call-ID and CSeq that
/// each binding has, they tell whatever comes again from what is new, so a refresh leaves nothing to be kept.
///
/// The table is bounded: when more bindings end than fit into it, those that ended first are forgotten first. Each DN has
/// four places, which it shares with few others: who ends bindings of his own over and over forgets little of anybody else's.
package struct EndedCalls: Sendable {
    private static let seconds: UInt32 = 32
    private static let ways = 4
    /// A power of two; 1.5 MiB.
    package static let places = 1 << 16

    struct Entry: Sendable {
        var key: UInt64 = 0
        var cseq: UInt32 = 0
        /// When the binding ended; 0 for an empty place.
        var second: UInt32 = 0
        var dn = DNIndex.none
    }

    /// Empty until the first binding ends.
    var entries: [Entry] = []

    package init() {}

    /// The last CSeq of a call that had bindings.
    package func cseq(of key: UInt64, _ dn: DNIndex, now: Instant) -> UInt32? {
        guard !entries.isEmpty else { return nil }
        for place in Self.places(for: dn) where entries[place].key == key && entries[place].dn == dn {
            return Self.isRecent(entries[place], now) ? entries[place].cseq : nil
        }
        return nil
    }

    package mutating func note(_ key: UInt64, _ dn: DNIndex, cseq: UInt32, now: Instant) {
        if entries.isEmpty { entries = Array(repeating: Entry(), count: Self.places) }
        let places = Self.places(for: dn)
        var place = places.lowerBound
        for other in places {
            if entries[other].key == key, entries[other].dn == dn {
                place = other
                break
            }
            if entries[other].second < entries[place].second { place = other }
        }
        let former = entries[place]
        let isSame = former.key == key && former.dn == dn && Self.isRecent(former, now)
        entries[place] = Entry(
            key: key, cseq: isSame ? max(former.cseq, cseq) : cseq, second: Self.second(now), dn: dn)
    }

    /// Puts back what was kept elsewhere, perhaps under another number of its DN.
    mutating func restore(_ entry: Entry) {
        if entries.isEmpty { entries = Array(repeating: Entry(), count: Self.places) }
        let oldest = Self.places(for: entry.dn).min { entries[$0].second < entries[$1].second }
        guard let oldest, entries[oldest].second <= entry.second else { return }
        entries[oldest] = entry
    }

    /// Forgets everything.
    mutating func removeAll() { entries = [] }

    private static func places(for dn: DNIndex) -> Range<Int> {
        let first = Int(mixed(UInt64(dn.rawValue)) & UInt64(places / ways - 1)) &* ways
        return first..<(first &+ ways)
    }

    private static func isRecent(_ entry: Entry, _ now: Instant) -> Bool {
        entry.second > 0 && second(now) &- entry.second <= seconds
    }

    private static func second(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.monotonic / 1_000_000_000 + 1)
    }
}

// What the registrar keeps there, and asks it.
extension Registrar {
    /// Nothing of the DN, whose number another topology changes.
    private func key(_ callID: ByteRange, in text: Span<UInt8>) -> UInt64 { text.hash(callID, seed: secret) }

    /// The last CSeq of the request's call, if that has no binding of the DN any more.
    func endedCSeq(of message: borrowing SIPMessage, in datagram: Span<UInt8>, _ dn: DNIndex, now: Instant) -> UInt32? {
        ended.cseq(of: key(message.callID, in: datagram), dn, now: now)
    }

    /// A REGISTER was served that removes contacts, whether there were any or not: it must not remove later ones when it
    /// comes again, which it does over UDP only.
    package mutating func noteRemoval(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, of dn: DNIndex, flow: FlowID, now: Instant
    ) {
        guard flow == .none else { return }
        ended.note(key(message.callID, in: datagram), dn, cseq: message.cseq, now: now)
    }

    /// Removes a binding, and keeps its call in mind.
    mutating func end(_ slot: Int32, now: Instant) {
        noteEnd(of: slot, now: now)
        remove(slot)
    }

    /// Removes a binding whose stream has ended. What set it may well come again over another stream, which is meant; what
    /// came before that may come late.
    mutating func endWithFlow(_ slot: Int32, now: Instant) {
        if records[Int(slot)].cseq > 0 {
            records[Int(slot)].cseq &-= 1
            noteEnd(of: slot, now: now)
        }
        remove(slot)
    }

    /// A binding is about to end, or to be another call's.
    mutating func noteEnd(of slot: Int32, now: Instant) {
        let record = records[Int(slot)]
        let start = Int(record.contactLength)
        let key = key(ByteRange(start, start &+ record.callIDLength), in: record.text.span)
        ended.note(key, record.dn, cseq: record.cseq, now: now)
    }

    /// Forgets what has ended. Only a fault does that.
    package mutating func forgetEnded() { ended.removeAll() }
}
