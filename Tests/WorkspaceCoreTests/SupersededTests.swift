import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing
import WorkspaceCore

@Suite struct `a line that another desktop has` {
    private func superseded(_ town: Town) -> (page: Page, other: ClientID) {
        let page = town.seated()
        let client = town.connectClient(2)
        town.request(.registerAddress(referenceID: 1, dn: "7000", takeover: true), from: client, at: 2)
        town.settle()
        town.pass(milliseconds: 1_000)
        #expect(page.state?.link == .superseded)
        return (page, client)
    }

    @Test func `ends the session with the agent's login`() {
        let town = Town()
        let (page, client) = superseded(town)
        town.request(.agent(referenceID: 2, dn: "7000", .logout(Reasons())), from: client, at: 2)
        town.settle()
        town.pass(milliseconds: 6_000)
        #expect(page.notices == [.superseded, .loggedOutElsewhere])
        #expect(page.end == .loggedOut)
        #expect(page.ask(.session(page.proof)) == .loggedOut)
    }

    @Test func `and at once for whoever comes with its cookie`() {
        let town = Town()
        let (page, client) = superseded(town)
        town.request(.agent(referenceID: 2, dn: "7000", .logout(Reasons())), from: client, at: 2)
        town.settle()
        town.request(
            .agent(referenceID: 3, dn: "7000", .login(AgentID("dan")!, .unknown, Reasons())), from: client, at: 2)
        town.settle()
        #expect(page.ask(.session(page.proof)) == .loggedOut)
        #expect(page.end == .loggedOut)
        #expect(town.agent("7000", at: 0)?.agent == AgentID("dan"))
    }

    @Test func `who looks at it does not take it back, who comes from elsewhere does`() {
        let town = Town()
        let (page, _) = superseded(town)
        #expect(page.ask(.session(page.proof)) == nil)
        #expect(page.copy(at: 0).ask(.session(page.proof)) == nil)
        let tab = page.copy(at: 0)
        tab.listen()
        town.pass(milliseconds: 20_000)
        #expect(tab.state?.link == .superseded)
        #expect(town.owner("7000") == 2)
        let moved = page.copy(at: 1)
        #expect(moved.ask(.resume(ticket: page.ticket)) == nil)
        moved.desk = 0
        #expect(moved.ask(.resume(ticket: moved.ticket)) == nil)
        #expect(town.owner("7000").map { $0 < 2 } == true)
        #expect(tab.state?.link == .live)
    }

    @Test func `while no node is heard the page keeps what it has`() {
        let town = Town()
        let (page, _) = superseded(town)
        for node in 0...2 { town.unplug(desk: 0, node: node) }
        #expect(page.ask(.session(page.proof), patience: 6_000) == .cannotVerify)
        #expect(page.end == nil)
        for node in 0...2 { town.plug(desk: 0, node: node) }
        town.pass(milliseconds: 1_000)
        #expect(page.ask(.session(page.proof)) == nil)
        #expect(town.owner("7000") == 2)
    }
}
