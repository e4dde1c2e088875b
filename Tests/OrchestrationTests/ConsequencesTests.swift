import Orchestration
import Testing

@Suite struct ConsequencesTests {
    /// A node with DNs and agents, whose links to some others are live.
    private func node(
        _ name: String, hears peers: [String], dns: UInt64 = 10, agents: UInt64 = 2, available: UInt64 = 1,
        _ points: (waiting: UInt64, fitting: UInt64, available: UInt64) = (0, 2, 1)
    ) -> NodeReach {
        var node = NodeReach(name, dataCenter: String(name.prefix(3)))
        var reach = ReachReport()
        (reach.report.ownedInService, reach.report.agents, reach.report.agentsAvailable) = (dns, agents, available)
        reach.report.links = ["dc1/a", "dc1/b", "dc2/c", "dc3/d"].filter { $0 != name }.map {
            LinkStatus(peer: $0, state: peers.contains($0) ? "live" : "down")
        }
        var point = PointReach("8000")
        (point.waiting, point.fitting, point.available) = points
        reach.points = [point]
        node.report = reach
        return node
    }

    private func mesh() -> [NodeReach] {
        let names = ["dc1/a", "dc1/b", "dc2/c"]
        return [
            node("dc2/c", hears: names, dns: 5, agents: 3, available: 2, (4, 3, 2)),
            node("dc1/a", hears: names, (2, 0, 0)), node("dc1/b", hears: names, (1, 0, 0)),
        ]
    }

    @Test func `a cut makes two sides, each with its own DNs and agents`() throws {
        let consequences = Consequences(of: .cut([["dc1/a", "dc1/b"], ["dc2/c"]]), mesh())
        #expect(consequences.sides.map(\.nodes) == [["dc1/a", "dc1/b"], ["dc2/c"]])
        #expect(consequences.silent.isEmpty && consequences.losses.isEmpty)
        let west = try #require(consequences.sides.first)
        #expect(west.heardBefore == ["dc2/c"] && west.heardAfter.isEmpty)
        #expect(west.dns == .init(before: 25, after: 20) && west.agents == .init(before: 7, after: 4))
        #expect(west.available == .init(before: 4, after: 2))
        #expect(west.points[0].waiting == 3 && west.points[0].fitting == .init(before: 3, after: 0))
        #expect(west.points[0].outlook == .nobody)
        let east = consequences.sides[1]
        #expect(east.heardBefore == ["dc1/a", "dc1/b"] && east.points[0].waiting == 4)
        #expect(east.points[0].outlook == .unchanged)
    }

    @Test func `who is in none of the groups hears both`() {
        let names = ["dc1/a", "dc2/c", "dc3/d"]
        let nodes = names.map { node($0, hears: names) }
        let consequences = Consequences(of: .cut([["dc1/a"], ["dc2/c"]]), nodes)
        #expect(consequences.sides.map(\.nodes) == [["dc1/a"], ["dc2/c"], ["dc3/d"]])
        #expect(consequences.sides.map(\.heardAfter) == [["dc3/d"], ["dc3/d"], ["dc1/a", "dc2/c"]])
        #expect(consequences.sides.map(\.points[0].outlook) == [.fewer, .fewer, .unchanged])
    }

    @Test func `a lost node takes its agents and waiting calls along`() {
        let consequences = Consequences(of: .loss(["dc2/c"]), mesh())
        #expect(consequences.sides.map(\.nodes) == [["dc1/a", "dc1/b"]])
        #expect(consequences.sides[0].points[0].outlook == .nobody)
        #expect(consequences.losses.map(\.node) == ["dc2/c"] && consequences.losses[0].dns == 5)
        #expect(consequences.losses[0].waiting.map(\.waiting) == [4])
    }

    @Test func `what is cut already counts as it is, and who does not answer is lost already`() {
        var nodes = [
            node("dc1/a", hears: ["dc1/b"]), node("dc1/b", hears: ["dc1/a", "dc2/c"]), node("dc2/c", hears: []),
        ]
        let now = Consequences(of: .cut([]), nodes)
        #expect(now.sides.map(\.nodes) == [["dc1/a"], ["dc1/b"], ["dc2/c"]])
        #expect(now.sides.map { $0.dns.before } == [20, 30, 10])
        #expect(now.sides.allSatisfy { $0.dns.before == $0.dns.after && $0.points[0].outlook == .unchanged })
        nodes[2].report = nil
        let silent = Consequences(of: .cut([["dc1/a"], ["dc1/b"]]), nodes)
        #expect(silent.silent == ["dc2/c"] && silent.sides.count == 2)
        #expect(silent.sides[1].dns == .init(before: 20, after: 10))
    }

    @Test func `agents who fit may be there, and none who can be given a call`() {
        let names = ["dc1/a", "dc2/c"]
        let nodes = [node("dc1/a", hears: names, (1, 2, 0)), node("dc2/c", hears: names, (0, 1, 1))]
        let consequences = Consequences(of: .cut([["dc1/a"], ["dc2/c"]]), nodes)
        #expect(consequences.sides.map(\.points[0].outlook) == [.noneAvailable, .fewer])
        #expect(Consequences(of: .cut([]), []).sides.isEmpty)
    }
}
