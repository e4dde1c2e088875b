import ClusterModel

/// The values of one Authorization header for the Digest scheme (RFC 3261 section 20.7, RFC 7616 section 3.4), without their
/// quotes. Nothing is copied.
struct DigestCredentials: Equatable {
    var username = ByteRange.empty
    var realm = ByteRange.empty
    var nonce = ByteRange.empty
    var uri = ByteRange.empty
    var response = ByteRange.empty
    var cnonce = ByteRange.empty
    /// MD5 if none is named; nil for one that is not known here.
    var algorithm: DigestAlgorithm? = .md5
    /// Eight hexadecimal digits, as they stand and what they say.
    var nonceCount = ByteRange.empty
    var nonceCountValue: UInt32 = 0
    var hasQualityAuth = false
}

extension Span<UInt8> {
    /// Takes an Authorization header apart.
    ///
    /// - Returns: nil when it is of another scheme, or has anything that this server's challenges do not lead to: no qop, a
    ///   parameter twice, an escaped quote.
    func parseDigestCredentials(_ value: ByteRange) -> DigestCredentials? {
        guard value.count > 7, lowercaseWord(at: value.lower, length: 6) == 0x7473_6567_6964,
            isWhitespace(self[value.lower &+ 6])
        else { return nil }
        var credentials = DigestCredentials()
        var seen: UInt16 = 0
        var start = value.lower &+ 7
        while start < value.upper {
            let end = endOfElement(from: start, before: value.upper)
            guard take(trimmed(start, end), into: &credentials, &seen) else { return nil }
            start = end &+ 1
        }
        let isComplete =
            !credentials.username.isEmpty && !credentials.realm.isEmpty && !credentials.nonce.isEmpty
            && !credentials.uri.isEmpty && !credentials.response.isEmpty && !credentials.cnonce.isEmpty
            && credentials.nonceCountValue > 0 && credentials.hasQualityAuth
        return isComplete ? credentials : nil
    }

    private enum Parameter: UInt16 {
        case username, realm, nonce, uri, response, algorithm, cnonce, qop, nc
    }

    /// - Returns: false when the parameter makes the whole header worthless.
    private func take(_ element: ByteRange, into credentials: inout DigestCredentials, _ seen: inout UInt16) -> Bool {
        // An empty element of a list means nothing (RFC 7230 section 7).
        if element.isEmpty { return true }
        let equals = position(of: UInt8(ascii: "="), from: element.lower, before: element.upper)
        guard equals < element.upper, let value = unquoted(trimmed(equals &+ 1, element.upper)) else { return false }
        let name = trimmed(element.lower, equals)
        guard let parameter = parameter(name) else { return true }
        guard seen & 1 << parameter.rawValue == 0 else { return false }
        seen |= 1 << parameter.rawValue
        switch parameter {
        case .username: credentials.username = value
        case .realm: credentials.realm = value
        case .nonce: credentials.nonce = value
        case .uri: credentials.uri = value
        case .response: credentials.response = value
        case .cnonce: credentials.cnonce = value
        case .algorithm: credentials.algorithm = algorithm(value)
        case .qop: credentials.hasQualityAuth = equalsIgnoringCase(value, "auth")
        case .nc:
            guard value.count == 8 else { return false }
            for position in value.indices {
                guard let digit = hexadecimal(self[position]) else { return false }
                credentials.nonceCountValue = credentials.nonceCountValue << 4 | UInt32(digit)
            }
            credentials.nonceCount = value
        }
        return true
    }

    private func parameter(_ name: ByteRange) -> Parameter? {
        guard name.count <= 9 else { return nil }
        return switch (name.count, lowercaseWord(at: name.lower, length: Swift.min(name.count, 8))) {
        case (8, 0x656D_616E_7265_7375): .username
        case (5, 0x6D_6C61_6572): .realm
        case (5, 0x65_636E_6F6E): .nonce
        case (3, 0x69_7275): .uri
        case (8, 0x6573_6E6F_7073_6572): .response
        case (9, 0x6874_6972_6F67_6C61) where lowercase(self[name.upper &- 1]) == UInt8(ascii: "m"): .algorithm
        case (6, 0x6563_6E6F_6E63): .cnonce
        case (3, 0x70_6F71): .qop
        case (2, 0x636E): .nc
        case _: nil
        }
    }

    private func algorithm(_ name: ByteRange) -> DigestAlgorithm? {
        for algorithm in DigestAlgorithm.allCases where equalsIgnoringCase(name, algorithm.name) { return algorithm }
        return nil
    }

    /// - Returns: nil for quotes that do not fit, and for escapes: what they stand for would have to be copied, and no value
    ///   here needs one.
    private func unquoted(_ value: ByteRange) -> ByteRange? {
        guard !value.isEmpty else { return nil }
        var range = value
        if self[value.lower] == UInt8(ascii: "\"") {
            guard value.count >= 2, self[value.upper &- 1] == UInt8(ascii: "\"") else { return nil }
            range = ByteRange(value.lower &+ 1, value.upper &- 1)
        }
        for position in range.indices {
            let byte = self[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 32 { return nil }
        }
        return range
    }
}
