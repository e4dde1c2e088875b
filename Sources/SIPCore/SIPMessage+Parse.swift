extension SIPMessage {
    /// Parses a datagram into this message (RFC 3261 section 7, 16.3 item 1, 18.3). Never traps, whatever the bytes.
    package mutating func parse(_ datagram: Span<UInt8>) -> ParseOutcome {
        reset()
        guard datagram.count <= Self.maximumDatagram else { return .notSIP }
        var start = 0
        while start < datagram.count, datagram[start] == 13 || datagram[start] == 10 { start &+= 1 }
        let lineEnd = datagram.position(of: 10, from: start, before: datagram.count)
        firstLine = ByteRange(start, lineEnd)
        if datagram.word(at: start, length: 8) == 0x2030_2E32_2F50_4953 {
            return parseResponse(datagram, start, lineEnd)
        }
        guard lineEnd < datagram.count, parseRequestLine(datagram, start, lineEnd) else { return .notSIP }
        let bodyStart = parseHeaders(datagram, from: lineEnd &+ 1)
        // ACK is never answered, not even to say what is wrong with it (RFC 3261 section 17).
        guard topVia.host.count > 0, !(method == .ack && fault != nil) else { return .notSIP }
        finish(datagram, bodyStart: bodyStart)
        if let fault { return method == .ack ? .notSIP : .refused(SIPResponse(fault)) }
        return .request
    }

    /// `SIP/2.0 SP Status-Code SP Reason-Phrase CRLF` (RFC 3261 section 7.2). Which request it is for its topmost Via tells and the
    /// method in its CSeq, which is taken for the message's own.
    private mutating func parseResponse(_ datagram: Span<UInt8>, _ start: Int, _ lineEnd: Int) -> ParseOutcome {
        guard lineEnd &- start >= 11, let status = datagram.decimal(ByteRange(start &+ 8, start &+ 11)), status >= 100,
            status < 700
        else { return .notSIP }
        isResponse = true
        let bodyStart = parseHeaders(datagram, from: min(lineEnd &+ 1, datagram.count))
        finish(datagram, bodyStart: bodyStart)
        guard viaCount > 0, !topVia.host.isEmpty else { return .notSIP }
        return .response(UInt16(status))
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
        sessionExpires = nil
        minimumSession = nil
        body = .empty
        hasStarContact = false
        contactCount = 0
        viaCount = 0
        followingViaCount = 0
        requireCount = 0
        supported = []
        pathCount = 0
        lastPath = .empty
        authorizationCount = 0
        topViaLine = .empty
        secondViaStart = 0
        topRoute = AddressHeader()
        routeCount = 0
        maxForwardsValue = .empty
        firstLine = .empty
        isResponse = false
        headersEnd = 0
        proxyRequireCount = 0
        proxyAuthorizationCount = 0
        fault = nil
        contentLength = nil
        seen = 0
        hasLineEndsInValues = false
        hasBareLineFeeds = false
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
        guard datagram.skipping(.token, from: start, before: firstSpace) == firstSpace else { return false }
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
        // There is no header yet that such a line could go on with.
        if lineStart < datagram.count, datagram[lineStart] == 32 || datagram[lineStart] == 9 { note(.header) }
        while lineStart < datagram.count {
            headersEnd = lineStart
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
            line = ByteRange(lineStart, min(end &+ 1, datagram.count))
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
            if position < datagram.count, datagram[position] == 10 { hasBareLineFeeds = true }
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
        guard nameEnd > start, datagram.skipping(.token, from: start, before: nameEnd) == nameEnd else {
            return note(.header)
        }
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
            let bit = UInt32(1) << UInt32(header.rawValue)
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
        // Of a value that cannot be read nothing is known: it goes on to whom it is for.
        case .sessionExpires: sessionExpires = datagram.leadingNumber(value)
        case .minimumSession: minimumSession = datagram.leadingNumber(value)
        case .contentLength:
            contentLength = datagram.decimal(value)
            if contentLength == nil { note(.contentLength) }
        case .maxForwards:
            guard let hops = datagram.decimal(value), hops <= 255 else { return note(.maxForwards) }
            maxForwards = UInt8(hops)
            maxForwardsValue = value
        case .require:
            takeRequired(value, datagram)
        case .proxyRequire:
            takeProxyRequired(value, datagram)
        case .proxyAuthorization:
            guard proxyAuthorizationCount < Self.maximumAuthorizations else { return note(.authorizationCount) }
            proxyAuthorizations[proxyAuthorizationCount] = value
            proxyAuthorizationCount &+= 1
        case .route: takeRoutes(value, datagram)
        case .supported:
            takeSupported(value, datagram)
        case .path: takePaths(value, datagram)
        case .authorization:
            guard authorizationCount < Self.maximumAuthorizations else { return note(.authorizationCount) }
            authorizations[authorizationCount] = value
            authorizationCount &+= 1
        }
    }

    private mutating func takeVias(_ value: ByteRange, _ datagram: Span<UInt8>) {
        guard viaCount == 0 else { return takeFollowingVias(value, datagram) }
        viaCount = 1
        topViaLine = line
        let end = datagram.endOfElement(from: value.lower, before: value.upper)
        // What follows a Via that cannot be read to its end need not begin where it seems to.
        guard datagram.parseVia(datagram.trimmed(value.lower, end), into: &topVia) else { return note(.via) }
        guard end < value.upper else { return }
        secondViaStart = UInt16(end &+ 1)
        takeFollowingVias(ByteRange(end &+ 1, value.upper), datagram)
    }

    /// Counts the Vias of a list, and keeps it in one piece: so it is answered in no more bytes than it came in.
    private mutating func takeFollowingVias(_ list: ByteRange, _ datagram: Span<UInt8>) {
        var start = list.lower
        var end = start
        while start <= list.upper {
            let next = datagram.endOfElement(from: start, before: list.upper)
            guard viaCount < Self.maximumVias else {
                note(.viaCount)
                break
            }
            guard !datagram.trimmed(start, next).isEmpty else {
                note(.via)
                break
            }
            viaCount &+= 1
            end = next
            start = next &+ 1
        }
        let vias = datagram.trimmed(list.lower, end)
        guard !vias.isEmpty else { return }
        followingVias[followingViaCount] = vias
        followingViaCount &+= 1
    }

    private mutating func takeSupported(_ value: ByteRange, _ datagram: Span<UInt8>) {
        var start = value.lower
        while let element = datagram.nextElement(&start, before: value.upper) {
            supported.formUnion(datagram.optionTag(element))
        }
    }

    /// Keeps what is not supported, for the answer.
    private mutating func takeRequired(_ value: ByteRange, _ datagram: Span<UInt8>) {
        var start = value.lower
        while let element = datagram.nextElement(&start, before: value.upper) {
            guard datagram.optionTag(element).isDisjoint(with: .ofRegistrar) else { continue }
            guard requireCount < Self.maximumRequires else { return note(.requireCount) }
            requires[requireCount] = element
            requireCount &+= 1
        }
    }

    private mutating func takeProxyRequired(_ value: ByteRange, _ datagram: Span<UInt8>) {
        var start = value.lower
        while let element = datagram.nextElement(&start, before: value.upper) {
            guard proxyRequireCount < Self.maximumRequires else { return note(.requireCount) }
            proxyRequires[proxyRequireCount] = element
            proxyRequireCount &+= 1
        }
    }

    /// Every one of them must be an address: who sends the request on to it must know what it is.
    private mutating func takeRoutes(_ value: ByteRange, _ datagram: Span<UInt8>) {
        if value.isEmpty { note(.route) }
        var start = value.lower
        while let element = datagram.nextElement(&start, before: value.upper) {
            guard routeCount < Self.maximumRoutes else { return note(.routeCount) }
            var address = AddressHeader()
            address.whole = element
            address.isUsable =
                datagram.parseAddress(element, into: &address, splittingURI: true) && address.uri.scheme != .other
            if !address.isUsable { note(.route) }
            routes[routeCount] = (element, line)
            routeCount &+= 1
            if routeCount == 1 { topRoute = address }
        }
    }

    /// Each element is the address of a proxy, which requests to the phone are sent through (RFC 3327 section 5.3).
    private mutating func takePaths(_ value: ByteRange, _ datagram: Span<UInt8>) {
        guard pathCount < Self.maximumPaths else { return note(.pathLength) }
        paths[pathCount] = value
        pathCount &+= 1
        if pathLength > Self.maximumPathLength { note(.pathLength) }
        if value.isEmpty { note(.path) }
        var start = value.lower
        while let element = datagram.nextElement(&start, before: value.upper) {
            var address = AddressHeader()
            if !datagram.parseAddress(element, into: &address, splittingURI: true) || address.uri.scheme == .other {
                note(.path)
            }
            lastPath = address.uri.parameters
        }
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
        guard length <= Self.maximumBody else { return note(.bodyLength) }
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
        let word = ByteRange(datagram.skippingWhitespace(from: end, before: cseqValue.upper), cseqValue.upper)
        if isResponse {
            methodToken = word
            method = SIPMethod(word, in: datagram)
            return
        }
        // A method that is not known is refused for that, whatever CSeq says of it (RFC 4475 section 3.1.2.18).
        if method == .unknown { return }
        guard word.count == methodToken.count, datagram.equals(word, in: datagram, at: methodToken.lower) else {
            return note(.cseqMethod)
        }
    }
}

extension Span<UInt8> {
    /// The next element of a comma-separated list that is not empty; moves past it.
    func nextElement(_ start: inout Int, before end: Int) -> ByteRange? {
        while start < end {
            let elementEnd = endOfElement(from: start, before: end)
            let element = trimmed(start, elementEnd)
            start = elementEnd &+ 1
            if !element.isEmpty { return element }
        }
        return nil
    }

    /// The extension that an option tag names; none if this server does not know it.
    fileprivate func optionTag(_ range: ByteRange) -> SIPExtensions {
        if isNamed(range, 0x6874_6170, length: 4) { return .path }
        if isNamed(range, 0x72_656D_6974, length: 5) { return .timer }
        return isNamed(range, 0x646E_756F_6274_756F, length: 8) ? .outbound : []
    }

    /// The number before the parameters of a value.
    fileprivate func leadingNumber(_ value: ByteRange) -> UInt32? {
        let end = position(of: UInt8(ascii: ";"), from: value.lower, before: value.upper)
        return decimal(trimmed(value.lower, end))
    }
}
