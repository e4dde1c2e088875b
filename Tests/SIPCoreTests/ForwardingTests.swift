import ClusterModel
import SIPCore
import Testing

/// What goes on to the next hop, byte by byte (RFC 3261 sections 16.6 and 16.7).
@Suite struct ForwardingTests {
    private let hop: Hop = {
        var hop = Hop()
        hop.uri = Array("sip:1002@10.0.0.2:5080".utf8)
        hop.sentBy = Array("192.0.2.1:5060".utf8)
        hop.branch = Array("z9hG4bKours".utf8)
        return hop
    }()

    private func forwarded(_ parsed: Parsed, _ hop: Hop, from source: NetworkAddress = phone) -> [String] {
        #expect(parsed.outcome == .request, "\(parsed.outcome)")
        var output = Array("before".utf8)
        MessageForwarder().write(parsed.message, in: parsed.bytes.span, from: source, over: hop, into: &output)
        return lines(output)
    }

    private func forwardedResponse(_ text: String) -> [String] {
        let parsed = Parsed(text)
        guard case .response = parsed.outcome else {
            Issue.record("no response: \(parsed.outcome)")
            return []
        }
        var output = Array("before".utf8)
        MessageForwarder().write(parsed.message, in: parsed.bytes.span, into: &output)
        return lines(output)
    }

    /// What stands behind `before`, as lines.
    private func lines(_ output: [UInt8]) -> [String] {
        let text = String(decoding: output, as: UTF8.self)
        #expect(text.hasPrefix("before"))
        return text.dropFirst(6).split(separator: "\r\n" as Character, omittingEmptySubsequences: false).map(
            String.init)
    }

    private func invite(_ more: String..., maxForwards: String = "Max-Forwards: 70") -> Parsed {
        request(
            [
                "INVITE sip:1002@cc.example.com SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1:5066;rport;branch=z9hG4bK776",
                maxForwards, "From: <sip:1001@cc.example.com>;tag=a1", "To: <sip:1002@cc.example.com>",
                "Call-ID: call-1", "CSeq: 1 INVITE",
            ].filter { !$0.isEmpty } + more + ["Content-Length: 4"], body: "v=0\nrest")
    }

    @Test func `an INVITE goes on with our Via, one hop less, and everything else as it was`() {
        var hop = hop
        hop.recordRoute = Array("<sip:192.0.2.1;lr>".utf8)
        hop.routes = Array("<sip:edge.example.com;lr>".utf8)
        #expect(
            forwarded(invite("X-Unknown:  kept , as it is", "Via: SIP/2.0/TCP far"), hop) == [
                "INVITE sip:1002@10.0.0.2:5080 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours",
                "Record-Route: <sip:192.0.2.1;lr>", "Route: <sip:edge.example.com;lr>",
                "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bK776;received=10.0.0.1;rport=5066", "Max-Forwards: 69",
                "From: <sip:1001@cc.example.com>;tag=a1", "To: <sip:1002@cc.example.com>", "Call-ID: call-1",
                "CSeq: 1 INVITE", "X-Unknown:  kept , as it is", "Via: SIP/2.0/TCP far", "Content-Length: 4", "",
                "v=0\n",
            ])
    }

    @Test func `what is missing is added`() {
        let parsed = Parsed(
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: c\r\n"
                + "CSeq: 1 INVITE\r\n\r\nbody")
        var hop = hop
        hop.uri = []
        hop.transport = .tcp
        #expect(
            forwarded(parsed, hop) == [
                "INVITE sip:a@b SIP/2.0", "Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKours", "Max-Forwards: 70",
                "Via: SIP/2.0/UDP h;received=10.0.0.1", "From: <sip:a@b>;tag=1", "To: <sip:a@b>", "Call-ID: c",
                "CSeq: 1 INVITE", "Content-Length: 4", "", "body",
            ])
    }

    @Test(
        arguments: [
            (["Route: <sip:us;lr>"], []), (["Route: <sip:us;lr>, <sip:next;lr>"], ["Route: <sip:next;lr>"]),
            (["Route: <sip:us;lr>", "Route: <sip:next;lr>"], ["Route: <sip:next;lr>"]),
            (["Route: \"a, b\" <sip:us;lr>;x=\"<,>\",<sip:n>"], ["Route: <sip:n>"]),
        ] as [([String], [String])])
    func `our own Route is taken away, others stay`(came: [String], goes: [String]) {
        var hop = hop
        hop.consumedRoutes = 1
        let parsed = request(
            [
                "BYE sip:1002@10.0.0.2 SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1:5066", "From: <sip:1001@b>;tag=a1",
            ] + came + ["To: <sip:1002@b>;tag=2", "Call-ID: call-1", "CSeq: 2 BYE", "Content-Length: 0"])
        #expect(parsed.text(parsed.message.topRoute.uri.whole) == "sip:us;lr")
        #expect(forwarded(parsed, hop).filter { $0.hasPrefix("Route") } == goes)
        hop.consumedRoutes = 0
        #expect(forwarded(parsed, hop).filter { $0.hasPrefix("Route") } == came)
    }

    @Test func `bad Routes and too many are refused`() {
        #expect(invite("Route: <mailto:a@b>").fault == .route)
        #expect(invite("Route: <sip:a").fault == .route)
        #expect(invite("Route:").fault == .route)
        let routes = { (count: Int) in (0..<count).map { "<sip:r\($0);lr>" }.joined(separator: ", ") }
        #expect(invite("Route: " + routes(20)).message.routeCount == 20)
        #expect(invite("Route: " + routes(21)).fault == .routeCount)
        #expect(invite("Proxy-Require: a, b").message.proxyRequireCount == 2)
        #expect(invite("Proxy-Authorization : Digest a=b").message.proxyAuthorizationCount == 1)
    }

    @Test func `what stands before a colon is a name, or the request goes nowhere`() {
        for line in ["\rMax-Forwards: 40", "Sub ject: a", "Subj\u{0}ct: a", "\"a\": b", "<a>: b", "é: b"] {
            #expect(invite(line).fault == .header, "\(line)")
        }
        #expect(invite("extensionHeader-!.%*+_`'~ : a").fault == nil)
    }

    @Test func `folds, stray carriage returns and bare line feeds do not go on`() {
        let parsed = Parsed(
            "INVITE sip:a@b SIP/2.0\nVia: SIP/2.0/UDP\r\n h ;rport\r\nFrom: <sip:a@b>\r\n ;tag=1\nTo: <sip:a@b>\r\n"
                + "Subject: one\rtwo\r\r\n\tthree\r\nCall-ID: c\r\nCSeq: 1 INVITE\nContent-Length: 3\r\n\r\n\r\n ")
        #expect(
            forwarded(parsed, hop) == [
                "INVITE sip:1002@10.0.0.2:5080 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKours",
                "Max-Forwards: 70", "Via: SIP/2.0/UDP   h ;received=10.0.0.1;rport=5066",
                "From: <sip:a@b>   ;tag=1", "To: <sip:a@b>", "Subject: one two   \tthree", "Call-ID: c",
                "CSeq: 1 INVITE", "Content-Length: 3", "", "", " ",
            ])
    }

    @Test(
        arguments: [
            (["Via: SIP/2.0/UDP ours;branch=z9hG4bKx", "Via: SIP/2.0/UDP theirs"], ["Via: SIP/2.0/UDP theirs"]),
            (["v:SIP/2.0/UDP ours, SIP/2.0/UDP theirs , SIP/2.0/TCP far"], ["v: SIP/2.0/UDP theirs , SIP/2.0/TCP far"]),
            (["Via: SIP/2.0/UDP ours"], []),
        ] as [([String], [String])])
    func `a response goes on without our Via`(came: [String], goes: [String]) {
        let rest = ["From: <sip:a@b>;tag=1", "To: <sip:a@b>;tag=2", "Call-ID: c", "CSeq: 1 INVITE"]
        let text = (["", "SIP/2.0 180 Ringing, really"] + came + rest + ["l: 0", "", "left over"]).joined(
            separator: "\r\n")
        #expect(forwardedResponse(text) == ["SIP/2.0 180 Ringing, really"] + goes + rest + ["l: 0", "", ""])
    }

    @Test func `who adds a Via and takes it away has what there was`() {
        let first = invite("Via: SIP/2.0/TCP far, SIP/2.0/UDP farther")
        let out = forwarded(first, hop)
        let vias = out.filter { $0.hasPrefix("Via") }
        let back = forwardedResponse(
            (["SIP/2.0 200 OK"] + vias + [
                "From: <sip:a@b>;tag=1", "To: <sip:a@b>;tag=2", "Call-ID: c", "CSeq: 1 INVITE",
            ])
            .joined(separator: "\r\n") + "\r\n\r\n")
        #expect(back.filter { $0.hasPrefix("Via") } == Array(vias.dropFirst()))
        #expect(back.suffix(3) == ["Content-Length: 0", "", ""])
    }
}
