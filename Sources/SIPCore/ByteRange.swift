/// A run of bytes inside a datagram: where it starts and how long it is. A datagram has at most 65,535 bytes, so two
/// half words are enough and a parsed message holds no copy of what it was parsed from.
package struct ByteRange: Hashable, Sendable {
    /// Nothing, nowhere.
    package static let empty = ByteRange(start: 0, length: 0)

    package let start: UInt16
    package let length: UInt16

    /// From its two halves.
    package init(start: UInt16, length: UInt16) {
        self.start = start
        self.length = length
    }

    /// - Precondition: `0 <= lower <= upper <= 65535`; the parser never looks past that.
    init(_ lower: Int, _ upper: Int) {
        start = UInt16(lower)
        length = UInt16(upper &- lower)
    }

    package var isEmpty: Bool { length == 0 }
    /// The first byte's position, and the position after the last.
    package var lower: Int { Int(start) }
    package var upper: Int { Int(start) &+ Int(length) }
    package var count: Int { Int(length) }
    var indices: Range<Int> { lower..<upper }
}

/// What the parser asks of bytes. Everything here is bounds checked; no unsafe pointer is formed from a datagram.
extension Span<UInt8> {
    /// Eight bytes as one word, the first lowest. The last is read first: its check makes the others needless, and the
    /// compiler makes one load of all.
    @inline(__always)
    func word(at position: Int) -> UInt64 {
        let bytes = extracting(droppingFirst: position)
        let last = UInt64(bytes[7]) << 56
        return last | UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | UInt64(bytes[3]) << 24
            | UInt64(bytes[4]) << 32 | UInt64(bytes[5]) << 40 | UInt64(bytes[6]) << 48
    }

    /// Where `byte` stands next at or after `position`; `end` when it does not before that.
    @inline(__always)
    func position(of byte: UInt8, from position: Int, before end: Int) -> Int {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var position = position
        // Looking past the end costs less than going to it byte by byte.
        while position < end, position &+ 8 <= count {
            let zeros = zeroBytes(word(at: position) ^ pattern)
            if zeros != 0 { return Swift.min(position &+ zeros.trailingZeroBitCount / 8, end) }
            position &+= 8
        }
        while position < end, self[position] != byte { position &+= 1 }
        return Swift.min(position, end)
    }

    /// Where the next carriage return or line feed stands at or after `position`; `count` when there is none.
    @inline(__always)
    func positionOfLineEnd(from position: Int) -> Int {
        var position = position
        while position &+ 8 <= count {
            let word = word(at: position)
            let zeros = zeroBytes(word ^ 0x0A0A_0A0A_0A0A_0A0A) | zeroBytes(word ^ 0x0D0D_0D0D_0D0D_0D0D)
            if zeros != 0 { return position &+ zeros.trailingZeroBitCount / 8 }
            position &+= 8
        }
        while position < count, self[position] != 10, self[position] != 13 { position &+= 1 }
        return position
    }

    /// At most eight bytes as one word, the first lowest.
    @inline(__always)
    func word(at position: Int, length: Int) -> UInt64 {
        if position &+ 8 <= count {
            let word = word(at: position)
            return length < 8 ? word & ((1 &<< UInt64(length &* 8)) &- 1) : word
        }
        var word: UInt64 = 0
        var offset = Swift.min(length, 8, count &- position)
        while offset > 0 {
            offset &-= 1
            word = word << 8 | UInt64(self[position &+ offset])
        }
        return word
    }

    /// At most eight bytes in lower case, the first lowest.
    @inline(__always)
    func lowercaseWord(at position: Int, length: Int) -> UInt64 {
        let word = word(at: position, length: length)
        // A byte gets its bit 5 if it is an ASCII capital letter.
        let low = word & 0x7F7F_7F7F_7F7F_7F7F
        let capitals = (low &+ 0x3F3F_3F3F_3F3F_3F3F) & ~(low &+ 0x2525_2525_2525_2525) & ~word & 0x8080_8080_8080_8080
        return word | capitals >> 2
    }

    /// Equal bytes, compared eight at a time.
    func equals(_ range: ByteRange, in other: Span<UInt8>, at start: Int) -> Bool {
        let count = range.count
        guard start &+ count <= other.count, range.upper <= self.count else { return false }
        var offset = 0
        while offset &+ 8 <= count {
            guard word(at: range.lower &+ offset) == other.word(at: start &+ offset) else { return false }
            offset &+= 8
        }
        while offset < count {
            guard self[range.lower &+ offset] == other[start &+ offset] else { return false }
            offset &+= 1
        }
        return true
    }

    /// Equal but for the case of ASCII letters (RFC 3261 section 7.3.1).
    package func equalsIgnoringCase(_ range: ByteRange, _ text: Span<UInt8>) -> Bool {
        guard range.count == text.count, range.upper <= count else { return false }
        for offset in 0..<text.count {
            guard lowercase(self[range.lower &+ offset]) == lowercase(text[offset]) else { return false }
        }
        return true
    }

    /// Equal but for the case of ASCII letters; `text` is a literal.
    func equalsIgnoringCase(_ range: ByteRange, _ text: String) -> Bool {
        range.count == text.utf8.count && equalsIgnoringCase(range, text.utf8.span)
    }

    /// The range without white space at its ends. Line ends count as white space: a folded header has them inside.
    @inline(__always)
    func trimmed(_ lower: Int, _ upper: Int) -> ByteRange {
        var lower = lower
        var upper = upper
        while lower < upper, isWhitespace(self[lower]) { lower &+= 1 }
        while upper > lower, isWhitespace(self[upper &- 1]) { upper &-= 1 }
        return ByteRange(lower, upper)
    }

    /// Past the white space at `position`, at most to `end`.
    @inline(__always)
    func skippingWhitespace(from position: Int, before end: Int) -> Int {
        var position = position
        while position < end, isWhitespace(self[position]) { position &+= 1 }
        return position
    }

    /// Past the characters of a set that stand at `position`, at most to `end`.
    @inline(__always)
    func skipping(_ set: CharacterSet, from position: Int, before end: Int) -> Int {
        guard position < end else { return position }
        // Cut out first, the bytes need no further check.
        let bytes = extracting(position..<end)
        var offset = 0
        while offset < bytes.count, set.contains(bytes[offset]) { offset &+= 1 }
        return position &+ offset
    }

    /// A decimal number. Numbers that do not fit are `UInt32.max`: more than any bound here.
    ///
    /// - Returns: nil when there is anything but digits, or nothing.
    func decimal(_ range: ByteRange) -> UInt32? {
        guard !range.isEmpty else { return nil }
        var value: UInt64 = 0
        for position in range.indices {
            let digit = self[position] &- 48
            guard digit < 10 else { return nil }
            value = Swift.min(value &* 10 &+ UInt64(digit), UInt64(UInt32.max))
        }
        return UInt32(value)
    }
}

@inline(__always)
func isWhitespace(_ byte: UInt8) -> Bool {
    byte == 32 || byte == 9 || byte == 13 || byte == 10
}

@inline(__always)
func lowercase(_ byte: UInt8) -> UInt8 {
    byte &- 65 < 26 ? byte | 32 : byte
}

/// Marks (with bit 7) the lowest byte that is zero, and perhaps some above it.
@inline(__always)
func zeroBytes(_ word: UInt64) -> UInt64 {
    (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
}

/// A set of ASCII characters: one bit for each.
struct CharacterSet {
    private let low: UInt64
    private let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let bits = byte < 64 ? low : high
        return byte < 128 && bits >> UInt64(byte & 63) & 1 != 0
    }

    /// Letters, digits and -.!%*_+`'~ (RFC 3261 section 25.1).
    @inline(__always)
    static var token: CharacterSet { CharacterSet(low: 0x03FF_6CA2_0000_0000, high: 0x47FF_FFFF_87FF_FFFE) }
    /// A token or a host: the colon and the brackets are those of IPv6.
    @inline(__always)
    static var parameterValue: CharacterSet { CharacterSet(low: 0x07FF_ECA2_0000_0000, high: 0x47FF_FFFF_AFFF_FFFE) }
    /// Letters, digits, dot, hyphen, and the underscore that some names have.
    @inline(__always)
    static var host: CharacterSet { CharacterSet(low: 0x03FF_6000_0000_0000, high: 0x07FF_FFFE_87FF_FFFE) }
    /// All that are printed but space, quote, backslash and angle brackets: others could break out of the brackets that
    /// a URI is answered in.
    @inline(__always)
    static var uri: CharacterSet { CharacterSet(low: 0xAFFF_FFFA_0000_0000, high: 0x7FFF_FFFF_EFFF_FFFF) }
    /// All but <,;?" which end a URI that has no brackets.
    @inline(__always)
    static var plainURI: CharacterSet { CharacterSet(low: 0x67FF_EFFB_FFFF_FFFF, high: UInt64.max) }
}

/// The value of a hexadecimal digit.
func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte &- 48
    case 65...70: byte &- 55
    case 97...102: byte &- 87
    default: nil
    }
}
