import ClusterModel
import PhoneCalls
import Testing

/// The route set that a caller learns (RFC 3261 section 12.1.2), and how he uses it (section 12.2.1.1).
@Suite struct CallDialogTests {
    private func dialog(_ answer: Received) throws -> CallDialog {
        let dialog = CallDialog(answer.message, in: answer.bytes.span)
        return try #require(dialog)
    }

    private func acknowledgement(_ dialog: CallDialog) -> [String] {
        lines { texts.appendAcknowledgement(parties, dialog, to: &$0) }
    }

    @Test func `without Record-Route requests go to the contact itself`() throws {
        let dialog = try dialog(accepted([]))
        #expect(dialog.nextHop == calleeAddress)
        #expect(dialog.routeLine.isEmpty)
        #expect(
            acknowledgement(dialog) == [
                "ACK sip:2002@127.0.0.1:40002 SIP/2.0",
                "Via: SIP/2.0/UDP 127.0.0.1:40001;branch=z9hG4bK-r1-000000003000007-2;rport", "Max-Forwards: 70",
                ofTheCall[0], ofTheCall[1], "CSeq: 1 ACK", "To: <sip:2002@cc.example.com>;tag=b1", "Content-Length: 0",
                "",
                "",
            ])
    }

    @Test func `the route set is reversed, through lists and lines, and the first of it is the next hop`() throws {
        let dialog = try dialog(
            accepted(
                [
                    "Record-Route: <sip:10.0.0.3;r2=on;lr>, <sip:10.0.0.3;transport=tcp;r2=on;lr=on>",
                    "record-route: \"a, <b>\" <sip:10.0.0.2:5080;lr>,<sip:ob@10.0.0.1:5071;lr;x=y>",
                ]))
        #expect(dialog.nextHop == NetworkAddress("10.0.0.1:5071"))
        let bye = lines { texts.appendBye(parties, dialog, to: &$0) }
        #expect(bye.first == "BYE sip:2002@127.0.0.1:40002 SIP/2.0")
        #expect(bye.contains("CSeq: 2 BYE"))
        #expect(bye[1].hasSuffix("-3;rport"))
        #expect(
            bye.contains(
                "Route: <sip:ob@10.0.0.1:5071;lr;x=y>,\"a, <b>\" <sip:10.0.0.2:5080;lr>,"
                    + "<sip:10.0.0.3;transport=tcp;r2=on;lr=on>,<sip:10.0.0.3;r2=on;lr>"))
    }

    @Test func `a strict router finds itself in the Request-URI, and the contact is the last route`() throws {
        let dialog = try dialog(accepted(["Record-Route: <sip:10.0.0.2;lr>", "Record-Route: <sip:10.0.0.1>"]))
        #expect(dialog.nextHop == NetworkAddress("10.0.0.1:5060"))
        let sent = acknowledgement(dialog)
        #expect(sent.first == "ACK sip:10.0.0.1 SIP/2.0")
        #expect(sent.contains("Route: <sip:10.0.0.2;lr>,<sip:2002@127.0.0.1:40002>"))
        let alone = try self.dialog(accepted(["Record-Route: <sip:10.0.0.1>"]))
        #expect(acknowledgement(alone).contains("Route: <sip:2002@127.0.0.1:40002>"))
    }

    @Test func `names are nobody's address, IPv6 is, and a contact may stand without brackets`() throws {
        #expect(try dialog(accepted([], contact: "<sip:2002@phone.example.com>")).nextHop == nil)
        #expect(try dialog(accepted([], contact: "<sip:2002@[::1]:5082>")).nextHop == NetworkAddress("[::1]:5082"))
        #expect(
            try dialog(accepted([], contact: "sip:2002@10.0.0.9;expires=5")).nextHop == NetworkAddress("10.0.0.9:5060"))
    }

    @Test func `an answer without a contact begins no dialog`() {
        let answer = accepted([], contact: "")
        let dialog = CallDialog(answer.message, in: answer.bytes.span)
        #expect(dialog == nil)
    }
}
