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
        hasLineEndsInValues = false
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
        for position in start..<firstSpace where !CharacterSet.token.contains(datagram[position]) { return false }
        var lastSpace = extent.upper
        while lastSpace > firstSpace, datagram[lastSpace &- 1] != 32 { lastSpace &-= 1 }
        let versionLength = extent.upper &- lastSpace
        let version = datagram.lowercaseWord(at: lastSpace, length: min(versionLength, 8))
        guard versionLength >= 5, version & 0xFFFF_FFFF == 0x2F70_6973 else { return false }
        methodToken = ByteRange(start, firstSpace)
        method = SIPMethod(methodToken, in: datagram)
        if version != 0x30_2E32_2F70_6973 { note(.version) }
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
            let end = endOfHeader(datagram, from: lineStart)
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

    /// Where the line feed is that ends a header, or the datagram.
    private mutating func endOfHeader(_ datagram: Span<UInt8>, from start: Int) -> Int {
        var position = start
        while true {
            position = datagram.positionOfLineEnd(from: position)
            if position < datagram.count, datagram[position] == 13 {
                position &+= 1
                guard position < datagram.count, datagram[position] == 10 else {
                    hasLineEndsInValues = true
                    continue
                }
            }
            // A line that starts with white space goes on with the one before it (RFC 3261 section 7.3.1).
            guard position &+ 1 < datagram.count, datagram[position &+ 1] == 32 || datagram[position &+ 1] == 9 else {
                return position
            }
            hasLineEndsInValues = true
            position &+= 1
        }
    }

    private mutating func parseHeader(_ datagram: Span<UInt8>, _ start: Int, _ end: Int) {
        guard end &- start <= Self.maximumHeaderLength else { return note(.headerLength) }
        if let (header, length) = KnownHeader.plain(datagram, at: start) {
            return take(header, datagram.trimmed(min(start &+ length, end), end), datagram)
        }
        let nameLimit = min(end, start &+ Self.maximumHeaderName)
        let colon = datagram.position(of: UInt8(ascii: ":"), from: start, before: nameLimit)
        guard colon < nameLimit else { return note(.header) }
        var nameEnd = colon
        while nameEnd > start, isWhitespace(datagram[nameEnd &- 1]) { nameEnd &-= 1 }
        guard nameEnd > start else { return note(.header) }
        // Only a name with white space behind it can be known here.
        guard nameEnd < colon else { return }
        let length = nameEnd &- start
        let first = datagram.lowercaseWord(at: start, length: length)
        let last = length > 8 ? datagram.lowercaseWord(at: nameEnd &- 8, length: 8) : first
        guard let header = KnownHeader(length: length, first: first, last: last) else { return }
        take(header, datagram.trimmed(colon &+ 1, end), datagram)
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
        from.isUsable = datagram.parseAddress(from.whole, into: &from, splittingURI: false)
        to.isUsable = datagram.parseAddress(to.whole, into: &to, splittingURI: true)
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

    /// The header whose name and colon stand at `start` without white space between them, as nearly all do.
    ///
    /// - Returns: with the length of both; nil when it is another header, or written in another way.
    @inline(__always)
    static func plain(_ datagram: Span<UInt8>, at start: Int) -> (header: KnownHeader, length: Int)? {
        let word = datagram.lowercaseWord(at: start, length: 8)
        switch UInt8(truncatingIfNeeded: word) {
        case UInt8(ascii: "v"):
            if word & 0xFFFF_FFFF == 0x3A61_6976 { return (.via, 4) }
            if word & 0xFFFF == 0x3A76 { return (.via, 2) }
        case UInt8(ascii: "f"):
            if word & 0xFF_FFFF_FFFF == 0x3A_6D6F_7266 { return (.from, 5) }
            if word & 0xFFFF == 0x3A66 { return (.from, 2) }
        case UInt8(ascii: "t"):
            if word & 0xFF_FFFF == 0x3A_6F74 { return (.to, 3) }
            if word & 0xFFFF == 0x3A74 { return (.to, 2) }
        case UInt8(ascii: "c"):
            if word == 0x3A64_692D_6C6C_6163 { return (.callID, 8) }
            if word == 0x3A74_6361_746E_6F63 { return (.contact, 8) }
            if word & 0xFF_FFFF_FFFF == 0x3A_7165_7363 { return (.cseq, 5) }
            if word == 0x2D74_6E65_746E_6F63, datagram.lowercaseWord(at: start &+ 7, length: 8) == 0x3A68_7467_6E65_6C2D
            {
                return (.contentLength, 15)
            }
        case UInt8(ascii: "m"):
            if word == 0x7772_6F66_2D78_616D, datagram.lowercaseWord(at: start &+ 5, length: 8) == 0x3A73_6472_6177_726F
            {
                return (.maxForwards, 13)
            }
            if word & 0xFFFF == 0x3A6D { return (.contact, 2) }
        case UInt8(ascii: "e"): if word == 0x3A73_6572_6970_7865 { return (.expires, 8) }
        case UInt8(ascii: "i"): if word & 0xFFFF == 0x3A69 { return (.callID, 2) }
        case UInt8(ascii: "l"): if word & 0xFFFF == 0x3A6C { return (.contentLength, 2) }
        case UInt8(ascii: "r"): if word == 0x3A65_7269_7571_6572 { return (.require, 8) }
        default: break
        }
        return nil
    }

    /// - Parameters:
    ///   - first: the first eight characters at most, in lower case, the first of them in the lowest byte.
    ///   - last: the last eight characters at most, in the same way.
    @inline(__always)
    init?(length: Int, first: UInt64, last: UInt64) {
        switch (length, first) {
        case (3, 0x61_6976), (1, 0x76): self = .via
        case (4, 0x6D6F_7266), (1, 0x66): self = .from
        case (2, 0x6F74), (1, 0x74): self = .to
        case (7, 0x64_692D_6C6C_6163), (1, 0x69): self = .callID
        case (4, 0x7165_7363): self = .cseq
        case (7, 0x74_6361_746E_6F63), (1, 0x6D): self = .contact
        case (7, 0x73_6572_6970_7865): self = .expires
        case (7, 0x65_7269_7571_6572): self = .require
        case (1, 0x6C): self = .contentLength
        case (14, 0x2D74_6E65_746E_6F63) where last == 0x6874_676E_656C_2D74: self = .contentLength
        case (12, 0x7772_6F66_2D78_616D) where last == 0x7364_7261_7772_6F66: self = .maxForwards
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
        let packed = datagram.word(at: token.lower, length: min(token.count, 8))
        self =
            switch (token.count, packed) {
            case (8, 0x5245_5453_4947_4552): .register
            case (7, 0x53_4E4F_4954_504F): .options
            case (3, 0x4B_4341): .ack
            case (6, 0x4C45_434E_4143): .cancel
            case (6, 0x4554_4956_4E49): .invite
            case (3, 0x45_5942): .bye
            case (9, 0x4249_5243_5342_5553): datagram[token.upper &- 1] == UInt8(ascii: "E") ? .subscribe : .unknown
            case (6, 0x5946_4954_4F4E): .notify
            case (7, 0x48_5349_4C42_5550): .publish
            case (7, 0x45_4741_5353_454D): .message
            case (4, 0x4F46_4E49): .info
            case (6, 0x4554_4144_5055): .update
            case (5, 0x52_4546_4552): .refer
            case (5, 0x4B_4341_5250): .prack
            default: .unknown
            }
    }
}
