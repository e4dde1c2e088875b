import ClusterModel
import DNOwnership
import Testing

@Suite struct ClaimTests {
    @Test func `the first registration claims the DN, and it is in service`() {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        #expect(node.view(of: dn(0)) == unclaimed)
        node.registrationAccepted(dn(0), now: at(0), &actions)
        #expect(actions == [.viewChanged(dn(0), from: unclaimed, to: view(.inService, alpha, stamp(0)))])
        #expect(node.owns(dn(0)))
        #expect(!node.owns(dn(1)))
        #expect((node.ownedCount, node.ownInService, node.lastRevision) == (1, 1, 1))
    }

    @Test func `a refresh at the owner makes no claim and says nothing`() {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        node.registrationAccepted(dn(0), now: at(0), &actions)
        actions = []
        node.registrationAccepted(dn(0), now: at(60), &actions)
        #expect(actions == [])
        #expect(node.view(of: dn(0)) == view(.inService, alpha, stamp(0)))
        #expect(node.lastRevision == 1)
    }

    @Test func `service lost leaves the claim, and a registration brings the service back under it`() {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        node.registrationAccepted(dn(0), now: at(0), &actions)
        actions = []
        let present = view(.inService, alpha, stamp(0))
        node.serviceLost(dn(0), reason: .expired, &actions)
        node.serviceLost(dn(0), reason: .expired, &actions)
        #expect((node.ownedCount, node.ownInService, node.lastRevision) == (1, 0, 2))
        node.registrationAccepted(dn(0), now: at(9), &actions)
        let expired = view(.expired, alpha, stamp(0))
        #expect(
            actions == [
                .viewChanged(dn(0), from: present, to: expired), .viewChanged(dn(0), from: expired, to: present),
            ]
        )
        #expect((node.ownedCount, node.ownInService, node.lastRevision) == (1, 1, 3))
    }

    @Test func `losing the service of a DN that another owns, or of nobody, is nothing`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.forget()
        cluster.lose(0, at: beta, .expired)
        cluster.lose(1, at: beta, .expired)
        #expect(cluster.take(beta) == [])
        #expect(cluster[beta].lastRevision == 0)
    }

    @Test func `in service is no reason to lose service`() {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        node.registrationAccepted(dn(0), now: at(0), &actions)
        node.serviceLost(dn(0), reason: .unregistered, &actions)
        actions = []
        node.serviceLost(dn(0), reason: .inService, &actions)
        #expect(actions == [])
    }

    @Test func `a removal where the owner cannot be heard claims the DN out of service`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.cut(alpha, beta)
        cluster.forget()
        cluster.act(beta) { $0.removalAccepted(dn(0), now: at(1), &$2) }
        #expect(
            cluster.take(beta) == [
                .viewChanged(
                    dn(0), from: view(.ownerUnreachable, alpha, stamp(0)), to: view(.unregistered, beta, stamp(1))
                )
            ]
        )
        #expect(cluster[beta].owns(dn(0)))
    }

    @Test func `two claims of one millisecond have different stamps, and the clock never falls back`() {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        for (position, seconds) in [0.0, 0, -5, 1].enumerated() {
            node.registrationAccepted(dn(position), now: at(seconds), &actions)
        }
        let stamps = (0..<4).map { node.view(of: dn($0)).stamp }
        #expect(stamps == [stamp(0), stamp(0, 1), stamp(0, 2), stamp(1)])
        #expect(node.greatestStamp == stamp(1))
    }

    @Test func `a node that begins above an earlier life's stamp claims above it`() {
        var node = OwnershipMachine(
            topology: topology(dns: 1),
            identity: NodeIdentity(
                index: alpha, incarnation: Incarnation(rawValue: 2), lineage: Incarnation(rawValue: 2), generation: 1
            ),
            configuration: OwnershipConfiguration(), seed: 1, now: at(0), greatestStamp: stamp(30)
        )
        var actions: [OwnershipAction] = []
        node.registrationAccepted(dn(0), now: at(0), &actions)
        #expect(node.view(of: dn(0)).stamp == stamp(30, 1))
    }

    @Test func `a claim made after another was heard is greater, whatever the wall clock says`() {
        var cluster = TestCluster.linked(2)
        cluster.act(alpha) { $0.registrationAccepted(dn(0), now: at(4), &$2) }
        cluster.pump()
        cluster.register(0, at: beta)
        cluster.pump()
        let moved = view(.inService, beta, stamp(4, 1))
        #expect(cluster.views(0) == [moved, moved])
    }

    @Test func `a DN is shown with its owner's word while the link is live, and unreachable when it is not`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.register(1, at: beta)
        cluster.pump()
        cluster.cut(alpha, beta)
        #expect(cluster[beta].view(of: dn(0)) == view(.ownerUnreachable, alpha, stamp(0)))
        #expect(cluster[beta].lastWord(of: dn(0)) == .inService)
        #expect(cluster[beta].view(of: dn(1)).service == .inService)
        #expect(!cluster[beta].isReachable(alpha))
        #expect(cluster[beta].isReachable(beta))
        #expect(!cluster[beta].isReachable(.none))
        #expect(cluster[alpha].view(of: dn(0)).service == .inService)
        #expect(cluster[alpha].view(of: dn(2)).service == .neverRegistered)
    }
}
