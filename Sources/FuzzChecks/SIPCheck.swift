import ClusterModel
import SIPCore

/// The SIP parser: what it finds lies within the datagram, a message that is used again remembers nothing, and what it
/// refuses can be answered.
enum SIPCheck {
    private static let source = NetworkAddress(ipv4: 0x0A00_0001, port: 5066)
    /// A message that has seen everything, for the next datagram to be parsed into.
    private static let usedText = """
        REGISTER sip:a:b@c:1;d?e SIP/2.0\r
        Via: SIP/2.0/UDP h:5;branch=z;received=1.2.3.4;rport, SIP/2.0/UDP i\r
        From: "x" <sip:f@g>;tag=1\r
        To: <sip:1:2@[::1]:5060;transport=udp>;tag=2\r
         folded\r
        Call-ID: k\r
        CSeq: 7 REGISTER\r
        Contact: <sip:a@b>;expires=5;q=0.5;+sip.instance="<u>";reg-id=1, *\r
        Contact: *\r
        Expires: 9\r
        Max-Forwards: 3\r
        Require: a\r
        Route: <sip:us;lr>;x=1, <sip:next;lr>\r
        Proxy-Require: b\r
        Proxy-Authorization: Digest a="b"\r
        \r
        body
        """

    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        let datagram = input.span
        var message = SIPMessage()
        let outcome = message.parse(datagram)
        for range in ranges(of: message) {
            try expect(range.upper <= input.count, "a range ends at \(range.upper) of \(input.count) bytes")
        }
        var used = SIPMessage()
        _ = used.parse(Array(usedText.utf8).span)
        let again = used.parse(datagram)
        try expect(
            again == outcome && ranges(of: used) == ranges(of: message) && numbers(of: used) == numbers(of: message)
                && used.disposition == message.disposition,
            "a message that was used before parses the datagram differently")
        switch outcome {
        case .notSIP:
            break
        case .response(let status):
            try expect((100..<700).contains(status) && message.viaCount > 0, "an answer that nobody gave")
            if message.isSound { try ForwardingCheck.checkResponse(message, status, datagram) }
        case .refused(let response):
            try checkAnswer(response, message, datagram)
        case .request:
            try checkParts(of: message)
            try checkDN(of: message.to.uri, datagram)
            try checkDN(of: message.requestURI, datagram)
            if case .answer(let response) = message.disposition { try checkAnswer(response, message, datagram) }
            try checkAnswer(SIPResponse(.ok, extra: .capabilities), message, datagram)
            try checkAnswer(SIPResponse(.badExtension, extra: .unsupported), message, datagram)
            for routes in 0...2 { try ForwardingCheck.check(message, datagram, consumedRoutes: routes) }
        }
    }

    /// What a request that is served has, and where the parts of a URI lie.
    private static func checkParts(of message: SIPMessage) throws(FuzzFinding) {
        try expect(
            !message.topVia.host.isEmpty && !message.from.whole.isEmpty && !message.to.whole.isEmpty
                && !message.callID.isEmpty && !message.cseqValue.isEmpty && message.viaCount > 0,
            "a request without a mandatory header is served")
        try expect(message.contactCount <= SIPMessage.maximumContacts, "more contacts than there may be")
        let uris = [message.requestURI, message.to.uri] + (0..<message.contactCount).map { message.contact($0).uri }
        for uri in uris {
            try expect(!uri.whole.isEmpty, "a URI is empty")
            for part in [uri.user, uri.password, uri.host, uri.parameters, uri.headers] where !part.isEmpty {
                try expect(
                    part.lower >= uri.whole.lower && part.upper <= uri.whole.upper, "a URI's part lies outside of it")
            }
        }
    }

    /// A DN is all of the user part: one that is cut short is somebody else's.
    private static func checkDN(of uri: SIPURI, _ datagram: Span<UInt8>) throws(FuzzFinding) {
        guard let dn = uri.dn(in: datagram) else { return }
        var escapes = 0
        for position in uri.user.lower..<uri.user.upper where datagram[position] == UInt8(ascii: "%") { escapes += 1 }
        try expect(dn.length == uri.user.count - 2 * escapes, "the user part of a URI names the DN \(dn)")
    }

    private static func checkAnswer(
        _ response: SIPResponse, _ message: SIPMessage, _ datagram: Span<UInt8>
    ) throws(FuzzFinding) {
        var output: [UInt8] = [1, 2, 3]
        ResponseWriter(secret: 1).write(response, to: message, in: datagram, from: source, into: &output)
        try expect(output.prefix(3) == [1, 2, 3], "an answer wrote over what stood before it")
        try AnswerCheck.check(output.dropFirst(3), to: datagram.count, contactBytes: 0)
    }

    private static func ranges(of message: SIPMessage) -> [ByteRange] {
        var ranges = [
            message.topVia.whole, message.topVia.host, message.topVia.branch, message.from.whole, message.from.tag,
            message.to.whole, message.to.tag, message.callID, message.cseqValue, message.body, message.topRoute.whole,
        ]
        for uri in [message.requestURI, message.from.uri, message.to.uri, message.topRoute.uri] {
            ranges += parts(of: uri)
        }
        for position in 0..<message.contactCount {
            let contact = message.contact(position)
            ranges += parts(of: contact.uri) + [contact.instance, contact.flow]
        }
        return ranges
    }

    private static func parts(of uri: SIPURI) -> [ByteRange] {
        [uri.whole, uri.user, uri.password, uri.host, uri.parameters, uri.headers]
    }

    private static func numbers(of message: SIPMessage) -> [UInt32?] {
        var numbers: [UInt32?] = [
            UInt32(message.method.rawValue), message.cseq, message.maxForwards.map(UInt32.init), message.expires,
            UInt32(message.contactCount), UInt32(message.viaCount), UInt32(message.topVia.port),
            UInt32(message.routeCount), UInt32(message.proxyRequireCount), UInt32(message.proxyAuthorizationCount),
            message.hasStarContact ? 1 : 0, message.topVia.hasResponsePort ? 1 : 0,
        ]
        for position in 0..<message.contactCount {
            let contact = message.contact(position)
            numbers += [contact.expires, contact.quality.map(UInt32.init), UInt32(contact.uri.port)]
        }
        return numbers
    }
}
