/// Whether two SIP URIs are the same (RFC 3261 section 19.1.4). Scheme, host and parameter names have no case, the user
/// part does; an escaped character equals the character; a port that is left out differs from 5060.
///
/// The two URIs may lie in different buffers, each parsed from its own.
func isSameURI(_ left: SIPURI, in leftBytes: Span<UInt8>, _ right: SIPURI, in rightBytes: Span<UInt8>) -> Bool {
    if left.whole.count == right.whole.count, leftBytes.equals(left.whole, in: rightBytes, at: right.whole.lower) {
        return true
    }
    guard left.scheme == right.scheme, left.scheme != .other, left.port == right.port, left.hasUser == right.hasUser,
        left.password.isEmpty == right.password.isEmpty
    else { return false }
    return isSameHost(left.host, leftBytes, right.host, rightBytes)
        && isSameText(left.user, leftBytes, right.user, rightBytes, ignoringCase: false)
        && isSameText(left.password, leftBytes, right.password, rightBytes, ignoringCase: false)
        && hasFewPairs(left, leftBytes) && hasFewPairs(right, rightBytes)
        && parametersAgree(left, leftBytes, right, rightBytes) && parametersAgree(right, rightBytes, left, leftBytes)
        && headersAgree(left, leftBytes, right, rightBytes) && headersAgree(right, rightBytes, left, leftBytes)
}

/// Comparing pairs costs their product. URIs with more than anybody needs are the same only if their bytes are.
private func hasFewPairs(_ uri: SIPURI, _ bytes: Span<UInt8>) -> Bool {
    var separators = 0
    for position in uri.host.upper..<uri.whole.upper {
        let byte = bytes[position]
        if byte == UInt8(ascii: ";") || byte == UInt8(ascii: "&") { separators &+= 1 }
    }
    return separators <= 16
}

/// IPv6 addresses are the same however they are written (RFC 5954 section 4.2).
private func isSameHost(
    _ left: ByteRange, _ leftBytes: Span<UInt8>, _ right: ByteRange, _ rightBytes: Span<UInt8>
) -> Bool {
    if let address = leftBytes.ipv6(inside: left) { return address == rightBytes.ipv6(inside: right) }
    return isSameText(left, leftBytes, right, rightBytes, ignoringCase: true)
}

/// Equal once escapes are resolved. An escape that is broken equals nothing.
private func isSameText(
    _ left: ByteRange, _ leftBytes: Span<UInt8>, _ right: ByteRange, _ rightBytes: Span<UInt8>, ignoringCase: Bool
) -> Bool {
    var leftPosition = left.lower
    var rightPosition = right.lower
    while leftPosition < left.upper, rightPosition < right.upper {
        guard let a = leftBytes.unescaped(at: &leftPosition, before: left.upper),
            let b = rightBytes.unescaped(at: &rightPosition, before: right.upper),
            a == b || (ignoringCase && lowercase(a) == lowercase(b))
        else { return false }
    }
    return leftPosition == left.upper && rightPosition == right.upper
}

/// Every parameter of `left` that is also in `right` has the same value; those that change where a request goes must be
/// in both.
private func parametersAgree(
    _ left: SIPURI, _ leftBytes: Span<UInt8>, _ right: SIPURI, _ rightBytes: Span<UInt8>
) -> Bool {
    var position = left.parameters.lower
    while let parameter = leftBytes.nextPair(&position, in: left.parameters, separator: UInt8(ascii: ";")) {
        var other = right.parameters.lower
        var isFound = false
        while let candidate = rightBytes.nextPair(&other, in: right.parameters, separator: UInt8(ascii: ";")) {
            guard isSameText(parameter.name, leftBytes, candidate.name, rightBytes, ignoringCase: true) else {
                continue
            }
            isFound = true
            guard isSameText(parameter.value, leftBytes, candidate.value, rightBytes, ignoringCase: true) else {
                return false
            }
        }
        if !isFound, leftBytes.isDecisiveParameter(parameter.name) { return false }
    }
    return true
}

/// Every header of `left` is in `right`; a header that is left out differs from any value.
private func headersAgree(
    _ left: SIPURI, _ leftBytes: Span<UInt8>, _ right: SIPURI, _ rightBytes: Span<UInt8>
) -> Bool {
    var position = left.headers.lower
    while let header = leftBytes.nextPair(&position, in: left.headers, separator: UInt8(ascii: "&")) {
        var other = right.headers.lower
        var isFound = false
        while !isFound, let candidate = rightBytes.nextPair(&other, in: right.headers, separator: UInt8(ascii: "&")) {
            isFound =
                isSameText(header.name, leftBytes, candidate.name, rightBytes, ignoringCase: true)
                && isSameText(header.value, leftBytes, candidate.value, rightBytes, ignoringCase: false)
        }
        if !isFound { return false }
    }
    return true
}

extension Span<UInt8> {
    /// The next `name=value` of a list; empty elements are passed over.
    fileprivate func nextPair(
        _ position: inout Int, in range: ByteRange, separator: UInt8
    ) -> (name: ByteRange, value: ByteRange)? {
        while position < range.upper, self[position] == separator { position &+= 1 }
        guard position < range.upper else { return nil }
        let end = self.position(of: separator, from: position, before: range.upper)
        let equals = self.position(of: UInt8(ascii: "="), from: position, before: end)
        let name = ByteRange(position, equals)
        position = end
        return (name, equals < end ? ByteRange(equals &+ 1, end) : .empty)
    }

    /// `transport`, `user`, `ttl`, `method`, `maddr`: a URI with one of them never equals one without.
    fileprivate func isDecisiveParameter(_ name: ByteRange) -> Bool {
        isNamed(name, 0x7265_7375, length: 4) || isNamed(name, 0x6C_7474, length: 3)
            || isNamed(name, 0x646F_6874_656D, length: 6) || isNamed(name, 0x72_6464_616D, length: 5)
            || equalsIgnoringCase(name, "transport")
    }
}
