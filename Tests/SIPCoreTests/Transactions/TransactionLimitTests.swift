import ClusterModel
import SIPCore
import Testing

/// A table takes no more than it may, and nothing that anybody sends does more than it should.
@Suite struct TransactionLimitTests {
    private func desk(_ transactions: Int, bytes: Int = 1 << 20) -> TransactionDesk {
        var limits = TransactionLimits()
        limits.transactions = transactions
        limits.bytes = bytes
        return TransactionDesk(limits)
    }

    private func invite(_ number: Int) -> Parsed { fromPhone(branch: "z9hG4bKphone\(number)") }

    @Test func `a full table refuses new requests first, then those that go on, then keeps no CANCEL`() throws {
        var desk = desk(8)
        for number in 0..<6 { _ = try desk.open(invite(number)) }
        #expect(throws: TransactionRefusal.tableFull) { _ = try desk.open(invite(6)) }
        #expect(desk.take(invite(6)).outcome == .new)
        #expect(desk.take(invite(5)).outcome == .absorbed)
        let id = try desk.send(fromNode()).id
        #expect(throws: TransactionRefusal.tableFull) { _ = try desk.send(fromNode(branch: "z9hG4bKb")) }
        _ = desk.take(response: response(180))
        #expect(desk.cancel(id) == ["CANCEL to 10.0.0.2:5080"])
        #expect(desk.table.count == 8)
    }

    @Test func `a CANCEL without room is sent once`() throws {
        var desk = desk(2)
        let id = try desk.send(fromNode()).id
        _ = try desk.send(fromNode("BYE", branch: "z9hG4bKb"), to: SIPSource(callee, flow: FlowID(rawValue: 1)))
        _ = desk.take(response: response(180))
        #expect(desk.cancel(id) == ["CANCEL to 10.0.0.2:5080"])
        #expect(desk.table.count == 2)
        #expect(desk.run() == ["32.0 client timedOut", "32.0 client timedOut"])
        #expect(desk.isEmpty)
    }

    @Test func `a table of none takes none`() {
        var desk = desk(0)
        #expect(throws: TransactionRefusal.tableFull) { _ = try desk.open(invite(0)) }
        #expect(throws: TransactionRefusal.tableFull) { _ = try desk.send(fromNode()) }
        #expect(desk.isEmpty && desk.tick(at: 99) == [])
    }

    @Test func `bytes are bounded, and what does not fit is sent but not again`() throws {
        var desk = desk(100, bytes: 800)
        let id = try desk.open(invite(0)).id
        let former = desk.table.byteCount
        #expect(former > 100 && former <= 600)
        let large = "SIP/2.0 486 X\r\nX: " + String(repeating: "x", count: 800) + "\r\n\r\n"
        var actions: [TransactionAction] = []
        let isSent = desk.table.respond(id, Array(large.utf8), now: at(0), into: &actions)
        #expect(isSent && actions.count == 1)
        #expect(desk.table.byteCount == 0)
        #expect(desk.take(invite(0)) == (.absorbed, []))
        #expect(desk.tick(at: 0.5) == [])
        #expect(throws: TransactionRefusal.tableFull) {
            _ = try desk.send(fromNode("INVITE", "X: " + String(repeating: "x", count: 600)))
        }
        #expect(desk.take(fromPhone("ACK", branch: "z9hG4bKphone0"), at: 1).outcome == .absorbed)
        _ = desk.run()
        #expect(desk.isEmpty)
    }

    @Test func `nothing is left of many, and their places are used again`() throws {
        var desk = desk(1000)
        var former: ServerTransactionID?
        for round in 0..<5 {
            let start = Double(round) * 100
            for number in 0..<700 {
                let id = try desk.open(invite(number), at: start).id
                #expect(id != former)
                if number == 0 { former = id }
                if !number.isMultiple(of: 3) { _ = desk.respond(id, number.isMultiple(of: 2) ? 200 : 486, at: start) }
                if number.isMultiple(of: 3) { _ = desk.respond(id, 603, at: start + 1) }
            }
            #expect(desk.table.count == 700)
            for number in 0..<700 {
                _ = desk.take(fromPhone("ACK", branch: "z9hG4bKphone\(number)"), at: start + 2)
            }
            _ = desk.run()
            #expect(desk.isEmpty)
        }
    }

    // MARK: Whatever is sent

    @Test func `an ID means nothing after its transaction`() throws {
        var desk = TransactionDesk()
        let over4 = SIPSource(phone, flow: FlowID(rawValue: 4))
        let server = try desk.open(fromPhone("BYE"), from: over4).id
        _ = desk.respond(server, 200)
        let client = try desk.send(fromNode("BYE"), to: over4).id
        _ = desk.take(response: response(200, "BYE"))
        // The same place has another now.
        _ = try desk.send(fromNode(), to: over4)
        let before = desk.table.nextDeadline
        var actions: [TransactionAction] = []
        desk.table.cancel(client, now: at(1), into: &actions)
        desk.table.limitRinging(client, to: 1, now: at(1), into: &actions)
        desk.table.transportFailed(client, now: at(1), into: &actions)
        desk.table.transportFailed(server, now: at(1), into: &actions)
        #expect(actions.isEmpty && desk.table.nextDeadline == before)
        #expect(desk.respond(server, 500, at: 1) == ["not sent"])
        #expect(desk.table.count == 1)
    }

    @Test func `ACKs and CANCELs from elsewhere, or of nothing, end no call`() throws {
        var desk = TransactionDesk()
        let elsewhere = SIPSource(NetworkAddress(ipv4: 0x0B00_0009, port: 5066))
        let otherPort = SIPSource(phone.with(port: 1))
        #expect(desk.take(fromPhone("ACK")) == (.ack(of: nil), []))
        #expect(desk.take(fromPhone("CANCEL")) == (.cancel(of: nil), []))
        let id = try desk.open(fromPhone()).id
        #expect(desk.take(fromPhone("CANCEL"), from: elsewhere) == (.cancel(of: nil), []))
        #expect(desk.take(fromPhone("ACK")) == (.absorbed, []))
        _ = desk.respond(id, 486)
        #expect(desk.take(fromPhone("ACK"), from: elsewhere) == (.ack(of: nil), []))
        #expect(desk.tick(at: 0.5) == ["486 to 10.0.0.1:5066"])
        #expect(desk.take(fromPhone("ACK"), at: 1, from: otherPort) == (.absorbed, []))
        #expect(desk.tick(at: 1.5) == [])
    }

    @Test func `a CANCEL and an ACK end no request but an INVITE`() throws {
        var desk = TransactionDesk()
        let id = try desk.open(fromPhone("BYE")).id
        #expect(desk.take(fromPhone("CANCEL")) == (.cancel(of: nil), []))
        #expect(desk.take(fromPhone("ACK")) == (.ack(of: nil), []))
        #expect(desk.respond(id, 200) == ["200 to 10.0.0.1:5066"])
    }

    @Test func `what is no response is not sent`() throws {
        var desk = TransactionDesk()
        let id = try desk.open(fromPhone()).id
        var actions: [TransactionAction] = []
        for text in [
            "", "SIP/2.0", "SIP/2.0 99 X\r\n\r\n", "SIP/2.0 700 X\r\n", "SIP/3.0 200 OK\r\n", "INVITE sip:a SIP/2.0",
        ] {
            let isSent = desk.table.respond(id, Array(text.utf8), now: at(0), into: &actions)
            #expect(!isSent, "\(text)")
        }
        #expect(actions.isEmpty)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `whatever comes in whatever order ends`(seed: UInt64) throws {
        var generator = SeededGenerator(state: seed)
        var desk = desk(16, bytes: 4000)
        var servers: [ServerTransactionID] = []
        var clients: [ClientTransactionID] = []
        var seconds = 0.0
        for _ in 0..<2000 {
            seconds += Double(Int.random(in: 0...20, using: &generator)) / 10
            let number = Int.random(in: 0..<6, using: &generator)
            let method = ["INVITE", "BYE", "ACK", "CANCEL"].randomElement(using: &generator)!
            let status = [100, 180, 200, 408, 486].randomElement(using: &generator)!
            let source = SIPSource(phone, flow: FlowID(rawValue: UInt64(number % 2)))
            let target = SIPSource(callee, flow: FlowID(rawValue: UInt64(number % 2)))
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: _ = desk.take(fromPhone(method, branch: "z9hG4bK\(number)"), at: seconds, from: source)
            case 1:
                let opened = try? desk.open(fromPhone(method, branch: "z9hG4bK\(number)"), at: seconds, from: source)
                if let opened { servers.append(opened.id) }
            case 2:
                let sent = try? desk.send(fromNode(method, branch: "z9hG4bK\(number)"), to: target, at: seconds)
                if let sent { clients.append(sent.id) }
            case 3: _ = desk.take(response: response(status, method, branch: "z9hG4bK\(number)"), at: seconds)
            case 4: if let id = servers.randomElement(using: &generator) { _ = desk.respond(id, status, at: seconds) }
            case 5: if let id = clients.randomElement(using: &generator) { _ = desk.cancel(id, at: seconds) }
            case 6: _ = desk.tick(at: seconds)
            default: if number == 0 { _ = desk.flowEnded(FlowID(rawValue: 1), at: seconds) }
            }
            #expect(desk.table.count <= 16 && desk.table.byteCount <= 4000)
            #expect(desk.table.timerCount <= desk.table.count)
        }
        for id in servers { _ = desk.respond(id, 500, at: seconds) }
        _ = desk.run()
        #expect(desk.isEmpty)
    }
}
