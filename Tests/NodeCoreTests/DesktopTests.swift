import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts
import Testing

@Suite struct DesktopTests {
    private func registered(_ node: NodeCore, _ id: UInt32, _ text: String) -> TEvent {
        .registered(referenceID: id, DNStatus(dn: DN(text)!, view: node.ownership.view(of: dn(text))))
    }

    private func add(_ dn: String, takeover: Bool = false, _ id: UInt32 = 1) -> TRequest {
        .registerAddress(referenceID: id, dn: dn, takeover: takeover)
    }

    @Test func `a desktop that registers a PSTN DN brings it into service, and hears so`() {
        var node = core()
        let events = node.ask(add("7000"))
        guard case .registered(1, let status, let desktop) = events.first else {
            Issue.record("\(events)")
            return
        }
        let view = node.ownership.view(of: dn("7000"))
        #expect(status == DNStatus(dn: DN("7000")!, view: view) && desktop != nil)
        #expect(events.dropFirst().map(\.type) == [.eventDNBackInService])
        #expect(node.service("7000") == .inService)
        #expect(node.ownership.owns(dn("7000")))
        #expect(
            node.ask(.unregisterAddress(referenceID: 2, dn: "7000")) == [
                .unregistered(referenceID: 2, dn: DN("7000")!, reason: nil)
            ])
        #expect(node.service("7000") == .unregistered)
    }

    @Test func `requests that cannot be are refused with their number`() {
        var node = core(ports: PortsConfiguration(registrationsPerClient: 1))
        #expect(node.ask(add("4711", 5)) == [.error(referenceID: 5, .unknownDN)])
        #expect(node.ask(add("no DN", 6)) == [.error(referenceID: 6, .unknownDN)])
        #expect(node.ask(add("8000", 7)) == [.error(referenceID: 7, .wrongDataCenter)])
        #expect(
            node.ask(.unregisterAddress(referenceID: 8, dn: "7000")) == [.error(referenceID: 8, .notRegistered)]
        )
        #expect(node.ask(.unregisterAddress(referenceID: 8, dn: "4711")) == [.error(referenceID: 8, .unknownDN)])
        #expect(node.ask(.queryAddress(referenceID: 9, dn: "4711")) == [.error(referenceID: 9, .unknownDN)])
        _ = node.ask(add("7000"))
        #expect(node.ask(add("7001", 10)) == [.error(referenceID: 10, .tooManyRegistrations)])
        node.requestRefused(.malformedRequest, referenceID: 11, client: desktop)
        #expect(node.read(desktop) == [.error(referenceID: 11, .malformedRequest)])
        #expect(node.service("8000") == .neverRegistered)
    }

    @Test func `who registers a SIP DN only listens`() {
        var node = core()
        #expect(node.ask(add("1000")) == [registered(node, 1, "1000")])
        #expect(node.service("1000") == .neverRegistered)
        _ = node.receive(register("1000"))
        #expect(node.read(desktop).map(\.type) == [.eventDNBackInService])
        node.clientDisconnected(desktop, now: at(1))
        #expect(node.service("1000") == .inService)
    }

    @Test func `a query tells the state and registers nothing`() {
        var node = core()
        let status = DNStatus(dn: DN("7000")!, view: node.ownership.view(of: dn("7000")))
        #expect(node.ask(.queryAddress(referenceID: 3, dn: "7000")) == [.addressInfo(referenceID: 3, status, nil)])
        _ = node.ask(add("7000"), other)
        #expect(node.read(desktop) == [])
    }

    @Test func `the last desktop's connection takes its DNs out of service at once without a grace`() {
        var node = core()
        _ = node.ask(add("7000"))
        _ = node.ask(add("7000"), other)
        _ = node.ask(add("7001"))
        node.clientDisconnected(desktop, now: at(1))
        #expect(node.service("7000") == .inService)
        #expect(node.service("7001") == .desktopGone)
        node.clientDisconnected(other, now: at(2))
        #expect(node.service("7000") == .desktopGone)
    }

    @Test func `a desktop that comes back within the grace is not missed`() {
        var node = core(desktopGrace: .seconds(10))
        _ = node.ask(add("7000"))
        _ = node.ask(add("7001"))
        node.clientDisconnected(desktop, now: at(0))
        #expect(node.nextDeadline() <= at(10).monotonic)
        node.clientConnected(desktop)
        _ = node.ask(add("7000"), desktop, 5)
        node.tick(now: at(9.9))
        #expect(node.service("7001") == .inService)
        node.tick(now: at(10))
        #expect(node.service("7000") == .inService)
        #expect(node.service("7001") == .desktopGone)
    }

    @Test func `the grace counts from the last time that the desktop went`() {
        var node = core(desktopGrace: .seconds(10))
        _ = node.ask(add("7000"))
        node.clientDisconnected(desktop, now: at(0))
        node.clientConnected(desktop)
        _ = node.ask(add("7000"), desktop, 5)
        node.clientDisconnected(desktop, now: at(9))
        node.tick(now: at(10))
        #expect(node.service("7000") == .inService)
        node.tick(now: at(18.9))
        #expect(node.service("7000") == .inService)
        node.tick(now: at(19))
        #expect(node.service("7000") == .desktopGone)
    }

    @Test func `a slow client's connection is closed, and its DNs go with it`() {
        var node = core(ports: PortsConfiguration(outboxCapacity: 4))
        node.requestReceived(add("7000"), from: desktop, now: at(0))
        for id in 0..<5 as Range<UInt32> {
            node.requestReceived(.queryAddress(referenceID: id, dn: "7000"), from: desktop, now: at(0))
        }
        #expect(node.takeActions() == [.closeClient(desktop, .tooSlow)])
        #expect(node.takeActions() == [])
        node.clientDisconnected(desktop, now: at(0))
        #expect(node.service("7000") == .desktopGone)
    }

    @Test func `a slow client that has gone in the same turn is not closed any more`() {
        var node = core(ports: PortsConfiguration(outboxCapacity: 4))
        for id in 0..<5 as Range<UInt32> {
            node.requestReceived(.queryAddress(referenceID: id, dn: "7000"), from: desktop, now: at(0))
        }
        node.clientDisconnected(desktop, now: at(0))
        #expect(node.takeActions() == [])
    }
}
