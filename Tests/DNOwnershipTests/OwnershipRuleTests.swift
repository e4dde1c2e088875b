import ClusterModel
import DNOwnership
import Testing

@Suite struct OwnershipRuleTests {
    @Test func `nobody has claimed a DN: out of service everywhere`() {
        let cluster = OwnershipHarness()
        #expect(cluster.services(0) == [.neverRegistered, .neverRegistered])
        #expect(cluster.view(0, at: 0).owner == .none)
    }

    @Test func `the first registration claims, a refresh says nothing`() {
        let cluster = OwnershipHarness()
        cluster.connect(0, 1)
        cluster.settle()
        cluster.register(0, at: 0)
        #expect(cluster.settle().count == 1)
        let claimed = cluster.view(0, at: 0)
        #expect(cluster.services(0) == [.inService, .inService])
        cluster.register(0, at: 0)
        #expect(cluster.settle().isEmpty)
        #expect(cluster.view(0, at: 0) == claimed)
    }

    @Test func `the last binding gone: still the owner, out of service with the reason`() {
        let cluster = OwnershipHarness()
        cluster.connect(0, 1)
        cluster.register(0, at: 0)
        cluster.settle()
        cluster.lose(0, at: 0, reason: .expired)
        cluster.settle()
        #expect(cluster.services(0) == [.expired, .expired])
        #expect(cluster.owners(0) == [0, 0])
    }

    @Test func `only the owner can lose the service of a DN`() {
        let cluster = OwnershipHarness()
        cluster.connect(0, 1)
        cluster.register(0, at: 0)
        cluster.settle()
        cluster.lose(0, at: 1)
        cluster.settle()
        #expect(cluster.services(0) == [.inService, .inService])
    }

    @Test func `a registration elsewhere moves the DN; the former owner yields once and tells all`() {
        let cluster = OwnershipHarness(nodes: 3)
        cluster.connect(0, 1)
        cluster.connect(0, 2)
        cluster.connect(1, 2)
        cluster.register(0, at: 0)
        cluster.settle()
        _ = cluster.takeActions(0)
        cluster.register(0, at: 1)
        let said = cluster.settle()
        #expect(cluster.takeActions(0) == [.yielded(DNIndex(0))])
        #expect(cluster.owners(0) == [1, 1, 1])
        #expect(cluster.services(0) == [.inService, .inService, .inService])
        let yields = said.filter { if case .records(let batch) = $0 { !batch.yielded.isEmpty } else { false } }
        #expect(yields.count == 2, "one to each peer")
    }

    @Test func `several changes of one DN in a turn are one record`() {
        let cluster = OwnershipHarness()
        cluster.connect(0, 1)
        cluster.settle()
        cluster.register(0, at: 0)
        cluster.lose(0, at: 0)
        cluster.register(0, at: 0)
        let said = cluster.settle()
        guard case .records(let batch) = said.first else {
            Issue.record("no records were said")
            return
        }
        #expect(said.count == 1)
        #expect(batch.revisions == 1...3)
        #expect(batch.owned.count == 1)
    }

    @Test func `a removal where the owner cannot be heard claims the DN out of service`() {
        let cluster = OwnershipHarness()
        let link = cluster.connect(0, 1)
        cluster.register(0, at: 0)
        cluster.settle()
        cluster.disconnect(link)
        cluster.remove(0, at: 1)
        #expect(cluster.view(0, at: 1).service == .unregistered)
        #expect(cluster.view(0, at: 1).owner == NodeIndex(1))
    }

    @Test func `a claim made after hearing another is greater, whatever the wall clocks say`() {
        let cluster = OwnershipHarness()
        cluster.advance(0, milliseconds: 4_000)
        cluster.connect(0, 1)
        cluster.register(0, at: 0)
        cluster.settle()
        cluster.register(0, at: 1)
        cluster.settle()
        #expect(cluster.owners(0) == [1, 1])
        #expect(cluster.view(0, at: 1).stamp > Stamp(milliseconds: 1_004_000, counter: 0))
    }
}

@Suite struct PartitionRuleTests {
    @Test func `a lost link hides the other's DNs in one action, and shows them again in one`() {
        let cluster = OwnershipHarness()
        let link = cluster.connect(0, 1)
        for dn in 0..<3 { cluster.register(dn, at: 0) }
        cluster.register(3, at: 1)
        cluster.settle()
        _ = cluster.takeActions(0)
        _ = cluster.takeActions(1)
        cluster.disconnect(link)
        #expect(cluster.takeActions(0) == [.ownerUnreachable(NodeIndex(1))])
        #expect(cluster.takeActions(1) == [.ownerUnreachable(NodeIndex(0))])
        #expect(cluster.services(0) == [.inService, .ownerUnreachable])
        #expect(cluster.services(3) == [.ownerUnreachable, .inService])
        cluster.connect(0, 1)
        cluster.settle()
        #expect(cluster.takeActions(0) == [.ownerReachable(NodeIndex(1))])
        #expect(cluster.takeActions(1) == [.ownerReachable(NodeIndex(0))])
        #expect(cluster.services(0) == [.inService, .inService])
    }

    @Test func `what was missed follows if the ring still holds it, otherwise a snapshot`() {
        let cluster = OwnershipHarness()
        var link = cluster.connect(0, 1)
        cluster.register(0, at: 0)
        cluster.settle()
        cluster.disconnect(link)
        cluster.register(1, at: 0)
        link = cluster.connect(0, 1)
        #expect(cluster.settle().contains(.syncBegin(SyncBegin(isSnapshot: false, revision: 1))))
        #expect(cluster.services(1) == [.inService, .inService])
        cluster.disconnect(link)
        for dn in 2..<10 { cluster.register(dn, at: 0) }
        cluster.connect(0, 1)
        #expect(cluster.settle().contains(.syncBegin(SyncBegin(isSnapshot: true, revision: 10))))
        for dn in 0..<10 { #expect(cluster.services(dn) == [.inService, .inService]) }
    }

    @Test func `nothing of a peer is shown before the end of its snapshot`() throws {
        let cluster = OwnershipHarness()
        for dn in 0..<5 { cluster.register(dn, at: 0) }
        let link = cluster.connect(0, 1)
        var sawRecords = false
        while let message = cluster.next(from: 0, to: 1) {
            cluster.send(message, to: 1, over: link)
            while let answer = cluster.next(from: 1, to: 0) { cluster.send(answer, to: 0, over: link) }
            if case .records(let batch) = message, !batch.owned.isEmpty {
                sawRecords = true
                #expect(cluster.state(1, of: 0) == .syncing)
                #expect(cluster.view(0, at: 1).service != .inService)
            }
        }
        #expect(sawRecords)
        #expect(cluster.state(1, of: 0) == .live)
        #expect(cluster.services(4) == [.inService, .inService])
    }

    @Test func `registered on both sides of a cut: the later registration wins, even by a refresh`() {
        let cluster = OwnershipHarness()
        let link = cluster.connect(0, 1)
        cluster.register(0, at: 0)
        cluster.register(1, at: 0)
        cluster.settle()
        cluster.disconnect(link)
        cluster.advance(1, milliseconds: 100)
        cluster.register(0, at: 1)
        cluster.register(1, at: 1)
        cluster.advance(0, milliseconds: 200)
        cluster.register(1, at: 0)
        cluster.connect(0, 1)
        cluster.settle()
        #expect(cluster.owners(0) == [1, 1])
        #expect(cluster.owners(1) == [0, 0], "the phone refreshed at its first node after it had tried the other")
        #expect(cluster.services(0) == [.inService, .inService])
        #expect(cluster.services(1) == [.inService, .inService])
    }

    @Test func `a node that comes back without memory gets its claims returned, out of service`() {
        let cluster = OwnershipHarness(nodes: 3)
        cluster.connect(0, 1)
        cluster.connect(0, 2)
        cluster.connect(1, 2)
        for dn in 0..<7 { cluster.register(dn, at: 0) }
        cluster.settle()
        let stamp = cluster.view(6, at: 1).stamp
        cluster.restart(0)
        #expect(cluster.view(6, at: 1).service == .ownerUnreachable)
        cluster.connect(0, 1)
        cluster.connect(0, 2)
        cluster.settle()
        for dn in 0..<7 {
            #expect(cluster.services(dn) == [.restarted, .restarted, .restarted])
            #expect(cluster.owners(dn) == [0, 0, 0])
        }
        #expect(cluster.view(6, at: 0).stamp == stamp)
        cluster.register(6, at: 0)
        cluster.settle()
        #expect(cluster.services(6) == [.inService, .inService, .inService])
    }

    @Test func `nothing is relayed: a DN whose owner is not heard directly is out of service`() {
        let cluster = OwnershipHarness(nodes: 3)
        let link = cluster.connect(0, 2)
        cluster.connect(0, 1)
        cluster.connect(1, 2)
        cluster.register(0, at: 0)
        cluster.settle()
        cluster.disconnect(link)
        cluster.settle()
        #expect(cluster.services(0) == [.inService, .inService, .ownerUnreachable])
    }

    @Test func `a claim heard from another carries no service: the former word stands, at most for the link timeout`() {
        let cluster = OwnershipHarness(nodes: 3)
        let first = cluster.connect(0, 1)
        let second = cluster.connect(1, 2)
        cluster.connect(0, 2)
        cluster.register(0, at: 0)
        cluster.settle()
        // Node 2 hears from node 0 that node 1 took the DN over, before node 1's own word arrives.
        cluster.register(0, at: 1)
        while let message = cluster.next(from: 1, to: 0) { cluster.send(message, to: 0, over: first) }
        guard let yield = cluster.next(from: 0, to: 2), let link = cluster.machines[2].connection(to: NodeIndex(0))
        else {
            Issue.record("node 0 did not tell node 2")
            return
        }
        cluster.send(yield, to: 2, over: link)
        #expect(cluster.owners(0)[2] == 1)
        #expect(cluster.view(0, at: 2).service == .inService)
        for _ in 0..<3 {
            cluster.advance(2, milliseconds: 900)
            cluster.send(.pong(sentAt: 0), to: 2, over: second)
            cluster.send(.pong(sentAt: 0), to: 2, over: link)
            cluster.tick(2)
        }
        #expect(cluster.view(0, at: 2).service == .superseded)
    }
}
