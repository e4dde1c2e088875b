import AgentSessions
import CallControl
import ClusterModel
import Testing

private let bounds = StateTransfer.Bounds(dns: 10, nodes: 3, trunks: 0)
private let first = RouterID(rawValue: 1)
private let second = RouterID(rawValue: 2)

private func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64(seconds * 1e9), wallMilliseconds: UInt64(seconds * 1000))
}

private func call(_ number: UInt64) -> CallConnection { CallConnection(rawValue: number) }

/// Every prefix of some bytes, and thousands of changes of single bytes.
private func damaged(_ bytes: [UInt8]) -> [[UInt8]] {
    var damaged = bytes.indices.map { Array(bytes[..<$0]) }
    var random: UInt64 = 1
    for _ in 0..<4_000 {
        random = mixed(random &+ 1)
        var changed = bytes
        changed[Int(random >> 16) % bytes.count] = UInt8(truncatingIfNeeded: random)
        damaged.append(changed)
    }
    return damaged
}

/// What a process tells its successor of calls at routing points.
@Suite struct CallControlTransferTests {
    private let points = [
        RoutingPoint(
            dn: DN("8000")!, timeout: .seconds(20), ringTimeout: .seconds(8), defaultDN: DN("1900"),
            alternates: [DN("1901")!, DN("1902")!, DN("1903")!], overflowPoint: DN("8001")),
        RoutingPoint(dn: DN("8001")!, timeout: .seconds(12), ringTimeout: .seconds(5), alternates: [DN("1904")!]),
        RoutingPoint(dn: DN("8002")!, defaultDN: DN("1905")),
    ]

    private func empty() -> CallControl {
        var setup = CallControl.Setup(points: points)
        setup.maximumCalls = 40
        return CallControl(setup)
    }

    private func order(_ number: UInt64, _ dn: UInt64, _ id: UInt32 = 3) -> RouteOrder {
        let token = ReservationToken(
            dn: DN(decimal: dn, length: 4), claim: Stamp(rawValue: 5), lineage: Incarnation(rawValue: 1), number: dn)
        return RouteOrder(reference: id, connection: call(number), destination: .agent(token))
    }

    /// Something that happens, whatever was before.
    private func step(_ control: inout CallControl, _ random: inout UInt64, _ now: Instant) -> [RoutingAction] {
        func draw(_ bound: UInt64) -> UInt64 {
            random = mixed(random &+ 1)
            return random % bound
        }
        var actions: [RoutingAction] = []
        let number = draw(30)
        let point = points[Int(draw(3))].dn
        let router = draw(2) == 0 ? first : second
        let order = order(number, 1000 + draw(5))
        switch draw(14) {
        case 0, 1, 2, 3: control.arrived(call(number), at: point, caller: "47\(number)", now: now, &actions)
        case 4: control.answered(call(number), by: DN("1001"), now: now, &actions)
        case 5: control.abandoned(call(number), now: now, &actions)
        case 6: control.failed(call(number), status: draw(2) == 0 ? 486 : 480, now: now, &actions)
        case 7, 8, 9: control.ordered(order, by: router, now: now, &actions)
        case 10:
            if case .agent(let token) = order.destination {
                control.redeemed(call(number), token, isHonoured: draw(3) > 0, now: now, &actions)
            }
        case 11: _ = control.positioned(call(number), QueuePosition(position: 3, waiting: 9), by: router)
        case 12:
            draw(3) == 0
                ? control.unregistered(router, from: draw(2) == 0 ? nil : point, now: now, &actions)
                : control.registered(router, name: "router\(router.rawValue)", for: point, now: now, &actions)
        default:
            let other = RouteOrder(reference: 4, connection: call(number), destination: .default)
            control.ordered(other, by: router, now: now, &actions)
        }
        control.tick(now: now, &actions)
        return actions
    }

    private func rich(_ seed: UInt64) -> CallControl {
        var (control, random) = (empty(), seed)
        for turn in 0..<200 { _ = step(&control, &random, at(Double(turn) * 0.3)) }
        _ = control.takeEvents()
        return control
    }

    private func expectSame(_ one: CallControl, _ other: CallControl) {
        #expect(one.count == other.count && one.nextDeadline == other.nextDeadline)
        #expect(one.counters == other.counters && one.routerCounts == other.routerCounts)
        #expect(one.connections.map { one.summary(of: $0) } == other.connections.map { other.summary(of: $0) })
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `calls go on under a successor as they would have`(seed: UInt64) {
        var control = rich(seed)
        var copy = empty()
        let bytes = StateTransfer.written(&control)
        #expect(StateTransfer.read(bytes, within: bounds, into: &copy) == nil)
        #expect(StateTransfer.written(&copy) == bytes)
        expectSame(copy, control)
        var (random, same) = (seed &* 77, seed &* 77)
        for turn in 200..<500 {
            let now = at(Double(turn) * 0.3)
            #expect(step(&copy, &same, now) == step(&control, &random, now))
        }
        expectSame(copy, control)
        #expect(copy.takeEvents() == control.takeEvents())
    }

    @Test func `no bytes are dangerous`() {
        var control = rich(5)
        #expect(control.count >= 5)
        var taken = 0
        for bytes in damaged(StateTransfer.written(&control)) {
            var copy = empty()
            guard StateTransfer.read(bytes, within: bounds, into: &copy) == nil else { continue }
            taken += 1
            var random: UInt64 = 9
            for turn in 200..<300 { _ = step(&copy, &random, at(Double(turn) * 0.3)) }
        }
        #expect(taken > 100)
    }
}

/// What a process tells its successor of other nodes' words, and of those that it owes them.
@Suite struct CallWitnessesTransferTests {
    private func told(_ number: UInt64) -> DNCall {
        DNCall(connection: call(number), phase: .established, since: 5, other: "4711")
    }

    private func rich() -> CallWitnesses {
        var witnesses = CallWitnesses()
        for position in 0..<6 {
            for node in 1...2 where position != 5 {
                witnesses.told(
                    [told(UInt64(position)), told(UInt64(10 * node))], of: DNIndex(position), by: NodeIndex(node),
                    ended: nil)
            }
        }
        witnesses.expectWord(of: DNIndex(2), by: NodeIndex(1), now: at(1))
        _ = witnesses.takeChanged()
        witnesses.linkLost(NodeIndex(2), now: at(2))
        witnesses.phoneWasBusy(DNIndex(5), now: at(3))
        witnesses.phoneWasBusy(DNIndex(1), now: at(4))
        return witnesses
    }

    private func future(_ witnesses: inout CallWitnesses, every seconds: Int = 1) -> [String] {
        var seen: [String] = []
        for time in stride(from: 5, through: 40, by: seconds) {
            if time == 10 { witnesses.recounted(by: NodeIndex(2)) }
            witnesses.tick(now: at(Double(time)))
            seen.append("\(witnesses.takeChanged()) \(witnesses.count) \(String(describing: witnesses.nextDeadline))")
            for position in 0..<6 {
                let dn = DNIndex(position)
                seen.append("\(witnesses.calls(of: dn)) \(witnesses.words(of: dn)) \(witnesses.isSaidBusy(dn))")
            }
        }
        return seen
    }

    @Test func `words count under a successor for as long as they would have, and no bytes are dangerous`() {
        var witnesses = rich()
        let bytes = StateTransfer.written(&witnesses)
        var copy = CallWitnesses()
        #expect(StateTransfer.read(bytes, within: bounds, into: &copy) == nil)
        #expect(StateTransfer.written(&copy) == bytes)
        #expect(future(&copy) == future(&witnesses))
        for bytes in damaged(bytes) {
            var copy = CallWitnesses()
            if StateTransfer.read(bytes, within: bounds, into: &copy) == nil { _ = future(&copy, every: 5) }
        }
    }

    @Test func `what a peer is still to be told it is told by the successor`() {
        var reports = CallReports()
        for position in [4, 2, 6, 2] { reports.owe(DNIndex(position)) }
        reports.owe(DNIndex(6), ended: DNCalls.Ended(connection: call(1), end: .abandoned))
        #expect(reports.next() == .calls(of: DNIndex(4), ended: nil))
        reports.owe(DNIndex(4))
        reports.oweRecount()
        let bytes = StateTransfer.written(&reports)
        var copy = CallReports()
        #expect(StateTransfer.read(bytes, within: bounds, into: &copy) == nil)
        #expect(StateTransfer.written(&copy) == bytes)
        for _ in 0..<5 { #expect(copy.next() == reports.next()) }
        #expect(copy.isEmpty && reports.isEmpty)
        for bytes in damaged(bytes) {
            var copy = CallReports()
            if StateTransfer.read(bytes, within: bounds, into: &copy) == nil { while copy.next() != nil {} }
        }
    }
}
