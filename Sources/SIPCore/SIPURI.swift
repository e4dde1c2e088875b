package import ClusterModel

/// A `sip:` or `sips:` URI, as ranges of the bytes that it was parsed from (RFC 3261 section 19.1). Of other schemes
/// only the scheme is known.
package struct SIPURI: Hashable, Sendable {
    /// Schemes compare without case.
    package enum Scheme: UInt8, Hashable, Sendable {
        case sip, sips, other
    }

    /// The most bytes that a URI may have.
    package static let maximumLength = 1024

    package internal(set) var scheme = Scheme.other
    /// All of it, without angle brackets.
    package internal(set) var whole = ByteRange.empty
    /// Before the `@`, without the password. Still escaped.
    package internal(set) var user = ByteRange.empty
    package internal(set) var password = ByteRange.empty
    package internal(set) var hasUser = false
    /// An IPv6 reference keeps its brackets.
    package internal(set) var host = ByteRange.empty
    /// 0 when none is given.
    package internal(set) var port: UInt16 = 0
    /// From the first `;`, with it.
    package internal(set) var parameters = ByteRange.empty
    /// What follows the `?`, without it.
    package internal(set) var headers = ByteRange.empty

    /// A URI that is not there.
    package init() {}

    /// The DN that the user part names once escapes are resolved (`%31001` is `1001`).
    ///
    /// - Returns: nil when there is no user part or it cannot be a DN.
    package func dn(in bytes: Span<UInt8>) -> DN? {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var length = 0
        var position = user.lower
        while position < user.upper {
            // A null would end the DN that it stands in, as in C (RFC 4475 section 3.1.1.4): packed DNs are padded with them.
            guard length < DN.maximumLength, let byte = bytes.unescaped(at: &position, before: user.upper), byte != 0
            else { return nil }
            if length < 8 {
                high |= UInt64(byte) << UInt64(56 &- length &* 8)
            } else {
                low |= UInt64(byte) << UInt64(120 &- length &* 8)
            }
            length &+= 1
        }
        return DN(high: high, low: low)
    }
}

extension Span<UInt8> {
    /// The next character of a URI component, `%31` as `1`; moves past it.
    ///
    /// - Returns: nil for a `%` without two hexadecimal digits.
    func unescaped(at position: inout Int, before end: Int) -> UInt8? {
        let byte = self[position]
        position &+= 1
        guard byte == UInt8(ascii: "%") else { return byte }
        guard position &+ 1 < end, let high = hexadecimal(self[position]), let low = hexadecimal(self[position &+ 1])
        else { return nil }
        position &+= 2
        return high << 4 | low
    }

    /// Splits a URI.
    ///
    /// - Returns: false when it is no URI: the caller answers 400.
    func parseURI(_ range: ByteRange, into uri: inout SIPURI) -> Bool {
        uri = SIPURI()
        uri.whole = range
        guard range.count <= SIPURI.maximumLength else { return false }
        let start = lowercaseWord(at: range.lower, length: Swift.min(range.count, 5))
        var hostStart = range.lower
        if start & 0xFFFF_FFFF == 0x3A70_6973 {
            uri.scheme = .sip
            hostStart &+= 4
        } else if start == 0x3A_7370_6973 {
            uri.scheme = .sips
            hostStart &+= 5
        } else {
            let colon = position(of: UInt8(ascii: ":"), from: range.lower, before: range.upper)
            guard colon < range.upper, isScheme(ByteRange(range.lower, colon)) else { return false }
            return hasOnlyURICharacters(colon &+ 1, range.upper)
        }
        let at = position(of: UInt8(ascii: "@"), from: hostStart, before: range.upper)
        if at < range.upper {
            guard parseUser(hostStart, at, into: &uri) else { return false }
            hostStart = at &+ 1
        }
        return parseHost(hostStart, range.upper, into: &uri)
    }

    private func isScheme(_ range: ByteRange) -> Bool {
        guard !range.isEmpty, (self[range.lower] | 32) &- 97 < 26 else { return false }
        for position in range.indices {
            let byte = self[position]
            guard (byte | 32) &- 97 < 26 || byte &- 48 < 10 || byte == 43 || byte == 45 || byte == 46 else {
                return false
            }
        }
        return true
    }

    private func parseUser(_ lower: Int, _ upper: Int, into uri: inout SIPURI) -> Bool {
        guard lower < upper, hasOnlyURICharacters(lower, upper) else { return false }
        let colon = position(of: UInt8(ascii: ":"), from: lower, before: upper)
        guard colon > lower else { return false }
        uri.hasUser = true
        uri.user = ByteRange(lower, colon)
        if colon < upper { uri.password = ByteRange(colon &+ 1, upper) }
        return true
    }

    /// `hostport`, then parameters, then headers.
    private func parseHost(_ lower: Int, _ upper: Int, into uri: inout SIPURI) -> Bool {
        guard let end = parseHostPort(lower, upper, host: &uri.host, port: &uri.port) else { return false }
        guard end < upper else { return true }
        guard hasOnlyURICharacters(end, upper), position(of: UInt8(ascii: "@"), from: end, before: upper) == upper
        else {
            return false
        }
        let question = position(of: UInt8(ascii: "?"), from: end, before: upper)
        guard question == end || self[end] == UInt8(ascii: ";") else { return false }
        uri.parameters = ByteRange(end, question)
        if question < upper { uri.headers = ByteRange(question &+ 1, upper) }
        return true
    }

    /// `host [":" port]` (RFC 3261 section 25.1), also of a Via.
    ///
    /// - Returns: where it ends; nil when there is no host, or the port is none.
    func parseHostPort(_ lower: Int, _ upper: Int, host: inout ByteRange, port: inout UInt16) -> Int? {
        var position = lower
        if position < upper, self[position] == UInt8(ascii: "[") {
            position = self.position(of: UInt8(ascii: "]"), from: position, before: upper) &+ 1
            guard position <= upper, ipv6(inside: ByteRange(lower, position)) != nil else { return nil }
        } else {
            position = skipping(.host, from: position, before: upper)
        }
        guard position > lower else { return nil }
        host = ByteRange(lower, position)
        port = 0
        guard position < upper, self[position] == UInt8(ascii: ":") else { return position }
        position &+= 1
        var value = 0
        let start = position
        while position < upper, self[position] &- 48 < 10, value < 65536 {
            value = value &* 10 &+ Int(self[position] &- 48)
            position &+= 1
        }
        guard position > start, value > 0, value < 65536 else { return nil }
        port = UInt16(value)
        return position
    }

    private func hasOnlyURICharacters(_ lower: Int, _ upper: Int) -> Bool {
        skipping(.uri, from: lower, before: upper) == upper
    }
}
