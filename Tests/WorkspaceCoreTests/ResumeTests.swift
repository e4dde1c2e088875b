import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `at another gateway` {
    @Test func `a page goes on where the gateway is lost, and nobody hears of it`() {
        let town = Town()
        let page = town.seated()
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.ready))) == nil)
        town.clearHeard()
        town.kill(desk: 0)
        town.pass(milliseconds: 2_000)
        page.desk = 1
        #expect(page.ask(.resume(ticket: page.ticket)) == nil)
        page.listen()
        #expect(page.state?.link == .live)
        #expect(page.state?.presence.status == .ready)
        town.pass(milliseconds: 30_000)
        #expect(town.services("7000") == [.inService, .inService, .inService])
        #expect(!town.heardOutOfService("7000"))
        #expect(town.desks[1]!.audits.map(\.event) == [.resume])
    }

    @Test func `a gateway that starts again knows nobody, and takes the cookie`() {
        let town = Town()
        let page = town.seated()
        town.clearHeard()
        town.kill(desk: 0)
        town.pass(milliseconds: 500)
        town.start(desk: 0)
        page.listen()
        #expect(page.state?.link == .live)
        town.pass(milliseconds: 30_000)
        #expect(!town.heardOutOfService("7000"))
    }

    @Test func `without a page at either the DN is let go`() {
        let town = Town()
        _ = town.seated()
        town.kill(desk: 0)
        town.pass(milliseconds: 11_000)
        #expect(town.services("7000") == [.desktopGone, .desktopGone, .desktopGone])
        #expect(town.agent("7000", at: 0)?.isLoggedIn == true)
    }

    @Test func `after the grace the page brings the DN back`() {
        let town = Town()
        let page = town.seated()
        town.kill(desk: 0)
        town.pass(milliseconds: 15_000)
        page.desk = 1
        #expect(page.ask(.resume(ticket: page.ticket)) == nil)
        page.listen()
        #expect(town.services("7000") == [.inService, .inService, .inService])
    }

    @Test func `a cookie is no ticket, and a ticket no cookie`() {
        let town = Town()
        let page = town.seated()
        #expect(page.copy(at: 1).ask(.resume(ticket: page.cookie)) == .revoked)
        #expect(page.copy(at: 1).ask(.session(SessionProof(token: page.ticket))) == .revoked)
        #expect(page.copy(at: 1).ask(.session(SessionProof(token: ""))) == .noSession)
    }

    @Test func `nobody's ticket takes the place of who is signed in there`() {
        let town = Town()
        let page = town.seated()
        let (own, other) = (page.copy(at: 1), town.seated("ben", "7001"))
        #expect(own.ask(.resume(ticket: other.ticket, cookie: own.cookie)) == .otherSession)
        #expect(own.ask(.resume(ticket: own.ticket, cookie: own.cookie)) == nil)
        // What is no good cookie any more is nobody's.
        #expect(own.ask(.resume(ticket: other.ticket, cookie: "stale")) == nil)
    }

    @Test func `a ticket is good for ten minutes`() {
        let town = Town()
        let page = town.seated()
        let ticket = page.ticket
        town.pass(milliseconds: 599_000)
        #expect(page.copy(at: 1).ask(.resume(ticket: ticket)) == nil)
        town.pass(milliseconds: 2_000)
        #expect(page.copy(at: 1).ask(.resume(ticket: ticket)) == .expired)
    }

    @Test func `without a node nobody is believed`() {
        let town = Town()
        let page = town.seated()
        for node in 0...2 { town.unplug(desk: 1, node: node) }
        let copy = page.copy(at: 1)
        #expect(copy.ask(.session(copy.proof), patience: 4_000) == .unknownOutcome)
        #expect(town.desks[1]!.sent.isEmpty)
        town.pass(milliseconds: 2_000)
        #expect(town.desks[1]!.machine.figures.sessions == 0)
        for node in 0...2 { town.plug(desk: 1, node: node) }
        town.pass(milliseconds: 200)
        #expect(copy.ask(.session(copy.proof)) == nil)
    }

    @Test func `a token of a login that is over registers nothing`() {
        let town = Town()
        let page = town.seated()
        let copy = page.copy(at: 1)
        #expect(page.ask(.logOut(page.proof)) == nil)
        #expect(copy.ask(.session(copy.proof)) == .loggedOut)
        for request in town.desks[1]!.sent {
            if case .registerAddress = request.request { Issue.record("\(request) was sent") }
        }
        #expect(town.desks[1]!.audits.map(\.event) == [.resumeRefused(.loggedOut)])
    }

    @Test func `two gateways hold a line together, and neither loses it`() {
        let town = Town()
        let page = town.seated()
        let copy = page.copy(at: 1)
        #expect(copy.ask(.session(copy.proof)) == nil)
        copy.listen()
        #expect(copy.state?.link == .live)
        #expect(page.state?.link == .live)
        page.leave()
        town.pass(milliseconds: 20_000)
        #expect(town.services("7000") == [.inService, .inService, .inService])
        #expect(copy.state?.link == .live)
    }

    @Test func `who comes to a gateway whose place was taken has it there, a stranger has not`() {
        let town = Town()
        let page = town.seated()
        let stale = page.copy(at: 0)
        town.pass(milliseconds: 1_000)
        let other = town.seated(at: 1)
        town.pass(milliseconds: 1_000)
        let client = town.connectClient(2)
        town.request(.registerAddress(referenceID: 1, dn: "7000", takeover: true), from: client, at: 2)
        town.settle()
        #expect(page.state?.link == .superseded)
        let owner = town.owner("7000")
        town.desks[0]!.machine.replaceAccounts([], now: town.now)
        town.desks[0]!.machine.replaceAccounts(Desk.accounts, now: town.now)
        town.settle()
        // The login of this token is over.
        #expect(stale.ask(.session(stale.proof), patience: 1_000) == .loggedOut)
        town.pass(milliseconds: 1_000)
        #expect(town.owner("7000") == owner)
        other.ask(.renew(other.proof))
        let moved = other.copy(at: 0)
        #expect(moved.ask(.session(moved.proof), patience: 1_000) == nil)
        moved.listen()
        #expect(moved.state?.link == .live)
    }

    @Test func `at a DN where somebody else sits now a former token is told so at once`() {
        let town = Town()
        let page = Page(town)
        page.logIn("ben")
        page.sit("7005")
        let former = page.copy(at: 1)
        #expect(page.ask(.logOut(page.proof)) == nil)
        let other = town.seated("sue", "7005", at: 1)
        #expect(former.ask(.session(former.proof)) == .loggedOut)
        #expect(other.state?.link == .live)
        #expect(other.copy(at: 1).ask(.session(other.proof)) == nil)
    }

    @Test func `two sessions that come to a gateway have one line`() {
        let town = Town()
        let page = town.seated()
        let first = page.copy(at: 1)
        #expect(first.ask(.session(first.proof)) == nil)
        town.pass(milliseconds: 1_000)
        let other = town.seated()
        let second = other.copy(at: 1)
        #expect(second.ask(.session(second.proof)) == nil)
        first.listen()
        #expect(first.end == nil)
        #expect(town.desks[1]!.machine.figures.sessions == 2)
    }
}
