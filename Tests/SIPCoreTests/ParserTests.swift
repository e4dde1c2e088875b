import ClusterModel
import SIPCore
import Testing

@Suite struct ParserTests {
    @Test func `a plain REGISTER is taken apart`() throws {
        let parsed = register("<sip:1001@10.0.0.1:5066;transport=udp>;expires=60;q=0.5", expires: 300)
        let message = parsed.message
        #expect(parsed.outcome == .request)
        #expect(message.method == .register)
        #expect(message.disposition == .register)
        #expect(parsed.text(message.requestURI.host) == "cc.example.com")
        #expect(parsed.text(message.topVia.branch) == "z9hG4bK776")
        #expect(message.topVia.hasResponsePort)
        #expect(message.topVia.port == 5066)
        #expect(parsed.text(message.from.tag) == "a1")
        #expect(message.to.tag.isEmpty)
        #expect(parsed.text(message.to.uri.user) == "1001")
        #expect(parsed.text(message.callID) == "call-1@phone")
        #expect(message.cseq == 1)
        #expect(message.maxForwards == 70)
        #expect(message.expires == 300)
        #expect(message.contactCount == 1)
        let contact = message.contact(0)
        #expect(parsed.text(contact.uri.whole) == "sip:1001@10.0.0.1:5066;transport=udp")
        #expect(parsed.text(contact.uri.parameters) == ";transport=udp")
        #expect(contact.expires == 60)
        #expect(contact.quality == 500)
    }

    @Test func `compact names, odd case, spaces before colons and folded lines mean the same`() {
        let parsed = request([
            "REGISTER sip:cc.example.com SIP/2.0", "v : SIP / 2.0 / UDP", "\t10.0.0.1:5066 ;branch=z9hG4bKa",
            "MAX-FORWARDS: 68", "f: sip:1001@cc.example.com;tag=x", "t  :", "  <sip:%31001@cc.example.com>",
            "i: abc", "cSeQ: 0009", "  REGISTER", "m: <sip:1001@h1>, \"a, \\\"b\\\"\" <sip:1001@h2;x=y>;expires=5",
            "l: 0", "x: 90", "k: path", "o: presence",
        ])
        #expect(parsed.outcome == .request)
        #expect(parsed.message.cseq == 9)
        #expect(parsed.message.contactCount == 2)
        #expect(parsed.text(parsed.message.contact(1).uri.host) == "h2")
        #expect(parsed.message.to.uri.dn(in: parsed.bytes.span) == DN("1001"))
        let lines = answer(SIPResponse(.ok), to: parsed)
        #expect(lines[1] == "Via: SIP / 2.0 / UDP  \t10.0.0.1:5066 ;branch=z9hG4bKa")
        #expect(lines[5] == "CSeq: 0009    REGISTER")
    }

    @Test func `without angle brackets parameters are the header's, and a question mark is an error`() {
        let plain = register("sip:1001@gw.example.com;expires=70;unknown")
        #expect(plain.message.contact(0).uri.parameters.isEmpty)
        #expect(plain.message.contact(0).expires == 70)
        #expect(register("sip:1001@example.com?Route=%3Csip:a%3E").fault == .contact)
        #expect(register("<sip:1001@example.com?Route=%3Csip:a%3E>").outcome == .request)
    }

    @Test func `IPv6 references are hosts`() {
        let parsed = request([
            "OPTIONS sip:[2001:db8::10]:5070 SIP/2.0", "Via: SIP/2.0/UDP [2001:db8::9]:5070;branch=z9hG4bKa",
            "From: <sip:a@[2001:db8::9]>;tag=1", "To: <sip:[2001:db8::10]>", "Call-ID: a", "CSeq: 1 OPTIONS",
        ])
        #expect(parsed.outcome == .request)
        #expect(parsed.text(parsed.message.requestURI.host) == "[2001:db8::10]")
        #expect(parsed.message.requestURI.port == 5070)
        #expect(!parsed.message.requestURI.hasUser)
        #expect(parsed.message.topVia.port == 5070)
    }

    @Test func `Vias are counted across lines and commas`() {
        let parsed = register(more: ["Via: SIP/2.0/TCP a;branch=1, SIP/2.0/UDP b:5060", "v: SIP/2.0/SCTP c"])
        #expect(parsed.message.viaCount == 4)
        let vias = answer(SIPResponse(.ok), to: parsed).filter { $0.hasPrefix("Via") }
        #expect(vias.dropFirst() == ["Via: SIP/2.0/TCP a;branch=1, SIP/2.0/UDP b:5060", "Via: SIP/2.0/SCTP c"])
    }

    @Test(arguments: [
        "", "\r\n\r\n", "\0\u{1}\0\u{4}", "hello", "hello\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "SIP/2.0 200 OK\r\n\r\n", "REGISTER sip:a SIP/2.0\r\n\r\n",
        "REGISTER sip:a SIP/2.0\r\nVia: nonsense\r\n\r\n", "ACK sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nbroken\r\n\r\n",
    ])
    func `what cannot be answered is dropped`(text: String) {
        #expect(Parsed(text).outcome == .notSIP)
    }

    @Test func `each fault of a REGISTER has its name and is answered`() {
        let good = String(decoding: register("<sip:1001@h>").bytes, as: UTF8.self)
        func faulty(_ from: String, _ to: String) -> SIPFault? {
            let range = good.firstRange(of: from)
            guard let range else { return nil }
            return Parsed(good.replacingCharacters(in: range, with: to)).fault
        }
        #expect(faulty("SIP/2.0\r", "SIP/7.0\r") == .version)
        #expect(faulty("REGISTER sip", "REGISTER  sip") == .requestURI)
        #expect(faulty("sip:cc.example.com ", "<sip:cc.example.com> ") == .requestURI)
        #expect(faulty("sip:cc.example.com ", "sip:cc.example.com?a=b ") == .requestURI)
        #expect(faulty("SIP/2.0\r", "SIP/2.0 \r") == .requestLine)
        #expect(faulty("Max-Forwards: 70", "Max-Forwards: 300") == .maxForwards)
        #expect(faulty("Max-Forwards: 70", "no colon here") == .header)
        #expect(faulty("Max-Forwards: 70", "Content-Length: 7") == .contentLength)
        #expect(faulty("Max-Forwards: 70", "Content-Length: -7") == .contentLength)
        #expect(faulty("Max-Forwards: 70", "CSeq: 4 REGISTER") == .repeatedHeader)
        #expect(faulty("Max-Forwards: 70", "X: " + String(repeating: "x", count: 9000)) == .headerLength)
        #expect(faulty("Max-Forwards: 70", (0..<64).map { "X-\($0): y" }.joined(separator: "\r\n")) == .headerCount)
        #expect(faulty("Call-ID: call-1@phone", "X: y") == .callID)
        #expect(faulty("CSeq: 1 REGISTER", "CSeq: 1 OPTIONS") == .cseqMethod)
        #expect(faulty("CSeq: 1 REGISTER", "CSeq: 2147483648 REGISTER") == .cseq)
        #expect(faulty("CSeq: 1 REGISTER", "CSeq: 36893488147419103232 REGISTER") == .cseq)
        #expect(faulty("CSeq: 1 REGISTER", "CSeq: 1") == .cseq)
        #expect(faulty("To: <sip:1001@cc.example.com>", "To: \"Mr <sip:1001@cc.example.com>") == .to)
        #expect(faulty("To: <sip:1001@cc.example.com>", "To: < sip:1001@cc.example.com >") == .to)
        #expect(faulty("To: <sip:1001@cc.example.com>", "X: y") == .to)
        #expect(faulty("From: \"One\" <", "From: Bell, One <") == .from)
        #expect(faulty("<sip:1001@h>", "<sip:1001@h>;;expires=4") == .contact)
        #expect(faulty("<sip:1001@h>", "<sip:1001@h>,") == .contact)
        #expect(
            faulty("<sip:1001@h>", Array(repeating: "<sip:1001@h>", count: 17).joined(separator: ",")) == .contactCount)
        #expect(faulty("\r\n\r\n", "\r\n") == .headerEnd)
    }

    @Test func `a URI that is too long is 414, and a foreign scheme is 416`() {
        let long = request(
            ["OPTIONS sip:\(String(repeating: "a", count: 1100)) SIP/2.0", "Via: SIP/2.0/UDP a", "CSeq: 1 OPTIONS"])
        #expect(long.outcome == .refused(SIPResponse(.requestURILength)))
        let foreign = request([
            "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", "Via: SIP/2.0/UDP a", "To: <sip:a@b>",
            "From: <sip:b@c>;tag=1", "Call-ID: 1", "CSeq: 1 OPTIONS",
        ])
        #expect(foreign.outcome == .request)
        #expect(foreign.message.disposition == .answer(SIPResponse(.unsupportedScheme)))
    }

    @Test func `the body ends where Content-Length says, or with the datagram`() {
        let lines = [
            "OPTIONS sip:a SIP/2.0", "Via: SIP/2.0/UDP a", "To: <sip:a@b>", "From: <sip:b@c>;tag=1", "Call-ID: 1",
            "CSeq: 1 OPTIONS",
        ]
        #expect(request(lines, body: "hello").message.body.count == 5)
        #expect(request(lines + ["Content-Length: 2"], body: "hello").message.body.count == 2)
        #expect(request(lines + ["Content-Length: 6"], body: "hello").fault == .contentLength)
        #expect(request(lines + ["l: 0"], body: "REGISTER sip:b SIP/2.0\r\n\r\n").outcome == .request)
    }

    @Test func `methods are told apart by every letter`() {
        func disposition(_ method: String) -> Disposition {
            request([
                "\(method) sip:a SIP/2.0", "Via: SIP/2.0/UDP a", "To: <sip:a@b>", "From: <sip:b@c>;tag=1", "Call-ID: 1",
                "CSeq: 1 \(method)",
            ]).message.disposition
        }
        #expect(disposition("REGISTER") == .register)
        #expect(disposition("OPTIONS") == .options)
        let known = [
            "ACK", "CANCEL", "INVITE", "BYE", "SUBSCRIBE", "NOTIFY", "MESSAGE", "INFO", "UPDATE", "REFER", "PRACK",
        ]
        for method in known { #expect(disposition(method) == .forward, "\(method)") }
        #expect(disposition("PUBLISH") == .answer(SIPResponse(.methodNotAllowed, extra: .allow)))
        for method in ["register", "REGISTEr", "SUBSCRIBX", "RE%47IST%45R", "X", "REGISTERS"] {
            #expect(disposition(method) == .answer(SIPResponse(.notImplemented, extra: .allow)), "\(method)")
        }
    }

    @Test func `a required extension is refused by name`() {
        let parsed = register("<sip:1001@h>", more: ["Require: gruu, nothingSupportsThis", "Require: x"])
        let response = SIPResponse(.badExtension, extra: .unsupported)
        #expect(parsed.message.disposition == .answer(response))
        let lines = answer(response, to: parsed)
        #expect(lines.first == "SIP/2.0 420 Bad Extension")
        #expect(
            lines.filter { $0.hasPrefix("Unsupported") } == [
                "Unsupported: gruu", "Unsupported: nothingSupportsThis", "Unsupported: x",
            ])
    }
}

extension String {
    /// Without Foundation.
    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }

    fileprivate func firstRange(of text: String) -> Range<String.Index>? {
        let (bytes, pattern) = (Array(utf8), Array(text.utf8))
        guard bytes.count >= pattern.count else { return nil }
        for start in 0...(bytes.count - pattern.count) where Array(bytes[start..<(start + pattern.count)]) == pattern {
            let lower = utf8.index(utf8.startIndex, offsetBy: start)
            return lower..<utf8.index(lower, offsetBy: pattern.count)
        }
        return nil
    }
}
