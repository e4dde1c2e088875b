import ClusterModel
import DNOwnership
import Testing

@Suite struct MergeTests {
    @Test func `a DN moves: the former owner yields and says so to all its peers, and nobody's view blinks`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.forget()
        cluster.advance(to: 1)
        cluster.register(0, at: beta)
        cluster.pump()
        let moved = OwnershipAction.viewChanged(
            dn(0), from: view(.inService, alpha, stamp(0)), to: view(.inService, beta, stamp(1))
        )
        #expect(cluster.take(beta) == [moved])
        #expect(cluster.take(alpha) == [moved, .yielded(dn(0))])
        #expect(cluster.take(gamma) == [moved])
        let yield = PeerMessage.records(RecordBatch(revisions: 2...2, yielded: [heard(0, beta, stamp(1))]))
        #expect(cluster.said(alpha, beta) == [yield])
        #expect(cluster.said(alpha, gamma) == [yield])
        #expect((cluster[alpha].ownedCount, cluster[beta].ownedCount) == (0, 1))
        #expect(cluster[gamma].link(to: alpha).peerOwns == 0)
        #expect(cluster[gamma].link(to: beta).peerOwns == 1)
        cluster.advance(to: 5)
        #expect(cluster[gamma].link(to: alpha).mismatches == 0)
    }

    @Test func `a claim from before the nodes met counts less than a later refresh, also when it comes late`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: beta)
        cluster.pump()
        cluster.cut(alpha, beta)
        cluster.advance(to: 10)
        cluster.linkAll()
        cluster.pump()
        cluster.advance(to: 11)
        cluster.register(0, at: beta)
        // A REGISTER that alpha has read only now.
        cluster.act(alpha) { machine, _, actions in machine.registrationAccepted(dn(0), stamp: stamp(5), &actions) }
        cluster.pump()
        #expect(cluster.views(0).map(\.owner) == [beta, beta])
        #expect(cluster.views(0).map(\.stamp) == [stamp(11), stamp(11)])
        // And a move of now is one.
        cluster.advance(to: 12)
        cluster.register(0, at: alpha)
        cluster.pump()
        #expect(cluster.views(0).map(\.owner) == [alpha, alpha])
    }

    @Test func `whoever adopts a greater claim tells a former owner that may not have heard it`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.cut(alpha, beta)
        cluster.advance(to: 0.01)
        cluster.forget()
        cluster.register(0, at: beta)
        cluster.pump()
        #expect(cluster.said(gamma, alpha) == [.claims([heard(0, beta, stamp(0.01))])])
        #expect(
            cluster.take(alpha) == [
                .viewChanged(
                    dn(0), from: view(.inService, alpha, stamp(0)), to: view(.ownerUnreachable, beta, stamp(0.01))
                ), .yielded(dn(0)),
            ]
        )
        #expect(cluster[gamma].view(of: dn(0)) == view(.inService, beta, stamp(0.01)))
        // The claim was relayed; the service must come from its owner.
        #expect(cluster[alpha].lastWord(of: dn(0)) == .superseded)
        cluster.linkAll()
        #expect(cluster[alpha].view(of: dn(0)) == view(.inService, beta, stamp(0.01)))
    }

    @Test func `a claim heard from another carries no service: the former word stands until the owner speaks`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.held = [[beta, gamma]]
        cluster.forget()
        cluster.act(beta) { node, now, actions in
            node.registrationAccepted(dn(0), now: now, &actions)
            node.serviceLost(dn(0), reason: .flowLost, &actions)
        }
        cluster.pump()
        let before = view(.inService, alpha, stamp(0))
        let between = view(.inService, beta, stamp(0, 1))
        #expect(cluster.take(gamma) == [.viewChanged(dn(0), from: before, to: between)])
        cluster.held = []
        cluster.pump()
        #expect(cluster.take(gamma) == [.viewChanged(dn(0), from: between, to: view(.flowLost, beta, stamp(0, 1)))])
    }

    @Test func `the former word stands at most for the link timeout, and then the owner is asked`() {
        var node = machine(gamma)
        var actions: [OwnershipAction] = []
        let nothing = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        for (number, peer) in [alpha, beta].enumerated() {
            node.accepted(connection(UInt64(number)), now: at(0))
            _ = node.hear(
                .hello(hello(from: peer)), snapshotBegin(0), .syncEnd(nothing), from: connection(UInt64(number))
            )
        }
        let word = RecordBatch(revisions: 1...1, owned: [owned(0, stamp(0))])
        _ = node.hear(.records(word), from: connection(0))
        let yield = RecordBatch(revisions: 2...2, yielded: [heard(0, beta, stamp(0, 1))])
        _ = node.hear(.records(yield), from: connection(0))
        #expect(node.view(of: dn(0)) == view(.inService, beta, stamp(0, 1)))
        for id in [connection(0), connection(1)] { _ = node.hear(pong(0), from: id, at(1.5)) }
        node.tick(now: at(1.999), &actions)
        #expect(actions == [])
        #expect(node.nextDeadline() <= at(2).monotonic)
        _ = node.say(to: beta, at(1.999))
        node.tick(now: at(2), &actions)
        let settled = view(.superseded, beta, stamp(0, 1))
        #expect(actions == [.viewChanged(dn(0), from: view(.inService, beta, stamp(0, 1)), to: settled)])
        #expect(node.say(to: beta, at(2)).first == .claims([heard(0, beta, stamp(0, 1))]))
    }

    @Test func `a word that was confirmed meanwhile does not run out`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.held = [[beta, gamma]]
        cluster.register(0, at: beta)
        cluster.pump()
        cluster.held = []
        cluster.pump()
        cluster.forget()
        cluster.advance(to: 10)
        #expect(cluster.take(gamma) == [])
        #expect(cluster[gamma].view(of: dn(0)) == view(.inService, beta, stamp(0, 1)))
    }

    @Test func `a lesser claim is answered with the greater one, and its teller yields`() {
        var cluster = TestCluster(2)
        cluster.register(0, at: alpha)
        cluster.advance(to: 1)
        cluster.register(0, at: beta)
        _ = cluster.take(alpha)
        _ = cluster.take(beta)
        cluster.held = [[beta, alpha]]
        cluster.connect(alpha, beta)
        cluster.held = []
        cluster.pump()
        let answer = PeerMessage.claims([heard(0, beta, stamp(1))])
        #expect(cluster.said(beta, alpha).contains(answer))
        let winner = view(.inService, beta, stamp(1))
        #expect(cluster.views(0) == [winner, winner])
        #expect(cluster.take(alpha).contains(.yielded(dn(0))))
        #expect(cluster.take(beta) == [.ownerReachable(alpha)])
        #expect(!cluster.said(beta, alpha).contains(.snapshotRequest))
        #expect(cluster[beta].link(to: alpha).peerOwns == 0)
    }

    @Test func `of two claims with one stamp the greater name wins`() {
        var cluster = TestCluster(2)
        cluster.register(0, at: alpha)
        cluster.register(0, at: beta)
        cluster.linkAll()
        let winner = view(.inService, beta, stamp(0))
        #expect(cluster.views(0) == [winner, winner])
    }

    @Test func `after a cut the latest registration wins, not the latest change of owner`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        for (one, other) in [(alpha, beta), (alpha, gamma)] { cluster.cut(one, other) }
        cluster.advance(to: 0.01)
        cluster.register(0, at: beta)
        cluster.advance(to: 0.02)
        cluster.register(0, at: alpha)
        cluster.forget()
        cluster.linkAll()
        // The claim is made again under the registration's own stamp.
        let winner = view(.inService, alpha, stamp(0.02))
        #expect(cluster.views(0) == [winner, winner, winner])
        #expect(!cluster.take(alpha).contains(.yielded(dn(0))))
        #expect(cluster.take(beta).contains(.yielded(dn(0))))
        cluster.advance(to: 5)
        for node in [alpha, beta, gamma] {
            for peer in [alpha, beta, gamma] where peer != node {
                #expect(cluster[node].link(to: peer, at(5)).mismatches == 0)
            }
        }
    }

    @Test func `a relayed claim that is older than the last registration is claimed over, too`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.cut(alpha, beta)
        cluster.held = [[gamma, alpha]]
        cluster.register(0, at: beta)
        cluster.pump()
        cluster.advance(to: 0.01)
        cluster.register(0, at: alpha)
        cluster.forget()
        cluster.held = []
        cluster.pump()
        let winner = view(.inService, alpha, stamp(0.01))
        #expect(cluster[alpha].view(of: dn(0)) == winner)
        #expect(cluster[gamma].view(of: dn(0)) == winner)
        #expect(cluster[beta].view(of: dn(0)) == view(.ownerUnreachable, alpha, stamp(0.01)))
        #expect(cluster.take(beta).contains(.yielded(dn(0))))
    }

    @Test func `a claim on a live link wins over an earlier registration, whatever was refreshed before`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        // Said directly and at once: the move is later than every registration that alpha has accepted.
        cluster.advance(to: 1)
        cluster.register(0, at: alpha)
        cluster.advance(to: 2)
        cluster.register(0, at: beta)
        cluster.pump()
        let winner = view(.inService, beta, stamp(2))
        #expect(cluster.views(0) == [winner, winner])
    }

    @Test func `a node that hears a greater claim of its own earlier life claims above it`() {
        var cluster = TestCluster(2)
        cluster.advance(to: 1)
        cluster.register(0, at: alpha)
        cluster.linkAll()
        cluster.restart(alpha, incarnation: 2)
        // Its wall clock has been set back meanwhile.
        cluster.act(alpha) { $0.registrationAccepted(dn(0), now: at(0), &$2) }
        cluster.forget()
        cluster.linkAll()
        let winner = view(.inService, alpha, cluster[alpha].view(of: dn(0)).stamp)
        #expect(winner.stamp > stamp(1))
        #expect(cluster.views(0) == [winner, winner])
        #expect(!cluster.take(alpha).contains(.yielded(dn(0))))
    }

    @Test func `an owner that forgot a DN does not take it back from who owns it since`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.cut(gamma, beta)
        cluster.restart(alpha, incarnation: 2)
        cluster.advance(to: 0.01)
        cluster.register(0, at: beta)
        cluster.forget()
        cluster.linkAll()
        let winner = view(.inService, beta, stamp(0.01))
        #expect(cluster.views(0) == [winner, winner, winner])
    }

    @Test func `a claim that is known already is answered by nothing`() {
        var node = introducedBeta()
        _ = node.hear(.claims([heard(0, alpha, stamp(0))]), from: connection(1))
        _ = node.say(to: alpha)
        #expect(node.hear(.claims([heard(0, alpha, stamp(0))]), from: connection(1)) == [])
        #expect(node.say(to: alpha) == [])
        // Told twice in one turn, it is answered once.
        let lesser = heard(0, gamma, stamp(-1))
        #expect(node.hear(.claims([lesser, lesser]), .claims([lesser]), from: connection(1)) == [])
        #expect(node.say(to: alpha) == [.claims([heard(0, alpha, stamp(0))])])
    }

    @Test func `who returns is told what has superseded its word, though its new owner cannot tell it`() {
        var cluster = TestCluster.linked(3)
        cluster.register(0, at: alpha)
        cluster.pump()
        // Gamma hears of beta's claim while it cannot tell alpha, and beta never can.
        cluster.cut(alpha, beta)
        cluster.cut(alpha, gamma)
        cluster.advance(to: 1)
        cluster.register(0, at: beta)
        cluster.pump()
        cluster.connect(alpha, gamma)
        cluster.pump()
        #expect(cluster[alpha].view(of: dn(0)).owner == beta)
        #expect(cluster.take(alpha).contains(.yielded(dn(0))))
        #expect(!cluster[alpha].isReachable(beta))
    }

    @Test func `after a cut in which both refreshed the latest registration wins, also over a claim made again`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.cut(alpha, beta)
        for (seconds, node) in [(0.01, beta), (0.02, alpha), (0.03, beta)] {
            cluster.advance(to: seconds)
            cluster.register(0, at: node)
        }
        _ = cluster.take(beta)
        cluster.linkAll()
        #expect(cluster.views(0).allSatisfy { $0 == view(.inService, beta, stamp(0.03)) })
        #expect(!cluster.take(beta).contains(.yielded(dn(0))))
    }

    @Test func `ever greater claims within the link timeout take no more room`() {
        var cluster = TestCluster.linked(3)
        for round in 1...500 {
            let claim = heard(0, round.isMultiple(of: 2) ? alpha : gamma, stamp(Double(round) / 1000))
            cluster.inject(.claims([claim]), into: beta, from: cluster[beta].connection(to: alpha)!)
        }
        #expect(cluster[beta].fill.provisionals <= 2 * 64 + 1)
    }
}
