import AgentSessions
import ClusterModel
import Testing
import WorkspaceCore

@Suite struct `tickets` {
    @Test func `a second after sitting down every tab has one that says so`() {
        let town = Town()
        let page = Page(town)
        page.logIn("ann")
        page.listen()
        let tab = page.copy(at: 0)
        tab.listen()
        #expect(page.ask(.choose(page.proof, dn: "7000", takeBack: false)) == nil)
        town.pass(milliseconds: 1_000)
        for each in [page, tab] { each.obey() }
        town.kill(desk: 0)
        town.pass(milliseconds: 500)
        for each in [page, tab] {
            each.desk = 1
            #expect(each.ask(.resume(ticket: each.ticket)) == nil)
            #expect(each.isSeated)
        }
        #expect(town.services("7000") == [.inService, .inService, .inService])
    }

    @Test func `who has changed the line, or left it, has one that says so`() {
        let town = Town()
        let page = town.seated()
        page.obey()
        #expect(page.ask(.choose(page.proof, dn: "7001", takeBack: false)) == nil)
        page.obey()
        let moved = page.copy(at: 1)
        #expect(moved.ask(.resume(ticket: page.ticket)) == nil)
        #expect(moved.isSeated)
        #expect(page.ask(.leave(page.proof)) == nil)
        page.obey()
        let left = page.copy(at: 1)
        #expect(left.ask(.resume(ticket: page.ticket)) == nil)
        #expect(!left.isSeated)
    }

    @Test func `a page that only listens always has a good one`() {
        let town = Town()
        let page = town.seated()
        for _ in 0..<11 {
            town.pass(milliseconds: 60_000)
            page.obey()
        }
        town.kill(desk: 0)
        page.desk = 1
        #expect(page.ask(.resume(ticket: page.ticket)) == nil)
        #expect(page.isSeated)
    }

    @Test func `the session that it brings along lasts as long as before`() {
        let town = Town()
        let page = town.seated()
        guard case .session(let before, _) = page.lastReply else {
            Issue.record("\(String(describing: page.lastReply))")
            return
        }
        town.kill(desk: 0)
        page.desk = 1
        #expect(page.ask(.resume(ticket: page.ticket)) == nil)
        guard case .session(let after, _) = page.lastReply else {
            Issue.record("\(String(describing: page.lastReply))")
            return
        }
        #expect(after.expiresAt == before.expiresAt)
        page.listen()
        town.pass(milliseconds: 11 * 60_000)
        #expect(page.end == nil)
        #expect(page.ask(.session(page.proof)) == nil)
    }

    @Test func `a token that nobody has renewed for as long as sessions may be idle is taken by no other gateway`() {
        let town = Town { $0.workspacePolicy.idle = .seconds(120) }
        let page = Page(town)
        page.logIn("sue")
        let copy = page.copy(at: 1)
        town.pass(milliseconds: 170_000)
        #expect(copy.copy(at: 1).ask(.session(copy.proof)) == nil)
        town.kill(desk: 1)
        town.start(desk: 1)
        town.pass(milliseconds: 20_000)
        #expect(copy.ask(.session(copy.proof)) == .expired)
    }
}
