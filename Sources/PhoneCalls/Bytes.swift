// Bytes of messages: copied, compared, and read as numbers.

extension [UInt8] {
    /// Appends a copy of a piece of a message.
    mutating func append(_ range: Range<Int>, of bytes: Span<UInt8>) {
        let start = count
        append(contentsOf: repeatElement(0, count: range.count))
        let source = bytes.extracting(range)
        var all = mutableSpan
        var target = all._mutatingExtracting(start..<start &+ range.count)
        for offset in 0..<range.count { target[offset] = source[offset] }
    }
}

extension Span<UInt8> {
    /// Whether `text` stands at a place.
    func has(_ text: [UInt8], at start: Int) -> Bool {
        guard start >= 0, count - start >= text.count else { return false }
        for offset in text.indices where self[start &+ offset] != text[offset] { return false }
        return true
    }

    /// Whether a header's name is `name`, which is in lower case.
    func isNamed(_ name: [UInt8], in range: Range<Int>) -> Bool {
        guard range.count == name.count else { return false }
        for offset in name.indices where self[range.lowerBound &+ offset] | 0x20 != name[offset] { return false }
        return true
    }

    /// A decimal number that fills a range; nil when something else does.
    func number(_ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty, range.upperBound <= count, range.count < 19 else { return nil }
        var value: UInt64 = 0
        for position in range {
            let digit = self[position] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value
    }

    func first(_ byte: UInt8, in range: Range<Int>) -> Int? {
        var position = range.lowerBound
        while position < range.upperBound, self[position] != byte { position &+= 1 }
        return position < range.upperBound ? position : nil
    }

    /// What stands in a range.
    func text(_ range: Range<Int>) -> String {
        var bytes: [UInt8] = []
        bytes.append(range, of: self)
        return String(decoding: bytes, as: UTF8.self)
    }
}
