import ClusterModel
import SIPCore
import Testing

/// Binary, with nulls and line feeds in it.
private let signature = bytes(
    """
    3082015206092A864886F70D010702A08201433082013F0201013109300706052B0E03021A300B06092A864886F70D01\
    0701318201203082011C020101307C3070310B3009060355040613025553311330110603550408130A43616C69666F72\
    6E69613111300F0603550407130853616E204A6F7365310E300C060355040A1305736970697431293027060355040B13\
    205369706974205465737420436572746966696361746520417574686F7269747902080195007102330113300706052B\
    0E03021A300D06092A864886F70D01010105000481808EF466F948F0522DD2E5978E9D95AAE9F2FE15A06659716292E8\
    DA2AA8D8350A68CEFFAE3CBD2BFF1675DDD5648E593DD64728F26220F7E941749E330D9A15EDABDB93D10C42102E7B72\
    89D29CC0C9AE2EFBC7C0CFF9172F3B027E4FC027E1546DE4B6AA3ABB3E66CCCB5DD6C64B8383149CB8E6FF182D944FE5\
    7B65BC99D005
    """)

/// `<hex>` of RFC 4475 section 2.2.
private func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal.utf8)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap { position in
        UInt8(String(decoding: digits[position...position + 1], as: UTF8.self), radix: 16)
    }
}

/// RFC 4475 sections 3.1.1.7 to 3.1.1.13: long values, what belongs to a message, and responses.
@Suite struct ValidFramingTests {
    @Test func `3.1.1.7 long values in header fields`() {
        let names = ["Via", "v", "V", "Via", "ViA", "VIa", "VIA", "via", "viA", "vIa", "vIA"]
        let separators = ["V : ", "v : ", "V  :", "v  :", "Via :", "Via  :"]
        var vias = names.enumerated().map { "\($1): SIP/2.0/TCP sip\(33 - $0).example.com" }
        vias += separators.enumerated().map { "\($1) SIP/2.0/TCP sip\(22 - $0).example.com" }
        vias += (1...16).reversed().map { "Via: SIP/2.0/TCP sip\($0).example.com" }
        let caller = times(5, "amazinglylongcallername")
        let parsed = torture(
            3515,
            """
            INVITE sip:user@example.com SIP/2.0
            To: "I have a user name of \(times(10, "extreme")) proportion"\
            <sip:user@example.com:6000;\
            unknownparam1=very\(times(20, "long"))value;\
            longparam\(times(25, "name"))=shortvalue;\
            very\(times(25, "long"))ParameterNameWithNoValue>
            F: sip:\(caller)@example.net\
            ;tag=12\(times(50, "982"))424\
            ;unknownheaderparam\(times(20, "name"))=\
            unknowheaderparam\(times(15, "value"))\
            ;unknownValueless\(times(10, "paramname"))
            Call-ID: longreq.one\(times(20, "really"))longcallid
            CSeq: 3882340 INVITE
            Unknown-\(times(20, "Long"))-Name:\
             unknown-\(times(20, "long"))-value;\
             unknown-\(times(20, "long"))-parameter-name =\
             unknown-\(times(20, "long"))-parameter-value
            \(vias.joined(separator: "\n"))
            Via: SIP/2.0/TCP\
             host.example.com;received=192.0.2.5;\
            branch=very\(times(50, "long"))branchvalue
            Max-Forwards: 70
            Contact: <sip:\(caller)@host5.example.net>
            Content-Type: application/sdp
            l: 150
            """, body: session(at: "192.0.2.1"))
        #expect(parsed.fate == .forwarded)
        #expect(parsed.message.viaCount == 34)
        #expect(parsed.text(parsed.message.topVia.host) == "sip33.example.com")
        #expect(parsed.message.from.tag.count == 155)
        #expect(parsed.text(parsed.message.callID).hasSuffix("reallylongcallid"))
        #expect(parsed.message.to.uri.port == 6000)
        let answered = parsed.answerLines.filter { $0.hasPrefix("Via:") }
        #expect(answered.count == 34)
        #expect(answered.dropFirst(11).first == "Via: SIP/2.0/TCP sip22.example.com")
        #expect(answered.last?.hasSuffix("longbranchvalue") == true)
    }

    @Test func `3.1.1.8 extra trailing octets in a UDP datagram`() {
        let parsed = torture(
            750,
            """
            REGISTER sip:example.com SIP/2.0
            To: sip:j.user@example.com
            From: sip:j.user@example.com;tag=43251j3j324
            Max-Forwards: 8
            I: dblreq.0ha0isndaksdj99sdfafnl3lk233412
            Contact: sip:j.user@host.example.com
            CSeq: 8 REGISTER
            Via: SIP/2.0/UDP 192.0.2.125;branch=z9hG4bKkdjuw23492
            Content-Length: 0
            """,
            body: """

                INVITE sip:joe@example.com SIP/2.0
                t: sip:joe@example.com
                From: sip:caller@example.net;tag=141334
                Max-Forwards: 8
                Call-ID: dblreq.0ha0isnda977644900765@192.0.2.15
                CSeq: 8 INVITE
                Via: SIP/2.0/UDP 192.0.2.15;branch=z9hG4bKkdjuw380234
                Content-Type: application/sdp
                Content-Length: 150

                \(session(at: "192.0.2.15", video: "m =video"))

                """)
        #expect(parsed.fate == .served)
        #expect(parsed.message.method == .register)
        #expect(parsed.message.body.isEmpty)
        #expect(parsed.message.viaCount == 1)
    }

    @Test func `3.1.1.9 semicolon-separated parameters in the user part`() {
        let parsed = torture(
            380,
            """
            OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0
            To: sip:j_user@example.com
            From: sip:caller@example.org;tag=33242
            Max-Forwards: 3
            Call-ID: semiuri.0ha0isndaksdj
            CSeq: 8 OPTIONS
            Accept: application/sdp, application/pkcs7-mime,
                    multipart/mixed, multipart/signed,
                    message/sip, message/sipfrag
            Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKkdjuw
            l: 0
            """)
        #expect(parsed.fate == .served)
        #expect(parsed.user(of: parsed.message.requestURI) == "user;par=u%40example.net")
        #expect(parsed.text(parsed.message.requestURI.host) == "example.com")
        #expect(parsed.message.requestURI.parameters.isEmpty)
    }

    @Test func `3.1.1.10 varied and unknown transport types`() {
        let parsed = torture(
            503,
            """
            OPTIONS sip:user@example.com SIP/2.0
            To: sip:user@example.com
            From: <sip:caller@example.com>;tag=323
            Max-Forwards: 70
            Call-ID:  transports.kijh4akdnaqjkwendsasfdj
            Accept: application/sdp
            CSeq: 60 OPTIONS
            Via: SIP/2.0/UDP t1.example.com;branch=z9hG4bKkdjuw
            Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf
            Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj
            Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en
            Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee
            l: 0
            """)
        #expect(parsed.fate == .served)
        #expect(parsed.message.viaCount == 5)
        #expect(parsed.answerLines.contains("Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en"))
    }

    @Test func `3.1.1.11 a multipart MIME message`() {
        let parts = [
            "--7a9cbec02ceef655\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nHello\r\n",
            "--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n",
            "\r\n--7a9cbec02ceef655--\r\n",
        ].map { Array($0.utf8) }
        let parsed = torture(
            1290,
            """
            MESSAGE sip:kumiko@example.org SIP/2.0
            Via: SIP/2.0/UDP 127.0.0.1:5070\
            ;branch=z9hG4bK-d87543-4dade06d0bdb11ee-1--d87543-;rport
            Max-Forwards: 70
            Route: <sip:127.0.0.1:5080>
            Identity: r5mwreLuyDRYBi/0TiPwEsY3rEVsk/G2WxhgTV1PF7hHuL\
            IK0YWVKZhKv9Mj8UeXqkMVbnVq37CD+813gvYjcBUaZngQmXc9WNZSDN\
            GCzA+fWl9MEUHWIZo1CeJebdY/XlgKeTa0Olvq0rt70Q5jiSfbqMJmQF\
            teeivUhkMWYUA=
            Contact: <sip:fluffy@127.0.0.1:5070>
            To: <sip:kumiko@example.org>
            From: <sip:fluffy@example.com>;tag=2fb0dcc9
            Call-ID: 3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..
            CSeq: 1 MESSAGE
            Content-Transfer-Encoding: binary
            Content-Type: multipart/mixed;boundary=7a9cbec02ceef655
            Date: Sat, 15 Oct 2005 04:44:56 GMT
            User-Agent: SIPimp.org/0.2.5 (curses)
            Content-Length: 553
            """, bodyBytes: parts[0] + parts[1] + signature + parts[2])
        #expect(parsed.fate == .forwarded)
        #expect(parsed.message.body.count == 553)
        #expect(parsed.message.body.upper == parsed.bytes.count)
    }

    @Test func `3.1.1.12 an unusual reason phrase`() {
        let parsed = torture(
            526,
            """
            SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое
            Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
            Call-ID: unreason.1234ksdfak3j2erwedfsASdf
            CSeq: 35 INVITE
            From: sip:user@example.com;tag=11141343
            To: sip:user@example.edu;tag=2229
            Content-Length: 154
            Content-Type: application/sdp
            Contact: <sip:user@host198.example.com>
            """, body: session(at: "192.0.2.198"))
        #expect(parsed.fate == .dropped)
    }

    @Test func `3.1.1.13 an empty reason phrase`() {
        let parsed = torture(
            274,
            """
            SIP/2.0 100\u{20}
            Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bK2398ndaoe
            Call-ID: noreason.asndj203insdf99223ndf
            CSeq: 35 INVITE
            From: <sip:user@example.com>;tag=39ansfi3
            To: <sip:user@example.edu>;tag=902jndnke3
            Content-Length: 0
            Contact: <sip:user@host105.example.com>
            """)
        #expect(parsed.fate == .dropped)
    }
}
