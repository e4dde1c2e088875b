import Orchestration
import Testing

@Suite struct ClusterJournalTests {
    private var journal = ClusterJournal(ring: EventRing(stream: 1))

    private func kinds(_ journal: ClusterJournal, from position: UInt64 = 1) -> [String] {
        journal.ring.batch(from: position).events.map { event in
            let subject = event.peer.isEmpty ? event.node : "\(event.node)>\(event.peer)"
            let condition = event.condition.isEmpty ? "" : " \(event.condition)"
            return "\(event.kind.rawValue) \(subject)\(condition)"
        }
    }

    private func node(_ name: String, link: String? = "live", state: NodeState = .ready) -> NodeStatus {
        var node = NodeStatus(name: name)
        node.state = state
        node.incarnation = 1
        guard let link else { return node }
        node.report = NodeReport()
        node.report!.links = [LinkStatus(peer: "dc2/b", state: link)]
        return node
    }

    @Test func `a worker's life is told step by step`() {
        var journal = journal
        journal.nodeStarted("dc1/a", process: 10, incarnation: 1, at: 1)
        journal.nodeReady("dc1/a", at: 2)
        journal.nodeKilled("dc1/a", SupervisionMachine.KillReason.silent.sentence, at: 3)
        journal.nodeExited("dc1/a", "signal 9", wasKilled: true, at: 4)
        journal.nodeBackingOff("dc1/a", milliseconds: 90, at: 5)
        journal.nodeStopped("dc1/a", at: 6)
        #expect(
            kinds(journal) == [
                "node-started dc1/a", "node-ready dc1/a", "node-killed dc1/a", "node-exited dc1/a",
                "node-backing-off dc1/a", "node-stopped dc1/a",
            ])
        let events = journal.ring.batch(from: 1).events
        #expect(events.map(\.time) == [1, 2, 3, 4, 5, 6])
        #expect(events[3].message == "its process ended after it was killed: signal 9")
        #expect(events.map(\.severity) == [.notice, .notice, .error, .error, .error, .notice])
    }

    @Test func `a link's changes are told once each, with the reason of a loss`() {
        var journal = journal
        for state in ["syncing", "live", "live", "down"] {
            journal.linkChanged("dc1/a", LinkChange(peer: "dc2/b", state: state, problem: "peer closed"), at: 1)
        }
        #expect(kinds(journal) == ["link-syncing dc1/a>dc2/b", "link-live dc1/a>dc2/b", "link-down dc1/a>dc2/b"])
        #expect(
            journal.ring.batch(from: 3).events[0].message
                == "down, so dc1/a shows no DN of dc2/b in service: peer closed")
    }

    @Test func `a link that flapped is told of even if it is again as it was`() {
        var journal = journal
        journal.linkChanged("dc1/a", LinkChange(peer: "dc2/b", state: "live"), at: 1)
        journal.linkChanged("dc1/a", LinkChange(peer: "dc2/b", state: "live", untold: 12), at: 2)
        #expect(kinds(journal) == ["link-live dc1/a>dc2/b", "link-live dc1/a>dc2/b"])
        #expect(journal.ring.batch(from: 2).events[0].message.contains("it changed 12 times more"))
    }

    @Test func `a new life's links are told anew`() {
        var journal = journal
        journal.linkChanged("dc1/a", LinkChange(peer: "dc2/b", state: "live"), at: 1)
        journal.nodeExited("dc1/a", "signal 9", wasKilled: false, at: 2)
        journal.linkChanged("dc1/a", LinkChange(peer: "dc2/b", state: "live"), at: 3)
        #expect(kinds(journal) == ["link-live dc1/a>dc2/b", "node-exited dc1/a", "link-live dc1/a>dc2/b"])
    }

    @Test func `links of a worker that was taken up are no news until they change`() {
        var journal = journal
        journal.nodeAdopted("dc1/a", process: 10, incarnation: 1, at: 1)
        journal.looked([node("dc1/a")], notices: [], at: 2)
        journal.linkChanged("dc1/a", LinkChange(peer: "dc2/b", state: "live"), at: 3)
        journal.linkChanged("dc1/a", LinkChange(peer: "dc2/b", state: "down"), at: 4)
        #expect(kinds(journal) == ["node-adopted dc1/a", "link-down dc1/a>dc2/b"])
    }

    @Test func `a look that comes before a change is told does not swallow it`() {
        var journal = journal
        journal.nodeStarted("dc1/a", process: 10, incarnation: 1, at: 1)
        journal.looked([node("dc1/a")], notices: [], at: 2)
        journal.linkChanged("dc1/a", LinkChange(peer: "dc2/b", state: "live"), at: 3)
        #expect(kinds(journal) == ["node-started dc1/a", "link-live dc1/a>dc2/b"])
    }

    @Test func `conditions are raised once and cleared once`() {
        var journal = journal
        for link in ["live", "down", "down", "live", "live"] {
            journal.looked([node("dc1/a", link: link)], notices: [], at: 1)
        }
        #expect(
            kinds(journal) == [
                "condition-raised dc1/a>dc2/b link-not-live", "condition-cleared dc1/a>dc2/b link-not-live",
            ])
        let events = journal.ring.batch(from: 1).events
        #expect(events.map(\.severity) == [.error, .notice])
    }

    @Test func `a condition whose figures change is not raised again`() {
        var journal = journal
        for milliseconds in [6_000, 7_000, 8_000] as [UInt64] {
            var ahead = node("dc1/a")
            ahead.report!.links[0].clockAheadMilliseconds = milliseconds
            journal.looked([ahead], notices: [], at: milliseconds)
        }
        #expect(kinds(journal) == ["condition-raised dc1/a>dc2/b clock-skew"])
    }

    @Test func `each notice of the topology is raised once, and concerns no node`() {
        var journal = journal
        for _ in 0..<2 { journal.looked([], notices: ["trunks are not run yet", "routers to come"], at: 1) }
        #expect(kinds(journal) == ["condition-raised  not-run-yet", "condition-raised  not-run-yet"])
    }

    @Test func `a node that misses one look is as it was, and after two of them silent`() {
        var journal = journal
        journal.looked([node("dc1/a")], notices: [], at: 1)
        journal.looked([node("dc1/a", link: nil)], notices: [], at: 2)
        #expect(kinds(journal).isEmpty)
        journal.looked([node("dc1/a", link: nil)], notices: [], at: 3)
        #expect(kinds(journal) == ["condition-raised dc1/a node-silent"])
        journal.looked([node("dc1/a")], notices: [], at: 4)
        #expect(kinds(journal, from: 2) == ["condition-cleared dc1/a node-silent"])
    }

    @Test func `every kind is in kebab case and told apart`() {
        let names = ClusterEvent.Kind.all.map(\.rawValue)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0.wholeMatch(of: /[a-z]+(-[a-z]+)*/) != nil })
    }
}
