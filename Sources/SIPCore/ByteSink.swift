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

    mutating func giveBack(to output: inout [UInt8]) {
        bytes.removeLast(bytes.count - count)
        swap(&bytes, &output)
    }

    @inline(__always)
    private mutating func makeRoom(_ length: Int) {
        if count &+ length > bytes.count { grow(length) }
    }

    @inline(never)
    private mutating func grow(_ length: Int) {
        bytes.append(contentsOf: repeatElement(0, count: max(1024, length)))
    }

    mutating func put(_ source: Span<UInt8>) {
        makeRoom(source.count)
        let start = count
        var all = bytes.mutableSpan
        var target = all._mutatingExtracting(start..<start &+ source.count)
        for offset in 0..<source.count { target[offset] = source[offset] }
        count &+= source.count
    }

    /// A piece of a request. Line ends in it (it was folded, or is hostile) become spaces: no request writes a line of an
    /// answer.
    mutating func put(_ range: ByteRange, of datagram: Span<UInt8>) {
        let source = datagram.extracting(range.indices)
        makeRoom(source.count)
        let start = count
        var all = bytes.mutableSpan
        var target = all._mutatingExtracting(start..<start &+ source.count)
        for offset in 0..<source.count {
            let byte = source[offset]
            target[offset] = byte == 13 || byte == 10 ? 32 : byte
        }
        count &+= source.count
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
        var divisor: UInt32 = 1
        while value / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            put(byte: UInt8(truncatingIfNeeded: 48 &+ value / divisor % 10))
            divisor /= 10
        }
    }

    /// `digits` hexadecimal digits, or as few as it takes when it is 0.
    mutating func put(hexadecimal value: UInt64, digits: Int) {
        var shift = digits > 0 ? digits &* 4 : max(4, (67 &- value.leadingZeroBitCount) / 4 &* 4)
        while shift > 0 {
            shift &-= 4
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift) & 15)
            put(byte: digit < 10 ? 48 &+ digit : 87 &+ digit)
        }
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
            put(hexadecimal: word >> UInt64(48 &- (group % 4) &* 16) & 0xFFFF, digits: 0)
        }
    }
}
