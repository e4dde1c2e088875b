import ClusterModel
import TLibraryPorts
import Testing

/// The mistakes that can be put back into the ports.
@Suite struct FaultTests {
    @Test(arguments: [(.none, [2, 3]), (.feedResumeOffByOne, [3])] as [(Faults, [UInt64])])
    func `a resumed feed goes on after the client's position, but for the mistake`(faults: Faults, told: [UInt64]) {
        var node = Node(faults: faults)
        for number in 1...3 as ClosedRange<UInt64> { node.show(0, view(.inService, here, number)) }
        node.monitor(one, MonitorOptions(resume: at(1)))
        #expect(
            node.read(one).dropFirst()
                == told.map { .status([status(0, view(.inService, here, $0))], sequence: $0) }[...]
        )
        // There is nothing to skip here.
        node.monitor(two, MonitorOptions(resume: at(3)))
        #expect(node.read(two) == [.monitoring(referenceID: 9, isResumed: true, at(3))])
    }

    @Test(arguments: [.none, .returnWithoutStates] as [Faults])
    func `an owner's return comes after its states, but for the mistake`(faults: Faults) {
        var node = Node(faults: faults)
        node.show(0, view(.inService, there))
        node.monitor(one, MonitorOptions(acceptsOwnerEvents: true))
        node.reach(there, false)
        _ = node.read(one)
        node.reach(there, true)
        let states = faults == .none ? [TEvent.status([status(0, view(.inService, there))], sequence: 2)] : []
        #expect(node.read(one) == states + [.ownerReachable(there, sequence: 3)])
    }

    @Test(arguments: [.none, .slowClientKept] as [Faults])
    func `a client that falls off the feed is cut off, but for the mistake`(faults: Faults) {
        var node = Node(feed: 3, faults: faults)
        node.show(0, view(.inService, there))
        node.show(1, view(.inService, there))
        node.monitor(one)
        _ = node.read(one)
        node.reach(there, false)
        // In the middle of a whole owner's change.
        _ = node.read(one, atMost: 1)
        for number in 4...7 as ClosedRange<UInt64> { node.show(2, view(.inService, here, number)) }
        let rest = (5...7).map { TEvent.status([status(2, view(.inService, here, $0))], sequence: $0) }
        #expect(node.actions == (faults == .none ? [.close(one, .tooSlow)] : []))
        #expect(node.read(one) == (faults == .none ? [] : rest))
    }

    @Test(arguments: [.none, .snapshotOverChanges] as [Faults])
    func `changes go before the pieces of a snapshot, but for the mistake`(faults: Faults) {
        var node = Node(faults: faults)
        node.monitor(one)
        _ = node.read(one, atMost: 2)
        node.show(0, view(.inService))
        let told = node.read(one)
        let change = TEvent.serviceChanged(status(0, view(.inService)), sequence: 1)
        #expect(told.contains(change) == (faults == .none))
        #expect(told.last == .endOfSnapshot(at(1)))
        #expect(node.read(one) == [])
    }
}
