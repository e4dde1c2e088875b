import ClusterModel
import TargetSelection
import Testing

@Suite struct StrategyTests {
    @Test func `longest idle ranks by since when an agent is free`() {
        let early = RankedAgent(availableSince: 10, lastChosen: 9)
        let late = RankedAgent(availableSince: 11, lastChosen: 1)
        #expect(LongestIdle.rank(of: early) < LongestIdle.rank(of: late))
        #expect(rank(.longestIdle, early) == 10 && rank(.longestIdle, late) == 11)
    }

    @Test func `round robin ranks by the last choice, and before all who was never chosen`() {
        let never = RankedAgent(availableSince: 99, lastChosen: 0)
        let before = RankedAgent(availableSince: 1, lastChosen: 4)
        let after = RankedAgent(availableSince: 1, lastChosen: 5)
        #expect(RoundRobin.rank(of: never) < RoundRobin.rank(of: before))
        #expect(RoundRobin.rank(of: before) < RoundRobin.rank(of: after))
        #expect(rank(.roundRobin, never) == 0 && rank(.roundRobin, after) == 5)
    }

    @Test func `random ranks nobody, and each draw is another position of those that are left`() {
        #expect(rank(.random, RankedAgent(availableSince: 1, lastChosen: 2)) == nil)
        let positions = (0..<8).map { RandomChoice.position(among: 6, excluding: [0, 2, 3], draw: $0) }
        #expect(positions == [1, 4, 5, 1, 4, 5, 1, 4])
        #expect(RandomChoice.position(among: 3, excluding: [2], draw: .max) == 1)
        #expect(RandomChoice.position(among: 2, excluding: [0, 1], draw: 5) == nil)
        #expect(RandomChoice.position(among: 0, excluding: [], draw: 5) == nil)
    }

    @Test
    func
        `skill ranks by the sum of the levels that count, and priority by priority; of equals who is free for longest`()
    {
        func agent(_ level: UInt16, _ priority: UInt8, since: UInt64) -> RankedAgent {
            RankedAgent(availableSince: since, lastChosen: 0, level: level, priority: priority)
        }
        let ranks = [agent(800, 0, since: 9), agent(10, 0, since: 1), agent(10, 9, since: 2), agent(0, 0, since: 0)]
            .map { rank(.skill, $0) ?? 0 }
        #expect(ranks == ranks.sorted() && Set(ranks).count == 4)
        let orders = [agent(1, 100, since: 9), agent(9, 2, since: 1), agent(0, 2, since: 2), agent(0, 0, since: 0)]
            .map { rank(.priority, $0) ?? 0 }
        #expect(orders == orders.sorted() && Set(orders).count == 4)
    }

    private func rank(_ strategy: RoutingStrategy, _ agent: RankedAgent) -> UInt64? {
        switch strategy.rule {
        case .least(let rank): rank(agent)
        case .anybody: nil
        }
    }
}

@Suite struct RankedHeapsTests {
    @Test func `heaps give their slots in order, whatever has been moved and taken out`() {
        var heaps = RankedHeaps<UInt64>()
        var random = SeededRandom(seed: 3)
        var shadow: [Int: (rank: UInt64, heap: Int)] = [:]
        for step in 0..<20_000 {
            let slot = random.below(60)
            if random.below(3) == 0 {
                heaps.remove(slot)
                shadow[slot] = nil
            } else {
                let (rank, heap) = (UInt64(random.below(40)), random.below(3))
                heaps.set(slot, to: rank, in: heap)
                shadow[slot] = (rank, heap)
            }
            guard step % 50 == 0 else { continue }
            for numbers in [[0], [1, 2], [0, 1, 2], [7]] {
                let expected = shadow.filter { numbers.contains($0.value.heap) }
                    .sorted { ($0.value.rank, $0.key) < ($1.value.rank, $1.key) }.map(\.key)
                #expect(Array(heaps.ascending(in: numbers)) == expected)
            }
            let listed = (0..<heaps.count(in: 1..<3)).map { heaps.slot(at: $0, in: 1..<3) }
            #expect(listed.sorted() == shadow.filter { $0.value.heap > 0 }.keys.sorted())
            #expect(listed.enumerated().allSatisfy { heaps.position(of: $0.element, in: 1..<3) == $0.offset })
            #expect(heaps.count == shadow.count)
            #expect((0..<60).allSatisfy { heaps.contains($0) == (shadow[$0] != nil) })
        }
    }
}
