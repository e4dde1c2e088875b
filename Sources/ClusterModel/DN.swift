// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// A directory number: what a phone registers as and what a caller dials.
///
/// A DN is text, 1 to 16 characters of `0-9 A-Z a-z * # + . _ -`; `0042` and `42` are two DNs. Sixteen characters hold
/// every E.164 number with its plus sign. The text is packed into two big-endian words, zero padded, so that comparing
/// the words compares the texts, and a DN costs no allocation anywhere.
public struct DN: Hashable, Sendable {
    package static var maximumLength: Int { 16 }

    /// Characters 1 to 8 and 9 to 16, the first in the highest byte.
    public let high: UInt64
    public let low: UInt64

    /// - Returns: nil when the text is empty, too long or has a character that a DN cannot have.
    package init?(_ text: some Sequence<UInt8>) {
        guard let (high, low) = Self.packed(text) else { return nil }
        self.init(uncheckedHigh: high, low: low)
    }

    /// The same for a part of an array. A topology file may have a million DNs, and a generic function of another room
    /// costs several times as much.
    package init?(_ text: ArraySlice<UInt8>) {
        guard let (high, low) = Self.packed(text) else { return nil }
        self.init(uncheckedHigh: high, low: low)
    }

    @inline(__always)
    private static func packed(_ text: some Sequence<UInt8>) -> (high: UInt64, low: UInt64)? {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var length = 0
        for byte in text {
            guard length < Self.maximumLength, Self.isAllowed(byte) else { return nil }
            if length < 8 {
                high |= UInt64(byte) << UInt64(56 - length * 8)
            } else {
                low |= UInt64(byte) << UInt64(120 - length * 8)
            }
            length += 1
        }
        return length > 0 ? (high, low) : nil
    }

    package init?(_ text: String) {
        self.init(text.utf8)
    }

    /// From the packed words, as they travel between nodes.
    ///
    /// - Returns: nil when they do not hold a DN.
    package init?(high: UInt64, low: UInt64) {
        self.init(uncheckedHigh: high, low: low)
        guard high != 0, high.trailingZeroBitCount < 8 || low == 0 else { return nil }
        // A null inside is none of the characters that a DN has.
        for position in 0..<length where !Self.isAllowed(self[position]) { return nil }
    }

    private init(uncheckedHigh high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The decimal `value`, zero padded to `length` digits.
    ///
    /// - Precondition: `length` is 1 to 16 and the value fits; both hold for every number that came from a DN.
    package init(decimal value: UInt64, length: Int) {
        precondition(length >= 1 && length <= Self.maximumLength)
        var rest = value
        var high: UInt64 = 0
        var low: UInt64 = 0
        var position = length - 1
        while position >= 0 {
            let digit = UInt64(UInt8(ascii: "0")) + rest % 10
            rest /= 10
            if position < 8 {
                high |= digit << UInt64(56 - position * 8)
            } else {
                low |= digit << UInt64(120 - position * 8)
            }
            position -= 1
        }
        precondition(rest == 0, "the number has more digits than its length")
        self.init(uncheckedHigh: high, low: low)
    }

    /// How many characters the DN has.
    package var length: Int {
        let zeroBits = low == 0 ? 64 + high.trailingZeroBitCount : low.trailingZeroBitCount
        return Self.maximumLength - zeroBits / 8
    }

    /// Every character is a digit.
    package var isNumber: Bool {
        Self.hasOnlyDigits(high, count: min(length, 8)) && Self.hasOnlyDigits(low, count: max(length - 8, 0))
    }

    /// The number, if every character is a digit.
    package var decimal: UInt64? {
        guard isNumber else { return nil }
        let length = length
        guard length > 8 else { return Self.number(high >> UInt64(64 - length * 8)) }
        var scale: UInt64 = 1
        for _ in 8..<length { scale *= 10 }
        return Self.number(high) * scale + Self.number(low >> UInt64(128 - length * 8))
    }

    /// All eight characters at once: of those that a DN can have only digits have a 3 in their upper half.
    private static func hasOnlyDigits(_ word: UInt64, count: Int) -> Bool {
        let threes: UInt64 = 0x3030_3030_3030_3030
        let filled = word | threes & (UInt64.max >> UInt64(count * 8))
        return filled & 0xF0F0_F0F0_F0F0_F0F0 == threes
    }

    /// Eight digits, or fewer after bytes of zero: pairs are put together, then pairs of pairs, then the two halves.
    private static func number(_ digits: UInt64) -> UInt64 {
        let ones = (digits & 0x0F0F_0F0F_0F0F_0F0F).byteSwapped
        let pairs = ((ones &* (10 << 8 + 1)) >> 8) & 0x00FF_00FF_00FF_00FF
        let fours = ((pairs &* (100 << 16 + 1)) >> 16) & 0x0000_FFFF_0000_FFFF
        return (fours &* (10_000 << 32 + 1)) >> 32
    }

    /// The character at a position, 0 past the end.
    package subscript(position: Int) -> UInt8 {
        Self.byte(position, high: high, low: low)
    }

    /// A hash that is the same in every process and on every machine; digests are built from it.
    @inlinable public var stableHash: UInt64 {
        mixed(high ^ mixed(low &+ 0x9E37_79B9_7F4A_7C15))
    }

    private static func byte(_ position: Int, high: UInt64, low: UInt64) -> UInt8 {
        position < 8
            ? UInt8(truncatingIfNeeded: high >> UInt64(56 - position * 8))
            : UInt8(truncatingIfNeeded: low >> UInt64(120 - position * 8))
    }

    package static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "*"), UInt8(ascii: "#"), UInt8(ascii: "+"),
            UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}

extension DN: Comparable {
    @inlinable public static func < (left: DN, right: DN) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    @inlinable public static func == (left: DN, right: DN) -> Bool { left.high == right.high && left.low == right.low }

    @inlinable public func hash(into hasher: inout Hasher) {
        hasher.combine(high)
        hasher.combine(low)
    }
}

extension DN: CustomStringConvertible {
    public var description: String {
        String(decoding: (0..<length).map { self[$0] }, as: UTF8.self)
    }
}

/// The finalizer of MurmurHash3: every bit of the input touches every bit of the output.
@inlinable public func mixed(_ value: UInt64) -> UInt64 {
    var hash = value
    hash ^= hash >> 33
    hash = hash &* 0xFF51_AFD7_ED55_8CCD
    hash ^= hash >> 33
    hash = hash &* 0xC4CE_B9FE_1A85_EC53
    hash ^= hash >> 33
    return hash
}
