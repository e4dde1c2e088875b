import AgentSessions
import ClusterModel
import Testing

struct AgentCountsTests {
    private static let (me, other) = (NodeIndex(0), NodeIndex(1))

    private static func view(
        _ owner: NodeIndex, _ state: AgentSession.State?, _ service: Service = .inService, _ occupancy: Occupancy = []
    ) throws -> View {
        var view = View(service: service, owner: owner, stamp: Stamp(milliseconds: 4, counter: 0))
        view.occupancy = occupancy
        if let state {
            let stamp = Stamp(milliseconds: 5, counter: 0)
            view.agent = AgentSession(agent: try #require(AgentID("ann")), state: state, login: stamp, stamp: stamp)
        }
        return view
    }

    @Test func `agents of the node's own DNs are counted, and whether they can be given a call`() throws {
        var counts = AgentCounts()
        let steps: [(to: View, loggedIn: Int, available: Int)] = [
            (try Self.view(Self.me, nil), 0, 0),
            (try Self.view(Self.me, .notReady), 1, 0),
            (try Self.view(Self.me, .ready), 1, 1),
            (try Self.view(Self.me, .ready, .inService, .busy), 1, 0),
            (try Self.view(Self.me, .ready, .expired), 1, 0),
            (try Self.view(Self.me, .ready), 1, 1),
            (try Self.view(Self.other, .ready), 0, 0),
            (try Self.view(Self.me, .ready), 1, 1),
            (try Self.view(Self.me, .loggedOut), 0, 0),
        ]
        var before = try Self.view(.none, nil, .neverRegistered)
        for (number, step) in steps.enumerated() {
            counts.viewChanged(from: before, to: step.to, at: Self.me)
            #expect(counts.loggedIn == step.loggedIn && counts.available == step.available, "step \(number)")
            before = step.to
        }
    }
}
