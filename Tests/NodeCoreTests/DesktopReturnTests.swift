import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts
import Testing

/// Desktops whose connections break, and who come back with their tokens.
@Suite struct `desktops that come back` {
    private func register(_ dn: String, _ desktop: DesktopToken? = nil) -> TRequest {
        .registerAddress(referenceID: 1, dn: dn, takeover: false, desktop: desktop)
    }

    private func token(_ events: [TEvent]) -> DesktopToken? {
        for case .registered(1, _, let token) in events { return token }
        return nil
    }

    private func pair() throws -> (Pair, DesktopToken) {
        var pair = Pair(desktopGrace: .seconds(10))
        let first = try #require(token(pair.ask(register("7000"), at: 0)))
        for node in 0...1 { _ = pair.cores[node].read(monitor) }
        return (pair, first)
    }

    @Test func `at the same node within the grace nobody hears that it was gone`() throws {
        var (pair, first) = try pair()
        pair.cores[0].clientDisconnected(desktop, now: at(1))
        pair.pump(1)
        let second = try #require(token(pair.ask(register("7000", first), other, at: 0, 5)))
        #expect(second != first)
        pair.pass(60)
        #expect(pair.services("7000") == [.inService, .inService])
        for node in 0...1 { #expect(pair.cores[node].read(monitor).isEmpty) }
    }

    @Test func `at another node within the grace the DN moves there, and never goes out of service`() throws {
        var (pair, first) = try pair()
        pair.cores[0].clientDisconnected(desktop, now: at(1))
        pair.pump(1)
        #expect(token(pair.ask(register("7000", first), at: 1, 5)) != nil)
        #expect(pair.cores[0].ownership.view(of: dn("7000")).owner == beta)
        pair.pass(60)
        #expect(pair.services("7000") == [.inService, .inService])
        for node in 0...1 {
            #expect(!pair.cores[node].read(monitor).map(\.type).contains(.eventDNOutOfService))
        }
    }

    @Test func `after the grace the DN is free for anybody`() throws {
        var (pair, first) = try pair()
        pair.cores[0].clientDisconnected(desktop, now: at(1))
        pair.pass(12)
        #expect(pair.services("7000") == [.desktopGone, .desktopGone])
        #expect(token(pair.ask(register("7000", first), at: 1, 13)) != nil)
        #expect(pair.services("7000") == [.inService, .inService])
    }

    @Test func `a token that is wrong, or another DN's, only listens`() throws {
        var (pair, first) = try pair()
        let other7001 = try #require(token(pair.ask(register("7001"), other, at: 0)))
        for wrong in [DesktopToken(number: first.number &+ 1), other7001] {
            let events = pair.ask(register("7000", wrong), at: 1)
            #expect(events.count == 1 && token(events) == nil)
        }
        #expect(pair.cores[1].ownership.view(of: dn("7000")).owner == alpha)
        #expect(pair.cores[0].ports.isHeld(dn("7000")))
    }

    @Test func `a desktop whose former connection still seems to stand takes its place`() throws {
        var (pair, first) = try pair()
        #expect(token(pair.ask(register("7000", first), other, at: 0)) != nil)
        let told = pair.cores[0].read(desktop)
        #expect(told == [.unregistered(referenceID: nil, dn: DN("7000")!, reason: .superseded)])
        #expect(pair.cores[0].ports.holderCount(of: dn("7000")) == 1)
        pair.cores[0].clientDisconnected(desktop, now: at(1))
        pair.pass(60)
        #expect(pair.services("7000") == [.inService, .inService])
    }

    @Test func `at another node, too`() throws {
        var (pair, first) = try pair()
        #expect(token(pair.ask(register("7000", first), at: 1, 1)) != nil)
        #expect(
            pair.cores[0].read(desktop).contains(
                .unregistered(referenceID: nil, dn: DN("7000")!, reason: .superseded)))
        #expect(pair.services("7000") == [.inService, .inService])
    }

    @Test func `when the former node is lost, its desktops need no token`() throws {
        var (pair, first) = try pair()
        pair.cut()
        #expect(token(pair.ask(register("7000", first), at: 1, 1)) != nil)
        #expect(pair.services("7000") == [.inService, .inService])
    }

    @Test func `a request on its way when the link is lost is decided without the former node`() throws {
        var (pair, first) = try pair()
        pair.holdsProxied = true
        #expect(pair.ask(register("7000", first), at: 1) == [])
        pair.cut()
        #expect(token(pair.cores[1].read(desktop)) != nil)
    }

    @Test func `coming and going leaves nothing behind`() throws {
        var (pair, _) = try pair()
        var last: DesktopToken?
        for round in 0..<100 {
            let client = ClientID(rawValue: 100 + UInt64(round))
            pair.cores[0].clientConnected(client)
            last = token(pair.ask(register("7000", last), client, at: 0))
            pair.cores[0].clientDisconnected(client, now: at(0))
        }
        #expect(pair.cores[0].ports.isHeld(dn("7000")))
        #expect(pair.cores[0].ports.holderCount(of: dn("7000")) == 1)
    }
}

/// Routers register routing points, and see nothing of DNs.
@Suite struct `the default port` {
    private func node() -> NodeCore {
        var node = core { $0.routingPoints = [RoutingPoint(dn: DN("9000")!)] }
        node.clientConnected(monitor, at: .default)
        return node
    }

    private func register(_ dn: String) -> TRequest { .registerAddress(referenceID: 1, dn: dn, takeover: true) }

    @Test func `routing points are registered, and nothing else`() {
        var node = node()
        let events = node.ask(register("9000"), monitor)
        guard events.count == 1, case .registered(1, let status, nil) = events[0] else {
            Issue.record("\(events)")
            return
        }
        #expect(status.dn == DN("9000")! && status.view.service == .inService && status.view.owner == alpha)
        #expect(node.ask(register("1000"), monitor) == [.error(referenceID: 1, .wrongKindOfDN)])
        #expect(node.ask(register("7000"), monitor) == [.error(referenceID: 1, .wrongKindOfDN)])
        #expect(node.ask(register("4711"), monitor) == [.error(referenceID: 1, .unknownDN)])
        #expect(node.service("7000") == .neverRegistered)
        let ended = node.ask(.unregisterAddress(referenceID: 2, dn: "9000"), monitor)
        #expect(ended == [.unregistered(referenceID: 2, dn: DN("9000")!, reason: nil)])
        #expect(
            node.ask(.unregisterAddress(referenceID: 2, dn: "9000"), monitor) == [
                .error(referenceID: 2, .notRegistered)
            ])
    }

    @Test func `what is not a router's is refused`() {
        var node = node()
        #expect(
            node.ask(.monitorAll(referenceID: 3, MonitorOptions()), monitor) == [
                .error(referenceID: 3, .unsupportedRequest)
            ])
        #expect(
            node.ask(`agents of two nodes`.login("1000"), monitor) == [.error(referenceID: 5, .unsupportedRequest)])
        #expect(
            node.ask(.queryAddress(referenceID: 4, dn: "1000"), monitor) == [.error(referenceID: 4, .wrongKindOfDN)])
        #expect(node.ask(.queryAddress(referenceID: 4, dn: "9000"), monitor).map(\.type) == [.eventAddressInfo])
        #expect(node.ask(.queryServer(referenceID: 5), monitor).map(\.type) == [.eventServerInfo])
        _ = node.receive(NodeCoreTests.register("1000"))
        #expect(node.read(monitor).isEmpty)
    }

    @Test func `agents are reserved there`() {
        var node = node()
        _ = node.receive(NodeCoreTests.register("1000"))
        _ = node.ask(`agents of two nodes`.login("1000", `agents of two nodes`.ann, .autoIn))
        let events = node.ask(.reserveAgent(referenceID: 7, dn: "1000", ReservationRequest()), monitor)
        #expect(events.map(\.type) == [.eventAgentReserved])
    }

    @Test func `on the other port a routing point is no DN`() {
        var node = node()
        #expect(node.ask(register("9000")) == [.error(referenceID: 1, .unknownDN)])
    }
}
