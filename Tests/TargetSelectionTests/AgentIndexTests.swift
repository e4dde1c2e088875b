import AgentSessions
import ClusterModel
import TargetSelection
import Testing

/// An index that expectations can change.
private final class IndexDesk {
    var index: AgentIndex

    init(_ classes: [TargetClass], limit: Int, seed: UInt64 = 1) {
        index = AgentIndex(classes: classes, limit: limit, seed: seed)
    }

    var count: Int { index.count }
    var offeredCount: Int { index.offeredCount }
    var nextDeadline: UInt64? { index.nextDeadline }
    var dropped: UInt64 { index.dropped }
    func told(_ row: AgentRow) -> Bool { index.told(row) }
    func location(named name: String) -> LocationIndex { index.location(named: name) }
    func isOffered(_ dn: DN) -> Bool { index.isOffered(dn) }
    func row(of dn: DN) -> AgentRow? { index.row(of: dn) }
    func take(_ dn: DN) { index.take(dn) }
    @discardableResult func release(_ dn: DN) -> Bool { index.release(dn) }
    func rest(_ dn: DN, until deadline: UInt64) { index.rest(dn, until: deadline) }
    func rested(now: Instant) -> DN? { index.rested(now: now) }
    func choose(
        _ target: TargetClass, _ reach: AgentIndex.Reach, for node: NodeIndex? = nil, excluding tried: [DN]
    ) -> AgentIndex.Choice? {
        index.choose(target, reach, for: node, excluding: tried)
    }
}

@Suite struct AgentIndexTests {
    private func index(_ strategies: [RoutingStrategy] = [.longestIdle], limit: Int = 1000) -> IndexDesk {
        IndexDesk(strategies.map { TargetClass($0) }, limit: limit)
    }

    private func chosen(
        _ index: IndexDesk, _ reach: AgentIndex.Reach = .anywhere, _ strategy: RoutingStrategy = .longestIdle,
        tried: [Int] = []
    ) -> DN? {
        index.choose(TargetClass(strategy), reach, excluding: tried.map(dn))?.dn
    }

    @Test func `who has been free for longest is chosen, and a later moment puts one back`() {
        let index = index()
        #expect(index.told(row(1, since: 20)) && index.told(row(2, since: 10)))
        #expect(chosen(index) == dn(2))
        #expect(index.told(row(2, since: 30)))
        #expect(chosen(index) == dn(1) && chosen(index, tried: [1]) == dn(2) && chosen(index, tried: [1, 2]) == nil)
        #expect(!index.told(row(1, .busy, since: 40)))
        #expect(chosen(index) == dn(2) && index.count == 2 && index.offeredCount == 1)
        #expect(index.row(of: dn(1)) == row(1, .busy, since: 40))
    }

    @Test func `to be told the same again changes nothing`() {
        let index = index([.random])
        for number in 1...50 { #expect(index.told(row(number))) }
        let first = chosen(index, .anywhere, .random)
        for number in 1...50 { #expect(index.told(row(number))) }
        #expect(chosen(index, .anywhere, .random) == first && index.count == 50)
    }

    @Test func `agents of a location are chosen before others, or alone`() {
        let index = index()
        let (here, there) = (index.location(named: "dc1"), index.location(named: "dc2"))
        _ = index.told(row(1, since: 10, "dc2"))
        #expect(chosen(index, .near(here)) == nil)
        #expect(chosen(index, .nearFirst(here)) == dn(1) && chosen(index, .near(there)) == dn(1))
        _ = index.told(row(2, since: 20, "dc1"))
        #expect(chosen(index, .nearFirst(here)) == dn(2) && chosen(index, .anywhere) == dn(1))
        #expect(chosen(index, .nearFirst(here), tried: [2]) == dn(1))
        // With the DN the agent moves.
        _ = index.told(row(1, since: 10, "dc1"))
        #expect(chosen(index, .nearFirst(here)) == dn(1) && chosen(index, .near(there)) == nil)
    }

    @Test func `beyond what is told apart nobody is near`() {
        let index = index()
        for number in 1...200 { _ = index.location(named: "dc\(number)") }
        _ = index.told(row(1, .ready, "dc150"))
        #expect(index.location(named: "dc150") == .elsewhere)
        #expect(chosen(index, .near(.elsewhere)) == nil && chosen(index, .nearFirst(.elsewhere)) == dn(1))
        #expect(index.location(named: "") == .elsewhere)
    }

    @Test func `one who is taken is not offered, whatever the Stat Server tells`() {
        let index = index()
        _ = index.told(row(1))
        index.take(dn(1))
        let isOffered = index.told(row(1, since: 5))
        #expect(!isOffered && !index.isOffered(dn(1)) && chosen(index) == nil)
        #expect(index.nextDeadline == nil)
        let isReleased = index.release(dn(1))
        #expect(isReleased && chosen(index) == dn(1))
    }

    @Test func `one who rests is offered with the next news, not with old ones, or when the time is over`() {
        let index = index()
        _ = index.told(row(1, since: 5))
        index.rest(dn(1), until: at(2000).monotonic)
        #expect(!index.told(row(1, since: 5)) && chosen(index) == nil)
        #expect(index.nextDeadline == at(2000).monotonic)
        #expect(index.told(row(1, since: 6)) && chosen(index) == dn(1))
        #expect(index.nextDeadline == nil)
        index.rest(dn(1), until: at(2000).monotonic)
        #expect(index.rested(now: at(1999)) == nil)
        #expect(index.rested(now: at(2000)) == dn(1))
        #expect(index.rested(now: at(2000)) == nil && chosen(index) == dn(1))
    }

    @Test func `one who rests and then cannot be given a call is offered only when free again`() {
        let index = index()
        _ = index.told(row(1, since: 5))
        index.rest(dn(1), until: at(2000).monotonic)
        _ = index.told(row(1, .busy, since: 6))
        #expect(index.nextDeadline == nil && chosen(index) == nil)
        #expect(index.told(row(1, since: 7)) && chosen(index) == dn(1))
    }

    @Test func `who is not told of again in a snapshot is no more`() {
        let index = index()
        for number in 1...4 { _ = index.told(row(number, since: UInt64(number))) }
        index.take(dn(2))
        index.rest(dn(3), until: at(9).monotonic)
        index.index.snapshotBegan()
        _ = index.told(row(4, since: 4))
        #expect(chosen(index) == dn(1))
        index.index.snapshotEnded()
        #expect(chosen(index) == dn(4) && index.nextDeadline == nil)
        // Who is taken stays until somebody says what becomes of it.
        #expect(index.count == 2)
        #expect(!index.told(row(2, since: 9)))
        _ = index.told(row(2, .loggedOut, since: 10))
        let isOffered = index.release(dn(2))
        #expect(!isOffered && index.count == 1)
        _ = index.told(row(5))
        #expect(chosen(index) == dn(5))
    }

    @Test func `those who have logged out are forgotten, and there are at most so many`() {
        let index = index(limit: 3)
        for number in 1...5 { _ = index.told(row(number)) }
        #expect(index.count == 3 && index.dropped == 2)
        _ = index.told(row(2, .loggedOut))
        #expect(index.count == 2 && index.told(row(5)) && index.row(of: dn(2)) == nil)
        #expect(!index.told(row(9, .loggedOut)) && index.dropped == 2)
    }

    @Test func `round robin goes round`() {
        let index = index([.roundRobin])
        for number in 1...3 { _ = index.told(row(number)) }
        var order: [DN] = []
        for _ in 0..<9 {
            guard let next = chosen(index, .anywhere, .roundRobin) else { continue }
            order.append(next)
            index.take(next)
            index.release(next)
        }
        #expect(order == [1, 2, 3, 1, 2, 3, 1, 2, 3].map(dn))
    }

    @Test func `random chooses everybody about as often, and a seed repeats`() {
        func counts(_ seed: UInt64) -> [Int] {
            let index = IndexDesk([TargetClass(.random)], limit: 10, seed: seed)
            for number in 0..<5 { _ = index.told(row(number)) }
            var counts = Array(repeating: 0, count: 5)
            for _ in 0..<5000 {
                guard let next = chosen(index, .anywhere, .random) else { continue }
                for number in 0..<5 where dn(number) == next { counts[number] += 1 }
                index.take(next)
                index.release(next)
            }
            return counts
        }
        let first = counts(7)
        #expect(first == counts(7) && first != counts(8))
        #expect(first.allSatisfy { (800...1200).contains($0) })
    }

    @Test func `a choice among 100,000 looks at a few, and so does whatever happens to one`() throws {
        let index = index(RoutingStrategy.allCases, limit: 100_000)
        var random = SeededRandom(seed: 5)
        for number in 0..<100_000 {
            _ = index.told(row(number, since: UInt64(random.below(1 << 30)), "dc\(number % 4)"))
        }
        #expect(index.offeredCount == 100_000)
        let here = index.location(named: "dc1")
        for strategy in RoutingStrategy.allCases {
            var tried: [DN] = []
            for count in 0..<20 {
                for reach in [AgentIndex.Reach.anywhere, .near(here), .nearFirst(here)] {
                    let choice = try #require(index.choose(TargetClass(strategy), reach, excluding: tried))
                    // The top of each location, and two below each that is passed over.
                    #expect(choice.examined <= 4 + 2 * count)
                }
                tried.append(try #require(index.choose(TargetClass(strategy), .near(here), excluding: tried)).dn)
            }
        }
        for _ in 0..<1000 {
            let before = index.index.moves
            let choice = try #require(index.choose(TargetClass(.longestIdle), .anywhere, excluding: []))
            index.take(choice.dn)
            index.rest(choice.dn, until: 1)
            _ = index.told(row(random.below(100_000), since: UInt64(random.below(1 << 30)), "dc1"))
            // Two changes in five heaps of depth 17, each entry of a path moved once.
            #expect(index.index.moves - before <= 2 * 5 * 2 * 18)
        }
    }
}
