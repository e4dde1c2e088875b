import AgentSessions
import ClusterModel
import Testing
import WorkspaceCore

@Suite struct `several tabs` {
    @Test func `all hear the same, and the fifth ends the first`() {
        let town = Town()
        let page = town.seated()
        let tabs = (0..<4).map { _ in page.copy(at: 0) }
        let streams = tabs.map { $0.listen() }
        #expect(page.end == .tooManyTabs)
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.ready))) == nil)
        let told = streams.map { town.desks[0]!.pushed[$0]?.last }
        #expect(told.allSatisfy { $0 == told[0] && $0 != nil })
        #expect(town.desks[0]!.machine.figures.streams == 4)
        #expect(town.desks[0]!.machine.figures.sessions == 1)
    }

    @Test func `a page that comes back hears what it has missed`() {
        let town = Town()
        let page = town.seated()
        let last = page.events.last!.id!
        page.leave()
        #expect(page.ask(.setPresence(page.proof, PresenceWish(.ready))) == nil)
        page.listen(after: last)
        #expect(page.events.count == 1)
        #expect(page.state?.presence.status == .ready)
        let other = page.copy(at: 0)
        other.listen(after: "0000000000000000-1")
        #expect(other.state?.presence.status == .ready)
    }

    @Test func `a page that is gone takes the DN with it after the grace, not the agent`() {
        let town = Town()
        let page = town.seated()
        page.leave()
        town.pass(milliseconds: 9_500)
        #expect(town.services("7000") == [.inService, .inService, .inService])
        town.pass(milliseconds: 1_000)
        #expect(town.services("7000") == [.unregistered, .unregistered, .unregistered])
        #expect(town.agent("7000", at: 0)?.isLoggedIn == true)
        page.listen()
        #expect(town.services("7000") == [.inService, .inService, .inService])
        #expect(page.state?.link == .live)
    }

    @Test func `a page hears beats`() {
        let town = Town()
        let page = town.seated()
        town.pass(milliseconds: 10_000)
        let beats = page.events.filter { $0.name == "beat" }
        #expect(beats.count == 5)
        #expect(beats.allSatisfy { $0.id == nil })
    }

    @Test func `two sessions of an agent at one gateway have one line`() {
        let town = Town()
        let page = town.seated()
        town.pass(milliseconds: 1_000)
        let other = town.seated()
        #expect(page.end == nil)
        #expect(page.events.contains { $0.content == .renew })
        #expect(other.ask(.setPresence(other.proof, PresenceWish(.ready))) == nil)
        #expect(page.state?.presence.status == .ready)
        #expect(page.ask(.renew(page.proof)) == nil)
        #expect(page.ask(.logOut(page.proof)) == nil)
        #expect(other.end == .loggedOut)
    }
}
