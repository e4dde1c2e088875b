package import ClusterModel

/// Which DNs two topologies provision differently, as ranges. It takes as long as the topologies have blocks and dial
/// strings, however many DNs their ranges hold.
package struct DNDifference: Equatable, Sendable {
    /// What a topology says about a DN, by name.
    package struct Provision: Equatable, Sendable {
        /// The agent type's name.
        package var agentType: String
        /// Data centers where it may register, preferred first; empty means anywhere.
        package var homes: [String]
        /// What to dial; nil for nothing.
        package var dial: String?
        /// When it should be in service; nil where nothing is expected.
        package var expectation: ServiceExpectation?

        /// As a topology says it.
        package init(
            agentType: String, homes: [String] = [], dial: String? = nil, expectation: ServiceExpectation? = nil
        ) {
            self.agentType = agentType
            self.homes = homes
            self.dial = dial
            self.expectation = expectation
        }
    }

    /// DNs in a row with which the same happens.
    package struct Change: Equatable, Sendable {
        /// The first of them.
        package var first: DN
        /// How many follow each other, the first among them.
        package var count: Int
        /// Nil for DNs that are added.
        package var from: Provision?
        /// Nil for DNs that are removed.
        package var to: Provision?

        /// At least one of `from` and `to` is there.
        package init(_ first: DN, count: Int, from: Provision?, to: Provision?) {
            self.first = first
            self.count = count
            self.from = from
            self.to = to
        }

        /// The last of them.
        package var last: DN {
            guard count > 1, let value = first.decimal else { return first }
            return DN(decimal: value + UInt64(count - 1), length: first.length)
        }

        /// `1000-1099`, or `1000`.
        package var words: String { count == 1 ? first.description : "\(first)-\(last)" }

        /// Other data centers than before, or in another order.
        package var isMoved: Bool { from != nil && to != nil && from?.homes != to?.homes }
    }

    /// In the directory's order; none of them touches the next one and says the same.
    package private(set) var changes: [Change] = []
    /// How many DNs are only in the new topology.
    package private(set) var added = 0
    /// How many DNs are only in the old one.
    package private(set) var removed = 0
    /// How many have other homes.
    package private(set) var moved = 0
    /// How many have the homes of before, and differ otherwise.
    package private(set) var changed = 0
    /// Of those that have other homes, how many could register in a data center and cannot any more: by its name, and
    /// first how many could anywhere.
    private var exiledFromAnywhere = 0
    private var exiled: [String: Int] = [:]

    /// No DN is provisioned differently.
    init() {}

    /// What becomes of the DNs of one topology when another takes its place.
    package init(from old: Topology, to new: Topology) {
        var segments = DNSegments(old, new)
        segments.compare()
        let dials = segments.dialDifferences()
        var next = dials[...]
        for (position, segment) in segments.list.enumerated() {
            var offset = 0
            while let dial = next.first, dial.segment == position {
                next = next.dropFirst()
                add(segment, offset, dial.offset - offset, segments)
                add(segment, dial.offset, 1, segments, dial)
                offset = dial.offset + 1
            }
            add(segment, offset, segment.count - offset, segments)
        }
        for change in changes { count(change) }
    }

    /// Both provision the same DNs in the same way.
    package var isEmpty: Bool { changes.isEmpty }

    /// How many DNs could register in a data center, and cannot any more.
    package func exiled(from dataCenter: String) -> Int { exiledFromAnywhere + (exiled[dataCenter] ?? 0) }

    private mutating func count(_ change: Change) {
        guard let from = change.from else {
            added += change.count
            return
        }
        guard let to = change.to else {
            removed += change.count
            return
        }
        guard from.homes != to.homes else {
            changed += change.count
            return
        }
        moved += change.count
        guard !to.homes.isEmpty else { return }
        if from.homes.isEmpty {
            exiledFromAnywhere += change.count
            for home in Set(to.homes) { exiled[home, default: 0] -= change.count }
        } else {
            for home in Set(from.homes).subtracting(to.homes) { exiled[home, default: 0] += change.count }
        }
    }

    /// Adds a part of a segment, unless nothing changes there.
    private mutating func add(
        _ segment: DNSegments.Segment, _ offset: Int, _ count: Int, _ segments: DNSegments,
        _ dial: DNSegments.DialDifference? = nil
    ) {
        guard count > 0, segment.what != .same || dial != nil else { return }
        var from = segment.what == .added ? nil : segments.oldProvision(segment, offset)
        var to = segment.what == .removed ? nil : segments.newProvision(segment, offset)
        from?.dial = dial?.from
        to?.dial = dial?.to
        let first = segments.dn(segment, offset)
        if let last = changes.last, dial == nil, last.from == from, last.to == to, last.last.isFollowed(by: first) {
            changes[changes.count - 1].count += count
        } else {
            changes.append(Change(first, count: count, from: from, to: to))
        }
    }
}

extension DN {
    /// Whether the other one is the next number of the same length.
    fileprivate func isFollowed(by other: DN) -> Bool {
        guard length == other.length, let value = decimal, let next = other.decimal else { return false }
        return value + 1 == next
    }
}
