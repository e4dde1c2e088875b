import ClusterModel
import SIPCore
import Testing

/// RFC 5118 section 4. The lengths that it gives for the three session descriptions are those of other texts than it prints;
/// they are right here.
@Suite struct IPv6Tests {
    /// The REGISTER of sections 4.1 to 4.4, which differ in the Request-URI.
    private func registration(_ requestURI: String) -> Parsed {
        request([
            "REGISTER \(requestURI) SIP/2.0", "To: sip:user@example.com", "From: sip:user@example.com;tag=81x2",
            "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111", "Call-ID: SSG9559905523997077@hlau_4100",
            "Max-Forwards: 70", "Contact: \"Caller\" <sip:caller@[2001:db8::1]>", "CSeq: 98176 REGISTER",
            "Content-Length: 0",
        ])
    }

    @Test func `4.1 a valid message with an IPv6 reference`() {
        let parsed = registration("sip:[2001:db8::10]")
        #expect(parsed.fate == .served)
        #expect(parsed.text(parsed.message.requestURI.host) == "[2001:db8::10]")
        #expect(parsed.text(parsed.message.topVia.host) == "[2001:db8::9:1]")
        #expect(parsed.text(parsed.message.contact(0).uri.host) == "[2001:db8::1]")
        var registrar = Registrar(dnCount: 1)
        registrar.take(parsed)
        #expect(registrar.answer(parsed).contains("\r\nContact: <sip:caller@[2001:db8::1]>;expires=300\r\n"))
    }

    @Test func `4.2 an IPv6 address without its brackets`() {
        let parsed = registration("sip:2001:db8::10")
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .requestURI)
    }

    @Test func `4.3 a port inside of the brackets is a part of the address`() {
        let parsed = registration("sip:[2001:db8::10:5070]")
        #expect(parsed.fate == .served)
        #expect(parsed.text(parsed.message.requestURI.host) == "[2001:db8::10:5070]")
        #expect(parsed.message.requestURI.port == 0)
    }

    @Test func `4.4 a port behind the brackets is a port`() {
        let parsed = registration("sip:[2001:db8::10]:5070")
        #expect(parsed.fate == .served)
        #expect(parsed.text(parsed.message.requestURI.host) == "[2001:db8::10]")
        #expect(parsed.message.requestURI.port == 5070)
    }

    @Test func `4.5 received with brackets, which it should not have`() {
        let parsed = request([
            "BYE sip:[2001:db8::10] SIP/2.0", "To: sip:user@example.com;tag=bd76ya",
            "From: sip:user@example.com;tag=81x2",
            "Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111",
            "Call-ID: SSG9559905523997077@hlau_4100", "Max-Forwards: 70", "CSeq: 321 BYE", "Content-Length: 0",
        ])
        #expect(parsed.fate == .forwarded)
        #expect(parsed.text(parsed.message.topVia.branch) == "z9hG4bKas3-111")
    }

    @Test func `4.5 received without brackets, which is how it is answered`() {
        let parsed = request([
            "OPTIONS sip:[2001:db8::10] SIP/2.0", "To: sip:user@example.com", "From: sip:user@example.com;tag=81x2",
            "Via: SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bKas3",
            "Call-ID: SSG95523997077@hlau_4100", "Max-Forwards: 70",
            "Contact: \"Caller\" <sip:caller@[2001:db8::9:1]>", "CSeq: 921 OPTIONS", "Content-Length: 0",
        ])
        #expect(parsed.fate == .served)
        // Whatever a request claims, the server answers what it saw.
        let other = NetworkAddress(high: 0x2001_0DB8 << 32, low: 0x9_0255, port: 5060)
        #expect(
            answer(SIPResponse(.ok), to: parsed, from: other)[1]
                == "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3;received=2001:db8:0:0:0:0:9:255")
        let same = NetworkAddress(high: 0x2001_0DB8 << 32, low: 0x9_0001, port: 5060)
        #expect(
            answer(SIPResponse(.ok), to: parsed, from: same)[1]
                == "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3")
        #expect(ResponseWriter(secret: 0).target(of: parsed.message, from: same.with(port: 9)) == same)
    }

    @Test func `4.6 IPv6 addresses in a session description`() {
        let body = """
            v=0\r
            o=assistant 971731711378798081 0 IN IP6 2001:db8::20\r
            s=Live video feed for today's meeting\r
            c=IN IP6 2001:db8::20\r
            t=3338481189 3370017201\r
            m=audio 6000 RTP/AVP 2\r
            a=rtpmap:2 G726-32/8000\r
            m=video 6024 RTP/AVP 107\r
            a=rtpmap:107 H263-1998/90000\r

            """
        let parsed = request(
            [
                "INVITE sip:user@[2001:db8::10] SIP/2.0", "To: sip:user@[2001:db8::10]",
                "From: sip:user@example.com;tag=81x2", "Via: SIP/2.0/UDP [2001:db8::20];branch=z9hG4bKas3-111",
                "Call-ID: SSG9559905523997077@hlau_4100", "Contact: \"Caller\" <sip:caller@[2001:db8::20]>",
                "CSeq: 8612 INVITE", "Max-Forwards: 70", "Content-Type: application/sdp",
                "Content-Length: \(body.utf8.count)",
            ], body: body)
        #expect(parsed.fate == .forwarded)
        #expect(parsed.text(parsed.message.to.uri.host) == "[2001:db8::10]")
        #expect(parsed.message.body.count == body.utf8.count)
    }

    @Test func `4.7 addresses of both kinds in the headers`() {
        let parsed = request([
            "BYE sip:user@host.example.net SIP/2.0",
            "Via: SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKas3-111",
            "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144",
            "Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200",
            "Call-ID: 997077@lau_4100", "Max-Forwards: 70", "CSeq: 89187 BYE", "To: sip:user@example.net;tag=9817--94",
            "From: sip:user@example.com;tag=81x2", "Content-Length: 0",
        ])
        #expect(parsed.fate == .forwarded)
        #expect(parsed.message.viaCount == 3)
        #expect(parsed.message.topVia.port == 6050)
        #expect(
            parsed.answerLines[2...3] == [
                "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144",
                "Via: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200",
            ])
    }

    @Test func `4.8 addresses of both kinds in a session description`() {
        let body = """
            v=0\r
            o=bob 280744730 28977631 IN IP4 host.example.com\r
            s=\r
            t=0 0\r
            m=audio 22334 RTP/AVP 0\r
            c=IN IP4 192.0.2.1\r
            m=video 6024 RTP/AVP 107\r
            c=IN IP6 2001:db8::1\r
            a=rtpmap:107 H263-1998/90000\r

            """
        let parsed = request(
            [
                "INVITE sip:user@[2001:db8::10] SIP/2.0", "To: sip:user@[2001:db8::10]",
                "From: sip:user@example.com;tag=81x2", "Via: SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111",
                "Call-ID: SSG9559905523997077@hlau_4100", "Contact: \"Caller\" <sip:caller@[2001:db8::9:1]>",
                "Max-Forwards: 70", "CSeq: 8912 INVITE", "Content-Type: application/sdp",
                "Content-Length: \(body.utf8.count)",
            ], body: body)
        #expect(parsed.fate == .forwarded)
        #expect(parsed.message.body.count == body.utf8.count)
    }

    @Test func `4.9 IPv4-mapped IPv6 addresses`() {
        let parsed = request([
            "INVITE sip:user@example.com SIP/2.0", "To: sip:user@example.com",
            "From: sip:user@east.example.com;tag=81x2",
            "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19",
            "Via: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKas3-111", "Call-ID: SSG9559905523997077@hlau_4100",
            "Contact: \"T. desk phone\" <sip:ted@[::ffff:192.0.2.2]>", "CSeq: 612 INVITE", "Max-Forwards: 70",
            "Content-Length: 0",
        ])
        #expect(parsed.fate == .forwarded)
        #expect(parsed.text(parsed.message.topVia.host) == "[::ffff:192.0.2.10]")
        #expect(parsed.message.topVia.port == 19823)
        #expect(parsed.text(parsed.message.contact(0).uri.host) == "[::ffff:192.0.2.2]")
        // It is the address that it maps: nothing was rewritten on the way.
        let mapped = NetworkAddress(ipv4: 0xC000_020A, port: 19823)
        let top = answer(SIPResponse(.methodNotAllowed, extra: .allow), to: parsed, from: mapped)[1]
        #expect(top == "Via: SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19")
    }

    @Test(arguments: ["sip:user@[2001:db8:::192.0.2.1]", "sip:user@[2001:db8::192.0.2.1]"])
    func `4.10 the IPv6 reference bug in the grammar of RFC 3261`(uri: String) {
        let parsed = request([
            "OPTIONS \(uri) SIP/2.0", "To: \(uri)", "From: sip:user@example.com;tag=810x2",
            "Via: SIP/2.0/UDP lab1.east.example.com;branch=z9hG4bKas3-111", "Call-ID: G9559905523997077@hlau_4100",
            "CSeq: 689 OPTIONS", "Max-Forwards: 70", "Content-Length: 0",
        ])
        #expect(parsed.fate == .served)
    }

    @Test(arguments: [
        "[::]", "[::1]", "[1::]", "[1:2:3:4:5:6:7:8]", "[1::8]", "[::2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7::]",
        "[FE80::A:b]", "[1:2:3:4:5:6:192.0.2.1]", "[::192.0.2.1]", "[:::192.0.2.1]", "[1:2:3:4:5::192.0.2.1]",
    ])
    func `what is an IPv6 reference`(host: String) {
        #expect(registration("sip:\(host)").fate == .served)
        #expect(registration("sip:u@\(host):5060;a=b").fate == .served)
    }

    @Test(arguments: [
        "[]", "[:]", "[:::]", "[1]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4::5:6:7:8]", "[1::2::3]",
        "[12345::]", "[g::]", "[1:]", "[:1::]", "[1::2:]", "[2001:db8:::1]", "[::::192.0.2.1]",
        "[1:2:3:4:5:6:7:1.2.3.4]",
        "[1.2.3.4]", "[::1.2.3]", "[::1.2.3.256]", "[::1.2.3.4:5]", "[fe80::1%eth0]", "[fe80::1%25eth0]", "[::1",
        "::1]",
        "[[::1]]", "[::1]]", "[::1]5060", "[::1]:", "[::1]:0", "[::1]:65536", "[ ::1]", "x[::1]", "[::1]x", "[v1.x]",
    ])
    func `what is no IPv6 reference, with a zone or other brackets`(host: String) {
        #expect(registration("sip:\(host)").fault == .requestURI)
        #expect(register("<sip:1001@\(host)>").fault == .contact)
        // Without a host there is nowhere to answer to.
        let lines = ["OPTIONS sip:a SIP/2.0", "Via: SIP/2.0/UDP \(host);branch=a", "CSeq: 1 OPTIONS"]
        if ["[::1]]", "[::1]5060", "x[::1]", "[::1]x"].contains(host) {
            #expect(request(lines).fault == .via)
        } else {
            #expect(request(lines).fate == .dropped)
        }
    }

    @Test func `a contact's IPv6 address may be written in other ways when it is refreshed`() {
        var registrar = Registrar(dnCount: 1)
        registrar.take(register("<sip:1001@[2001:db8::9:1]>", cseq: 1))
        registrar.take(register("<sip:1001@[2001:DB8:0:0::0009:1]>", cseq: 2))
        #expect(registrar.bindingCount == 1)
        registrar.take(register("<sip:1001@[2001:db8::9:2]>", cseq: 3))
        #expect(registrar.bindingCount == 2)
    }
}
