// What two directories have in common. Everything costs as many steps as the two have blocks, however long the blocks are.
extension DNDirectory {
    /// DNs that stand in both: a piece of a block here, and the piece of a block there that has the same DNs.
    package struct SharedPiece: Equatable, Sendable {
        /// Positions in `blocks`, and where in these the piece begins.
        package var here: Int
        package var offsetHere: Int
        package var there: Int
        package var offsetThere: Int
        package var count: Int
    }

    /// Calls `body` for all DNs that another directory has too, in the order of both.
    package func forEachShared(with other: DNDirectory, _ body: (SharedPiece) -> Void) {
        var (here, there) = (0, 0)
        while here < blocks.count, there < other.blocks.count {
            let (mine, yours) = (blocks[here], other.blocks[there])
            let (myKey, yourKey) = (SortKey(mine.first), SortKey(yours.first))
            guard mine.count != 1 || yours.count != 1, myKey.rank == yourKey.rank, let myFirst = mine.first.decimal,
                let yourFirst = yours.first.decimal
            else {
                if mine.first == yours.first {
                    body(SharedPiece(here: here, offsetHere: 0, there: there, offsetThere: 0, count: 1))
                }
                if myKey <= yourKey { here += 1 }
                if yourKey <= myKey { there += 1 }
                continue
            }
            let start = max(myFirst, yourFirst)
            let myEnd = myFirst + UInt64(mine.count)
            let yourEnd = yourFirst + UInt64(yours.count)
            let end = min(myEnd, yourEnd)
            if start < end {
                body(
                    SharedPiece(
                        here: here, offsetHere: Int(start - myFirst), there: there,
                        offsetThere: Int(start - yourFirst), count: Int(end - start)))
            }
            if myEnd <= yourEnd { here += 1 }
            if yourEnd <= myEnd { there += 1 }
        }
    }

    /// How many blocks, from one position here and another there, are the same in both directories one after the other,
    /// and how many DNs they have. No DN is taken apart for that.
    package func equalBlocks(
        at here: Int, and there: Int, of other: DNDirectory, _ references: DNBlockReferences
    ) -> (blocks: Int, dns: Int) {
        var (position, dns) = (0, 0)
        let end = min(blocks.count - here, other.blocks.count - there)
        while position < end {
            let (mine, yours) = (blocks[here + position], other.blocks[there + position])
            guard mine.first == yours.first, mine.count == yours.count, references.lead(mine, to: yours) else { break }
            position += 1
            dns += mine.count
        }
        return (position, dns)
    }

    /// DNs that another directory does not have, or that were introduced anew there: by their places here, in order.
    package func missing(in other: DNDirectory) -> [Range<Int>] {
        var missing: [Range<Int>] = []
        var next = 0
        forEachShared(with: other) { piece in
            guard blocks[piece.here].introduced == other.blocks[piece.there].introduced else { return }
            let start = place(ofBlock: piece.here) + piece.offsetHere
            if start > next { missing.append(next..<start) }
            next = start + piece.count
        }
        if count > next { missing.append(next..<count) }
        return missing
    }

    /// The DN's place here, if it has been provisioned without a break since it stood in a block of another directory.
    package func index(of dn: DN, introducedAs block: DNBlock) -> DNIndex? {
        guard let index = index(of: dn) else { return nil }
        if latestIntroduction == 0, block.introduced == 0 { return index }
        return self.block(of: index).introduced == block.introduced ? index : nil
    }

    /// Whether something was claimed under a DN's number when it was not provisioned, or was so another time: that counts no more.
    @inline(__always)
    package func isVoid(_ stamp: Stamp, of dn: DNIndex) -> Bool {
        latestIntroduction > stamp.milliseconds && block(of: dn).introduced > stamp.milliseconds
    }

    /// The same DNs, when they take the place of an earlier directory: those that stand there were introduced when they were, all
    /// others are introduced now.
    ///
    /// - Parameter milliseconds: since 1970.
    package func introduced(after earlier: DNDirectory, at milliseconds: UInt64) -> DNDirectory {
        var builder = IntroductionBuilder(blocks: blocks, now: milliseconds)
        forEachShared(with: earlier) { piece in
            builder.take(piece, introduced: earlier.blocks[piece.there].introduced)
        }
        builder.finish(upTo: blocks.count)
        guard builder.pieces != blocks else { return self }
        var texts: [DN: String] = [:]
        for (index, text) in dialStrings { texts[dn(at: index)] = text }
        return DNDirectory(blocks: builder.pieces, homes: homes, expectations: expectations, dialStrings: texts)
    }
}

/// Where what the blocks of one directory refer to stands in the lists of another; -1 for what does not.
package struct DNBlockReferences: Sendable {
    package let agentTypes: [Int]
    package let homes: [Int]
    package let expectations: [Int]

    package init(agentTypes: [Int], homes: [Int], expectations: [Int]) {
        self.agentTypes = agentTypes
        self.homes = homes
        self.expectations = expectations
    }

    /// Whether a block of the one says the same of its DNs as a block of the other.
    package func lead(_ one: DNBlock, to other: DNBlock) -> Bool {
        agentTypes[one.agentType] == other.agentType && homes[one.homes] == other.homes
            && expectations[one.expectation] == other.expectation
    }
}

/// Cuts blocks where DNs that were introduced at different times meet.
private struct IntroductionBuilder {
    let blocks: [DNBlock]
    let now: UInt64
    var pieces: [DNBlock] = []
    /// The block that is being cut, and how much of it has been.
    private var block = 0
    private var next = 0

    init(blocks: [DNBlock], now: UInt64) {
        self.blocks = blocks
        self.now = now
        pieces.reserveCapacity(blocks.count)
    }

    mutating func take(_ piece: DNDirectory.SharedPiece, introduced: UInt64) {
        finish(upTo: piece.here)
        add(until: piece.offsetHere, now)
        add(until: piece.offsetHere + piece.count, introduced)
    }

    mutating func finish(upTo end: Int) {
        while block < end {
            add(until: blocks[block].count, now)
            block += 1
            next = 0
        }
    }

    private mutating func add(until end: Int, _ introduced: UInt64) {
        guard end > next else { return }
        if next > 0, pieces[pieces.count - 1].introduced == introduced {
            pieces[pieces.count - 1].count += end - next
        } else {
            var piece = blocks[block].part(at: next, count: end - next)
            piece.introduced = introduced
            pieces.append(piece)
        }
        next = end
    }
}
