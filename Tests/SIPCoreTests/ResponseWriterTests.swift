import ClusterModel
import SIPCore
import Testing

@Suite struct ResponseWriterTests {
    private static let allow =
        "Allow: REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, INFO, REFER, SUBSCRIBE, NOTIFY, MESSAGE"

    @Test func `a 200 copies what it must and adds a tag`() {
        let parsed = register("<sip:1001@10.0.0.1>")
        var registrar = Registrar(dnCount: 1)
        registrar.take(parsed)
        let lines = registrar.answer(parsed, at: 100.5).split(separator: "\r\n").map(String.init)
        #expect(lines[0] == "SIP/2.0 200 OK")
        #expect(lines[1] == "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bK776;received=10.0.0.1;rport=5066")
        #expect(lines[2] == "From: \"One\" <sip:1001@cc.example.com>;tag=a1")
        #expect(lines[3].hasPrefix("To: <sip:1001@cc.example.com>;tag="))
        #expect(lines[3].count == "To: <sip:1001@cc.example.com>;tag=".count + 16)
        #expect(
            lines[4...] == [
                "Call-ID: call-1@phone", "CSeq: 1 REGISTER", "Contact: <sip:1001@10.0.0.1>;expires=300",
                "Content-Length: 0",
            ])
        #expect(registrar.answer(parsed).hasSuffix("\r\n\r\n"))
    }

    @Test func `a tag is kept, and a made one depends on Call-ID and secret only`() {
        let tagged = request([
            "OPTIONS sip:a SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1", "To: sip:a@b;tag=mine", "From: <sip:b@c>;tag=1",
            "Call-ID: 1", "CSeq: 1 OPTIONS",
        ])
        #expect(answer(SIPResponse(.ok), to: tagged)[3] == "To: sip:a@b;tag=mine")
        let first = register(cseq: 1)
        let again = register(cseq: 2)
        let other = register(callID: "call-2@phone")
        #expect(answer(SIPResponse(.ok), to: first)[3] == answer(SIPResponse(.ok), to: again)[3])
        #expect(answer(SIPResponse(.ok), to: first)[3] != answer(SIPResponse(.ok), to: other)[3])
        var output: [UInt8] = []
        ResponseWriter(secret: 8)
            .write(SIPResponse(.ok), to: first.message, in: first.bytes.span, from: phone, into: &output)
        #expect(!String(decoding: output, as: UTF8.self).contains(answer(SIPResponse(.ok), to: first)[3]))
    }

    @Test func `received and rport tell what the server saw, whatever the request claims`() {
        func via(_ text: String, from source: NetworkAddress) -> (String, NetworkAddress) {
            let parsed = request([
                "OPTIONS sip:a SIP/2.0", "Via: \(text)", "To: <sip:a@b>", "From: <sip:b@c>;tag=1", "Call-ID: 1",
                "CSeq: 1 OPTIONS",
            ])
            return (
                answer(SIPResponse(.ok), to: parsed, from: source)[1],
                ResponseWriter(secret: 0).target(of: parsed.message, from: source)
            )
        }
        let nat = NetworkAddress(ipv4: 0xC000_0201, port: 40000)
        #expect(
            via("SIP/2.0/UDP 192.0.2.1:5062", from: nat) == ("Via: SIP/2.0/UDP 192.0.2.1:5062", nat.with(port: 5062)))
        #expect(via("SIP/2.0/UDP 192.0.2.1", from: nat) == ("Via: SIP/2.0/UDP 192.0.2.1", nat.with(port: 5060)))
        #expect(
            via("SIP/2.0/UDP 10.0.0.9;branch=b", from: nat)
                == ("Via: SIP/2.0/UDP 10.0.0.9;branch=b;received=192.0.2.1", nat.with(port: 5060)))
        #expect(
            via("SIP/2.0/UDP phone.example.com:5070;rport;branch=b", from: nat)
                == ("Via: SIP/2.0/UDP phone.example.com:5070;branch=b;received=192.0.2.1;rport=40000", nat))
        #expect(
            via("SIP/2.0/UDP 10.0.0.9;received=6.6.6.6;x;rport=99;branch=b", from: nat)
                == ("Via: SIP/2.0/UDP 10.0.0.9;x;branch=b;received=192.0.2.1;rport=40000", nat))
        let six = NetworkAddress(high: 0x2001_0DB8_0000_0000, low: 0x1, port: 7000)
        #expect(
            via("SIP/2.0/UDP [2001:db8::1];rport", from: six)
                == ("Via: SIP/2.0/UDP [2001:db8::1];received=2001:db8:0:0:0:0:0:1;rport=7000", six))
    }

    @Test func `a refused request is answered with what could be read of it`() {
        let parsed = request(["REGISTER sip:a SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1:5066", "To: \"broken", "Call-ID: 1"])
        #expect(parsed.fault == .from)
        #expect(
            answer(SIPResponse(.from), to: parsed) == [
                "SIP/2.0 400 Bad From", "Via: SIP/2.0/UDP 10.0.0.1:5066", "To: \"broken", "Call-ID: 1",
                "Content-Length: 0",
            ])
    }

    @Test func `no request writes a line of an answer`() {
        let parsed = request([
            "OPTIONS sip:a SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1", "To: \"a\rEvil: 1\" <sip:a@b>",
            "From: <sip:b@c>;tag=1",
            "Call-ID: 1\r", "\tEvil: 2", "CSeq: 1 OPTIONS",
        ])
        let lines = answer(SIPResponse(.ok), to: parsed)
        #expect(lines.allSatisfy { !$0.hasPrefix("Evil") && !$0.contains("\r") && !$0.contains("\n") })
    }

    @Test func `extra headers say what the answer needs`() {
        let parsed = register()
        #expect(
            answer(SIPResponse(.ok, extra: .capabilities), to: parsed)[6...] == [
                Self.allow, "Accept: application/sdp", "Supported: path, outbound", "Content-Length: 0",
            ])
        #expect(answer(SIPResponse(.methodNotAllowed, extra: .allow), to: parsed)[6] == Self.allow)
        #expect(answer(SIPResponse(.intervalTooBrief, extra: .minimumExpires(60)), to: parsed)[6] == "Min-Expires: 60")
        #expect(
            answer(SIPResponse(.serviceUnavailable, extra: .retryAfter(1234)), to: parsed)[6] == "Retry-After: 1234")
    }

    @Test func `answers follow one another in one array`() {
        let parsed = register()
        var output: [UInt8] = []
        let writer = ResponseWriter(secret: 1)
        writer.write(SIPResponse(.ok), to: parsed.message, in: parsed.bytes.span, from: phone, into: &output)
        let first = output
        writer.write(SIPResponse(.ok), to: parsed.message, in: parsed.bytes.span, from: phone, into: &output)
        #expect(output == first + first)
    }
}
