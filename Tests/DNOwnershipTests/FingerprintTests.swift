import ClusterModel
import DNOwnership
import Testing

/// A fingerprint that leaves out what decides the future would make explorations skip states.
@Suite struct FingerprintTests {
    private static func fields(of value: Any) -> [String] { Mirror(reflecting: value).children.compactMap(\.label) }

    private static func firstElement(of field: String, in machine: OwnershipMachine) throws -> Any {
        let list = try #require(Mirror(reflecting: machine).children.first { $0.label == field }?.value)
        return try #require(Mirror(reflecting: list).children.first?.value)
    }

    @Test func `every field is in the fingerprint, or left out for a reason`() throws {
        let machine = machine(alpha)
        let never = ["topology", "configuration", "keepalive", "linkTimeout"]
        let dialling = ["random"]
        #expect(
            Set(Self.fields(of: machine)).subtracting(never + dialling) == [
                "identity", "clock", "records", "links", "strangers", "ring", "revision", "ownCount", "ownDigest",
                "ownInService", "sessions", "calls", "provisionals", "provisionalsHead", "ringFloor",
            ]
        )
        let figures = [
            "latency", "clockAheadMilliseconds", "lossCount", "snapshotCount", "resumptionCount", "dialCount",
            "introducedAt", "syncNanoseconds",
            "generation", "unknown",
        ]
        let timers = ["lastHeard", "connectedAt", "nextDial", "failedDials"]
        #expect(
            Set(Self.fields(of: try Self.firstElement(of: "links", in: machine))).subtracting(figures + timers) == [
                "phase", "connection", "isIntroduced", "introducedWith", "incarnation", "applied", "lineage",
                "saidCount", "saidDigest",
                "superseded", "isReceivingSnapshot", "resyncDeadline", "snapshotRequestDue", "mismatches", "outbound",
                "sentRevision", "control", "claimsOwed", "claimsOwedSet", "returnCursor", "nextPing", "owesPing",
                "pongOwed", "hasSkipped",
            ]
        )
        #expect(
            Self.fields(of: try Self.firstElement(of: "records", in: machine)) == [
                "stamp", "registered", "saidRevision", "owner", "occupancy", "service", "isSaid", "isProvisional",
            ]
        )
    }

    @Test func `equal histories have equal fingerprints, and what happens changes them`() {
        var one = machine(alpha)
        var other = machine(alpha)
        #expect(one.fingerprint() == other.fingerprint())
        #expect(one.fingerprint() != machine(beta).fingerprint())
        #expect(one.fingerprint() != machine(alpha, incarnation: 2).fingerprint())
        var actions: [OwnershipAction] = []
        one.registrationAccepted(dn(0), now: at(0), &actions)
        #expect(one.fingerprint() != other.fingerprint())
        other.registrationAccepted(dn(0), now: at(0), &actions)
        #expect(one.fingerprint() == other.fingerprint())
        one.registrationAccepted(dn(0), now: at(0), &actions)
        #expect(one.fingerprint() != other.fingerprint())
    }

    @Test func `the order in which sets were filled does not count`() {
        var (one, other) = (introducedBeta(), introducedBeta())
        let before = one.fingerprint()
        for number: UInt64 in [2, 3, 4] { one.accepted(connection(number), now: at(0)) }
        for number: UInt64 in [4, 3, 2] { other.accepted(connection(number), now: at(0)) }
        #expect(one.fingerprint() == other.fingerprint())
        #expect(one.fingerprint() != before)
    }

    @Test func `figures for people do not count`() {
        var node = introducedBeta()
        let before = node.fingerprint()
        _ = node.hear(pong(at(0).monotonic), from: connection(1), at(0.1))
        #expect(node.link(to: alpha, at(0.1)).roundTripNanoseconds == 100_000_000)
        #expect(node.fingerprint() == before)
    }

    @Test func `a fingerprint is the same in every process and on every machine`() {
        #expect(PeerMessage.hello(hello(from: alpha)).fingerprint() == 18_155_536_616_937_645_358)
    }

    @Test func `messages that say different things have different fingerprints`() {
        let position = StreamPosition(revision: 1, generation: 1, count: 1, digest: 7)
        let messages: [PeerMessage] = [
            .hello(hello(from: alpha)), .hello(hello(from: beta)), .hello(hello(from: alpha, incarnation: 2)),
            .hello(hello(from: alpha, resume: ResumePosition(lineage: Incarnation(rawValue: 1), revision: 0))),
            snapshotBegin(1), .syncBegin(SyncBegin(isSnapshot: false, revision: 1)),
            .records(RecordBatch(revisions: nil)), .records(RecordBatch(revisions: 0...0)),
            .records(RecordBatch(revisions: 1...1, owned: [owned(0, stamp(0))])),
            .records(RecordBatch(revisions: 1...1, owned: [owned(1, stamp(0))])),
            .records(RecordBatch(revisions: 1...1, owned: [owned(0, stamp(0), .expired)])),
            .records(RecordBatch(revisions: 1...1, yielded: [heard(0, alpha, stamp(0))])),
            .claims([heard(0, alpha, stamp(0))]), .claims([heard(0, beta, stamp(0))]), .claims([]),
            .syncEnd(position), .ping(Ping(sentAt: 1, position: nil)), .ping(Ping(sentAt: 1, position: position)),
            pong(1), pong(2), .snapshotRequest,
        ]
        #expect(Set(messages.map { $0.fingerprint() }).count == messages.count)
    }
}
