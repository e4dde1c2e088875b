import ClusterModel
import TLibraryPorts
import Testing

@Suite struct FeedTests {
    @Test func `a monitoring client gets all DNs in pieces, their end, and then every change`() {
        var node = Node()
        node.show(1, view(.inService))
        node.monitor(one)
        #expect(
            node.read(one) == [
                .monitoring(referenceID: 9, isResumed: false, at(1)),
                .status([status(0, unclaimed), status(1, view(.inService))], sequence: nil),
                .status([status(2, unclaimed), status(3, unclaimed)], sequence: nil),
                .status([status(4, unclaimed), status(5, unclaimed)], sequence: nil), .endOfSnapshot(at(1)),
            ]
        )
        node.show(1, view(.expired))
        node.show(1, view(.inService, there, 2))
        node.show(1, view(.inService, there, 3))
        #expect(
            node.read(one) == [
                .serviceChanged(status(1, view(.expired)), sequence: 2),
                .serviceChanged(status(1, view(.inService, there, 2)), sequence: 3),
                .status([status(1, view(.inService, there, 3))], sequence: 4),
            ]
        )
        #expect(node.read(one) == [])
    }

    @Test func `what changes during a snapshot is told before its next piece, which says the same or more`() {
        var node = Node()
        node.monitor(one)
        _ = node.read(one, atMost: 2)
        node.show(0, view(.inService))
        node.show(4, view(.inService))
        #expect(
            node.read(one) == [
                .serviceChanged(status(0, view(.inService)), sequence: 1),
                .serviceChanged(status(4, view(.inService)), sequence: 2),
                .status([status(2, unclaimed), status(3, unclaimed)], sequence: nil),
                .status([status(4, view(.inService)), status(5, unclaimed)], sequence: nil), .endOfSnapshot(at(2)),
            ]
        )
    }

    @Test func `a client that comes back is told just what it missed`() {
        var node = Node()
        for number in 1...3 as ClosedRange<UInt64> { node.show(0, view(.inService, here, number)) }
        node.monitor(one, MonitorOptions(resume: at(1)))
        #expect(
            node.read(one) == [
                .monitoring(referenceID: 9, isResumed: true, at(1), missed: 2),
                .status([status(0, view(.inService, here, 2))], sequence: 2),
                .status([status(0, view(.inService, here, 3))], sequence: 3),
            ]
        )
        node.monitor(two, MonitorOptions(resume: at(3)))
        #expect(node.read(two) == [.monitoring(referenceID: 9, isResumed: true, at(3))])
    }

    @Test(arguments: [(2, true), (1, false), (7, false)] as [(UInt64, Bool)])
    func `a client resumes only where the feed still reaches`(sequence: UInt64, isResumed: Bool) {
        var node = Node(feed: 4)
        for number in 1...6 as ClosedRange<UInt64> { node.show(0, view(.inService, here, number)) }
        node.monitor(one, MonitorOptions(resume: at(sequence)))
        let position = at(isResumed ? sequence : 6)
        #expect(
            node.read(one, atMost: 1) == [
                .monitoring(
                    referenceID: 9, isResumed: isResumed, position, missed: isResumed ? 6 - sequence : 0)
            ])
        let rest = node.read(one)
        #expect(rest.contains(.endOfSnapshot(at(6))) == !isResumed)
        #expect(rest.count == 4)
    }

    @Test func `nothing is held before somebody could come back to it`() {
        var node = Node(wasMonitored: false)
        for number in 1...3 as ClosedRange<UInt64> { node.show(0, view(.inService, here, number)) }
        #expect(node.ports.fill.feed == 0)
        node.monitor(one, MonitorOptions(resume: at(1)))
        #expect(node.read(one).first == .monitoring(referenceID: 9, isResumed: false, at(3)))
        node.show(0, view(.inService, here, 4))
        #expect(node.read(one) == [.status([status(0, view(.inService, here, 4))], sequence: 4)])
        #expect(node.ports.fill.feed == 1)
    }

    @Test func `another lineage's numbers mean nothing here`() {
        var node = Node()
        node.show(0, view(.inService))
        let foreign = FeedPosition(lineage: Incarnation(rawValue: 6), sequence: 1)
        node.monitor(one, MonitorOptions(resume: foreign))
        #expect(node.read(one).first == .monitoring(referenceID: 9, isResumed: false, at(1)))
    }

    @Test func `a client that reads too slowly is cut off at the bound, and can resume`() {
        var node = Node(feed: 3)
        node.monitor(one)
        node.monitor(two)
        _ = node.read(one)
        for number in 1...3 as ClosedRange<UInt64> {
            node.show(0, view(.inService, here, number))
            _ = node.read(two)
        }
        #expect(node.actions == [])
        node.show(0, view(.inService, here, 4))
        node.show(0, view(.inService, here, 5))
        #expect(node.actions == [.close(one, .tooSlow)])
        #expect(node.read(one) == [])
        #expect(node.read(two).count == 2)
        // What it asks before its connection is gone leads to nothing.
        node.monitor(one, MonitorOptions(resume: at(0)))
        #expect(node.read(one) == [])
        #expect(node.ports.disconnected(one) == [])
        node.ports.connected(one)
        node.monitor(one, MonitorOptions(resume: at(2)))
        #expect(node.read(one).first == .monitoring(referenceID: 9, isResumed: true, at(2), missed: 3))
        #expect(!ClientProblem.tooSlow.sentence.isEmpty)
    }

    @Test func `clients that have something to read are named once, in order`() {
        var node = Node()
        #expect(node.ports.takeReady() == [])
        node.monitor(two)
        node.monitor(one)
        node.show(0, view(.inService))
        #expect(node.ports.takeReady() == [one, two])
        #expect(node.ports.takeReady() == [])
        _ = node.ports.disconnected(two)
        node.show(0, view(.expired))
        #expect(node.ports.takeReady() == [one])
    }

    @Test func `a client may ask for fewer DNs, by ranges of equal length`() {
        var node = Node()
        let ranges = [DNRange(first: name(1), last: name(2)), DNRange(first: DN("1")!, last: DN("9")!)]
        node.monitor(one, MonitorOptions(ranges: ranges))
        for position in [0, 1, 2, 3, 5] { node.show(position, view(.inService)) }
        #expect(
            node.read(one) == [
                .monitoring(referenceID: 9, isResumed: false, at(0)),
                .serviceChanged(status(1, view(.inService)), sequence: 2),
                .serviceChanged(status(2, view(.inService)), sequence: 3),
                .status([status(1, view(.inService)), status(2, view(.inService))], sequence: nil),
                .endOfSnapshot(at(5)),
            ]
        )
    }

    @Test func `a client of the node's own DNs hears when they come and when they go`() {
        var node = Node()
        node.show(0, view(.inService))
        node.show(1, view(.inService, there))
        node.monitor(one, MonitorOptions(ownedHereOnly: true))
        #expect(
            node.read(one).dropFirst() == [
                .status([status(0, view(.inService))], sequence: nil), .endOfSnapshot(at(2)),
            ]
        )
        node.show(0, view(.inService, there, 2))
        node.show(1, view(.expired, there))
        node.show(1, view(.inService, here, 3))
        node.reach(there, false)
        #expect(
            node.read(one) == [
                .serviceChanged(status(0, view(.superseded, there, 2)), sequence: 3),
                .serviceChanged(status(1, view(.inService, here, 3)), sequence: 5),
            ]
        )
        node.show(1, view(.expired, here, 3))
        node.show(1, view(.inService, there, 4))
        #expect(
            node.read(one) == [
                .serviceChanged(status(1, view(.expired, here, 3)), sequence: 7),
                .status([status(1, view(.superseded, there, 4))], sequence: 8),
            ]
        )
    }
}
