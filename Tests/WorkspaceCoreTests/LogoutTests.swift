import AgentSessions
import ClusterModel
import Testing
import WorkspaceCore

@Suite struct `signing out` {
    @Test func `nobody is left anywhere, and no copy of the token is good`() {
        let town = Town()
        let page = town.seated()
        let copies = [page.copy(at: 0), page.copy(at: 1)]
        let id = page.listen()
        #expect(page.ask(.logOut(page.proof)) == nil)
        #expect(town.services("7000") == [.unregistered, .unregistered, .unregistered])
        #expect(town.agent("7000", at: 2)?.isLoggedIn == false)
        #expect(town.desks[0]!.ended[id] == .loggedOut)
        #expect(page.cookie.isEmpty)
        for copy in copies {
            #expect(copy.ask(.session(copy.proof)) == .loggedOut)
            #expect(copy.ask(.resume(ticket: copy.ticket)) == .loggedOut)
        }
        town.pass(milliseconds: 20_000)
        #expect(town.services("7000") == [.unregistered, .unregistered, .unregistered])
    }

    @Test func `a gateway that takes tokens of those who have gone is found out`() {
        let town = Town(faults: .tokenOutlivesLogout)
        let page = Page(town)
        page.logIn("sue")
        let copy = page.copy(at: 0)
        #expect(page.ask(.logOut(page.proof)) == nil)
        #expect(copy.ask(.session(copy.proof)) == nil)
    }

    @Test func `who leaves the DN stays signed in, and the former token is no good but for what is on its way`() {
        let town = Town()
        let page = town.seated()
        let old = page.cookie
        let former = page.copy(at: 0)
        #expect(page.ask(.leave(page.proof)) == nil)
        #expect(town.services("7000") == [.unregistered, .unregistered, .unregistered])
        #expect(page.state == nil)
        #expect(page.ask(.session(page.proof)) == nil)
        #expect(page.ask(.leave(page.proof)) == .notSeated)
        #expect(former.ask(.renew(former.proof)) == nil)
        town.pass(milliseconds: 11_000)
        let late = page.copy(at: 0)
        late.cookie = old
        #expect(late.ask(.session(late.proof)) == .loggedOut)
        #expect(page.sit("7001") == nil)
    }

    @Test func `without a node the page is signed out all the same, after five seconds`() {
        let town = Town()
        let page = town.seated()
        for node in 0...2 { town.kill(node: node) }
        #expect(page.ask(.logOut(page.proof), patience: 4_000) == .unknownOutcome)
        town.pass(milliseconds: 1_500)
        #expect(town.desks[0]!.machine.figures.sessions == 0)
        #expect(town.desks[0]!.audits.map(\.event).contains(.logout))
    }

    @Test func `the cluster hears of it as soon as a node is heard, and no copy of the token outlives that`() {
        let town = Town()
        let page = town.seated()
        let copy = page.copy(at: 1)
        for node in 0...2 { town.unplug(desk: 0, node: node) }
        page.ask(.logOut(page.proof), patience: 6_000)
        #expect(town.desks[0]!.machine.figures.sessions == 0)
        #expect(town.agent("7000", at: 2)?.isLoggedIn == true)
        for node in 0...2 { town.plug(desk: 0, node: node) }
        town.pass(milliseconds: 1_000)
        #expect(town.agent("7000", at: 2)?.isLoggedIn == false)
        #expect(copy.ask(.session(copy.proof)) == .loggedOut)
    }

    @Test func `a logout that comes late logs out no later login`() {
        let town = Town()
        let page = town.seated()
        for node in 0...2 { town.unplug(desk: 0, node: node) }
        page.ask(.logOut(page.proof), patience: 6_000)
        let later = town.seated(at: 1)
        for node in 0...2 { town.plug(desk: 0, node: node) }
        town.pass(milliseconds: 10_000)
        #expect(later.state?.link == .live)
        #expect(town.agent("7000", at: 2)?.isLoggedIn == true)
    }

    @Test func `another password, or no account, ends sessions`() {
        let town = Town()
        let page = town.seated()
        var accounts = Desk.accounts
        accounts[0].hash = "another hash"
        town.desks[0]!.machine.replaceAccounts(accounts, now: town.now)
        town.settle()
        #expect(page.end == .revoked)
        #expect(page.ask(.session(page.proof)) == .revoked)
        #expect(page.copy(at: 1).ask(.session(page.proof)) == nil)
    }

    @Test func `a session that nobody uses ends`() {
        let town = Town { $0.workspacePolicy.idle = .seconds(60) }
        let page = Page(town)
        page.logIn("sue")
        town.pass(milliseconds: 59_000)
        #expect(page.ask(.session(page.proof)) == nil)
        town.pass(milliseconds: 61_000)
        #expect(page.ask(.session(page.proof)) == .loggedOut)
    }

    @Test func `a session ends some hours after its password`() {
        let town = Town { $0.workspacePolicy.session = .seconds(300) }
        let page = town.seated()
        town.pass(milliseconds: 299_000)
        #expect(page.end == nil)
        town.pass(milliseconds: 2_000)
        #expect(page.end == .expired)
        #expect(page.ask(.session(page.proof)) == .expired)
        #expect(page.copy(at: 1).ask(.session(page.proof)) == .expired)
    }

    @Test func `a gateway that has let the line go believes no token of a login that was over since`() {
        let town = Town()
        let page = town.seated()
        let copy = page.copy(at: 0)
        page.leave()
        page.desk = 1
        #expect(page.ask(.session(page.proof)) == nil)
        page.listen()
        town.pass(milliseconds: 15_000)
        #expect(page.ask(.logOut(page.proof)) == nil)
        #expect(copy.ask(.session(copy.proof)) == .loggedOut)
    }
}
