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
        while here < keys.count, there < other.keys.count {
            let (mine, yours) = (keys[here], other.keys[there])
            guard mine.length == yours.length, mine.length != 255 else {
                if mine == yours {
                    body(SharedPiece(here: here, offsetHere: 0, there: there, offsetThere: 0, count: 1))
                }
                if mine <= yours { here += 1 }
                if yours <= mine { there += 1 }
                continue
            }
            let start = max(mine.high, yours.high)
            let myEnd = mine.high + UInt64(blocks[here].count)
            let yourEnd = yours.high + UInt64(other.blocks[there].count)
            let end = min(myEnd, yourEnd)
            if start < end {
                body(
                    SharedPiece(
                        here: here, offsetHere: Int(start - mine.high), there: there,
                        offsetThere: Int(start - yours.high), count: Int(end - start)))
            }
            if myEnd <= yourEnd { here += 1 }
            if yourEnd <= myEnd { there += 1 }
        }
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
