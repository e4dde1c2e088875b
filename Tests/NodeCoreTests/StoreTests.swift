import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// What a node writes down before it answers, and what its next life takes back.
@Suite struct StoreTests {
    // MARK: Before the answer

    @Test func `a registration is answered when it is written, and nothing has happened before`() throws {
        var node = Remembering()
        #expect(node.core.status(register("1000")) == "no answer")
        #expect(node.core.service("1000") == .neverRegistered)
        let write = try #require(node.write().first)
        #expect(write.number == 1 && write.dn == DN("1000"))
        let row = try #require(write.row)
        #expect(row.service == .inService && row.contacts.count == 1 && row.claim == row.registered)
        #expect(write.greatestStamp >= row.claim)
        #expect(node.answers().isEmpty)
        node.core.storeCommitted(through: 1, now: at(0.01))
        #expect(node.answers() == ["200 OK"])
        #expect(node.core.service("1000") == .inService)
        #expect(node.core.ownership.view(of: dn("1000")).stamp == row.claim)
        // What is written is all.
        #expect(node.write().isEmpty)
    }

    @Test func `what cannot be written is refused, and nothing has happened`() {
        var node = Remembering()
        _ = node.core.receive(register("1000"))
        node.core.storeFailed(through: node.write().last?.number ?? 0, now: at(0.01))
        #expect(node.answers(whole: true).first?.contains("503 Service Unavailable") == true)
        _ = node.core.receive(register("1000", cseq: 2))
        node.core.storeFailed(through: node.write().last?.number ?? 0, now: at(0.02))
        #expect(node.answers(whole: true).first?.contains("Retry-After: 5") == true)
        #expect(node.core.service("1000") == .neverRegistered)
        #expect(node.core.registrar.bindingCount == 0)
        // The disk has room again.
        _ = node.core.receive(register("1000", cseq: 3))
        #expect(node.commit() == ["200 OK"])
        #expect(node.core.service("1000") == .inService)
    }

    @Test func `lifetimes count from when the request came`() throws {
        var node = Remembering()
        _ = node.core.receive(register("1000", expires: 100), 0)
        _ = node.write()
        node.core.storeCommitted(through: 1, now: at(10))
        let answer = try #require(node.answers(whole: true).first)
        #expect(answer.contains(";expires=90\r\n"), "\(answer)")
    }

    @Test func `a refresh within the tenth that is kept longer is answered at once, a later one when it is written`() {
        var node = Remembering()
        _ = node.core.receive(register("1000", expires: 100))
        #expect(node.commit() == ["200 OK"])
        #expect(node.core.status(register("1000", cseq: 2, expires: 100), 9) == "200 OK")
        #expect(node.write().isEmpty)
        #expect(node.core.status(register("1000", cseq: 3, expires: 100), 12) == "no answer")
        #expect(node.commit(12) == ["200 OK"])
        // And the tenth begins anew.
        #expect(node.core.status(register("1000", cseq: 4, expires: 100), 20) == "200 OK")
        #expect(node.write().isEmpty)
    }

    @Test func `a refresh with a shorter lifetime is written: it must not be kept as long as the former`() {
        var node = Remembering()
        _ = node.core.receive(register("1000", expires: 1000))
        #expect(node.commit() == ["200 OK"])
        #expect(node.core.status(register("1000", cseq: 2, expires: 100), 1) == "no answer")
        #expect(node.commit(1) == ["200 OK"])
    }

    @Test func `a refresh from elsewhere is written`() {
        var node = Remembering()
        _ = node.core.receive(register("1000"))
        #expect(node.commit() == ["200 OK"])
        let moved = NetworkAddress(ipv4: 0x0A00_0002, port: 5066)
        #expect(node.core.status(register("1000", cseq: 2), 1, from: moved) == "no answer")
        #expect(node.commit(1) == ["200 OK"])
    }

    @Test func `a removal is answered when it is written`() throws {
        var node = Remembering()
        _ = node.core.receive(register("1000"))
        #expect(node.commit() == ["200 OK"])
        #expect(node.core.status(register("1000", cseq: 2, expires: 0), 1) == "no answer")
        #expect(node.core.service("1000") == .inService)
        let write = try #require(node.write().last)
        let row = try #require(write.row)
        #expect(row.service == .unregistered && row.contacts.isEmpty)
        node.core.storeFailed(through: write.number, now: at(1))
        #expect(node.answers() == ["503 Service Unavailable"])
        #expect(node.core.service("1000") == .inService)
        _ = node.core.status(register("1000", cseq: 3, expires: 0), 2)
        #expect(node.commit(2) == ["200 OK"])
        #expect(node.core.service("1000") == .unregistered)
    }

    @Test func `the same datagram again is answered with the first; others wait behind it, up to 128 KiB`() {
        var node = Remembering()
        _ = node.core.receive(register("1000"))
        #expect(node.core.status(register("1000")) == "no answer")
        let most = (128 << 10) / register("1000", cseq: 100).utf8.count
        for cseq in 100..<100 + most { #expect(node.core.status(register("1000", cseq: cseq)) == "no answer") }
        #expect(node.core.status(register("1000", cseq: 103)) == "no answer")
        #expect(node.core.status(register("1000", cseq: 999)) == "503 Service Unavailable")
        #expect(node.write().count == 1)
        node.core.storeCommitted(through: 1, now: at(0.01))
        // The others are refreshes within the tenth.
        #expect(node.answers() == Array(repeating: "200 OK", count: 1 + most))
    }

    @Test func `a greater claim that is heard meanwhile wins: the phone is asked to come again`() {
        var pair = RememberingPair()
        _ = pair.nodes[0].core.receive(register("1000"))
        let write = pair.nodes[0].write()
        // The other node's clock is ahead.
        _ = pair.nodes[1].core.receive(register("1000"), 2)
        #expect(pair.nodes[1].commit(2) == ["200 OK"])
        pair.pump()
        pair.nodes[0].core.storeCommitted(through: write.last?.number ?? 0, now: at(0.01))
        #expect(pair.nodes[0].answers() == ["503 Service Unavailable"])
        #expect(pair.nodes[0].core.service("1000") == .inService)
        #expect(pair.nodes[0].core.ownership.view(of: dn("1000")).owner == beta)
        // The store is put right.
        #expect(pair.nodes[0].write().map(\.row) == [nil])
    }

    @Test func `a DN that goes to another node while its refresh is written is claimed with what is written`() throws {
        var pair = RememberingPair()
        _ = pair.nodes[0].core.receive(register("1000"))
        #expect(pair.nodes[0].commit() == ["200 OK"])
        pair.pump()
        _ = pair.nodes[1].core.receive(register("1000"), 1)
        #expect(pair.nodes[1].commit(1) == ["200 OK"])
        // It does not know yet of the other's claim, which is older than this request.
        let moved = NetworkAddress(ipv4: 0x0A00_0002, port: 5066)
        _ = pair.nodes[0].core.receive(register("1000", cseq: 2), 2, from: moved)
        let first = try #require(pair.nodes[0].write(2).last)
        pair.pump()
        #expect(!pair.nodes[0].core.ownership.owns(dn("1000")))
        pair.nodes[0].core.storeCommitted(through: first.number, now: at(2.1))
        #expect(pair.nodes[0].answers().isEmpty, "what is written would not hold")
        let second = try #require(pair.nodes[0].write(2.1).last)
        pair.nodes[0].core.storeCommitted(through: second.number, now: at(2.2))
        #expect(pair.nodes[0].answers() == ["200 OK"])
        #expect(pair.nodes[0].core.ownership.view(of: dn("1000")).stamp == second.row?.claim)
        #expect(second.row?.claim != first.row?.claim)
    }

    @Test func `the stream of a phone that waits ends: nobody is told, and nothing has happened`() {
        var node = Remembering()
        let flow = FlowID(rawValue: 9)
        let text = register("1000", contact: "<sip:phone@10.0.0.1:5066;transport=tcp>")
        var answers = DatagramBatch()
        node.core.messageReceived(
            Array(text.utf8).span, from: SIPSource(phone, flow: flow), now: at(0), answers: &answers)
        let write = node.write()
        #expect(write.count == 1)
        node.core.flowEnded(flow, now: at(0.01))
        node.core.storeCommitted(through: 1, now: at(0.02))
        #expect(node.answers().isEmpty)
        #expect(node.core.service("1000") == .neverRegistered)
        #expect(node.write().map(\.row) == [nil])
    }

    @Test func `an agent's login is answered when it is written, and refused where it cannot be`() {
        var node = Remembering()
        _ = node.core.receive(register("1000"))
        #expect(node.commit() == ["200 OK"])
        let login = TRequest.agent(
            referenceID: 5, dn: "1000", .login(AgentID("agent1")!, .unknown, Reasons(), profile: nil))
        #expect(node.core.ask(login, desktop, 1).isEmpty)
        #expect(node.core.ownership.session(of: dn("1000")) == nil)
        // What else is asked of the DN waits behind it.
        #expect(node.core.status(register("1000", cseq: 2, expires: 0), 1) == "no answer")
        node.core.storeFailed(through: node.write(1).last?.number ?? 0, now: at(1))
        #expect(node.core.read(desktop) == [.error(referenceID: 5, .notWritten)])
        #expect(node.core.ownership.session(of: dn("1000")) == nil)
        #expect(node.commit(1) == ["200 OK"])
        _ = node.core.receive(register("1000", cseq: 3), 2)
        #expect(node.commit(2) == ["200 OK"])

        #expect(node.core.ask(login, desktop, 2).isEmpty)
        _ = node.commit(2)
        let events = node.core.read(desktop)
        #expect(events.count == 1)
        guard case .agent(let event, referenceID: 5, _)? = events.first else {
            return #expect(Bool(false), "\(events)")
        }
        #expect(event.kind == .login)
        #expect(node.restarted(3).core.ownership.session(of: dn("1000")) == event.session)
    }

    // MARK: What nobody waits for

    @Test func `expiry is written afterwards, and again a second after it could not be`() {
        var node = Remembering()
        _ = node.core.receive(register("1000", expires: 60))
        #expect(node.commit() == ["200 OK"])
        node.core.tick(now: at(62))
        let first = node.write(62)
        #expect(first.map(\.row?.service) == [.expired])
        node.core.storeFailed(through: first[0].number, now: at(62))
        #expect(node.write(62.5).isEmpty)
        #expect(node.core.nextDeadline() <= at(63).monotonic)
        #expect(node.write(63.1).map(\.row?.service) == [.expired])
    }

    // MARK: The next life

    @Test func `the next life has the phone, the claim and the agent back`() throws {
        var node = Remembering()
        _ = node.core.receive(register("1000", expires: 60))
        #expect(node.commit() == ["200 OK"])
        let before = node.core.ownership.view(of: dn("1000"))
        _ = node.core.ask(
            .agent(
                referenceID: 1, dn: "1000",
                .login(AgentID("agent1")!, .unknown, Reasons(), profile: nil)), desktop, 1)
        _ = node.commit(1)
        var next = node.restarted(10)
        let after = next.core.ownership.view(of: dn("1000"))
        #expect(after.service == .inService && after.stamp == before.stamp && after.agent?.agent.text == "agent1")
        #expect(next.core.registrar.bindings(of: dn("1000")).first?.source.address == phone)
        #expect(next.write(10).isEmpty)
        // A refresh is no new claim. The tenth by which it was kept longer is not there a second time.
        #expect(next.core.status(register("1000", cseq: 2, expires: 60), 11) == "no answer")
        #expect(next.commit(11) == ["200 OK"])
        #expect(next.core.ownership.view(of: dn("1000")).stamp == before.stamp)
    }

    @Test func `a binding that has expired since stays away, and the DN says so`() {
        var node = Remembering()
        _ = node.core.receive(register("1000", expires: 60))
        #expect(node.commit() == ["200 OK"])
        // The tenth is not over.
        #expect(node.restarted(65).core.service("1000") == .inService)
        var late = node.restarted(68)
        #expect(late.core.service("1000") == .expired)
        #expect(late.core.registrar.bindingCount == 0)
        #expect(late.write(68).map(\.row?.service) == [.expired])
    }

    @Test func `a phone behind a stream that ended with the process is lost with it`() {
        var node = Remembering()
        let source = SIPSource(phone, flow: FlowID(rawValue: 9))
        let text = register("1000", contact: "<sip:phone@192.168.0.1:5066;transport=tcp>")
        var answers = DatagramBatch()
        node.core.messageReceived(Array(text.utf8).span, from: source, now: at(0), answers: &answers)
        #expect(node.commit() == ["200 OK"])
        #expect(node.core.service("1000") == .inService)
        #expect(node.restarted(1).core.service("1000") == .flowLost)
    }

    @Test func `a PSTN DN waits for its desktop`() {
        var node = Remembering()
        _ = node.core.ask(.registerAddress(referenceID: 1, dn: "7000", takeover: false))
        _ = node.commit()
        #expect(node.core.service("7000") == .inService)
        let next = node.restarted(1)
        #expect(next.core.service("7000") == .desktopGone)
        #expect(next.core.ownership.owns(dn("7000")))
    }

    @Test func `stamps of a clock that was an hour ahead are made anew, as nobody would take them`() {
        var node = Remembering()
        _ = node.core.receive(register("1000"), 3600)
        #expect(node.commit(3600) == ["200 OK"])
        var next = node.restarted(1)
        #expect(next.core.service("1000") == .inService)
        #expect(next.core.ownership.view(of: dn("1000")).stamp.milliseconds == at(1).wallMilliseconds)
        #expect(next.core.ownership.greatestStamp.milliseconds == at(1).wallMilliseconds)
        #expect(next.write(1).count == 1)
    }

    @Test func `after a clock that was set back a binding lasts no longer than a registration could`() {
        var node = Remembering()
        _ = node.core.receive(register("1000", expires: 60), 1_000_000)
        #expect(node.commit(1_000_000) == ["200 OK"])
        let next = node.restarted(0)
        let most = UInt64(RegistrationLimits().maximumExpires) * 1_100_000_000 + 2_000_000_000
        #expect(next.core.registrar.bindings(of: dn("1000")).allSatisfy { $0.expiry <= at(0).monotonic + most })
    }

    @Test func `a node without a store answers at once and writes nothing`() {
        var node = core()
        #expect(node.status(register("1000")) == "200 OK")
        #expect(node.takeWrites(now: at(0)).isEmpty)
    }
}
