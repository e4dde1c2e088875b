import ClusterModel
import Testing
import Trunks

/// One or two nodes' desks, with the calls that their proxies would count.
private final class Desks {
    static let west = TrunkIndex(0)
    static let east = TrunkIndex(1)
    static let first = GatewayIndex(west, 0)
    static let second = GatewayIndex(west, 1)

    var desks: [TrunkDesk] = []
    var use: [[Int]] = []
    var now = Instant(monotonic: 1_000_000_000, wallMilliseconds: 0)

    init(_ count: Int = 1, capacity: Int? = nil, group: Int? = nil) {
        let gateways = (0...2).map {
            SIPListener(transport: .udp, address: NetworkAddress(ipv4: 0x7F00_0001, port: UInt16(5090 + $0)))
        }
        let groups = group.map { [CapacityGroup(name: "all", capacity: $0)] } ?? []
        let position = group == nil ? nil : 0
        for node in 0..<count {
            let setup = TrunkDesk.Setup(
                trunks: [
                    Trunk(name: "west", gateways: Array(gateways[0...1]), capacity: capacity, group: position),
                    Trunk(name: "east", gateways: [gateways[2]], group: position),
                ], groups: groups, me: NodeIndex(node), nodeCount: count)
            desks.append(TrunkDesk(setup, now: now))
            use.append([0, 0])
        }
        for one in 0..<count { for other in 0..<count where one != other { desks[one].linkLive(NodeIndex(other)) } }
        exchange()
    }

    @discardableResult
    func exchange() -> [TrunkAction] {
        var actions: [TrunkAction] = []
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            for one in desks.indices {
                for other in desks.indices where one != other {
                    guard let word = desks[one].nextWord(for: NodeIndex(other)) else { continue }
                    isQuiet = false
                    actions += perform(other) { $0.received(word, from: NodeIndex(one), now: $1, &$2) }
                }
            }
        }
        return actions
    }

    /// What a desk wants done, with its calls counted as the proxy would.
    func perform(
        _ node: Int, _ event: (inout TrunkDesk, Instant, inout [TrunkAction]) -> Void
    ) -> [TrunkAction] {
        var actions: [TrunkAction] = []
        event(&desks[node], now, &actions)
        for action in actions {
            switch action {
            case .admit(_, let trunk): use[node][trunk.position] += 1
            case .dial(_, let gateway): use[node][gateway.trunk.position] += 1
            case .refuseArrival, .refuseDial: break
            }
        }
        desks[node].used(use[node], now: now, &actions)
        return actions
    }

    func dial(_ number: UInt64, over trunk: TrunkIndex = west, at node: Int = 0) -> [TrunkAction] {
        perform(node) { $0.dial(CallConnection(rawValue: number), over: trunk, now: $1, &$2) }
    }

    func arrive(_ number: UInt64, from trunk: TrunkIndex = west, at node: Int = 0) -> [TrunkAction] {
        perform(node) { $0.arrived(CallConnection(rawValue: number), from: trunk, now: $1, &$2) }
    }

    func fail(_ number: UInt64, _ status: UInt16, hadProgress: Bool = false) -> [TrunkAction] {
        perform(0) {
            $0.failed(CallConnection(rawValue: number), status: status, hadProgress: hadProgress, now: $1, &$2)
        }
    }

    func over(_ trunk: TrunkIndex, at node: Int = 0) -> [TrunkAction] {
        use[node][trunk.position] -= 1
        return perform(node) { _, _, _ in }
    }

    func wait(_ seconds: UInt64, at node: Int = 0) -> [TrunkAction] {
        now = Instant(monotonic: now.monotonic + seconds * 1_000_000_000, wallMilliseconds: now.wallMilliseconds)
        return perform(node) { $0.tick(now: $1, &$2) }
    }
}

private func call(_ number: UInt64) -> CallConnection { CallConnection(rawValue: number) }

@Suite struct TrunkDeskTests {
    @Test func `a call goes to the first gateway, and to the next one that is there`() {
        let desks = Desks()
        #expect(desks.dial(1) == [.dial(call(1), Desks.first)])
        #expect(desks.fail(1, 503) == [.dial(call(1), Desks.second)])
        #expect(desks.fail(1, 500) == [.refuseDial(call(1), .refused(status: 500))])
        #expect(desks.desks[0].counters[0].failovers == 1)
        #expect(desks.desks[0].counters[0].failed == 1)
    }

    @Test func `a gateway that was silent is tried last by the next call`() {
        let desks = Desks()
        #expect(desks.dial(1) == [.dial(call(1), Desks.first)])
        #expect(desks.fail(1, 408) == [.dial(call(1), Desks.second)])
        #expect(desks.dial(2) == [.dial(call(2), Desks.second)])
    }

    @Test(arguments: [486, 404, 603, 480] as [UInt16])
    func `what the telephone says is no reason to try another gateway`(status: UInt16) {
        let desks = Desks()
        _ = desks.dial(1)
        #expect(desks.fail(1, status) == [.refuseDial(call(1), .refused(status: status))])
    }

    @Test func `what comes after the telephone has rung is no reason either`() {
        let desks = Desks()
        _ = desks.dial(1)
        #expect(desks.fail(1, 503, hadProgress: true) == [.refuseDial(call(1), .refused(status: 503))])
    }

    @Test func `a full trunk refuses in both directions, and the other trunk has room`() {
        let desks = Desks(capacity: 2)
        #expect(desks.dial(1) == [.dial(call(1), Desks.first)])
        #expect(desks.arrive(2) == [.admit(call(2), Desks.west)])
        #expect(desks.arrive(3) == [.refuseArrival(call(3))])
        #expect(desks.dial(4) == [.refuseDial(call(4), .full)])
        #expect(desks.dial(5, over: Desks.east) == [.dial(call(5), GatewayIndex(Desks.east, 0))])
        #expect(desks.desks[0].counters[0].full == 2)
        #expect(desks.over(Desks.west) == [])
        #expect(desks.arrive(6) == [.admit(call(6), Desks.west)])
    }

    @Test func `trunks of a group share its capacity`() {
        let desks = Desks(capacity: 5, group: 2)
        #expect(desks.dial(1) == [.dial(call(1), Desks.first)])
        #expect(desks.dial(2, over: Desks.east).count == 1)
        #expect(desks.dial(3) == [.refuseDial(call(3), .full)])
        #expect(desks.dial(4, over: Desks.east) == [.refuseDial(call(4), .full)])
        #expect(desks.over(Desks.east) == [])
        #expect(desks.dial(5) == [.dial(call(5), Desks.first)])
    }

    @Test func `a call for which there is no place waits for a peer's word`() {
        let desks = Desks(2, capacity: 1)
        #expect(desks.dial(1, at: 1) == [])
        #expect(desks.desks[1].waitingCount == 1)
        #expect(desks.exchange() == [.dial(call(1), Desks.first)])
        #expect(desks.dial(2, at: 0) == [.refuseDial(call(2), .full)])
        _ = desks.over(Desks.west, at: 1)
        desks.exchange()
        #expect(desks.dial(3, at: 0) == [])
        #expect(desks.exchange() == [.dial(call(3), Desks.first)])
    }

    @Test func `a call does not wait for ever, and not for a peer that is lost`() {
        let desks = Desks(2, capacity: 1)
        #expect(desks.dial(1, at: 1) == [])
        #expect(desks.wait(2, at: 1) == [.refuseDial(call(1), .full)])
        #expect(desks.dial(2, at: 1) == [])
        #expect(
            desks.perform(1) { $0.linkLost(NodeIndex(0), now: $1, &$2) } == [.refuseDial(call(2), .full)])
    }

    @Test func `calls that end while they wait take no place`() {
        let desks = Desks(2, capacity: 1)
        _ = desks.dial(1, at: 1)
        desks.desks[1].ended(call(1), now: desks.now)
        #expect(desks.exchange() == [])
        #expect(desks.desks[1].waitingCount == 0)
    }

    @Test func `a trunk without a gateway that is there refuses at once`() {
        let desks = Desks()
        let setup = TrunkDesk.Setup(
            trunks: [
                Trunk(
                    name: "west",
                    gateways: [SIPListener(transport: .tls, address: NetworkAddress(ipv4: 1, port: 5061))])
            ], reachable: [[false]])
        desks.desks[0] = TrunkDesk(setup, now: desks.now)
        desks.use[0] = [0]
        #expect(desks.dial(1) == [.refuseDial(call(1), .noGateway)])
    }
}
