import AgentSessions
import CallControl
import ClusterModel
import Testing

private let router = RouterID(rawValue: 1)
private let point = DN("8000")!

private func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64(seconds * 1e9), wallMilliseconds: 5_000 + UInt64(seconds * 1000))
}

private func call(_ number: UInt64) -> CallConnection { CallConnection(rawValue: number) }

/// What is told of calls beside each change of the counters.
@Suite struct PointEventTests {
    private var control = CallControl(
        CallControl.Setup(points: [RoutingPoint(dn: point, timeout: .seconds(20), defaultDN: DN("1900"))]))
    private var actions: [RoutingAction] = []

    private func event(
        _ outcome: PointEvent.Outcome, _ number: UInt64, _ seconds: Double, waited: UInt64 = 0, to dn: String? = nil
    ) -> PointEvent {
        PointEvent(
            outcome, call(number), at: point, waited: waited, time: at(seconds).wallMilliseconds,
            destination: dn.flatMap { DN($0) })
    }

    private mutating func arrive(_ number: UInt64, _ seconds: Double) {
        control.arrived(call(number), at: point, caller: "", now: at(seconds), &actions)
    }

    @Test mutating func `a call waits, and is answered or given up`() {
        control.registered(router, name: "dc1/router1", for: point, now: at(0), &actions)
        arrive(1, 0)
        arrive(2, 1)
        control.answered(call(1), by: DN("1001"), now: at(2.5), &actions)
        control.abandoned(call(2), now: at(3), &actions)
        control.abandoned(call(2), now: at(4), &actions)
        let events = [
            event(.waiting, 1, 0), event(.waiting, 2, 1), event(.answered, 1, 2.5, waited: 2_500, to: "1001"),
            event(.abandoned, 2, 3, waited: 2_000),
        ]
        #expect(control.takeEvents() == events)
        #expect(control.takeEvents().isEmpty)
    }

    @Test mutating func `a call goes to the default DN, and is refused there`() {
        control.registered(router, name: "dc1/router1", for: point, now: at(0), &actions)
        arrive(1, 0)
        control.tick(now: at(20), &actions)
        control.failed(call(1), status: 486, now: at(21), &actions)
        let events = [
            event(.waiting, 1, 0), event(.defaulted, 1, 20, waited: 20_000, to: "1900"),
            event(.refused, 1, 21, waited: 21_000),
        ]
        #expect(control.takeEvents() == events)
    }

    @Test mutating func `a call that goes to another routing point leaves one and comes to the other`() {
        control = CallControl(
            CallControl.Setup(points: [
                RoutingPoint(dn: point, timeout: .seconds(20), overflowPoint: DN("8001")),
                RoutingPoint(dn: DN("8001")!),
            ]))
        for dn in [point, DN("8001")!] {
            control.registered(router, name: "dc1/router1", for: dn, now: at(0), &actions)
        }
        arrive(1, 0)
        control.tick(now: at(20), &actions)
        control.answered(call(1), by: DN("1001"), now: at(22), &actions)
        var anew = event(.waiting, 1, 20)
        var taken = event(.answered, 1, 22, waited: 2_000, to: "1001")
        (anew.point, taken.point) = (DN("8001")!, DN("8001")!)
        #expect(
            control.takeEvents() == [
                event(.waiting, 1, 0), event(.overflowed, 1, 20, waited: 20_000, to: "8001"), anew, taken,
            ])
    }

    @Test mutating func `a call for which there is no room comes and is refused`() {
        var setup = CallControl.Setup(points: [RoutingPoint(dn: point)])
        setup.maximumCalls = 1
        control = CallControl(setup)
        control.registered(router, name: "dc1/router1", for: point, now: at(0), &actions)
        arrive(1, 0)
        arrive(2, 1)
        #expect(control.takeEvents() == [event(.waiting, 1, 0), event(.waiting, 2, 1), event(.refused, 2, 1)])
    }

    /// Whatever happens, the counters are those of the events.
    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    mutating func `counters follow from the events`(seed: UInt64) {
        var state = seed
        func draw(_ bound: UInt64) -> UInt64 {
            state = mixed(state &+ 1)
            return state % bound
        }
        var setup = CallControl.Setup(points: [
            RoutingPoint(dn: point, timeout: .seconds(4), ringTimeout: .seconds(2), overflowPoint: DN("8001")),
            RoutingPoint(dn: DN("8001")!, timeout: .seconds(3), ringTimeout: .seconds(2), defaultDN: DN("1900")),
        ])
        setup.maximumCalls = 5
        control = CallControl(setup)
        var now = 0.0
        for step in 0..<300 {
            now += Double(draw(1_500)) / 1_000
            let number = draw(12)
            switch draw(7) {
            case 0, 1: arrive(number, now)
            case 2: control.answered(call(number), by: DN("1001"), now: at(now), &actions)
            case 3: control.abandoned(call(number), now: at(now), &actions)
            case 4: control.failed(call(number), status: 480, now: at(now), &actions)
            case 5:
                step % 2 == 0
                    ? control.registered(
                        router, name: "dc1/router1", for: draw(2) == 0 ? point : DN("8001")!, now: at(now), &actions)
                    : control.unregistered(router, from: nil, now: at(now), &actions)
            default: control.tick(now: at(now), &actions)
            }
        }
        let all = control.takeEvents()
        for (position, dn) in [point, DN("8001")!].enumerated() {
            let events = all.filter { $0.point == dn }
            func count(_ outcome: PointEvent.Outcome) -> UInt64 { UInt64(events.count { $0.outcome == outcome }) }
            let counters = control.counters[position]
            #expect(counters.arrived == count(.waiting) && counters.answered == count(.answered))
            #expect(counters.abandoned == count(.abandoned) && counters.refused == count(.refused))
            #expect(counters.defaulted == count(.defaulted) && counters.overflowed == count(.overflowed))
            #expect(counters.present == count(.waiting) - UInt64(events.count { $0.outcome.isEnd }))
        }
        #expect(control.counters[0].arrived > 20 && control.counters[0].overflowed == control.counters[1].arrived)
    }
}
