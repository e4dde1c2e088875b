/// What one line of the topology says about a run of DNs.
package struct DNBlock: Hashable, Sendable {
    /// The first DN of the block.
    package var first: DN
    /// How many DNs the block holds: 1, or the length of a range of numbers of equal length.
    package var count: Int
    /// Which agent type the DNs have, as a position in `Topology.agentTypes`.
    package var agentType: Int
    /// Which list of data centers the DNs may register in, as a position in `DNDirectory.homes`.
    package var homes: Int
    /// When the DNs should be in service, as a position in `DNDirectory.expectations`.
    package var expectation: Int
    /// Since when the DNs are provisioned without a break, milliseconds since 1970: what was claimed before counts no more. 0 since
    /// the cluster's beginning.
    package var introduced: UInt64

    package init(
        first: DN, count: Int, agentType: Int, homes: Int, expectation: Int = 0, introduced: UInt64 = 0
    ) {
        self.first = first
        self.count = count
        self.agentType = agentType
        self.homes = homes
        self.expectation = expectation
        self.introduced = introduced
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

    /// For every block, sorted as the blocks are.
    let keys: [SortKey]
    private let bases: [UInt32]

    /// Where a DN stands in the order: numbers have their length and value, text has length 255.
    struct SortKey: Comparable, Sendable {
        let length: UInt8
        let high: UInt64
        let low: UInt64

        init(_ dn: DN) {
            if let decimal = dn.decimal {
                (length, high, low) = (UInt8(dn.length), decimal, 0)
            } else {
                (length, high, low) = (255, dn.high, dn.low)
            }
        }

        static func < (left: SortKey, right: SortKey) -> Bool {
            if left.length != right.length { return left.length < right.length }
            if left.high != right.high { return left.high < right.high }
            return left.low < right.low
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
        let sorted = blocks.map { (SortKey($0.first), $0) }.sorted { $0.0 < $1.0 }
        self.blocks = sorted.map(\.1)
        self.homes = homes
        self.expectations = expectations
        keys = sorted.map(\.0)
        var base = 0
        var bases: [UInt32] = []
        bases.reserveCapacity(sorted.count)
        for (_, block) in sorted {
            bases.append(UInt32(base))
            base += block.count
        }
        precondition(base <= Self.maximumCount, "the loader bounds the number of DNs")
        latestIntroduction = sorted.reduce(0) { max($0, $1.1.introduced) }
        self.bases = bases
        count = base
        self.dialStrings = [:]
        for (dn, text) in dialStrings {
            if let index = self.index(of: dn) { self.dialStrings[index] = text }
        }
    }

    /// - Returns: nil when the DN is not provisioned.
    package func index(of dn: DN) -> DNIndex? {
        let key = SortKey(dn)
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] <= key { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let position = low - 1
        let start = keys[position]
        guard start.length == key.length else { return nil }
        if start.length == 255 {
            return start == key ? DNIndex(rawValue: bases[position]) : nil
        }
        let offset = key.high - start.high
        guard offset < UInt64(blocks[position].count) else { return nil }
        return DNIndex(rawValue: bases[position] + UInt32(offset))
    }

    /// How many DNs stand before this one in the order, whether it is provisioned or not.
    package func count(before dn: DN) -> Int {
        let key = SortKey(dn)
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return 0 }
        let position = low - 1
        let base = Int(bases[position])
        let block = blocks[position]
        guard keys[position].length == key.length, key.length != 255 else { return base + block.count }
        return base + Int(min(UInt64(block.count), key.high - keys[position].high))
    }

    /// The DN at an index of this directory.
    package func dn(at index: DNIndex) -> DN {
        let position = blockPosition(of: index)
        let key = keys[position]
        if key.length == 255 { return blocks[position].first }
        return DN(decimal: key.high + UInt64(index.rawValue - bases[position]), length: Int(key.length))
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
