/// The values of the headers that have a structure: Via, Contact, From and To.
extension Span<UInt8> {
    /// Where the element of a comma-separated list ends: at a comma outside of quotes and angle brackets.
    func endOfElement(from start: Int, before end: Int) -> Int {
        var position = start
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
    func parseAddress(_ range: ByteRange, into header: inout AddressHeader) -> Bool {
        guard !range.isEmpty, var position = parseURIPart(range, into: &header.uri) else { return false }
        while position < range.upper {
            guard let parameter = parseParameter(&position, before: range.upper) else { return false }
            if isNamed(parameter.name, 0x74_6167, length: 3) { header.tag = parameter.value }
        }
        return true
    }

    /// One contact: an address, and the parameters that a registrar reads.
    func parseContact(_ range: ByteRange, into contact: inout Contact) -> Bool {
        let range = trimmed(range.lower, range.upper)
        contact = Contact()
        guard !range.isEmpty, var position = parseURIPart(range, into: &contact.uri) else { return false }
        while position < range.upper {
            guard let parameter = parseParameter(&position, before: range.upper) else { return false }
            if isNamed(parameter.name, 0x65_7870_6972_6573, length: 7) {
                contact.expires = decimal(parameter.value) ?? 3600
            } else if isNamed(parameter.name, 0x71, length: 1) {
                guard let quality = quality(parameter.value) else { return false }
                contact.quality = quality
            } else if isNamed(parameter.name, 0x7265_672D_6964, length: 6) {
                contact.flow = parameter.value
            } else if equalsIgnoringCase(parameter.name, "+sip.instance") {
                contact.instance = parameter.value
            }
        }
        return true
    }

    /// `name-addr` or `addr-spec`, with or without a display name (RFC 3261 section 20.10).
    ///
    /// - Returns: where the parameters start.
    private func parseURIPart(_ range: ByteRange, into uri: inout SIPURI) -> Int? {
        var position = range.lower
        if self[position] == UInt8(ascii: "\"") {
            position = endOfQuoted(from: position, before: range.upper)
            guard position <= range.upper else { return nil }
            position = skippingWhitespace(from: position, before: range.upper)
            guard position < range.upper, self[position] == UInt8(ascii: "<") else { return nil }
        }
        let start = position
        while position < range.upper, !isEndOfPlainURI(self[position]) { position &+= 1 }
        guard position < range.upper, self[position] == UInt8(ascii: "<") else {
            // Without brackets a URI has no comma, no question mark, and parameters are the header's.
            guard position == range.upper || self[position] == UInt8(ascii: ";") else { return nil }
            let plain = trimmed(start, position)
            return parseURI(plain, into: &uri) ? position : nil
        }
        guard isDisplayName(start, position) else { return nil }
        let end = self.position(of: UInt8(ascii: ">"), from: position, before: range.upper)
        guard end < range.upper, parseURI(ByteRange(position &+ 1, end), into: &uri) else { return nil }
        return skippingWhitespace(from: end &+ 1, before: range.upper)
    }

    private func isEndOfPlainURI(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "<"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "?"), UInt8(ascii: "\""): true
        default: false
        }
    }

    private func isDisplayName(_ lower: Int, _ upper: Int) -> Bool {
        for position in lower..<upper where !isToken(self[position]) && !isWhitespace(self[position]) { return false }
        return true
    }

    /// `;name`, `;name=value` or `;name="value"`; moves past it and the white space behind it.
    func parseParameter(_ position: inout Int, before end: Int) -> (name: ByteRange, value: ByteRange)? {
        guard position < end, self[position] == UInt8(ascii: ";") else { return nil }
        let nameStart = skippingWhitespace(from: position &+ 1, before: end)
        var nameEnd = nameStart
        while nameEnd < end, isToken(self[nameEnd]) { nameEnd &+= 1 }
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
            while valueEnd < end, isParameterValue(self[valueEnd]) { valueEnd &+= 1 }
        }
        guard valueEnd > valueStart else { return nil }
        position = skippingWhitespace(from: valueEnd, before: end)
        return (name, ByteRange(valueStart, valueEnd))
    }

    /// A token or a host; the colon and the brackets are those of IPv6.
    private func isParameterValue(_ byte: UInt8) -> Bool {
        isToken(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
            || byte == UInt8(ascii: "/")
    }

    /// Whether a short name is this one, but for its case; `name` is packed with its last character lowest.
    func isNamed(_ range: ByteRange, _ name: UInt64, length: Int) -> Bool {
        guard range.count == length else { return false }
        var packed: UInt64 = 0
        for position in range.indices { packed = packed << 8 | UInt64(lowercase(self[position])) }
        return packed == name
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
    func parseVia(_ range: ByteRange, into via: inout Via) -> Bool {
        via = Via()
        via.whole = range
        var position = range.lower
        for part in 0..<3 {
            let start = position
            while position < range.upper, isToken(self[position]) { position &+= 1 }
            let name = ByteRange(start, position)
            guard !name.isEmpty, part != 0 || equalsIgnoringCase(name, "SIP") else { return false }
            position = skippingWhitespace(from: position, before: range.upper)
            guard part < 2 else { break }
            guard position < range.upper, self[position] == UInt8(ascii: "/") else { return false }
            position = skippingWhitespace(from: position &+ 1, before: range.upper)
        }
        guard let end = parseHostPort(position, range.upper, host: &via.host, port: &via.port) else { return false }
        position = skippingWhitespace(from: end, before: range.upper)
        return parseViaParameters(position, range.upper, into: &via)
    }

    private func parseViaParameters(_ start: Int, _ end: Int, into via: inout Via) -> Bool {
        var position = start
        while position < end {
            let parameterStart = position
            guard let parameter = parseParameter(&position, before: end) else { return false }
            let parameterEnd = parameter.value.isEmpty ? parameter.name.upper : parameter.value.upper
            if isNamed(parameter.name, 0x6272_616E_6368, length: 6) {
                via.branch = parameter.value
            } else if isNamed(parameter.name, 0x72_706F_7274, length: 5) {
                guard !via.hasResponsePort else { return false }
                via.hasResponsePort = true
                via.responsePort = ByteRange(parameterStart, parameterEnd)
            } else if isNamed(parameter.name, 0x7265_6365_6976_6564, length: 8) {
                guard via.received.isEmpty else { return false }
                via.received = ByteRange(parameterStart, parameterEnd)
            }
        }
        return true
    }
}
