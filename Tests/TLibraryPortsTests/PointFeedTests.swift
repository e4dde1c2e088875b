import ClusterModel
import TLibraryPorts
import Testing

/// Calls at routing points in the feed.
@Suite struct PointFeedTests {
    private func event(
        _ outcome: PointEvent.Outcome, _ call: UInt64, at point: String = "8000", _ waited: UInt64 = 0
    ) -> PointEvent {
        PointEvent(outcome, CallConnection(rawValue: call), at: DN(point)!, waited: waited, time: 1_000 + waited)
    }

    private func told(_ event: PointEvent, _ sequence: UInt64?) -> TEvent { .point(event, sequence: sequence) }

    private func add(_ event: PointEvent, to node: inout Node) { node.ports.pointChanged(event, &node.actions) }

    @Test func `a snapshot ends with the calls that wait, and every change follows`() {
        var node = Node()
        add(event(.waiting, 2), to: &node)
        add(event(.waiting, 1), to: &node)
        add(event(.waiting, 3), to: &node)
        add(event(.answered, 3, at: "8000", 5), to: &node)
        add(event(.defaulted, 2, at: "8000", 9), to: &node)
        node.monitor(one)
        let events = node.read(one)
        #expect(
            events.suffix(3) == [told(event(.waiting, 1), nil), told(event(.waiting, 2), nil), .endOfSnapshot(at(5))])
        #expect(events.count == 7)
        add(event(.abandoned, 1, at: "8000", 70), to: &node)
        node.show(1, view(.inService))
        add(event(.waiting, 4), to: &node)
        #expect(
            node.read(one) == [
                told(event(.abandoned, 1, at: "8000", 70), 6),
                .serviceChanged(status(1, view(.inService)), sequence: 7),
                told(event(.waiting, 4), 8),
            ])
    }

    @Test func `who wants routing points only hears nothing of DNs, and goes on where it stopped`() {
        var node = Node()
        node.show(1, view(.inService))
        add(event(.waiting, 1), to: &node)
        let wanted = MonitorOptions(pointsOnly: true, mask: .points)
        node.monitor(one, wanted)
        #expect(
            node.read(one) == [
                .monitoring(referenceID: 9, isResumed: false, at(2)), told(event(.waiting, 1), nil),
                .endOfSnapshot(at(2)),
            ])
        node.show(2, view(.inService))
        node.reach(there, false)
        add(event(.answered, 1, at: "8000", 4), to: &node)
        #expect(node.read(one) == [told(event(.answered, 1, at: "8000", 4), 5)])
        node.show(2, view(.expired))
        #expect(node.read(one).isEmpty)
        node.monitor(two, MonitorOptions(pointsOnly: true, resume: at(2), mask: .points))
        #expect(
            node.read(two) == [
                .monitoring(referenceID: 9, isResumed: true, at(2), missed: 4),
                told(event(.answered, 1, at: "8000", 4), 5),
            ])
    }

    @Test func `masks and ranges count, and whatever a call does its place in the feed is taken`() {
        var node = Node()
        add(event(.waiting, 1, at: "8000"), to: &node)
        add(event(.waiting, 2, at: "9000"), to: &node)
        let range = DNRange(first: DN("9000")!, last: DN("9999")!)
        node.monitor(one, MonitorOptions(ranges: [range], mask: .points))
        node.monitor(two, MonitorOptions(ranges: [range], mask: .service))
        #expect(node.read(one).suffix(2) == [told(event(.waiting, 2, at: "9000"), nil), .endOfSnapshot(at(2))])
        #expect(node.read(two).last == .endOfSnapshot(at(2)) && node.read(two).isEmpty)
        add(event(.refused, 1, at: "8000", 3), to: &node)
        add(event(.refused, 2, at: "9000", 3), to: &node)
        #expect(node.read(one) == [told(event(.refused, 2, at: "9000", 3), 4)])
        #expect(node.read(two).isEmpty)
        node.ports.setMask(.all, of: two)
        add(event(.waiting, 5, at: "9000"), to: &node)
        #expect(node.read(two) == [told(event(.waiting, 5, at: "9000"), 5)])
    }

    @Test func `a call that ends in the middle of a snapshot is told of as a change`() {
        var node = Node()
        for call in 1...3 as ClosedRange<UInt64> { add(event(.waiting, call), to: &node) }
        node.monitor(one, MonitorOptions(pointsOnly: true, mask: .points))
        #expect(node.read(one, atMost: 2).last == told(event(.waiting, 1), nil))
        add(event(.abandoned, 2), to: &node)
        add(event(.waiting, 9), to: &node)
        #expect(
            node.read(one) == [
                told(event(.abandoned, 2), 4), told(event(.waiting, 9), 5), told(event(.waiting, 3), nil),
                .endOfSnapshot(at(5)),
            ])
    }

    @Test func `which events stand for which kind`() {
        #expect(EventMask(types: [.eventQueued, .eventDiverted, .eventAbandoned]) == .points)
        #expect(EventMask(types: [.eventAbandoned]) == .calls)
        #expect(EventMask(types: [.eventDiverted, .eventRinging]) == [.points, .calls])
        #expect(EventMask(types: [.eventAgentReady, .eventACK]) == .agentReady)
        #expect(event(.overflowed, 1).type == .eventDiverted && event(.refused, 1).type == .eventDiverted)
        #expect(event(.waiting, 1).type == .eventQueued && event(.abandoned, 1).type == .eventAbandoned)
    }
}
