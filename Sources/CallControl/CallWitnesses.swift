package import ClusterModel

/// What other nodes and phones say of the calls of DNs that this node owns: calls that do not go through this node, because they
/// began when another owned the DN, or because a phone has them of its own.
///
/// A node that is near a party tells the DN's owner of its calls, and again whenever the owner or the link to it is another. A lost
/// link frees nobody: the call goes on without it. But a witness who is not heard again in time counts no more, so no agent stays
/// busy for ever with a call whose node has died.
package struct CallWitnesses: Sendable {
    /// How long the word of a node counts that is not heard any more, and that of a phone that has said that it is busy; nanoseconds.
    package static let patience: UInt64 = 30_000_000_000

    /// What one node has told of a DN.
    struct Word {
        var calls: [DNCall]
        /// Monotonic nanoseconds; nil while the node is heard and what it has told stands.
        var endsAt: UInt64?
    }

    struct Entry {
        /// By node; never empty lists of calls.
        var words: [NodeIndex: Word] = [:]
        /// A phone has said that it has a call that nobody else knows.
        var busyUntil: UInt64?

        var isEmpty: Bool { words.isEmpty && busyUntil == nil }
        var nextEnd: UInt64 { min(words.values.compactMap(\.endsAt).min() ?? .max, busyUntil ?? .max) }
    }

    var entries: [DNIndex: Entry] = [:]
    var queue = DeadlineQueue()
    var changed: [CallsChanged] = []
    package var faults: Faults = .none

    package init() {}

    /// A DN of whose calls something else is known now.
    package struct CallsChanged: Equatable, Sendable {
        package var dn: DNIndex
        package var ended: DNCalls.Ended?
    }

    /// Monotonic nanoseconds.
    package var nextDeadline: UInt64? { queue.next }
    /// DNs of which somebody else has told something.
    package var count: Int { entries.count }

    /// The calls of a DN that others have told of, each once: two may know the same, above all a former owner and whoever had told it.
    package func calls(of dn: DNIndex) -> [DNCall] {
        guard let entry = entries[dn] else { return [] }
        // Who is heard goes before those whose words stand for a while only.
        let words = entry.words.sorted { left, right in
            let (isOld, isOther) = (left.value.endsAt != nil, right.value.endsAt != nil)
            return isOld != isOther ? isOther : left.key < right.key
        }
        var calls: [DNCall] = []
        for call in words.flatMap(\.value.calls) where !calls.contains(where: { $0.connection == call.connection }) {
            calls.append(call)
        }
        return calls
    }

    /// What each node has told of a DN's calls, and whether that counts for a while only.
    package func words(of dn: DNIndex) -> [(node: NodeIndex, calls: [DNCall], isProvisional: Bool)] {
        guard let entry = entries[dn] else { return [] }
        return entry.words.sorted { $0.key < $1.key }.map { ($0.key, $0.value.calls, $0.value.endsAt != nil) }
    }

    /// Whether a phone has said that it has a call that nobody else knows.
    package func isSaidBusy(_ dn: DNIndex) -> Bool { entries[dn]?.busyUntil != nil }

    /// Whether somebody else has told of a call of the DN.
    package func isBusy(_ dn: DNIndex) -> Bool { entries[dn] != nil }

    // MARK: What is told

    /// A node tells all calls of a DN that it is near to.
    ///
    /// - Parameter ended: the call that has ended at that node, if one has.
    package mutating func told(_ calls: [DNCall], of dn: DNIndex, by node: NodeIndex, ended: DNCalls.Ended?) {
        let known = entries[dn]?.words[node]?.calls ?? []
        set(calls.isEmpty ? nil : Word(calls: Array(calls.prefix(DNCalls.maximumCount))), of: dn, by: node)
        supersede(calls, of: dn)
        if known != calls { changed.append(CallsChanged(dn: dn, ended: ended)) }
    }

    /// Who is near a DN has these calls of it: what others had said of them for a while counts no more, or a call would be what it
    /// was when that ends it.
    package mutating func supersede(_ calls: [DNCall], of dn: DNIndex) {
        guard let entry = entries[dn], !calls.isEmpty else { return }
        for node in entry.words.keys.sorted() {
            guard var word = entry.words[node], word.endsAt != nil else { continue }
            word.calls.removeAll { call in calls.contains { $0.connection == call.connection } }
            if word.calls.count != entry.words[node]?.calls.count {
                set(word.calls.isEmpty ? nil : word, of: dn, by: node)
            }
        }
    }

    /// What a node has told counts for a while only, unless it tells it again.
    package mutating func expectWord(of dn: DNIndex, by node: NodeIndex, now: Instant) {
        guard entries[dn]?.words[node] != nil else { return }
        entries[dn]!.words[node]!.endsAt = now.monotonic &+ Self.patience
        settle(dn)
    }

    /// A phone has refused a call because it has another.
    package mutating func phoneWasBusy(_ dn: DNIndex, now: Instant) {
        let wasBusy = isBusy(dn)
        entries[dn, default: Entry()].busyUntil = now.monotonic &+ Self.patience
        settle(dn)
        if !wasBusy { changed.append(CallsChanged(dn: dn)) }
    }

    /// The link to a node is lost: its words stand for a while.
    package mutating func linkLost(_ node: NodeIndex, now: Instant) {
        guard !faults.contains(.lostWitnessStays) else { return }
        for dn in dns(toldBy: node) where entries[dn]?.words[node]?.endsAt == nil {
            entries[dn]!.words[node]!.endsAt = now.monotonic &+ Self.patience
            settle(dn)
        }
    }

    /// A node that was not heard has told all that it knows: what it has not told again is over.
    package mutating func recounted(by node: NodeIndex) {
        for dn in dns(toldBy: node) where entries[dn]?.words[node]?.endsAt != nil {
            set(nil, of: dn, by: node)
            changed.append(CallsChanged(dn: dn))
        }
    }

    /// The DN has another claim: what was said under the former counts no more, and is told again.
    package mutating func claimEnded(_ dn: DNIndex) {
        guard !entries.isEmpty, entries.removeValue(forKey: dn) != nil else { return }
        queue.set(dn.position, to: DeadlineQueue.never)
    }

    /// Ends words whose time is up.
    package mutating func tick(now: Instant) {
        while let position = queue.due(now) {
            let dn = DNIndex(position)
            guard var entry = entries[dn] else {
                queue.set(position, to: DeadlineQueue.never)
                continue
            }
            entry.words = entry.words.filter { $0.value.endsAt.map { $0 > now.monotonic } ?? true }
            if let busyUntil = entry.busyUntil, busyUntil <= now.monotonic { entry.busyUntil = nil }
            entries[dn] = entry
            settle(dn)
            changed.append(CallsChanged(dn: dn))
        }
    }

    /// Takes the DNs of whose calls others have told something else since this was asked before, in order.
    package mutating func takeChanged() -> [CallsChanged] {
        guard !changed.isEmpty else { return [] }
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    private func dns(toldBy node: NodeIndex) -> [DNIndex] {
        entries.filter { $0.value.words[node] != nil }.keys.sorted()
    }

    private mutating func set(_ word: Word?, of dn: DNIndex, by node: NodeIndex) {
        if word == nil, entries[dn] == nil { return }
        entries[dn, default: Entry()].words[node] = word
        settle(dn)
    }

    mutating func settle(_ dn: DNIndex) {
        guard let entry = entries[dn] else { return }
        if entry.isEmpty { entries[dn] = nil }
        let end = entry.nextEnd
        queue.set(dn.position, to: entry.isEmpty || end == .max ? DeadlineQueue.never : end)
    }
}
