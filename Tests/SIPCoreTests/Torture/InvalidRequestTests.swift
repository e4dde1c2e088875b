import ClusterModel
import SIPCore
import Testing

/// RFC 4475 sections 3.1.2.1 to 3.1.2.11: separators, lengths, quotes and Request-URIs.
@Suite struct InvalidRequestTests {
    @Test func `3.1.2.1 extraneous header field separators`() {
        let parsed = torture(
            472,
            """
            INVITE sip:user@example.com SIP/2.0
            To: sip:j.user@example.com
            From: sip:caller@example.net;tag=134161461246
            Max-Forwards: 7
            Call-ID: badinv01.0ha0isndaksdjasdf3234nas
            CSeq: 8 INVITE
            Via: SIP/2.0/UDP 192.0.2.15;;,;,,
            Contact: "Joe" <sip:joe@example.org>;;;;
            Content-Length: 152
            Content-Type: application/sdp
            """, body: session(at: "192.0.2.15"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .via)
        // What is wrong with the Via is not sent back.
        #expect(parsed.answerLines[0...1] == ["SIP/2.0 400 Bad Via", "Via: SIP/2.0/UDP 192.0.2.15;received=10.0.0.1"])
        #expect(parsed.answerLines.filter { $0.hasPrefix("Via") }.count == 1)
    }

    @Test func `3.1.2.2 a content length larger than the message`() {
        let parsed = torture(
            498,
            """
            INVITE sip:user@example.com SIP/2.0
            Max-Forwards: 80
            To: sip:j.user@example.com
            From: sip:caller@example.net;tag=93942939o2
            Contact: <sip:caller@hungry.example.net>
            Call-ID: clerr.0ha0isndaksdjweiafasdk3
            CSeq: 8 INVITE
            Via: SIP/2.0/UDP host5.example.com;branch=z9hG4bK-39234-23523
            Content-Type: application/sdp
            Content-Length: 9999
            """, body: session(at: "192.0.2.155"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .contentLength)
    }

    @Test(arguments: [("-999", 486), ("five", 486), ("+150", 486), ("15 0", 486), ("0x96", 486), ("", 482)])
    func `3.1.2.3 a negative content length`(length: String, size: Int) {
        let parsed = torture(
            size,
            """
            INVITE sip:user@example.com SIP/2.0
            Max-Forwards: 254
            To: sip:j.user@example.com
            From: sip:caller@example.net;tag=32394234
            Call-ID: ncl.0ha0isndaksdj2193423r542w35
            CSeq: 0 INVITE
            Via: SIP/2.0/UDP 192.0.2.53;branch=z9hG4bKkdjuw
            Contact: <sip:caller@example53.example.net>
            Content-Type: application/sdp
            Content-Length: \(length)
            """, body: session(at: "192.0.2.53"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .contentLength)
    }

    @Test func `3.1.2.4 request scalar fields with overlarge values`() {
        func registration(_ size: Int, cseq: String, hops: String) -> Parsed {
            torture(
                size,
                """
                REGISTER sip:example.com SIP/2.0
                Via: SIP/2.0/TCP host129.example.com;branch=z9hG4bK342sdfoi3
                To: <sip:user@example.com>
                From: <sip:user@example.com>;tag=239232jh3
                CSeq: \(cseq) REGISTER
                Call-ID: scalar02.23o0pd9vanlq3wnrlnewofjas9ui32
                Max-Forwards: \(hops)
                Expires: 1\(times(100, "0"))
                Contact: <sip:user@host129.example.com>
                  ;expires=280297596632815
                Content-Length: 0
                """)
        }
        #expect(registration(476, cseq: "36893488147419103232", hops: "300").fate == .answered(.badRequest))
        #expect(registration(475, cseq: "36893488147419103232", hops: "70").fault == .cseq)
        #expect(registration(457, cseq: "1", hops: "300").fault == .maxForwards)
        // An expiry by itself is no error: it is longer than any that is granted.
        let longest = registration(456, cseq: "1", hops: "70")
        #expect(longest.fate == .served)
        var registrar = Registrar(dnCount: 1)
        registrar.take(longest)
        #expect(registrar.answer(longest).contains("Contact: <sip:user@host129.example.com>;expires=3600\r\n"))
    }

    @Test func `3.1.2.5 response scalar fields with overlarge values`() {
        let parsed = torture(
            385,
            """
            SIP/2.0 503 Service Unavailable
            Via: SIP/2.0/TCP host129.example.com\
            ;branch=z9hG4bKzzxdiwo34sw\
            ;received=192.0.2.129
            To: <sip:user@example.com>
            From: <sip:other@example.net>;tag=2easdjfejw
            CSeq: 9292394834772304023312 OPTIONS
            Call-ID: scalarlg.noase0of0234hn2qofoaf0232aewf2394r
            Retry-After: 949302838503028349304023988
            Warning: 1812 overture "In Progress"
            Content-Length: 0
            """)
        #expect(parsed.fate == .dropped)
    }

    @Test(arguments: [
        ("\"Mr. J. User <sip:j.user@example.com>", 485),
        ("\"Mr J. User <sip:j.user@example.com> <sip:realj@example.net>", 508),
    ])
    func `3.1.2.6 an unterminated quoted string in a display name`(to: String, size: Int) {
        let parsed = torture(
            size,
            """
            INVITE sip:user@example.com SIP/2.0
            To: \(to)
            From: sip:caller@example.net;tag=93334
            Max-Forwards: 10
            Call-ID: quotbal.aksdj
            Contact: <sip:caller@host59.example.net>
            CSeq: 8 INVITE
            Via: SIP/2.0/UDP 192.0.2.59:5050;branch=z9hG4bKkdjuw39234
            Content-Type: application/sdp
            Content-Length: 152
            """, body: session(at: "192.0.2.15"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .to)
    }

    @Test func `3.1.2.7 angle brackets around the Request-URI`() {
        let parsed = torture(
            452,
            """
            INVITE <sip:user@example.com> SIP/2.0
            To: sip:user@example.com
            From: sip:caller@example.net;tag=39291
            Max-Forwards: 23
            Call-ID: ltgtruri.1@192.0.2.5
            CSeq: 1 INVITE
            Via: SIP/2.0/UDP 192.0.2.5
            Contact: <sip:caller@host5.example.net>
            Content-Type: application/sdp
            Content-Length: 159
            """, body: session(at: "192.0.2.5", time: "3149328700 0"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .requestURI)
    }

    @Test func `3.1.2.8 white space in the Request-URI`() {
        let parsed = torture(
            541,
            """
            INVITE sip:user@example.com; lr SIP/2.0
            To: sip:user@example.com;tag=3xfe-9921883-z9f
            From: sip:caller@example.net;tag=231413434
            Max-Forwards: 5
            Call-ID: lwsruri.asdfasdoeoi2323-asdfwrn23-asd834rk423
            CSeq: 2130706432 INVITE
            Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKkdjuw2395
            Contact: <sip:caller@host1.example.net>
            Content-Type: application/sdp
            Content-Length: 159
            """, body: session(at: "192.0.2.1", time: "3149328700 0"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .requestURI)
    }

    @Test func `3.1.2.9 several spaces between the elements of the request line`() {
        let parsed = torture(
            506,
            """
            INVITE  sip:user@example.com  SIP/2.0
            Max-Forwards: 8
            To: sip:user@example.com
            From: sip:caller@example.net;tag=8814
            Call-ID: lwsstart.dfknq234oi243099adsdfnawe3@example.com
            CSeq: 1893884 INVITE
            Via: SIP/2.0/UDP host1.example.com;branch=z9hG4bKkdjuw3923
            Contact: <sip:caller@host1.example.net>
            Content-Type: application/sdp
            Content-Length: 150
            """, body: session(at: "192.0.2.1"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .requestURI)
    }

    @Test func `3.1.2.10 spaces at the end of the request line`() {
        let parsed = torture(
            327,
            """
            OPTIONS sip:remote-target@example.com SIP/2.0\u{20}\u{20}
            Via: SIP/2.0/TCP host1.examle.com;branch=z9hG4bK299342093
            To: <sip:remote-target@example.com>
            From: <sip:local-resource@example.com>;tag=329429089
            Call-ID: trws.oicu34958239neffasdhr2345r
            Accept: application/sdp
            CSeq: 238923 OPTIONS
            Max-Forwards: 70
            Content-Length: 0
            """)
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .requestLine)
    }

    @Test func `3.1.2.11 escaped headers in the Request-URI`() {
        let parsed = torture(
            550,
            """
            INVITE sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0
            To: sip:user@example.com
            From: sip:caller@example.net;tag=341518
            Max-Forwards: 7
            Contact: <sip:caller@host39923.example.net>
            Call-ID: escruri.23940-asdfhj-aje3br-234q098w-fawerh2q-h4n5
            CSeq: 149209342 INVITE
            Via: SIP/2.0/UDP host-of-the-hour.example.com;branch=z9hG4bKkdjuw
            Content-Type: application/sdp
            Content-Length: 150
            """, body: session(at: "192.0.2.1"))
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .requestURI)
    }
}
