import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// Calls to a routing point, with a router at the node where they come in, and agents at either node.
@Suite struct RoutingTests {
    private static let router = ClientID(rawValue: 50)
    private static let point = DN("9000")!
    private var desk = CallDesk { $0.routingPoints = [RoutingPoint(dn: RoutingTests.point, defaultDN: DN("1003"))] }

    private mutating func connectRouter(_ id: ClientID = RoutingTests.router, at node: Int = 0) {
        desk.pair.cores[node].clientConnected(id, at: .default)
        let events = desk.ask(.registerAddress(referenceID: 1, dn: "9000", takeover: false), id, at: node)
        #expect(events.map(\.type) == [.eventRegistered])
    }

    private mutating func agent(_ dn: String, at node: Int, host: UInt32) -> CallDesk.Phone {
        let phone = desk.phone(dn, at: node, host: host)
        let login = `agents of two nodes`.login(dn, AgentID("agent\(dn)")!, .autoIn)
        #expect(desk.ask(login, at: node).map(\.type) == [.eventAgentLogin])
        return phone
    }

    private mutating func question(_ client: ClientID = RoutingTests.router, at node: Int = 0) -> RouteRequest? {
        for case .routeRequest(let request) in desk.pair.cores[node].read(client) { return request }
        return nil
    }

    /// - Returns: the token.
    private mutating func reserve(_ dn: String, id: UInt32 = 7) -> ReservationToken? {
        let request = TRequest.reserveAgent(referenceID: id, dn: dn, ReservationRequest())
        for case .agentReserved(id, let reservation) in desk.ask(request, Self.router, at: 0) {
            return reservation.token
        }
        return nil
    }

    private mutating func route(_ request: RouteRequest, _ token: ReservationToken, id: UInt32 = 9) -> [TEvent] {
        desk.ask(.routeCall(referenceID: id, request.connection, token), Self.router, at: 0)
    }

    private func view(_ dn: String, at node: Int) -> View {
        desk.pair.cores[node].ownership.view(of: NodeCoreTests.dn(dn))
    }

    private func phases(_ dn: String) -> [[DNCall.Phase]] {
        (0...1).map { view(dn, at: $0).calls?.calls.map(\.phase) ?? [] }
    }

    @Test(arguments: [0, 1])
    mutating func `a call is routed to an agent of either node, and everybody sees that agent's call`(_ node: Int)
        throws
    {
        let caller = desk.phone("1000", at: 0, host: 1)
        let agent = agent("1001", at: node, host: 2)
        connectRouter()
        _ = desk.ask(.registerAddress(referenceID: 1, dn: "1001", takeover: false), other, at: 1 - node)
        let asked = desk.invite("9000", from: caller)
        desk.wait(0.5)
        #expect(desk.heard(caller) == ["SIP/2.0 100 Trying", "SIP/2.0 182 Queued"])
        let request = try #require(question())
        #expect(request.routingPoint == Self.point && request.caller == "1000" && request.tried.isEmpty)
        #expect(desk.received(agent).isEmpty)

        let token = try #require(reserve("1001"))
        #expect(view("1001", at: 0).occupancy == .reserved)
        let used = TEvent.routeUsed(
            referenceID: 9, request.connection, routingPoint: Self.point, destination: DN("1001")!)
        #expect(route(request, token) == [used])
        let invite = try #require(desk.received(agent).first)
        #expect(invite[0] == "INVITE \(agent.contact) SIP/2.0")
        for side in 0...1 {
            let view = view("1001", at: side)
            #expect(view.occupancy == .busy)
            let call = try #require(view.calls?.calls.first)
            #expect(call.connection == request.connection && call.phase == .ringing && !call.isCaller)
            #expect(call.other == "1000" && call.routingPoint == Self.point)
        }
        desk.answer(invite, "180 Ringing", agent)
        #expect(desk.heard(caller) == ["SIP/2.0 180 Ringing"])
        desk.answer(invite, "200 OK", agent)
        let success = try #require(desk.received(caller).first)
        #expect(success[0] == "SIP/2.0 200 OK")
        #expect(phases("1001") == [[.established], [.established]])
        #expect(desk.pair.cores[0].control.count == 0)
        desk.follow(asked, "ACK", caller)

        desk.request("ACK", in: Dialog(caller: success, callee: agent), from: caller, cseq: 1)
        desk.request("BYE", in: Dialog(callee: invite, agent, caller: caller), from: agent, cseq: 5)
        let bye = try #require(desk.received(caller).first)
        desk.answer(bye, "200 OK", caller)
        #expect(
            phases("1001") == [[], []] && view("1001", at: 0).occupancy == [] && view("1001", at: 1).occupancy == [])
        let events = desk.pair.cores[1 - node].read(other)
        #expect(
            events.map(\.type).filter { $0 != .eventPrivateInfo } == [
                .eventRinging, .eventEstablished, .eventReleased,
            ])
        desk.wait(70)
        for core in desk.pair.cores { #expect(core.statefulProxy.requestCount == 0 && core.desk.leaseCount == 0) }
    }

    @Test mutating func `no answer goes to the next agent, and the first is not ready`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let first = agent("1001", at: 1, host: 2)
        let second = agent("1002", at: 0, host: 3)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        let request = try #require(question())
        _ = route(request, try #require(reserve("1001")))
        let invite = try #require(desk.received(first).first)
        desk.answer(invite, "180 Ringing", first)
        _ = desk.received(caller)
        desk.wait(15)
        #expect(desk.heard(first).first?.hasPrefix("CANCEL ") == true)
        let again = try #require(question())
        #expect(again.connection == request.connection && again.tried == [DN("1001")!])
        let session = try #require(view("1001", at: 0).agent)
        #expect(session.state == .notReady && session.reasons.list.map(\.value) == ["no answer"])
        // Its refusal comes late, and means nothing but that it has stopped ringing.
        #expect(view("1001", at: 0).occupancy == .busy)
        desk.answer(invite, "487 Request Terminated", first)
        #expect(desk.heard(caller).isEmpty && view("1001", at: 0).occupancy == [])
        _ = route(again, try #require(reserve("1002")))
        let next = try #require(desk.received(second).first)
        desk.answer(next, "200 OK", second)
        #expect(desk.heard(caller) == ["SIP/2.0 200 OK"])
    }

    @Test mutating func `the next agent has the call also where the phone of the one before is slow to stop`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let first = agent("1001", at: 1, host: 2)
        let second = agent("1002", at: 1, host: 3)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        _ = route(try #require(question()), try #require(reserve("1001")))
        let invite = try #require(desk.received(first).first)
        desk.answer(invite, "180 Ringing", first)
        desk.wait(15)
        _ = route(try #require(question()), try #require(reserve("1002")))
        let next = try #require(desk.received(second).first)
        #expect(view("1002", at: 1).occupancy == .busy && phases("1002") == [[.ringing], [.ringing]])
        desk.answer(next, "200 OK", second)
        desk.answer(invite, "487 Request Terminated", first)
        #expect(phases("1002") == [[.established], [.established]])
        #expect(phases("1001") == [[], []] && view("1001", at: 0).occupancy == [])
        desk.request("BYE", in: Dialog(callee: next, second, caller: caller), from: second, cseq: 5)
        #expect(phases("1002") == [[], []] && view("1002", at: 0).occupancy == [])
    }

    @Test mutating func `a phone that answers just when it is given up has the call, and the next one stops ringing`()
        throws
    {
        let caller = desk.phone("1000", at: 0, host: 1)
        let first = agent("1001", at: 1, host: 2)
        let second = agent("1002", at: 0, host: 3)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        let request = try #require(question())
        _ = route(request, try #require(reserve("1001")))
        let invite = try #require(desk.received(first).first)
        desk.wait(15)
        let again = try #require(question())
        _ = route(again, try #require(reserve("1002")))
        let next = try #require(desk.received(second).first)
        _ = desk.received(caller)
        desk.answer(next, "180 Ringing", second)
        desk.answer(invite, "200 OK", first)
        #expect(desk.heard(caller) == ["SIP/2.0 180 Ringing", "SIP/2.0 200 OK"])
        #expect(desk.heard(second).contains { $0.hasPrefix("CANCEL ") })
        desk.answer(next, "487 Request Terminated", second)
        #expect(desk.heard(caller).isEmpty && desk.pair.cores[0].control.count == 0)
        #expect(phases("1001") == [[.established], [.established]] && phases("1002") == [[], []])
    }

    @Test(arguments: [0, 1])
    mutating func `a late answer makes its own agent busy, and hanging up on one phone ends no call with another`(
        _ node: Int
    ) throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let first = agent("1001", at: node, host: 2)
        let second = agent("1002", at: node, host: 3)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        let request = try #require(question())
        _ = route(request, try #require(reserve("1001")))
        let invite = try #require(desk.received(first).first)
        desk.wait(15)
        _ = route(try #require(question()), try #require(reserve("1002")))
        let next = try #require(desk.received(second).first)
        _ = desk.received(caller)
        // Both answer before either has heard that it is too late.
        desk.answer(next, "200 OK", second)
        desk.answer(invite, "200 OK", first)
        #expect(phases("1002") == [[.established], [.established]])
        #expect(desk.heard(caller) == ["SIP/2.0 200 OK", "SIP/2.0 200 OK"])
        desk.request("BYE", in: Dialog(callee: invite, first, caller: caller), from: first, cseq: 5)
        #expect(phases("1002") == [[.established], [.established]])
        desk.request("BYE", in: Dialog(callee: next, second, caller: caller), from: second, cseq: 5)
        #expect(phases("1001") == [[], []] && phases("1002") == [[], []])
    }

    @Test mutating func `a link that goes on over another connection ends what rings, and tells calls anew`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let agent = agent("1001", at: 1, host: 2)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        _ = route(try #require(question()), try #require(reserve("1001")))
        let invite = try #require(desk.received(agent).first)
        desk.answer(invite, "180 Ringing", agent)
        desk.pair.link()
        _ = desk.ask(.queryServer(referenceID: 1), at: 1)
        #expect(try #require(question()).tried == [DN("1001")!])
        #expect(desk.heard(agent).contains { $0.hasPrefix("CANCEL ") })
    }

    @Test mutating func `a busy phone is left alone for a while, and its agent stays ready`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let agent = agent("1001", at: 1, host: 2)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        _ = route(try #require(question()), try #require(reserve("1001")))
        desk.answer(try #require(desk.received(agent).first), "486 Busy Here", agent)
        #expect(try #require(question()).tried == [DN("1001")!])
        #expect(view("1001", at: 0).occupancy == .busy && view("1001", at: 0).agent?.state == .ready)
        #expect(reserve("1001") == nil)
        desk.wait(31)
        #expect(view("1001", at: 0).occupancy == [])
    }

    @Test mutating func `a token is good once, and not for an agent who has been called meanwhile`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let agent = agent("1001", at: 1, host: 2)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        let request = try #require(question())
        let token = try #require(reserve("1001"))
        _ = desk.invite("1001", from: caller, call: "direct")
        #expect(route(request, token) == [.error(referenceID: 9, .staleToken)])
        #expect(desk.received(agent).count == 1)
        #expect(desk.pair.cores[0].control.summary(of: request.connection)?.state == .waiting)
    }

    @Test mutating func `without a router, and when time is up, a call goes to the default`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let fallback = desk.phone("1003", at: 1, host: 4)
        _ = desk.invite("9000", from: caller)
        #expect(desk.heard(caller) == ["SIP/2.0 100 Trying"])
        let invite = try #require(desk.received(fallback).first)
        desk.answer(invite, "486 Busy Here", fallback)
        #expect(desk.heard(caller) == ["SIP/2.0 486 Busy Here"])
        connectRouter()
        _ = desk.invite("9000", from: caller, call: "second")
        _ = question()
        desk.wait(20)
        #expect(desk.received(fallback).contains { $0[0].hasPrefix("INVITE ") })
        #expect(desk.pair.cores[0].read(Self.router).map(\.type) == [.eventRouteUsed])
    }

    @Test mutating func `a caller who gives up is told so, and so are the router and the phone`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let agent = agent("1001", at: 1, host: 2)
        connectRouter()
        let first = desk.invite("9000", from: caller)
        _ = try #require(question())
        _ = desk.received(caller)
        desk.follow(first, "CANCEL", caller)
        #expect(desk.heard(caller) == ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"])
        #expect(desk.pair.cores[0].read(Self.router).map(\.type) == [.eventAbandoned])
        desk.follow(first, "ACK", caller)

        let second = desk.invite("9000", from: caller, call: "second")
        _ = route(try #require(question()), try #require(reserve("1001")))
        let invite = try #require(desk.received(agent).first)
        desk.answer(invite, "180 Ringing", agent)
        _ = desk.received(caller)
        desk.follow(second, "CANCEL", caller)
        desk.answer(invite, "487 Request Terminated", agent)
        #expect(desk.heard(caller) == ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"])
        #expect(view("1001", at: 0).occupancy == [] && view("1001", at: 0).agent?.state == .ready)
        #expect(view("1001", at: 0).calls?.lastEnded?.end == .abandoned)
    }

    @Test mutating func `who monitors the node hears what becomes of calls at its routing points`() throws {
        let monitor = ClientID(rawValue: 51)
        let caller = desk.phone("1000", at: 0, host: 1)
        let agent = agent("1001", at: 1, host: 2)
        connectRouter()
        let first = desk.invite("9000", from: caller)
        let request = try #require(question())
        desk.wait(3)
        desk.pair.cores[0].clientConnected(monitor, at: .tcontroller)
        let wanted = MonitorOptions(pointsOnly: true, mask: .points)
        let snapshot = desk.ask(.monitorAll(referenceID: 1, wanted), monitor, at: 0)
        #expect(snapshot.map(\.type) == [.eventACK, .eventQueued, .eventPrivateInfo])
        _ = route(request, try #require(reserve("1001")))
        let invite = try #require(desk.received(agent).first)
        desk.answer(invite, "200 OK", agent)
        var told: [PointEvent] = []
        for case .point(let event, _?) in desk.pair.cores[0].read(monitor) { told.append(event) }
        #expect(told.map(\.outcome) == [.answered] && told.map(\.destination) == [DN("1001")])
        #expect(told.map(\.connection) == [request.connection] && told.allSatisfy { $0.waited >= 3_000 })
        _ = first
    }

    @Test mutating func `a DN whose owner cannot be heard is never rung`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let agent = agent("1001", at: 1, host: 2)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        let request = try #require(question())
        let token = try #require(reserve("1001"))
        desk.cut()
        #expect(route(request, token) == [.error(referenceID: 9, .staleToken)])
        #expect(desk.received(agent).isEmpty)
        #expect(desk.pair.cores[0].control.summary(of: request.connection)?.state == .waiting)
    }

    @Test mutating func `a call that rings when the link is lost goes on to somebody else`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        _ = agent("1001", at: 1, host: 2)
        let near = agent("1002", at: 0, host: 3)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        _ = route(try #require(question()), try #require(reserve("1001")))
        desk.cut()
        let again = try #require(question())
        #expect(again.tried == [DN("1001")!])
        _ = route(again, try #require(reserve("1002")))
        #expect(desk.received(near).count == 1)
    }

    @Test mutating func `an agent who moves stays busy with the call that goes through the former node`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        let agent = agent("1001", at: 1, host: 2)
        _ = desk.invite("1001", from: caller)
        let invite = try #require(desk.received(agent).first)
        desk.answer(invite, "200 OK", agent)
        #expect(phases("1001") == [[.established], [.established]])
        // Its phone registers at the other node; the call goes on through the former one.
        let moved = desk.phone("1001", at: 0, host: 5)
        #expect(view("1001", at: 1).owner == alpha)
        #expect(phases("1001") == [[.established], [.established]])
        #expect(view("1001", at: 0).occupancy == .busy && view("1001", at: 1).occupancy == .busy)
        desk.request("BYE", in: Dialog(callee: invite, agent, caller: caller), from: agent, cseq: 5)
        #expect(view("1001", at: 0).occupancy == [] && view("1001", at: 1).occupancy == [])
        _ = moved
    }

    @Test mutating func `a witness that is not heard frees its agents after half a minute`() throws {
        let caller = desk.phone("1000", at: 1, host: 1)
        let agent = agent("1001", at: 1, host: 2)
        _ = desk.invite("1001", from: caller)
        desk.answer(try #require(desk.received(agent).first), "200 OK", agent)
        _ = desk.phone("1001", at: 0, host: 5)
        #expect(view("1001", at: 0).occupancy == .busy)
        desk.cut()
        desk.wait(29)
        #expect(view("1001", at: 0).occupancy == .busy)
        desk.wait(2)
        #expect(view("1001", at: 0).occupancy == [])
    }

    @Test mutating func `gateways call routing points and nobody else, from where they are`() throws {
        let gateway = NetworkAddress(ipv4: 0x0A00_0009, port: 5090)
        desk = CallDesk { topology in
            topology.routingPoints = [RoutingPoint(dn: Self.point, defaultDN: DN("1003"))]
            topology.trunks = [Trunk(name: "west", gateways: [SIPListener(transport: .udp, address: gateway)])]
        }
        _ = desk.phone("1003", at: 0, host: 4)
        let trunk = CallDesk.Phone(dn: "+15551230001", node: 0, address: gateway)
        _ = desk.invite("9000", from: trunk)
        #expect(desk.heard(trunk) == ["SIP/2.0 100 Trying"])
        #expect(desk.pair.cores[0].statefulProxy.calls.calls.map(\.callerText) == ["+15551230001"])
        _ = desk.invite("1003", from: trunk, call: "direct")
        #expect(desk.heard(trunk) == ["SIP/2.0 403 Forbidden"])
        let stranger = CallDesk.Phone(dn: "1000", node: 0, address: gateway.with(port: 5091))
        _ = desk.invite("9000", from: stranger, call: "stranger")
        #expect(desk.heard(stranger) == ["SIP/2.0 403 Forbidden"])
    }

    @Test mutating func `the same call twice is one too many, and other requests are none`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        connectRouter()
        _ = desk.invite("9000", from: caller)
        _ = desk.invite("9000", from: caller)
        #expect(desk.heard(caller).last == "SIP/2.0 482 Loop Detected")
        let message = desk.request("MESSAGE", "sip:9000@cc.example.com", from: caller, call: "text")
        desk.send(message, caller)
        #expect(desk.heard(caller) == ["SIP/2.0 405 Method Not Allowed"])
    }
}
