import ClusterModel
import SIPCore
import Testing

/// Requests that were received: what they are, and what is said to them without anybody's doing.
@Suite struct ServerTransactionTests {
    private let over4 = SIPSource(phone, flow: FlowID(rawValue: 4))

    @Test func `an INVITE gets 100 at once, each response again, and a refusal until its ACK`() throws {
        var desk = TransactionDesk()
        #expect(desk.take(fromPhone()).outcome == .new)
        let (id, actions) = try desk.open(fromPhone())
        #expect(actions == ["100 to 10.0.0.1:5066"])
        #expect(desk.take(fromPhone()) == (.absorbed, ["100 to 10.0.0.1:5066"]))
        #expect(desk.respond(id, 180) == ["180 to 10.0.0.1:5066"])
        #expect(desk.take(fromPhone()) == (.absorbed, ["180 to 10.0.0.1:5066"]))
        #expect(desk.respond(id, 486) == ["486 to 10.0.0.1:5066"])
        #expect(desk.take(fromPhone(), at: 0.1) == (.absorbed, ["486 to 10.0.0.1:5066"]))
        #expect(desk.tick(at: 0.5) == ["486 to 10.0.0.1:5066"])
        #expect(desk.respond(id, 200, at: 1) == ["not sent"])
        #expect(desk.take(fromPhone("ACK", toTag: ";tag=b2"), at: 1) == (.absorbed, []))
        #expect(desk.table.byteCount == 0 && desk.table.count == 1)
        #expect(desk.run() == ["6.0 server done"])
        #expect(desk.isEmpty)
        #expect(desk.respond(id, 200) == ["not sent"])
    }

    @Test func `a 100 has the request's Timestamp and no tag of its own`() throws {
        var desk = TransactionDesk()
        _ = try desk.open(fromPhone("INVITE", "Subject: Timestamp: 1", "timestamp : 54.3 ", "Timestamp: 2"))
        #expect(
            String(decoding: desk.lastSent, as: UTF8.self).split(separator: "\r\n") == [
                "SIP/2.0 100 Trying", "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bKphone",
                "From: <sip:1001@b>;tag=a1", "To: <sip:1002@b>", "Call-ID: c1", "CSeq: 1 INVITE", "Timestamp: 54.3",
                "Content-Length: 0",
            ])
    }

    @Test func `a 2xx is the users' affair, and its ACK`() throws {
        var desk = TransactionDesk()
        let id = try desk.open(fromPhone()).id
        #expect(desk.respond(id, 200) == ["200 to 10.0.0.1:5066"])
        #expect(desk.table.byteCount == 0)
        #expect(desk.take(fromPhone(), at: 1) == (.absorbed, []))
        #expect(desk.respond(id, 200, at: 1) == ["200 to 10.0.0.1:5066"])
        // With the INVITE's branch as in RFC 2543, or with its own.
        #expect(desk.take(fromPhone("ACK"), at: 2) == (.ack(of: id), []))
        #expect(desk.take(fromPhone("ACK", branch: "z9hG4bKother"), at: 2) == (.ack(of: nil), []))
        #expect(desk.run() == ["32.0 server done"])
        #expect(desk.isEmpty)
    }

    @Test func `an unacknowledged refusal is told of`() throws {
        var desk = TransactionDesk()
        let id = try desk.open(fromPhone()).id
        _ = desk.respond(id, 486)
        let times = [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
        #expect(desk.run() == times.map { "\($0) 486 to 10.0.0.1:5066" } + ["32.0 server timedOut"])
        #expect(desk.isEmpty)
    }

    @Test func `other requests get 100 only when they wait long, and nothing too late`() throws {
        var desk = TransactionDesk()
        let (id, actions) = try desk.open(fromPhone("BYE"))
        #expect(actions == [])
        #expect(desk.take(fromPhone("BYE"), at: 1) == (.absorbed, []))
        #expect(desk.tick(at: 3.4) == [])
        #expect(desk.tick(at: 3.5) == ["100 to 10.0.0.1:5066"])
        #expect(desk.take(fromPhone("BYE"), at: 4) == (.absorbed, ["100 to 10.0.0.1:5066"]))
        #expect(desk.respond(id, 200, at: 4) == ["200 to 10.0.0.1:5066"])
        #expect(desk.take(fromPhone("BYE"), at: 5) == (.absorbed, ["200 to 10.0.0.1:5066"]))
        #expect(desk.run() == ["36.0 server done"])
        _ = try desk.open(fromPhone("BYE"))
        #expect(desk.run() == ["3.5 100 to 10.0.0.1:5066", "37.0 server timedOut"])
        let late = try desk.open(fromPhone("BYE")).id
        #expect(desk.respond(late, 408, at: 31) == ["not sent"])
        #expect(desk.table.byteCount == 0)
        #expect(desk.run() == ["63.0 server timedOut"])
        #expect(desk.isEmpty)
    }

    @Test func `over a stream nothing is repeated, and most ends at once`() throws {
        var desk = TransactionDesk()
        let invite = try desk.open(fromPhone(), from: over4)
        #expect(invite.actions == ["100 to 10.0.0.1:5066 over 4"])
        #expect(desk.respond(invite.id, 486) == ["486 to 10.0.0.1:5066 over 4"])
        #expect(desk.tick(at: 31) == [])
        #expect(desk.take(fromPhone("ACK"), from: over4) == (.absorbed, ["server done"]))
        let bye = try desk.open(fromPhone("BYE"), from: over4).id
        #expect(desk.respond(bye, 200) == ["200 to 10.0.0.1:5066 over 4", "server done"])
        #expect(desk.isEmpty)
    }

    @Test func `answers go to the host that a request came from, and to the port of its Via`() throws {
        var desk = TransactionDesk()
        let source = SIPSource(NetworkAddress(ipv4: 0x0B00_0001, port: 999), listener: 2)
        var actions: [TransactionAction] = []
        let parsed = fromPhone()
        _ = try desk.table.open(parsed.message, in: parsed.bytes.span, from: source, now: at(0), into: &actions)
        let target = SIPSource(NetworkAddress(ipv4: 0x0B00_0001, port: 5066), listener: 2)
        guard case .send(_, to: target) = actions.first else {
            Issue.record("\(actions)")
            return
        }
    }

    // MARK: CANCEL

    @Test func `a CANCEL is answered each time and told once`() throws {
        var desk = TransactionDesk()
        let id = try desk.open(fromPhone()).id
        #expect(desk.take(fromPhone("CANCEL")) == (.cancel(of: id), ["200 to 10.0.0.1:5066"]))
        #expect(String(decoding: desk.lastSent, as: UTF8.self).contains("CSeq: 1 CANCEL\r\n"))
        #expect(desk.take(fromPhone("CANCEL")) == (.absorbed, ["200 to 10.0.0.1:5066"]))
        _ = desk.respond(id, 487)
        #expect(desk.take(fromPhone("CANCEL"), at: 1) == (.absorbed, ["200 to 10.0.0.1:5066"]))
        _ = desk.take(fromPhone("ACK"), at: 1)
        _ = desk.run()
        #expect(desk.isEmpty)
        #expect(desk.take(fromPhone("CANCEL"), at: 99) == (.cancel(of: nil), []))
    }

    @Test func `a CANCEL that comes too late changes nothing`() throws {
        var desk = TransactionDesk()
        let id = try desk.open(fromPhone()).id
        _ = desk.respond(id, 200)
        #expect(desk.take(fromPhone("CANCEL")) == (.absorbed, ["200 to 10.0.0.1:5066"]))
    }

    // MARK: Which request is which

    @Test func `branch, sent-by and method tell requests apart`() throws {
        var desk = TransactionDesk()
        _ = try desk.open(fromPhone(sentBy: "Phone.example.com"))
        #expect(desk.take(fromPhone(sentBy: "phone.EXAMPLE.com")).outcome == .absorbed)
        #expect(desk.take(fromPhone(branch: "z9hG4bKphone2", sentBy: "phone.example.com")).outcome == .new)
        #expect(desk.take(fromPhone(sentBy: "phone.example.com:5060")).outcome == .new)
        #expect(desk.take(fromPhone(sentBy: "phone.example.org")).outcome == .new)
        #expect(desk.take(fromPhone("BYE", sentBy: "phone.example.com")).outcome == .new)
        #expect(desk.take(fromPhone("STRANGE", sentBy: "phone.example.com")).outcome == .new)
        _ = try desk.open(fromPhone("STRANGE", sentBy: "phone.example.com"))
        #expect(desk.take(fromPhone("STRANGE", sentBy: "phone.example.com")).outcome == .absorbed)
        #expect(desk.take(fromPhone("OTHER", sentBy: "phone.example.com")).outcome == .new)
    }

    @Test(arguments: ["", "1", "z9hG4bK"])
    func `requests of RFC 2543 are told apart by more`(branch: String) throws {
        var desk = TransactionDesk()
        let id = try desk.open(fromPhone(branch: branch)).id
        #expect(desk.take(fromPhone(branch: branch)).outcome == .absorbed)
        #expect(desk.take(fromPhone(branch: branch, cseq: 2)).outcome == .new)
        #expect(desk.take(fromPhone(branch: branch, uri: "sip:1003@b")).outcome == .new)
        #expect(desk.take(fromPhone("BYE", branch: branch)).outcome == .new)
        #expect(desk.take(fromPhone("CANCEL", branch: branch)).outcome == .cancel(of: id))
        _ = desk.respond(id, 486)
        #expect(desk.take(fromPhone("ACK", branch: branch, cseq: 2)).outcome == .ack(of: nil))
        #expect(desk.take(fromPhone("ACK", branch: branch, toTag: ";tag=theirs")).outcome == .absorbed)
        #expect(desk.run() == ["5.0 server done"])
    }
}
