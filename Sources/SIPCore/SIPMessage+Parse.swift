extension SIPMessage {
    /// Parses a datagram into this message (RFC 3261 section 7, 16.3 item 1, 18.3). Never traps, whatever the bytes.
    package mutating func parse(_ datagram: Span<UInt8>) -> ParseOutcome {
        reset()
        guard datagram.count <= Self.maximumDatagram else { return .notSIP }
        var start = 0
        while start < datagram.count, datagram[start] == 13 || datagram[start] == 10 { start &+= 1 }
        let lineEnd = datagram.position(of: 10, from: start, before: datagram.count)
        guard lineEnd < datagram.count, parseRequestLine(datagram, start, lineEnd) else { return .notSIP }
        let bodyStart = parseHeaders(datagram, from: lineEnd &+ 1)
        // ACK is never answered, not even to say what is wrong with it (RFC 3261 section 17).
        guard topVia.host.count > 0, !(method == .ack && fault != nil) else { return .notSIP }
        finish(datagram, bodyStart: bodyStart)
        if let fault { return method == .ack ? .notSIP : .refused(SIPResponse(fault)) }
        return .request
    }

    private mutating func reset() {
        requestURI = SIPURI()
        method = .unknown
        methodToken = .empty
        topVia = Via()
        from = AddressHeader()
        to = AddressHeader()
        callID = .empty
        cseqValue = .empty
        cseq = 0
        maxForwards = nil
        expires = nil
        body = .empty
        hasStarContact = false
        contactCount = 0
        viaCount = 0
        requireCount = 0
        fault = nil
        contentLength = nil
        seen = 0
    }

    mutating func note(_ found: SIPFault) {
        if fault == nil { fault = found }
    }

    /// `Method SP Request-URI SP SIP-Version CRLF`.
    ///
    /// - Returns: false when this is no SIP request at all.
    private mutating func parseRequestLine(_ datagram: Span<UInt8>, _ start: Int, _ lineEnd: Int) -> Bool {
        var end = lineEnd
        if end > start, datagram[end &- 1] == 13 { end &-= 1 }
        let extent = datagram.trimmed(start, end)
        let firstSpace = datagram.position(of: 32, from: start, before: end)
        guard firstSpace > start, firstSpace < end else { return false }
        for position in start..<firstSpace where !isToken(datagram[position]) { return false }
        var lastSpace = extent.upper
        while lastSpace > firstSpace, datagram[lastSpace &- 1] != 32 { lastSpace &-= 1 }
        let version = ByteRange(lastSpace, extent.upper)
        guard version.count >= 5, datagram.equalsIgnoringCase(ByteRange(lastSpace, lastSpace &+ 4), "SIP/") else {
            return false
        }
        methodToken = ByteRange(start, firstSpace)
        method = SIPMethod(methodToken, in: datagram)
        if version.count != 7 || datagram[lastSpace &+ 4] != 50 || datagram[lastSpace &+ 5] != 46
            || datagram[lastSpace &+ 6] != 48
        {
            note(.version)
        }
        guard lastSpace &- 1 > firstSpace, extent.upper == end else {
            note(.requestLine)
            return true
        }
        let uri = ByteRange(firstSpace &+ 1, lastSpace &- 1)
        if uri.count > SIPURI.maximumLength { note(.requestURILength) }
        if !datagram.parseURI(uri, into: &requestURI) || !requestURI.headers.isEmpty { note(.requestURI) }
        return true
    }

    /// Goes through all header lines up to the empty line.
    ///
    /// - Returns: where the body starts; nil when the empty line is missing.
    private mutating func parseHeaders(_ datagram: Span<UInt8>, from start: Int) -> Int? {
        var lineStart = start
        var headers = 0
        while lineStart < datagram.count {
            if datagram[lineStart] == 10 { return lineStart &+ 1 }
            if datagram[lineStart] == 13, lineStart &+ 1 < datagram.count, datagram[lineStart &+ 1] == 10 {
                return lineStart &+ 2
            }
            var end = datagram.position(of: 10, from: lineStart, before: datagram.count)
            // A line that starts with white space goes on with the one before it (RFC 3261 section 7.3.1).
            while end &+ 1 < datagram.count, datagram[end &+ 1] == 32 || datagram[end &+ 1] == 9 {
                end = datagram.position(of: 10, from: end &+ 1, before: datagram.count)
            }
            headers &+= 1
            guard headers <= Self.maximumHeaders else {
                note(.headerCount)
                return nil
            }
            parseHeader(datagram, lineStart, end)
            lineStart = end &+ 1
        }
        return nil
    }

    private mutating func parseHeader(_ datagram: Span<UInt8>, _ start: Int, _ end: Int) {
        var position = start
        var first: UInt64 = 0
        var last: UInt64 = 0
        while position < end {
            let byte = datagram[position]
            guard isToken(byte) else { break }
            let letter = UInt64(lowercase(byte))
            if position &- start < 8 { first = first << 8 | letter }
            last = last << 8 | letter
            position &+= 1
        }
        let nameLength = position &- start
        position = datagram.skippingWhitespace(from: position, before: end)
        guard nameLength > 0, position < end, datagram[position] == UInt8(ascii: ":") else { return note(.header) }
        guard end &- start <= Self.maximumHeaderLength else { return note(.headerLength) }
        let value = datagram.trimmed(position &+ 1, end)
        guard let header = KnownHeader(length: nameLength, first: first, last: last) else { return }
        take(header, value, datagram)
    }

    private mutating func take(_ header: KnownHeader, _ value: ByteRange, _ datagram: Span<UInt8>) {
        if header.isSingle {
            let bit = UInt16(1) << UInt16(header.rawValue)
            // RFC 4475 section 3.3.8: nobody can tell which of two values was meant.
            guard seen & bit == 0 else { return note(.repeatedHeader) }
            seen |= bit
        }
        switch header {
        case .via: takeVias(value, datagram)
        case .from: from.whole = value
        case .to: to.whole = value
        case .callID: callID = value
        case .cseq: cseqValue = value
        case .contact: takeContacts(value, datagram)
        // Malformed values count as an hour (RFC 3261 section 20.19).
        case .expires: expires = datagram.decimal(value) ?? 3600
        case .contentLength:
            contentLength = datagram.decimal(value)
            if contentLength == nil { note(.contentLength) }
        case .maxForwards:
            guard let hops = datagram.decimal(value), hops <= 255 else { return note(.maxForwards) }
            maxForwards = UInt8(hops)
        case .require:
            guard !value.isEmpty, requireCount < Self.maximumRequires else { return }
            requires[requireCount] = value
            requireCount &+= 1
        }
    }

    private mutating func takeVias(_ value: ByteRange, _ datagram: Span<UInt8>) {
        var start = value.lower
        repeat {
            let end = datagram.endOfElement(from: start, before: value.upper)
            let element = datagram.trimmed(start, end)
            guard viaCount < Self.maximumVias else { return note(.viaCount) }
            vias[viaCount] = element
            viaCount &+= 1
            if element.isEmpty || (viaCount == 1 && !datagram.parseVia(element, into: &topVia)) {
                if viaCount == 1 { topVia.host = .empty }
                note(.via)
            }
            start = end &+ 1
        } while start <= value.upper
    }

    private mutating func takeContacts(_ value: ByteRange, _ datagram: Span<UInt8>) {
        if value.count == 1, datagram[value.lower] == UInt8(ascii: "*") {
            hasStarContact = true
            return
        }
        var start = value.lower
        repeat {
            let end = datagram.endOfElement(from: start, before: value.upper)
            guard contactCount < Self.maximumContacts else { return note(.contactCount) }
            guard datagram.parseContact(ByteRange(start, end), into: &contacts[contactCount]) else {
                return note(.contact)
            }
            contactCount &+= 1
            start = end &+ 1
        } while start <= value.upper
    }

    /// What can only be judged when all headers are known.
    private mutating func finish(_ datagram: Span<UInt8>, bodyStart: Int?) {
        from.isUsable = datagram.parseAddress(from.whole, into: &from)
        to.isUsable = datagram.parseAddress(to.whole, into: &to)
        if !from.isUsable { note(.from) }
        if !to.isUsable { note(.to) }
        if callID.isEmpty { note(.callID) }
        parseCSeq(datagram)
        guard let bodyStart else { return note(.headerEnd) }
        let rest = datagram.count &- bodyStart
        let length = contentLength.map(Int.init) ?? rest
        // A datagram that ends too early is refused, bytes after the body are ignored (RFC 3261 section 18.3).
        guard length <= rest else { return note(.contentLength) }
        body = ByteRange(bodyStart, bodyStart &+ length)
    }

    /// `1*DIGIT LWS Method`, the number below 2^31, the method that of the request (RFC 3261 section 8.1.1.5).
    private mutating func parseCSeq(_ datagram: Span<UInt8>) {
        var end = cseqValue.lower
        while end < cseqValue.upper, datagram[end] &- 48 < 10 { end &+= 1 }
        guard let number = datagram.decimal(ByteRange(cseqValue.lower, end)), number < 1 << 31, end < cseqValue.upper,
            isWhitespace(datagram[end])
        else { return note(.cseq) }
        cseq = number
        let method = ByteRange(datagram.skippingWhitespace(from: end, before: cseqValue.upper), cseqValue.upper)
        guard method.count == methodToken.count, datagram.equals(method, in: datagram, at: methodToken.lower) else {
            return note(.cseqMethod)
        }
    }
}

/// The headers that this server reads, in full and compact form (RFC 3261 section 7.3.3).
private enum KnownHeader: UInt8 {
    case via, from, to, callID, cseq, contact, expires, contentLength, maxForwards, require

    /// - Parameters:
    ///   - first: the first eight characters at most, in lower case, the last of them in the lowest byte.
    ///   - last: the last eight characters at most, in the same way.
    @inline(__always)
    init?(length: Int, first: UInt64, last: UInt64) {
        switch (length, first) {
        case (3, 0x76_6961), (1, 0x76): self = .via
        case (4, 0x6672_6F6D), (1, 0x66): self = .from
        case (2, 0x746F), (1, 0x74): self = .to
        case (7, 0x63_616C_6C2D_6964), (1, 0x69): self = .callID
        case (4, 0x6373_6571): self = .cseq
        case (7, 0x63_6F6E_7461_6374), (1, 0x6D): self = .contact
        case (7, 0x65_7870_6972_6573): self = .expires
        case (7, 0x72_6571_7569_7265): self = .require
        case (1, 0x6C): self = .contentLength
        case (14, 0x636F_6E74_656E_742D) where last == 0x742D_6C65_6E67_7468: self = .contentLength
        case (12, 0x6D61_782D_666F_7277) where last == 0x666F_7277_6172_6473: self = .maxForwards
        default: return nil
        }
    }

    var isSingle: Bool {
        switch self {
        case .via, .contact, .require: false
        case .from, .to, .callID, .cseq, .expires, .contentLength, .maxForwards: true
        }
    }
}

extension SIPMethod {
    fileprivate init(_ token: ByteRange, in datagram: Span<UInt8>) {
        var packed: UInt64 = 0
        for position in token.indices.prefix(8) { packed = packed << 8 | UInt64(datagram[position]) }
        self =
            switch (token.count, packed) {
            case (8, 0x5245_4749_5354_4552): .register
            case (7, 0x4F_5054_494F_4E53): .options
            case (3, 0x41_434B): .ack
            case (6, 0x4341_4E43_454C): .cancel
            case (6, 0x494E_5649_5445): .invite
            case (3, 0x42_5945): .bye
            case (9, 0x5355_4253_4352_4942): datagram[token.upper &- 1] == UInt8(ascii: "E") ? .subscribe : .unknown
            case (6, 0x4E4F_5449_4659): .notify
            case (7, 0x50_5542_4C49_5348): .publish
            case (7, 0x4D_4553_5341_4745): .message
            case (4, 0x494E_464F): .info
            case (6, 0x5550_4441_5445): .update
            case (5, 0x52_4546_4552): .refer
            case (5, 0x50_5241_434B): .prack
            default: .unknown
            }
    }
}
