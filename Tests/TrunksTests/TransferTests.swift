import ClusterModel
import Testing
import Trunks

private let bounds = StateTransfer.Bounds(dns: 0, nodes: 3, trunks: 2)

private func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64(seconds * 1e9), wallMilliseconds: UInt64(seconds * 1000))
}

/// What a process tells its successor of trunks.
@Suite struct TrunkTransferTests {
    /// One of three nodes that have few places.
    private func empty(_ now: Instant) -> TrunkDesk {
        let gateways = (0...3).map {
            SIPListener(transport: .udp, address: NetworkAddress(ipv4: 0x7F00_0001, port: UInt16(5090 + $0)))
        }
        var setup = TrunkDesk.Setup(
            trunks: [
                Trunk(name: "west", gateways: Array(gateways[0...2]), capacity: 7, group: 0, check: .seconds(3)),
                Trunk(name: "east", gateways: [gateways[3]], group: 0),
            ], groups: [CapacityGroup(name: "all", capacity: 12)], me: NodeIndex(1), nodeCount: 3,
            reachable: [[true, true, false], [true]])
        setup.seed = 4
        return TrunkDesk(setup, now: now)
    }

    /// Something that happens, whatever was before; all that the desk says to it.
    private func step(_ desk: inout TrunkDesk, _ random: inout UInt64, _ now: Instant) -> [String] {
        func draw(_ bound: UInt64) -> UInt64 {
            random = mixed(random &+ 1)
            return random % bound
        }
        var actions: [TrunkAction] = []
        let connection = CallConnection(rawValue: draw(12))
        let trunk = TrunkIndex(Int(draw(2)))
        let peer = NodeIndex(draw(2) == 0 ? 0 : 2)
        switch draw(11) {
        case 0, 1: desk.arrived(connection, from: trunk, now: now, &actions)
        case 2, 3: desk.dial(connection, over: trunk, now: now, &actions)
        case 4: desk.failed(connection, status: draw(2) == 0 ? 408 : 503, hadProgress: false, now: now, &actions)
        case 5: desk.ended(connection, isAnswered: draw(2) == 0, now: now)
        case 6: desk.used([Int(draw(4)), Int(draw(3))], now: now, &actions)
        case 7: draw(3) == 0 ? desk.linkLost(peer, now: now, &actions) : desk.linkLive(peer)
        case 8, 9:
            let name = draw(2) == 0 ? CapacityName.trunk("west") : .group("all")
            let word = CapacityWord(
                name: name, given: draw(3), taken: draw(2), spare: UInt32(draw(4)), wanted: UInt32(draw(2)),
                question: UInt32(draw(5)), answer: UInt32(draw(3)))
            desk.received(word, from: peer, now: now, &actions)
        default: desk.answered(GatewayIndex(TrunkIndex(0), 0), number: UInt32(draw(9)), now: now)
        }
        desk.tick(now: now, &actions)
        var said = ["\(actions)"]
        while let question = desk.nextQuestion(now: now), said.count < 40 { said.append("\(question)") }
        // Every other time the links have no room.
        if draw(2) == 0 {
            while let word = desk.nextWord(for: peer), said.count < 40 { said.append("\(word)") }
        }
        return said
    }

    private func summary(_ desk: TrunkDesk) -> String {
        let shares = (0..<desk.shares.count).map { pool in
            "\(desk.shares.holding(pool)) \(desk.shares.free(pool)) \(desk.shares.deficit(pool))"
        }
        let gateways = (0..<3).map { position in
            let gateway = GatewayIndex(TrunkIndex(0), position)
            return "\(desk.watch.state(of: gateway)) \(desk.watch.since(of: gateway))"
        }
        return "\(shares) \(gateways) \(desk.counters) \(desk.waitingCount) \(desk.arrivingCount)"
            + " \(desk.use(of: TrunkIndex(0))) \(String(describing: desk.nextDeadline)) \(desk.shares.isInDoubt)"
    }

    private func rich(_ seed: UInt64, turns: Int) -> TrunkDesk {
        var (desk, random) = (empty(at(1)), seed)
        for turn in 0..<turns { _ = step(&desk, &random, at(1 + Double(turn) * 0.1)) }
        return desk
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `a successor has the places, the calls and the gateways that its node had`(seed: UInt64) {
        let turns = 20 + Int(seed) * 4
        var desk = rich(seed, turns: turns)
        // It begins later, and would settle later.
        var copy = empty(at(1000))
        let bytes = StateTransfer.written(&desk)
        #expect(StateTransfer.read(bytes, within: bounds, into: &copy) == nil)
        #expect(StateTransfer.written(&copy) == bytes)
        #expect(summary(copy) == summary(desk))
        var (random, same) = (seed &* 77, seed &* 77)
        for turn in turns..<turns + 200 {
            let now = at(1 + Double(turn) * 0.1)
            #expect(step(&copy, &same, now) == step(&desk, &random, now))
        }
        #expect(summary(copy) == summary(desk))
    }

    @Test func `no bytes are dangerous`() {
        var desk = rich(3, turns: 70)
        let bytes = StateTransfer.written(&desk)
        var damaged = bytes.indices.map { Array(bytes[..<$0]) }
        var random: UInt64 = 1
        for _ in 0..<4_000 {
            random = mixed(random &+ 1)
            var changed = bytes
            changed[Int(random >> 16) % bytes.count] = UInt8(truncatingIfNeeded: random)
            damaged.append(changed)
        }
        var taken = 0
        for bytes in damaged {
            var copy = empty(at(8))
            guard StateTransfer.read(bytes, within: bounds, into: &copy) == nil else { continue }
            taken += 1
            var random: UInt64 = 9
            for turn in 70..<170 { #expect(step(&copy, &random, at(1 + Double(turn) * 0.1)).count < 40) }
        }
        #expect(taken > 100)
    }
}
