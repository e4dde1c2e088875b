import AgentSessions
import CallControl
import ClusterModel
import Testing

private let first = RouterID(rawValue: 1)
private let second = RouterID(rawValue: 2)
private let call = CallConnection(rawValue: 7)
private let point = DN("8000")!

private func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64(seconds * 1e9), wallMilliseconds: UInt64(seconds * 1000))
}

private func token(_ dn: String, _ number: UInt64 = 1) -> ReservationToken {
    ReservationToken(dn: DN(dn)!, claim: .zero, lineage: Incarnation(rawValue: 1), number: number)
}

private func order(_ dn: String, id: UInt32 = 3, call: CallConnection = call) -> RouteOrder {
    RouteOrder(reference: id, connection: call, destination: .agent(token(dn)))
}

/// What becomes of calls at routing points, step by step.
@Suite struct `calls at a routing point` {
    private var control = CallControl(
        CallControl.Setup(points: [
            RoutingPoint(dn: point, defaultDN: DN("1900"), alternates: [DN("1901")!, DN("1902")!])
        ]))
    private var actions: [RoutingAction] = []

    private mutating func taken() -> [RoutingAction] {
        defer { actions = [] }
        return actions
    }

    private mutating func arrive(_ connection: CallConnection = call, _ seconds: Double = 0) -> [RoutingAction] {
        control.arrived(connection, at: point, caller: "4711", now: at(seconds), &actions)
        return taken()
    }

    /// One router is as good as another; the greater number has the greater name.
    private mutating func register(_ router: RouterID = first, for dn: DN = point, _ seconds: Double = 0) {
        let name = "dc1/router\(router.rawValue)"
        control.registered(router, name: name, for: dn, now: at(seconds), &actions)
    }

    private func request(
        _ tried: [String] = [], _ connection: CallConnection = call, at dn: DN = point, waited: UInt64 = 0,
        arrived: UInt64 = 0, priority: Int = 0
    ) -> RouteRequest {
        RouteRequest(
            connection: connection, routingPoint: dn, caller: "4711", tried: tried.map { DN($0)! },
            priority: priority, waited: waited, arrived: arrived)
    }

    private mutating func give(_ dn: String, _ seconds: Double = 1) {
        control.ordered(order(dn), by: first, now: at(seconds), &actions)
        control.redeemed(call, token(dn), isHonoured: true, now: at(seconds), &actions)
        actions = []
    }

    private mutating func tick(_ seconds: Double) -> [RoutingAction] {
        control.tick(now: at(seconds), &actions)
        return taken()
    }

    @Test mutating func `a router is asked, the owner honours the token, the phone rings and is answered`() {
        register()
        #expect(arrive() == [.ask(first, request())])
        control.ordered(order("1000"), by: first, now: at(1), &actions)
        #expect(taken() == [.redeem(call, token("1000"))])
        control.redeemed(call, token("1000"), isHonoured: true, now: at(1), &actions)
        let confirmed = RoutingAction.confirm(first, order("1000"), routingPoint: point, DN("1000")!)
        #expect(taken() == [confirmed, .ring(call, DN("1000")!)])
        #expect(control.summary(of: call)?.state == .ringing(DN("1000")!))
        control.answered(call, by: DN("1000"), now: at(2), &actions)
        #expect(taken().isEmpty)
        #expect(control.count == 0 && control.nextDeadline == nil)
        #expect(control.counters[0].answered == 1 && control.counters[0].present == 0)
    }

    @Test mutating func `who answers late ends the question that was asked meanwhile`() {
        register()
        _ = arrive()
        give("1000")
        _ = tick(16)
        control.answered(call, by: DN("1000"), now: at(17), &actions)
        #expect(taken() == [.endQuestion(first, call, routingPoint: point, .used(DN("1000")!))])
        #expect(control.count == 0)
        _ = arrive(call, 18)
        give("1000", 19)
        _ = tick(34)
        control.ordered(order("1001"), by: first, now: at(35), &actions)
        actions = []
        control.answered(call, by: DN("1000"), now: at(36), &actions)
        #expect(taken() == [.refuseOrder(first, order("1001"), .unknownCall)])
    }

    @Test mutating func `an agent who does not answer is told of, and the router is asked again, with who was tried`() {
        register()
        _ = arrive()
        give("1000")
        #expect(tick(1).isEmpty && tick(15.9).isEmpty)
        let expected: [RoutingAction] = [
            .stopRinging(call), .agentDidNotAnswer(DN("1000")!), .ask(first, request(["1000"], waited: 16_000)),
        ]
        #expect(tick(16) == expected)
        control.ordered(order("1000"), by: first, now: at(17), &actions)
        #expect(taken() == [.refuseOrder(first, order("1000"), .unavailable)])
        give("1001", 17)
        control.failed(call, status: 603, now: at(18), &actions)
        #expect(taken() == [.agentDidNotAnswer(DN("1001")!), .ask(first, request(["1000", "1001"], waited: 18_000))])
    }

    @Test(arguments: [(486, false), (600, false), (503, false), (500, false), (480, true), (408, true), (603, true)])
    mutating func `only who did not come to the phone is not ready`(_ status: Int, _ isToBlame: Bool) {
        register()
        _ = arrive()
        give("1000")
        control.failed(call, status: UInt16(status), now: at(2), &actions)
        #expect(taken().contains(.agentDidNotAnswer(DN("1000")!)) == isToBlame)
    }

    @Test mutating func `a token that is not honoured leaves the question open`() {
        register()
        _ = arrive()
        control.ordered(order("1000"), by: first, now: at(1), &actions)
        control.ordered(order("1001", id: 4), by: first, now: at(1), &actions)
        #expect(taken() == [.redeem(call, token("1000")), .refuseOrder(first, order("1001", id: 4), .notAsked)])
        control.redeemed(call, token("1000"), isHonoured: false, now: at(1), &actions)
        #expect(taken() == [.refuseOrder(first, order("1000"), .unavailable)])
        control.ordered(order("1001", id: 5), by: first, now: at(1), &actions)
        #expect(taken() == [.redeem(call, token("1001"))])
        // The first one's answer comes twice.
        control.redeemed(call, token("1000"), isHonoured: true, now: at(1), &actions)
        #expect(taken().isEmpty)
    }

    @Test mutating func `without a router a call goes to the default, then to the alternates, to none twice`() {
        #expect(arrive() == [.ring(call, DN("1900")!)])
        control.failed(call, status: 486, now: at(1), &actions)
        #expect(taken() == [.ring(call, DN("1901")!)])
        control.failed(call, status: 480, now: at(1), &actions)
        #expect(taken() == [.ring(call, DN("1902")!)])
        #expect(tick(16) == [.stopRinging(call), .refuse(call, .busy)])
        #expect(control.count == 0 && control.counters[0].refused == 1 && control.counters[0].defaulted == 1)
        let next = CallConnection(rawValue: 8)
        #expect(arrive(next, 20) == [.ring(next, DN("1900")!)])
        control.failed(next, status: 480, now: at(21), &actions)
        // Each call begins with another alternate.
        #expect(taken() == [.ring(next, DN("1902")!)])
        control.failed(next, status: 480, now: at(21), &actions)
        control.failed(next, status: 480, now: at(21), &actions)
        #expect(taken() == [.ring(next, DN("1901")!), .refuse(next, .unavailable)])
    }

    @Test mutating func `when its time is up a call goes to the default, and the router hears so`() {
        register()
        _ = arrive()
        #expect(tick(0.5) == [.inform(call, nil)] && tick(19.9).isEmpty)
        let used = RoutingAction.endQuestion(first, call, routingPoint: point, .used(DN("1900")!))
        #expect(tick(20) == [.ring(call, DN("1900")!), used])
        control.ordered(order("1000"), by: first, now: at(21), &actions)
        #expect(taken() == [.refuseOrder(first, order("1000"), .notAsked)])
    }

    @Test mutating func `a phone that rings when time is up goes on ringing, and nobody is asked after it`() {
        register()
        _ = arrive()
        give("1000", 10)
        #expect(tick(20).isEmpty)
        let expected: [RoutingAction] = [
            .stopRinging(call), .agentDidNotAnswer(DN("1000")!), .ring(call, DN("1900")!),
        ]
        #expect(tick(25) == expected)
    }

    @Test mutating func `a router may send a call to the default`() {
        register()
        _ = arrive()
        let order = RouteOrder(reference: 3, connection: call, destination: .default)
        control.ordered(order, by: first, now: at(1), &actions)
        #expect(taken() == [.ring(call, DN("1900")!), .confirm(first, order, routingPoint: point, DN("1900")!)])
    }

    @Test mutating func `a caller who gives up ends the question, the order and the ringing`() {
        register()
        _ = arrive()
        control.abandoned(call, now: at(1), &actions)
        #expect(taken() == [.endQuestion(first, call, routingPoint: point, .abandoned)])
        _ = arrive()
        control.ordered(order("1000"), by: first, now: at(1), &actions)
        control.abandoned(call, now: at(1), &actions)
        #expect(taken() == [.redeem(call, token("1000")), .refuseOrder(first, order("1000"), .unknownCall)])
        control.redeemed(call, token("1000"), isHonoured: true, now: at(1), &actions)
        _ = arrive()
        give("1000")
        control.abandoned(call, now: at(3), &actions)
        #expect(taken().isEmpty && control.count == 0)
        #expect(control.counters[0].abandoned == 3 && control.counters[0].present == 0)
    }

    @Test mutating func `one router is asked about all calls, and when it goes the other is at once`() {
        register(second)
        register()
        let calls = (1...3).map { CallConnection(rawValue: $0) }
        for (number, call) in calls.enumerated() {
            #expect(arrive(call, Double(number)) == [.ask(first, request([], call, arrived: UInt64(number) * 1000))])
        }
        control.unregistered(first, from: nil, now: at(4), &actions)
        let asked = calls.enumerated().map { number, call in
            let arrived = UInt64(number) * 1000
            return RoutingAction.ask(second, request([], call, waited: 4000 - arrived, arrived: arrived))
        }
        #expect(taken() == asked)
        control.unregistered(second, from: point, now: at(5), &actions)
        #expect(taken() == calls.map { .ring($0, DN("1900")!) })
        #expect(!control.hasRouter(for: point))
    }

    @Test mutating func `a better router that comes is asked about the calls of the other, which hears so`() {
        register(second)
        let calls = (1...3).map { CallConnection(rawValue: $0) }
        for call in calls { _ = arrive(call) }
        let order = RouteOrder(reference: 3, connection: calls[0], destination: .agent(token("1000")))
        control.ordered(order, by: second, now: at(1), &actions)
        _ = taken()
        register(RouterID(rawValue: 3), for: point, 2)
        #expect(taken().isEmpty)
        register(first, for: point, 2)
        let ends = calls[1...].map { call in
            [
                RoutingAction.endQuestion(second, call, routingPoint: point, .abandoned),
                .ask(first, request([], call, waited: 2000)),
            ]
        }
        #expect(taken() == ends.flatMap(\.self))
        // The order of the other one still counts; if nothing comes of it the better one is asked.
        control.redeemed(calls[0], token("1000"), isHonoured: false, now: at(3), &actions)
        let refused: [RoutingAction] = [
            .refuseOrder(second, order, .unavailable),
            .endQuestion(second, calls[0], routingPoint: point, .abandoned),
            .ask(first, request([], calls[0], waited: 3000)),
        ]
        #expect(taken() == refused)
        let late = RouteOrder(reference: 4, connection: calls[1], destination: .default)
        control.ordered(late, by: second, now: at(4), &actions)
        #expect(taken() == [.refuseOrder(second, late, .notAsked)])
    }

    @Test mutating func `of two connections of one router the older one is asked`() {
        let twin = RouterID(rawValue: 9)
        control.registered(twin, name: "dc1/router1", for: point, now: at(0), &actions)
        register()
        #expect(arrive() == [.ask(first, request())])
        control.unregistered(first, from: nil, now: at(1), &actions)
        #expect(taken() == [.ask(twin, request(waited: 1000))])
    }

    @Test mutating func `a waiting caller hears so every minute`() {
        let slow = RoutingPoint(dn: point, timeout: .seconds(3600))
        control = CallControl(CallControl.Setup(points: [slow]))
        register()
        _ = arrive()
        #expect(tick(0.5) == [.inform(call, nil)])
        #expect(tick(60.4).isEmpty)
        #expect(tick(60.5) == [.inform(call, nil)])
        #expect(tick(120.5) == [.inform(call, nil)])
        #expect(
            tick(3600) == [
                .inform(call, nil), .refuse(call, .unavailable),
                .endQuestion(first, call, routingPoint: point, .abandoned),
            ])
    }

    @Test mutating func `there are no more calls than may be`() {
        var setup = CallControl.Setup(points: [RoutingPoint(dn: point)])
        setup.maximumCalls = 1
        control = CallControl(setup)
        register()
        _ = arrive()
        let next = CallConnection(rawValue: 8)
        #expect(arrive(next) == [.refuse(next, .overloaded)])
        #expect(arrive(call).isEmpty)
        control.abandoned(call, now: at(1), &actions)
        _ = taken()
        #expect(arrive(next).first == .ask(first, request([], next)))
    }

    // MARK: Positions

    private mutating func place(_ position: UInt32, by router: RouterID = first) -> Bool {
        control.positioned(call, QueuePosition(position: position, waiting: 9), by: router)
    }

    private func inform(_ position: UInt32) -> RoutingAction {
        .inform(call, QueuePosition(position: position, waiting: 9))
    }

    @Test mutating func `a caller hears of another position after ten seconds, and of the same every minute`() {
        let slow = RoutingPoint(dn: point, timeout: .seconds(3600))
        control = CallControl(CallControl.Setup(points: [slow]))
        register()
        _ = arrive()
        #expect(place(7) && tick(0.4).isEmpty)
        #expect(tick(0.5) == [inform(7)])
        #expect(place(6) && place(5) && tick(10.4).isEmpty)
        #expect(tick(10.5) == [inform(5)])
        #expect(place(5) && tick(70.4).isEmpty)
        #expect(tick(70.5) == [inform(5)])
        #expect(tick(100).isEmpty && place(4) && tick(100) == [inform(4)])
        #expect(control.summary(of: call)?.position == QueuePosition(position: 4, waiting: 9))
        #expect(control.nextDeadline == at(160).monotonic)
    }

    @Test mutating func `a position counts while its router is asked`() {
        register(second)
        #expect(!place(1, by: second))
        _ = arrive()
        #expect(!place(1) && place(3, by: second))
        register()
        _ = taken()
        #expect(!place(1, by: second) && control.summary(of: call)?.position == nil)
        #expect(tick(0.5) == [.inform(call, nil)])
        #expect(place(2) && control.summary(of: call)?.position?.position == 2)
        give("1000")
        #expect(!place(1) && control.summary(of: call)?.position == nil && tick(10.5).isEmpty)
    }
}
