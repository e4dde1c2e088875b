import ClusterModel

/// Two directories side by side: runs of DNs that are in one of them, or in both and the same, or in both and not the
/// same.
struct DNSegments {
    enum What {
        case same, changed, added, removed
    }

    struct Segment {
        var what: What
        /// Positions in the two directories; that of the one that lacks the DNs is where they would stand.
        var old: Int
        var new: Int
        var count: Int
    }

    /// A DN with another dial string than before.
    struct DialDifference {
        var segment: Int
        var offset: Int
        var from: String?
        var to: String?
    }

    private(set) var list: [Segment] = []
    private let old: Side
    private let new: Side
    /// The new positions of what old blocks refer to.
    private let references: DNBlockReferences

    /// One directory with the names that its positions stand for.
    private struct Side {
        let directory: DNDirectory
        let types: [String]
        let homes: [[String]]
        let expectations: [ServiceExpectation?]

        init(_ topology: Topology) {
            directory = topology.directory
            types = topology.agentTypes.map(\.name)
            homes = topology.directory.homes.map { list in list.map { topology.dataCenters[$0].name } }
            expectations = topology.directory.expectations
        }
    }

    /// Where the walk along one directory is.
    private struct Cursor {
        var block = 0
        /// DNs of the block that are behind.
        var offset = 0
        /// DNs of the directory that are behind.
        var passed = 0

        func rest(of directory: DNDirectory) -> Int { directory.blocks[block].count - offset }

        mutating func advance(_ count: Int, in directory: DNDirectory) {
            offset += count
            passed += count
            if offset == directory.blocks[block].count { (block, offset) = (block + 1, 0) }
        }
    }

    init(_ old: Topology, _ new: Topology) {
        self.old = Side(old)
        self.new = Side(new)
        let typePositions = Dictionary(self.new.types.enumerated().map { ($1, $0) }) { first, _ in first }
        let homePositions = Dictionary(self.new.homes.enumerated().map { ($1, $0) }) { first, _ in first }
        let expectationPositions = Dictionary(self.new.expectations.enumerated().map { ($1, $0) }) { first, _ in first }
        references = DNBlockReferences(
            agentTypes: self.old.types.map { typePositions[$0] ?? -1 },
            homes: self.old.homes.map { homePositions[$0] ?? -1 },
            expectations: self.old.expectations.map { expectationPositions[$0] ?? -1 })
    }

    // MARK: Blocks

    mutating func compare() {
        var left = Cursor()
        var right = Cursor()
        let (before, after) = (old.directory, new.directory)
        while true {
            passEqualBlocks(&left, &right)
            let leftEnded = left.block == before.blocks.count
            let rightEnded = right.block == after.blocks.count
            if leftEnded && rightEnded { return }
            if leftEnded {
                take(.added, right.rest(of: after), &left, &right)
            } else if rightEnded {
                take(.removed, left.rest(of: before), &left, &right)
            } else {
                step(&left, &right)
            }
        }
    }

    /// Most blocks of a large topology are as they were, and for those no DN has to be taken apart.
    private mutating func passEqualBlocks(_ left: inout Cursor, _ right: inout Cursor) {
        guard left.offset == 0, right.offset == 0 else { return }
        let equal = old.directory.equalBlocks(at: left.block, and: right.block, of: new.directory, references)
        append(Segment(what: .same, old: left.passed, new: right.passed, count: equal.dns))
        left.block += equal.blocks
        left.passed += equal.dns
        right.block += equal.blocks
        right.passed += equal.dns
    }

    /// Both have DNs left.
    private mutating func step(_ left: inout Cursor, _ right: inout Cursor) {
        let (one, other) = (old.directory.blocks[left.block], new.directory.blocks[right.block])
        let from = Place(one.first, left.offset)
        let to = Place(other.first, right.offset)
        if from.isNumber, to.isNumber, from.length == to.length {
            if from.high < to.high {
                take(.removed, min(left.rest(of: old.directory), Int(to.high - from.high)), &left, &right)
            } else if to.high < from.high {
                take(.added, min(right.rest(of: new.directory), Int(from.high - to.high)), &left, &right)
            } else {
                let count = min(left.rest(of: old.directory), right.rest(of: new.directory))
                take(references.lead(one, to: other) ? .same : .changed, count, &left, &right)
            }
        } else if from == to {
            take(references.lead(one, to: other) ? .same : .changed, 1, &left, &right)
        } else if from < to {
            take(.removed, left.rest(of: old.directory), &left, &right)
        } else {
            take(.added, right.rest(of: new.directory), &left, &right)
        }
    }

    private mutating func take(_ what: What, _ count: Int, _ left: inout Cursor, _ right: inout Cursor) {
        append(Segment(what: what, old: left.passed, new: right.passed, count: count))
        if what != .added { left.advance(count, in: old.directory) }
        if what != .removed { right.advance(count, in: new.directory) }
    }

    /// DNs that stay as they are make one segment as long as they follow each other in both directories.
    private mutating func append(_ segment: Segment) {
        guard segment.count > 0 else { return }
        if segment.what == .same, let last = list.last, last.what == .same {
            list[list.count - 1].count += segment.count
        } else {
            list.append(segment)
        }
    }

    /// The directory's order: numbers by length and value, then all other DNs by text.
    private struct Place: Comparable {
        let isNumber: Bool
        let length: Int
        let high: UInt64
        let low: UInt64

        init(_ first: DN, _ offset: Int) {
            if let decimal = first.decimal {
                (isNumber, length, high, low) = (true, first.length, decimal + UInt64(offset), 0)
            } else {
                (isNumber, length, high, low) = (false, .max, first.high, first.low)
            }
        }

        static func < (left: Place, right: Place) -> Bool {
            (left.length, left.high, left.low) < (right.length, right.high, right.low)
        }
    }

    // MARK: What a segment says

    func dn(_ segment: Segment, _ offset: Int) -> DN {
        segment.what == .removed
            ? old.directory.dn(at: DNIndex(segment.old + offset)) : new.directory.dn(at: DNIndex(segment.new + offset))
    }

    func oldProvision(_ segment: Segment, _ offset: Int) -> DNDifference.Provision {
        Self.provision(old, segment.old + offset)
    }

    func newProvision(_ segment: Segment, _ offset: Int) -> DNDifference.Provision {
        Self.provision(new, segment.new + offset)
    }

    private static func provision(_ side: Side, _ position: Int) -> DNDifference.Provision {
        let block = side.directory.block(of: DNIndex(position))
        return DNDifference.Provision(
            agentType: side.types[block.agentType], homes: side.homes[block.homes],
            expectation: side.directory.expectation(of: block))
    }

    // MARK: Dial strings

    /// By segment and offset.
    func dialDifferences() -> [DialDifference] {
        var found: [DialDifference] = []
        let (before, after) = (old.directory.dialStrings, new.directory.dialStrings)
        var met = 0
        for (index, text) in before {
            let place = segment(holding: index.position, isOld: true)
            let segment = list[place]
            let offset = index.position - segment.old
            let now = segment.what == .removed ? nil : after[DNIndex(segment.new + offset)]
            if now != nil { met += 1 }
            if now != text { found.append(DialDifference(segment: place, offset: offset, from: text, to: now)) }
        }
        // Mostly all of them had one before, and need not be looked for again.
        for (index, text) in after where met < after.count {
            let place = segment(holding: index.position, isOld: false)
            let segment = list[place]
            let offset = index.position - segment.new
            guard segment.what == .added || before[DNIndex(segment.old + offset)] == nil else { continue }
            found.append(DialDifference(segment: place, offset: offset, from: nil, to: text))
        }
        return found.sorted { ($0.segment, $0.offset) < ($1.segment, $1.offset) }
    }

    /// The segment that holds a position of one directory. Those that the directory lacks stand where the next one with
    /// its DNs begins.
    private func segment(holding position: Int, isOld: Bool) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            let start = isOld ? list[middle].old : list[middle].new
            if start <= position { low = middle + 1 } else { high = middle }
        }
        var place = low - 1
        let missing: What = isOld ? .added : .removed
        while list[place].what == missing { place -= 1 }
        return place
    }
}
