/// What one line of the topology says about a run of DNs.
package struct DNBlock: Hashable, Sendable {
    /// The first DN of the block.
    package var first: DN
    /// How many DNs the block holds: 1, or the length of a range of numbers of equal length.
    package var count: Int
    /// Since when the DNs are provisioned without a break, milliseconds since 1970: what was claimed before counts no more. 0 since
    /// the cluster's beginning.
    package var introduced: UInt64
    // A topology may have a million blocks. What no list is long enough for is the last position of these.
    private var shortHomes: UInt32
    private var shortAgentType: UInt16
    private var shortExpectation: UInt16

    package init(
        first: DN, count: Int, agentType: Int, homes: Int, expectation: Int = 0, introduced: UInt64 = 0
    ) {
        self.first = first
        self.count = count
        self.introduced = introduced
        shortHomes = UInt32(clamping: homes)
        shortAgentType = UInt16(clamping: agentType)
        shortExpectation = UInt16(clamping: expectation)
    }

    /// Which agent type the DNs have, as a position in `Topology.agentTypes`.
    package var agentType: Int {
        get { Int(shortAgentType) }
        set { shortAgentType = UInt16(clamping: newValue) }
    }

    /// Which list of data centers the DNs may register in, as a position in `DNDirectory.homes`.
    package var homes: Int {
        get { Int(shortHomes) }
        set { shortHomes = UInt32(clamping: newValue) }
    }

    /// When the DNs should be in service, as a position in `DNDirectory.expectations`.
    package var expectation: Int {
        get { Int(shortExpectation) }
        set { shortExpectation = UInt16(clamping: newValue) }
    }

    /// The part of it that begins at an offset.
    package func part(at offset: Int, count: Int) -> DNBlock {
        var part = self
        part.count = count
        if offset > 0, let decimal = first.decimal {
            part.first = DN(decimal: decimal + UInt64(offset), length: first.length)
        }
        return part
    }
}

/// All provisioned DNs, in blocks. A range costs one block however long it is; looking a DN up is a binary search.
///
/// Order: numbers first, by length and then by value; then all other DNs by text. A `DNIndex` counts DNs in this order.
package struct DNDirectory: Equatable, Sendable {
    /// The most DNs that a directory may hold.
    package static let maximumCount = 16_000_000

    package let blocks: [DNBlock]
    /// Lists of data centers, as positions in `Topology.dataCenters`, preferred first. An empty list means anywhere.
    package let homes: [[Int]]
    /// What is expected of DNs; the first is nil, for nothing.
    package let expectations: [ServiceExpectation?]
    /// What to dial for DNs that are reached through a trunk.
    package private(set) var dialStrings: [DNIndex: String]
    /// How many DNs there are.
    package let count: Int

    /// When the latest DN was introduced, milliseconds since 1970; 0 where all have been there since the cluster's beginning.
    package let latestIntroduction: UInt64

    /// By block, how many DNs stand before it.
    private let bases: [UInt32]
    /// By rank, where its blocks begin; one more, for the end.
    private let starts: [Int]

    /// Where a DN stands in the order. Numbers of one length are in the order of their texts.
    struct SortKey: Comparable, Sendable {
        /// All text that is no number comes after the longest numbers.
        static let ofText = DN.maximumLength + 1

        /// Of a number its length.
        let rank: Int
        let dn: DN

        init(_ dn: DN) {
            self.dn = dn
            rank = dn.isNumber ? dn.length : Self.ofText
        }

        static func < (left: SortKey, right: SortKey) -> Bool {
            left.rank == right.rank ? left.dn < right.dn : left.rank < right.rank
        }
    }

    /// - Parameters:
    ///   - blocks: in any order. Overlaps are the loader's to refuse; here the DN belongs to the last block that starts
    ///     at or before it.
    ///   - homes: the lists that the blocks refer to.
    ///   - expectations: the same of what is expected; the first is nil.
    ///   - dialStrings: by DN.
    package init(
        blocks: [DNBlock], homes: [[Int]] = [[]], expectations: [ServiceExpectation?] = [nil],
        dialStrings: [DN: String] = [:]
    ) {
        let blocks = Self.inOrder(blocks)
        self.blocks = blocks
        self.homes = homes
        self.expectations = expectations
        var base = 0
        var latest: UInt64 = 0
        var bases: [UInt32] = []
        bases.reserveCapacity(blocks.count)
        var starts: [Int] = []
        for (position, block) in blocks.enumerated() {
            bases.append(UInt32(base))
            base += block.count
            latest = max(latest, block.introduced)
            let rank = SortKey(block.first).rank
            while starts.count <= rank { starts.append(position) }
        }
        precondition(base <= Self.maximumCount, "the loader bounds the number of DNs")
        while starts.count <= SortKey.ofText + 1 { starts.append(blocks.count) }
        latestIntroduction = latest
        self.bases = bases
        self.starts = starts
        count = base
        self.dialStrings = [:]
        for (dn, text) in dialStrings {
            if let index = self.index(of: dn) { self.dialStrings[index] = text }
        }
    }

    /// Mostly they are in order, and need not be copied.
    private static func inOrder(_ blocks: [DNBlock]) -> [DNBlock] {
        var last: SortKey?
        for block in blocks {
            let key = SortKey(block.first)
            if let last, key < last { return blocks.sorted { SortKey($0.first) < SortKey($1.first) } }
            last = key
        }
        return blocks
    }

    /// - Returns: nil when the DN is not provisioned.
    package func index(of dn: DN) -> DNIndex? {
        let rank = SortKey(dn).rank
        let start = starts[rank]
        var low = start
        var high = starts[rank + 1]
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].first <= dn { low = middle + 1 } else { high = middle }
        }
        guard low > start else { return nil }
        let position = low - 1
        let block = blocks[position]
        if block.first == dn { return block.count > 0 ? DNIndex(rawValue: bases[position]) : nil }
        guard let first = block.first.decimal, let value = dn.decimal, value - first < UInt64(block.count) else {
            return nil
        }
        return DNIndex(rawValue: bases[position] + UInt32(value - first))
    }

    /// How many DNs stand before this one in the order, whether it is provisioned or not.
    package func count(before dn: DN) -> Int {
        let rank = SortKey(dn).rank
        var low = starts[rank]
        var high = starts[rank + 1]
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].first < dn { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return 0 }
        let position = low - 1
        let base = Int(bases[position])
        let block = blocks[position]
        guard position >= starts[rank], let first = block.first.decimal, let value = dn.decimal else {
            return base + block.count
        }
        return base + Int(min(UInt64(block.count), value - first))
    }

    /// The DN at an index of this directory.
    package func dn(at index: DNIndex) -> DN {
        let position = blockPosition(of: index)
        let first = blocks[position].first
        let offset = index.rawValue - bases[position]
        guard offset > 0, let value = first.decimal else { return first }
        return DN(decimal: value + UInt64(offset), length: first.length)
    }

    /// What the topology says about the DN at an index of this directory.
    package func block(of index: DNIndex) -> DNBlock {
        blocks[blockPosition(of: index)]
    }

    /// Where the DNs of a block begin.
    package func place(ofBlock position: Int) -> Int { Int(bases[position]) }

    /// When the DNs of a block should be in service; nil for no matter.
    package func expectation(of block: DNBlock) -> ServiceExpectation? {
        expectations.indices.contains(block.expectation) ? expectations[block.expectation] : nil
    }

    /// The position in `blocks` of the one that has a DN.
    package func blockPosition(of index: DNIndex) -> Int {
        precondition(index.position < count, "an index belongs to one directory")
        var low = 0
        var high = bases.count
        while low < high {
            let middle = (low + high) / 2
            if bases[middle] <= index.rawValue { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
