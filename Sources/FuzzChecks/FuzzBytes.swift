import ClusterModel

/// Makes choices of bytes, so that a fuzzer which changes bytes changes choices. Ends in zeros.
struct FuzzBytes {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// Below `bound`.
    mutating func choice(_ bound: Int) -> Int { Int(byte()) % bound }

    mutating func flag() -> Bool { byte() & 1 != 0 }

    mutating func element<Element>(of elements: [Element]) -> Element { elements[choice(elements.count)] }

    mutating func bytes(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func word() -> UInt64 { bytes(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// Small numbers, those at the ends, and any.
    mutating func number() -> UInt64 {
        let choice = byte()
        switch choice {
        case 0..<0xE0: return UInt64(choice & 0x1F)
        case 0xE0..<0xE8: return UInt64.max - UInt64(choice & 7)
        case 0xE8..<0xF0: return (1 << 63) - 1 + UInt64(choice & 7)
        case 0xF0..<0xF8: return (1 << 48) - 1 + UInt64(choice & 7)
        default: return word()
        }
    }
}
