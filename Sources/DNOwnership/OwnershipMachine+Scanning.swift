package import ClusterModel

/// What is held of a DN, for one who looks at very many of them; 4 bytes.
package struct ScannedDN: Sendable {
    package let owner: NodeIndex
    /// As the owner said last.
    package let service: Service
    package let occupancy: Occupancy

    fileprivate init(_ record: Record) {
        (owner, service, occupancy) = (record.owner, record.service, record.occupancy)
    }
}

// For whoever looks for DNs that are not as they should be. What only reads is mutating, so that it is called in place.
extension OwnershipMachine {
    /// What is held of DNs in a row.
    ///
    /// - Parameter found: takes the place of what was in it, and needs no memory if it has held as many before.
    package mutating func scan(_ range: Range<Int>, into found: inout [ScannedDN]) {
        found.removeAll(keepingCapacity: true)
        for position in range { found.append(ScannedDN(records[position])) }
    }

    /// A peer says that it owns a DN to which another node has a greater claim; the first of them.
    package mutating func lesserClaimant(of dn: DNIndex) -> NodeIndex? {
        for position in links.indices where !links[position].superseded.isEmpty {
            if links[position].superseded[dn] != nil { return NodeIndex(position) }
        }
        return nil
    }

    /// Whether `lesserClaimant` can have an answer.
    package mutating func hasLesserClaimants() -> Bool {
        for position in links.indices where !links[position].superseded.isEmpty { return true }
        return false
    }

    /// A DN that a peer owns, as it says, and that the topology does not have.
    package struct UnknownDN: Equatable, Sendable {
        package let dn: DN
        package let owner: NodeIndex
        /// When it was heard first, monotonic nanoseconds.
        package let since: UInt64
    }

    /// DNs that peers own, as they say, and that the topology does not have.
    ///
    /// - Parameters:
    ///   - grace: for how long it has been heard at least, nanoseconds.
    ///   - limit: how many are named.
    /// - Returns: some of them by DN, and of how many has been heard.
    package mutating func unknownDNs(
        after grace: UInt64, limit: Int, now: Instant
    ) -> (named: [UnknownDN], count: UInt64) {
        var (named, count): ([UnknownDN], UInt64) = ([], 0)
        for position in links.indices where !links[position].unknown.isEmpty {
            let unknown = links[position].unknown
            let due = unknown.names.filter { now.since($0.value) > grace }
            named += due.map { UnknownDN(dn: $0.key, owner: NodeIndex(position), since: $0.value) }
            count += UInt64(due.count)
            if unknown.others > 0, now.since(unknown.othersSince) > grace { count += unknown.others }
        }
        named.sort { ($0.dn, $0.owner) < ($1.dn, $1.owner) }
        return (Array(named.prefix(limit)), count)
    }
}

/// DNs that a peer owns, as it says, and that the topology does not have: their records are passed over. While a new topology
/// goes round nodes that have it talk to nodes that have not, so there are some for a moment.
struct UnknownDNs: Sendable {
    /// More are counted and not named.
    static let maximumNames = 64

    /// When each was heard first, monotonic nanoseconds.
    private(set) var names: [DN: UInt64] = [:]
    /// Of a snapshot, beyond those with names; what a stream adds to these is not known.
    private(set) var others: UInt64 = 0
    private(set) var othersSince: UInt64 = 0
    /// What the present snapshot takes the place of: what is said again has been so since then.
    private var earlier: [DN: UInt64] = [:]
    private var earlierOthersSince: UInt64?

    var isEmpty: Bool { names.isEmpty && others == 0 }

    /// The peer speaks of a DN.
    ///
    /// - Parameter isSnapshot: in a snapshot, which has every DN once.
    mutating func said(_ dn: DN, _ service: Service, isSnapshot: Bool, now: Instant) {
        // Its last word, as the peer does not have it any more either.
        if service == .notProvisioned { return dropped(dn) }
        guard names[dn] == nil else { return }
        if names.count < Self.maximumNames {
            names[dn] = isSnapshot ? earlier[dn] ?? now.monotonic : now.monotonic
        } else if isSnapshot {
            if others == 0 { othersSince = earlierOthersSince ?? now.monotonic }
            others += 1
        }
    }

    /// The peer owns it no more.
    mutating func dropped(_ dn: DN) {
        if names.removeValue(forKey: dn) == nil, others > 0 { others -= 1 }
    }

    /// The peer tells everything anew.
    mutating func beginAnew() {
        guard !isEmpty else { return }
        let former = self
        self = UnknownDNs()
        earlier = former.names
        if former.others > 0 { earlierOthersSince = former.othersSince }
    }
}

extension UnknownDNs: Transferable {
    /// Under another topology some of them may be known; the peer is asked for these. How many of the others are among them
    /// nobody can tell, so they stay until its next snapshot.
    mutating func transfer(_ state: inout StateTransfer) {
        var list = names.map { Name(dn: "\($0.key)", since: $0.value) }.sorted { $0.dn < $1.dn }
        state.list(1, &list)
        state.number(2, &others)
        state.number(3, &othersSince)
        guard state.isReading else { return }
        names = [:]
        for name in list.prefix(Self.maximumNames) {
            if let dn = DN(name.dn) { names[dn] = name.since }
        }
    }

    /// Those that the topology has by now are not unknown any more.
    mutating func forget(_ isKnown: (DN) -> Bool) { names = names.filter { !isKnown($0.key) } }

    private struct Name: Restorable {
        var dn: String
        var since: UInt64

        static var blank: Name { Name(dn: "", since: 0) }

        mutating func transfer(_ state: inout StateTransfer) {
            state.text(1, &dn)
            state.number(2, &since)
        }
    }
}
