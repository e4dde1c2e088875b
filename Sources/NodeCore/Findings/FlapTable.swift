import ClusterModel

/// DNs whose owner has changed lately: two phones that share a number take it from each other for ever.
///
/// It has as many places as it has, whatever happens. Each DN may stand at one of four; one that has changed again keeps its
/// place, and one that has changed once loses it to the next. So a million DNs that move to another node at once leave no trace,
/// and those that go back and forth do not get lost among them.
struct FlapTable: Sendable {
    /// As many changes within so many nanoseconds are too many.
    static let changes = 4
    static let window: UInt64 = 120_000_000_000
    static let places = 1_024
    private static let ways = 4

    struct Entry: Sendable {
        var dn = DNIndex.none
        /// When it changed, the latest first, monotonic nanoseconds.
        var times: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        /// When the first of these changes was that followed each other without a pause.
        var since: UInt64 = 0
        var count: UInt32 = 0
        /// Who owned it before.
        var former = NodeIndex.none

        func isFlapping(_ now: Instant) -> Bool {
            count >= FlapTable.changes && now.since(times.3) <= FlapTable.window
        }
    }

    /// Empty until something has changed.
    private var entries: [Entry] = []

    mutating func ownerChanged(_ dn: DNIndex, from former: NodeIndex, now: Instant) {
        if entries.isEmpty { entries = Array(repeating: Entry(), count: Self.places) }
        let place = self.place(of: dn, now)
        guard let place else { return }
        if entries[place].dn != dn || now.since(entries[place].times.0) > Self.window {
            entries[place] = Entry(dn: dn, since: now.monotonic)
        }
        let times = entries[place].times
        entries[place].times = (now.monotonic, times.0, times.1, times.2)
        entries[place].count &+= 1
        entries[place].former = former
    }

    /// Its own place, or one that nobody needs; nil where others have changed more often.
    private func place(of dn: DNIndex, _ now: Instant) -> Int? {
        let first = Int(truncatingIfNeeded: mixed(UInt64(dn.rawValue)) % UInt64(Self.places / Self.ways)) * Self.ways
        var free: Int?
        for place in first..<(first + Self.ways) {
            if entries[place].dn == dn { return place }
            let isNeeded = entries[place].count > 1 && now.since(entries[place].times.0) <= Self.window
            if !isNeeded, free.map({ entries[place].times.0 < entries[$0].times.0 }) ?? true { free = place }
        }
        return free
    }

    /// Those that go back and forth, by DN.
    func flapping(_ now: Instant) -> [Entry] {
        entries.filter { $0.isFlapping(now) }.sorted { $0.dn < $1.dn }
    }
}
