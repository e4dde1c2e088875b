/// SipHash-2-4 (Aumasson and Bernstein, 2012): without the key nobody can find the output of an input, nor two inputs
/// with the same output, however many he has seen. So it is good as the code of short texts that strangers bring back,
/// and for tables that strangers fill.
package struct SipHash: Sendable {
    private let first: UInt64
    private let second: UInt64

    /// - Parameters: 128 random bits that nobody else has.
    package init(key first: UInt64, _ second: UInt64) {
        self.first = first
        self.second = second
    }

    /// The hash of some bytes.
    package func hash(_ bytes: Span<UInt8>) -> UInt64 {
        var state = State(first, second)
        var position = 0
        while position &+ 8 <= bytes.count {
            state.take(Self.word(bytes, position, 8))
            position &+= 8
        }
        let rest = Self.word(bytes, position, bytes.count &- position)
        state.take(UInt64(truncatingIfNeeded: bytes.count) << 56 | rest)
        return state.end()
    }

    /// The first byte lowest.
    @inline(__always)
    private static func word(_ bytes: Span<UInt8>, _ start: Int, _ length: Int) -> UInt64 {
        var word: UInt64 = 0
        for offset in 0..<length { word |= UInt64(bytes[start &+ offset]) << UInt64(8 &* offset) }
        return word
    }

    private struct State {
        var v0, v1, v2, v3: UInt64

        init(_ first: UInt64, _ second: UInt64) {
            v0 = first ^ 0x736F_6D65_7073_6575
            v1 = second ^ 0x646F_7261_6E64_6F6D
            v2 = first ^ 0x6C79_6765_6E65_7261
            v3 = second ^ 0x7465_6462_7974_6573
        }

        mutating func take(_ word: UInt64) {
            v3 ^= word
            round()
            round()
            v0 ^= word
        }

        mutating func end() -> UInt64 {
            v2 ^= 0xFF
            for _ in 0..<4 { round() }
            return v0 ^ v1 ^ v2 ^ v3
        }

        @inline(__always)
        private mutating func round() {
            v0 = v0 &+ v1
            v2 = v2 &+ v3
            v1 = v1 << 13 | v1 >> 51
            v3 = v3 << 16 | v3 >> 48
            v1 ^= v0
            v3 ^= v2
            v0 = v0 << 32 | v0 >> 32
            v2 = v2 &+ v1
            v0 = v0 &+ v3
            v1 = v1 << 17 | v1 >> 47
            v3 = v3 << 21 | v3 >> 43
            v1 ^= v2
            v3 ^= v0
            v2 = v2 << 32 | v2 >> 32
        }
    }
}
