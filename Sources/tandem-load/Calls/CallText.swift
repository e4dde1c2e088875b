/// The headers that a receiver brings back or acts on.
enum CallHeader {
    case via, recordRoute, from, to, callID, cseq, contact, other
}

// Everything that comes in was written by this program or by the server under measurement; header names are as those two write them.
extension Span<UInt8> {
    /// The next header line without its end; nil at the empty one.
    ///
    /// - Parameter position: where it begins; moves past it.
    func nextLine(_ position: inout Int) -> Range<Int>? {
        let start = position
        while position < count, self[position] != 13 { position &+= 1 }
        let end = position
        position = Swift.min(position &+ 2, count)
        return end > start ? start..<end : nil
    }

    /// Which header a line is. Their first letters tell them apart, and for those that share one another letter does.
    func header(_ line: Range<Int>) -> CallHeader {
        guard line.count > 8 else { return .other }
        switch self[line.lowerBound] {
        case UInt8(ascii: "V"): return .via
        case UInt8(ascii: "R"): return self[line.lowerBound &+ 2] == UInt8(ascii: "c") ? .recordRoute : .other
        case UInt8(ascii: "F"): return .from
        case UInt8(ascii: "T"): return self[line.lowerBound &+ 2] == UInt8(ascii: ":") ? .to : .other
        case UInt8(ascii: "C"):
            switch self[line.lowerBound &+ 1] {
            case UInt8(ascii: "a"): return .callID
            case UInt8(ascii: "S"): return .cseq
            default: return self[line.lowerBound &+ 7] == UInt8(ascii: ":") ? .contact : .other
            }
        default: return .other
        }
    }
}

extension [UInt8] {
    mutating func append(_ range: Range<Int>, of bytes: Span<UInt8>) {
        for position in range { append(bytes[position]) }
    }
}

extension Span<UInt8> {
    func number(_ range: Range<Int>) -> Int? {
        var value = 0
        guard !range.isEmpty, range.count < 10, range.upperBound <= count else { return nil }
        for position in range {
            let digit = self[position] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ Int(digit)
        }
        return value
    }

    func starts(with text: [UInt8], at start: Int) -> Bool {
        guard count &- start >= text.count else { return false }
        for offset in text.indices where self[start &+ offset] != text[offset] { return false }
        return true
    }
}
