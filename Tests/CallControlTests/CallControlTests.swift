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

    private func request(_ tried: [String] = [], _ connection: CallConnection = call) -> RouteRequest {
        RouteRequest(connection: connection, routingPoint: point, caller: "4711", tried: tried.map { DN($0)! })
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
        control.registered(first, for: point)
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
        control.registered(first, for: point)
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
        control.registered(first, for: point)
        _ = arrive()
        give("1000")
        #expect(tick(1).isEmpty && tick(15.9).isEmpty)
        let expected: [RoutingAction] = [
            .stopRinging(call), .agentDidNotAnswer(DN("1000")!), .ask(first, request(["1000"])),
        ]
        #expect(tick(16) == expected)
        control.ordered(order("1000"), by: first, now: at(17), &actions)
        #expect(taken() == [.refuseOrder(first, order("1000"), .unavailable)])
        give("1001", 17)
        control.failed(call, status: 603, now: at(18), &actions)
        #expect(taken() == [.agentDidNotAnswer(DN("1001")!), .ask(first, request(["1000", "1001"]))])
    }

    @Test(arguments: [(486, false), (600, false), (503, false), (500, false), (480, true), (408, true), (603, true)])
    mutating func `only who did not come to the phone is not ready`(_ status: Int, _ isToBlame: Bool) {
        control.registered(first, for: point)
        _ = arrive()
        give("1000")
        control.failed(call, status: UInt16(status), now: at(2), &actions)
        #expect(taken().contains(.agentDidNotAnswer(DN("1000")!)) == isToBlame)
    }

    @Test mutating func `a token that is not honoured leaves the question open`() {
        control.registered(first, for: point)
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
        control.registered(first, for: point)
        _ = arrive()
        #expect(tick(0.5) == [.inform(call)] && tick(19.9).isEmpty)
        let used = RoutingAction.endQuestion(first, call, routingPoint: point, .used(DN("1900")!))
        #expect(tick(20) == [.ring(call, DN("1900")!), used])
        control.ordered(order("1000"), by: first, now: at(21), &actions)
        #expect(taken() == [.refuseOrder(first, order("1000"), .notAsked)])
    }

    @Test mutating func `a phone that rings when time is up goes on ringing, and nobody is asked after it`() {
        control.registered(first, for: point)
        _ = arrive()
        give("1000", 10)
        #expect(tick(20).isEmpty)
        let expected: [RoutingAction] = [
            .stopRinging(call), .agentDidNotAnswer(DN("1000")!), .ring(call, DN("1900")!),
        ]
        #expect(tick(25) == expected)
    }

    @Test mutating func `a router may send a call to the default`() {
        control.registered(first, for: point)
        _ = arrive()
        let order = RouteOrder(reference: 3, connection: call, destination: .default)
        control.ordered(order, by: first, now: at(1), &actions)
        #expect(taken() == [.ring(call, DN("1900")!), .confirm(first, order, routingPoint: point, DN("1900")!)])
    }

    @Test mutating func `a caller who gives up ends the question, the order and the ringing`() {
        control.registered(first, for: point)
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

    @Test mutating func `routers share the calls, and when one goes the other is asked`() {
        control.registered(first, for: point)
        control.registered(second, for: point)
        let calls = (1...4).map { CallConnection(rawValue: $0) }
        let asked = calls.map { arrive($0) }.map { actions -> RouterID? in
            if case .ask(let router, _)? = actions.first { router } else { nil }
        }
        #expect(asked == [first, second, first, second])
        control.unregistered(first, from: nil, now: at(1), &actions)
        #expect(taken() == [.ask(second, request([], calls[0])), .ask(second, request([], calls[2]))])
        control.unregistered(second, from: point, now: at(2), &actions)
        #expect(taken() == calls.map { .ring($0, DN("1900")!) })
        #expect(!control.hasRouter(for: point))
    }

    @Test mutating func `a waiting caller hears so every minute`() {
        let slow = RoutingPoint(dn: point, timeout: .seconds(3600))
        control = CallControl(CallControl.Setup(points: [slow]))
        control.registered(first, for: point)
        _ = arrive()
        #expect(tick(0.5) == [.inform(call)])
        #expect(tick(60.4).isEmpty)
        #expect(tick(60.5) == [.inform(call)])
        #expect(tick(120.5) == [.inform(call)])
        #expect(
            tick(3600) == [
                .inform(call), .refuse(call, .unavailable), .endQuestion(first, call, routingPoint: point, .abandoned),
            ])
    }

    @Test mutating func `there are no more calls than may be`() {
        var setup = CallControl.Setup(points: [RoutingPoint(dn: point)])
        setup.maximumCalls = 1
        control = CallControl(setup)
        control.registered(first, for: point)
        _ = arrive()
        let next = CallConnection(rawValue: 8)
        #expect(arrive(next) == [.refuse(next, .overloaded)])
        #expect(arrive(call).isEmpty)
        control.abandoned(call, now: at(1), &actions)
        _ = taken()
        #expect(arrive(next).first == .ask(first, request([], next)))
    }
}
