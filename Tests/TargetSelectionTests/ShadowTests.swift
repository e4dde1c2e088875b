import AgentSessions
import ClusterModel
import TargetSelection
import Testing

@Suite struct ShadowTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `whatever happens, calls are served in order, nobody twice, and none waits for nothing`(seed: UInt64) {
        var game = Game(seed: seed)
        for _ in 0..<20_000 where game.problems.isEmpty { game.step() }
        #expect(game.problems.isEmpty, "\(game.problems.prefix(3))")
        let counts = [
            game.reservations, game.served, game.givenUp, game.overflows, game.skilled, game.unreachable,
            game.turnedAway, game.positions,
        ]
        #expect(zip(counts, [1500, 300, 10, 10, 50, 150, 10, 100]).allSatisfy { $0 > $1 }, "\(counts)")
    }

    @Test func `a seed repeats exactly`() {
        func actions() -> [RouterAction] {
            let desk = Desk { $0.routingPoints = [RoutingPoint(dn: sales, strategy: .random)] }
            var random = SeededRandom(seed: 4)
            var actions: [RouterAction] = []
            for step in 0..<2000 {
                let time = UInt64(step) * 50
                actions += desk.told(row(random.below(40), since: time), at: time)
                actions += desk.requested(request(UInt64(random.below(50))), at: time)
                actions += desk.tick(at: time)
            }
            return actions
        }
        let first = actions()
        #expect(first.count > 100 && first == actions())
    }
}
