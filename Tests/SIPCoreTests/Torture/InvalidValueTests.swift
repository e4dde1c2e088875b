import ClusterModel
import SIPCore
import Testing

/// RFC 4475 sections 3.1.2.12 to 3.1.2.19: dates, addresses, versions and methods.
@Suite struct InvalidValueTests {
    @Test func `3.1.2.12 an invalid time zone in a Date that nobody here reads`() {
        let parsed = torture(
            532,
            """
            INVITE sip:user@example.com SIP/2.0
            To: sip:user@example.com
            From: sip:caller@example.net;tag=2234923
            Max-Forwards: 70
            Call-ID: baddate.239423mnsadf3j23lj42--sedfnm234
            CSeq: 1392934 INVITE
            Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
            Date: Fri, 01 Jan 2010 16:00:00 EST
            Contact: <sip:caller@host5.example.net>
            Content-Type: application/sdp
            Content-Length: 150
            """, body: session(at: "192.0.2.5"))
        #expect(parsed.fate == .forwarded)
    }

    @Test func `3.1.2.13 a contact with headers and without brackets`() {
        let parsed = torture(
            307,
            """
            REGISTER sip:example.com SIP/2.0
            To: sip:user@example.com
            From: sip:user@example.com;tag=998332
            Max-Forwards: 70
            Call-ID: regbadct.k345asrl3fdbv@10.0.0.1
            CSeq: 1 REGISTER
            Via: SIP/2.0/UDP 135.180.130.133:5060;branch=z9hG4bKkdjuw
            Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E
            l: 0
            """)
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .contact)
    }

    @Test func `3.1.2.14 spaces within an address`() {
        let parsed = torture(
            346,
            """
            OPTIONS sip:user@example.org SIP/2.0
            Via: SIP/2.0/UDP host4.example.com:5060;branch=z9hG4bKkdju43234
            Max-Forwards: 70
            From: "Bell, Alexander" <sip:a.g.bell@example.com>;tag=433423
            To: "Watson, Thomas" < sip:t.watson@example.org >
            Call-ID: badaspec.sdf0234n2nds0a099u23h3hnnw009cdkne3
            Accept: application/sdp
            CSeq: 3923239 OPTIONS
            l: 0
            """)
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .to)
    }

    @Test func `3.1.2.15 display names of characters that need quotes`() {
        // The file in the appendix lacks the empty line, which is not what this is about.
        let parsed = torture(
            333,
            """
            OPTIONS sip:t.watson@example.org SIP/2.0
            Via:     SIP/2.0/UDP c.example.com:5060;branch=z9hG4bKkdjuw
            Max-Forwards:      70
            From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43
            To:      Watson, Thomas <sip:t.watson@example.org>
            Call-ID: baddn.31415@c.example.com
            Accept: application/sdp
            CSeq:    3923239 OPTIONS
            l: 0
            """)
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .from)
    }

    @Test func `3.1.2.16 an unknown protocol version`() {
        let parsed = torture(
            291,
            """
            OPTIONS sip:t.watson@example.org SIP/7.0
            Via:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw
            Max-Forwards:     70
            From:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe
            To:      T. Watson <sip:t.watson@example.org>
            Call-ID: badvers.31417@c.example.com
            CSeq:    1 OPTIONS
            l: 0
            """)
        #expect(parsed.fate == .answered(.versionNotSupported))
        #expect(parsed.answerLines[0] == "SIP/2.0 505 Version Not Supported")
    }

    @Test func `3.1.2.17 the methods of start line and CSeq differ`() {
        let parsed = torture(
            236,
            """
            OPTIONS sip:user@example.com SIP/2.0
            To: sip:j.user@example.com
            From: sip:caller@example.net;tag=34525
            Max-Forwards: 6
            Call-ID: mismatch01.dj0234sxdfl3
            CSeq: 8 INVITE
            Via: SIP/2.0/UDP host.example.com;branch=z9hG4bKkdjuw
            l: 0
            """)
        #expect(parsed.fate == .answered(.badRequest))
        #expect(parsed.fault == .cseqMethod)
    }

    @Test func `3.1.2.18 the methods differ, and that of the start line is unknown`() {
        let parsed = torture(
            449,
            """
            NEWMETHOD sip:user@example.com SIP/2.0
            To: sip:j.user@example.com
            From: sip:caller@example.net;tag=34525
            Max-Forwards: 6
            Call-ID: mismatch02.dj0234sxdfl3
            CSeq: 8 INVITE
            Contact: <sip:caller@host.example.net>
            Via: SIP/2.0/UDP host.example.net;branch=z9hG4bKkdjuw
            Content-Type: application/sdp
            l: 138
            """,
            body: """
                v=0
                o=mhandley 29739 7272939 IN IP4 192.0.2.1
                c=IN IP4 192.0.2.1
                m=audio 49217 RTP/AVP 0 12
                m=video 3227 RTP/AVP 31
                a=rtpmap:31 LPC

                """)
        #expect(parsed.fate == .answered(.notImplemented))
        #expect(parsed.answerLines.contains("CSeq: 8 INVITE"))
    }

    @Test func `3.1.2.19 an overlarge response code`() {
        let parsed = torture(
            332,
            """
            SIP/2.0 4294967301 better not break the receiver
            Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
            Call-ID: bigcode.asdof3uj203asdnf3429uasdhfas3ehjasdfas9i
            CSeq: 353494 INVITE
            From: <sip:user@example.com>;tag=39ansfi3
            To: <sip:user@example.edu>;tag=902jndnke3
            Content-Length: 0
            Contact: <sip:user@host105.example.com>
            """)
        #expect(parsed.fate == .dropped)
    }
}
