import ClusterModel
import DNOwnership
import Testing

@Suite struct ResyncTests {
    private let wrong = StreamPosition(revision: 0, generation: 1, count: 1, digest: 99)

    @Test func `an end whose sums do not match asks for the snapshot again, ever more patiently`() {
        var node = introducedBeta()
        var delays: [UInt64] = []
        var now = at(0)
        for _ in 0..<10 {
            #expect(node.hear(snapshotBegin(0), .syncEnd(wrong), from: connection(1), now) == [])
            let start = now
            let mayAsk = node.say(to: alpha, now).contains(.snapshotRequest)
            if !mayAsk {
                repeat { now = now.advanced(by: 50_000_000) } while !node.say(to: alpha, now).contains(.snapshotRequest)
            }
            delays.append((now.monotonic - start.monotonic) / 1_000_000)
        }
        #expect(delays == [0, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000])
        #expect(node.link(to: alpha, now).state == .syncing)
        #expect(node.link(to: alpha, now).mismatches == 10)
    }

    @Test func `sums that match again are forgiven`() {
        var node = introducedBeta()
        let right = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        _ = node.hear(snapshotBegin(0), .syncEnd(wrong), from: connection(1))
        #expect(node.hear(snapshotBegin(0), .syncEnd(right), from: connection(1)) == [.ownerReachable(alpha)])
        #expect(node.link(to: alpha).mismatches == 0)
        #expect(node.say(to: alpha) == [])
    }

    @Test func `a ping whose sums do not match starts a resync, and the view stays as it was`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.forget()
        let position = StreamPosition(revision: 1, generation: 1, count: 1, digest: 99)
        let id = cluster[beta].connection(to: alpha)!
        cluster.inject(.ping(Ping(sentAt: 0, position: position)), into: beta, from: id)
        cluster.pump()
        #expect(cluster.said(beta, alpha) == [.snapshotRequest])
        #expect(cluster.said(alpha, beta).first == snapshotBegin(1))
        #expect(cluster.take(beta) == [])
        cluster.advance(to: 10)
        #expect(cluster[beta].link(to: alpha).state == .live)
        #expect(cluster[beta].link(to: alpha).losses == 0)
        #expect(cluster[beta].view(of: dn(0)).service == .inService)
    }

    @Test func `pings compare the sums only of the same revision, generation and a stream that has caught up`() {
        var node = introducedBeta()
        let end = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        let other = StreamPosition(revision: 0, generation: 2, count: 3, digest: 3)
        _ = node.hear(snapshotBegin(0), .syncEnd(end), .ping(Ping(sentAt: 1, position: nil)), from: connection(1))
        _ = node.hear(.ping(Ping(sentAt: 2, position: other)), from: connection(1))
        #expect(node.say(to: alpha) == [pong(2)])
        let ahead = StreamPosition(revision: 1, generation: 1, count: 0, digest: 0)
        _ = node.hear(.ping(Ping(sentAt: 3, position: ahead)), from: connection(1))
        #expect(node.say(to: alpha) == [pong(3), .snapshotRequest])
    }

    @Test func `a resync that is not finished in twice the link timeout closes the link`() {
        var node = introducedBeta()
        var actions: [OwnershipAction] = []
        let end = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        _ = node.hear(snapshotBegin(0), .syncEnd(end), from: connection(1))
        #expect(node.hear(snapshotBegin(0), from: connection(1)) == [])
        for seconds in [1.0, 2, 3, 3.9] {
            _ = node.hear(.ping(Ping(sentAt: 1, position: nil)), from: connection(1), at(seconds))
            node.tick(now: at(seconds), &actions)
            #expect(actions == [])
            #expect(node.isReachable(alpha))
        }
        node.tick(now: at(4), &actions)
        #expect(actions == [.close(connection(1), .resyncTooSlow), .ownerUnreachable(alpha)])
    }

    @Test func `a link that is not live yet may take its time`() {
        var node = introducedBeta()
        var actions: [OwnershipAction] = []
        for seconds in stride(from: 1.0, to: 20, by: 1) {
            let piece = RecordBatch(revisions: nil, owned: [owned(0, stamp(0))])
            _ = node.hear(snapshotBegin(0), .records(piece), from: connection(1), at(seconds))
            node.tick(now: at(seconds), &actions)
        }
        #expect(actions == [])
        #expect(node.link(to: alpha).state == .syncing)
    }

    @Test func `a connection that breaks in the middle of a snapshot begins with a snapshot again`() {
        var node = introducedBeta()
        var actions: [OwnershipAction] = []
        let piece = RecordBatch(revisions: nil, owned: [owned(0, stamp(0))])
        _ = node.hear(snapshotBegin(1), .records(piece), from: connection(1))
        node.disconnected(connection(1), now: at(0), &actions)
        node.accepted(connection(2), now: at(0))
        _ = node.hear(.hello(hello(from: alpha)), from: connection(2))
        guard case .hello(let hello) = node.nextMessage(for: alpha, now: at(0)) else {
            Issue.record("no hello")
            return
        }
        #expect(hello.resume == nil)
    }

    @Test func `a stream that goes on from somewhere else is answered with a request for a snapshot`() {
        var node = introducedBeta()
        _ = node.hear(.syncBegin(SyncBegin(isSnapshot: false, revision: 7)), from: connection(1))
        #expect(node.say(to: alpha) == [.snapshotRequest])
    }

    @Test func `what a snapshot does not carry is out of service, and its claims go back to who forgot them`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.register(1, at: alpha)
        cluster.lose(1, at: alpha, .expired)
        cluster.pump()
        cluster.restart(alpha, incarnation: 2)
        cluster.register(2, at: alpha)
        cluster.forget()
        cluster.linkAll()
        let forgotten = PeerMessage.claims([heard(0, alpha, stamp(0)), heard(1, alpha, stamp(0, 1))])
        #expect(cluster.said(beta, alpha).filter { $0 == forgotten }.count == 1)
        #expect(
            cluster.take(alpha) == [
                .viewChanged(dn(0), from: unclaimed, to: view(.restarted, alpha, stamp(0))),
                .viewChanged(dn(1), from: unclaimed, to: view(.restarted, alpha, stamp(0, 1))),
                .ownerReachable(beta),
            ]
        )
        for node in [alpha, beta] {
            #expect(cluster[node].view(of: dn(0)) == view(.restarted, alpha, stamp(0)))
            #expect(cluster[node].view(of: dn(1)) == view(.restarted, alpha, stamp(0, 1)))
            #expect(cluster[node].view(of: dn(2)).service == .inService)
        }
        #expect(cluster[beta].link(to: alpha).peerOwns == 3)
        #expect(cluster[beta].link(to: alpha).mismatches == 0)
        cluster.register(0, at: alpha)
        cluster.pump()
        #expect(cluster.views(0) == [View](repeating: view(.inService, alpha, stamp(0)), count: 2))
    }

    @Test func `swept DNs are never shown in service between the snapshot and the returned claims`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.restart(alpha, incarnation: 2)
        cluster.held = [[beta, alpha]]
        cluster.connect(alpha, beta)
        cluster.held = []
        cluster.forget()
        while cluster.deliverOne() {
            #expect(!cluster[beta].view(of: dn(0)).service.isInService)
        }
        #expect(
            cluster.take(beta) == [
                // The sweep changes the last word while the view still says that the owner is unreachable.
                .ownerReachable(alpha)
            ]
        )
        #expect(cluster[beta].lastWord(of: dn(0)) == .restarted)
    }

    @Test func `claims go back in chunks, each DN once`() {
        var cluster = TestCluster.linked(2, bounds: Bounds(chunk: 2))
        for position in 0..<5 { cluster.register(position, at: alpha) }
        cluster.pump()
        cluster.restart(alpha, incarnation: 2, bounds: Bounds(chunk: 2))
        cluster.forget()
        cluster.linkAll()
        let claims = cluster.said(beta, alpha).compactMap {
            if case .claims(let claims) = $0 { claims.map(\.dn) } else { nil }
        }
        #expect(claims == [[name(0), name(1)], [name(2), name(3)], [name(4)]])
        #expect(cluster[alpha].ownedCount == 5)
    }

    @Test func `a snapshot begins the sums anew, whatever they were`() {
        var node = introducedBeta()
        let right = StreamPosition(revision: 0, generation: 1, count: 1, digest: digest(of: 0, stamp(1)))
        let word = PeerMessage.records(RecordBatch(revisions: nil, owned: [owned(0, stamp(1))]))
        // Words beyond what the peer owns, as after a mistake of either side.
        let stray = PeerMessage.records(RecordBatch(revisions: nil, owned: [owned(1, stamp(1)), owned(2, stamp(1))]))
        _ = node.hear(snapshotBegin(0), word, stray, .syncEnd(right), from: connection(1))
        #expect(node.say(to: alpha).contains(.snapshotRequest))
        #expect(!node.isReachable(alpha))
        #expect(node.hear(snapshotBegin(0), word, .syncEnd(right), from: connection(1)).last == .ownerReachable(alpha))
        #expect(node.view(of: dn(0)).service == .inService)
        #expect(node.view(of: dn(1)).service == .restarted)
    }

    private func digest(of position: Int, _ stamp: Stamp) -> UInt64 {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        node.registrationAccepted(
            dn(position), now: Instant(monotonic: 0, wallMilliseconds: stamp.milliseconds), &actions)
        node.accepted(connection(9), now: at(0))
        var dials: [OwnershipAction] = []
        node.tick(now: at(0), &dials)
        node.dialed(beta, connection: connection(9), now: at(0), &actions)
        _ = node.hear(.hello(hello(from: beta)), from: connection(9))
        for case .syncEnd(let end) in node.say(to: beta) { return end.digest }
        return 0
    }

    @Test func `asking for snapshots again and again piles nothing up`() {
        var node = introducedBeta()
        for _ in 0..<1000 { _ = node.hear(.snapshotRequest, from: connection(1)) }
        #expect(node.fill.control == 1)
        #expect(node.say(to: alpha).count { if case .syncBegin = $0 { true } else { false } } == 1)
    }
}
