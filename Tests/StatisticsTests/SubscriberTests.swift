import AgentSessions
import ClusterModel
import Statistics
import Testing

/// What a subscriber makes of what it is told.
private struct Replica {
    var subscription = StatSubscription()
    var rows: [DN: AgentRow] = [:]
    private var stale: Set<DN>?
    private(set) var snapshots = 0

    mutating func pull(_ board: StatBoard, limit: Int) -> Int {
        let news = board.news(for: &subscription, limit: limit)
        for item in news {
            switch item {
            case .snapshotBegan:
                stale = Set(rows.keys)
                snapshots += 1
            case .row(let row):
                // A board's own clock goes forward here, so nothing may go back.
                if let known = rows[row.dn] { #expect(known.since <= row.since || known.agent != row.agent) }
                stale?.remove(row.dn)
                rows[row.dn] = row
            case .snapshotEnded:
                for dn in stale ?? [] { rows[dn] = nil }
                stale = nil
            }
        }
        return news.count
    }
}

@Suite struct SubscriberTests {
    private func board(_ count: Int, ring: Int = 8, first: UInt64 = 0) -> StatBoard {
        var board = Statistics.StatBoard(
            {
                var setup = StatBoard.Setup(locations: ["dc1"])
                setup.ringCapacity = ring
                setup.firstSequence = first
                return setup
            }())
        for number in 0..<count { board.told(dn(number), view(.ready, 1), calls: nil, now: at(1)) }
        return board
    }

    @Test func `changes come in order, a part at a time`() {
        var board = board(3)
        #expect(board.changes(after: 0, limit: 2) == .rows([row(0, .ready, 1), row(1, .ready, 1)]))
        #expect(board.changes(after: 2, limit: 2) == .rows([row(2, .ready, 1)]))
        #expect(board.changes(after: 3, limit: 2) == .rows([]))
        board.told(dn(0), view(.notReady, 5), calls: nil, now: at(5))
        #expect(board.changes(after: 3, limit: 2) == .rows([row(0, .notReady, 5)]))
    }

    @Test func `who is too far behind, or from another life, takes a snapshot`() {
        let board = board(20)
        #expect(board.changes(after: 11, limit: 1) == .snapshotNeeded)
        #expect(board.changes(after: 12, limit: 1) == .rows([row(12, .ready, 1)]))
        #expect(board.changes(after: 21, limit: 1) == .snapshotNeeded)
        let later = self.board(2, first: 1000)
        #expect(later.sequence == 1002)
        #expect(later.changes(after: 2, limit: 1) == .snapshotNeeded)
        #expect(later.changes(after: 1000, limit: 1) == .rows([row(0, .ready, 1)]))
    }

    @Test func `a snapshot comes in parts`() {
        let board = board(5)
        let first = board.snapshot(from: 0, limit: 2)
        #expect(first.rows == [row(0, .ready, 1), row(1, .ready, 1)] && first.next == 2)
        let last = board.snapshot(from: 4, limit: 2)
        #expect(last.rows == [row(4, .ready, 1)] && last.next == nil)
        let empty = self.board(0).snapshot(from: 0, limit: 2)
        #expect(empty.rows.isEmpty && empty.next == nil)
    }

    @Test func `a subscriber is told all agents, and then every change`() {
        var board = board(3)
        var subscription = StatSubscription()
        #expect(!subscription.isWhole)
        #expect(
            board.news(for: &subscription, limit: 2) == [
                .snapshotBegan, .row(row(0, .ready, 1)), .row(row(1, .ready, 1)),
            ])
        board.told(dn(0), view(.notReady, 5), calls: nil, now: at(5))
        // What has changed comes before what follows.
        #expect(
            board.news(for: &subscription, limit: 2) == [
                .row(row(0, .notReady, 5)), .row(row(2, .ready, 1)), .snapshotEnded,
            ])
        #expect(subscription.isWhole && subscription.sequence == 4)
        #expect(board.news(for: &subscription, limit: 2) == [])
        board.told(dn(1), view(.notReady, 6), calls: nil, now: at(6))
        var returned = StatSubscription(after: 4)
        #expect(board.news(for: &returned, limit: 2) == [.row(row(1, .notReady, 6))])
        var stranger = StatSubscription(after: 99)
        #expect(board.news(for: &stranger, limit: 9).first == .snapshotBegan)
    }

    @Test func `a subscriber of nothing hears that there is nothing`() {
        var subscription = StatSubscription()
        #expect(board(0).news(for: &subscription, limit: 5) == [.snapshotBegan, .snapshotEnded])
        #expect(subscription.isWhole)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `slow and quick subscribers come to know the same, and nobody goes back`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var board = board(0, ring: 64)
        var replicas = [Replica(), Replica(), Replica()]
        for step in 1..<20_000 as Range<UInt64> {
            let time = step * 10
            switch random.below(400) {
            case 0: board.feedLost(now: at(time))
            case 1: board.snapshotBegan()
            case 2: board.snapshotEnded(now: at(time))
            default:
                let state = AgentSession.State.allCases[random.below(3)]
                let (agent, number) = (random.below(30) == 0 ? bob : ann, random.below(40))
                board.told(
                    dn(number), view(state, time, agent, random.below(9) == 0 ? .expired : .inService), calls: nil,
                    now: at(time))
            }
            _ = replicas[0].pull(board, limit: 8)
            if random.below(20) == 0 { _ = replicas[1].pull(board, limit: 10) }
            if random.below(200) == 0 { for _ in 0..<30 { _ = replicas[2].pull(board, limit: 10) } }
        }
        for position in replicas.indices {
            for _ in 0..<100 where replicas[position].pull(board, limit: 10) == 0 { break }
            var rows: [DN: AgentRow] = [:]
            for row in board.snapshot(from: 0, limit: .max).rows { rows[row.dn] = row }
            // Of those whom the board has forgotten a mark may stay: nobody is logged in there.
            let known = replicas[position].rows.filter { rows[$0.key] != nil || $0.value.status != .loggedOut }
            #expect(known == rows)
        }
        #expect(replicas[0].snapshots == 1 && replicas[2].snapshots > 10)
    }
}
