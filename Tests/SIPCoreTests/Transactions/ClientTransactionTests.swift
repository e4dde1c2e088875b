import ClusterModel
import SIPCore
import Testing

/// Requests that were sent: what goes out again, what follows from them, and which responses are theirs.
@Suite struct ClientTransactionTests {
    private let over4 = SIPSource(callee, flow: FlowID(rawValue: 4))

    @Test func `an INVITE that nobody answers is sent seven times`() throws {
        var desk = TransactionDesk()
        let (_, actions) = try desk.send(fromNode())
        #expect(actions == ["INVITE to 10.0.0.2:5080"])
        let times = [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
        #expect(desk.run() == times.map { "\($0) INVITE to 10.0.0.2:5080" } + ["32.0 client timedOut"])
        #expect(desk.lastSent == fromNode().bytes)
        #expect(desk.isEmpty)
    }

    @Test func `a refusal is acknowledged each time and passed up once`() throws {
        var desk = TransactionDesk()
        let id = try desk.send(fromNode("INVITE", "Route: <sip:a;lr>,", " <sip:b;lr>", "Route: <sip:c;lr>")).id
        #expect(desk.take(response: response(100)) == (.absorbed, []))
        #expect(desk.take(response: response(180)) == (.forward(id), []))
        #expect(desk.take(response: response(180)) == (.forward(id), []))
        #expect(desk.take(response: response(486), at: 1) == (.forward(id), ["ACK to 10.0.0.2:5080"]))
        let ack = [
            "ACK sip:1002@10.0.0.2:5080 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnode",
            "Route: <sip:a;lr>,   <sip:b;lr>", "Route: <sip:c;lr>", "Max-Forwards: 70", "From: <sip:1001@b>;tag=a1",
            "To: <sip:1002@b>;tag=b2", "Call-ID: c1", "CSeq: 7 ACK", "Content-Length: 0",
        ]
        #expect(String(decoding: desk.lastSent, as: UTF8.self).split(separator: "\r\n").map(String.init) == ack)
        let first = desk.lastSent
        #expect(desk.take(response: response(486), at: 2) == (.absorbed, ["ACK to 10.0.0.2:5080"]))
        #expect(desk.lastSent == first)
        #expect(Parsed(bytes: first).outcome == .request)
        #expect(desk.run() == ["33.0 client done"])
        #expect(desk.isEmpty)
        #expect(desk.take(response: response(486), at: 40) == (.stray, []))
    }

    @Test func `each 2xx is passed up for 32 s`() throws {
        var desk = TransactionDesk()
        let id = try desk.send(fromNode()).id
        #expect(desk.take(response: response(200)) == (.forward(id), []))
        #expect(desk.table.byteCount == 0)
        #expect(desk.take(response: response(200), at: 31) == (.forward(id), []))
        #expect(desk.run() == ["32.0 client done"])
        #expect(desk.take(response: response(200), at: 33) == (.stray, []))
        #expect(desk.isEmpty)
    }

    @Test func `a CANCEL goes out when somebody has the INVITE, with a transaction of its own`() throws {
        var desk = TransactionDesk()
        let id = try desk.send(fromNode("INVITE", "Route: <sip:a;lr>")).id
        #expect(desk.cancel(id) == [])
        #expect(desk.take(response: response(100), at: 0.1) == (.absorbed, ["CANCEL to 10.0.0.2:5080"]))
        #expect(
            String(decoding: desk.lastSent, as: UTF8.self).split(separator: "\r\n") == [
                "CANCEL sip:1002@10.0.0.2:5080 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnode",
                "Route: <sip:a;lr>", "Max-Forwards: 70", "From: <sip:1001@b>;tag=a1", "To: <sip:1002@b>",
                "Call-ID: c1", "CSeq: 7 CANCEL", "Content-Length: 0",
            ])
        #expect(desk.cancel(id) == [])
        #expect(desk.table.count == 2)
        #expect(desk.tick(at: 0.6) == ["CANCEL to 10.0.0.2:5080"])
        #expect(desk.take(response: response(200, "CANCEL"), at: 1) == (.absorbed, []))
        #expect(desk.take(response: response(487), at: 2) == (.forward(id), ["ACK to 10.0.0.2:5080"]))
        #expect(desk.run() == ["34.0 client done"])
        #expect(desk.isEmpty)
    }

    @Test func `a cancelled INVITE without an answer ends, and its CANCEL`() throws {
        var desk = TransactionDesk()
        let id = try desk.send(fromNode(), to: over4).id
        _ = desk.take(response: response(180))
        #expect(desk.cancel(id) == ["CANCEL to 10.0.0.2:5080 over 4"])
        #expect(desk.run() == ["32.0 client timedOut"])
        #expect(desk.isEmpty)
    }

    @Test func `what rings too long is cancelled`() throws {
        var desk = TransactionDesk()
        let id = try desk.send(fromNode(), to: over4).id
        var actions: [TransactionAction] = []
        desk.table.limitRinging(id, to: 20_000_000_000, now: at(0), into: &actions)
        #expect(desk.take(response: response(180), at: 2).outcome == .forward(id))
        #expect(desk.tick(at: 21.9) == [])
        #expect(desk.tick(at: 22) == ["CANCEL to 10.0.0.2:5080 over 4"])
        #expect(desk.take(response: response(487), at: 23).outcome == .forward(id))
        #expect(desk.take(response: response(200, "CANCEL"), at: 23) == (.absorbed, []))
        #expect(desk.isEmpty)
        let patient = try desk.send(fromNode(), to: over4).id
        desk.table.limitRinging(patient, to: .max, now: at(30), into: &actions)
        _ = desk.take(response: response(180), at: 31)
        #expect(actions.isEmpty && desk.table.nextDeadline == nil)
    }

    @Test func `other requests are repeated until a final response, which ends them`() throws {
        var desk = TransactionDesk()
        let id = try desk.send(fromNode("BYE")).id
        #expect(desk.tick(at: 0.5) == ["BYE to 10.0.0.2:5080"])
        #expect(desk.cancel(id) == [])
        #expect(desk.take(response: response(200, "BYE"), at: 1) == (.forward(id), []))
        #expect(desk.table.byteCount == 0)
        #expect(desk.take(response: response(200, "BYE"), at: 1) == (.absorbed, []))
        #expect(desk.run() == ["6.0 client done"])
        _ = try desk.send(fromNode("BYE"), to: over4)
        #expect(desk.table.byteCount == 0)
        #expect(desk.take(response: response(200, "BYE")).actions == ["client done"])
        #expect(desk.isEmpty)
    }

    @Test func `responses to others are strays`() throws {
        var desk = TransactionDesk()
        let id = try desk.send(fromNode()).id
        #expect(desk.take(response: response(200, branch: "z9hG4bKnodf")) == (.stray, []))
        #expect(desk.take(response: response(200, "BYE")) == (.stray, []))
        #expect(desk.take(response: response(200, "CANCEL")) == (.stray, []))
        #expect(desk.take(response: response(200, sentBy: "192.0.2.1:5061")) == (.stray, []))
        #expect(desk.take(response: response(200, sentBy: "192.0.2.2:5060")) == (.stray, []))
        #expect(desk.take(response: response(486, to: "<sip:broken")) == (.stray, []))
        #expect(desk.take(response: response(200)).outcome == .forward(id))
    }

    @Test func `a request is sent once under its branch, and only what has a transaction`() throws {
        var desk = TransactionDesk()
        _ = try desk.send(fromNode())
        #expect(throws: TransactionRefusal.known) { _ = try desk.send(fromNode()) }
        #expect(throws: TransactionRefusal.unsuitable) { _ = try desk.send(fromNode("ACK", branch: "z9hG4bKa")) }
        #expect(throws: TransactionRefusal.unsuitable) { _ = try desk.send(fromNode("CANCEL", branch: "z9hG4bKa")) }
        #expect(throws: TransactionRefusal.unsuitable) { _ = try desk.send(Parsed("INVITE sip:a SIP/2.0\r\n\r\n")) }
        #expect(throws: TransactionRefusal.unsuitable) { _ = try desk.open(fromPhone("CANCEL")) }
        #expect(throws: TransactionRefusal.unsuitable) { _ = try desk.open(fromPhone("ACK")) }
    }

    // MARK: Streams that end

    @Test func `with a stream its clients fail, and servers learn that nobody hears them`() throws {
        var desk = TransactionDesk()
        let accepted = try desk.send(fromNode(branch: "z9hG4bK1"), to: over4).id
        #expect(desk.take(response: response(200, branch: "z9hG4bK1")).outcome == .forward(accepted))
        _ = try desk.send(fromNode(branch: "z9hG4bK2"), to: over4)
        _ = try desk.send(fromNode("BYE", branch: "z9hG4bK3"))
        let server = try desk.open(fromPhone(), from: SIPSource(phone, flow: FlowID(rawValue: 4))).id
        _ = try desk.send(fromNode("BYE", branch: "z9hG4bK4"), to: SIPSource(callee, flow: FlowID(rawValue: 5)))
        #expect(desk.flowEnded(FlowID(rawValue: 4)) == ["undelivered", "client failed"])
        #expect(desk.flowEnded(FlowID(rawValue: 4)) == [])
        #expect(desk.flowEnded(FlowID(rawValue: 6)) == [])
        #expect(desk.respond(server, 200, at: 1) == ["200 to 10.0.0.1:5066 over 4"])
        #expect(desk.flowEnded(FlowID(rawValue: 5), at: 1) == ["client failed"])
        _ = desk.run()
        #expect(desk.isEmpty)
    }

    @Test func `what cannot be sent is told once`() throws {
        var desk = TransactionDesk()
        var actions: [TransactionAction] = []
        let client = try desk.send(fromNode()).id
        let server = try desk.open(fromPhone()).id
        desk.table.transportFailed(client, now: at(0), into: &actions)
        desk.table.transportFailed(client, now: at(0), into: &actions)
        desk.table.transportFailed(server, now: at(0), into: &actions)
        #expect(actions == [.clientEnded(client, .failed), .undelivered(server)])
        _ = desk.respond(server, 200)
        _ = desk.run()
        #expect(desk.isEmpty)
    }
}
