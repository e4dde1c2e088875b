import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// What a node writes down of the past of its DNs.
@Suite struct HistoryTests {
    private func causes(_ node: Remembering) -> [Transition.Cause] { node.history.map(\.cause) }

    /// Registers at a node, and has everything written that comes of it.
    private func register(
        _ node: inout Remembering, cseq: Int = 1, expires: Int = 300, _ seconds: Double = 0
    ) {
        _ = node.core.receive(NodeCoreTests.register("1000", cseq: cseq, expires: expires), seconds)
        _ = node.commit(seconds)
        _ = node.commit(seconds)
    }

    private func ask(_ node: inout Remembering, _ activity: AgentRequest, _ seconds: Double) {
        _ = node.core.ask(.agent(referenceID: 1, dn: "1000", activity), desktop, seconds)
        _ = node.commit(seconds)
        _ = node.commit(seconds)
    }

    @Test func `what a phone does is history once, and refreshes are none`() throws {
        var node = Remembering()
        register(&node, 1)
        register(&node, cseq: 2, 2)
        register(&node, cseq: 3, 200)
        #expect(causes(node) == [.registered])
        let first = try #require(node.history.first)
        #expect(first.time == at(1).wallMilliseconds && first.owner == "dc1/alpha" && first.formerOwner.isEmpty)
        #expect(first.service == .inService && first.phone == "\(phone)" && first.agent.isEmpty)
        #expect(first.stamp == node.core.ownership.view(of: dn("1000")).stamp)
        register(&node, cseq: 4, expires: 0, 201)
        register(&node, cseq: 5, expires: 60, 202)
        node.core.tick(now: at(300))
        _ = node.commit(300)
        #expect(causes(node) == [.registered, .lost, .registered, .lost])
        #expect(node.history.map(\.service) == [.inService, .unregistered, .inService, .expired])
    }

    @Test func `what could not be written has not happened, and is no history`() {
        var node = Remembering()
        _ = node.core.receive(NodeCoreTests.register("1000"))
        node.core.storeFailed(through: node.write().last?.number ?? 0, now: at(0))
        register(&node, cseq: 2, 1)
        #expect(node.history.map(\.time) == [at(1).wallMilliseconds])
    }

    @Test func `who logs in and out, and is ready or not`() {
        var node = Remembering()
        register(&node)
        let ann = AgentID("ann")!
        ask(&node, .login(ann, .unknown, Reasons(), profile: nil), 1)
        ask(&node, .ready(.unknown, Reasons()), 2)
        ask(&node, .notReady(.unknown, Reasons()), 3)
        // Another reason for the same is no transition.
        ask(&node, .notReady(.auxWork, Reasons()), 4)
        ask(&node, .logout(Reasons()), 5)
        #expect(causes(node) == [.registered, .loggedIn, .ready, .notReady, .loggedOut])
        #expect(node.history.map(\.agent) == ["", "ann", "ann", "ann", "ann"])
    }

    @Test func `the former owner and the new one both write where the DN went`() throws {
        var pair = RememberingPair()
        register(&pair.nodes[0], 1)
        pair.pump()
        register(&pair.nodes[1], 2)
        pair.pump()
        _ = pair.nodes[0].commit(2)
        #expect(causes(pair.nodes[0]) == [.registered, .moved])
        #expect(causes(pair.nodes[1]) == [.registered])
        let (left, taken) = (try #require(pair.nodes[0].history.last), try #require(pair.nodes[1].history.last))
        #expect(left.owner == "dc1/beta" && left.formerOwner == "dc1/alpha")
        #expect(taken.owner == "dc1/beta" && taken.formerOwner == "dc1/alpha")
        #expect(left.stamp == taken.stamp)
    }

    @Test func `a new life writes only what has become of the DN meanwhile`() {
        var node = Remembering()
        register(&node, expires: 60)
        var soon = node.restarted(10)
        _ = soon.commit(10)
        #expect(soon.history.isEmpty)
        var late = node.restarted(100)
        _ = late.commit(100)
        #expect(late.history.map(\.cause) == [.lost])
        #expect(late.history.map(\.service) == [.expired])
    }
}
