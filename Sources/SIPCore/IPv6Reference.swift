extension Span<UInt8> {
    /// The address in an IPv6 reference, `[2001:db8::10]` (RFC 5954 section 4.1). It has no zone: that would mean something
    /// to its sender only.
    ///
    /// - Returns: nil when it is none.
    func ipv6(inside reference: ByteRange) -> UInt128? {
        guard reference.count > 3, self[reference.lower] == UInt8(ascii: "["),
            self[reference.upper &- 1] == UInt8(ascii: "]")
        else { return nil }
        var address = IPv6Address()
        var position = reference.lower &+ 1
        let end = reference.upper &- 1
        guard takeGap(&position, before: end, into: &address) != nil else { return nil }
        while position < end {
            guard takeGroup(&position, before: end, into: &address) else { return nil }
            guard position < end else { break }
            guard let isGap = takeGap(&position, before: end, into: &address) else { return nil }
            if isGap { continue }
            // A colon by itself stands between two groups.
            guard self[position] == UInt8(ascii: ":"), position &+ 1 < end else { return nil }
            position &+= 1
        }
        return address.value
    }

    /// `::`, if it stands here.
    ///
    /// - Returns: nil when it did so before.
    private func takeGap(_ position: inout Int, before end: Int, into address: inout IPv6Address) -> Bool? {
        let colon = UInt8(ascii: ":")
        guard position &+ 1 < end, self[position] == colon, self[position &+ 1] == colon else { return false }
        guard address.gap == nil else { return nil }
        address.gap = address.groups
        position &+= 2
        // The grammar of RFC 3261 has a third colon before an IPv4 address, and some write it (RFC 5118 section 4.10).
        if position < end, self[position] == colon, ipv4(ByteRange(position &+ 1, end)) != nil { position &+= 1 }
        return true
    }

    /// Four hexadecimal digits at most, or an IPv4 address at the end.
    private func takeGroup(_ position: inout Int, before end: Int, into address: inout IPv6Address) -> Bool {
        let start = position
        var value: UInt128 = 0
        while position < end, position < start &+ 4, let digit = hexadecimal(self[position]) {
            value = value << 4 | UInt128(digit)
            position &+= 1
        }
        if position < end, self[position] == UInt8(ascii: ".") {
            guard let four = ipv4(ByteRange(start, end)) else { return false }
            position = end
            return address.append(UInt128(four), groups: 2)
        }
        return position > start && address.append(value, groups: 1)
    }
}

/// An address as far as it was read.
private struct IPv6Address {
    private var bits: UInt128 = 0
    private(set) var groups = 0
    /// How many groups stand before the `::`.
    var gap: Int?

    mutating func append(_ value: UInt128, groups count: Int) -> Bool {
        groups &+= count
        guard groups <= 8 else { return false }
        bits = bits << UInt128(16 &* count) | value
        return true
    }

    /// nil when there are too few groups, or none is left for a `::` to stand for (RFC 4291 section 2.2).
    var value: UInt128? {
        guard let gap else { return groups == 8 ? bits : nil }
        guard groups < 8 else { return nil }
        let following = UInt128(16 &* (groups &- gap))
        let low = bits & ((1 << following) &- 1)
        return (bits >> following) << UInt128(16 &* (8 &- gap)) | low
    }
}
