import Orchestration
import Testing

private func event(_ time: UInt64, _ message: String = "ready") -> ClusterEvent {
    ClusterEvent(time: time, kind: .nodeReady, node: "dc1/a", message: message)
}

@Suite struct EventRingTests {
    private func ring(_ count: Int, limit: Int = 10_000) -> EventRing {
        var ring = EventRing(stream: 7, events: limit)
        for number in 0..<count { ring.append(event(UInt64(1000 + number * 10))) }
        return ring
    }

    @Test func `events are numbered from 1 and told in order`() {
        let batch = ring(3).batch(from: 1)
        #expect(batch.events.map(\.sequence) == [1, 2, 3])
        #expect((batch.stream, batch.missed, batch.next, batch.isCaughtUp) == (7, 0, 4, true))
        let empty = ring(0).batch(from: 1)
        #expect((empty.events, empty.missed, empty.next, empty.isCaughtUp) == ([], 0, 1, true))
    }

    @Test func `a batch has so many events, and the next one goes on`() {
        let ring = ring(5)
        let first = ring.batch(from: 2, limit: 3)
        #expect(first.events.map(\.sequence) == [2, 3, 4])
        #expect(!first.isCaughtUp)
        let second = ring.batch(from: first.next, limit: 3)
        #expect(second.events.map(\.sequence) == [5])
        #expect(second.isCaughtUp)
    }

    @Test func `a reader that falls off the ring is told how many it missed`() {
        let ring = ring(100, limit: 10)
        #expect((ring.count, ring.first, ring.next) == (10, 91, 101))
        let batch = ring.batch(from: 50)
        #expect(batch.missed == 41)
        #expect(batch.events.map(\.sequence) == Array(91...100))
        #expect(ring.batch(from: 91).missed == 0)
        #expect(ring.batch(from: 1000).events.isEmpty, "a number that was never given is no crash")
    }

    @Test func `bytes are bounded as well as events, and the latest event is always kept`() {
        var ring = EventRing(stream: 1, bytes: 2_000)
        for number in 0..<100 { ring.append(event(UInt64(number), String(repeating: "x", count: 400))) }
        #expect(ring.count == 3)
        var small = EventRing(stream: 1, bytes: 10)
        small.append(event(1))
        #expect(small.count == 1)
        let long = small.append(event(2, String(repeating: "ü", count: 10_000)))
        #expect(long.message.utf8.count <= EventRing.maximumMessage + 3)
        #expect(long.sequence == 2)
        #expect(small.count == 1)
    }

    @Test func `ten thousand events in a ring of ten are all numbered, and only ten are kept`() {
        let ring = ring(10_000, limit: 10)
        #expect(ring.batch(from: 1).events.map(\.sequence) == Array(9_991...10_000))
    }

    @Test func `a reader begins where it wants to`() {
        let full = ring(5)
        #expect(full.position(of: .oldest) == 1)
        #expect(full.position(of: .next) == 6)
        #expect(full.position(of: .sequence(3, stream: 0)) == 3)
        #expect(full.position(of: .sequence(3, stream: 7)) == 3)
        #expect(full.position(of: .sequence(0, stream: 0)) == 1)
        #expect(full.position(of: .sequence(99, stream: 7)) == 6, "what has not happened yet is the next")
        #expect(ring(100, limit: 10).position(of: .oldest) == 91)
    }

    @Test func `a number of another life of the controller means nothing, so all of this one is told`() {
        #expect(ring(5).position(of: .sequence(4, stream: 8)) == 1)
    }

    @Test func `a time begins with the first event at it or after it`() {
        let full = ring(5)
        #expect(full.position(of: .time(0)) == 1)
        #expect(full.position(of: .time(1010)) == 2)
        #expect(full.position(of: .time(1011)) == 3)
        #expect(full.position(of: .time(5000)) == 6)
    }
}
