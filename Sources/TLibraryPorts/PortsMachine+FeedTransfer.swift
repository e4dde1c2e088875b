import AgentSessions
package import ClusterModel

// The feed is long, so it is handed over in pieces while the node serves on; the last piece, when nothing more happens, has only
// what came meanwhile.
extension PortsMachine {
    /// A piece of the feed: what came after an event that the successor has been given, or as much of that as the feed still
    /// holds. The successor gives up what this feed holds no longer. Pieces are read in the order in which they were written.
    ///
    /// - Parameters:
    ///   - known: what the call before has returned; 0 for the first. Means nothing to a reader.
    ///   - limit: the most events that go over with this piece.
    /// - Returns: the number of the last event that has gone over; everything has when it is `sequence`.
    @discardableResult
    package mutating func transferFeed(
        _ state: inout StateTransfer, after known: UInt64, atMost limit: Int = .max
    ) -> UInt64 {
        // All that came before this is forgotten.
        var oldest = sequence - UInt64(feed.count)
        let first = max(known, oldest)
        let count = min(Int(clamping: sequence - min(sequence, first)), limit)
        var last = min(sequence, first) + UInt64(count)
        var entries: [FeedEntry] = []
        if !state.isReading {
            let start = Int(last - oldest) - count
            entries = Array(feed[start..<(start + count)])
        }
        state.tally(1, &oldest)
        state.tally(2, &last)
        var lost: [Int] = []
        state.list(3, &entries, lost: &lost)
        guard state.isReading else { return last }
        if state.renumbering?.goneDNs.isEmpty == false {
            // It stands for all DNs of an owner, also for those that have gone.
            lost += entries.indices.filter { if case .owner = entries[$0] { true } else { false } }
        }
        take(entries, lost: lost.max(), oldest: oldest, last: last, &state)
        return last
    }

    /// - Parameter lost: the last of them that is of something that has gone: what came before it is forgotten, too.
    private mutating func take(
        _ entries: [FeedEntry], lost: Int?, oldest: UInt64, last: UInt64, _ state: inout StateTransfer
    ) {
        guard state.problem == nil else { return }
        let isCut = state.renumbering != nil
        guard isCut || oldest >= sequence - UInt64(feed.count), oldest <= last, last - oldest >= UInt64(entries.count),
            last - UInt64(entries.count) == max(sequence, oldest)
        else { return state.refuse("a piece of the feed does not go on where the one before it ends") }
        let kept = entries[(lost.map { $0 + 1 } ?? 0)...]
        for case .view(let dn, _, _) in kept where dn.position >= directory.count {
            return state.refuse("the feed tells of a DN that is not provisioned")
        }
        let held = lost == nil ? Int(sequence - min(sequence, oldest)) : 0
        feed.removeFirst(feed.count - min(held, feed.count))
        feed.append(contentsOf: kept)
        sequence = last
    }
}

extension PortsMachine.FeedEntry: Restorable {
    static var blank: PortsMachine.FeedEntry { .owner(NodeIndex(0), isReachable: false) }

    private enum Kind: UInt8 {
        case view = 1
        case owner = 2
        case point = 3
    }

    private var kind: Kind {
        switch self {
        case .view: .view
        case .owner: .owner
        case .point: .point
        }
    }

    private static func blank(_ kind: Kind) -> PortsMachine.FeedEntry {
        switch kind {
        case .view: .view(DNIndex(0), .blank, before: .blank)
        case .owner: blank
        case .point: .point(.blank)
        }
    }

    mutating func transfer(_ state: inout StateTransfer) {
        var kind = self.kind
        state.choice(1, &kind)
        if state.isReading { self = Self.blank(kind) }
        switch self {
        case .view(var dn, var view, var before):
            state.number(2, &dn)
            state.message(3, &view)
            state.message(4, &before)
            self = .view(dn, view, before: before)
        case .owner(var owner, var isReachable):
            state.node(5, &owner)
            state.flag(6, &isReachable)
            self = .owner(owner, isReachable: isReachable)
        case .point(var event):
            state.message(7, &event)
            self = .point(event)
        }
    }
}
