import PhoneCalls
import Testing

/// What callers and callees send.
@Suite struct CallTextsTests {
    @Test func `an INVITE has the numbers of its call everywhere, and a session of the length that it says`() {
        let invite = lines { texts.appendInvite(parties, to: &$0) }
        #expect(
            invite.prefix(12) == [
                "INVITE sip:2002@cc.example.com SIP/2.0",
                "Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bK-r1-000000003000007-1;rport", "Max-Forwards: 70",
                "From: <sip:1001@cc.example.com>;tag=r1000000003000007", "To: <sip:2002@cc.example.com>",
                "Call-ID: r1-000000003000007@tandem-load", "CSeq: 1 INVITE", "Contact: <sip:1001@127.0.0.1:40001>",
                "User-Agent: tandem-load", "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS", "Content-Type: application/sdp",
                "Content-Length: \(invite[13...].joined(separator: "\r\n").utf8.count)",
            ])
        #expect(invite[12].isEmpty)
        #expect(invite[13] == "v=0")
    }

    @Test func `what is read of an INVITE is the call that it was made for`() {
        let invite = lines { texts.appendInvite(parties, to: &$0) }
        let received = Received(text: invite.joined(separator: "\r\n"))
        #expect(received.isMessage)
        #expect(received.message.kind == .request(.invite))
        #expect(received.message.method == .invite)
        #expect(received.message.call == parties.call)
        #expect(received.message.user == 2002)
    }

    @Test func `answers repeat Via, Record-Route and the rest in their order, and add the callee's tag`() {
        let request = Received(
            [
                "INVITE sip:2002@127.0.0.1:40002 SIP/2.0", "Record-Route: <sip:10.0.0.2;lr>",
                "Record-Route: <sip:10.0.0.1;lr>", "v: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb",
                "Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bKa", "Max-Forwards: 68",
            ] + ofTheCall + ["To: <sip:2002@cc.example.com>", "CSeq: 1 INVITE", "Contact: <sip:1001@127.0.0.1:40001>"])
        let ringing = lines { texts.appendRinging(parties, to: request.message, in: request.bytes.span, to: &$0) }
        let repeated =
            [
                "Record-Route: <sip:10.0.0.2;lr>", "Record-Route: <sip:10.0.0.1;lr>",
                "v: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb", "Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bKa",
            ] + ofTheCall + [
                "To: <sip:2002@cc.example.com>;tag=b000000003000007", "CSeq: 1 INVITE",
                "Contact: <sip:2002@127.0.0.1:40002>",
            ]
        #expect(ringing == ["SIP/2.0 180 Ringing"] + repeated + ["Content-Length: 0", "", ""])
        let accepted = lines { texts.appendAccepted(parties, to: request.message, in: request.bytes.span, to: &$0) }
        #expect(Array(accepted.prefix(10)) == ["SIP/2.0 200 OK"] + repeated)
        #expect(accepted.contains("Content-Type: application/sdp"))
    }

    @Test func `an answer to BYE keeps the tag that is there`() {
        let request = Received(
            ["BYE sip:2002@127.0.0.1:40002 SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb"] + ofTheCall + [
                "t: <sip:2002@cc.example.com>;tag=b1", "CSeq: 2 BYE",
            ])
        #expect(request.message.kind == .request(.bye))
        let answer = lines {
            texts.appendAnswer(isKnown: true, to: request.message, in: request.bytes.span, to: &$0)
        }
        #expect(
            answer == ["SIP/2.0 200 OK", "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb"] + ofTheCall + [
                "t: <sip:2002@cc.example.com>;tag=b1", "CSeq: 2 BYE", "Content-Length: 0", "", "",
            ])
    }

    @Test func `the ACK of a refusal is of the transaction of the INVITE`() {
        let refusal = Received(
            ["SIP/2.0 486 Busy Here", "Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bK-r1-000000003000007-1"]
                + ofTheCall
                + ["To: <sip:2002@cc.example.com>;tag=x", "CSeq: 1 INVITE"])
        #expect(refusal.message.kind == .response(status: 486))
        #expect(refusal.message.call == parties.call)
        let acknowledgement = lines {
            texts.appendAcknowledgement(ofRefusal: refusal.message, in: refusal.bytes.span, to: &$0)
        }
        #expect(
            acknowledgement == [
                "ACK sip:2002@cc.example.com SIP/2.0",
                "Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bK-r1-000000003000007-1;rport", "Max-Forwards: 70",
                ofTheCall[1], "CSeq: 1 ACK", ofTheCall[0], "To: <sip:2002@cc.example.com>;tag=x", "Content-Length: 0",
                "",
                "",
            ])
    }

    @Test(arguments: [
        "", "SIP/2.0", "SIP/2.0 2x0 OK\r\n\r\n", "INVITE\r\n\r\n", "\r\n\r\n", "SIP/2.0 200 OK\r\nVia: a\r\n\r\n",
        "SIP/2.0 200 OK\r\nFrom: <sip:a@b>\r\nTo: <sip:a@b>",
    ])
    func `what lacks the headers of a message is none`(_ text: String) {
        #expect(!Received(text: text).isMessage)
    }

    @Test func `a Call-ID of somebody else is no call of this run`() {
        for callID in ["r2-000000003000007@tandem-load", "r1-00000000300000@tandem-load", "r1-", "x"] {
            let answer = Received([
                "SIP/2.0 100 Trying", "Via: SIP/2.0/UDP 127.0.0.1:40001", "From: <sip:1001@cc.example.com>;tag=a",
                "To: <sip:2002@cc.example.com>", "i: \(callID)", "CSeq: 1 INVITE",
            ])
            #expect(answer.isMessage)
            #expect(answer.message.call == nil, "\(callID)")
        }
    }
}
