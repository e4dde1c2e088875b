import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts
import Testing

/// Agents on DNs of one node or the other, asked for by clients of either.
@Suite struct `agents of two nodes` {
    static let ann = AgentID("ann")!
    static let bob = AgentID("bob")!

    static func login(_ dn: String, _ agent: AgentID = ann, _ mode: WorkMode = .unknown, id: UInt32 = 5) -> TRequest {
        .agent(referenceID: id, dn: dn, .login(agent, mode, Reasons()))
    }

    static func ready(_ dn: String, id: UInt32 = 6) -> TRequest {
        .agent(referenceID: id, dn: dn, .ready(.unknown, Reasons()))
    }

    /// 1000 is registered at alpha, 1001 at beta.
    static func pair(faults: Faults = .none, _ change: (inout Topology) -> Void = { _ in }) -> Pair {
        var pair = Pair(faults: faults, change)
        _ = pair.cores[0].receive(register("1000"))
        _ = pair.cores[1].receive(register("1001"))
        pair.pump()
        for node in 0...1 { _ = pair.cores[node].read(monitor) }
        return pair
    }

    @Test(arguments: [0, 1])
    func `a login at any node is the owner's, and all nodes know it`(node: Int) throws {
        var pair = Self.pair()
        let events = pair.ask(Self.login("1000"), at: node)
        guard events.count == 1, case .agent(let event, referenceID: 5, sequence: nil) = events[0] else {
            Issue.record("\(events)")
            return
        }
        #expect(event.kind == .login && event.dn == DN("1000")! && event.owner == alpha)
        let sessions = pair.sessions("1000")
        #expect(sessions[0] == event.session && sessions[0] == sessions[1])
        #expect(try #require(sessions[0]).state == .notReady)
        for node in 0...1 { #expect(pair.cores[node].read(monitor).map(\.type) == [.eventAgentLogin]) }
    }

    @Test func `everybody who has registered the DN is told, at every node`() {
        var pair = Self.pair()
        for node in 0...1 {
            _ = pair.ask(.registerAddress(referenceID: 1, dn: "1000", takeover: false), other, at: node)
        }
        _ = pair.ask(Self.login("1000"), at: 1)
        _ = pair.ask(Self.ready("1000"), at: 0)
        var reasons = Reasons()
        _ = reasons.add("why", "lunch")
        _ = pair.ask(.agent(referenceID: 7, dn: "1000", .notReady(.auxWork, reasons)), at: 1)
        _ = pair.ask(.agent(referenceID: 8, dn: "1000", .logout(Reasons())), at: 1)
        for node in 0...1 {
            let events = pair.cores[node].read(other)
            #expect(
                events.map(\.type) == [.eventAgentLogin, .eventAgentReady, .eventAgentNotReady, .eventAgentLogout])
            guard case .agent(let event, nil, nil) = events[2] else { return }
            #expect(event.session.reasons == reasons && event.session.workMode == .auxWork)
        }
    }

    @Test func `what is out of order is refused, with the ReferenceID`() {
        var pair = Self.pair()
        for node in 0...1 {
            #expect(pair.ask(Self.ready("1000"), at: node) == [.error(referenceID: 6, .notLoggedIn)])
        }
        #expect(pair.ask(Self.login("4711"), at: 0) == [.error(referenceID: 5, .unknownDN)])
        #expect(pair.ask(Self.login("1002"), at: 0) == [.error(referenceID: 5, .ownerUnreachable)])
        pair.cut()
        #expect(pair.ask(Self.login("1001"), at: 0) == [.error(referenceID: 5, .ownerUnreachable)])
    }

    @Test func `an agent's session moves with the DN`() throws {
        var pair = Self.pair()
        _ = pair.ask(Self.login("1000"), at: 0)
        _ = pair.ask(Self.ready("1000"), at: 0, 1)
        let before = try #require(pair.sessions("1000")[0])
        _ = pair.cores[1].receive(register("1000", cseq: 2), 2)
        pair.pump(2)
        #expect(pair.cores[0].ownership.view(of: dn("1000")).owner == beta)
        #expect(pair.sessions("1000") == [before, before])
        #expect(before.state == .ready)
        _ = pair.ask(.agent(referenceID: 9, dn: "1000", .notReady(.unknown, Reasons())), at: 0, 3)
        #expect(pair.sessions("1000").map { $0?.state } == [.notReady, .notReady])
    }

    @Test func `a node that has lost its memory gets its agents back from the others`() throws {
        var pair = Self.pair()
        _ = pair.ask(Self.login("1000"), at: 0)
        let before = try #require(pair.sessions("1000")[1])
        pair.restart(0, life: 2)
        #expect(pair.sessions("1000") == [before, before])
        #expect(pair.services("1000") == [.restarted, .restarted])
        _ = pair.cores[0].receive(register("1000", cseq: 2))
        pair.pump()
        #expect(pair.sessions("1000") == [before, before])
        #expect(pair.services("1000") == [.inService, .inService])
    }

    @Test func `the later login wins on another DN, wherever that is`() {
        var pair = Self.pair()
        _ = pair.ask(Self.login("1000"), at: 0)
        _ = pair.ask(Self.login("1001"), at: 0, 1)
        #expect(pair.sessions("1000").map { $0?.state } == [.loggedOut, .loggedOut])
        #expect(pair.sessions("1001").map { $0?.state } == [.notReady, .notReady])
        let told = pair.cores[1].read(monitor).map(\.type)
        #expect(told.contains(.eventAgentLogout))
    }

    @Test func `across a cut both may log in, and the later login is kept when it ends`() {
        var pair = Self.pair()
        pair.cut()
        _ = pair.ask(Self.login("1000"), at: 0, 1)
        _ = pair.ask(Self.login("1001"), at: 1, 2)
        pair.link()
        #expect(pair.sessions("1000").map { $0?.state } == [.loggedOut, .loggedOut])
        #expect(pair.sessions("1001").map { $0?.state } == [.notReady, .notReady])
    }

    @Test func `a topology may have second logins refused`() {
        var pair = Self.pair { $0.secondLogin = .refuse }
        _ = pair.ask(Self.login("1000"), at: 0)
        #expect(pair.ask(Self.login("1001"), at: 0) == [.error(referenceID: 5, .loggedInElsewhere)])
        #expect(pair.ask(Self.login("1000", Self.bob), at: 1) == [.error(referenceID: 5, .dnSeized)])
        #expect(pair.ask(Self.login("1000"), at: 1).map(\.type) == [.eventAgentLogin])
        // Whose owner cannot be heard is not in the way: the two settle it when they hear each other again.
        pair.cut()
        #expect(pair.ask(Self.login("1001"), at: 1, 1).map(\.type) == [.eventAgentLogin])
    }

    @Test func `another agent takes a DN: one logs out, the other in`() {
        var pair = Self.pair()
        _ = pair.ask(Self.login("1000", Self.ann, .autoIn), at: 0)
        for node in 0...1 { _ = pair.cores[node].read(monitor) }
        _ = pair.ask(Self.login("1000", Self.bob, .autoIn), at: 0, 1)
        for node in 0...1 {
            let events = pair.cores[node].read(monitor)
            #expect(events.map(\.type) == [.eventAgentLogout, .eventAgentLogin, .eventAgentReady])
            let agents = events.map { event -> AgentID? in
                if case .agent(let event, _, _) = event { event.session.agent } else { nil }
            }
            #expect(agents == [Self.ann, Self.bob, Self.bob])
            let sequences = events.map { event -> UInt64? in
                if case .agent(_, _, let sequence) = event { sequence } else { nil }
            }
            // A client that breaks off in the middle gets all of them again.
            #expect(sequences[0] == sequences[1] && sequences[1]! + 1 == sequences[2])
        }
    }

    @Test func `a mask leaves out what a client does not want, and changes nothing of answers`() {
        var pair = Self.pair()
        #expect(pair.ask(.setInputMask(referenceID: 4, .agentReady), monitor, at: 1) == [.done(referenceID: 4)])
        _ = pair.ask(Self.login("1000"), at: 0)
        _ = pair.ask(Self.ready("1000"), at: 0)
        _ = pair.cores[0].receive(register("1002"))
        pair.pump()
        #expect(pair.cores[1].read(monitor).map(\.type) == [.eventAgentReady])
        #expect(pair.ask(Self.ready("1003"), monitor, at: 1) == [.error(referenceID: 6, .ownerUnreachable)])
        pair.cut()
        #expect(pair.cores[1].read(monitor).isEmpty)
        #expect(pair.cores[0].read(monitor).map(\.type).contains(.eventDNOutOfService))
    }

    @Test func `a snapshot has the agents, and a client that owns only some is told of those`() throws {
        var pair = Self.pair()
        _ = pair.ask(Self.login("1000"), at: 0)
        _ = pair.ask(Self.login("1001", Self.bob), at: 0)
        var statuses: [DNStatus] = []
        for case .status(let piece, nil) in pair.ask(
            .monitorAll(referenceID: 1, MonitorOptions(ownedHereOnly: true)), other, at: 1)
        {
            statuses += piece
        }
        #expect(statuses.map(\.dn) == [DN("1001")!])
        #expect(statuses.first?.view.agent?.agent == Self.bob)
        _ = pair.ask(Self.ready("1000"), at: 0)
        _ = pair.ask(Self.ready("1001"), at: 0)
        #expect(pair.cores[1].read(other).map(\.type) == [.eventAgentReady])
    }

    @Test func `a ReferenceID that is under way is refused`() {
        var pair = Self.pair()
        pair.holdsProxied = true
        #expect(pair.ask(Self.login("1001"), at: 0) == [])
        #expect(pair.ask(Self.ready("1001", id: 5), at: 0) == [.error(referenceID: 5, .requestInProgress)])
        pair.holdsProxied = false
        pair.release()
        #expect(pair.cores[0].read(desktop).map(\.type) == [.eventAgentLogin])
    }

    @Test func `who makes too many requests is refused until a second has passed`() {
        var pair = Self.pair { $0.clientRequestLimit = 3 }
        let answers = (0..<5).map { id in
            pair.ask(.queryServer(referenceID: UInt32(id)), other, at: 0).map(\.type)
        }
        #expect(answers.filter { $0 == [.eventServerInfo] }.count == 3)
        #expect(answers.suffix(2) == [[.eventError], [.eventError]])
        #expect(pair.ask(.queryServer(referenceID: 9), desktop, at: 0).map(\.type) == [.eventServerInfo])
        #expect(pair.ask(.queryServer(referenceID: 9), other, at: 0, 1).map(\.type) == [.eventServerInfo])
        #expect(pair.cores[0].ports.floodedRequests == 2)
    }

    @Test func `requests that cannot be are refused and counted`() {
        var pair = Self.pair()
        #expect(pair.ask(.invalid(referenceID: 3, .badAgent), at: 0) == [.error(referenceID: 3, .badAgent)])
        _ = pair.ask(.unregisterAddress(referenceID: 4, dn: "1000"), at: 0)
        #expect(pair.cores[0].counters.clientRequestsRefused == 2)
    }
}

@Suite struct `mistakes of agents` {
    @Test(arguments: [Faults.none, .supersededLoginStays])
    func `an earlier login stays`(faults: Faults) {
        var pair = `agents of two nodes`.pair(faults: faults)
        _ = pair.ask(`agents of two nodes`.login("1000"), at: 0)
        _ = pair.ask(`agents of two nodes`.login("1001"), at: 0, 1)
        #expect(
            pair.sessions("1000").map { $0?.isLoggedIn == true } == (faults == .none ? [false, false] : [true, true]))
    }
}
