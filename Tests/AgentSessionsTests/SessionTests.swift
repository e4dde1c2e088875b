import AgentSessions
import ClusterModel
import Testing

@Suite struct `what agents do` {
    private func applied(
        _ request: AgentRequest, to session: AgentSession?, policy: SecondLogin = .latest, at time: UInt64 = 100
    ) throws -> AgentSession {
        try request.applied(to: session, policy: policy, stamp: stamp(time))
    }

    @Test func `a login makes a session that is not ready`() throws {
        let session = try applied(.login(ann, .unknown, because("shift", "early")), to: nil)
        #expect(session.agent == ann)
        #expect(session.state == .notReady)
        #expect(session.reasons == because("shift", "early"))
        #expect(session.login == stamp(100) && session.stamp == stamp(100))
    }

    @Test(arguments: [WorkMode.autoIn, .manualIn])
    func `a login may make the agent ready at once`(mode: WorkMode) throws {
        #expect(try applied(.login(ann, mode, Reasons()), to: nil).state == .ready)
    }

    @Test func `ready, not ready and logout keep the login`() throws {
        let first = try applied(.login(ann, .unknown, Reasons()), to: nil)
        let ready = try applied(.ready(.unknown, Reasons()), to: first, at: 200)
        #expect(ready.state == .ready && ready.login == stamp(100) && ready.stamp == stamp(200))
        let lunch = try applied(.notReady(.auxWork, because("why", "lunch")), to: ready, at: 300)
        #expect(lunch.state == .notReady && lunch.workMode == .auxWork && lunch.reasons == because("why", "lunch"))
        let gone = try applied(.logout(Reasons()), to: lunch, at: 400)
        #expect(!gone.isLoggedIn && gone.agent == ann && gone.login == stamp(100))
    }

    @Test(arguments: [AgentRequest.ready(.unknown, Reasons()), .notReady(.unknown, Reasons()), .logout(Reasons())])
    func `whoever is not logged in is refused`(request: AgentRequest) throws {
        #expect(throws: AgentRefusal.notLoggedIn) { try applied(request, to: nil) }
        #expect(throws: AgentRefusal.notLoggedIn) { try applied(request, to: session(ann, .loggedOut, 1)) }
    }

    @Test func `a second login of the same agent changes nothing but the login`() throws {
        let ready = session(ann, .ready, 50, login: 10)
        for policy in SecondLogin.allCases {
            let again = try applied(.login(ann, .auxWork, because("why", "browser")), to: ready, policy: policy)
            #expect(again.state == .ready && again.workMode == ready.workMode && again.reasons == ready.reasons)
            #expect(again.login == stamp(100) && again.stamp == stamp(100))
        }
    }

    @Test func `another agent takes the DN or is refused, as the topology has it`() throws {
        let ready = session(ann, .ready, 50)
        #expect(try applied(.login(bob, .unknown, Reasons()), to: ready).agent == bob)
        #expect(throws: AgentRefusal.occupied(by: ann)) {
            try applied(.login(bob, .unknown, Reasons()), to: ready, policy: .refuse)
        }
        let gone = session(ann, .loggedOut, 50)
        #expect(try applied(.login(bob, .unknown, Reasons()), to: gone, policy: .refuse).agent == bob)
    }

    @Test func `of two sessions the greater stamp counts, then the digest`() {
        #expect(session(ann, .ready, 1) < session(bob, .notReady, 2))
        let one = session(ann, .ready, 1)
        let other = session(bob, .ready, 1)
        #expect((one < other) == (one.digest < other.digest))
        #expect((one < other) != (other < one))
        #expect(one == session(ann, .ready, 1))
        #expect(one != other)
    }

    @Test func `texts have limits`() {
        #expect(AgentID("") == nil)
        #expect(AgentID("ann lee") == nil)
        #expect(AgentID("änn") == nil)
        #expect(AgentID(String(repeating: "a", count: 64)) != nil)
        #expect(AgentID(String(repeating: "a", count: 65)) == nil)
        var reasons = Reasons()
        let results = [
            reasons.add("", "x"), reasons.add(String(repeating: "k", count: 33), "x"),
            reasons.add("k", String(repeating: "v", count: 97)), reasons.add("k", "line\nline"),
        ]
        #expect(results == [false, false, false, false])
        for number in 0..<8 { #expect(throws: Never.self) { try add("k\(number)", to: &reasons) } }
        let ninth = reasons.add("k8", "v")
        #expect(!ninth && reasons.list.count == 8)
    }

    private struct Refused: Error {}

    private func add(_ key: String, to reasons: inout Reasons) throws {
        guard reasons.add(key, "v") else { throw Refused() }
    }
}

@Suite struct `availability` {
    @Test func `what an operator has to mend comes first`() {
        func availability(_ service: Service, _ agent: AgentSession?, _ occupancy: Occupancy) -> Availability {
            Availability(
                of: View(service: service, owner: alpha, stamp: stamp(1), occupancy: occupancy, agent: agent))
        }
        let ready = session(ann, .ready, 1)
        let all: Occupancy = [.busy, .reserved]
        #expect(availability(.inService, ready, []) == .available)
        #expect(availability(.inService, ready, .reserved) == .reserved)
        #expect(availability(.inService, ready, all) == .busy)
        #expect(availability(.inService, session(ann, .notReady, 1), all) == .notReady)
        let wrapUp = AgentSession(
            agent: ann, state: .notReady, workMode: .afterCallWork, login: stamp(1), stamp: stamp(1))
        #expect(availability(.inService, wrapUp, all) == .afterCallWork)
        #expect(availability(.inService, session(ann, .loggedOut, 1), all) == .nobodyLoggedIn)
        #expect(availability(.inService, nil, all) == .nobodyLoggedIn)
        for service in Service.allCases where !service.isInService {
            #expect(availability(service, ready, []) == .outOfService(service))
        }
    }
}

@Suite struct `the directory of agents` {
    @Test func `the latest login stays, all others are to be ended`() {
        var directory = AgentDirectory()
        directory.changed(DNIndex(1), from: nil, to: session(ann, .ready, 10))
        directory.changed(DNIndex(2), from: nil, to: session(ann, .notReady, 30))
        directory.changed(DNIndex(3), from: nil, to: session(ann, .notReady, 20))
        #expect(directory.logins(of: ann).map(\.dn) == [DNIndex(1), DNIndex(3), DNIndex(2)])
        #expect(directory.superseded(of: ann) == [DNIndex(1), DNIndex(3)])
        directory.changed(DNIndex(1), from: session(ann, .ready, 10), to: session(ann, .loggedOut, 40, login: 10))
        directory.changed(DNIndex(3), from: session(ann, .notReady, 20), to: session(bob, .ready, 50))
        #expect(directory.superseded(of: ann).isEmpty)
        #expect(directory.superseded(of: bob).isEmpty)
        #expect(directory.count == 2)
    }

    @Test func `logins of one stamp have an order too`() {
        var directory = AgentDirectory()
        directory.changed(DNIndex(7), from: nil, to: session(ann, .ready, 10))
        directory.changed(DNIndex(2), from: nil, to: session(ann, .ready, 10))
        #expect(directory.superseded(of: ann) == [DNIndex(2)])
    }
}

@Suite struct `work after calls` {
    @Test func `a ready agent works on for the time, and then is ready`() throws {
        var timers = WrapUpTimers(duration: 5_000_000_000)
        let ready = session(ann, .ready, 1)
        let working = try #require(timers.callEnded(ready, stamp: stamp(1000)))
        #expect(working.state == .notReady && working.workMode == .afterCallWork && working.login == ready.login)
        timers.changed(DNIndex(3), to: working, now: at(1000))
        #expect(timers.nextDeadline == at(6000).monotonic)
        #expect(timers.due(now: at(5999)) == nil)
        #expect(timers.due(now: at(6000)) == DNIndex(3))
        let finished = try #require(WrapUpTimers.finished(working, stamp: stamp(6000)))
        #expect(finished.state == .ready && finished.workMode == .unknown)
        timers.changed(DNIndex(3), to: finished, now: at(6000))
        #expect(timers.nextDeadline == nil)
    }

    @Test func `who is not ready when the call ends stays so`() {
        let timers = WrapUpTimers(duration: 5_000_000_000)
        #expect(timers.callEnded(session(ann, .notReady, 1), stamp: stamp(2)) == nil)
        #expect(timers.callEnded(session(ann, .loggedOut, 1), stamp: stamp(2)) == nil)
        #expect(timers.callEnded(nil, stamp: stamp(2)) == nil)
        #expect(WrapUpTimers(duration: 0).callEnded(session(ann, .ready, 1), stamp: stamp(2)) == nil)
    }

    @Test func `the time goes on where the DN goes, whatever the clocks say`() {
        var timers = WrapUpTimers(duration: 5_000_000_000)
        let working = AgentSession(
            agent: ann, state: .notReady, workMode: .afterCallWork, login: stamp(0), stamp: stamp(1000))
        timers.changed(DNIndex(0), to: working, now: at(3000))
        #expect(timers.nextDeadline == at(6000).monotonic)
        timers.changed(DNIndex(0), to: working, now: at(90_000))
        #expect(timers.due(now: at(90_000)) == DNIndex(0))
        // The other node's clock is ahead.
        timers.changed(DNIndex(0), to: working, now: at(500))
        #expect(timers.nextDeadline == at(5500).monotonic)
        timers.changed(DNIndex(0), to: nil, now: at(500))
        #expect(timers.nextDeadline == nil)
    }
}
