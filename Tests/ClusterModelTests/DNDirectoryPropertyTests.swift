import ClusterModel
import Testing

/// Directories of numbers and texts by chance, beside lists of their DNs one by one.
@Suite struct DNDirectoryPropertyTests {
    private static let characters = Array("0123456789a*".utf8)

    private static func randomDN(_ random: inout SplitMix) -> DN {
        let length = 1 + random.below(random.below(4) == 0 ? 16 : 3)
        let kinds = random.below(3) == 0 ? characters.count : 10
        return DN((0..<length).map { _ in characters[random.below(kinds)] })!
    }

    /// The blocks come in any order, and none of them overlap.
    private static func directory(_ random: inout SplitMix) -> (directory: DNDirectory, dns: [DN: DNBlock]) {
        var blocks: [DNBlock] = []
        var dns: [DN: DNBlock] = [:]
        for _ in 0..<random.below(24) {
            let first = randomDN(&random)
            var count = 1
            if let value = first.decimal, random.below(2) == 0 {
                count = 1 + random.below(20)
                while String(value + UInt64(count) - 1).utf8.count > first.length { count -= 1 }
            }
            let block = DNBlock(
                first: first, count: count, agentType: random.below(3), homes: random.below(3),
                introduced: UInt64(random.below(2)))
            let all = (0..<count).map { block.part(at: $0, count: 1).first }
            guard all.allSatisfy({ dns[$0] == nil }) else { continue }
            blocks.append(block)
            for dn in all { dns[dn] = block }
        }
        return (DNDirectory(blocks: blocks), dns)
    }

    private static func isBefore(_ left: DN, _ right: DN) -> Bool {
        switch (isNumber(left), isNumber(right)) {
        case (true, true): left.length == right.length ? left < right : left.length < right.length
        case (true, false): true
        case (false, true): false
        case (false, false): left < right
        }
    }

    private static func isNumber(_ dn: DN) -> Bool { dn.description.allSatisfy { $0.isASCII && $0.isNumber } }

    @Test func `a character that is no digit makes a text of a number, wherever it stands`() {
        let number = Array("1234567890123456".utf8)
        for length in 1...DN.maximumLength {
            for position in 0..<length {
                for byte in (UInt8.min...UInt8.max).filter(DN.isAllowed) {
                    var text = Array(number[..<length])
                    text[position] = byte
                    let isNumber = Character(UnicodeScalar(byte)).isNumber
                    #expect(DN(text)?.isNumber == isNumber)
                    #expect(DN(text)?.decimal == (isNumber ? UInt64(String(decoding: text, as: UTF8.self)) : nil))
                }
            }
        }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `a directory knows the DNs of its blocks, in order, and no others`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let (directory, dns) = Self.directory(&random)
        let sorted = dns.keys.sorted(by: Self.isBefore)
        #expect(directory.count == sorted.count)
        for (position, dn) in sorted.enumerated() {
            #expect(directory.dn(at: DNIndex(position)) == dn)
            #expect(directory.index(of: dn) == DNIndex(position))
            #expect(directory.block(of: DNIndex(position)) == dns[dn])
        }
        for _ in 0..<50 {
            let dn = Self.randomDN(&random)
            #expect((directory.index(of: dn) != nil) == (dns[dn] != nil))
            #expect(directory.count(before: dn) == sorted.count { Self.isBefore($0, dn) })
            #expect(dn.isNumber == Self.isNumber(dn))
            #expect(dn.decimal == (Self.isNumber(dn) ? UInt64(dn.description) : nil))
        }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `two directories share the DNs that stand in both`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let (one, mine) = Self.directory(&random)
        let (other, yours) = Self.directory(&random)
        var shared: [DN] = []
        one.forEachShared(with: other) { piece in
            for offset in 0..<piece.count {
                let dn = one.blocks[piece.here].part(at: piece.offsetHere + offset, count: 1).first
                #expect(other.blocks[piece.there].part(at: piece.offsetThere + offset, count: 1).first == dn)
                shared.append(dn)
            }
        }
        #expect(shared == mine.keys.filter { yours[$0] != nil }.sorted(by: Self.isBefore))
        let kept = mine.keys.filter { yours[$0]?.introduced == mine[$0]?.introduced }
        let missing = one.missing(in: other)
        #expect(
            missing.flatMap { $0 }.map { one.dn(at: DNIndex($0)) }
                == mine.keys.filter { !kept.contains($0) }.sorted(by: Self.isBefore))
        #expect(zip(missing, missing.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
        let later = one.introduced(after: other, at: 7)
        #expect(later.count == one.count)
        for dn in mine.keys {
            let block = later.index(of: dn).map { later.block(of: $0) }
            #expect(block?.introduced == yours[dn].map(\.introduced) ?? 7)
            #expect(block?.agentType == mine[dn]?.agentType)
        }
    }
}

/// SplitMix64.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Int(mixed(state) % UInt64(bound))
    }
}
