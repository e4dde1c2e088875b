import ClusterModel
import TLibraryPorts
import Testing

/// All DNs of a node come or go at once.
@Suite struct OwnerTests {
    private func node() -> Node {
        var node = Node()
        node.words[0] = view(.inService, there)
        node.words[1] = view(.expired, there)
        node.words[2] = view(.inService, here)
        node.words[4] = view(.inService, there)
        return node
    }

    @Test func `a client that understands it hears of the loss in one event, and of the return after the states`() {
        var node = node()
        node.monitor(one, MonitorOptions(acceptsOwnerEvents: true))
        _ = node.read(one)
        node.reach(there, false)
        #expect(node.read(one) == [.ownerUnreachable(there, sequence: 1)])
        node.reach(there, true)
        let states = [
            status(0, view(.inService, there)), status(1, view(.expired, there)), status(4, view(.inService, there)),
        ]
        let told = node.read(one)
        #expect(told.last == .ownerReachable(there, sequence: 2))
        #expect(
            told.dropLast().flatMap { event -> [DNStatus] in
                guard case .status(let piece, sequence: 1) = event else { return [] }
                return piece
            } == states
        )
    }

    @Test func `others are told DN by DN, under the number before the change`() {
        var node = node()
        node.monitor(one)
        _ = node.read(one)
        node.show(3, view(.inService))
        node.reach(there, false)
        let gone = View(service: .ownerUnreachable, owner: there, stamp: Stamp(rawValue: 1))
        #expect(
            node.read(one) == [
                .serviceChanged(status(3, view(.inService)), sequence: 1),
                .serviceChanged(status(0, gone), sequence: 1), .status([status(1, gone)], sequence: 1),
                .serviceChanged(status(4, gone), sequence: 1),
            ]
        )
        node.reach(there, true)
        #expect(
            node.read(one) == [
                .serviceChanged(status(0, view(.inService, there)), sequence: 2),
                .status([status(1, view(.expired, there))], sequence: 2),
                .serviceChanged(status(4, view(.inService, there)), sequence: 2),
            ]
        )
    }

    @Test func `a client that breaks off in the middle gets the whole change again when it resumes`() {
        var node = node()
        node.monitor(one)
        _ = node.read(one)
        node.reach(there, false)
        let first = node.read(one, atMost: 1)
        _ = node.ports.disconnected(one)
        node.ports.connected(one)
        node.monitor(one, MonitorOptions(resume: at(0)))
        let again = node.read(one).dropFirst()
        #expect(again.count == 3)
        #expect(again.first == first.first)
        node.show(0, view(.expired, there, 2))
        #expect(node.read(one).count == 1)
    }

    @Test func `a change told late is told as things are then, and nothing is lost`() {
        var node = node()
        node.monitor(one)
        _ = node.read(one)
        node.reach(there, false)
        node.show(0, view(.inService, here, 2))
        let told = node.read(one)
        let gone = View(service: .ownerUnreachable, owner: there, stamp: Stamp(rawValue: 1))
        #expect(
            told == [
                .status([status(1, gone)], sequence: 0), .serviceChanged(status(4, gone), sequence: 0),
                .serviceChanged(status(0, view(.inService, here, 2)), sequence: 2),
            ]
        )
    }

    @Test func `the ranges and the node's own DNs hold for a whole owner, too`() {
        var node = node()
        node.monitor(one, MonitorOptions(ranges: [DNRange(first: name(3), last: name(4))]))
        node.monitor(two, MonitorOptions(ownedHereOnly: true, acceptsOwnerEvents: true))
        _ = node.read(one)
        _ = node.read(two)
        node.reach(there, false)
        let gone = View(service: .ownerUnreachable, owner: there, stamp: Stamp(rawValue: 1))
        #expect(node.read(one) == [.serviceChanged(status(4, gone), sequence: 0)])
        #expect(node.read(two) == [])
        node.show(2, view(.expired))
        #expect(node.read(two) == [.serviceChanged(status(2, view(.expired)), sequence: 2)])
    }

    @Test func `a client without a feed hears of the DNs that it has registered`() {
        var node = node()
        for position in [0, 1, 2] { node.ports.register(dn(position), for: one, holds: false) }
        node.reach(there, false)
        let gone = View(service: .ownerUnreachable, owner: there, stamp: Stamp(rawValue: 1))
        #expect(
            node.read(one) == [
                .serviceChanged(status(0, gone), sequence: nil), .status([status(1, gone)], sequence: nil),
            ]
        )
        node.reach(there, true)
        #expect(
            node.read(one) == [
                .serviceChanged(status(0, view(.inService, there)), sequence: nil),
                .status([status(1, view(.expired, there))], sequence: nil),
            ]
        )
        #expect(node.read(two) == [])
    }
}
