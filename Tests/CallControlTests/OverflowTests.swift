import AgentSessions
import CallControl
import ClusterModel
import Testing

private let router = RouterID(rawValue: 1)
private let call = CallConnection(rawValue: 7)
private let sales = DN("8000")!
private let support = DN("8001")!
private let evening = DN("8002")!

private func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64(seconds * 1e9), wallMilliseconds: UInt64(seconds * 1000))
}

/// Routing points whose calls go to others when their time is up.
@Suite struct `calls that overflow` {
    private var control = CallControl(
        CallControl.Setup(points: [
            RoutingPoint(dn: sales, timeout: .seconds(20), defaultDN: DN("1900"), overflowPoint: support),
            RoutingPoint(dn: support, timeout: .seconds(30), defaultDN: DN("1901"), priority: 4, overflowPoint: sales),
            RoutingPoint(dn: evening, defaultDN: DN("1902"), overflowPoint: DN("8099")),
        ]))
    private var actions: [RoutingAction] = []

    private mutating func taken() -> [RoutingAction] {
        defer { actions = [] }
        return actions
    }

    private mutating func register(_ points: DN...) {
        for point in points {
            control.registered(router, name: "dc1/router1", for: point, now: at(0), &actions)
        }
    }

    private mutating func arrive(at point: DN = sales) -> [RoutingAction] {
        control.arrived(call, at: point, caller: "4711", now: at(0), &actions)
        return taken()
    }

    private mutating func tick(_ seconds: Double) -> [RoutingAction] {
        control.tick(now: at(seconds), &actions)
        return taken().filter { $0 != .inform(call, nil) }
    }

    private func ask(_ point: DN, _ tried: [String] = [], waited: UInt64 = 0, priority: Int = 0) -> RoutingAction {
        .ask(
            router,
            RouteRequest(
                connection: call, routingPoint: point, caller: "4711", tried: tried.map { DN($0)! },
                priority: priority, waited: waited, arrived: 0))
    }

    private mutating func give(_ dn: String, _ seconds: Double) {
        let token = ReservationToken(dn: DN(dn)!, claim: .zero, lineage: Incarnation(rawValue: 1), number: 1)
        let order = RouteOrder(reference: 3, connection: call, destination: .agent(token))
        control.ordered(order, by: router, now: at(seconds), &actions)
        control.redeemed(call, token, isHonoured: true, now: at(seconds), &actions)
        actions = []
    }

    @Test mutating func `a call whose time is up goes on as old as it is, and its time begins anew`() {
        register(sales, support)
        #expect(arrive() == [ask(sales)])
        _ = tick(0.5)
        let moved: [RoutingAction] = [
            .endQuestion(router, call, routingPoint: sales, .used(support)), ask(support, waited: 20_000, priority: 4),
        ]
        #expect(tick(20) == moved)
        #expect(control.summary(of: call)?.routingPoint == support && control.count == 1)
        #expect(control.counters[0].overflowed == 1 && control.counters[0].present == 0)
        #expect(control.counters[1].arrived == 1 && control.counters[1].present == 1)
        #expect(tick(49.9).isEmpty)
        // It does not go back to where it came from.
        let end = RoutingAction.endQuestion(router, call, routingPoint: support, .used(DN("1901")!))
        #expect(tick(50) == [.ring(call, DN("1901")!), end])
        control.answered(call, by: DN("1901"), now: at(51), &actions)
        #expect(control.counters.map(\.present) == [0, 0, 0] && control.counters[1].answered == 1)
        #expect(control.counters[0].defaulted == 0 && control.counters[1].defaulted == 1)
    }

    @Test mutating func `who was tried at the one is not asked again at the other`() {
        register(sales, support)
        _ = arrive()
        give("1000", 10)
        #expect(tick(20).isEmpty)
        #expect(tick(25).last == ask(support, ["1000"], waited: 25_000, priority: 4))
    }

    @Test mutating func `a router may say that a call is to go on, and hears where it went`() {
        register(sales, support)
        _ = arrive()
        let order = RouteOrder(reference: 3, connection: call, destination: .default)
        control.ordered(order, by: router, now: at(1), &actions)
        let confirmed = RoutingAction.confirm(router, order, routingPoint: sales, support)
        #expect(taken() == [confirmed, ask(support, waited: 1000, priority: 4)])
        control.ordered(order, by: router, now: at(2), &actions)
        #expect(taken().first == .ring(call, DN("1901")!))
    }

    @Test mutating func `where nobody routes the other one's calls they go to its default`() {
        register(sales)
        _ = arrive()
        let moved: [RoutingAction] = [
            .endQuestion(router, call, routingPoint: sales, .used(support)), .ring(call, DN("1901")!),
        ]
        #expect(tick(20) == moved)
        control.failed(call, status: 480, now: at(21), &actions)
        #expect(taken() == [.refuse(call, .unavailable)])
        #expect(control.counters[1].refused == 1 && control.counters.map(\.present) == [0, 0, 0])
        #expect(arrive(at: evening) == [.ring(call, DN("1902")!)])
    }

    @Test mutating func `an order that came too late ends before the call goes on`() {
        register(sales, support)
        _ = arrive()
        let token = ReservationToken(dn: DN("1000")!, claim: .zero, lineage: Incarnation(rawValue: 1), number: 1)
        let order = RouteOrder(reference: 3, connection: call, destination: .agent(token))
        control.ordered(order, by: router, now: at(19), &actions)
        _ = taken()
        let moved: [RoutingAction] = [
            .refuseOrder(router, order, .notAsked), .endQuestion(router, call, routingPoint: sales, .used(support)),
            ask(support, waited: 20_000, priority: 4),
        ]
        #expect(tick(20) == moved)
        control.redeemed(call, token, isHonoured: true, now: at(21), &actions)
        #expect(taken().isEmpty)
    }
}
