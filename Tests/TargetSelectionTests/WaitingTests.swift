import AgentSessions
import ClusterModel
import TargetSelection
import Testing

/// In which order calls wait, how many may, and what nodes hear of it.
@Suite struct WaitingTests {
    /// Whose calls agents get who become free one after the other.
    private func served(_ desk: Desk, _ count: Int, at time: UInt64 = 0) -> [UInt64] {
        (1...count).compactMap { number in
            guard case .reserve(let node, let reference, _, _, _) = desk.told(row(100 + number), at: time).last,
                case .route(_, let route, let connection, _, _) = desk.reserved(
                    reference, 100 + number, by: node, at: time
                ).last
            else { return nil }
            _ = desk.routed(route, by: node, at: time)
            return connection.rawValue
        }
    }

    @Test func `a call of a greater priority goes before those that have waited for less than it is worth`() {
        let desk = Desk()
        _ = desk.requested(request(1), at: 0)
        _ = desk.requested(request(2, priority: 1), at: 29_000)
        _ = desk.requested(request(3, support, priority: 1), at: 31_000)
        _ = desk.requested(request(4, support, priority: 3), at: 31_000)
        #expect(served(desk, 4, at: 31_000) == [4, 2, 1, 3])
    }

    @Test func `without ageing only priority counts, and then who came first`() {
        let desk = Desk {
            $0.ageing = 0
            $0.patience = 1 << 50
        }
        _ = desk.requested(request(1, priority: 99), at: 0)
        _ = desk.requested(request(2), at: 5_000_000)
        _ = desk.requested(request(3, priority: 100), at: 9_000_000)
        _ = desk.requested(request(4, priority: 100, waited: 4_000_000_000), at: 9_000_000)
        // A topology has no greater ones.
        _ = desk.requested(request(5, priority: 4000), at: 9_000_000)
        _ = desk.requested(request(6, priority: -7), at: 1_000)
        #expect(served(desk, 6, at: 9_000_000) == [4, 3, 5, 1, 6, 2])
    }

    @Test func `a call is as old as its node says, and keeps its place when it is asked about again`() {
        let desk = Desk()
        _ = desk.requested(request(1), at: 10_000)
        _ = desk.requested(request(2, waited: 12_000), by: beta, at: 15_000)
        _ = desk.requested(request(3, waited: 12_000), at: 15_000)
        // Older than the router's machine.
        _ = desk.requested(request(4, waited: 60_000), at: 16_000)
        _ = desk.requested(request(1, tried: [7], waited: 99_000), at: 17_000)
        _ = desk.requested(request(5, waited: .max), at: 18_000)
        #expect(served(desk, 5, at: 18_000) == [5, 4, 2, 3, 1])
    }

    @Test func `calls of a node keep their order however late a router hears of them`() {
        let desk = Desk()
        _ = desk.requested(request(1, arrived: 70_000), at: 10_000)
        // The router did not run for two seconds: neither call had waited when it was told.
        _ = desk.requested(request(2, arrived: 71_000), at: 13_000)
        _ = desk.requested(request(3, arrived: 72_500), at: 13_000)
        // It was with another router, which has gone.
        _ = desk.requested(request(4, waited: 2_000, arrived: 71_500), at: 13_500)
        _ = desk.requested(request(5, waited: 2_900), by: beta, at: 13_500)
        #expect(served(desk, 5, at: 14_000) == [1, 5, 2, 4, 3])
    }

    @Test func `calls of a node keep their order also where the first was told too late`() {
        let desk = Desk()
        // The router has not run for two seconds.
        _ = desk.requested(request(1, arrived: 70_000), at: 12_000)
        _ = desk.requested(request(2, arrived: 70_500), at: 12_000)
        _ = desk.requested(request(3, arrived: 71_000), at: 12_000)
        _ = desk.ended(1, at: 12_000)
        _ = desk.requested(request(4, waited: 1_300, arrived: 70_700), at: 12_000)
        #expect(served(desk, 3, at: 12_100) == [2, 4, 3])
    }

    @Test func `a node's clock is set anew when the router knows no call of it`() {
        let desk = Desk()
        _ = desk.requested(request(1, arrived: 70_000), at: 10_000)
        _ = desk.ended(1, at: 11_000)
        _ = desk.requested(request(6, arrived: 1_000), at: 20_000)
        _ = desk.requested(request(7, waited: 1_000), by: beta, at: 20_500)
        _ = desk.requested(request(8, arrived: 1_700), at: 20_600)
        // Nobody can have come when this one says.
        _ = desk.requested(request(9, arrived: .max), at: 20_600)
        #expect(served(desk, 4, at: 21_000) == [7, 6, 8, 9])
    }

    @Test func `an agent gets the most urgent call that he is good enough for`() {
        let desk = Desk()
        _ = desk.requested(request(1, english, priority: 2))
        _ = desk.requested(request(2, bilingual, priority: 1))
        _ = desk.requested(request(3))
        #expect(desk.told(row(1)) == [reserve(1, 1)])
        #expect(desk.reserved(1, 1) == [route(2, 3, to: 1)])
        #expect(desk.told(row(2, .ready, "dc1", profile(english: 4))).isEmpty)
        #expect(desk.told(row(2, .ready, "dc1", profile(english: 4, german: 2))) == [reserve(3, 2)])
        #expect(desk.reserved(3, 2) == [route(4, 2, to: 2, bilingual)])
        #expect(desk.told(row(3, .ready, "dc2", profile(english: 5))) == [reserve(5, 3)])
        #expect(desk.reserved(5, 3) == [route(6, 1, to: 3, english)])
    }

    @Test func `those beyond what may wait go where calls go whose time is up`() {
        let desk = Desk()
        _ = desk.told(row(1))
        #expect(desk.requested(request(1, crowded)) == [reserve(1, 1)])
        #expect(desk.requested(request(2, crowded)).isEmpty && desk.requested(request(3, crowded)).isEmpty)
        #expect(desk.requested(request(4, crowded), by: beta) == [turnAway(2, 4, crowded, at: beta)])
        // At another routing point there is room.
        #expect(desk.requested(request(5)).isEmpty)
        #expect(desk.machine.callCount == 4 && desk.machine.waitingCount == 3 && desk.machine.turnedAway == 1)
        // The answer means nothing.
        #expect(desk.routed(2, by: beta).isEmpty && desk.routeRefused(2, by: beta).isEmpty)
        // A call that waits keeps its place while an agent is being reserved for it.
        #expect(desk.told(row(2)) == [reserve(3, 2)])
        #expect(desk.requested(request(6, crowded)) == [turnAway(4, 6, crowded)])
        #expect(desk.refused(3).isEmpty && desk.machine.waitingCount == 3)
        // One that has found somebody at once has none.
        #expect(desk.refused(1) == [turnAway(5, 1, crowded)])
        #expect(desk.ended(3).isEmpty && desk.requested(request(7, crowded)).isEmpty)
        #expect(desk.told(row(8), row(9)).count == 2)
        #expect(desk.machine.waitingCount == 1 && desk.machine.turnedAway == 3)
    }

    @Test func `a call that goes on to another routing point may be more urgent there than those that wait`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 5), row(2, .busy))
        #expect(desk.requested(request(1)) == [reserve(1, 1)])
        _ = desk.requested(request(2))
        #expect(desk.requested(request(1, support, priority: 9)) == [cancel(2, 1), reserve(3, 1)])
        #expect(desk.requested(request(1, sales)) == [cancel(4, 1), reserve(5, 1)])
        #expect(desk.reserved(5, 1) == [route(6, 2, to: 1)])
    }

    // MARK: Agents whom a node cannot reach

    @Test func `an agent whom one node cannot reach is there for the calls of another at once`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1))
        #expect(desk.requested(request(1)) == [reserve(1, 1)])
        _ = desk.requested(request(2))
        _ = desk.requested(request(3), by: beta)
        #expect(desk.refused(1, .unreachable, at: 10) == [reserve(2, 1, at: beta)])
        #expect(desk.refused(2, by: beta, .unreachable, at: 20).isEmpty && desk.machine.offeredCount == 1)
        #expect(desk.machine.nextDeadline == at(2010).monotonic)
        #expect(desk.tick(at: 2010) == [reserve(3, 1)])
        // Refused by the owner the agent is nobody's for a while.
        #expect(desk.refused(3, at: 2020).isEmpty && desk.machine.offeredCount == 0)
        #expect(desk.tick(at: 2021).isEmpty)
        #expect(desk.tick(at: 4020) == [reserve(4, 1)])
    }

    @Test func `news of an agent are told to the nodes that could not reach it`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1))
        _ = desk.requested(request(1))
        #expect(desk.refused(1, .unreachable, at: 10).isEmpty)
        #expect(desk.told(row(1, since: 1), at: 20).isEmpty)
        #expect(desk.told(row(1, since: 2), at: 30) == [reserve(2, 1)])
        #expect(desk.machine.nextDeadline == at(3030).monotonic)
    }

    // MARK: Positions

    private func positionDesk(_ atATime: Int = 100) -> Desk { Desk { $0.positionsAtATime = atATime } }

    @Test func `nodes hear where their calls stand at each routing point, and of changes after ten seconds`() {
        let desk = positionDesk()
        _ = desk.requested(request(1), at: 5000)
        _ = desk.requested(request(2), by: beta, at: 5000)
        _ = desk.requested(request(3, support), at: 5000)
        let first = [position(1, 1, 1, of: 2), position(2, 2, 2, of: 2, at: beta), position(3, 3, 1, of: 1)]
        #expect(desk.tick(at: 5000) == first)
        #expect(desk.tick(at: 9999).isEmpty)
        _ = desk.requested(request(4, priority: 5), at: 10_000)
        #expect(desk.tick(at: 10_000) == [position(4, 4, 1, of: 3)])
        #expect(desk.ended(1, at: 10_500).isEmpty && desk.tick(at: 10_500).isEmpty)
        #expect(desk.machine.nextDeadline == at(11_000).monotonic)
        // The second is where it was.
        #expect(desk.tick(at: 11_000).isEmpty)
        _ = desk.ended(4, at: 11_000)
        #expect(desk.tick(at: 12_000).isEmpty && desk.tick(at: 14_999).isEmpty)
        #expect(desk.tick(at: 15_000) == [position(5, 2, 1, of: 1, at: beta)])
        #expect(desk.machine.nextDeadline == at(30_000).monotonic)
    }

    @Test func `no more are told at a time than may be, and the rest a second later`() {
        let desk = positionDesk(2)
        for number in 1...5 { _ = desk.requested(request(UInt64(number)), at: 0) }
        #expect(desk.tick(at: 0).count == 2 && desk.tick(at: 999).isEmpty)
        #expect(desk.tick(at: 1000) == [position(3, 3, 3, of: 5), position(4, 4, 4, of: 5)])
        #expect(desk.tick(at: 2000) == [position(5, 5, 5, of: 5)])
        #expect(desk.tick(at: 3000).isEmpty && desk.machine.nextDeadline == at(25_000).monotonic)
    }

    @Test func `a call that is being given to somebody stands nowhere`() {
        let desk = positionDesk()
        _ = desk.requested(request(1), at: 0)
        _ = desk.requested(request(2), at: 0)
        #expect(desk.tick(at: 0) == [position(1, 1, 1, of: 2), position(2, 2, 2, of: 2)])
        #expect(desk.told(row(1), at: 100) == [reserve(3, 1)])
        #expect(desk.tick(at: 1000).isEmpty && desk.refused(3, at: 1100).isEmpty)
        _ = desk.told(row(1, .busy, since: 1), at: 1100)
        #expect(desk.tick(at: 2000).isEmpty)
        #expect(desk.ended(1, at: 2100).isEmpty)
        #expect(desk.tick(at: 10_000) == [position(4, 2, 1, of: 1)])
    }
}
