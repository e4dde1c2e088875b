import ClusterModel

/// Where an answer is written: an array that grows by zeros ahead of the writing, so that each piece is one bounded
/// copy without a look at the array's capacity. It takes the caller's array and gives it back.
struct ByteSink {
    private var bytes: [UInt8] = []
    private var count = 0

    /// Takes `output`; what it holds stays in front. `giveBack` returns it.
    init(taking output: inout [UInt8]) {
        swap(&bytes, &output)
        count = bytes.count
    }

    /// Bytes so far, those that stood there before included.
    var length: Int { count }

    mutating func giveBack(to output: inout [UInt8]) {
        bytes.removeLast(bytes.count - count)
        swap(&bytes, &output)
    }

    @inline(__always)
    private mutating func makeRoom(_ length: Int) {
        if count &+ length > bytes.count { grow(length) }
    }

    /// Room for a usual answer; each answer's rest is zeros written in vain.
    @inline(never)
    private mutating func grow(_ length: Int) {
        bytes += length <= Self.zeros.count ? Self.zeros : [UInt8](repeating: 0, count: length)
    }

    private static let zeros = [UInt8](repeating: 0, count: 512)

    mutating func put(_ source: Span<UInt8>) {
        makeRoom(source.count)
        let start = count
        count &+= source.count
        var all = bytes.mutableSpan
        var target = all._mutatingExtracting(start..<start &+ source.count)
        for offset in 0..<source.count { target[offset] = source[offset] }
    }

    @inline(__always)
    mutating func put(_ range: ByteRange, of source: Span<UInt8>) {
        put(source.extracting(range.indices))
    }

    /// A piece of a request. If line ends may be in it (it was folded, or is hostile) they become spaces: no request
    /// writes a line of an answer.
    @inline(__always)
    mutating func put(_ range: ByteRange, of datagram: Span<UInt8>, cleaning: Bool) {
        guard cleaning else { return put(range, of: datagram) }
        for position in range.indices {
            let byte = datagram[position]
            put(byte: byte == 13 || byte == 10 ? 32 : byte)
        }
    }

    mutating func put(_ text: String) {
        put(text.utf8.span)
    }

    mutating func put(byte: UInt8) {
        makeRoom(1)
        bytes[count] = byte
        count &+= 1
    }

    mutating func put(decimal value: UInt32) {
        if value >= 100_000_000 {
            put(decimal: value / 100_000_000)
            putDigits(value % 100_000_000, atLeast: 8)
        } else {
            putDigits(value, atLeast: 1)
        }
    }

    /// A number below 100,000,000.
    private mutating func putDigits(_ value: UInt32, atLeast minimum: Int) {
        var digits: UInt64 = 0
        var length = 0
        var rest = value
        while rest > 0 || length < minimum {
            digits = digits << 8 | UInt64(48 &+ rest % 10)
            rest /= 10
            length &+= 1
        }
        put(word: digits, length: length)
    }

    /// The lowest `length` bytes of a word, at most eight.
    private mutating func put(word: UInt64, length: Int) {
        makeRoom(8)
        let start = count
        count &+= length
        var target = bytes.mutableSpan
        target.store(word, at: start)
    }

    /// Sixteen hexadecimal digits.
    mutating func put(hexadecimal value: UInt64) {
        put(word: hexadecimalDigits(UInt32(truncatingIfNeeded: value >> 32)), length: 8)
        put(word: hexadecimalDigits(UInt32(truncatingIfNeeded: value)), length: 8)
    }

    /// An IP address without its port; IPv6 without brackets, as Via's `received` has it (RFC 3261 section 25.1).
    mutating func put(host address: NetworkAddress) {
        if address.isIPv4 {
            for shift: UInt32 in [24, 16, 8, 0] {
                put(decimal: address.ipv4 >> shift & 255)
                if shift > 0 { put(byte: UInt8(ascii: ".")) }
            }
            return
        }
        for group in 0..<8 {
            if group > 0 { put(byte: UInt8(ascii: ":")) }
            let word = group < 4 ? address.high : address.low
            let value = UInt32(word >> UInt64(48 &- (group % 4) &* 16) & 0xFFFF)
            // Leading zeros are left out.
            let digits = max(1, (35 &- value.leadingZeroBitCount) / 4)
            put(word: hexadecimalDigits(value) >> UInt64(64 &- digits &* 8), length: digits)
        }
    }
}

extension MutableSpan<UInt8> {
    /// Eight bytes at once, the lowest first.
    @inline(__always)
    mutating func store(_ word: UInt64, at position: Int) {
        var target = _mutatingExtracting(droppingFirst: position)
        // The check of the last makes the others needless, and the stores become one.
        target[7] = UInt8(truncatingIfNeeded: word >> 56)
        target[0] = UInt8(truncatingIfNeeded: word)
        target[1] = UInt8(truncatingIfNeeded: word >> 8)
        target[2] = UInt8(truncatingIfNeeded: word >> 16)
        target[3] = UInt8(truncatingIfNeeded: word >> 24)
        target[4] = UInt8(truncatingIfNeeded: word >> 32)
        target[5] = UInt8(truncatingIfNeeded: word >> 40)
        target[6] = UInt8(truncatingIfNeeded: word >> 48)
    }
}

/// Eight digits as text, the first in the lowest byte.
private func hexadecimalDigits(_ value: UInt32) -> UInt64 {
    // One digit to a byte, the highest digit lowest.
    var nibbles = UInt64(value.byteSwapped)
    nibbles = (nibbles | nibbles << 16) & 0x0000_FFFF_0000_FFFF
    nibbles = (nibbles | nibbles << 8) & 0x00FF_00FF_00FF_00FF
    nibbles = (nibbles >> 4 | nibbles << 8) & 0x0F0F_0F0F_0F0F_0F0F
    let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 39
}
