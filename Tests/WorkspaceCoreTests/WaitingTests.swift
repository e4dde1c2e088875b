import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `nobody waits for ever` {
    @Test func `each request has its own time, however many follow`() {
        let town = Town()
        let page = town.seated()
        for node in 0...2 { town.unplug(desk: 1, node: node) }
        let desk = town.desks[1]!
        let first = desk.ask(.session(page.proof))
        for _ in 0..<6 {
            town.pass(milliseconds: 1_000)
            _ = desk.ask(.session(page.proof))
        }
        #expect(desk.answers[first] == .refused(WorkspaceRefusal(.cannotVerify)))
    }

    @Test func `an answer of another kind is an answer`() {
        let strange: [(UInt32) -> LineNews] = [
            { .registered($0, Bench.status("7000"), nil) }, { .agentDone($0) }, { .refused($0, nil) },
            { .unregistered($0, DN("7000")!, reason: nil) },
        ]
        for news in strange {
            var bench = Bench()
            bench.open()
            let proof = bench.logIn("sue")!
            let id = bench.ask(.explain(proof, dn: "7000"))
            bench.hear(news(bench.lastNumber))
            #expect(bench.answers[id] == .refused(WorkspaceRefusal(.noNode)))
        }
    }

    @Test func `what is said of another DN is no answer for a line`() {
        var bench = Bench()
        bench.open()
        let proof = bench.logIn("ann")!
        _ = bench.ask(.choose(proof, dn: "7000", takeBack: false))
        // The other node is not heard.
        bench.pass(milliseconds: 500)
        #expect(bench.sent.last == .queryAddress(referenceID: bench.lastNumber, dn: "7000"))
        let before = bench.sent.count
        bench.hear(.address(bench.lastNumber, Bench.status("7001")))
        bench.pass(milliseconds: 2_000)
        #expect(bench.sent.count > before)
    }

    @Test func `a password that nobody could look at is not called wrong`() {
        var bench = Bench()
        let id = bench.ask(.logIn(agent: "ann", password: [1]))
        bench.machine.passwordVerified(id, nil, now: bench.now)
        #expect(bench.machine.actions == [.answer(id, .refused(WorkspaceRefusal(.busy, retryAfter: 1_000)))])
    }

    @Test func `whoever signs out while sitting down is not left logged in`() {
        var bench = Bench()
        bench.open()
        let proof = bench.logIn("ann")!
        _ = bench.ask(.choose(proof, dn: "7000", takeBack: false))
        bench.pass(milliseconds: 500)
        bench.hear(.address(bench.lastNumber, Bench.status("7000")))
        bench.hear(.registered(bench.lastNumber, Bench.status("7000"), DesktopToken(number: 1)))
        let login = bench.lastNumber
        #expect(bench.sent.last == .agent(referenceID: login, dn: "7000", .login(AgentID("ann")!, .unknown, Reasons())))
        _ = bench.ask(.logOut(proof))
        bench.hear(.agentDone(login))
        #expect(bench.sent.last == .agent(referenceID: bench.lastNumber, dn: "7000", .logout(Reasons())))
    }

    @Test func `a page that is told to close counts as gone`() {
        let accounts = [AgentAccount(agent: AgentID("ann")!, hash: "hash", isSupervisor: true)]
        let town = Town(accounts: accounts)
        let page = Page(town)
        page.logIn("ann")
        let desk = town.desks[0]!
        let stream = desk.stream(.supervisor, page.cookie)
        #expect(page.sit("7000") == nil)
        var less = accounts
        less[0].isSupervisor = false
        desk.machine.replaceAccounts(less, now: town.now)
        town.settle()
        #expect(desk.ended[stream] == .revoked)
        town.pass(milliseconds: 11_000)
        #expect(town.services("7000") == [.unregistered, .unregistered, .unregistered])
    }
}
