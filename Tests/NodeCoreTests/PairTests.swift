import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// The chapter's own examples, on two nodes.
@Suite struct PairTests {

    @Test func `a phone registers at one node: both nodes' clients hear EventDNBackInService`() {
        var pair = Pair()
        #expect(pair.services("1000") == [.neverRegistered, .neverRegistered])
        #expect(pair.cores[0].status(register("1000")) == "200 OK")
        let local = pair.cores[0].read(monitor)
        #expect(local.map(\.type) == [.eventDNBackInService])
        #expect(pair.cores[1].read(monitor) == [])
        pair.pump()
        let remote = pair.cores[1].read(monitor)
        #expect(remote.map(\.type) == [.eventDNBackInService])
        guard case .serviceChanged(let status, _) = remote.first else { return }
        #expect(status == DNStatus(dn: DN("1000")!, view: pair.cores[0].ownership.view(of: dn("1000"))))
        #expect(status.view.owner == alpha)
    }

    @Test func `the node that receives the request has the DN in service before any other`() {
        var pair = Pair()
        pair.cores[0].requestReceived(
            .registerAddress(referenceID: 1, dn: "7000", takeover: false), from: desktop, now: at(0)
        )
        #expect(pair.services("7000") == [.inService, .neverRegistered])
        #expect(pair.cores[0].read(desktop).first?.type == .eventRegistered)
        #expect(pair.cores[0].read(monitor).map(\.type) == [.eventDNBackInService])
        pair.pump()
        #expect(pair.services("7000") == [.inService, .inService])
        #expect(pair.cores[1].read(monitor).map(\.type) == [.eventDNBackInService])
        pair.cores[0].clientDisconnected(desktop, now: at(1))
        pair.pump()
        #expect(pair.services("7000") == [.desktopGone, .desktopGone])
        #expect(pair.cores[1].read(monitor).map(\.type) == [.eventDNOutOfService])
    }

    @Test func `a lost connection takes each other's DNs out of service on both, and nobody's own`() {
        var pair = Pair()
        _ = pair.cores[0].receive(register("1000"))
        _ = pair.cores[1].receive(register("1001"))
        pair.pump()
        for node in 0...1 { _ = pair.cores[node].read(monitor) }
        pair.cut()
        #expect(pair.services("1000") == [.inService, .ownerUnreachable])
        #expect(pair.services("1001") == [.ownerUnreachable, .inService])
        #expect(pair.cores[0].read(monitor).map(\.type) == [.eventDNOutOfService])
        #expect(pair.cores[1].read(monitor).map(\.type) == [.eventDNOutOfService])
        pair.link()
        #expect(pair.services("1000") == [.inService, .inService])
        #expect(pair.cores[0].read(monitor).map(\.type) == [.eventDNBackInService])
    }

    @Test func `a phone moves: the new node owns the DN, and the former one's bindings are gone`() {
        var pair = Pair()
        _ = pair.cores[0].receive(register("1000", cseq: 1))
        pair.pump()
        for node in 0...1 { _ = pair.cores[node].read(monitor) }
        #expect(pair.cores[1].status(register("1000", cseq: 2), 1) == "200 OK")
        #expect(pair.cores[0].registrar.hasBindings(dn("1000")))
        pair.pump(1)
        #expect(!pair.cores[0].registrar.hasBindings(dn("1000")))
        #expect(pair.services("1000") == [.inService, .inService])
        #expect(pair.cores[0].ownership.view(of: dn("1000")).owner == beta)
        // The service did not change: nobody hears that it was ever gone.
        for node in 0...1 { #expect(pair.cores[node].read(monitor).map(\.type) == [.eventPrivateInfo]) }
        pair.cores[0].tick(now: at(400))
        #expect(pair.services("1000")[0] != .expired)
    }

    @Test func `a desktop at another node listens, unless it takes over; the former one is told and stays away`() {
        var pair = Pair()
        _ = pair.cores[0].ask(.registerAddress(referenceID: 1, dn: "7000", takeover: false))
        pair.pump()
        let listens = pair.cores[1].ask(.registerAddress(referenceID: 2, dn: "7000", takeover: false), desktop, 1)
        #expect(listens.map(\.type) == [.eventRegistered])
        #expect(pair.cores[1].ownership.view(of: dn("7000")).owner == alpha)
        _ = pair.cores[1].ask(.registerAddress(referenceID: 3, dn: "7000", takeover: true), desktop, 1)
        pair.pump(1)
        #expect(pair.services("7000") == [.inService, .inService])
        #expect(pair.cores[0].ownership.view(of: dn("7000")).owner == beta)
        let told = pair.cores[0].read(desktop)
        #expect(told.last == .unregistered(referenceID: nil, dn: DN("7000")!, reason: .superseded))
        #expect(!pair.cores[0].ports.isHeld(dn("7000")))
        pair.cores[0].clientDisconnected(desktop, now: at(2))
        pair.pump(2)
        #expect(pair.services("7000") == [.inService, .inService])
    }

    @Test func `a PSTN DN whose owner cannot be heard is taken by the node that its desktop finds`() {
        var pair = Pair()
        _ = pair.cores[0].ask(.registerAddress(referenceID: 1, dn: "7000", takeover: false))
        pair.pump()
        pair.cut()
        _ = pair.cores[1].ask(.registerAddress(referenceID: 2, dn: "7000", takeover: false), desktop, 1)
        #expect(pair.services("7000") == [.inService, .inService])
        pair.link()
        pair.pump(1)
        #expect(pair.cores[0].ownership.view(of: dn("7000")).owner == beta)
        #expect(pair.services("7000") == [.inService, .inService])
    }

    @Test func `the core asks the shell to dial and to close`() {
        var node = core()
        node.tick(now: at(0))
        #expect(node.takeActions() == [.dial(beta)])
        node.dialFailed(beta, now: at(0))
        node.tick(now: at(1))
        #expect(node.takeActions() == [.dial(beta)])
        let id = ConnectionID(rawValue: 1)
        node.dialed(beta, connection: id, now: at(1))
        node.received(.snapshotRequest, from: id, now: at(1))
        #expect(node.takeActions() == [.closeConnection(id, .helloExpected)])
    }
}
