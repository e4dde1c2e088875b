/// A scheme, a host and a port (RFC 6454), written as browsers write it in `Origin`.
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    /// The scheme is `https`.
    package let isSecure: Bool
    /// A host name in small letters, an IPv4 address, or an IPv6 address in brackets.
    package let host: String
    package let port: UInt16

    /// Of who listens there.
    package init(_ address: NetworkAddress, isSecure: Bool) {
        self.isSecure = isSecure
        host = Self.host(of: address)
        port = address.port
    }

    /// From `https://desk1.example.com`, perhaps with a port.
    ///
    /// - Returns: nil for anything else, also with a path.
    package init?(_ text: String) {
        let schemes = [("http://", false), ("https://", true)]
        guard text.utf8.count <= 300, let (scheme, isSecure) = schemes.first(where: { text.hasPrefix($0.0) }) else {
            return nil
        }
        self.init(authority: String(text.dropFirst(scheme.utf8.count)), isSecure: isSecure)
    }

    /// - Parameter authority: `desk1.example.com:8443`, as in `Host`.
    package init?(authority text: String, isSecure: Bool) {
        self.isSecure = isSecure
        // Behind the bracket of an IPv6 address, which has colons of its own.
        let end =
            text.hasPrefix("[") ? text.firstIndex(of: "]").map { text.index(after: $0) } : text.firstIndex(of: ":")
        let name = text[..<(end ?? text.endIndex)]
        let rest = text[name.endIndex...]
        if rest.isEmpty {
            port = Self.usualPort(isSecure)
        } else {
            let digits = rest.dropFirst()
            guard rest.hasPrefix(":"), (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy(Self.isDigit),
                let port = UInt16(digits), port != 0
            else { return nil }
            self.port = port
        }
        if let address = NetworkAddress("\(name):1") {
            host = Self.host(of: address)
        } else if Self.isHostName(name) {
            host = name.lowercased()
        } else {
            return nil
        }
    }

    package var description: String {
        "\(isSecure ? "https" : "http")://\(host)\(port == Self.usualPort(isSecure) ? "" : ":\(port)")"
    }

    private static func usualPort(_ isSecure: Bool) -> UInt16 { isSecure ? 443 : 80 }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    /// Labels of letters, digits and hyphens; the last is no number, or it would be an address that is none.
    private static func isHostName(_ text: Substring) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let hyphen = UInt8(ascii: "-")
        guard text.utf8.count <= 253, let last = labels.last, !last.allSatisfy(isDigit) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != hyphen && label.last != hyphen
                && label.allSatisfy { isDigit($0) || isLetter($0) || $0 == hyphen }
        }
    }

    /// RFC 5952: the longest run of zeros, if it is one of several groups, is left out.
    private static func host(of address: NetworkAddress) -> String {
        guard !address.isIPv4 else { return address.host }
        let groups: [UInt64] = (0..<8).map { group in
            let word = group < 4 ? address.high : address.low
            return word >> UInt64(48 - group % 4 * 16) & 0xFFFF
        }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start) + 1
        }
        func words(_ groups: ArraySlice<UInt64>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return "[\(words(groups[...]))]" }
        return "[\(words(groups[..<longest.lowerBound]))::\(words(groups[longest.upperBound...]))]"
    }
}
