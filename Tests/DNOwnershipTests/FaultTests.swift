import ClusterModel
import DNOwnership
import Testing

/// A rule that holds, and does not once its mistake is put back.
struct Rule: Sendable, CustomTestStringConvertible {
    let sentence: String
    let mistake: Faults
    let holds: @Sendable (Faults) -> Bool

    init(_ sentence: String, unless mistake: Faults, _ holds: @escaping @Sendable (Faults) -> Bool) {
        self.sentence = sentence
        self.mistake = mistake
        self.holds = holds
    }

    var testDescription: String { sentence }
}

@Suite struct FaultTests {
    @Test(arguments: streams + claims + losses)
    func `each rule is broken by its mistake`(rule: Rule) {
        #expect(rule.holds(.none))
        #expect(!rule.holds(rule.mistake))
    }

    private static func linked(_ count: Int, _ faults: Faults, ring: Int = 64) -> TestCluster {
        TestCluster.linked(count, bounds: Bounds(ring: ring, faults: faults))
    }

    /// DN 0 is alpha's, as all know.
    private static func settled(_ count: Int, _ faults: Faults, ring: Int = 64) -> TestCluster {
        var cluster = linked(count, faults, ring: ring)
        cluster.register(0, at: alpha)
        cluster.pump()
        return cluster
    }

    /// Beta cannot hear alpha any more and claims its DN; gamma hears both.
    private static func movedAcrossCut(_ faults: Faults) -> TestCluster {
        var cluster = settled(3, faults)
        cluster.cut(alpha, beta)
        cluster.register(0, at: beta)
        cluster.pump()
        return cluster
    }

    /// Alpha registered first and, after beta in a cut, last.
    private static func refreshedLast(_ faults: Faults) -> TestCluster {
        var cluster = settled(2, faults)
        cluster.cut(alpha, beta)
        for (seconds, node) in [(0.01, beta), (0.02, alpha)] {
            cluster.advance(to: seconds)
            cluster.register(0, at: node)
        }
        cluster.linkAll()
        return cluster
    }

    /// Whether alpha and beta, linked again after registrations at alpha, get by without a second try.
    private static func addsUp(missed: Int, ring: Int, _ faults: Faults) -> Bool {
        var cluster = settled(2, faults, ring: ring)
        cluster.cut(alpha, beta)
        for position in 1...missed { cluster.register(position, at: alpha) }
        cluster.linkAll()
        return !cluster.said(beta, alpha).contains(.snapshotRequest)
    }

    // MARK: Streams

    private static let streams = [
        Rule("nothing is shown before the end of a sync", unless: .liveBeforeEnd) { faults in
            var node = introducedBeta(bounds: Bounds(faults: faults))
            _ = node.hear(snapshotBegin(0), from: connection(1))
            return !node.isReachable(alpha)
        },
        Rule("what a snapshot did not carry is out of service at its end", unless: .noSweep) { faults in
            var node = introducedBeta(bounds: Bounds(faults: faults))
            let word = owned(0, stamp(1))
            _ = node.hear(snapshotBegin(0), .records(RecordBatch(revisions: nil, owned: [word])), from: connection(1))
            let nothing = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
            _ = node.hear(snapshotBegin(0), .syncEnd(nothing), from: connection(1))
            return node.view(of: dn(0)).service == .restarted
        },
        Rule("a resumed stream adds up", unless: .resumeOffByOne) { addsUp(missed: 2, ring: 64, $0) },
        Rule("a stream begins anew beyond the ring", unless: .ringOffByOne) { addsUp(missed: 5, ring: 4, $0) },
        Rule("a batch carries all that changed", unless: .coalescingLoses) { faults in
            var cluster = linked(2, faults)
            for position in 0...1 { cluster.register(position, at: alpha) }
            cluster.pump()
            return cluster[beta].view(of: dn(1)).service.isInService
        },
        Rule("a superseded word counts until its speaker drops it", unless: .supersededWordDropped) { faults in
            var cluster = TestCluster(2, bounds: Bounds(faults: faults))
            cluster.register(0, at: alpha)
            cluster.advance(to: 1)
            cluster.register(0, at: beta)
            cluster.connect(alpha, beta)
            _ = cluster.deliverOne()
            // Introduced; alpha says all that it has before it hears of beta's claim.
            cluster.held = [[beta, alpha]]
            cluster.pump()
            cluster.held = []
            cluster.pump()
            return !cluster.said(beta, alpha).contains(.snapshotRequest)
        },
        Rule("an earlier life is refused", unless: .staleIncarnationAccepted) { faults in
            var node = machine(beta, bounds: Bounds(faults: faults))
            let lives = [2, 1].map { life in
                node.accepted(connection(UInt64(life)), now: at(0))
                return node.hear(.hello(hello(from: alpha, incarnation: UInt64(life))), from: connection(UInt64(life)))
            }
            return lives == [[], [.close(connection(1), .staleIncarnation)]]
        },
    ]

    // MARK: Claims

    private static let claims = [
        Rule("a yield is told to all", unless: .noYieldAnnouncement) { faults in
            var cluster = settled(3, faults)
            cluster.cut(beta, gamma)
            cluster.register(0, at: beta)
            cluster.pump()
            return cluster[gamma].view(of: dn(0)).owner == beta
        },
        Rule("a claim is greater than those heard", unless: .stampNotAdvanced) { faults in
            var cluster = linked(2, faults)
            cluster.act(alpha) { $0.registrationAccepted(dn(0), now: at(4), &$2) }
            cluster.pump()
            cluster.register(0, at: beta)
            cluster.pump()
            return cluster.views(0).map(\.owner) == [beta, beta]
        },
        Rule("a former owner is told by who hears both", unless: .formerOwnerUntold) { faults in
            movedAcrossCut(faults)[alpha].view(of: dn(0)).owner == beta
        },
        Rule("a forgotten claim comes back", unless: .claimsNotReturned) { faults in
            var cluster = settled(2, faults)
            cluster.restart(alpha, incarnation: 2, bounds: Bounds(faults: faults))
            cluster.linkAll()
            return cluster[alpha].owns(dn(0))
        },
        Rule("a lesser word is answered", unless: .lesserWordUnanswered) { faults in
            var node = introducedBeta(bounds: Bounds(faults: faults))
            _ = node.hear(.claims([heard(0, gamma, stamp(1))]), from: connection(1))
            _ = node.say(to: alpha)
            let word = RecordBatch(revisions: nil, owned: [owned(0, stamp(0))])
            _ = node.hear(snapshotBegin(1), .records(word), from: connection(1))
            return node.say(to: alpha) == [.claims([heard(0, gamma, stamp(1))])]
        },
        Rule("the latest registration wins", unless: .noReclaim) { faults in
            refreshedLast(faults).views(0).map(\.owner) == [alpha, alpha]
        },
        Rule("a refresh is a registration", unless: .refreshNotNoted) { faults in
            refreshedLast(faults).views(0).map(\.owner) == [alpha, alpha]
        },
        Rule("a provisional word runs out", unless: .provisionalForever) { faults in
            var cluster = settled(3, faults)
            cluster.held = [[beta, gamma]]
            cluster.register(0, at: beta)
            cluster.advance(to: 3)
            return cluster[gamma].lastWord(of: dn(0)) == .superseded
        },
    ]

    // MARK: Losses

    private static let losses = [
        Rule("a lost connection hides the peer's DNs", unless: .lossKeepsLive) { faults in
            var cluster = settled(2, faults)
            cluster.cut(alpha, beta)
            return cluster[beta].view(of: dn(0)).service == .ownerUnreachable
        },
        Rule("a lost connection leaves the node's own DNs alone", unless: .lostLinkDropsOwn) { faults in
            var cluster = settled(2, faults)
            cluster.cut(alpha, beta)
            return cluster[alpha].view(of: dn(0)).service == .inService
        },
        Rule("nobody speaks for an owner that is not heard", unless: .relayedService) { faults in
            movedAcrossCut(faults)[alpha].view(of: dn(0)).service == .ownerUnreachable
        },
        Rule("only the owner says that a service is lost", unless: .peerExpires) { faults in
            var cluster = settled(2, faults)
            cluster.lose(0, at: beta, .expired)
            return cluster[beta].view(of: dn(0)).service == .inService
        },
    ]
}
