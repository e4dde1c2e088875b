import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import Testing

/// Calls from phone to phone, at one node and across two (RFC 3261 section 16).
@Suite struct CallTests {
    private var desk = CallDesk()

    private func states() -> [[CallState]] { desk.pair.cores.map { $0.statefulProxy.calls.calls.map(\.state) } }

    /// Whether nothing at all is left of any call.
    private func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) {
        for core in desk.pair.cores {
            #expect(core.statefulProxy.transactions.count == 0, sourceLocation: sourceLocation)
            #expect(core.statefulProxy.transactions.byteCount == 0, sourceLocation: sourceLocation)
            #expect(core.statefulProxy.requestCount == 0, sourceLocation: sourceLocation)
            #expect(core.statefulProxy.calls.count == 0, sourceLocation: sourceLocation)
        }
    }

    @Test(arguments: [0, 1])
    mutating func `a call is set up, goes on and ends, wherever the phones are`(_ node: Int) throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: node, host: 2)
        _ = desk.invite("1001", from: caller)
        #expect(desk.heard(caller) == ["SIP/2.0 100 Trying"])
        let invite = try #require(desk.received(callee).first)
        #expect(invite[0] == "INVITE \(callee.contact) SIP/2.0")
        #expect(header("Via", invite).count == 2 + node)
        #expect(header("Max-Forwards", invite) == ["\(69 - node)"])
        #expect(list("Record-Route", invite).count == 2 + 2 * node)
        #expect(header("Session-Expires", invite) == ["1800"])
        #expect(states() == (node == 0 ? [[.calling], []] : [[.calling], [.calling]]))

        desk.answer(invite, "180 Ringing", callee)
        #expect(desk.heard(caller) == ["SIP/2.0 180 Ringing"])
        #expect(states()[node] == [.ringing])
        desk.answer(invite, "200 OK", callee)
        let success = try #require(desk.received(caller).first)
        #expect(success[0] == "SIP/2.0 200 OK" && header("Via", success).count == 1)
        #expect(states()[0] == [.established] && states()[node] == [.established])

        let dialog = Dialog(caller: success, callee: callee)
        desk.request("ACK", in: dialog, from: caller, cseq: 1)
        let ack = try #require(desk.received(callee).first)
        #expect(ack[0] == "ACK \(callee.contact) SIP/2.0" && header("Route", ack).isEmpty)

        let back = Dialog(callee: invite, callee, caller: caller)
        for method in ["INVITE", "UPDATE", "INFO", "PRACK", "REFER", "FROB"] {
            desk.request(method, in: back, from: callee, cseq: 5)
            let request = try #require(desk.received(caller).first)
            #expect(request[0] == "\(method) \(caller.contact) SIP/2.0" && header("Route", request).isEmpty)
            desk.answer(request, "200 OK", caller)
            #expect(desk.heard(callee).last == "SIP/2.0 200 OK")
        }
        desk.request("BYE", in: back, from: callee, cseq: 6)
        let bye = try #require(desk.received(caller).first)
        #expect(bye[0] == "BYE \(caller.contact) SIP/2.0")
        #expect(states() == [[], []])
        desk.answer(bye, "200 OK", caller)
        #expect(desk.heard(callee) == ["SIP/2.0 200 OK"])
        desk.wait(70)
        expectNothingLeft()
    }

    @Test(arguments: [0, 1])
    mutating func `a caller who gives up is told so, and the phone stops ringing`(_ node: Int) throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: node, host: 2)
        let asked = desk.invite("1001", from: caller)
        let invite = try #require(desk.received(callee).first)
        desk.answer(invite, "180 Ringing", callee)
        _ = desk.received(caller)
        desk.follow(asked, "CANCEL", caller)
        #expect(desk.heard(caller) == ["SIP/2.0 200 OK"])
        let cancel = try #require(desk.received(callee).first)
        #expect(cancel[0] == "CANCEL \(callee.contact) SIP/2.0")
        #expect(header("Via", cancel) == [header("Via", invite)[0]])
        desk.answer(cancel, "200 OK", callee)
        desk.answer(invite, "487 Request Terminated", callee)
        #expect(desk.heard(callee) == ["ACK \(callee.contact) SIP/2.0"])
        #expect(desk.heard(caller) == ["SIP/2.0 487 Request Terminated"])
        desk.follow(asked, "ACK", caller)
        #expect(desk.heard(callee).isEmpty)
        #expect(states() == [[], []])
        desk.wait(70)
        expectNothingLeft()
    }

    @Test mutating func `all phones of a DN ring, and when one answers the others stop`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let first = desk.phone("1001", at: 1, host: 2)
        let second = desk.phone("1001", at: 1, host: 3)
        _ = desk.invite("1001", from: caller)
        let invites = [try #require(desk.received(first).first), try #require(desk.received(second).first)]
        #expect(header("Via", invites[0])[0] != header("Via", invites[1])[0])
        desk.answer(invites[0], "180 Ringing", first)
        desk.answer(invites[1], "180 Ringing", second)
        desk.answer(invites[1], "200 OK", second)
        #expect(
            desk.heard(caller)
                == ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing", "SIP/2.0 180 Ringing", "SIP/2.0 200 OK"])
        let cancel = try #require(desk.received(first).first)
        #expect(cancel[0].hasPrefix("CANCEL "))
        desk.answer(cancel, "200 OK", first)
        desk.answer(invites[0], "487 Request Terminated", first)
        #expect(desk.heard(caller).isEmpty)
    }

    @Test mutating func `phones of less preference ring after the others have refused, and the best refusal counts`()
        throws
    {
        let caller = desk.phone("1000", at: 0, host: 1)
        let first = desk.phone("1001", at: 0, host: 2)
        let last = desk.phone("1001", at: 0, host: 3, more: ";q=0.1")
        _ = desk.invite("1001", from: caller)
        let invite = try #require(desk.received(first).first)
        #expect(desk.received(last).isEmpty)
        desk.answer(invite, "486 Busy Here", first)
        let second = try #require(desk.received(last).first)
        #expect(desk.heard(caller) == ["SIP/2.0 100 Trying"])
        desk.answer(second, "503 Service Unavailable", last)
        #expect(desk.heard(caller) == ["SIP/2.0 486 Busy Here"])
        #expect(states() == [[], []])
    }

    @Test mutating func `a phone that declines for all of them stops the others`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let first = desk.phone("1001", at: 0, host: 2)
        let second = desk.phone("1001", at: 0, host: 3)
        _ = desk.invite("1001", from: caller)
        let invites = [try #require(desk.received(first).first), try #require(desk.received(second).first)]
        desk.answer(invites[1], "180 Ringing", second)
        desk.answer(invites[0], "603 Decline", first)
        #expect(desk.heard(second) == ["CANCEL \(second.contact) SIP/2.0"])
        desk.answer(invites[1], "487 Request Terminated", second)
        #expect(desk.heard(caller).last == "SIP/2.0 603 Decline")
    }

    @Test
    mutating func `nobody may be called by a stranger, through a foreign Route, or with a token of somebody else`()
        throws
    {
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: 0, host: 2)
        let stranger = CallDesk.Phone(dn: "1002", node: 0, address: NetworkAddress(ipv4: 0x0A00_0063, port: 5066))
        _ = desk.invite("1001", from: stranger, call: "stranger")
        #expect(desk.heard(stranger) == ["SIP/2.0 403 Forbidden"])
        for (uri, more, status) in [
            ("sip:1003@cc.example.com", [], "480 Temporarily Unavailable"),
            ("sip:1234@cc.example.com", [], "404 Not Found"),
            ("sip:1001@elsewhere.example.com", [], "404 Not Found"),
            // Neither side is over TLS.
            ("sips:1001@cc.example.com", [], "480 Temporarily Unavailable"),
            ("tel:1001", [], "416 Unsupported URI Scheme"),
            ("sip:1001@cc.example.com", ["Route: <sip:10.9.9.9;lr>"], "403 Forbidden"),
            ("sip:1001@cc.example.com", ["Route: <sip:127.0.0.1:5060;lr>, <sip:10.9.9.9;lr>"], "403 Forbidden"),
            ("sip:1001@cc.example.com", ["Proxy-Require: magic"], "420 Bad Extension"),
        ] as [(String, [String], String)] {
            desk.send(desk.request("INVITE", uri, from: caller, call: uri + more.joined(), more), caller)
            #expect(desk.heard(caller) == ["SIP/2.0 \(status)"], "\(uri) \(more)")
            #expect(desk.received(callee).isEmpty)
        }
        _ = desk.invite("1001", from: caller, ["Route: <sip:127.0.0.1:5060;lr>"])
        let invite = try #require(desk.received(callee).first)
        #expect(header("Route", invite).isEmpty)
        desk.answer(invite, "200 OK", callee)
        let success = try #require(desk.received(caller).last)
        var dialog = Dialog(caller: success, callee: callee)
        let token = dialog.routes[1]
        let place = token.index(token.startIndex, offsetBy: 8)
        let other = token.prefix(upTo: place) + (token[place] == "A" ? "B" : "A") + token[token.index(after: place)...]
        dialog.routes[1] = String(other)
        desk.request("BYE", in: dialog, from: caller, cseq: 2)
        #expect(desk.heard(caller) == ["SIP/2.0 403 Forbidden"] && desk.received(callee).isEmpty)
    }

    @Test mutating func `a phone that cannot be reached any more ends what is asked of it`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: 1, host: 2)
        _ = desk.invite("1001", from: caller)
        let invite = try #require(desk.received(callee).first)
        desk.answer(invite, "180 Ringing", callee)
        _ = desk.received(caller)
        desk.cut()
        #expect(desk.heard(caller) == ["SIP/2.0 480 Temporarily Unavailable"])
        _ = desk.invite("1001", from: caller, call: "again")
        #expect(desk.heard(caller).last == "SIP/2.0 480 Temporarily Unavailable")
        desk.wait(300)
        expectNothingLeft()
    }

    @Test mutating func `a phone that says nothing is given up, one that rings too long is cancelled`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: 0, host: 2)
        _ = desk.invite("1001", from: caller)
        desk.wait(33)
        #expect(desk.received(callee).count == 7)
        #expect(desk.heard(caller).prefix(2) == ["SIP/2.0 100 Trying", "SIP/2.0 408 Request Timeout"])
        _ = desk.invite("1001", from: caller, call: "long")
        let invite = try #require(desk.received(callee).first)
        desk.answer(invite, "180 Ringing", callee)
        desk.wait(182)
        #expect(desk.heard(callee).contains("CANCEL \(callee.contact) SIP/2.0"))
        desk.answer(invite, "487 Request Terminated", callee)
        #expect(desk.heard(caller).last == "SIP/2.0 487 Request Terminated")
    }

    @Test mutating func `a session that nobody refreshes is over`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: 0, host: 2)
        _ = desk.invite("1001", from: caller, ["Supported: timer", "Session-Expires: 90"])
        let invite = try #require(desk.received(callee).first)
        #expect(header("Session-Expires", invite) == ["90"])
        desk.answer(invite, "200 OK", callee)
        let success = try #require(desk.received(caller).last)
        // The callee knows nothing of timers, so the caller is told to refresh alone.
        #expect(header("Session-Expires", success) == ["90;refresher=uac"] && header("Require", success) == ["timer"])
        desk.wait(80)
        desk.request(
            "UPDATE", in: Dialog(caller: success, callee: callee), from: caller, cseq: 2,
            ["Supported: timer", "Session-Expires: 90;refresher=uac"])
        let update = try #require(desk.received(callee).first { $0[0].hasPrefix("UPDATE") })
        desk.answer(update, "200 OK", callee)
        desk.wait(80)
        #expect(states()[0] == [.established])
        desk.wait(11)
        #expect(states()[0].isEmpty)
    }

    @Test mutating func `another device of a DN is bound where the DN is, and rings there too`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let first = desk.phone("1001", at: 1, host: 2, more: ";+sip.instance=\"<urn:a>\"")
        let second = desk.phone("1001", at: 0, host: 3, more: ";+sip.instance=\"<urn:b>\"")
        #expect(desk.pair.cores[1].ownership.owns(dn("1001")))
        #expect(desk.pair.cores[1].registrar.bindings(of: dn("1001")).count == 2)
        #expect(desk.pair.cores[0].registrar.bindings(of: dn("1001")).isEmpty)
        // A refresh is one too.
        _ = desk.phone("1001", at: 0, host: 3, more: ";+sip.instance=\"<urn:b>\"")
        #expect(desk.pair.cores[1].registrar.bindings(of: dn("1001")).count == 2)
        _ = desk.invite("1001", from: caller)
        let invites = [try #require(desk.received(first).first), try #require(desk.received(second).first)]
        #expect(invites[1][0] == "INVITE \(second.contact) SIP/2.0" && header("Route", invites[1]).isEmpty)
        desk.answer(invites[0], "180 Ringing", first)
        desk.answer(invites[1], "200 OK", second)
        let success = try #require(desk.received(caller).last)
        desk.request("ACK", in: Dialog(caller: success, callee: second), from: caller, cseq: 1)
        #expect(desk.heard(second) == ["ACK \(second.contact) SIP/2.0"])
        #expect(desk.heard(first) == ["CANCEL \(first.contact) SIP/2.0"])
        // Who cannot reach the owner is owner himself.
        desk.cut()
        #expect(desk.pair.cores[1].registrar.bindings(of: dn("1001")).count == 1)
        _ = desk.phone("1001", at: 0, host: 3, more: ";+sip.instance=\"<urn:b>\"")
        #expect(desk.pair.cores[0].ownership.owns(dn("1001")))
    }

    @Test mutating func `a device that moves takes its DN along`() {
        _ = desk.phone("1001", at: 1, host: 2, more: ";+sip.instance=\"<urn:a>\"")
        _ = desk.phone("1001", at: 0, host: 3, more: ";+sip.instance=\"<urn:a>\"")
        #expect(desk.pair.cores[0].ownership.owns(dn("1001")))
        #expect(desk.pair.cores[0].registrar.bindings(of: dn("1001")).count == 1)
        #expect(desk.pair.cores[1].registrar.bindings(of: dn("1001")).isEmpty)
        #expect(desk.pair.services("1001") == [.inService, .inService])
        desk.wait(40)
        expectNothingLeft()
    }

    @Test mutating func `what only a DN's owner can answer goes to its node`() throws {
        let phone = desk.phone("1001", at: 1, host: 2)
        let elsewhere = CallDesk.Phone(dn: "1001", node: 0, address: phone.address)
        desk.send(register("1001", cseq: 7, contact: nil).split(separator: "\r\n").map(String.init), elsewhere)
        let answer = try #require(desk.received(elsewhere).first)
        #expect(answer[0] == "SIP/2.0 200 OK")
        #expect(header("Contact", answer).first?.hasPrefix("<\(phone.contact)>") == true)
        #expect(header("Path", answer).count == 1)
        desk.send(
            register("1001", cseq: 8, contact: "<\(phone.contact)>", expires: 0).split(separator: "\r\n")
                .map(String.init), elsewhere)
        #expect(desk.heard(elsewhere) == ["SIP/2.0 200 OK"])
        #expect(desk.pair.services("1001") == [.unregistered, .unregistered])
        #expect(desk.pair.cores[1].ownership.owns(dn("1001")))
    }
}
