import ClusterModel
import SIPCore
import Testing

/// The messages of RFC 4475 that a registrar meets, and the syntax of others put into a REGISTER or OPTIONS.
@Suite struct TortureTests {
    @Test func `3.1.1.1 a short tortuous request`() {
        let parsed = request(
            [
                "OPTIONS sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0", "TO :",
                " sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n",
                "from   : \"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>", "  ;", "  tag = 98asjd8",
                "MaX-fOrWaRdS: 0068", "Call-ID: wsinv.ndaksdj@192.0.2.1", "Content-Length   : 150", "cseq: 0009",
                "  OPTIONS", "Via  : SIP  /   2.0", " /UDP", "    192.0.2.2;branch=390skdjuw", "s :",
                "NewFangledHeader:   newfangled value", " continued newfangled value",
                "UnknownHeaderWithUnusualValue: ;;,,;;,;", "Content-Type: application/sdp",
                "Route:", " <sip:services.example.com;lr;unknownwith=value;unknown-no-value>",
                "v:  SIP  / 2.0  / TCP     spindle.example.com   ;", "  branch  =   z9hG4bK9ikj8  ,",
                " SIP  /    2.0   / UDP  192.168.255.111   ; branch=", " z9hG4bK30239",
                "m:\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =", "      newvalue ;",
                "  secondparam ; q = 0.33",
            ], body: String(repeating: "x", count: 150))
        #expect(parsed.outcome == .request)
        #expect(parsed.message.viaCount == 3)
        #expect(parsed.text(parsed.message.to.tag) == "1918181833n")
        #expect(parsed.text(parsed.message.from.tag) == "98asjd8")
        #expect(parsed.text(parsed.message.from.uri.user) == "jdrosen")
        #expect(parsed.message.maxForwards == 68)
        #expect(parsed.message.cseq == 9)
        #expect(parsed.message.contact(0).quality == 330)
        #expect(parsed.text(parsed.message.topVia.branch) == "390skdjuw")
    }

    private func registration(_ replacements: [String: String], method: String = "REGISTER") -> Parsed {
        let headers = [
            ("Line", "\(method) sip:example.com SIP/2.0"), ("To", "sip:user@example.com"),
            ("From", "sip:user@example.com;tag=3l23"), ("Max-Forwards", "70"), ("Call-ID", "torture.j2k3l2j23"),
            ("CSeq", "1 \(method)"), ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw"),
            ("Contact", "<sip:user@host.example.com>"),
        ]
        return request(
            headers.map { name, value in
                name == "Line" ? replacements[name] ?? value : "\(name): \(replacements[name] ?? value)"
            })
    }

    @Test func `3.1.1.4 escaped nulls are characters like others`() {
        let parsed = registration([
            "To": "sip:null-%00-null@example.com",
            "Contact": "<sip:%00@host5.example.com>\r\nContact: <sip:%00%00@host5.example.com>",
        ])
        #expect(parsed.outcome == .request)
        #expect(parsed.message.contactCount == 2)
        #expect(parsed.message.to.uri.dn(in: parsed.bytes.span) == nil)
        var registrar = Registrar(dnCount: 1)
        registrar.take(parsed)
        #expect(registrar.bindingCount == 2)
    }

    @Test func `3.1.1.5 a percent sign is no escape in a method`() {
        let parsed = registration([:], method: "RE%47IST%45R")
        #expect(parsed.outcome == .request)
        #expect(parsed.message.disposition == .answer(SIPResponse(.notImplemented)))
    }

    @Test func `3.1.1.6 no space between display name and bracket`() {
        let parsed = registration(["From": "caller<sip:caller@example.com>;tag=323"], method: "OPTIONS")
        #expect(parsed.outcome == .request)
        #expect(parsed.text(parsed.message.from.uri.user) == "caller")
    }

    @Test func `3.1.1.8 what follows Content-Length is ignored`() {
        let one = String(decoding: registration([:]).bytes, as: UTF8.self)
        let first = one.dropLast() + "Content-Length: 0\r\n\r\n"
        #expect(Parsed(first + "INVITE sip:joe@example.com SIP/2.0\r\n\r\n").outcome == .request)
    }

    @Test func `3.1.1.9 semicolons may stand in a user part`() {
        let parsed = registration(
            ["Line": "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0"], method: "OPTIONS")
        #expect(parsed.outcome == .request)
        #expect(parsed.text(parsed.message.requestURI.user) == "user;par=u%40example.net")
        #expect(parsed.text(parsed.message.requestURI.host) == "example.com")
    }

    @Test func `3.1.1.10 transports that nobody knows`() {
        let parsed = registration([
            "Via": "SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw\r\nVia: SIP/2.0/SCTP t2.example.com;branch=a\r\n"
                + "Via: SIP/2.0/TLS t3.example.com;branch=b\r\nVia: SIP/2.0/UNKNOWN t4.example.com;branch=c\r\n"
                + "Via: SIP/2.0/TCP t5.example.com;branch=d"
        ])
        #expect(parsed.outcome == .request)
        #expect(parsed.message.viaCount == 5)
    }

    @Test func `3.1.2 invalid requests are refused`() {
        #expect(registration(["Contact": "\"Joe\" <sip:joe@example.org>;;;;"]).fault == .contact)
        #expect(registration(["Via": "SIP/2.0/UDP 192.0.2.15;;,;,,"]).outcome == .notSIP)
        #expect(registration(["CSeq": "36893488147419103232 REGISTER"]).fault == .cseq)
        #expect(registration(["Max-Forwards": "300"]).fault == .maxForwards)
        #expect(registration(["To": "\"Mr. J. User <sip:j.user@example.com>"]).fault == .to)
        #expect(registration(["Line": "REGISTER <sip:user@example.com> SIP/2.0"]).fault == .requestURI)
        #expect(registration(["Line": "REGISTER sip:user@example.com; lr SIP/2.0"]).fault == .requestURI)
        #expect(registration(["Line": "REGISTER  sip:user@example.com  SIP/2.0"]).fault == .requestURI)
        #expect(registration(["Line": "REGISTER sip:user@example.com SIP/2.0  "]).fault == .requestLine)
        #expect(registration(["Line": "REGISTER sip:user@example.com?Route=%3Csip:a%3E SIP/2.0"]).fault == .requestURI)
        #expect(registration(["To": "\"Watson, Thomas\" < sip:t.watson@example.org >"]).fault == .to)
        #expect(registration(["From": "Bell, Alexander <sip:a.g.bell@example.com>;tag=43"]).fault == .from)
        #expect(registration(["Line": "OPTIONS sip:t.watson@example.org SIP/7.0"]).fault == .version)
        #expect(registration(["CSeq": "8 INVITE"], method: "OPTIONS").fault == .cseqMethod)
        #expect(registration(["CSeq": "8 INVITE"], method: "NEWMETHOD").fault == .cseqMethod)
    }

    @Test func `3.2.1 a branch without a transaction identifier`() {
        #expect(registration(["Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK"], method: "OPTIONS").outcome == .request)
    }

    @Test func `3.3.1 a request without Call-ID, From and To`() {
        let parsed = request([
            "OPTIONS sip:user@example.com SIP/2.0", "CSeq: 193942 OPTIONS", "Via: SIP/2.0/UDP 192.0.2.95",
        ])
        #expect(parsed.outcome == .refused(SIPResponse(.from)))
    }

    @Test func `3.3.4 unknown schemes in To and Contact`() {
        let parsed = registration(["To": "isbn:2983792873", "Contact": "<name:John_Smith>"])
        #expect(parsed.outcome == .request)
        #expect(parsed.message.to.uri.scheme == .other)
        #expect(Registrar(dnCount: 1).plan(parsed) == .reject(SIPResponse(.contactScheme)))
    }

    @Test func `3.3.8 and 3.3.9 single headers given twice`() {
        #expect(registration(["CSeq": "5 REGISTER\r\nCSeq: 59 REGISTER"]).fault == .repeatedHeader)
        #expect(registration(["Call-ID": "a\r\ni: b"]).fault == .repeatedHeader)
        #expect(registration(["Max-Forwards": "70\r\nContent-Length: 0\r\nl: 0"]).fault == .repeatedHeader)
    }

    @Test func `3.3.11 OPTIONS that may go no further is for us`() {
        let parsed = registration(["Max-Forwards": "0"], method: "OPTIONS")
        #expect(parsed.message.maxForwards == 0)
        #expect(parsed.message.disposition == .options)
    }

    @Test func `3.3.12 to 3.3.14 parameters and headers inside and outside of brackets`() {
        let outside = registration(["Contact": "sip:+19725552222@gw1.example.net;unknownparam"])
        #expect(outside.text(outside.message.contact(0).uri.whole) == "sip:+19725552222@gw1.example.net")
        let inside = registration(["Contact": "<sip:+19725552222@gw1.example.net;unknownparam>"])
        #expect(inside.text(inside.message.contact(0).uri.parameters) == ";unknownparam")
        let headers = registration(["Contact": "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"])
        #expect(headers.text(headers.message.contact(0).uri.headers) == "Route=%3Csip:sip.example.com%3E")
        #expect(registration(["Contact": "sip:user@example.com?Route=%3Csip:sip.example.com%3E"]).fault == .contact)
    }
}
