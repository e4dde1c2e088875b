import ClusterModel
import DNOwnership
import Simulation
import Testing

private typealias Rules = ExplorationInvariants

/// Each rule holds of a state made by hand and fails of one that is wrong in just that way: a rule that cannot fail
/// proves nothing.
@Suite struct ExplorationInvariantTests {
    private static let alpha = NodeIndex(0)
    private static let beta = NodeIndex(1)
    private static let gamma = NodeIndex(2)
    private static let life = Incarnation(rawValue: 1)
    private static let name = DN(decimal: 1000, length: 4)

    private static func stamp(_ counter: UInt16) -> Stamp { Stamp(milliseconds: 1_700_000_000_000, counter: counter) }

    private static func position(_ revision: UInt64, digest: UInt64 = 0) -> StreamPosition {
        StreamPosition(revision: revision, generation: 1, count: 1, digest: digest)
    }

    /// A node that hears all others and knows that one owns the DN since stamp 1.
    private static func node(
        _ node: NodeIndex, owner: NodeIndex, _ service: Service = .inService, counter: UInt16 = 1
    ) -> NodeSummary {
        var summary = NodeSummary(
            node: node, incarnation: life, view: View(service: service, owner: owner, stamp: stamp(counter)),
            word: service, said: position(owner == node ? 1 : 0)
        )
        summary.greatest = stamp(counter)
        summary.hasBinding = owner == node && service.isInService
        if owner == node { summary.registered = stamp(counter) }
        for peer in summary.peers.indices where peer != node.position {
            summary.peers[peer].isReachable = true
            summary.peers[peer].connection = ConnectionID(rawValue: UInt64(peer + 1))
            summary.peers[peer].heard = HeardPosition(lineage: life, position: position(owner.position == peer ? 1 : 0))
        }
        return summary
    }

    private static func owned(_ counter: UInt16, _ service: Service = .inService) -> PeerMessage {
        .records(RecordBatch(revisions: 1...1, owned: [OwnedRecord(dn: name, stamp: stamp(counter), service: service)]))
    }

    private static func claims(_ owner: NodeIndex, _ counter: UInt16) -> PeerMessage {
        .claims([HeardClaim(dn: name, claim: Claim(owner: owner, stamp: stamp(counter)))])
    }

    private static func yields(to owner: NodeIndex, _ counter: UInt16) -> PeerMessage {
        let claim = HeardClaim(dn: name, claim: Claim(owner: owner, stamp: stamp(counter)))
        return .records(RecordBatch(revisions: 2...2, yielded: [claim]))
    }

    // MARK: Of one node

    @Test func `a node's own DN is in service exactly while it has a binding`() {
        var owner = Self.node(Self.alpha, owner: Self.alpha)
        #expect(Rules.invariantOwnersHaveWhatTheyServe(owner))
        owner.hasBinding = false
        #expect(!Rules.invariantOwnersHaveWhatTheyServe(owner))
        var other = Self.node(Self.alpha, owner: Self.beta)
        #expect(Rules.invariantOwnersHaveWhatTheyServe(other))
        other.hasBinding = true
        #expect(!Rules.invariantOwnersHaveWhatTheyServe(other))
        owner = Self.node(Self.alpha, owner: Self.alpha, .unregistered)
        #expect(Rules.invariantOwnersHaveWhatTheyServe(owner))
        owner.hasBinding = true
        #expect(!Rules.invariantOwnersHaveWhatTheyServe(owner))
    }

    @Test func `what waits for a peer is a handful`() {
        let node = Self.node(Self.alpha, owner: Self.alpha)
        #expect(Rules.invariantQueuesStayWithinBounds(node))
        var piled = node
        piled.peers[1].waitingMessages = 4
        #expect(!Rules.invariantQueuesStayWithinBounds(piled))
        piled = node
        piled.peers[2].waitingClaims = 2
        #expect(!Rules.invariantQueuesStayWithinBounds(piled))
        piled = node
        piled.strangers = 9
        #expect(!Rules.invariantQueuesStayWithinBounds(piled))
    }

    // MARK: Of one step

    @Test func `claims never regress`() {
        let earlier = Self.node(Self.alpha, owner: Self.beta, counter: 1)
        let later = Self.node(Self.alpha, owner: Self.gamma, counter: 2)
        let tied = Self.node(Self.alpha, owner: Self.gamma, counter: 1)
        #expect(Rules.invariantClaimsNeverRegress(from: earlier, to: later))
        #expect(Rules.invariantClaimsNeverRegress(from: earlier, to: tied))
        #expect(Rules.invariantClaimsNeverRegress(from: later, to: later))
        #expect(!Rules.invariantClaimsNeverRegress(from: later, to: earlier))
        #expect(!Rules.invariantClaimsNeverRegress(from: tied, to: earlier))
        let nothing = Self.node(Self.alpha, owner: .none, .neverRegistered)
        #expect(Rules.invariantClaimsNeverRegress(from: nothing, to: earlier))
        #expect(!Rules.invariantClaimsNeverRegress(from: earlier, to: nothing))
    }

    @Test func `lives of peers never regress`() {
        let before = Self.node(Self.alpha, owner: Self.beta)
        var second = before
        second.peers[2].incarnation = Incarnation(rawValue: 2)
        var third = before
        third.peers[2].incarnation = Incarnation(rawValue: 3)
        #expect(Rules.invariantLivesNeverRegress(from: before, to: second))
        #expect(Rules.invariantLivesNeverRegress(from: second, to: third))
        #expect(!Rules.invariantLivesNeverRegress(from: third, to: second))
        #expect(!Rules.invariantLivesNeverRegress(from: second, to: before))
    }

    @Test func `the owner's word comes from the owner, under its claim`() {
        let before = Self.node(Self.alpha, owner: Self.gamma, counter: 1)
        let after = Self.node(Self.alpha, owner: Self.beta, counter: 2)
        func wasSaid(_ message: PeerMessage?, by teller: NodeIndex?) -> Bool {
            Rules.invariantWordsWereSaid(from: before, to: after, by: teller, message)
        }
        #expect(wasSaid(Self.owned(2), by: Self.beta))
        #expect(!wasSaid(Self.owned(2), by: Self.gamma))
        #expect(!wasSaid(Self.owned(3), by: Self.beta))
        #expect(!wasSaid(Self.owned(2, .unregistered), by: Self.beta))
        #expect(!wasSaid(.syncEnd(Self.position(1)), by: Self.beta))
        #expect(!wasSaid(nil, by: nil))
        #expect(Rules.invariantWordsWereSaid(from: before, to: before, by: nil, nil))
    }

    @Test func `a claim that was told of lets the former word stand while both owners are heard`() {
        var before = Self.node(Self.alpha, owner: Self.gamma, counter: 1)
        var provisional = Self.node(Self.alpha, owner: Self.beta, counter: 2)
        provisional.isProvisional = true
        var superseded = Self.node(Self.alpha, owner: Self.beta, .superseded, counter: 2)
        for message in [Self.claims(Self.beta, 2), Self.yields(to: Self.beta, 2)] {
            func wasSaid(_ after: NodeSummary) -> Bool {
                Rules.invariantWordsWereSaid(from: before, to: after, by: Self.gamma, message)
            }
            before.peers[1].isReachable = true
            #expect(wasSaid(provisional))
            #expect(!wasSaid(superseded))
            #expect(!wasSaid(Self.node(Self.alpha, owner: Self.beta, counter: 2)))
            before.peers[1].isReachable = false
            #expect(!wasSaid(provisional))
            #expect(wasSaid(superseded))
        }
        superseded.isProvisional = true
        #expect(!Rules.invariantWordsWereSaid(from: before, to: superseded, by: Self.gamma, Self.claims(Self.beta, 2)))
    }

    @Test func `a word that stands in ends as superseded, and a sweep leaves it alone`() {
        var before = Self.node(Self.alpha, owner: Self.beta)
        let restarted = Self.node(Self.alpha, owner: Self.beta, .restarted)
        let superseded = Self.node(Self.alpha, owner: Self.beta, .superseded)
        let end = PeerMessage.syncEnd(Self.position(0))
        #expect(Rules.invariantWordsWereSaid(from: before, to: restarted, by: Self.beta, end))
        #expect(!Rules.invariantWordsWereSaid(from: before, to: superseded, by: nil, nil))
        before.isProvisional = true
        #expect(!Rules.invariantWordsWereSaid(from: before, to: restarted, by: Self.beta, end))
        #expect(Rules.invariantWordsWereSaid(from: before, to: superseded, by: nil, nil))
    }

    @Test func `a node takes its own forgotten claim back out of service`() {
        let before = Self.node(Self.alpha, owner: .none, .neverRegistered)
        let message = Self.claims(Self.alpha, 1)
        let restarted = Self.node(Self.alpha, owner: Self.alpha, .restarted)
        #expect(Rules.invariantWordsWereSaid(from: before, to: restarted, by: Self.beta, message))
        let served = Self.node(Self.alpha, owner: Self.alpha)
        #expect(!Rules.invariantWordsWereSaid(from: before, to: served, by: Self.beta, message))
        let again = Self.node(Self.alpha, owner: Self.alpha, counter: 3)
        #expect(Rules.invariantWordsWereSaid(from: served, to: again, by: Self.beta, message))
        #expect(!Rules.invariantWordsWereSaid(from: served, to: restarted, by: Self.beta, message))
    }

    @Test func `the latest registration wins when a claim may be old`() {
        var before = Self.node(Self.alpha, owner: Self.alpha, counter: 1)
        let kept = Self.node(Self.alpha, owner: Self.alpha, counter: 3)
        let lost = Self.node(Self.alpha, owner: Self.beta, counter: 2)
        func holds(_ after: NodeSummary, _ message: PeerMessage, by teller: NodeIndex) -> Bool {
            Rules.invariantLatestRegistrationWins(from: before, to: after, by: teller, message)
        }
        #expect(holds(lost, Self.owned(2), by: Self.beta))
        #expect(!holds(kept, Self.owned(2), by: Self.beta))
        #expect(holds(lost, Self.claims(Self.beta, 2), by: Self.gamma))
        before.registered = Self.stamp(3)
        // The peer is in step: its claim is news.
        #expect(holds(lost, Self.owned(2), by: Self.beta))
        #expect(!holds(kept, Self.owned(2), by: Self.beta))
        #expect(holds(kept, Self.claims(Self.beta, 2), by: Self.gamma))
        #expect(!holds(lost, Self.claims(Self.beta, 2), by: Self.gamma))
        before.peers[1].isResyncing = true
        #expect(holds(kept, Self.owned(2), by: Self.beta))
        #expect(!holds(lost, Self.owned(2), by: Self.beta))
        #expect(holds(before, .snapshotRequest, by: Self.beta))
        #expect(!holds(lost, .snapshotRequest, by: Self.beta))
    }

    @Test func `registrations are noted, and clocks move on`() {
        let before = Self.node(Self.alpha, owner: Self.alpha, counter: 1)
        var after = before
        #expect(!Rules.invariantRegistrationsAreNoted(from: before, to: after))
        (after.greatest, after.registered) = (Self.stamp(2), Self.stamp(2))
        #expect(Rules.invariantRegistrationsAreNoted(from: before, to: after))
        after.registered = Self.stamp(1)
        #expect(!Rules.invariantRegistrationsAreNoted(from: before, to: after))
        for message in [Self.owned(2), Self.claims(Self.beta, 2), Self.yields(to: Self.beta, 2)] {
            #expect(Rules.invariantClocksMovePastWhatTheyHear(after, message))
            #expect(!Rules.invariantClocksMovePastWhatTheyHear(before, message))
        }
    }

    @Test func `every change of a view is told`() {
        let before = Self.node(Self.alpha, owner: Self.beta)
        var after = Self.node(Self.alpha, owner: Self.beta, .unregistered)
        let change = OwnershipAction.viewChanged(DNIndex(0), from: before.view, to: after.view)
        #expect(Rules.invariantChangesAreTold(from: before, to: after, [change]))
        #expect(!Rules.invariantChangesAreTold(from: before, to: after, []))
        #expect(!Rules.invariantChangesAreTold(from: before, to: before, [change]))
        #expect(!Rules.invariantChangesAreTold(from: after, to: after, [change]))
        after = Self.node(Self.alpha, owner: Self.beta, .ownerUnreachable)
        #expect(Rules.invariantChangesAreTold(from: before, to: after, [.ownerUnreachable(Self.beta)]))
        #expect(!Rules.invariantChangesAreTold(from: before, to: after, [.ownerUnreachable(Self.gamma)]))
        #expect(Rules.invariantChangesAreTold(from: after, to: before, [.ownerReachable(Self.beta)]))
        #expect(!Rules.invariantChangesAreTold(from: after, to: before, [.ownerReachable(Self.gamma)]))
    }

    @Test func `speakers say what they hold`() {
        let owner = Self.node(Self.alpha, owner: Self.alpha, counter: 2)
        let other = Self.node(Self.alpha, owner: Self.beta, counter: 2)
        func says(_ speaker: NodeSummary, _ message: PeerMessage) -> Bool {
            Rules.invariantSpeakersSayWhatTheyHold(speaker, message)
        }
        #expect(says(owner, Self.owned(2)))
        #expect(!says(owner, Self.owned(1)))
        #expect(!says(owner, Self.owned(2, .unregistered)))
        #expect(!says(other, Self.owned(2)))
        #expect(says(other, Self.yields(to: Self.beta, 2)))
        #expect(!says(other, Self.yields(to: Self.gamma, 2)))
        #expect(!says(owner, Self.yields(to: Self.alpha, 2)))
        #expect(says(other, Self.claims(Self.beta, 2)))
        #expect(!says(other, Self.claims(Self.beta, 1)))
        #expect(says(owner, .syncEnd(Self.position(1))))
        #expect(!says(owner, .syncEnd(Self.position(2))))
        #expect(!says(owner, .ping(Ping(sentAt: 1, position: Self.position(1, digest: 1)))))
        #expect(says(owner, .ping(Ping(sentAt: 1, position: nil))))
    }

    @Test func `nobody asks for a snapshot, and only old connections are closed`() {
        #expect(!Rules.invariantStreamsAddUp(.snapshotRequest))
        #expect(Rules.invariantStreamsAddUp(.syncEnd(Self.position(1))))
        #expect(Rules.invariantOnlyOldConnectionsAreClosed(.replaced))
        #expect(!Rules.invariantOnlyOldConnectionsAreClosed(.unexpectedHello))
    }

    // MARK: Of a cluster

    @Test func `what is shown of links is what the connections carry`() {
        var node = Self.node(Self.alpha, owner: Self.beta)
        var surroundings = NodeSurroundings()
        for peer in 1...2 {
            surroundings.hears[peer] = true
            surroundings.connections[peer] = ConnectionID(rawValue: UInt64(peer + 1))
        }
        #expect(Rules.invariantOnlyReachableOwnersAreShown(node, surroundings))
        #expect(Rules.invariantLinksAreLiveOnceHeard(node, surroundings))
        #expect(Rules.invariantNodesKnowTheirConnections(node, surroundings))
        surroundings.hears[1] = false
        #expect(!Rules.invariantOnlyReachableOwnersAreShown(node, surroundings))
        #expect(!Rules.invariantLinksAreLiveOnceHeard(node, surroundings))
        node.view.service = .ownerUnreachable
        node.peers[1].isReachable = false
        #expect(Rules.invariantOnlyReachableOwnersAreShown(node, surroundings))
        #expect(Rules.invariantLinksAreLiveOnceHeard(node, surroundings))
        surroundings.connections[2] = nil
        #expect(!Rules.invariantNodesKnowTheirConnections(node, surroundings))
    }

    @Test func `sums agree at equal revisions of one life`() {
        var node = Self.node(Self.alpha, owner: Self.beta)
        var peer = Self.node(Self.beta, owner: Self.beta)
        #expect(Rules.invariantSumsAgree(node, peer))
        peer.said.digest = 1
        #expect(!Rules.invariantSumsAgree(node, peer))
        peer.said.revision = 2
        #expect(Rules.invariantSumsAgree(node, peer))
        peer.said.revision = 1
        peer.incarnation = Incarnation(rawValue: 2)
        #expect(Rules.invariantSumsAgree(node, peer))
        peer.incarnation = Self.life
        node.peers[1].isReachable = false
        #expect(Rules.invariantSumsAgree(node, peer))
    }

    @Test func `linked nodes agree on what one of them owns`() {
        let (alpha, beta) = (Self.node(Self.alpha, owner: Self.beta), Self.node(Self.beta, owner: Self.beta))
        #expect(Rules.invariantLinkedNodesAgree(alpha, beta))
        #expect(!Rules.invariantLinkedNodesAgree(Self.node(Self.alpha, owner: Self.beta, .superseded), beta))
        #expect(!Rules.invariantLinkedNodesAgree(Self.node(Self.alpha, owner: Self.alpha, counter: 2), beta))
        #expect(!Rules.invariantLinkedNodesAgree(Self.node(Self.alpha, owner: .none, .neverRegistered), beta))
        // Alpha takes beta for the owner, and beta does not know.
        #expect(!Rules.invariantLinkedNodesAgree(alpha, Self.node(Self.beta, owner: .none, .neverRegistered)))
        // Neither is the owner, and the one has not heard of it.
        let cutOff = Self.node(Self.alpha, owner: .none, .neverRegistered)
        #expect(Rules.invariantLinkedNodesAgree(cutOff, Self.node(Self.beta, owner: Self.gamma)))
        var deaf = Self.node(Self.alpha, owner: Self.alpha, counter: 2)
        deaf.peers[1].isReachable = false
        #expect(Rules.invariantLinkedNodesAgree(deaf, beta))
    }

    @Test func `in the end all are linked, agree, and have heard everything`() {
        let nodes = [Self.alpha, Self.beta, Self.gamma].map { Self.node($0, owner: Self.beta) }
        func check(_ nodes: [NodeSummary]) -> [Bool] {
            [
                Rules.invariantLinksLive(nodes), Rules.invariantAgreement(nodes),
                Rules.invariantNothingIsProvisional(nodes), Rules.invariantStreamsAreHeardOut(nodes),
            ]
        }
        #expect(check(nodes) == [true, true, true, true])
        var wrong = nodes
        wrong[2].peers[0].isReachable = false
        #expect(check(wrong) == [false, true, true, true])
        wrong = nodes
        wrong[0].view.service = .superseded
        #expect(check(wrong) == [true, false, true, true])
        wrong = nodes
        wrong[0].isProvisional = true
        #expect(check(wrong) == [true, true, false, true])
        wrong = nodes
        wrong[0].peers[1].heard = HeardPosition(lineage: Self.life, position: Self.position(0))
        #expect(check(wrong) == [true, true, true, false])
    }
}
