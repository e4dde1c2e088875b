import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts
import Testing

/// Two agents, one at each node, and clients of both who want them.
@Suite struct `reservations at two nodes` {
    private static func pair(faults: Faults = .none, window: Duration = .zero) -> Pair {
        var pair = `agents of two nodes`.pair(faults: faults) { $0.timing.reservationWindow = window }
        _ = pair.ask(`agents of two nodes`.login("1000", AgentID("ann")!, .autoIn), at: 0)
        _ = pair.ask(`agents of two nodes`.login("1001", AgentID("bob")!, .autoIn), at: 1)
        return pair
    }

    private func reserve(
        _ dn: String, id: UInt32 = 7, agent: String? = nil, priority: Int32 = 0,
        for duration: ReservationRequest.Duration = .usual
    ) -> TRequest {
        .reserveAgent(
            referenceID: id, dn: dn,
            ReservationRequest(priority: priority, duration: duration, agent: agent.flatMap { AgentID($0) }))
    }

    private func reservation(_ events: [TEvent]) -> Reservation? {
        guard events.count == 1, case .agentReserved(7, let reservation) = events[0] else { return nil }
        return reservation
    }

    private func outcome(
        _ pair: inout Pair, _ token: ReservationToken, call: UInt32, at node: Int, _ seconds: Double = 0
    )
        -> [TError?]
    {
        pair.cores[node].redeem(token, call: call, now: at(seconds))
        pair.pump(seconds)
        return pair.cores[node].takeRedemptions().map(\.refusal)
    }

    @Test(arguments: [0, 1])
    func `whoever asks first has the agent, through whichever node`(node: Int) throws {
        var pair = Self.pair()
        let mine = try #require(reservation(pair.ask(reserve("1000"), at: node)))
        #expect(mine.agent == AgentID("ann")! && mine.milliseconds == 10_000)
        for node in 0...1 {
            #expect(pair.ask(reserve("1000"), other, at: node) == [.error(referenceID: 7, .reservedByAnother)])
        }
        #expect(pair.occupancies("1000") == [.reserved, .reserved])
        #expect(outcome(&pair, mine.token, call: 1, at: 1 - node) == [nil])
        #expect(outcome(&pair, mine.token, call: 2, at: node) == [.staleToken])
    }

    @Test func `an agent's ID is as good as the DN`() {
        var pair = Self.pair()
        #expect(reservation(pair.ask(reserve("", agent: "bob"), at: 0))?.token.dn == DN("1001")!)
        #expect(pair.ask(reserve("1000", agent: "bob"), at: 0) == [.error(referenceID: 7, .otherAgent)])
        #expect(pair.ask(reserve("", agent: "eve"), at: 0) == [.error(referenceID: 7, .notLoggedIn)])
        #expect(pair.ask(reserve(""), at: 0) == [.error(referenceID: 7, .malformedRequest)])
        #expect(pair.ask(reserve("4711"), at: 0) == [.error(referenceID: 7, .unknownDN)])
    }

    @Test func `it ends by time, by its holder's word, and when its holder goes`() {
        var pair = Self.pair()
        #expect(reservation(pair.ask(reserve("1001", for: .milliseconds(500)), at: 0)) != nil)
        pair.pass(0.6)
        #expect(pair.occupancies("1001") == [[], []])
        #expect(reservation(pair.ask(reserve("1001"), at: 0, 1)) != nil)
        #expect(pair.ask(reserve("1001", for: .cancel), at: 0, 1) == [.done(referenceID: 7)])
        #expect(pair.ask(reserve("1001", for: .cancel), at: 0, 1) == [.error(referenceID: 7, .notReserved)])
        #expect(reservation(pair.ask(reserve("1001"), at: 0, 1)) != nil)
        pair.cores[0].clientDisconnected(desktop, now: at(1))
        pair.pump(1)
        #expect(pair.occupancies("1001") == [[], []])
        #expect(reservation(pair.ask(reserve("1000"), other, at: 0, 1)) != nil)
        pair.cores[0].clientDisconnected(other, now: at(1))
        pair.pump(1)
        #expect(pair.occupancies("1000") == [[], []])
    }

    @Test func `its holder prolongs it`() throws {
        var pair = Self.pair()
        let first = try #require(reservation(pair.ask(reserve("1001", for: .milliseconds(1000)), at: 0)))
        let again = try #require(reservation(pair.ask(reserve("1001", for: .milliseconds(1000)), at: 0, 0.8)))
        #expect(first.token == again.token)
        pair.pass(1.5)
        #expect(pair.occupancies("1001") == [.reserved, .reserved])
        #expect(outcome(&pair, first.token, call: 1, at: 0, 1.5) == [nil])
        // The call may take twice the link timeout to come.
        pair.pass(2)
        #expect(pair.occupancies("1001") == [.reserved, .reserved])
        pair.pass(6)
        #expect(outcome(&pair, first.token, call: 1, at: 0, 6) == [.staleToken])
    }

    @Test func `an agent who leaves is not reserved any more`() throws {
        var pair = Self.pair()
        let token = try #require(reservation(pair.ask(reserve("1001"), at: 0))).token
        _ = pair.ask(.agent(referenceID: 1, dn: "1001", .notReady(.auxWork, Reasons())), other, at: 1)
        #expect(pair.occupancies("1001") == [[], []])
        #expect(outcome(&pair, token, call: 1, at: 0) == [.staleToken])
        #expect(pair.ask(reserve("1001"), at: 0) == [.error(referenceID: 7, .notReady)])
        _ = pair.ask(`agents of two nodes`.ready("1001"), other, at: 1)
        #expect(reservation(pair.ask(reserve("1001"), at: 0)) != nil)
        _ = pair.cores[1].receive(register("1001", cseq: 2, contact: "*", expires: 0))
        pair.pump()
        #expect(pair.occupancies("1001") == [[], []])
        #expect(pair.ask(reserve("1001"), at: 0) == [.error(referenceID: 7, .outOfService)])
    }

    @Test func `a DN that moves leaves its reservations behind`() throws {
        var pair = Self.pair()
        let token = try #require(reservation(pair.ask(reserve("1001"), at: 0))).token
        _ = pair.cores[0].receive(register("1001", cseq: 2), 1)
        pair.pump(1)
        #expect(pair.cores[1].ownership.view(of: dn("1001")).owner == alpha)
        #expect(pair.occupancies("1001") == [[], []])
        for node in 0...1 { #expect(outcome(&pair, token, call: 1, at: node, 1) == [.staleToken]) }
        #expect(reservation(pair.ask(reserve("1001"), other, at: 0, 1)) != nil)
    }

    @Test func `an owner that cannot be heard refuses at once, and frees what it cannot be asked for`() throws {
        var pair = Self.pair()
        let token = try #require(reservation(pair.ask(reserve("1001"), at: 0))).token
        pair.cut()
        #expect(pair.ask(reserve("1001"), at: 0) == [.error(referenceID: 7, .ownerUnreachable)])
        #expect(outcome(&pair, token, call: 1, at: 0) == [.ownerUnreachable])
        #expect(pair.cores[1].ownership.occupancy(of: dn("1001")).isEmpty)
        pair.link()
        #expect(outcome(&pair, token, call: 1, at: 0) == [.staleToken])
    }

    @Test func `a request on its way when the link is lost is refused`() {
        var pair = Self.pair()
        pair.holdsProxied = true
        #expect(pair.ask(reserve("1001"), at: 0) == [])
        pair.cut()
        #expect(pair.cores[0].read(desktop).contains(.error(referenceID: 7, .ownerUnreachable)))
    }

    @Test func `a restarted owner honours nothing of before`() throws {
        var pair = Self.pair()
        let token = try #require(reservation(pair.ask(reserve("1000"), at: 1))).token
        pair.restart(0, life: 2)
        _ = pair.cores[0].receive(register("1000", cseq: 2))
        pair.pump()
        // The claim is the same, and so is the agent, but it is another life.
        #expect(outcome(&pair, token, call: 1, at: 1) == [.staleToken])
        #expect(reservation(pair.ask(reserve("1000"), other, at: 1)) != nil)
        #expect(outcome(&pair, token, call: 1, at: 1) == [.staleToken])
    }

    @Test func `a window gives the agent to the most urgent, wherever it asked`() {
        var pair = Self.pair(window: .milliseconds(100))
        #expect(pair.ask(reserve("1000", priority: 1), at: 0) == [])
        #expect(pair.ask(reserve("1000", priority: 9), at: 1, 0.05) == [])
        #expect(pair.ask(reserve("1000", priority: 5), other, at: 1, 0.06) == [])
        pair.pass(0.1)
        #expect(pair.cores[0].read(desktop) == [.error(referenceID: 7, .reservedByAnother)])
        #expect(pair.cores[1].read(other) == [.error(referenceID: 7, .reservedByAnother)])
        #expect(reservation(pair.cores[1].read(desktop)) != nil)
        #expect(pair.occupancies("1000") == [.reserved, .reserved])
    }

    @Test func `whoever waits for a window is told when the agent leaves`() {
        var pair = Self.pair(window: .milliseconds(100))
        for node in 0...1 { #expect(pair.ask(reserve("1000"), at: node) == []) }
        _ = pair.cores[1].receive(register("1000", cseq: 2), 0.01)
        pair.pump(0.01)
        // The DN is beta's now. Who asked through it is asked again there, as a new request.
        pair.pass(0.2)
        for node in 0...1 { #expect(pair.cores[node].read(desktop).count == 1) }
    }

    @Test func `a former owner honours its token`() throws {
        func honoured(_ faults: Faults) throws -> [TError?] {
            var pair = Self.pair(faults: faults)
            let token = try #require(reservation(pair.ask(reserve("1000"), at: 0))).token
            _ = pair.cores[1].receive(register("1000", cseq: 2), 1)
            pair.pump(1)
            return outcome(&pair, token, call: 1, at: 0, 1)
        }
        #expect(try honoured(.none) == [.staleToken])
        #expect(try honoured(.grantsOutliveClaim) == [nil])
    }
}
