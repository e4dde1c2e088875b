import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `agents sit down` {
    @Test func `a PSTN DN is in service everywhere, and its agent not ready`() {
        let town = Town()
        let page = town.seated()
        #expect(town.services("7000") == [.inService, .inService, .inService])
        #expect(town.owner("7000").map { $0 < 2 } == true)
        #expect(town.agent("7000", at: 2)?.agent == AgentID("ann"))
        #expect(page.state?.link == .live)
        #expect(page.state?.presence.status == .notReady)
        #expect(page.state?.line.kind == .pstn)
        #expect(town.desks[0]!.audits.map(\.event) == [.login, .seat])
    }

    @Test func `wrong passwords and agents that there are not are told alike`() {
        let town = Town()
        let page = Page(town)
        #expect(page.logIn("ann", password: "wrong") == .wrongCredentials)
        #expect(page.logIn("nobody") == .wrongCredentials)
        #expect(page.logIn("ann", password: String(repeating: "x", count: 300)) == .wrongCredentials)
        #expect(
            town.desks[0]!.audits.map(\.event) == [
                .loginRefused(.password), .loginRefused(.unknown), .loginRefused(.password),
            ])
        #expect(page.cookie.isEmpty)
    }

    @Test func `the sixth login at once waits`() {
        let town = Town()
        for _ in 0..<5 { #expect(Page(town).logIn("ann", password: "wrong") == .wrongCredentials) }
        #expect(Page(town).logIn("ann") == .tooManyAttempts)
        town.pass(milliseconds: 30_000)
        #expect(Page(town).logIn("ann") == nil)
    }

    @Test func `who guesses from elsewhere does not keep the agent out`() {
        let town = Town()
        #expect(Page(town).logIn("ann") == nil)
        func guess(from source: UInt32) -> WorkspaceProblem? {
            let page = Page(town)
            page.source = source
            return page.logIn("ann", password: "wrong")
        }
        for source in 0..<4 as Range<UInt32> { #expect(guess(from: source) == .wrongCredentials) }
        #expect(guess(from: 9) == .tooManyAttempts)
        // From where the agent has signed in before there is a count of its own, which is as strict.
        for _ in 0..<4 { #expect(guess(from: 0x0A00_0001) == .wrongCredentials) }
        #expect(Page(town).logIn("ann") == nil)
        #expect(guess(from: 0x0A00_0001) == .tooManyAttempts)
    }

    @Test func `an office behind one address signs in at once, and does not guess more for that`() {
        let agents = (0..<60).map { AgentAccount(agent: AgentID("agent\($0)")!, hash: "hash") }
        let town = Town(accounts: agents)
        for number in 0..<60 { #expect(Page(town).logIn("agent\(number)") == nil) }
        for number in 0..<20 { #expect(Page(town).logIn("nobody\(number)") == .wrongCredentials) }
        #expect(Page(town).logIn("nobody") == .tooManyAttempts)
        // Those who were here before are.
        #expect(Page(town).logIn("agent7") == nil)
    }

    @Test func `an agent has so many sessions, and the one that nobody has used for longest ends`() {
        let town = Town()
        let watched = Page(town)
        watched.logIn("ben")
        watched.listen()
        var pages: [Page] = []
        for _ in 0..<16 {
            town.pass(milliseconds: 30_000)
            let page = Page(town)
            #expect(page.logIn("ben") == nil)
            pages.append(page)
        }
        #expect(town.desks[0]!.machine.figures.sessions == 16)
        #expect(watched.ask(.session(watched.proof)) == nil)
        #expect(pages[0].ask(.session(pages[0].proof)) == .loggedOut)
        #expect(pages[1].ask(.session(pages[1].proof)) == nil)
    }

    @Test func `strangers do not take all the time there is for passwords`() {
        var bench = Bench()
        #expect(bench.logIn("ann") != nil)
        for number in 0..<40 {
            _ = bench.ask(.logIn(agent: "nobody\(number)", password: []), source: UInt32(100 + number))
        }
        let stranger = bench.ask(.logIn(agent: "ben", password: []), source: 99)
        #expect(bench.answers[stranger] == .refused(WorkspaceRefusal(.busy, retryAfter: 1_000)))
        #expect(bench.logIn("ann") != nil)
    }

    @Test func `only at the DNs of the account, and at those that there are`() {
        let town = Town()
        let page = Page(town)
        page.logIn("ann")
        #expect(page.sit("7005") == .dnNotYours)
        #expect(page.sit("9999") == .unknownDN)
        #expect(page.sit("no DN at all") == .unknownDN)
        let other = Page(town)
        other.logIn("ben")
        #expect(other.sit("7005") == nil)
    }

    @Test func `not where somebody else is logged in`() {
        let town = Town()
        let page = town.seated()
        let other = Page(town, at: 1)
        other.logIn("ben")
        #expect(other.sit("7000") == .dnInUse)
        let near = Page(town)
        near.logIn("ben")
        #expect(near.sit("7000") == .dnInUse)
        #expect(town.agent("7000", at: 0)?.agent == AgentID("ann"))
        #expect(page.state?.link == .live)
        #expect(page.end == nil)
        #expect(town.services("7000") == [.inService, .inService, .inService])
    }

    @Test func `a SIP phone that has not registered cannot be sat at`() {
        let town = Town()
        let page = Page(town)
        page.logIn("ann")
        #expect(page.sit("1000") == .phoneNotRegistered)
        #expect(page.sit("7000") == nil)
    }

    @Test func `who sits down elsewhere leaves the former DN first`() {
        let town = Town()
        let page = town.seated()
        #expect(page.sit("7001") == nil)
        #expect(town.services("7000") == [.unregistered, .unregistered, .unregistered])
        #expect(town.services("7001") == [.inService, .inService, .inService])
        #expect(town.agent("7000", at: 2)?.isLoggedIn == false)
        #expect(town.agent("7001", at: 2)?.agent == AgentID("ann"))
        #expect(page.ask(.session(page.proof)) == nil)
        #expect(page.state?.line.dn == DN("7001"))
    }

    @Test func `a DN of another data center is held there`() {
        let town = Town()
        let page = Page(town)
        page.logIn("ben")
        page.listen()
        #expect(page.sit("7100") == nil)
        #expect(town.owner("7100") == 2)
        #expect(page.state?.line.dataCenter == "dc2")
    }

    @Test func `nothing is changed without what only our page knows`() {
        let town = Town()
        let page = town.seated()
        let stranger = page.copy(at: 0)
        stranger.csrf = ""
        #expect(stranger.sit("7001") == .badCSRF)
        stranger.csrf = "AAAA"
        #expect(stranger.ask(.logOut(stranger.proof)) == .badCSRF)
        #expect(stranger.ask(.setPresence(stranger.proof, PresenceWish(.ready))) == .badCSRF)
        #expect(town.desks[0]!.audits.filter { $0.event == .csrfRefused }.count == 3)
        #expect(town.agent("7000", at: 0)?.state == .notReady)
    }
}
