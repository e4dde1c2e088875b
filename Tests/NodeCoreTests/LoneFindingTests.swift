import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// What one node finds of agents, reservations, calls, its store and strangers.
@Suite struct LoneFindingTests {
    private func login(_ dn: String) -> TRequest {
        .agent(referenceID: 5, dn: dn, .login(AgentID("ann")!, .autoIn, Reasons()))
    }

    @Test func `an agent who stays logged in on a DN without a phone is told after a minute`() {
        var node = core()
        _ = node.receive(register("1000", expires: 3600))
        _ = node.ask(login("1000"))
        node.look(until: 90)
        #expect(node.told(.agentWithoutDesktop, 90) == [])
        _ = node.receive(register("1000", cseq: 2, contact: "*", expires: 0), 90)
        #expect(!node.service("1000").isInService)
        node.look(from: 90, until: 150)
        #expect(node.told(.agentWithoutDesktop, 150) == [])
        node.look(from: 150, until: 180)
        #expect(node.told(.agentWithoutDesktop, 180) == ["1000: ann, unregistered"])
        _ = node.ask(.agent(referenceID: 6, dn: "1000", .logout(Reasons())), desktop, 180)
        node.look(from: 180, until: 186)
        #expect(node.told(.agentWithoutDesktop, 186) == [])
    }

    @Test func `a reservation that goes on for an hour is told, and one that outlives its end`() {
        for (milliseconds, before, after) in [(7_200_000, 3_590.0, 3_610.0), (60_000, 65.0, 80.0)] {
            var node = core()
            _ = node.receive(register("1000", expires: 3600))
            _ = node.ask(login("1000"))
            _ = node.ask(
                .reserveAgent(
                    referenceID: 7, dn: "1000", ReservationRequest(duration: .milliseconds(UInt32(milliseconds)))),
                other)
            // Without a tick, which would end it.
            node.look(from: before, until: before + 1)
            #expect(node.told(.endlessReservation, before + 1) == [])
            node.look(from: after, until: after + 1)
            let words = milliseconds == 60_000 ? "past its end" : "agent reserved"
            #expect(node.told(.endlessReservation, after + 1) == ["1000: \(words), by a client of dc1/alpha"])
            node.clientDisconnected(other, now: at(after + 1))
            node.look(from: after + 1, until: after + 12)
            #expect(node.told(.endlessReservation, after + 12) == [])
        }
    }

    @Test func `a reservation that is made longer again and again is as old as it is`() {
        var node = core()
        _ = node.receive(register("1000", expires: 3600))
        _ = node.ask(login("1000"))
        for minute in 0...65 {
            let request = TRequest.reserveAgent(
                referenceID: 7, dn: "1000", ReservationRequest(duration: .milliseconds(120_000)))
            _ = node.ask(request, other, Double(minute) * 60)
        }
        node.look(from: 3_910, until: 3_911)
        #expect(node.told(.endlessReservation, 3_911) == ["1000: agent reserved, by a client of dc1/alpha"])
    }

    @Test func `a call that lasts for half of the longest is told by the owners of both, until it ends`() throws {
        var desk = CallDesk { $0.timing.maximumCall = .seconds(240) }
        let caller = desk.phone("1000", at: 0, host: 1)
        let callee = desk.phone("1001", at: 1, host: 2)
        _ = desk.invite("1001", from: caller)
        let invite = try #require(desk.received(callee).first)
        desk.answer(invite, "200 OK", callee)
        let success = try #require(desk.received(caller).last)
        let dialog = Dialog(caller: success, callee: callee)
        desk.request("ACK", in: dialog, from: caller, cseq: 1)
        desk.wait(119)
        #expect(desk.told(.endlessCall, at: 0).isEmpty && desk.told(.endlessCall, at: 1).isEmpty)
        desk.wait(8)
        #expect(desk.told(.endlessCall, at: 0).map { $0.hasSuffix("with 1001") } == [true])
        #expect(desk.told(.endlessCall, at: 1).map { $0.hasPrefix("1001: established ") } == [true])
        desk.request("BYE", in: dialog, from: caller, cseq: 2)
        let bye = try #require(desk.received(callee).last)
        desk.answer(bye, "200 OK", callee)
        desk.wait(6)
        #expect(desk.told(.endlessCall, at: 0).isEmpty && desk.told(.endlessCall, at: 1).isEmpty)
    }

    @Test func `a call that nobody knows any more is told after a minute`() {
        // The process before this one has said the call, and has handed over nothing of it.
        let life = Incarnation(rawValue: 1)
        let setup = NodeSetup(
            topology: topology(),
            identity: NodeIdentity(index: alpha, incarnation: life, lineage: life, generation: 1), secret: 1, seed: 1)
        var receiver = HandoverReceiver(setup, now: at(0))
        var call = SaidCall(dn: dn("1000"))
        var part = StateTransfer()
        part.message(1, &call)
        #expect(receiver.take(part.bytes, now: at(0)) == nil)
        var node = receiver.node()
        #expect(node.ownership.view(of: dn("1000")).calls?.calls.count == 1)
        node.look(until: 59)
        #expect(node.told(.endlessCall, 59) == [])
        node.look(from: 59, until: 85)
        #expect(node.told(.endlessCall, 85) == ["1000: established 0000000000000007, with 1001"])
    }

    @Test func `records of the store of DNs that are not there are counted and named, for an hour`() {
        let stamp = Stamp(milliseconds: 1, counter: 0)
        func row(_ dn: String, _ service: Service) -> StoredState.Row {
            StoredState.Row(
                dn: DN(dn)!,
                row: StoredDN(claim: stamp, registered: stamp, service: service, session: nil, contacts: []))
        }
        var rows = (0..<100_000).map { row("\(400_000 + $0)", .expired) }
        rows.append(row("1000", .expired))
        // It was taken leave of.
        rows.append(row("9999", .notProvisioned))
        var node = Remembering(kept: StoredState(greatestStamp: stamp, rows: rows)).core
        let report = node.exceptions(now: at(1))
        #expect(report.counts == [.notProvisioned: 100_000])
        #expect(report.examples.count == DNFindingReport.maximumExamples)
        #expect(report.examples[0].dn == DN("400000") && report.examples[0].detail == "in the store")
        #expect(node.exceptions(now: at(3_601)).counts == [:])
    }

    @Test func `twenty thousand strangers leave no more than a table of them`() {
        var node = core()
        for number in 0..<20_000 {
            _ = node.receive(
                register("7000"), 0, from: NetworkAddress(ipv4: 0x0B00_0000 | UInt32(number), port: 5060))
        }
        for number in 0..<4 { _ = node.receive(register("700\(number)"), 1) }
        let report = node.exceptions(now: at(2))
        #expect(report.counts == [.wrongPhone: 4])
        #expect(report.examples.map(\.dn.description) == ["7000", "7001", "7002", "7003"])
        #expect(node.refusedPhoneCount == 256)
    }
}

/// A DN with a call as a process hands it over.
private struct SaidCall: Transferable {
    var dn: DNIndex

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &dn)
        state.message(2) { state in
            state.message(1) { state in
                var (stamp, owner, occupancy) = (Stamp(milliseconds: 1, counter: 0), alpha, Occupancy.busy)
                state.number(1, &stamp)
                state.number(2, &stamp)
                state.number(4, &owner)
                state.number(5, &occupancy)
            }
            let call = DNCall(
                connection: CallConnection(rawValue: 7), phase: .established, since: at(0).wallMilliseconds,
                other: "1001")
            var calls = Optional(TransferredCalls(DNCalls([call], lastEnded: nil)))
            state.optional(3, &calls)
        }
    }
}

extension NodeCore {
    /// Lets the node look for what is not as it should be, and nothing else.
    fileprivate mutating func look(from start: Double = 0, until end: Double) {
        var time = start
        while time <= end {
            lookForExceptions(now: at(time))
            time += 0.5
        }
    }

    fileprivate mutating func told(_ kind: DNFinding.Kind, _ seconds: Double) -> [String] {
        exceptions(now: at(seconds)).examples.filter { $0.kind == kind }.map { "\($0.dn): \($0.detail)" }
    }
}

extension CallDesk {
    fileprivate mutating func told(_ kind: DNFinding.Kind, at node: Int) -> [String] {
        pair.cores[node].exceptions(now: NodeCoreTests.at(seconds)).examples.filter { $0.kind == kind }
            .map { "\($0.dn): \($0.detail)" }
    }
}
