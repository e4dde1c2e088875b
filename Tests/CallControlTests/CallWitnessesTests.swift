import CallControl
import ClusterModel
import Testing

private let dn = DNIndex(5)
private let near = NodeIndex(1)
private let far = NodeIndex(2)
private let call = DNCall(connection: CallConnection(rawValue: 1), phase: .established, since: 5)
private let later = DNCall(connection: CallConnection(rawValue: 2), phase: .ringing, since: 6)

private func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64(seconds * 1e9), wallMilliseconds: UInt64(seconds * 1000))
}

/// What others say of the calls of a DN, and for how long it counts.
@Suite struct `witnesses of calls` {
    private var witnesses = CallWitnesses()

    private mutating func changes() -> Int { witnesses.takeChanged().count }

    @Test mutating func `each node's word stands until it says another`() {
        witnesses.told([call], of: dn, by: near, ended: nil)
        witnesses.told([later], of: dn, by: far, ended: nil)
        #expect(witnesses.calls(of: dn) == [call, later] && changes() == 2)
        witnesses.told([call], of: dn, by: near, ended: nil)
        #expect(changes() == 0)
        let ended = DNCalls.Ended(connection: call.connection, end: .released)
        witnesses.told([], of: dn, by: near, ended: ended)
        #expect(witnesses.takeChanged().map(\.ended) == [ended])
        #expect(witnesses.isBusy(dn))
        witnesses.told([], of: dn, by: far, ended: nil)
        #expect(!witnesses.isBusy(dn) && witnesses.count == 0 && witnesses.nextDeadline == nil)
    }

    @Test mutating func `a lost link frees nobody for half a minute, and then its witness counts no more`() {
        witnesses.told([call], of: dn, by: near, ended: nil)
        witnesses.linkLost(near, now: at(1))
        _ = changes()
        witnesses.tick(now: at(30.9))
        #expect(witnesses.isBusy(dn) && changes() == 0)
        witnesses.tick(now: at(31))
        #expect(!witnesses.isBusy(dn) && changes() == 1 && witnesses.nextDeadline == nil)
    }

    @Test mutating func `who is heard again says what there still is, and the rest is over`() {
        let other = DNIndex(6)
        witnesses.told([call], of: dn, by: near, ended: nil)
        witnesses.told([later], of: other, by: near, ended: nil)
        witnesses.linkLost(near, now: at(1))
        witnesses.told([call], of: dn, by: near, ended: nil)
        _ = changes()
        witnesses.recounted(by: near)
        #expect(witnesses.isBusy(dn) && !witnesses.isBusy(other) && changes() == 1)
        witnesses.tick(now: at(100))
        #expect(witnesses.isBusy(dn))
    }

    @Test mutating func `what two know is told once, as the one says who is heard`() {
        var ringing = call
        ringing.phase = .ringing
        witnesses.told([ringing], of: dn, by: near, ended: nil)
        witnesses.expectWord(of: dn, by: near, now: at(1))
        witnesses.told([call], of: dn, by: far, ended: nil)
        #expect(witnesses.calls(of: dn) == [call])
        // The former owner's word does not come back when the call is over.
        witnesses.told([], of: dn, by: far, ended: nil)
        #expect(witnesses.calls(of: dn).isEmpty && witnesses.count == 0 && witnesses.nextDeadline == nil)
    }

    @Test mutating func `another claim ends all words`() {
        witnesses.told([call], of: dn, by: near, ended: nil)
        witnesses.claimEnded(dn)
        #expect(!witnesses.isBusy(dn) && witnesses.nextDeadline == nil)
        witnesses.told([call], of: dn, by: far, ended: nil)
        witnesses.expectWord(of: dn, by: far, now: at(0))
        witnesses.tick(now: at(30))
        #expect(!witnesses.isBusy(dn))
    }

    @Test mutating func `a phone that says it is busy is believed for half a minute`() {
        witnesses.phoneWasBusy(dn, now: at(0))
        witnesses.phoneWasBusy(dn, now: at(10))
        #expect(witnesses.isBusy(dn) && witnesses.calls(of: dn).isEmpty && changes() == 1)
        witnesses.tick(now: at(30))
        #expect(witnesses.isBusy(dn))
        witnesses.tick(now: at(40))
        #expect(!witnesses.isBusy(dn) && changes() == 1)
    }

    @Test mutating func `a mistake that keeps lost witnesses shows`() {
        witnesses.faults = .lostWitnessStays
        witnesses.told([call], of: dn, by: near, ended: nil)
        witnesses.linkLost(near, now: at(0))
        witnesses.tick(now: at(1000))
        #expect(witnesses.isBusy(dn))
    }
}
