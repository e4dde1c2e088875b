import ClusterModel
import DNOwnership
import Testing

@Suite struct LinkTests {
    @Test func `the node with the lesser name dials, at once after its start`() {
        let dials = [alpha, beta, gamma].map { node in
            var machine = machine(node)
            var actions: [OwnershipAction] = []
            machine.tick(now: at(0), &actions)
            machine.tick(now: at(1), &actions)
            return actions
        }
        #expect(dials == [[.dial(beta), .dial(gamma)], [.dial(gamma)], []])
        #expect(machine(gamma).nextDeadline() == .max)
    }

    @Test func `dials are spread, and wait longer every time, up to two seconds`() {
        var node = machine(alpha)
        var now = at(0)
        for base in [50, 100, 200, 400, 800, 1600, 2000, 2000, 2000] as [UInt64] {
            var actions: [OwnershipAction] = []
            node.tick(now: now, &actions)
            #expect(actions.contains(.dial(beta)))
            node.dialFailed(beta, now: now)
            for peer in actions where peer == .dial(gamma) { node.dialFailed(gamma, now: at(100_000)) }
            let wait = node.nextDeadline() - now.monotonic
            #expect(wait >= base * 600_000 && wait <= base * 1_000_000, "\(base) ms")
            now = now.advanced(by: wait)
        }
        #expect(node.link(to: beta).dials == 9)
    }

    @Test(arguments: [(1.0, 1067, 1600), (61.0, 0, 1)])
    func `only a minute of health has the next dial come at once`(seconds: Double, least: UInt64, most: UInt64) {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        node.tick(now: at(0), &actions)
        for _ in 0..<5 { node.dialFailed(beta, now: at(0)) }
        node.dialFailed(gamma, now: at(100_000))
        node.dialed(beta, connection: connection(1), now: at(0), &actions)
        node.disconnected(connection(1), now: at(seconds), &actions)
        let wait = (node.nextDeadline() - at(seconds).monotonic) / 1_000_000
        #expect(wait >= least && wait <= most)
    }

    @Test func `a pong tells how long each way took, by whatever clock the peer has`() {
        var node = introducedBeta()
        let second: UInt64 = 1_000_000_000
        // The peer's clock is far behind, and it takes its time to answer: 7 s and 9 s by its own clock.
        func exchange(_ sent: Double, there: UInt64, answering: UInt64, back: UInt64) {
            let sentAt = at(sent).monotonic
            let received = sentAt + there - 900 * second
            let now = Instant(monotonic: sentAt + there + answering + back, wallMilliseconds: 0)
            let pong = Pong(sentAt: sentAt, receivedAt: received, answeredAt: received + answering)
            _ = node.hear(.pong(pong), from: connection(1), now)
        }
        exchange(1, there: 2000, answering: 500, back: 2000)
        #expect(node.link(to: alpha).roundTripNanoseconds == 4000)
        #expect(node.link(to: alpha).transmitNanoseconds == 2000)
        exchange(2, there: 50_000, answering: 0, back: 2100)
        #expect(node.link(to: alpha).roundTripNanoseconds == 52_100)
        #expect(node.link(to: alpha).transmitNanoseconds == 50_000)
        #expect(node.link(to: alpha).receiveNanoseconds == 2100)
        exchange(3, there: 2500, answering: 900_000, back: 9500)
        #expect(node.link(to: alpha).receiveNanoseconds == 9500)
        // After ten seconds the quickest exchange is forgotten: what is the slower way now, nobody knows.
        exchange(12, there: 2500, answering: 0, back: 9500)
        #expect(node.link(to: alpha).receiveNanoseconds == 6000)
        // What cannot be true changes nothing.
        let absurd = [
            Pong(sentAt: 0, receivedAt: 5, answeredAt: 4),
            Pong(sentAt: at(12).monotonic, receivedAt: 0, answeredAt: .max),
            Pong(sentAt: .max, receivedAt: .max, answeredAt: .max),
        ]
        for pong in absurd { _ = node.hear(.pong(pong), from: connection(1), at(12)) }
        #expect(node.link(to: alpha).receiveNanoseconds == 6000)
    }

    @Test func `a silent link is pinged after the keepalive and answers with the round trip`() {
        var node = introducedBeta()
        let end = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        _ = node.hear(snapshotBegin(0), .syncEnd(end), from: connection(1))
        #expect(node.say(to: alpha, at(0.499)) == [])
        let ping = PeerMessage.ping(Ping(sentAt: at(0.5).monotonic, position: end))
        #expect(node.say(to: alpha, at(0.5)) == [ping])
        #expect(node.say(to: alpha, at(0.999)) == [])
        _ = node.hear(pong(at(0.5).monotonic), from: connection(1), at(0.75))
        #expect(node.link(to: alpha).roundTripNanoseconds == 250_000_000)
        // A pong from the future says nothing.
        _ = node.hear(pong(.max), from: connection(1), at(0.8))
        #expect(node.link(to: alpha).roundTripNanoseconds == 250_000_000)
        #expect(node.link(to: alpha, at(1)).silenceNanoseconds == 200_000_000)
    }

    @Test func `what is due and finds no room in the connection is no deadline in the past`() {
        var node = introducedBeta()
        var actions: [OwnershipAction] = []
        let late = RecordBatch(revisions: 3...3)
        _ = node.hear(snapshotBegin(1), .records(late), from: connection(1), at(0.5))
        node.tick(now: at(0.5), &actions)
        #expect(node.nextDeadline() > at(0.5).monotonic)
        node.tick(now: at(0.7), &actions)
        // The shell pulls as soon as there is room.
        let ping = PeerMessage.ping(
            Ping(sentAt: at(0.7).monotonic, position: StreamPosition(revision: 0, generation: 1, count: 0, digest: 0))
        )
        #expect(node.say(to: alpha, at(0.7)) == [.snapshotRequest, ping])
        #expect(node.say(to: alpha, at(0.8)) == [])
        #expect(actions == [])
    }

    @Test func `only the latest ping is answered`() {
        var node = introducedBeta()
        _ = node.hear(
            .ping(Ping(sentAt: 1, position: nil)), .ping(Ping(sentAt: 2, position: nil)), from: connection(1)
        )
        #expect(node.say(to: alpha) == [pong(2)])
    }

    @Test func `a ping says no position before the stream has caught up`() {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        node.dialed(beta, connection: connection(1), now: at(0), &actions)
        _ = node.hear(.hello(hello(from: beta)), from: connection(1))
        let last = node.say(to: beta).suffix(2)
        let position = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        #expect(last == [.syncEnd(position), .ping(Ping(sentAt: at(0).monotonic, position: position))])
    }

    @Test func `a link that is silent for the link timeout is closed, and all DNs of the peer vanish in one action`() {
        var cluster = TestCluster.linked(2)
        for position in 0..<8 { cluster.register(position, at: alpha) }
        cluster.advance(to: 1)
        cluster.held = [[alpha, beta]]
        cluster.forget()
        cluster.advance(to: 2.4)
        let isReachable = cluster[beta].isReachable(alpha)
        #expect(isReachable)
        let id = cluster[beta].connection(to: alpha)!
        cluster.advance(to: 3)
        #expect(cluster.take(beta) == [.close(id, .silent), .ownerUnreachable(alpha)])
        #expect((0..<8).allSatisfy { cluster[beta].view(of: dn($0)).service == .ownerUnreachable })
        #expect(cluster[beta].link(to: alpha).losses == 1)
        cluster.held = []
        cluster.forget()
        cluster.linkAll()
        #expect(cluster.take(beta) == [.ownerReachable(alpha)])
        #expect((0..<8).allSatisfy { cluster[beta].view(of: dn($0)).service.isInService })
    }

    @Test func `a healthy link stays live without a word about DNs`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.forget()
        cluster.advance(to: 60)
        for node in [alpha, beta, gamma] {
            #expect(cluster.take(node) == [])
            for peer in [alpha, beta, gamma] where peer != node { #expect(cluster.said(node, peer) == []) }
        }
    }

    @Test func `a newer connection of the same lineage takes the older one's place, and nobody's view blinks`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        let older = cluster[beta].connection(to: alpha)!
        cluster.forgetConnection(of: alpha, to: beta)
        cluster.register(1, at: alpha)
        cluster.forget()
        cluster.connect(alpha, beta)
        while cluster.deliverOne() {
            #expect(cluster[beta].view(of: dn(0)).service == .inService)
        }
        #expect(
            cluster.take(beta) == [
                .close(older, .replaced),
                .viewChanged(dn(1), from: unclaimed, to: view(.inService, alpha, stamp(0, 1))),
            ]
        )
        #expect(cluster.said(alpha, beta)[1] == .syncBegin(SyncBegin(isSnapshot: false, revision: 1)))
        cluster.advance(to: 10)
        #expect(cluster[beta].link(to: alpha).losses == 0)
    }

    @Test func `another lineage on a newer connection hides the peer's DNs until it has told them`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        let id = cluster[beta].connection(to: alpha)!
        cluster.act(beta) { node, now, actions in
            node.accepted(connection(9), now: now)
            node.received(.hello(hello(from: alpha, incarnation: 2)), from: connection(9), now: now, &actions)
        }
        #expect(cluster.take(beta).suffix(2) == [.close(id, .replaced), .ownerUnreachable(alpha)])
        #expect(cluster[beta].view(of: dn(0)).service == .ownerUnreachable)
    }

    @Test func `a handed-over process of the same lineage goes on where the older one stopped`() {
        var node = introducedBeta()
        let end = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        _ = node.hear(snapshotBegin(0), .syncEnd(end), from: connection(1))
        var handedOver = hello(from: alpha, incarnation: 2)
        handedOver.lineage = Incarnation(rawValue: 1)
        node.accepted(connection(2), now: at(1))
        #expect(node.hear(.hello(handedOver), from: connection(2), at(1)) == [.close(connection(1), .replaced)])
        #expect(node.isReachable(alpha))
        guard case .hello(let answer) = node.nextMessage(for: alpha, now: at(1)) else {
            Issue.record("no hello")
            return
        }
        #expect(answer.resume == ResumePosition(lineage: Incarnation(rawValue: 1), revision: 0))
    }

    @Test func `a node's own DNs stay in service whatever happens to its links`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: beta)
        cluster.pump()
        for _ in 0..<3 {
            cluster.cut(alpha, beta)
            #expect(cluster[beta].view(of: dn(0)).service == .inService)
            cluster.cut(beta, gamma)
            #expect(cluster[beta].view(of: dn(0)).service == .inService)
            cluster.linkAll()
        }
        #expect(cluster[beta].link(to: alpha).losses == 3)
    }

    @Test func `a link counts what was told anew and what was made up for`() {
        var cluster = TestCluster.linked(2, bounds: Bounds(ring: 4))
        #expect(cluster[beta].link(to: alpha).snapshots == 1)
        cluster.cut(alpha, beta)
        for position in 0..<4 { cluster.register(position, at: alpha) }
        cluster.linkAll()
        #expect(cluster[beta].link(to: alpha).resumptions == 1)
        cluster.cut(alpha, beta)
        for position in 0..<5 { cluster.lose(position, at: alpha, .expired) }
        for position in 0..<5 { cluster.register(position, at: alpha) }
        cluster.linkAll()
        #expect(cluster[beta].link(to: alpha).snapshots == 2)
        #expect(cluster[beta].link(to: alpha).resumptions == 1)
        #expect(cluster[alpha].link(to: beta).resumptions == 2)
    }

    @Test func `a link tells how long its last sync took`() {
        var node = introducedBeta()
        #expect(node.link(to: alpha).syncNanoseconds == nil)
        let end = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        _ = node.hear(snapshotBegin(0), from: connection(1), at(0.1))
        _ = node.hear(.syncEnd(end), from: connection(1), at(0.25))
        #expect(node.link(to: alpha).syncNanoseconds == 250_000_000)
        // A sync on a live link is none from the beginning.
        _ = node.hear(snapshotBegin(0), .syncEnd(end), from: connection(1), at(0.75))
        #expect(node.link(to: alpha).syncNanoseconds == 250_000_000)
    }

    @Test func `a second machine's generation is reported`() {
        var node = machine(alpha, generation: 2)
        var actions: [OwnershipAction] = []
        #expect(node.link(to: beta).sameGeneration)
        node.dialed(beta, connection: connection(1), now: at(0), &actions)
        _ = node.hear(.hello(hello(from: beta)), from: connection(1))
        #expect(!node.link(to: beta).sameGeneration)
    }
}
