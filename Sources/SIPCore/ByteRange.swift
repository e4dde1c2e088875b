/// A run of bytes inside a datagram: where it starts and how long it is. A datagram has at most 65,535 bytes, so two
/// half words are enough and a parsed message holds no copy of what it was parsed from.
package struct ByteRange: Hashable, Sendable {
    package static let empty = ByteRange(start: 0, length: 0)

    package let start: UInt16
    package let length: UInt16

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
    package var lower: Int { Int(start) }
    package var upper: Int { Int(start) &+ Int(length) }
    package var count: Int { Int(length) }
    var indices: Range<Int> { lower..<upper }
}

/// What the parser asks of bytes. Everything here is bounds checked; no unsafe pointer is formed from a datagram.
extension Span<UInt8> {
    /// Eight bytes as one word, the first lowest. The compiler makes one load of it.
    @inline(__always)
    func word(at position: Int) -> UInt64 {
        let bytes = extracting(position..<position &+ 8)
        let low = UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | UInt64(bytes[3]) << 24
        let high = UInt64(bytes[4]) | UInt64(bytes[5]) << 8 | UInt64(bytes[6]) << 16 | UInt64(bytes[7]) << 24
        return low | high << 32
    }

    /// Where `byte` stands next at or after `position`; `end` when it does not before that.
    func position(of byte: UInt8, from position: Int, before end: Int) -> Int {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var position = position
        while position &+ 8 <= end {
            let difference = word(at: position) ^ pattern
            let zeros = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zeros != 0 { return position &+ zeros.trailingZeroBitCount / 8 }
            position &+= 8
        }
        while position < end, self[position] != byte { position &+= 1 }
        return Swift.max(position, Swift.min(position, end))
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
        equalsIgnoringCase(range, text.utf8.span)
    }

    /// The range without white space at its ends. Line ends count as white space: a folded header has them inside.
    func trimmed(_ lower: Int, _ upper: Int) -> ByteRange {
        var lower = lower
        var upper = upper
        while lower < upper, isWhitespace(self[lower]) { lower &+= 1 }
        while upper > lower, isWhitespace(self[upper &- 1]) { upper &-= 1 }
        return ByteRange(lower, upper)
    }

    /// Past the white space at `position`, at most to `end`.
    func skippingWhitespace(from position: Int, before end: Int) -> Int {
        var position = position
        while position < end, isWhitespace(self[position]) { position &+= 1 }
        return position
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

/// What a `token` is made of (RFC 3261 section 25.1).
@inline(__always)
func isToken(_ byte: UInt8) -> Bool {
    if byte &- 48 < 10 || (byte | 32) &- 97 < 26 { return true }
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "%"), UInt8(ascii: "*"),
        UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "`"), UInt8(ascii: "'"), UInt8(ascii: "~"):
        return true
    default:
        return false
    }
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
