import ClusterModel
import DNOwnership
import Testing

@Suite struct HelloTests {
    /// Node 1 is connected to by somebody who says this; the problem with it.
    private func problem(_ message: PeerMessage) -> LinkProblem? {
        let cluster = OwnershipHarness(nodes: 2)
        let connection = cluster.accept(at: 1)
        cluster.send(message, to: 1, over: connection)
        guard case .close(connection, let problem) = cluster.takeActions(1).first else { return nil }
        return problem
    }

    @Test func `strangers are refused with the reason`() {
        let cluster = OwnershipHarness()
        #expect(problem(cluster.hello()) == nil)
        #expect(problem(cluster.hello(version: 9)) == .wrongVersion(9))
        #expect(problem(cluster.hello(cluster: "other")) == .wrongCluster("other"))
        #expect(problem(cluster.hello("dc9/sip1")) == .unknownNode("dc9/sip1"))
        #expect(problem(cluster.hello("dc2/sip1")) == .unknownNode("dc2/sip1"), "that is the node itself")
        #expect(problem(.snapshotRequest) == .helloExpected)
        let future = Stamp(milliseconds: 1_000_000 + 61_000, counter: 0)
        #expect(problem(cluster.hello(greatest: future)) == .clockTooFarAhead(milliseconds: 61_000))
    }

    @Test func `the node with the lesser name dials`() {
        let cluster = OwnershipHarness()
        let connection = cluster.accept(at: 0)
        cluster.send(cluster.hello("dc2/sip1"), to: 0, over: connection)
        #expect(cluster.takeActions(0) == [.close(connection, .wrongDirection)])
    }

    @Test func `an earlier life of a node is refused`() {
        let cluster = OwnershipHarness()
        let first = cluster.accept(at: 1)
        cluster.send(cluster.hello(life: 5), to: 1, over: first)
        let second = cluster.accept(at: 1)
        cluster.send(cluster.hello(life: 4), to: 1, over: second)
        #expect(cluster.takeActions(1) == [.close(second, .staleIncarnation)])
    }

    @Test func `a second hello and a missing one close the connection`() {
        let cluster = OwnershipHarness()
        let first = cluster.accept(at: 1)
        cluster.send(cluster.hello(), to: 1, over: first)
        cluster.send(cluster.hello(), to: 1, over: first)
        #expect(cluster.takeActions(1).first == .close(first, .unexpectedHello))
        let second = cluster.accept(at: 1)
        cluster.tick(1, afterMilliseconds: 2_000)
        #expect(cluster.takeActions(1).contains(.close(second, .noHello)))
    }
}

@Suite struct LivenessTests {
    @Test func `a silent link is pinged, and lost after the link timeout`() {
        let cluster = OwnershipHarness()
        let link = cluster.connect(0, 1)
        cluster.register(0, at: 1)
        cluster.settle()
        _ = cluster.takeActions(0)
        cluster.advance(0, milliseconds: 500)
        guard case .ping = cluster.next(from: 0, to: 1) else {
            Issue.record("no ping after the keepalive time")
            return
        }
        cluster.tick(0, afterMilliseconds: 1_499)
        #expect(cluster.takeActions(0).isEmpty)
        cluster.tick(0, afterMilliseconds: 1)
        #expect(cluster.takeActions(0) == [.close(link, .silent), .ownerUnreachable(NodeIndex(1))])
        #expect(cluster.view(0, at: 0).service == .ownerUnreachable)
    }

    @Test func `dials are repeated at growing intervals up to two seconds`() {
        let cluster = OwnershipHarness()
        var intervals: [UInt64] = []
        cluster.tick(0)
        #expect(cluster.takeActions(0) == [.dial(NodeIndex(1))])
        for _ in 0..<12 {
            cluster.dialFailed(0, 1)
            let due = cluster.machines[0].nextDeadline()
            intervals.append((due - cluster.now[0].monotonic) / 1_000_000)
            cluster.tick(0, afterMilliseconds: (due - cluster.now[0].monotonic) / 1_000_000 + 1)
            #expect(cluster.takeActions(0) == [.dial(NodeIndex(1))])
        }
        #expect(intervals.allSatisfy { $0 >= 33 && $0 <= 2_000 })
        #expect(intervals[0] <= 50)
        #expect(intervals.last ?? 0 >= 1_333)
    }

    @Test func `a newer connection of the same life replaces the older without a blink`() {
        let cluster = OwnershipHarness()
        let first = cluster.connect(0, 1)
        cluster.register(0, at: 0)
        cluster.settle()
        _ = cluster.takeActions(1)
        // Node 0 lost its end; node 1 has not noticed.
        cluster.loseEnd(first, at: 0)
        cluster.connect(0, 1)
        cluster.settle()
        #expect(cluster.takeActions(1) == [.close(first, .replaced)])
        #expect(cluster.services(0) == [.inService, .inService])
    }

    @Test func `sums that do not match ask for a snapshot, and the link stays live meanwhile`() {
        let cluster = OwnershipHarness()
        let link = cluster.connect(0, 1)
        cluster.register(0, at: 0)
        cluster.settle()
        _ = cluster.takeActions(1)
        let wrong = StreamPosition(revision: 1, generation: 1, count: 1, digest: 12345)
        cluster.send(.ping(Ping(sentAt: 1, position: wrong)), to: 1, over: link)
        let said = cluster.settle()
        #expect(said.contains(.snapshotRequest))
        #expect(said.contains(.syncBegin(SyncBegin(isSnapshot: true, revision: 1))))
        #expect(cluster.takeActions(1).isEmpty, "nobody saw anything")
        #expect(cluster.state(1, of: 0) == .live)
        #expect(cluster.services(0) == [.inService, .inService])
    }

    @Test func `a resync that does not finish closes the link`() {
        let cluster = OwnershipHarness()
        let link = cluster.connect(0, 1)
        cluster.settle()
        _ = cluster.takeActions(1)
        cluster.send(.syncBegin(SyncBegin(isSnapshot: true, revision: 0)), to: 1, over: link)
        for _ in 0..<4 {
            cluster.advance(1, milliseconds: 1_000)
            cluster.send(.pong(sentAt: 0), to: 1, over: link)
            cluster.tick(1)
        }
        #expect(cluster.takeActions(1).first == .close(link, .resyncTooSlow))
    }

    @Test func `a gap in the revisions is mended by a snapshot`() {
        let cluster = OwnershipHarness()
        let link = cluster.connect(0, 1)
        cluster.settle()
        cluster.register(0, at: 0)
        _ = cluster.next(from: 0, to: 1)  // Lost on the way, which TCP would not do.
        cluster.register(1, at: 0)
        #expect(cluster.settle().contains(.snapshotRequest))
        #expect(cluster.services(0) == [.inService, .inService])
        #expect(cluster.services(1) == [.inService, .inService])
        _ = link
    }
}
