import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing
import Trunks

/// Telephones that are dialled through a trunk with two gateways, and calls that come in over it.
@Suite struct TrunkTests {
    private static let router = ClientID(rawValue: 50)
    private static let first = NetworkAddress(ipv4: 0x0A00_0009, port: 5090)
    private static let second = NetworkAddress(ipv4: 0x0A00_000A, port: 5090)

    private var desk: CallDesk

    init() { desk = Self.desk() }

    private static func desk(capacity: Int? = nil, check: Duration? = nil) -> CallDesk {
        CallDesk { topology in
            topology.agentTypes[1].trunk = "west"
            let dials = Dictionary(
                uniqueKeysWithValues: (0...3).map { (DN("700\($0)")!, "+155500\($0)#1") })
            topology.directory = DNDirectory(
                blocks: topology.directory.blocks, homes: topology.directory.homes, dialStrings: dials)
            topology.routingPoints = [RoutingPoint(dn: DN("9000")!, ringTimeout: .seconds(10))]
            topology.trunks = [
                Trunk(
                    name: "west",
                    gateways: [first, second].map { SIPListener(transport: .udp, address: $0) }, capacity: capacity,
                    check: check)
            ]
        }
    }

    private func gateway(_ address: NetworkAddress = TrunkTests.first, at node: Int) -> CallDesk.Phone {
        CallDesk.Phone(dn: "+1555001", node: node, address: address)
    }

    /// A desktop takes a PSTN DN into service and logs its agent in.
    private mutating func telephone(_ dn: String, at node: Int) {
        let registered = desk.ask(.registerAddress(referenceID: 1, dn: dn, takeover: false), at: node)
        #expect(registered.contains { $0.type == .eventRegistered })
        let login = `agents of two nodes`.login(dn, AgentID("agent\(dn)")!, .autoIn)
        #expect(desk.ask(login, at: node).contains { $0.type == .eventAgentLogin })
    }

    private mutating func connectRouter(at node: Int) {
        desk.pair.cores[node].clientConnected(Self.router, at: .default)
        _ = desk.ask(.registerAddress(referenceID: 1, dn: "9000", takeover: false), Self.router, at: node)
    }

    /// - Returns: the token.
    private mutating func reserve(_ dn: String) -> ReservationToken? {
        let request = TRequest.reserveAgent(referenceID: 7, dn: dn, ReservationRequest())
        for case .agentReserved(7, let reservation) in desk.ask(request, Self.router, at: 0) {
            return reservation.token
        }
        return nil
    }

    private func view(_ dn: String, at node: Int) -> View {
        desk.pair.cores[node].ownership.view(of: NodeCoreTests.dn(dn))
    }

    private func use(_ node: Int) -> Int { desk.pair.cores[node].trunks.use(of: TrunkIndex(0)) }

    @Test(arguments: [0, 1])
    mutating func `a telephone is dialled by the owner of its DN, whoever calls`(_ owner: Int) throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        telephone("7001", at: owner)
        let outside = gateway(at: owner)
        let asked = desk.invite("7001", from: caller)
        let invite = try #require(desk.received(outside).first)
        #expect(invite[0] == "INVITE sip:+1555001%231@10.0.0.9:5090;user=phone SIP/2.0")
        #expect(use(owner) == 1 && use(1 - owner) == 0)
        #expect((0...1).allSatisfy { view("7001", at: $0).occupancy == .busy })
        desk.answer(invite, "180 Ringing", outside)
        desk.answer(invite, "200 OK", outside)
        let success = try #require(desk.received(caller).last)
        #expect(success[0] == "SIP/2.0 200 OK")
        desk.follow(asked, "ACK", caller)
        #expect(view("7001", at: 0).calls?.calls.map(\.phase) == [.established])

        desk.request("BYE", in: Dialog(callee: invite, outside, caller: caller), from: outside, cseq: 5)
        desk.answer(try #require(desk.received(caller).last), "200 OK", caller)
        #expect((0...1).allSatisfy { view("7001", at: $0).occupancy == [] && use($0) == 0 })
        desk.wait(70)
        for core in desk.pair.cores { #expect(core.statefulProxy.requestCount == 0 && core.heldCount == 0) }
    }

    @Test mutating func `a telephone whose desktop has gone is not dialled, nor one without trunk`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        _ = desk.invite("7001", from: caller)
        #expect(desk.heard(caller) == ["SIP/2.0 480 Temporarily Unavailable"])
        telephone("7001", at: 0)
        desk.send(desk.request("MESSAGE", "sip:7001@cc.example.com", from: caller, call: "text"), caller)
        #expect(desk.heard(caller) == ["SIP/2.0 405 Method Not Allowed"])
        #expect(desk.received(gateway(at: 0)).isEmpty)
    }

    @Test mutating func `a gateway that refuses or is silent hands the call to the next`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        telephone("7001", at: 0)
        let (one, other) = (gateway(at: 0), gateway(Self.second, at: 0))
        _ = desk.invite("7001", from: caller)
        desk.answer(try #require(desk.received(one).first), "503 Service Unavailable", one)
        let invite = try #require(desk.received(other).first)
        #expect(invite[0].contains("@10.0.0.10:5090"))
        #expect(use(0) == 1)
        desk.answer(invite, "486 Busy Here", other, ["Reason: Q.850;cause=17"])
        let refusal = try #require(desk.received(caller).last)
        #expect(refusal[0] == "SIP/2.0 486 Busy Here" && refusal.contains("Reason: Q.850;cause=17"))
        #expect(use(0) == 0)

        _ = desk.invite("7001", from: caller, call: "second")
        #expect(desk.received(one).count >= 1)
        desk.wait(5)
        #expect(desk.received(other).contains { $0[0].hasPrefix("INVITE ") })
        // The next one does not wait for the silent gateway again.
        _ = desk.received(one)
        _ = desk.invite("7001", from: caller, call: "third")
        #expect(desk.received(other).contains { $0[0].hasPrefix("INVITE ") && $0.contains("Call-ID: third") })
        #expect(!desk.received(one).contains { $0[0].hasPrefix("INVITE ") })
    }

    @Test mutating func `without any gateway the caller is told`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        telephone("7001", at: 0)
        _ = desk.invite("7001", from: caller)
        desk.wait(9)
        #expect(desk.heard(caller).last == "SIP/2.0 408 Request Timeout")
    }

    @Test mutating func `a caller who gives up is not kept waiting by the gateway`() throws {
        let caller = desk.phone("1000", at: 0, host: 1)
        telephone("7001", at: 0)
        let outside = gateway(at: 0)
        let asked = desk.invite("7001", from: caller)
        let invite = try #require(desk.received(outside).first)
        desk.answer(invite, "180 Ringing", outside)
        desk.follow(asked, "CANCEL", caller)
        #expect(desk.heard(outside).first?.hasPrefix("CANCEL ") == true)
        #expect(use(0) == 1)
        desk.answer(invite, "487 Request Terminated", outside)
        #expect(desk.heard(caller).last == "SIP/2.0 487 Request Terminated")
        #expect(use(0) == 0 && desk.pair.cores[0].heldCount == 0)
    }

    @Test(arguments: [0, 1])
    mutating func `a routed call comes in over the trunk and goes out over it to an agent`(_ owner: Int) throws {
        telephone("7001", at: owner)
        connectRouter(at: 0)
        let outside = CallDesk.Phone(dn: "+4930123", node: 0, address: Self.first)
        let asked = desk.invite("9000", from: outside)
        #expect(use(0) == 1)
        var question: RouteRequest?
        for case .routeRequest(let request) in desk.pair.cores[0].read(Self.router) { question = request }
        let request = try #require(question)
        let token = try #require(reserve("7001"))
        _ = desk.received(outside)
        let routed = desk.ask(
            .routeCall(referenceID: 9, request.connection, token), Self.router, at: 0)
        #expect(routed.map(\.type) == [.eventRouteUsed])
        let gateway = gateway(at: owner)
        let invite = try #require(desk.received(gateway).first { $0[0].hasPrefix("INVITE ") })
        #expect(invite.contains { $0.hasPrefix("From: <sip:+4930123@") })
        #expect(use(owner) == (owner == 0 ? 2 : 1))
        desk.answer(invite, "200 OK", gateway)
        let success = try #require(desk.received(outside).last)
        #expect(success[0] == "SIP/2.0 200 OK")
        desk.follow(asked, "ACK", outside)
        let call = try #require(view("7001", at: 1 - owner).calls?.calls.first)
        #expect(call.phase == .established && call.routingPoint == DN("9000") && call.other == "+4930123")
        desk.request("BYE", in: Dialog(caller: success, callee: gateway), from: outside, cseq: 2)
        #expect((0...1).allSatisfy { use($0) == 0 })
    }

    @Test mutating func `a routed call that no gateway takes goes to the next agent, and the first stays ready`() throws
    {
        telephone("7001", at: 0)
        connectRouter(at: 0)
        let caller = desk.phone("1000", at: 0, host: 1)
        _ = desk.invite("9000", from: caller)
        var questions: [RouteRequest] = []
        for case .routeRequest(let request) in desk.pair.cores[0].read(Self.router) { questions.append(request) }
        let token = try #require(reserve("7001"))
        _ = desk.ask(.routeCall(referenceID: 9, questions[0].connection, token), Self.router, at: 0)
        for address in [Self.first, Self.second] {
            let gateway = gateway(address, at: 0)
            desk.answer(try #require(desk.received(gateway).first), "503 Service Unavailable", gateway)
        }
        for case .routeRequest(let request) in desk.pair.cores[0].read(Self.router) { questions.append(request) }
        #expect(questions.last?.tried == [DN("7001")!])
        #expect(view("7001", at: 0).agent?.state == .ready)
    }

    @Test mutating func `a full trunk refuses calls in both directions at every node`() throws {
        desk = Self.desk(capacity: 1)
        let caller = desk.phone("1000", at: 0, host: 1)
        telephone("7001", at: 1)
        let outside = gateway(at: 1)
        // Node 0 has the only place, and lends it.
        let asked = desk.invite("7001", from: caller)
        let invite = try #require(desk.received(outside).first)
        desk.answer(invite, "200 OK", outside)
        desk.follow(asked, "ACK", caller)
        #expect(use(1) == 1)
        for node in 0...1 {
            let stranger = CallDesk.Phone(dn: "+4930\(node)", node: node, address: Self.second)
            _ = desk.invite("9000", from: stranger, call: "in\(node)")
            #expect(desk.heard(stranger).last == "SIP/2.0 503 Service Unavailable")
        }
        _ = desk.received(caller)
        _ = desk.invite("7001", from: caller, call: "more")
        #expect(desk.heard(caller).last == "SIP/2.0 503 Service Unavailable")
        #expect(desk.pair.cores.map { $0.trunks.counters[0].full } == [1, 2])
        desk.request("BYE", in: Dialog(callee: invite, outside, caller: caller), from: outside, cseq: 5)
        #expect(use(1) == 0)
        connectRouter(at: 0)
        let stranger = CallDesk.Phone(dn: "+49309", node: 0, address: Self.second)
        _ = desk.invite("9000", from: stranger, call: "again")
        #expect(desk.heard(stranger) == ["SIP/2.0 100 Trying"])
        #expect(use(0) == 1)
    }

    @Test mutating func `gateways are asked whether they are there, and those that are not are left out`() throws {
        desk = Self.desk(check: .seconds(2))
        let caller = desk.phone("1000", at: 0, host: 1)
        telephone("7001", at: 0)
        let other = gateway(Self.second, at: 0)
        for _ in 0..<40 {
            desk.wait(0.25)
            for question in desk.received(other) where question[0].hasPrefix("OPTIONS ") {
                #expect(question[0] == "OPTIONS sip:10.0.0.10:5090 SIP/2.0")
                desk.answer(question, "200 OK", other)
            }
        }
        let watch = desk.pair.cores[0].trunks.watch
        #expect(watch.state(of: GatewayIndex(TrunkIndex(0), 0)) == .down)
        #expect(watch.state(of: GatewayIndex(TrunkIndex(0), 1)) == .up)
        _ = desk.received(gateway(at: 0))
        _ = desk.invite("7001", from: caller)
        #expect(desk.received(other).contains { $0[0].hasPrefix("INVITE ") })
        #expect(!desk.received(gateway(at: 0)).contains { $0[0].hasPrefix("INVITE ") })
    }
}
