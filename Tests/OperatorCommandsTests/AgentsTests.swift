import ClusterModel
import OperatorCommands
import Orchestration
import Testing

@Suite struct AgentsTests {
    private var list: AgentList {
        var list = AgentList()
        var ann = AgentEntry()
        (ann.agent, ann.dn, ann.state, ann.workMode) = ("ann", "1001", "reserved", "unknown")
        (ann.since, ann.login) = (1_769_860_800_000, 1_769_860_700_000)
        (ann.service, ann.owner, ann.site, ann.isOwnersWord) = (.inService, "dc1/sip1", "west", true)
        ann.reservation = AgentEntry.Reservation(node: "dc2/sip1", client: 7, priority: 5, millisecondsLeft: 8_000)
        var bob = AgentEntry()
        (bob.agent, bob.dn, bob.state, bob.workMode) = ("bob\u{1B}[31m", "1002", "not-ready", "aux-work")
        bob.reasons = [Reasons.Reason(key: "why", value: "lunch")]
        (bob.since, bob.service, bob.owner) = (1_769_860_802_000, .ownerUnreachable, "dc2/sip1")
        list.entries = [ann, bob]
        return list
    }

    @Test func `the table says who is where, in which state, and why`() {
        let lines = AgentScreen.list(list.entries, now: 1_769_860_803_500, .plain).split(separator: "\n")
        #expect(lines[0].split(separator: " ") == ["AGENT", "DN", "STATE", "FOR", "OWNER", "SITE", "WHY"])
        #expect(lines[1].split(separator: " ") == ["ann", "1001", "reserved", "3s", "dc1/sip1", "west", "-"])
        #expect(lines[2].contains("not-ready ?") && lines[2].contains("DN out-of-service, aux-work, why=lunch"))
        #expect(!lines[2].contains("\u{1B}"), "agents choose their IDs")
        let reservations = AgentScreen.reservations(list.entries, .plain).split(separator: "\n")
        #expect(reservations.count == 2)
        #expect(reservations[1].split(separator: " ") == ["ann", "1001", "dc2/sip1", "7", "5", "8s", "dc1/sip1"])
    }

    @Test func `JSON has the same`() {
        let json = JSONOutput.compact(AgentsJSON(list))
        #expect(json.contains(#""agent":"ann""#) && json.contains(#""since":"2026-01-31T12:00:00.000Z""#))
        #expect(json.contains(#""reasons":{"why":"lunch"}"#) && json.contains(#""site":null"#))
        #expect(json.contains(#""ownersWord":false"#) && json.contains(#""service":"out-of-service""#))
        let reservations = JSONOutput.compact(ReservationsJSON(list))
        #expect(reservations.contains(#""client":7"#) && reservations.contains(#""millisecondsLeft":8000"#))
        #expect(!reservations.contains("bob"))
    }

    @Test func `what agents are good at has a column where there is any`() throws {
        var skilled = list
        let profile = AgentProfile(skills: [Skill("sales", level: 3)!, Skill("english", level: 5)!], priority: 2)
        skilled.entries[0].profile = try #require(profile)
        let lines = AgentScreen.list(skilled.entries, now: 1_769_860_803_500, .plain).split(separator: "\n")
        #expect(lines[0].hasSuffix("  SKILLS                         WHY"), "\(lines[0])")
        #expect(lines[1].contains("  english:5 sales:3, priority 2  -") && lines[2].contains("  -  "), "\(lines)")
        let json = JSONOutput.compact(AgentsJSON(skilled))
        #expect(json.contains(#""skills":{"english":5,"sales":3}"#) && json.contains(#""priority":2,"#), "\(json)")
        #expect(json.contains(#""skills":{}"#))
        var shown = details(.inService)
        for position in shown.answers.indices { shown.answers[position].report?.agent = skilled.entries[0] }
        let screen = DNScreen.rendered(shown, now: 1_769_860_803_500, .plain)
        #expect(
            screen.contains("\nagent        ann, reserved for 3s, with english:5 sales:3, priority 2\n"), "\(screen)")
    }

    private func explained(_ agent: AgentEntry?) -> String {
        var shown = details(.inService)
        for position in shown.answers.indices { shown.answers[position].report?.agent = agent }
        return DNExplanation(shown, status: healthyStatus()).agentPart(now: now)
    }

    @Test func `a DN's explanation says whether its agent gets calls, and what to do`() {
        #expect(explained(nil).hasPrefix("No agent is logged in on it, so no call is routed to it; "))
        var agent = AgentEntry()
        (agent.agent, agent.dn, agent.state, agent.since) = ("ann", "1000", "ready", now - 61_000)
        (agent.service, agent.isOwnersWord, agent.isAvailable) = (.inService, true, true)
        #expect(explained(agent) == "Agent ann is ready and available for 1m 01s.")
        agent.isAvailable = false
        #expect(explained(agent) == "Agent ann is ready, and gets no call as long as the DN is out of service.")
        agent.state = "busy"
        #expect(explained(agent) == "Agent ann has a call; `tandem calls --dn 1000` shows it.")
        agent.state = "reserved"
        agent.reservation = AgentEntry.Reservation(node: "dc1/sip1", client: 7, priority: 0, millisecondsLeft: 8_000)
        #expect(explained(agent) == "Agent ann is reserved for 8s more by client 7 of dc1/sip1.")
        agent.state = "after-call-work"
        #expect(explained(agent).hasPrefix("Agent ann works after a call for 1m 01s; it is ready again when "))
        (agent.state, agent.workMode, agent.isOwnersWord) = ("not-ready", "aux-work", false)
        agent.reasons = [Reasons.Reason(key: "why", value: "lunch")]
        let expected =
            "Agent ann is not ready for 1m 01s (aux-work, why=lunch), as other nodes knew it last; the desktop"
        #expect(explained(agent).hasPrefix(expected))
    }

    @Test func `dn show has the agent on a line, and JSON its object`() {
        var shown = details(.inService)
        for position in shown.answers.indices { shown.answers[position].report?.agent = list.entries[0] }
        let screen = DNScreen.rendered(shown, now: 1_769_860_803_500, .plain)
        #expect(screen.contains("\nagent        ann, reserved for 3s\n"), "\(screen)")
        let json = JSONOutput.compact(DNDetailsJSON(shown))
        #expect(json.contains(#""agent":{"agent":"ann","available":false,"dn":"1001""#), "\(json)")
        #expect(
            json.contains(#""reservation":{"client":7,"clientNode":"dc2/sip1","millisecondsLeft":8000,"priority":5}"#))
    }

    @Test func `of an agent that several nodes tell of, the owner's word counts, then the latest`() {
        func list(_ dn: String, _ state: String, since: UInt64, owners: Bool = false, hasMore: Bool = false)
            -> AgentList
        {
            var list = AgentList()
            var entry = AgentEntry()
            (entry.dn, entry.state, entry.since, entry.isOwnersWord) = (dn, state, since, owners)
            list.entries = [entry]
            list.hasMore = hasMore
            return list
        }
        func position(_ dn: String) -> DNIndex? { Int(dn).map { DNIndex($0) } }
        let merged = AgentList.merged(
            [
                list("1001", "ready", since: 9), list("1001", "busy", since: 5, owners: true),
                list("1001", "not-ready", since: 10), list("999", "ready", since: 1),
                list("999", "not-ready", since: 2),
            ], limit: 5, position: position)
        #expect(merged.entries.map(\.dn) == ["999", "1001"])
        #expect(merged.entries.map(\.state) == ["not-ready", "busy"])
        #expect(!merged.hasMore)
        #expect(
            AgentList.merged(
                [list("1", "ready", since: 1), list("2", "ready", since: 1)], limit: 1, position: position
            ).hasMore)
        #expect(AgentList.merged([list("1", "ready", since: 1, hasMore: true)], limit: 1, position: position).hasMore)
    }
}
