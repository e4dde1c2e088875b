import ClusterModel
import TLibraryPorts
import Testing

@Suite struct RegistrationTests {
    @Test func `a registered client hears of its DN, until it unregisters`() {
        var node = Node()
        node.ports.register(dn(0), for: one, holds: false)
        node.show(0, view(.inService))
        node.show(1, view(.inService))
        node.show(0, view(.inService, there, 2))
        #expect(
            node.read(one) == [
                .serviceChanged(status(0, view(.inService)), sequence: nil),
                .status([status(0, view(.inService, there, 2))], sequence: nil),
            ]
        )
        #expect(node.ports.unregister(dn(0), for: one) == .registered)
        #expect(node.ports.unregister(dn(0), for: one) == .notRegistered)
        node.show(0, view(.expired))
        #expect(node.read(one) == [])
    }

    @Test func `a client with a feed hears of its registered DNs there, and only once`() {
        var node = Node()
        node.ports.register(dn(0), for: one, holds: false)
        node.monitor(one)
        _ = node.read(one)
        node.show(0, view(.inService))
        #expect(node.read(one) == [.serviceChanged(status(0, view(.inService)), sequence: 1)])
    }

    @Test func `the last holder matters, whoever it is and however often it registers`() {
        var node = Node()
        node.ports.register(dn(0), for: one, holds: true)
        node.ports.register(dn(0), for: one, holds: true)
        node.ports.register(dn(0), for: two, holds: true)
        #expect(node.ports.unregister(dn(0), for: one) == .registered)
        #expect(node.ports.isHeld(dn(0)))
        #expect(node.ports.unregister(dn(0), for: two) == .lastHolder)
        #expect(!node.ports.isHeld(dn(0)))
    }

    @Test func `who listens holds nothing, and who holds does not let go by listening`() {
        var node = Node()
        node.ports.register(dn(0), for: one, holds: false)
        #expect(!node.ports.isHeld(dn(0)))
        node.ports.register(dn(0), for: one, holds: true)
        node.ports.register(dn(0), for: one, holds: false)
        #expect(node.ports.isHeld(dn(0)))
        node.ports.register(dn(0), for: two, holds: false)
        #expect(node.ports.unregister(dn(0), for: two) == .registered)
        #expect(node.ports.unregister(dn(0), for: one) == .lastHolder)
    }

    @Test func `a client may register as many DNs as it may, and those it has again`() {
        var node = Node(registrations: 2)
        #expect(node.ports.canRegister(dn(0), one))
        node.ports.register(dn(0), for: one, holds: false)
        node.ports.register(dn(1), for: one, holds: false)
        #expect(!node.ports.canRegister(dn(2), one))
        #expect(node.ports.canRegister(dn(1), one))
        #expect(node.ports.canRegister(dn(2), two))
        #expect(!node.ports.canRegister(dn(2), ClientID(rawValue: 99)))
    }

    @Test func `desktops that held a DN are unregistered when it goes to another node; listeners stay`() {
        var node = Node()
        let three = ClientID(rawValue: 3)
        node.ports.connected(three)
        node.ports.register(dn(0), for: two, holds: true)
        node.ports.register(dn(0), for: one, holds: true)
        node.ports.register(dn(0), for: three, holds: false)
        node.ports.superseded(dn(0), &node.actions)
        let ended = TEvent.unregistered(referenceID: nil, dn: name(0), reason: .superseded)
        #expect(node.read(one) == [ended])
        #expect(node.read(two) == [ended])
        #expect(node.read(three) == [])
        node.ports.superseded(dn(0), &node.actions)
        #expect(node.read(one) == [])
        #expect(!node.ports.isHeld(dn(0)))
        #expect(node.ports.unregister(dn(0), for: one) == .notRegistered)
        node.show(0, view(.inService, there, 2))
        #expect(node.read(one) == [])
        #expect(node.read(three).count == 1)
    }

    @Test func `a client that goes abandons the DNs that nobody else holds, in order`() {
        var node = Node(registrations: 6)
        for position in [4, 1, 0, 3] { node.ports.register(dn(position), for: one, holds: true) }
        node.ports.register(dn(2), for: one, holds: false)
        node.ports.register(dn(1), for: two, holds: true)
        #expect(node.ports.clientCount == 2)
        #expect(node.ports.disconnected(one) == [dn(0), dn(3), dn(4)])
        #expect(node.ports.disconnected(one) == [])
        #expect(node.ports.clientCount == 1)
        #expect(node.ports.disconnected(two) == [dn(1)])
        node.show(0, view(.inService))
        #expect(node.actions == [])
    }

    @Test func `answers that nobody reads are bounded: the client is cut off once and told no more`() {
        var node = Node(outbox: 2)
        let answer = TEvent.error(referenceID: 1, .unknownDN)
        for _ in 0..<5 { node.ports.tell(one, answer, &node.actions) }
        #expect(node.actions == [.close(one, .tooSlow)])
        #expect(node.read(one) == [])
        node.ports.tell(two, answer, &node.actions)
        node.ports.tell(ClientID(rawValue: 99), answer, &node.actions)
        #expect(node.read(two) == [answer])
        #expect(node.actions.count == 1)
    }

    @Test func `a client that is gone registers nothing`() {
        var node = Node()
        _ = node.ports.disconnected(one)
        node.ports.register(dn(0), for: one, holds: true)
        node.monitor(one)
        #expect(!node.ports.isHeld(dn(0)))
        #expect(node.read(one) == [])
    }

    @Test func `every request and event has its T-Library name`() {
        #expect(Set(TMessageType.allCases.map(\.name)).count == TMessageType.allCases.count)
        #expect(TEvent.serviceChanged(status(0, view(.inService)), sequence: nil).type == .eventDNBackInService)
        #expect(TEvent.serviceChanged(status(0, view(.expired)), sequence: nil).type == .eventDNOutOfService)
        #expect(TRequest.queryAddress(referenceID: 4, dn: "1").referenceID == 4)
        #expect(Set(TError.allCases.map(\.message)).count == TError.allCases.count)
    }

    @Test func `a router has room for more than others, and is known by its name`() {
        var node = Node(outbox: 2, routerOutbox: 5)
        let router = ClientID(rawValue: 30)
        node.ports.connected(router, at: .default)
        #expect(node.ports.name(of: router) == "")
        node.ports.introduced(router, name: "dc1/router1", &node.actions)
        #expect(node.ports.name(of: router) == "dc1/router1")
        for id in 1...4 as ClosedRange<UInt32> { node.ports.tell(router, .done(referenceID: id), &node.actions) }
        #expect(node.actions.isEmpty)
        node.ports.tell(router, .done(referenceID: 5), &node.actions)
        #expect(node.actions == [.close(router, .tooSlow)])
        for id in 1...3 as ClosedRange<UInt32> { node.ports.tell(one, .done(referenceID: id), &node.actions) }
        #expect(node.actions.count == 2)
    }
}
