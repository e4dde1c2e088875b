import ClusterModel
import Testing
import Trunks

/// Some nodes with one capacity, and the words that are under way between them.
private final class Nodes {
    static let name = CapacityName.trunk("west")

    var shares: [CapacityShares]
    var now = Instant(monotonic: 1_000_000_000, wallMilliseconds: 0)
    private let capacity: Int

    init(_ count: Int, capacity: Int, isLinked: Bool = true) {
        self.capacity = capacity
        shares = []
        for node in 0..<count { shares.append(fresh(node, of: count)) }
        guard isLinked else { return }
        for one in 0..<count { for other in 0..<count where one != other { shares[one].linkLive(NodeIndex(other)) } }
        exchange()
    }

    private func fresh(_ node: Int, of count: Int) -> CapacityShares {
        CapacityShares(
            [(Self.name, capacity)], me: NodeIndex(node), nodeCount: count, patience: 6_000_000_000, now: now)
    }

    func restart(_ node: Int) {
        for other in shares.indices where other != node { shares[other].linkLost(NodeIndex(node)) }
        shares[node] = fresh(node, of: shares.count)
    }

    func link(_ one: Int, _ other: Int) {
        shares[one].linkLive(NodeIndex(other))
        shares[other].linkLive(NodeIndex(one))
        exchange()
    }

    func cut(_ one: Int, _ other: Int) {
        shares[one].linkLost(NodeIndex(other))
        shares[other].linkLost(NodeIndex(one))
    }

    /// Delivers everything that there is to say.
    func exchange() {
        var isQuiet = false
        var rounds = 0
        while !isQuiet, rounds < 1000 {
            isQuiet = true
            rounds += 1
            for one in shares.indices {
                for other in shares.indices where one != other {
                    guard let word = shares[one].nextWord(for: NodeIndex(other)) else { continue }
                    shares[other].received(word, from: NodeIndex(one))
                    isQuiet = false
                }
            }
        }
        #expect(rounds < 1000, "they go on talking")
    }

    /// A call at a node: has the others asked if there is no place.
    func call(at node: Int) -> Bool {
        if shares[node].free(0) <= 0 {
            // As often as there are others to ask.
            for _ in shares where shares[node].free(0) <= 0 && shares[node].want(1, of: 0) { exchange() }
            _ = shares[node].want(0, of: 0)
        }
        guard shares[node].free(0) > 0 else { return false }
        shares[node].setUse(shares[node].used(0) + 1, of: 0)
        exchange()
        return true
    }

    func hangUp(at node: Int) {
        shares[node].setUse(shares[node].used(0) - 1, of: 0)
        exchange()
    }

    var held: Int { shares.reduce(0) { $0 + $1.holding(0) } }
    var used: Int { shares.reduce(0) { $0 + $1.used(0) } }
}

@Suite struct CapacitySharesTests {
    @Test(arguments: [1, 2, 3, 4, 7]) func `all of a capacity can be used at any one node, and no more`(count: Int) {
        for capacity in [1, 2, 10, 61] {
            let nodes = Nodes(count, capacity: capacity)
            #expect(nodes.held == capacity)
            for _ in 0..<capacity { #expect(nodes.call(at: count - 1)) }
            #expect(!nodes.call(at: count - 1))
            #expect(!nodes.call(at: 0))
            #expect(nodes.held == capacity)
            nodes.hangUp(at: count - 1)
            #expect(nodes.call(at: 0))
            #expect(nodes.used == capacity)
        }
    }

    @Test func `each side of a cut goes on with what it has`() {
        let nodes = Nodes(2, capacity: 10)
        for _ in 0..<8 { #expect(nodes.call(at: 0)) }
        nodes.cut(0, 1)
        var more = 0
        for node in 0...1 { while nodes.call(at: node) { more += 1 } }
        #expect(nodes.used <= 10)
        #expect(more > 0)
        nodes.link(0, 1)
        while nodes.call(at: 0) {}
        #expect(nodes.used == 10)
    }

    @Test func `a node that begins again has nothing until its peers have told it what it gave`() {
        let nodes = Nodes(2, capacity: 10)
        for _ in 0..<10 { #expect(nodes.call(at: 1)) }
        nodes.restart(0)
        #expect(nodes.shares[0].holding(0) == 0)
        #expect(!nodes.call(at: 0))
        nodes.link(0, 1)
        #expect(nodes.held == 10)
        #expect(!nodes.call(at: 0))
        nodes.hangUp(at: 1)
        #expect(nodes.call(at: 0))
    }

    @Test func `a place that was passed on, and that both who passed it on have forgotten, is wanted back`() {
        let nodes = Nodes(4, capacity: 1)
        #expect(nodes.call(at: 1))
        nodes.hangUp(at: 1)
        #expect(nodes.call(at: 2))
        nodes.restart(0)
        nodes.restart(1)
        for other in 1...3 { nodes.link(0, other) }
        #expect(nodes.call(at: 0))
        nodes.link(1, 2)
        // It still waits for the last one, and has given what it never had.
        #expect(nodes.shares[1].isInDoubt)
        #expect(nodes.shares[1].deficit(0) == 0)
        nodes.link(1, 3)
        #expect(nodes.shares[1].deficit(0) == 1)
    }

    @Test func `a node that hears nobody has its share after a while`() {
        let nodes = Nodes(2, capacity: 10, isLinked: false)
        #expect(nodes.shares[0].holding(0) == 0)
        let deadline = try! #require(nodes.shares[0].nextDeadline)
        nodes.shares[0].tick(now: Instant(monotonic: deadline - 1, wallMilliseconds: 0))
        #expect(nodes.shares[0].holding(0) == 0)
        nodes.shares[0].tick(now: Instant(monotonic: deadline, wallMilliseconds: 0))
        #expect(nodes.shares[0].holding(0) == 5)
        #expect(nodes.shares[0].nextDeadline == nil)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func `words that are lost, doubled and late never make more of it`(seed: UInt64) {
        var state = seed
        func draw(_ count: Int) -> Int {
            state = mixed(state)
            return Int(state % UInt64(count))
        }
        let capacity = 1 + draw(12)
        let nodes = Nodes(3, capacity: capacity)
        var underWay: [(word: CapacityWord, from: Int, to: Int)] = []
        for _ in 0..<3_000 {
            let (one, other) = (draw(3), draw(3))
            switch draw(7) {
            case 0 where nodes.shares[one].free(0) > 0:
                nodes.shares[one].setUse(nodes.shares[one].used(0) + 1, of: 0)
            case 1 where nodes.shares[one].used(0) > 0:
                nodes.shares[one].setUse(nodes.shares[one].used(0) - 1, of: 0)
            case 2: _ = nodes.shares[one].want(draw(4), of: 0)
            case 3 where one != other:
                // A link that is lost loses what is under way.
                nodes.cut(one, other)
                underWay.removeAll { [$0.from, $0.to] == [one, other] || [$0.from, $0.to] == [other, one] }
                nodes.shares[one].linkLive(NodeIndex(other))
                nodes.shares[other].linkLive(NodeIndex(one))
            case 4, 5:
                if one != other, let word = nodes.shares[one].nextWord(for: NodeIndex(other)) {
                    underWay.append((word, one, other))
                }
            case _:
                guard !underWay.isEmpty else { continue }
                let next = underWay.remove(at: draw(underWay.count))
                nodes.shares[next.to].received(next.word, from: NodeIndex(next.from))
                if draw(5) == 0 { nodes.shares[next.to].received(next.word, from: NodeIndex(next.from)) }
            }
            #expect(nodes.used <= capacity)
            #expect(nodes.held <= capacity)
        }
    }
}
