/// The values of the headers that have a structure: Via, Contact, From and To.
extension Span<UInt8> {
    /// Where the element of a comma-separated list ends: at a comma outside of quotes and angle brackets.
    func endOfElement(from start: Int, before end: Int) -> Int {
        // Most values are not lists.
        var position = self.position(of: UInt8(ascii: ","), from: start, before: end)
        if position == end { return end }
        position = start
        var isBracketed = false
        while position < end {
            switch self[position] {
            case UInt8(ascii: ","):
                if !isBracketed { return position }
            case UInt8(ascii: "<"): isBracketed = true
            case UInt8(ascii: ">"): isBracketed = false
            case UInt8(ascii: "\""):
                // Quotes have no meaning inside of brackets: no URI has one.
                if !isBracketed { position = endOfQuoted(from: position, before: end) &- 1 }
            default: break
            }
            position &+= 1
        }
        return end
    }

    /// Past the closing quote of the quoted string that starts at `start`; `end + 1` when there is none. Backslashes
    /// escape (RFC 3261 section 25.1).
    private func endOfQuoted(from start: Int, before end: Int) -> Int {
        var position = start &+ 1
        while position < end {
            switch self[position] {
            case UInt8(ascii: "\""): return position &+ 1
            case UInt8(ascii: "\\"): position &+= 2
            default: position &+= 1
            }
        }
        return end &+ 1
    }

    /// From and To: an address and its parameters.
    func parseAddress(_ range: ByteRange, into header: inout AddressHeader, splittingURI: Bool) -> Bool {
        guard !range.isEmpty, var position = parseURIPart(range, into: &header.uri, splitting: splittingURI) else {
            return false
        }
        var parameters = 0
        while position < range.upper {
            guard let parameter = parseParameter(&position, before: range.upper) else { return false }
            parameters &+= 1
            guard parameters <= SIPMessage.maximumParameters else { return false }
            guard isNamed(parameter.name, 0x67_6174, length: 3) else { continue }
            // A name stands at most once (RFC 3261 section 7.3.1): nobody can tell which of two values was meant.
            guard header.tag.isEmpty else { return false }
            header.tag = parameter.value
        }
        return true
    }

    /// One contact: an address, and the parameters that a registrar reads.
    func parseContact(_ range: ByteRange, into contact: inout Contact) -> Bool {
        let range = trimmed(range.lower, range.upper)
        contact = Contact()
        guard !range.isEmpty, var position = parseURIPart(range, into: &contact.uri, splitting: true) else {
            return false
        }
        var parameters = 0
        while position < range.upper {
            guard let parameter = parseParameter(&position, before: range.upper) else { return false }
            parameters &+= 1
            guard parameters <= SIPMessage.maximumParameters else { return false }
            if isNamed(parameter.name, 0x73_6572_6970_7865, length: 7) {
                guard contact.expires == nil else { return false }
                contact.expires = decimal(parameter.value) ?? 3600
            } else if isNamed(parameter.name, 0x71, length: 1) {
                guard contact.quality == nil, let quality = quality(parameter.value) else { return false }
                contact.quality = quality
            } else if isNamed(parameter.name, 0x6469_2D67_6572, length: 6) {
                guard contact.flow.isEmpty else { return false }
                contact.flow = parameter.value
            } else if equalsIgnoringCase(parameter.name, "+sip.instance") {
                guard contact.instance.isEmpty else { return false }
                contact.instance = parameter.value
            }
        }
        return true
    }

    /// `name-addr` or `addr-spec`, with or without a display name (RFC 3261 section 20.10).
    ///
    /// - Returns: where the parameters start.
    private func parseURIPart(_ range: ByteRange, into uri: inout SIPURI, splitting: Bool) -> Int? {
        var position = range.lower
        if self[position] == UInt8(ascii: "\"") {
            position = endOfQuoted(from: position, before: range.upper)
            guard position <= range.upper else { return nil }
            position = skippingWhitespace(from: position, before: range.upper)
            guard position < range.upper, self[position] == UInt8(ascii: "<") else { return nil }
        }
        let start = position
        position = skipping(.plainURI, from: position, before: range.upper)
        guard position < range.upper, self[position] == UInt8(ascii: "<") else {
            // Without brackets a URI has no comma, no question mark, and parameters are the header's.
            guard position == range.upper || self[position] == UInt8(ascii: ";") else { return nil }
            let plain = trimmed(start, position)
            return takeURI(plain, into: &uri, splitting: splitting) ? position : nil
        }
        guard isDisplayName(start, position) else { return nil }
        let end = self.position(of: UInt8(ascii: ">"), from: position, before: range.upper)
        guard end < range.upper, takeURI(ByteRange(position &+ 1, end), into: &uri, splitting: splitting) else {
            return nil
        }
        return skippingWhitespace(from: end &+ 1, before: range.upper)
    }

    private func takeURI(_ range: ByteRange, into uri: inout SIPURI, splitting: Bool) -> Bool {
        if splitting { return parseURI(range, into: &uri) }
        uri = SIPURI()
        uri.whole = range
        return !range.isEmpty
    }

    private func isDisplayName(_ lower: Int, _ upper: Int) -> Bool {
        for position in lower..<upper
        where !CharacterSet.token.contains(self[position]) && !isWhitespace(self[position]) { return false }
        return true
    }

    /// `;name`, `;name=value` or `;name="value"`; moves past it and the white space behind it.
    func parseParameter(_ position: inout Int, before end: Int) -> (name: ByteRange, value: ByteRange)? {
        guard position < end, self[position] == UInt8(ascii: ";") else { return nil }
        let nameStart = skippingWhitespace(from: position &+ 1, before: end)
        let nameEnd = skipping(.token, from: nameStart, before: end)
        guard nameEnd > nameStart else { return nil }
        let name = ByteRange(nameStart, nameEnd)
        position = skippingWhitespace(from: nameEnd, before: end)
        guard position < end, self[position] == UInt8(ascii: "=") else { return (name, .empty) }
        let valueStart = skippingWhitespace(from: position &+ 1, before: end)
        var valueEnd = valueStart
        if valueStart < end, self[valueStart] == UInt8(ascii: "\"") {
            valueEnd = endOfQuoted(from: valueStart, before: end)
            guard valueEnd <= end else { return nil }
        } else {
            valueEnd = skipping(.parameterValue, from: valueStart, before: end)
        }
        guard valueEnd > valueStart else { return nil }
        position = skippingWhitespace(from: valueEnd, before: end)
        return (name, ByteRange(valueStart, valueEnd))
    }

    /// Whether a name of at most eight characters is this one, but for its case; `name` has its first character lowest.
    @inline(__always)
    func isNamed(_ range: ByteRange, _ name: UInt64, length: Int) -> Bool {
        range.count == length && lowercaseWord(at: range.lower, length: length) == name
    }

    /// `0`, `0.7`, `1.000`: thousandths (RFC 3261 section 25.1, qvalue).
    private func quality(_ range: ByteRange) -> UInt16? {
        guard range.count >= 1, range.count <= 5, self[range.lower] == 48 || self[range.lower] == 49 else { return nil }
        var value = UInt16(self[range.lower] &- 48) &* 1000
        guard range.count > 1 else { return value }
        guard self[range.lower &+ 1] == UInt8(ascii: ".") else { return nil }
        var weight: UInt16 = 100
        for position in (range.lower &+ 2)..<range.upper {
            let digit = self[position] &- 48
            guard digit < 10 else { return nil }
            value &+= UInt16(digit) &* weight
            weight /= 10
        }
        return value <= 1000 ? value : nil
    }

    /// `SIP/2.0/UDP host:port;branch=…;rport` (RFC 3261 section 20.42).
    ///
    /// - Returns: false when it is malformed. If only parameters are, it has a host and ends before the first of those, so
    ///   that it can be answered (RFC 4475 section 3.1.2.1).
    func parseVia(_ range: ByteRange, into via: inout Via) -> Bool {
        via = Via()
        via.whole = range
        var position = range.lower
        for part in 0..<3 {
            let start = position
            position = skipping(.token, from: start, before: range.upper)
            let name = ByteRange(start, position)
            guard !name.isEmpty, part != 0 || isNamed(name, 0x70_6973, length: 3) else { return false }
            position = skippingWhitespace(from: position, before: range.upper)
            guard part < 2 else { break }
            guard position < range.upper, self[position] == UInt8(ascii: "/") else { return false }
            position = skippingWhitespace(from: position &+ 1, before: range.upper)
        }
        guard let end = parseHostPort(position, range.upper, host: &via.host, port: &via.port) else {
            via.host = .empty
            return false
        }
        position = skippingWhitespace(from: end, before: range.upper)
        return parseViaParameters(position, range.upper, into: &via)
    }

    private func parseViaParameters(_ start: Int, _ end: Int, into via: inout Via) -> Bool {
        var position = start
        var parameters = 0
        while position < end {
            let parameterStart = position
            parameters &+= 1
            guard parameters <= SIPMessage.maximumParameters, let parameter = parseParameter(&position, before: end),
                take(parameter, from: parameterStart, into: &via)
            else {
                via.whole = trimmed(via.whole.lower, parameterStart)
                return false
            }
        }
        return true
    }

    /// - Returns: false when it stands there a second time.
    private func take(_ parameter: (name: ByteRange, value: ByteRange), from start: Int, into via: inout Via) -> Bool {
        let end = parameter.value.isEmpty ? parameter.name.upper : parameter.value.upper
        if isNamed(parameter.name, 0x6863_6E61_7262, length: 6) {
            guard via.branch.isEmpty else { return false }
            via.branch = parameter.value
        } else if isNamed(parameter.name, 0x74_726F_7072, length: 5) {
            guard !via.hasResponsePort else { return false }
            via.hasResponsePort = true
            via.responsePort = ByteRange(start, end)
        } else if isNamed(parameter.name, 0x6465_7669_6563_6572, length: 8) {
            guard via.received.isEmpty else { return false }
            via.received = ByteRange(start, end)
        }
        return true
    }
}
