import AgentSessions
import ClusterModel
import Digests
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `from gateway to gateway` {
    @Test func `a gateway that the page has left takes it back, as it is since then`() {
        let town = Town()
        let page = town.seated()
        let old = page.copy(at: 0)
        page.leave()
        page.desk = 1
        #expect(page.ask(.resume(ticket: page.ticket)) == nil)
        page.listen()
        #expect(page.sit("7001") == nil)
        // What the browser kept of the first gateway's cookie.
        #expect(old.ask(.session(old.proof)) == .loggedOut)
        #expect(page.end == nil)
        let moved = page.copy(at: 0)
        #expect(moved.ask(.resume(ticket: page.ticket)) == nil)
        moved.listen()
        #expect(moved.state?.line.dn == DN("7001"))
        #expect(moved.state?.link == .live)
    }

    @Test func `also where the session was idle there meanwhile`() {
        let town = Town { $0.workspacePolicy.idle = .seconds(60) }
        let page = town.seated()
        let old = page.copy(at: 0)
        page.leave()
        page.desk = 1
        #expect(page.ask(.resume(ticket: page.ticket)) == nil)
        page.listen()
        for _ in 0..<20 {
            town.pass(milliseconds: 10_000)
            page.obey()
        }
        #expect(old.ask(.session(old.proof)) == .loggedOut)
        let moved = page.copy(at: 0)
        #expect(moved.ask(.resume(ticket: page.ticket)) == nil)
        #expect(moved.isSeated)
    }

    @Test(arguments: [0, 1]) func `clocks may be some seconds apart`(late: Int) {
        let town = Town()
        town.desks[late]!.lateness = 30_000
        let page = town.seated()
        for (desk, dn) in [(1, "7001"), (0, "7000"), (1, "7001"), (0, "7000")] {
            page.leave()
            page.desk = desk
            #expect(page.ask(.resume(ticket: page.ticket)) == nil, "\(desk)")
            page.listen()
            // The other one has let the line go, and hears no more of it.
            town.pass(milliseconds: 12_000)
            #expect(page.sit(dn) == nil, "\(desk)")
            town.pass(milliseconds: 1_000)
            #expect(page.state?.link == .live, "\(desk)")
        }
        // Two gateways at which the session is, and whose tokens do not follow one on another.
        let other = page.copy(at: 1)
        #expect(other.ask(.resume(ticket: page.ticket)) == nil)
        for _ in 0..<3 {
            town.pass(milliseconds: 1_000)
            page.ask(.renew(page.proof))
        }
        #expect(other.sit("7001") == nil)
        page.leave()
        #expect(page.ask(.resume(ticket: other.ticket)) == nil)
        #expect(page.isSeated)
    }

    @Test func `where the page goes on elsewhere nobody is left waiting`() {
        var bench = Bench()
        bench.open()
        let proof = bench.logIn("ann")!
        bench.sit(proof, "7000")
        let waiting = bench.ask(.setPresence(proof, PresenceWish(.ready)))
        #expect(bench.answers[waiting] == nil)
        let keys = TokenKeys(Desk.keys, cluster: "test") { MessageAuthenticationCode.sha256($0, key: $1) }
        var token = keys.token(proof.token, .cookie)!
        token.seat = SessionToken.Seat(dn: DN("7001")!, node: "", login: 9)
        token.issued = bench.now.wallMilliseconds
        _ = bench.ask(.resume(ticket: keys.text(of: token, .ticket)))
        #expect(bench.answers[waiting] == .refused(WorkspaceRefusal(.cannotVerify)))
    }

    @Test func `what another tab has asked meanwhile does not end the session`() {
        var bench = Bench()
        bench.open()
        let proof = bench.logIn("ann")!
        bench.sit(proof, "7000")
        let old = bench.ask(.renew(proof))
        guard case .session(let view, .set(let former, _)) = bench.answers[old] else {
            Issue.record("\(String(describing: bench.answers[old]))")
            return
        }
        let keys = TokenKeys(Desk.keys, cluster: "test") { MessageAuthenticationCode.sha256($0, key: $1) }
        var token = keys.token(former, .cookie)!
        token.seat = SessionToken.Seat(dn: DN("7001")!, node: "dc1/sip1", login: 7)
        token.issued += 1
        let moved = bench.ask(.resume(ticket: keys.text(of: token, .ticket)))
        bench.hear(.address(bench.lastNumber, Bench.status("7001", agent: "ann")))
        bench.hear(.registered(bench.lastNumber, Bench.status("7001", agent: "ann"), DesktopToken(number: 2)))
        guard case .session = bench.answers[moved] else {
            Issue.record("\(String(describing: bench.answers[moved]))")
            return
        }
        let late = bench.ask(.session(SessionProof(token: former, csrf: view.csrf)))
        guard case .session(let found, _) = bench.answers[late] else {
            Issue.record("\(String(describing: bench.answers[late]))")
            return
        }
        #expect(found.state?.line.dn == DN("7001"))
    }

    @Test func `a page that comes back to a session that was elsewhere meanwhile is told everything`() {
        let town = Town()
        let page = town.seated()
        page.obey()
        let last = page.events.last { $0.id != nil }!.id!
        page.leave()
        page.desk = 1
        #expect(page.ask(.resume(ticket: page.ticket)) == nil)
        #expect(page.sit("7001") == nil)
        page.desk = 0
        #expect(page.ask(.resume(ticket: page.ticket)) == nil)
        page.listen()
        for _ in 0..<5 {
            page.ask(.setPresence(page.proof, PresenceWish(.ready)))
            page.ask(.setPresence(page.proof, PresenceWish(.notReady)))
        }
        // Events of another session by the same name have other numbers.
        #expect(page.events.compactMap(\.id).allSatisfy { $0.prefix(16) != last.prefix(16) })
        let tab = page.copy(at: 0)
        tab.listen(after: last)
        #expect(tab.events.count == 1)
        #expect(tab.state?.line.dn == DN("7001"))
    }
}
