import ClusterModel
import SIPCore
import Testing

/// RFC 4475 sections 3.2, 3.3 but for what a registrar stores, and 3.4.
@Suite struct SemanticsTests {
    /// No transaction is looked up by its branch here, so the older way of telling transactions apart does as well.
    @Test func `3.2.1 a missing transaction identifier`() {
        let parsed = torture(
            262,
            """
            OPTIONS sip:user@example.com SIP/2.0
            To: sip:user@example.com
            From: sip:caller@example.org;tag=33242
            Max-Forwards: 3
            Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK
            Accept: application/sdp
            Call-ID: badbranch.sadonfo23i420jv0as0derf3j3n
            CSeq: 8 OPTIONS
            l: 0
            """)
        #expect(parsed.fate == .served)
        #expect(parsed.text(parsed.message.topVia.branch) == "z9hG4bK")
    }

    @Test func `3.3.1 missing required header fields`() {
        let parsed = torture(
            304,
            """
            INVITE sip:user@example.com SIP/2.0
            CSeq: 193942 INVITE
            Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf
            Content-Type: application/sdp
            l: 152
            """, body: session(at: "192.0.2.95"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(
            parsed.answerLines == [
                "SIP/2.0 400 Bad From", "Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf;received=10.0.0.1",
                "CSeq: 193942 INVITE", "Content-Length: 0",
            ])
    }

    @Test func `3.3.2 a Request-URI with an unknown scheme`() {
        let parsed = torture(
            291,
            """
            OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0
            To: sip:user@example.com
            From: sip:caller@example.net;tag=384
            Max-Forwards: 3
            Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34
            CSeq: 3923423 OPTIONS
            Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
            Content-Length: 0
            """)
        #expect(parsed.outcome == .request)
        #expect(parsed.fate == .answered(.unsupportedScheme))
    }

    @Test func `3.3.3 a Request-URI with a known but atypical scheme`() {
        let parsed = torture(
            277,
            """
            OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0
            To: sip:user@example.com
            From: sip:caller@example.net;tag=384
            Max-Forwards: 3
            Call-ID: novelsc.asdfasser0q239nwsdfasdkl34
            CSeq: 3923423 OPTIONS
            Via: SIP/2.0/TCP host9.example.com;branch=z9hG4bKkdjuw39234
            Content-Length: 0
            """)
        #expect(parsed.outcome == .request)
        #expect(parsed.fate == .answered(.unsupportedScheme))
    }

    /// Proxy-Require is for proxies; who answers OPTIONS looks at Require only (RFC 3261 section 20.29).
    @Test func `3.3.5 Proxy-Require and Require`() {
        let parsed = torture(
            381,
            """
            OPTIONS sip:user@example.com SIP/2.0
            To: sip:j_user@example.com
            From: sip:caller@example.net;tag=242etr
            Max-Forwards: 6
            Call-ID: bext01.0ha0isndaksdj
            Require: nothingSupportsThis, nothingSupportsThisEither
            Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis
            CSeq: 8 OPTIONS
            Via: SIP/2.0/TLS fold-and-staple.example.com;branch=z9hG4bKkdjuw
            Content-Length: 0
            """)
        #expect(parsed.fate == .answered(.badExtension))
        #expect(
            parsed.answerLines.filter { $0.hasPrefix("Unsupported") } == [
                "Unsupported: nothingSupportsThis", "Unsupported: nothingSupportsThisEither",
            ])
    }

    @Test func `3.3.6 an unknown content type`() {
        let parsed = torture(
            391,
            """
            INVITE sip:user@example.com SIP/2.0
            Contact: <sip:caller@host5.example.net>
            To: sip:j.user@example.com
            From: sip:caller@example.net;tag=8392034
            Max-Forwards: 70
            Call-ID: invut.0ha0isndaksdjadsfij34n23d
            CSeq: 235448 INVITE
            Via: SIP/2.0/UDP somehost.example.com;branch=z9hG4bKkdjuw
            Content-Type: application/unknownformat
            Content-Length: 40
            """,
            body: """
                <audio>
                 <pcmu port="443"/>
                </audio>

                """)
        #expect(parsed.fate == .forwarded)
        #expect(parsed.message.body.count == 40)
    }

    @Test func `3.3.8 several values where one may stand`() {
        let parsed = torture(
            643,
            """
            INVITE sip:user@company.com SIP/2.0
            Contact: <sip:caller@host25.example.net>
            Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw
            Max-Forwards: 70
            CSeq: 5 INVITE
            Call-ID: multi01.98asdh@192.0.2.1
            CSeq: 59 INVITE
            Call-ID: multi01.98asdh@192.0.2.2
            From: sip:caller@example.com;tag=3413415
            To: sip:user@example.com
            To: sip:other@example.net
            From: sip:caller@example.net;tag=2923420123
            Content-Type: application/sdp
            l: 154
            Contact: <sip:caller@host36.example.net>
            Max-Forwards: 5
            """, body: session(at: "192.0.2.25") + "\n")
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .repeatedHeader)
        #expect(parsed.answerLines.filter { $0.hasPrefix("CSeq:") } == ["CSeq: 5 INVITE"])
    }

    @Test func `3.3.9 several values of Content-Length`() {
        let parsed = torture(
            382,
            """
            OPTIONS sip:user@example.com SIP/2.0
            Via: SIP/2.0/UDP host5.example.net;branch=z9hG4bK293423
            To: sip:user@example.com
            From: sip:other@example.net;tag=3923942
            Call-ID: mcl01.fhn2323orihawfdoa3o4r52o3irsdf
            CSeq: 15932 OPTIONS
            Content-Length: 13
            Max-Forwards: 60
            Content-Length: 5
            Content-Type: text/plain
            """, body: "There's no way to know how many octets are supposed to be here.\n\n")
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .repeatedHeader)
    }

    @Test func `3.3.10 a response with a broadcast address in its second Via`() {
        let parsed = torture(
            516,
            """
            SIP/2.0 200 OK
            Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
            Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23
            Call-ID: bcast.0384840201234ksdfak3j2erwedfsASdf
            CSeq: 35 INVITE
            From: sip:user@example.com;tag=11141343
            To: sip:user@example.edu;tag=2229
            Content-Length: 154
            Content-Type: application/sdp
            Contact: <sip:user@host28.example.com>
            """, body: session(at: "192.0.2.198"))
        #expect(parsed.fate == .dropped)
    }

    /// It is for this server itself, which forwards nothing: only who forwards answers 483.
    @Test func `3.3.11 a Max-Forwards of zero`() {
        let parsed = torture(
            272,
            """
            OPTIONS sip:user@example.com SIP/2.0
            To: sip:user@example.com
            From: sip:caller@example.net;tag=3ghsd41
            Call-ID: zeromf.jfasdlfnm2o2l43r5u0asdfas
            CSeq: 39234321 OPTIONS
            Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw2349i
            Max-Forwards: 0
            Content-Length: 0
            """)
        #expect(parsed.fate == .served)
        #expect(parsed.message.maxForwards == 0)
    }

    @Test func `3.3.15 an Accept that no session description fits`() {
        let parsed = torture(
            494,
            """
            INVITE sip:user@example.com SIP/2.0
            To: sip:j_user@example.com
            Contact: <sip:caller@host15.example.net>
            From: sip:caller@example.net;tag=234
            Max-Forwards: 5
            Call-ID: sdp01.ndaksdj9342dasdd
            Accept: text/nobodyKnowsThis
            CSeq: 8 INVITE
            Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw
            Content-Length: 150
            Content-Type: application/sdp
            """, body: session(at: "192.0.2.5"))
        #expect(parsed.fate == .forwarded)
    }

    @Test func `3.4.1 an INVITE with the syntax of RFC 2543`() {
        let parsed = torture(
            445,
            """
            INVITE sip:UserB@example.com SIP/2.0
            Via: SIP/2.0/UDP iftgw.example.com
            From: <sip:+13035551111@ift.client.example.net;user=phone>
            Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>
            To: sip:+16505552222@ss1.example.net;user=phone
            Call-ID: inv2543.1717@ift.client.example.com
            CSeq: 56 INVITE
            Content-Type: application/sdp
            """,
            body: """
                v=0
                o=mhandley 29739 7272939 IN IP4 192.0.2.5
                s=-
                c=IN IP4 192.0.2.5
                t=0 0
                m=audio 49217 RTP/AVP 0

                """)
        #expect(parsed.fate == .forwarded)
        let message = parsed.message
        #expect(message.topVia.branch.isEmpty && message.from.tag.isEmpty && message.maxForwards == nil)
        #expect(message.body.upper == parsed.bytes.count)
    }
}
