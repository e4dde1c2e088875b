import AgentSessions
import ClusterModel
import Testing
import WorkspaceCore

@Suite struct `supervisors` {
    private func row(_ dn: String, _ status: AgentStatus) -> BoardRow {
        BoardRow(
            dn: DN(dn)!, agent: AgentID("ann")!, status: status, since: 1, dataCenter: "dc1", location: "west",
            owner: "dc1/sip1", service: .inService)
    }

    @Test func `see agents while they look, and others do not`() {
        let town = Town()
        let page = Page(town)
        page.logIn("sue")
        let desk = town.desks[0]!
        let stream = desk.stream(.supervisor, page.cookie)
        #expect(desk.opened.contains(stream))
        #expect(desk.hearsStat)
        desk.machine.told(
            BoardNews(beginsSnapshot: true, endsSnapshot: true, rows: [row("7000", .ready)]), now: town.now)
        town.settle()
        #expect(
            desk.pushed[stream]?.map(\.content) == [
                .agentsSnapshot([row("7000", .ready)], isFirst: true, isLast: true)
            ])
        desk.machine.told(BoardNews(rows: [row("7000", .busy)]), now: town.now)
        town.pass(milliseconds: 300)
        #expect(desk.pushed[stream]?.last?.content == .agents([row("7000", .busy)]))
        desk.closed(stream)
        town.pass(milliseconds: 61_000)
        #expect(!desk.hearsStat)

        let agent = Page(town)
        agent.logIn("ann")
        let other = desk.stream(.supervisor, agent.cookie)
        #expect(desk.refused[other]?.problem == .notSupervisor)
        #expect(agent.ask(.agents(agent.proof, AgentQuery())) == .notSupervisor)
        #expect(agent.ask(.explain(agent.proof, dn: "7000")) == .notSupervisor)
    }

    @Test func `hear why a DN is out of service, in its owner's words`() {
        let town = Town()
        let agent = town.seated()
        #expect(agent.ask(.leave(agent.proof)) == nil)
        let page = Page(town, at: 1)
        page.logIn("sue")
        #expect(page.ask(.explain(page.proof, dn: "7000")) == nil)
        guard case .explained(let explanation) = page.lastReply else {
            Issue.record("\(String(describing: page.lastReply))")
            return
        }
        #expect(explanation.service == .unregistered)
        #expect(explanation.dataCenter == "dc1")
        #expect(explanation.agent == nil)
        #expect(page.ask(.explain(page.proof, dn: "9999")) == .unknownDN)
    }
}
