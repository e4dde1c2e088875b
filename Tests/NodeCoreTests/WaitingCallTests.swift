import AgentSessions
import CallControl
import ClusterModel
import NodeCore
import TLibraryPorts
import Testing

/// Calls that wait at routing points: who is asked about them, what their callers hear, and where they go on.
@Suite struct WaitingCallTests {
    private static let first = ClientID(rawValue: 60)
    private static let second = ClientID(rawValue: 50)
    private static let sales = DN("9000")!
    private static let support = DN("9001")!
    private var desk = CallDesk {
        $0.routingPoints = [
            RoutingPoint(
                dn: WaitingCallTests.sales, timeout: .seconds(60), defaultDN: DN("1003"),
                overflowPoint: WaitingCallTests.support),
            RoutingPoint(dn: WaitingCallTests.support, priority: 3),
        ]
    }

    private mutating func connect(_ id: ClientID, as name: String) {
        desk.pair.cores[0].clientConnected(id, at: .default)
        desk.pair.cores[0].clientIntroduced(id, name: name)
        for (number, point) in [Self.sales, Self.support].enumerated() {
            let request = TRequest.registerAddress(referenceID: UInt32(number + 1), dn: "\(point)", takeover: false)
            let events = desk.ask(request, id, at: 0)
            #expect(events.contains { $0.type == .eventRegistered })
            for case .routeRequest(let request) in events { early.append(request) }
        }
    }

    /// What a router was asked while it registered.
    private var early: [RouteRequest] = []

    private mutating func read(_ id: ClientID) -> [TEvent] { desk.pair.cores[0].read(id) }

    private mutating func question(_ id: ClientID) -> RouteRequest? {
        for case .routeRequest(let request) in read(id) { return request }
        return nil
    }

    @Test mutating func `a caller hears the position, and again when it has changed for ten seconds`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        connect(Self.first, as: "dc1/router1")
        _ = desk.invite("9000", from: caller)
        let call = try #require(question(Self.first)).connection
        func place(_ position: UInt32, id: UInt32) -> TRequest {
            .queuePosition(referenceID: id, call, QueuePosition(position: position, waiting: 12))
        }
        #expect(desk.ask(place(12, id: 7), Self.first, at: 0) == [.done(referenceID: 7)])
        desk.wait(0.5)
        #expect(desk.heard(caller) == ["SIP/2.0 100 Trying", "SIP/2.0 182 Queued, position 12"])
        #expect(desk.ask(place(11, id: 8), Self.first, at: 0) == [.done(referenceID: 8)])
        #expect(desk.ask(place(10, id: 9), Self.first, at: 0) == [.done(referenceID: 9)])
        desk.wait(9.75)
        #expect(desk.heard(caller).isEmpty)
        desk.wait(0.25)
        #expect(desk.heard(caller) == ["SIP/2.0 182 Queued, position 10"])
        #expect(desk.pair.cores[0].control.summary(of: call)?.position?.position == 10)
        // Nobody else has a say, nor does anybody at the other port.
        connect(Self.second, as: "dc1/router2")
        #expect(desk.ask(place(1, id: 10), Self.second, at: 0) == [.error(referenceID: 10, .unknownCall)])
        #expect(desk.ask(place(1, id: 11), at: 0) == [.error(referenceID: 11, .unsupportedRequest)])
        let unknown = TRequest.queuePosition(
            referenceID: 12, CallConnection(rawValue: 1), QueuePosition(position: 1, waiting: 1))
        #expect(desk.ask(unknown, Self.first, at: 0) == [.error(referenceID: 12, .unknownCall)])
    }

    @Test mutating func `the router whose name is least is asked, whoever came first`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        connect(Self.second, as: "dc1/router2")
        _ = desk.invite("9000", from: caller)
        let call = try #require(question(Self.second))
        #expect(call.waited == 0 && call.priority == 0)
        desk.wait(5)
        connect(Self.first, as: "dc1/router1")
        #expect(read(Self.second).map(\.type).contains(.eventAbandoned))
        #expect(early.map(\.connection) == [call.connection] && early.map(\.waited) == [5000])
        _ = desk.invite("9001", from: caller, call: "next")
        #expect(try #require(question(Self.first)).priority == 3 && question(Self.second) == nil)
        desk.pair.cores[0].clientDisconnected(Self.first, now: at(5))
        let again = read(Self.second).compactMap { event in
            if case .routeRequest(let request) = event { request } else { nil }
        }
        #expect(again.map(\.routingPoint) == [Self.sales, Self.support] && again.map(\.waited) == [5000, 0])
    }

    @Test mutating func `a call whose time is up goes to an agent of another routing point`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let phone = desk.phone("1001", at: 1, host: 2)
        let login = `agents of two nodes`.login("1001", AgentID("agent1001")!, .autoIn)
        #expect(desk.ask(login, at: 1).map(\.type) == [.eventAgentLogin])
        connect(Self.first, as: "dc1/router1")
        _ = desk.invite("9000", from: caller)
        let first = try #require(question(Self.first))
        let call = first.connection
        desk.wait(2)
        // The router has no room for it.
        let events = desk.ask(.routeCall(referenceID: 7, call, nil), Self.first, at: 0)
        let asked = RouteRequest(
            connection: call, routingPoint: Self.support, caller: "1000", priority: 3, waited: 2000,
            arrived: first.arrived)
        let used = TEvent.routeUsed(referenceID: 7, call, routingPoint: Self.sales, destination: Self.support)
        #expect(first.arrived != nil && events == [used, .routeRequest(asked)])
        let reserve = TRequest.reserveAgent(referenceID: 8, dn: "1001", ReservationRequest())
        guard case .agentReserved(_, let reservation)? = desk.ask(reserve, Self.first, at: 0).first else {
            Issue.record("the agent is not to be had")
            return
        }
        let route = TRequest.routeCall(referenceID: 9, call, reservation.token)
        #expect(desk.ask(route, Self.first, at: 0).map(\.type) == [.eventRouteUsed])
        desk.answer(try #require(desk.received(phone).first), "200 OK", phone)
        #expect(desk.heard(caller).last == "SIP/2.0 200 OK" && desk.pair.cores[0].control.count == 0)
        #expect(desk.pair.cores[0].control.counters.map(\.overflowed) == [1, 0])
        #expect(desk.pair.cores[0].control.counters.map(\.answered) == [0, 1])
    }
}
