import AgentSessions
import ClusterModel
import Statistics
import Testing

@Suite struct StatBoardTests {
    @Test func `an agent's day is told status by status, with since when`() throws {
        var board = board()
        let steps: [(time: UInt64, view: View, calls: DNCalls?, row: AgentRow)] = [
            (10, view(.notReady, 10), nil, row(1, .notReady, 10)),
            (20, view(.ready, 19), nil, row(1, .ready, 19)),
            (30, view(.ready, 19, ann, .inService, .reserved), nil, row(1, .reserved, 30)),
            (40, view(.ready, 19, ann, .inService, .busy), calls(.ringing, since: 38), row(1, .ringing, 38)),
            (50, view(.ready, 19, ann, .inService, .busy), calls(.established, since: 49), row(1, .busy, 49)),
            // The session is an old one: it says nothing of the end of the call.
            (60, view(.ready, 19), DNCalls([]), row(1, .ready, 60)),
            (70, view(.ready, 19, ann, .expired), nil, row(1, .outOfService, 70)),
            (80, view(.loggedOut, 79), nil, row(1, .loggedOut, 79)),
        ]
        for (number, step) in steps.enumerated() {
            board.told(dn(1), step.view, calls: step.calls, now: at(step.time))
            #expect(board.row(of: dn(1)) == step.row, "step \(number)")
        }
        #expect(board.changes(after: 0, limit: 100) == .rows(steps.map(\.row)))
        #expect(board.count == 1 && board.sequence == 8)
        let (known, times) = try #require(board.times(of: dn(1), now: at(100)))
        #expect(known == 90 && times.total == 90)
        #expect(times[.notReady] == StatusTimes.Entry(count: 1, total: 10))
        #expect(times[.ready] == StatusTimes.Entry(count: 2, total: 20))
        #expect(times[.reserved] == StatusTimes.Entry(count: 1, total: 10))
        #expect(times[.ringing] == StatusTimes.Entry(count: 1, total: 10))
        #expect(times[.busy] == StatusTimes.Entry(count: 1, total: 10))
        #expect(times[.outOfService] == StatusTimes.Entry(count: 1, total: 10))
        #expect(times[.loggedOut] == StatusTimes.Entry(count: 1, total: 20))
        #expect(times[.afterCallWork] == StatusTimes.Entry() && times[.unknown] == StatusTimes.Entry())
    }

    @Test func `what is told twice changes nothing, and a move to another location is told`() {
        var board = board()
        board.told(dn(1), view(.ready, 1), calls: nil, now: at(1))
        board.told(dn(1), view(.ready, 1), calls: nil, now: at(5))
        #expect(board.sequence == 1)
        board.told(dn(1), view(.ready, 1, owner: beta), calls: nil, now: at(9))
        #expect(board.changes(after: 1, limit: 9) == .rows([row(1, .ready, 1, ann, "dc2")]))
        board.told(dn(1), view(.ready, 1, owner: NodeIndex(9)), calls: nil, now: at(9))
        #expect(board.row(of: dn(1)) == row(1, .ready, 1, ann, ""))
    }

    @Test func `DNs without agents cost nothing`() {
        var board = board()
        for number in 0..<100 {
            board.told(dn(number), view(nil, 0), calls: nil, now: at(1))
            board.told(dn(number), view(.loggedOut, 0), calls: nil, now: at(1))
        }
        #expect(board.count == 0 && board.sequence == 0)
        #expect(board.times(of: dn(1), now: at(5)) == nil)
    }

    @Test func `there are at most so many agents`() {
        var board = board { $0.maximumAgents = 2 }
        for number in 1...4 { board.told(dn(number), view(.ready, 1), calls: nil, now: at(1)) }
        #expect(board.count == 2 && board.dropped == 2)
    }

    @Test func `another agent's statistics begin anew`() {
        var board = board()
        board.told(dn(1), view(.ready, 0), calls: nil, now: at(0))
        board.told(dn(1), view(.ready, 50, bob), calls: nil, now: at(50))
        #expect(board.row(of: dn(1)) == row(1, .ready, 50, bob))
        let times = board.times(of: dn(1), now: at(60))
        #expect(times?.known == 10 && times?.times[.ready] == StatusTimes.Entry(count: 1, total: 10))
        #expect(board.sequence == 2)
    }

    // MARK: Losses and snapshots

    @Test func `after a loss each agent is found as it was left, and needs no login for it`() {
        var board = board()
        for number in 1...4 { board.told(dn(number), view(.ready, 1), calls: nil, now: at(1)) }
        board.feedLost(now: at(100))
        #expect(board.row(of: dn(1)) == row(1, .unknown, 100))
        board.feedLost(now: at(110))
        #expect(board.sequence == 8)
        board.snapshotBegan()
        // As before; changed in the meantime; in a call; and the fourth is not told of any more.
        board.told(dn(1), view(.ready, 1), calls: nil, now: at(120))
        board.told(dn(2), view(.notReady, 105), calls: nil, now: at(120))
        board.told(
            dn(3), view(.ready, 1, ann, .inService, .busy), calls: calls(.established, since: 103), now: at(120))
        board.snapshotEnded(now: at(130))
        #expect(board.row(of: dn(1)) == row(1, .ready, 1))
        #expect(board.row(of: dn(2)) == row(2, .notReady, 105))
        #expect(board.row(of: dn(3)) == row(3, .busy, 103))
        #expect(board.row(of: dn(4)) == nil && board.count == 3)
        #expect(board.changes(after: 11, limit: 9) == .rows([row(4, .loggedOut, 130)]))
        let times = board.times(of: dn(1), now: at(201))?.times
        // The time is nobody's, but it was not entered again.
        #expect(times?[.ready] == StatusTimes.Entry(count: 1, total: 99 + 81))
        #expect(times?[.unknown] == StatusTimes.Entry(count: 1, total: 20))
    }

    @Test func `an agent whose owner was not heard, and who was busy before, is ready since it is`() {
        var board = board()
        board.told(dn(1), view(.ready, 1, ann, .inService, .busy), calls: nil, now: at(10))
        board.told(dn(1), view(.ready, 1, ann, .ownerUnreachable), calls: nil, now: at(20))
        #expect(board.row(of: dn(1)) == row(1, .unknown, 20))
        board.told(dn(1), view(.ready, 1), calls: nil, now: at(30))
        #expect(board.row(of: dn(1)) == row(1, .ready, 30))
        // Another call than before the loss.
        let busy = view(.ready, 1, ann, .inService, .busy)
        board.told(dn(1), busy, calls: calls(.established, since: 40), now: at(40))
        board.feedLost(now: at(50))
        board.told(dn(1), busy, calls: calls(.established, since: 55, 2), now: at(60))
        #expect(board.row(of: dn(1)) == row(1, .busy, 55))
        #expect(board.times(of: dn(1), now: at(60))?.times[.busy].count == 3)
    }

    @Test func `a Stat Server that begins takes since when from the sessions`() {
        var board = board()
        board.snapshotBegan()
        board.told(dn(1), view(.ready, 10), calls: nil, now: at(500))
        board.told(dn(2), view(.ready, 10, ann, .ownerUnreachable), calls: nil, now: at(500))
        // A node whose clock is ahead.
        board.told(dn(3), view(.ready, 900), calls: nil, now: at(500))
        board.snapshotEnded(now: at(510))
        #expect(board.row(of: dn(1)) == row(1, .ready, 10))
        #expect(board.row(of: dn(2)) == row(2, .unknown, 500))
        #expect(board.row(of: dn(3)) == row(3, .ready, 500))
        board.told(dn(2), view(.ready, 10), calls: nil, now: at(600))
        #expect(board.row(of: dn(2)) == row(2, .ready, 10))
    }

    @Test func `a DN whose session is known no more has nobody logged in`() {
        var board = board()
        board.told(dn(1), view(.ready, 1), calls: nil, now: at(1))
        board.told(dn(1), view(nil, 1), calls: nil, now: at(9))
        #expect(board.row(of: dn(1)) == row(1, .loggedOut, 9))
    }

    // MARK: Clocks

    @Test func `nothing lasts less than no time when the clock jumps back`() {
        var board = board()
        board.told(dn(1), view(.notReady, 1000), calls: nil, now: at(1000))
        board.told(dn(1), view(.ready, 1100), calls: nil, now: at(1100))
        board.told(dn(1), view(.notReady, 500), calls: nil, now: at(500))
        #expect(board.row(of: dn(1)) == row(1, .notReady, 500))
        #expect(board.times(of: dn(1), now: at(400))?.known == 100)
        let times = board.times(of: dn(1), now: at(550))
        #expect(times?.known == 150 && times?.times.total == 150)
        #expect(times?.times[.notReady] == StatusTimes.Entry(count: 2, total: 150))
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `all times add up to how long an agent is known, whatever happens`(seed: UInt64) {
        var board = board()
        var random = SeededRandom(seed: seed)
        var (time, elapsed) = (UInt64(1_000_000), UInt64(0))
        // Since when each agent is known, and who it is.
        var seen: [DN: (since: UInt64, agent: AgentID)] = [:]
        var told: Set<DN> = []
        let services: [Service] = [.inService, .inService, .inService, .expired, .ownerUnreachable]
        for _ in 0..<20_000 {
            let step = UInt64(random.below(100))
            let jumpsBack = random.below(50) == 0
            time = jumpsBack ? time - step * 10 : time + step
            elapsed += jumpsBack ? 0 : step
            let (dn, agent) = (dn(random.below(8)), random.below(20) == 0 ? bob : ann)
            switch random.below(100) {
            case 0: board.feedLost(now: at(time))
            case 1:
                board.snapshotBegan()
                told = []
            case 2:
                board.snapshotEnded(now: at(time))
                for dn in seen.keys where !told.contains(dn) { seen[dn] = nil }
                told = Set(seen.keys)
            default:
                let state = [AgentSession.State?.none, .loggedOut, .notReady, .ready, .ready][random.below(5)]
                let view = view(
                    state, time - UInt64(random.below(50)), agent, services[random.below(5)],
                    Occupancy(rawValue: UInt8(random.below(4))))
                let phase = DNCall.Phase.allCases[random.below(2)]
                board.told(
                    dn, view, calls: random.below(2) == 0 ? nil : calls(phase, since: time), now: at(time))
                let isOther =
                    seen[dn].map { view.agent != nil && $0.agent != agent } ?? (view.agent?.isLoggedIn == true)
                if isOther { seen[dn] = (elapsed, agent) }
                if seen[dn] != nil { told.insert(dn) }
            }
            let moved = at(time)
            // The board learns of time by what happens; a snapshot that begins takes none.
            board.told(DN("9999")!, View(service: .inService, owner: alpha, stamp: .zero), calls: nil, now: moved)
            #expect(board.count == seen.count)
            guard let times = board.times(of: dn, now: moved), let since = seen[dn] else { continue }
            #expect(times.known == elapsed - since.since && times.times.total == times.known)
            #expect(board.row(of: dn)?.agent == since.agent)
        }
    }
}
