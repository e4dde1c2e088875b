import ClusterModel
import DNOwnership
import Testing

@Suite struct HelloTests {
    @Test func `the dialler introduces itself, the other answers, and both tell what they own`() {
        var cluster = TestCluster(2)
        cluster.register(0, at: alpha)
        cluster.connect(alpha, beta)
        cluster.pump()
        #expect(
            cluster.said(alpha, beta) == [
                .hello(hello(from: alpha, stamp: stamp(0))), snapshotBegin(1),
                .records(RecordBatch(revisions: nil, owned: [owned(0, stamp(0))])),
                .syncEnd(
                    StreamPosition(revision: 1, generation: 1, count: 1, digest: digest(cluster, alpha, beta))
                ),
            ]
        )
        let nothing = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        #expect(
            cluster.said(beta, alpha) == [
                .hello(hello(from: beta, stamp: justBefore(0))), snapshotBegin(0),
                .records(RecordBatch(revisions: nil)),
                .syncEnd(nothing),
            ]
        )
        #expect(
            cluster.take(alpha) == [
                .viewChanged(dn(0), from: unclaimed, to: cluster.views(0)[0]), .ownerReachable(beta),
            ])
        #expect(cluster[beta].link(to: alpha).state == .live)
        #expect(cluster[beta].link(to: alpha).peerOwns == 1)
    }

    /// The digest that a node sent last; its value is nobody's business here.
    private func digest(_ cluster: TestCluster, _ from: NodeIndex, _ to: NodeIndex) -> UInt64 {
        if case .syncEnd(let position) = cluster.said(from, to).last { position.digest } else { 0 }
    }

    @Test func `nothing is said before the hello, and nothing but the hello before the peer's`() {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        #expect(node.say(to: beta) == [])
        node.dialed(beta, connection: connection(1), now: at(0), &actions)
        #expect(node.say(to: beta) == [.hello(hello(from: alpha, stamp: justBefore(0)))])
        #expect(node.link(to: beta).state == .down)
        node.registrationAccepted(dn(0), now: at(0), &actions)
        #expect(node.say(to: beta) == [])
        #expect(node.hear(.hello(hello(from: beta)), from: connection(1)) == [])
        #expect(node.link(to: beta).state == .syncing)
    }

    @Test(arguments: [
        ("other", "dc1/alpha", LinkProblem.wrongCluster("other")),
        ("test", "dc9/omega", LinkProblem.unknownNode("dc9/omega")),
        ("test", "dc1/beta", LinkProblem.unknownNode("dc1/beta")),
        ("test", "dc2/gamma", LinkProblem.wrongDirection),
    ])
    func `a stranger whose hello is wrong is sent away`(cluster: String, name: String, problem: LinkProblem) {
        var node = machine(beta)
        var bad = hello(from: alpha)
        bad.cluster = cluster
        bad.node = name
        node.accepted(connection(1), now: at(0))
        #expect(node.hear(.hello(bad), from: connection(1)) == [.close(connection(1), problem)])
        #expect(node.peer(of: connection(1)) == nil)
        // What still comes on the closed connection is ignored.
        #expect(node.hear(.hello(hello(from: alpha)), .snapshotRequest, from: connection(1)) == [])
    }

    @Test func `a peer that was dialled and answers as another is sent away`() {
        var node = machine(alpha)
        var actions: [OwnershipAction] = []
        node.dialed(beta, connection: connection(1), now: at(0), &actions)
        #expect(
            node.hear(.hello(hello(from: gamma)), from: connection(1))
                == [.close(connection(1), .unknownNode("dc2/gamma"))]
        )
        #expect(node.connection(to: beta) == nil)
    }

    @Test func `another protocol version is refused before all else`() {
        var node = machine(beta)
        var bad = hello(from: alpha)
        bad.protocolVersion = 2
        bad.cluster = "other"
        node.accepted(connection(1), now: at(0))
        #expect(node.hear(.hello(bad), from: connection(1)) == [.close(connection(1), .wrongVersion(2))])
    }

    @Test func `an earlier life of a node that has come back is refused`() {
        var node = machine(beta)
        for (number, incarnation) in [5, 4, 5, 6].enumerated() {
            node.accepted(connection(UInt64(number)), now: at(0))
            let actions = node.hear(
                .hello(hello(from: alpha, incarnation: UInt64(incarnation))), from: connection(UInt64(number))
            )
            switch number {
            case 1: #expect(actions == [.close(connection(1), .staleIncarnation)])
            case 2: #expect(actions == [.close(connection(0), .replaced)])
            case 3: #expect(actions == [.close(connection(2), .replaced)])
            case _: #expect(actions == [])
            }
        }
        #expect(node.link(to: alpha).incarnation == Incarnation(rawValue: 6))
    }

    @Test func `stamps more than a minute ahead close the link, in a hello and later`() {
        var node = machine(beta)
        node.accepted(connection(1), now: at(0))
        let late = Stamp(milliseconds: at(60).wallMilliseconds + 1, counter: 0)
        let problem = LinkProblem.clockTooFarAhead(milliseconds: 60_001)
        #expect(
            node.hear(.hello(hello(from: alpha, stamp: late)), from: connection(1)) == [.close(connection(1), problem)]
        )
        #expect(node.greatestStamp == .zero)
        node.accepted(connection(2), now: at(0))
        #expect(node.hear(.hello(hello(from: alpha, stamp: stamp(60))), from: connection(2)) == [])
        #expect(node.greatestStamp == stamp(60))
        #expect(node.link(to: alpha).clockAheadMilliseconds == 60_000)
        let batch = RecordBatch(revisions: nil, owned: [owned(0, late)])
        #expect(
            node.hear(snapshotBegin(0), .records(batch), from: connection(2)) == [.close(connection(2), problem)]
        )
        #expect(node.view(of: dn(0)) == unclaimed)
    }

    @Test func `stamps from the far future close the link also in claims and yields`() {
        let late = heard(0, alpha, stamp(61))
        let messages: [PeerMessage] = [.claims([late]), .records(RecordBatch(revisions: 1...1, yielded: [late]))]
        for message in messages {
            var node = introducedBeta()
            _ = node.hear(snapshotBegin(0), from: connection(1))
            #expect(
                node.hear(message, from: connection(1))
                    == [.close(connection(1), .clockTooFarAhead(milliseconds: 61_000))]
            )
            #expect(node.greatestStamp == justBefore(0))
        }
    }

    @Test func `a batch that closed the link half-way has to come again`() {
        var node = introducedBeta()
        let end = StreamPosition(revision: 0, generation: 1, count: 0, digest: 0)
        _ = node.hear(snapshotBegin(0), .syncEnd(end), from: connection(1))
        let batch = RecordBatch(revisions: 1...2, owned: [owned(0, stamp(1)), owned(1, stamp(61))])
        let actions = node.hear(.records(batch), from: connection(1))
        #expect(actions.contains(.close(connection(1), .clockTooFarAhead(milliseconds: 61_000))))
        node.accepted(connection(2), now: at(0))
        _ = node.hear(.hello(hello(from: alpha)), from: connection(2))
        for case .hello(let hello) in node.say(to: alpha) { #expect(hello.resume?.revision == 0) }
    }

    @Test func `a second hello closes the connection`() {
        var node = introducedBeta()
        #expect(
            node.hear(.hello(hello(from: alpha)), from: connection(1)) == [.close(connection(1), .unexpectedHello)]
        )
    }

    @Test func `a message before the hello closes the connection`() {
        var node = machine(beta)
        node.accepted(connection(1), now: at(0))
        #expect(node.hear(.snapshotRequest, from: connection(1)) == [.close(connection(1), .helloExpected)])
        var dialler = machine(alpha)
        var actions: [OwnershipAction] = []
        dialler.dialed(beta, connection: connection(1), now: at(0), &actions)
        #expect(
            dialler.hear(pong(0), from: connection(1)) == [.close(connection(1), .helloExpected)]
        )
    }

    @Test func `who does not introduce itself within the link timeout is sent away`() {
        var node = machine(beta)
        var actions: [OwnershipAction] = []
        node.accepted(connection(1), now: at(0))
        node.dialed(gamma, connection: connection(2), now: at(0), &actions)
        #expect(node.nextDeadline() == at(2).monotonic)
        node.tick(now: at(1.999), &actions)
        #expect(actions == [])
        node.tick(now: at(2), &actions)
        #expect(actions == [.close(connection(1), .noHello), .close(connection(2), .noHello)])
    }

    @Test func `a stranger that goes before its hello is forgotten`() {
        var node = machine(beta)
        var actions: [OwnershipAction] = []
        node.accepted(connection(1), now: at(0))
        node.disconnected(connection(1), now: at(0), &actions)
        node.disconnected(connection(7), now: at(0), &actions)
        node.tick(now: at(0), &actions)
        actions = []
        node.tick(now: at(9), &actions)
        #expect(actions == [])
    }

    @Test func `every refusal has a sentence for people`() {
        let problems: [LinkProblem] = [
            .silent, .noHello, .helloExpected, .unexpectedHello, .wrongVersion(2), .wrongCluster("x"),
            .unknownNode("y"),
            .wrongDirection, .staleIncarnation, .replaced, .clockTooFarAhead(milliseconds: 5), .resyncTooSlow,
        ]
        #expect(Set(problems.map(\.sentence)).count == problems.count)
    }
}
