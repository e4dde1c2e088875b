import ClusterModel
import DNOwnership
import Testing

@Suite struct StreamTests {
    @Test func `a snapshot comes in chunks, and nothing is shown before its end`() {
        var cluster = TestCluster(2, bounds: Bounds(chunk: 2))
        for position in 0..<5 { cluster.register(position, at: alpha) }
        cluster.connect(alpha, beta)
        while cluster.deliverOne() {
            let isEnded = cluster.said(alpha, beta).contains { if case .syncEnd = $0 { true } else { false } }
            #expect(cluster[beta].isReachable(alpha) == isEnded)
            let shown = (0..<5).filter { cluster[beta].view(of: dn($0)).service.isInService }.count
            #expect(shown == (isEnded ? 5 : 0))
        }
        let chunks = cluster.said(alpha, beta).compactMap { if case .records(let batch) = $0 { batch } else { nil } }
        #expect(chunks.map(\.owned.count) == [2, 2, 1])
        #expect(chunks.allSatisfy { $0.revisions == nil })
        #expect(cluster[beta].link(to: alpha).peerOwns == 5)
    }

    @Test func `what changes during a snapshot goes before the next chunk, and the end stands for all of it`() {
        var node = machine(alpha, bounds: Bounds(chunk: 1))
        var actions: [OwnershipAction] = []
        for position in 0..<2 { node.registrationAccepted(dn(position), now: at(0), &actions) }
        node.dialed(beta, connection: connection(1), now: at(0), &actions)
        _ = node.hear(.hello(hello(from: beta)), from: connection(1))
        #expect(node.nextMessage(for: beta, now: at(0)) == .hello(hello(from: alpha, stamp: stamp(0, 1))))
        #expect(node.nextMessage(for: beta, now: at(0)) == snapshotBegin(2))
        #expect(
            node.nextMessage(for: beta, now: at(0))
                == .records(RecordBatch(revisions: nil, owned: [owned(0, stamp(0))]))
        )
        node.serviceLost(dn(1), reason: .expired, &actions)
        let delta = RecordBatch(revisions: 3...3, owned: [owned(1, stamp(0, 1), .expired)])
        #expect(node.nextMessage(for: beta, now: at(0)) == .records(delta))
        let chunk = RecordBatch(revisions: nil, owned: [owned(1, stamp(0, 1), .expired)])
        #expect(node.nextMessage(for: beta, now: at(0)) == .records(chunk))
        guard case .syncEnd(let end) = node.nextMessage(for: beta, now: at(0)) else {
            Issue.record("no end")
            return
        }
        #expect((end.revision, end.count) == (3, 2))
    }

    @Test func `a peer that missed some revisions gets just these`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.pump()
        cluster.cut(alpha, beta)
        cluster.register(1, at: alpha)
        cluster.forget()
        cluster.linkAll()
        let missed = cluster.said(alpha, beta)
        #expect(missed[1] == .syncBegin(SyncBegin(isSnapshot: false, revision: 1)))
        #expect(missed[2] == .records(RecordBatch(revisions: 2...2, owned: [owned(1, stamp(0, 1))])))
        #expect(missed.count == 4)
        #expect(
            cluster.take(beta) == [
                .viewChanged(dn(1), from: unclaimed, to: view(.ownerUnreachable, alpha, stamp(0, 1))),
                .ownerReachable(alpha),
            ]
        )
        #expect(cluster.views(1) == [View](repeating: view(.inService, alpha, stamp(0, 1)), count: 2))
    }

    @Test(arguments: [(4, false), (5, true)])
    func `a peer that missed more than the ring holds gets a snapshot`(missed: Int, isSnapshot: Bool) {
        let bounds = Bounds(ring: 4)
        var cluster = TestCluster.linked(2, bounds: bounds)
        cluster.register(7, at: alpha)
        cluster.pump()
        cluster.cut(alpha, beta)
        for position in 0..<missed { cluster.register(position, at: alpha) }
        cluster.forget()
        cluster.linkAll()
        let begin = SyncBegin(isSnapshot: isSnapshot, revision: isSnapshot ? 6 : 1)
        #expect(cluster.said(alpha, beta)[1] == .syncBegin(begin))
        for position in 0..<missed {
            #expect(cluster[beta].view(of: dn(position)) == cluster[alpha].view(of: dn(position)))
        }
        #expect(cluster[beta].link(to: alpha).appliedRevision == UInt64(missed + 1))
        #expect(cluster[beta].link(to: alpha).mismatches == 0)
    }

    @Test func `a peer that knows another lineage's position gets a snapshot`() {
        var node = machine(alpha, incarnation: 2)
        var actions: [OwnershipAction] = []
        node.registrationAccepted(dn(0), now: at(0), &actions)
        for (number, resume) in [(1, 1), (2, 0), (2, 2)].enumerated() {
            let id = connection(UInt64(number))
            node.dialed(beta, connection: id, now: at(0), &actions)
            let position = ResumePosition(lineage: Incarnation(rawValue: UInt64(resume.0)), revision: UInt64(resume.1))
            _ = node.hear(.hello(hello(from: beta, resume: position)), from: id)
            // Only position 0 of the present lineage can be gone on from: 2 has not been said yet.
            #expect(
                node.say(to: beta)[1] == .syncBegin(SyncBegin(isSnapshot: number != 1, revision: number == 1 ? 0 : 1)))
        }
    }

    @Test func `a peer that reads slowly falls off the ring into a snapshot, and its view does not blink`() {
        var cluster = TestCluster.linked(2, bounds: Bounds(ring: 4))
        cluster.held = [[alpha, beta]]
        for position in 0..<5 { cluster.register(position, at: alpha) }
        #expect(cluster[alpha].link(to: beta).behindRevisions == 5)
        cluster.pump()
        cluster.held = []
        cluster.pump()
        #expect(cluster.said(alpha, beta).first == snapshotBegin(5))
        #expect(cluster.views(4) == [View](repeating: view(.inService, alpha, stamp(0, 4)), count: 2))
        #expect(cluster.take(beta).allSatisfy { if case .viewChanged = $0 { true } else { false } })
        #expect(cluster[beta].link(to: alpha).state == .live)
        cluster.advance(to: 10)
        #expect(cluster[beta].link(to: alpha).state == .live)
    }

    @Test func `what changed several times is told once in a batch, with its last word`() {
        var cluster = TestCluster.linked(2)
        cluster.register(0, at: alpha)
        cluster.register(1, at: alpha)
        cluster.lose(0, at: alpha, .flowLost)
        cluster.register(0, at: alpha)
        cluster.pump()
        let batch = RecordBatch(revisions: 1...4, owned: [owned(1, stamp(0, 1)), owned(0, stamp(0))])
        #expect(cluster.said(alpha, beta) == [.records(batch)])
        #expect(
            cluster.take(beta) == [
                .viewChanged(dn(1), from: unclaimed, to: view(.inService, alpha, stamp(0, 1))),
                .viewChanged(dn(0), from: unclaimed, to: view(.inService, alpha, stamp(0))),
            ]
        )
    }

    @Test func `batches have at most a chunk of revisions and follow each other without a gap`() {
        var cluster = TestCluster.linked(2, bounds: Bounds(chunk: 2))
        for position in 0..<5 { cluster.register(position, at: alpha) }
        cluster.pump()
        let ranges = cluster.said(alpha, beta).compactMap {
            if case .records(let batch) = $0 { batch.revisions } else { nil }
        }
        #expect(ranges == [1...2, 3...4, 5...5])
    }

    @Test func `nothing is applied after a gap; a snapshot is asked for at once`() {
        var node = introducedBeta()
        _ = node.hear(snapshotBegin(1), from: connection(1))
        let late = RecordBatch(revisions: 3...3, owned: [owned(0, stamp(0))])
        #expect(node.hear(.records(late), from: connection(1)) == [])
        #expect(node.view(of: dn(0)) == unclaimed)
        #expect(node.say(to: alpha) == [.snapshotRequest])
        // The right ones do not help any more, and nobody asks twice.
        let missed = RecordBatch(revisions: 2...2, owned: [owned(0, stamp(0))])
        #expect(node.hear(.records(missed), from: connection(1)) == [])
        #expect(node.say(to: alpha) == [])
    }

    @Test func `no revision that a peer can name is a trap`() {
        var node = introducedBeta()
        let last = RecordBatch(revisions: UInt64.max...UInt64.max, owned: [owned(0, stamp(0))])
        let first = RecordBatch(revisions: 1...1, owned: [owned(1, stamp(0))])
        _ = node.hear(snapshotBegin(.max - 1), .records(last), .records(first), from: connection(1))
        _ = node.hear(
            snapshotBegin(.max), .records(first),
            .syncEnd(
                StreamPosition(
                    revision: .max, generation: 1, count: .max, digest: .max)), from: connection(1))
        #expect(node.link(to: alpha).state == .syncing)
    }

    @Test func `a piece of a snapshot that was not announced is ignored`() {
        var node = introducedBeta()
        let piece = RecordBatch(revisions: nil, owned: [owned(0, stamp(0))])
        #expect(node.hear(.records(piece), from: connection(1)) == [])
        #expect(node.view(of: dn(0)) == unclaimed)
    }

    @Test func `DNs that this node does not have are skipped, and do not count while the topologies differ`() {
        var node = introducedBeta()
        let foreign = OwnedRecord(dn: name(500), stamp: stamp(0), service: .inService)
        let batch = RecordBatch(revisions: nil, owned: [foreign, owned(0, stamp(0))])
        let end = StreamPosition(revision: 2, generation: 2, count: 2, digest: 77)
        #expect(
            node.hear(snapshotBegin(2), .records(batch), .syncEnd(end), from: connection(1)) == [
                .viewChanged(dn(0), from: unclaimed, to: view(.ownerUnreachable, alpha, stamp(0))),
                .ownerReachable(alpha),
            ]
        )
    }
}
