import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import Testing

/// Calls whose links and callers are lost.
@Suite struct CallFailureTests {
    private var desk = CallDesk()

    private func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) {
        for core in desk.pair.cores {
            #expect(core.statefulProxy.transactions.count == 0, sourceLocation: sourceLocation)
            #expect(core.statefulProxy.requestCount == 0, sourceLocation: sourceLocation)
            #expect(core.statefulProxy.calls.count == 0, sourceLocation: sourceLocation)
        }
    }

    @Test mutating func `when the link is lost, the caller is told, and the phone at the other node stops ringing`()
        throws
    {
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: 1, host: 2)
        let asked = desk.invite("1001", from: caller)
        let invite = try #require(desk.received(callee).first)
        desk.answer(invite, "180 Ringing", callee)
        _ = desk.received(caller)
        desk.cut()
        #expect(desk.heard(caller) == ["SIP/2.0 480 Temporarily Unavailable"])
        desk.follow(asked, "ACK", caller)
        let cancel = try #require(desk.received(callee).first)
        #expect(cancel[0] == "CANCEL \(callee.contact) SIP/2.0")
        desk.answer(cancel, "200 OK", callee)
        desk.answer(invite, "487 Request Terminated", callee)
        #expect(desk.heard(callee) == ["ACK \(callee.contact) SIP/2.0"])
        desk.wait(70)
        #expect(desk.received(caller).isEmpty)
        expectNothingLeft()
    }

    @Test mutating func `what is said in a call across a link that is down is refused, and does not come later`() throws
    {
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: 1, host: 2)
        _ = desk.invite("1001", from: caller)
        let invite = try #require(desk.received(callee).first)
        desk.answer(invite, "200 OK", callee)
        let success = try #require(desk.received(caller).last)
        let dialog = Dialog(caller: success, callee: callee)
        desk.request("ACK", in: dialog, from: caller, cseq: 1)
        desk.cut()
        _ = desk.received(callee)
        for (number, method) in ["INFO", "INVITE", "BYE"].enumerated() {
            desk.request(method, in: dialog, from: caller, cseq: 2 + number)
            #expect(desk.heard(caller).last == "SIP/2.0 480 Temporarily Unavailable")
        }
        desk.request("ACK", in: dialog, from: caller, cseq: 2)
        #expect(!desk.pair.cores[0].hasSIPMessages(for: beta))
        desk.pair.link()
        desk.wait(1)
        #expect(desk.received(callee).isEmpty)
    }

    @Test func `a call over a link is taken as soon as the caller's node knows all of the other's DNs`() throws {
        var nodes = [core(alpha), core(beta)]
        let callee = NetworkAddress(ipv4: 0x0A00_0002, port: 5066)
        _ = nodes[0].receive(register("1000"))
        _ = nodes[1].receive(register("1001", contact: "<sip:1001@10.0.0.2:5066>"), from: callee)
        let link = ConnectionID(rawValue: 1)
        nodes[0].dialed(beta, connection: link, now: at(0))
        nodes[1].accepted(link, now: at(0))
        let hello = nodes[0].nextPeerMessage(for: beta, now: at(0))
        nodes[1].received(try #require(hello), from: link, now: at(0))
        while let message = nodes[1].nextPeerMessage(for: alpha, now: at(0)) {
            nodes[0].received(message, from: link, now: at(0))
        }
        #expect(nodes[0].ownership.state(of: beta) == .live && nodes[1].ownership.state(of: alpha) == .syncing)

        var answers = DatagramBatch()
        let invite = request("INVITE sip:1001@cc.example.com", to: "1000", cseq: 9, ["Contact: <sip:1000@10.0.0.1>"])
        nodes[0].datagramReceived(Array(invite.utf8).span, from: phone, now: at(0), answers: &answers)
        let next = nodes[0].nextSIPMessage(for: beta)
        let message = try #require(next)
        nodes[1].receivedSIP(message.span, from: link, now: at(0))
        let sent = nodes[1].takeActions().compactMap { action in
            if case .send(_, let target) = action { target.address } else { nil }
        }
        #expect(sent == [callee])
        #expect(nodes[1].hasSIPMessages(for: alpha), "100 Trying")
        nodes[1].receivedSIP(message.span, from: ConnectionID(rawValue: 2), now: at(0))
        #expect(!nodes[1].hasActions, "another connection")
    }
}
