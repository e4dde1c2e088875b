import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `ready and not ready` {
    @Test func `all nodes know, and the page`() {
        let town = Town()
        let page = town.seated()
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.ready))) == nil)
        #expect(town.agent("7000", at: 2)?.state == .ready)
        #expect(page.state?.presence.status == .ready)
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.notReady, reason: "lunch"))) == nil)
        #expect(town.agent("7000", at: 2)?.reasons.list == [Reasons.Reason(key: "reason", value: "lunch")])
        #expect(page.state?.presence.reason == "lunch")
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.afterCallWork))) == nil)
        #expect(town.agent("7000", at: 2)?.workMode == .afterCallWork)
        #expect(page.state?.presence.status == .afterCallWork)
    }

    @Test func `only for reasons that there are, and at a DN`() {
        let town = Town()
        let page = town.seated()
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.notReady, reason: "<b>"))) == .unknownReason)
        let other = Page(town)
        other.logIn("ben")
        #expect(other.ask(.setPresence(other.proof, PresenceWish(.ready))) == .notSeated)
    }

    @Test func `what somebody else does is seen at once`() {
        let town = Town()
        let page = town.seated()
        let client = town.connectClient(2)
        town.request(.agent(referenceID: 1, dn: "7000", .ready(.manualIn, Reasons())), from: client, at: 2)
        town.settle()
        #expect(page.state?.presence.status == .ready)
        #expect(page.state?.presence.workMode == .manualIn)
    }

    /// A call has just ended, and the agent was ready before it.
    private func afterCall() -> Bench {
        var topology = Town.topology()
        topology.timing.afterCallWork = .seconds(4)
        var bench = Bench(topology)
        bench.open()
        let proof = bench.logIn("ann")!
        bench.sit(proof, "7000")
        bench.listen(proof)
        bench.hear(.status(Bench.status("7000", agent: "ann", .ready)))
        var call = DNCall(connection: CallConnection(rawValue: 9), phase: .ringing, since: 5, other: "+49301234")
        bench.hear(.call(CallEvent(kind: .ringing, dn: DN("7000")!, call: call)))
        call.phase = .established
        bench.hear(.call(CallEvent(kind: .established, dn: DN("7000")!, call: call)))
        // The node says first that the agent is not busy any more.
        bench.hear(.status(Bench.status("7000", agent: "ann", .ready)))
        bench.hear(.call(CallEvent(kind: .released, dn: DN("7000")!, call: call)))
        // The call is over, and what follows it is not written yet.
        bench.hear(.address(bench.lastNumber, Bench.status("7000", agent: "ann", .ready)))
        return bench
    }

    @Test func `between a call and the work after it nobody is ready`() {
        var bench = afterCall()
        bench.hear(.agentChanged(DN("7000")!))
        bench.hear(.address(bench.lastNumber, Bench.status("7000", agent: "ann", .notReady, .afterCallWork)))
        #expect(bench.statuses.suffix(4) == [.ready, .ringing, .busy, .afterCallWork])
    }

    @Test func `without work after it the agent is ready in a moment`() {
        var bench = afterCall()
        #expect(bench.statuses.last == .busy)
        bench.pass(milliseconds: 600)
        bench.hear(.address(bench.lastNumber, Bench.status("7000", agent: "ann", .ready)))
        #expect(bench.statuses.suffix(4) == [.ready, .ringing, .busy, .ready])
    }

    @Test func `whoever is logged out by others is signed out`() {
        let town = Town()
        let page = town.seated()
        let client = town.connectClient(2)
        town.request(.agent(referenceID: 1, dn: "7000", .logout(Reasons())), from: client, at: 2)
        town.settle()
        #expect(page.notices == [.loggedOutElsewhere])
        #expect(page.end == .loggedOut)
        #expect(page.ask(.session(page.proof)) == .loggedOut)
        #expect(page.copy(at: 1).ask(.session(page.proof)) == .loggedOut)
    }

    @Test func `a DN that another agent logs in at is not the former agent's any more`() {
        let town = Town()
        let page = town.seated()
        let client = town.connectClient(2)
        town.request(
            .agent(referenceID: 1, dn: "7000", .login(AgentID("dan")!, .unknown, Reasons())), from: client, at: 2)
        town.settle()
        #expect(page.notices == [.anotherAgent])
        #expect(page.end == .loggedOut)
        #expect(town.agent("7000", at: 0)?.agent == AgentID("dan"))
    }

    @Test func `a login of the same agent by others renews the tokens`() {
        let town = Town()
        let page = town.seated()
        let former = page.copy(at: 1)
        town.pass(milliseconds: 1_000)
        let client = town.connectClient(2)
        town.request(
            .agent(referenceID: 1, dn: "7000", .login(AgentID("ann")!, .unknown, Reasons())), from: client, at: 2)
        town.settle()
        #expect(page.end == nil)
        #expect(page.events.contains { $0.content == .renew })
        #expect(page.ask(.renew(page.proof)) == nil)
        #expect(page.copy(at: 1).ask(.session(page.proof)) == nil)
        #expect(former.ask(.session(former.proof)) == .loggedOut)
    }
}
