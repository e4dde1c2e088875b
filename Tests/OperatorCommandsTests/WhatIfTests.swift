import OperatorCommands
import Orchestration
import Testing

private func node(
    _ name: String, _ peer: String, dns: UInt64, agents: UInt64, available: UInt64,
    _ points: [(String, waiting: UInt64, fitting: UInt64, available: UInt64)]
) -> NodeReach {
    var node = NodeReach(name, dataCenter: String(name.prefix(3)))
    var reach = ReachReport()
    (reach.report.ownedInService, reach.report.agents, reach.report.agentsAvailable) = (dns, agents, available)
    reach.report.links = [LinkStatus(peer: peer, state: "live")]
    reach.points = points.map { number, waiting, fitting, available in
        var point = PointReach(number)
        (point.waiting, point.fitting, point.available) = (waiting, fitting, available)
        return point
    }
    node.report = reach
    return node
}

private let nodes = [
    node("dc1/sip1", "dc2/sip1", dns: 20, agents: 2, available: 1, [("8000", 3, 0, 0), ("8001", 0, 2, 1)]),
    node("dc2/sip1", "dc1/sip1", dns: 30, agents: 3, available: 2, [("8000", 1, 3, 2), ("8001", 0, 3, 2)]),
]

func consequencesOfACut() -> Consequences { Consequences(of: .cut([["dc1/sip1"], ["dc2/sip1"]]), nodes) }

@Suite struct WhatIfTests {
    @Test func `each side is told what it would keep, and who would have nobody left`() {
        let screen = WhatIfScreen.rendered(consequencesOfACut(), .plain)
        let expected = """
            dc1/sip1 would hear no other node, and not dc2/sip1.
            WHAT              NOW  THEN
            DNs in service     50    20
            agents              5     2
            agents available    3     1
            ROUTING POINT  WAITING  FITTING NOW  THEN  AVAILABLE NOW  THEN
            8000                 3            3     0              2     0
            8001                 0            5     2              3     1
            3 callers who wait at 8000 would have nobody left: none of the 3 agents who fit would be heard.
            What dc2/sip1 has: `tandem dn list --owner dc2/sip1 --state in-service`, `tandem agents --node dc2/sip1`

            dc2/sip1 would hear no other node, and not dc1/sip1.
            WHAT              NOW  THEN
            DNs in service     50    30
            agents              5     3
            agents available    3     2
            ROUTING POINT  WAITING  FITTING NOW  THEN  AVAILABLE NOW  THEN
            8000                 1            3     3              2     2
            8001                 0            5     3              3     2
            What dc1/sip1 has: `tandem dn list --owner dc1/sip1 --state in-service`, `tandem agents --node dc1/sip1`

            """
        #expect(screen == expected, "\(screen)")
    }

    @Test func `of a lost node its DNs and calls are told`() {
        let screen = WhatIfScreen.rendered(Consequences(of: .loss(["dc2/sip1"]), nodes), .plain)
        let head = """
            dc2/sip1 would be gone, with 30 DNs in service and 3 agents.
            1 call waits there at 8000, and would end with it.

            dc1/sip1 would hear no other node, and not dc2/sip1.

            """
        #expect(screen.hasPrefix(head), "\(screen)")
        #expect(
            WhatIfScreen.rendered(Consequences(of: .loss(["dc1/sip1", "dc2/sip1"]), nodes), .plain).hasSuffix(
                "No node would be left.\n"))
    }

    @Test func `JSON says it in words and numbers`() {
        let json = JSONOutput.compact(ConsequencesJSON(consequencesOfACut()))
        #expect(json.contains(#""outlook":"nobody""#) && json.contains(#""outlook":"fewer""#), "\(json)")
        #expect(json.contains(#""dnsInService":{"after":20,"before":50}"#), "\(json)")
        #expect(json.contains(#""silentNodes":[]"#) && json.contains(#""lost":[]"#))
        let lost = JSONOutput.compact(ConsequencesJSON(Consequences(of: .loss(["dc2/sip1"]), nodes)))
        #expect(lost.contains(#""waiting":{"8000":1}"#), "\(lost)")
    }

    @Test func `a caller who waits is told of in the singular, too`() {
        var point = Consequences.Point("8000")
        #expect(WhatIfScreen.sentence(point) == nil)
        point.waiting = 1
        point.fitting = .init(before: 1, after: 0)
        #expect(
            WhatIfScreen.sentence(point)
                == "1 caller who waits at 8000 would have nobody left: the one agent who fits would not be heard.")
        point.fitting.after = 1
        point.available = .init(before: 1, after: 0)
        point.waiting = 0
        #expect(WhatIfScreen.sentence(point)?.hasPrefix("Callers of 8000 would have to wait: ") == true)
    }
}
