import AgentSessions
import ClusterModel
import TargetSelection
import Testing

@Suite struct RouterMachineTests {
    @Test func `a call goes to the free agent who comes first`() {
        let desk = Desk()
        #expect(desk.told(row(1, since: 20), row(2, since: 10)).isEmpty)
        #expect(desk.requested(request(7)) == [reserve(1, 2)])
        #expect(desk.machine.callCount == 1 && desk.machine.waitingCount == 0 && desk.machine.offeredCount == 1)
        #expect(desk.reserved(1, 2) == [route(2, 7, to: 2)])
        #expect(desk.routed(2).isEmpty)
        #expect(desk.machine.callCount == 0)
        // Not offered until the Stat Server says something new, or two seconds have passed.
        #expect(desk.told(row(2, since: 10)).isEmpty && desk.machine.offeredCount == 1)
        #expect(desk.machine.nextDeadline == at(2000).monotonic)
        #expect(desk.told(row(2, .ringing, since: 30)).isEmpty && desk.machine.nextDeadline == nil)
        #expect(desk.told(row(2, since: 90)).isEmpty && desk.machine.offeredCount == 2)
    }

    @Test func `a refused reservation goes on to the next agent`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1), row(2, since: 2))
        #expect(desk.requested(request(7)) == [reserve(1, 1)])
        #expect(desk.refused(1, at: 10) == [reserve(2, 2)])
        #expect(desk.refused(2, at: 20).isEmpty && desk.machine.waitingCount == 1)
        // The same again is no news.
        #expect(desk.told(row(1, since: 1), at: 30).isEmpty)
        #expect(desk.told(row(2, since: 25), at: 30) == [reserve(3, 2)])
        #expect(desk.tick(at: 2010).isEmpty)
        #expect(desk.machine.offeredCount == 1)
    }

    @Test func `an agent of whom no news come is tried again after a while`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1))
        _ = desk.requested(request(7))
        #expect(desk.refused(1, at: 10).isEmpty)
        #expect(desk.machine.nextDeadline == at(2010).monotonic)
        #expect(desk.tick(at: 2009).isEmpty)
        #expect(desk.tick(at: 2010) == [reserve(2, 1)])
    }

    @Test func `a refused route is taken back, and the call goes on to the next agent`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1), row(2, since: 2))
        _ = desk.requested(request(7))
        _ = desk.reserved(1, 1)
        #expect(desk.routeRefused(2) == [cancel(3, 1), reserve(4, 2)])
        #expect(desk.reserved(4, 2) == [route(5, 7, to: 2)])
        #expect(desk.routeRefused(5) == [cancel(6, 2)])
        #expect(desk.machine.waitingCount == 1)
        #expect(desk.ended(7).isEmpty && desk.machine.callCount == 0)
    }

    @Test func `a call whose routes are refused again and again is left alone`() {
        let desk = Desk { $0.maximumRefusedRoutes = 2 }
        for number in 1...9 { _ = desk.told(row(number, since: UInt64(number))) }
        _ = desk.requested(request(7))
        _ = desk.reserved(1, 1)
        #expect(desk.routeRefused(2) == [cancel(3, 1), reserve(4, 2)])
        _ = desk.reserved(4, 2)
        #expect(desk.routeRefused(5) == [cancel(6, 2)])
        #expect(desk.machine.callCount == 0)
        #expect(desk.requested(request(7)) == [reserve(7, 3)])
    }

    @Test func `calls wait in the order in which they came, at all routing points`() {
        let desk = Desk()
        #expect(desk.requested(request(1)).isEmpty)
        #expect(desk.requested(request(2, support), by: beta).isEmpty)
        #expect(desk.requested(request(3)).isEmpty)
        #expect(desk.machine.waitingCount == 3)
        #expect(desk.told(row(1)) == [reserve(1, 1)])
        #expect(desk.told(row(2)) == [reserve(2, 2, at: beta)])
        #expect(desk.told(row(3)) == [reserve(3, 3)])
        #expect(desk.told(row(4)).isEmpty)
        // Who came first is first again when its agent is not to be had.
        #expect(desk.requested(request(4)) == [reserve(4, 4)])
        #expect(desk.requested(request(5)).isEmpty)
        #expect(desk.refused(1).isEmpty)
        #expect(desk.told(row(5)) == [reserve(5, 5)])
        #expect(desk.reserved(5, 5) == [route(6, 1, to: 5)])
    }

    @Test func `an agent who was tried gets the next call that waits`() {
        let desk = Desk()
        _ = desk.requested(request(1, tried: [1]))
        _ = desk.requested(request(2))
        #expect(desk.told(row(1)) == [reserve(1, 1)])
        #expect(desk.reserved(1, 1) == [route(2, 2, to: 1)])
        #expect(desk.told(row(2)) == [reserve(3, 2)])
    }

    @Test func `a caller who gives up leaves the line, and the agent to the next`() {
        let desk = Desk()
        _ = desk.told(row(1))
        #expect(desk.requested(request(1)) == [reserve(1, 1)])
        _ = desk.requested(request(2))
        _ = desk.requested(request(3))
        #expect(desk.ended(2).isEmpty)
        #expect(desk.ended(1) == [cancel(2, 1), reserve(3, 1)])
        // Too late: it was taken back already.
        #expect(desk.reserved(1, 1).isEmpty)
        #expect(desk.refused(1).isEmpty)
        #expect(desk.reserved(3, 1) == [route(4, 3, to: 1)])
        // On its way: whether the phone rings is not known, so the agent rests.
        #expect(desk.ended(3) == [cancel(5, 1)])
        #expect(desk.machine.callCount == 0 && desk.machine.offeredCount == 0)
        #expect(desk.routed(4).isEmpty && desk.ended(3).isEmpty)
    }

    @Test func `a node that asks again replaces what it asked before`() {
        let desk = Desk()
        _ = desk.told(row(1))
        _ = desk.requested(request(1))
        _ = desk.requested(request(2))
        // The agent who is being reserved has not been tried: nothing changes.
        #expect(desk.requested(request(1, tried: [8])).isEmpty)
        #expect(desk.requested(request(1, tried: [8, 1])) == [cancel(2, 1)])
        #expect(desk.machine.waitingCount == 2)
        #expect(desk.told(row(8)) == [reserve(3, 8)])
        #expect(desk.reserved(3, 8) == [route(4, 2, to: 8)])
        #expect(desk.told(row(9)) == [reserve(5, 9)])
        _ = desk.reserved(5, 9)
        _ = desk.routed(6)
        // After a target has failed the call comes as a new one.
        #expect(desk.requested(request(1, tried: [8, 1, 9])).isEmpty)
        #expect(desk.told(row(9, since: 5)).isEmpty)
        #expect(desk.told(row(3, since: 5)) == [reserve(7, 3)])
    }

    @Test func `a call that has gone to another routing point is another call`() {
        let desk = Desk()
        _ = desk.told(row(1))
        #expect(desk.requested(request(1)) == [reserve(1, 1)])
        #expect(desk.requested(request(1, support)) == [cancel(2, 1), reserve(3, 1)])
        #expect(desk.reserved(3, 1) == [route(4, 1, to: 1, support)])
    }

    @Test func `an answer that does not come is given up`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1), row(2, since: 2))
        _ = desk.requested(request(7))
        #expect(desk.machine.nextDeadline == at(3000).monotonic)
        #expect(desk.tick(at: 2999).isEmpty)
        #expect(desk.tick(at: 3000) == [cancel(2, 1), reserve(3, 2)])
        #expect(desk.reserved(1, 1, at: 3001).isEmpty)
        #expect(desk.reserved(3, 2, at: 4000) == [route(4, 7, to: 2)])
        // The first agent has rested when this answer is given up, and gets the call.
        #expect(desk.tick(at: 5000).isEmpty)
        #expect(desk.tick(at: 7000) == [cancel(5, 2), reserve(6, 1)])
        #expect(desk.routed(4, at: 7001).isEmpty)
    }

    @Test func `a call of which nothing is heard any more is forgotten`() {
        let desk = Desk()
        _ = desk.requested(request(7))
        #expect(desk.machine.nextDeadline == at(25_000).monotonic)
        #expect(desk.tick(at: 25_000).isEmpty)
        #expect(desk.machine.callCount == 0 && desk.machine.nextDeadline == nil)
        #expect(desk.told(row(1), at: 25_000).isEmpty)
    }

    @Test func `a lost node takes its calls along, and its agents rest`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1), row(2, since: 2))
        #expect(desk.requested(request(1)) == [reserve(1, 1)])
        #expect(desk.requested(request(2), by: beta) == [reserve(2, 2, at: beta)])
        _ = desk.requested(request(3))
        _ = desk.requested(request(4), by: beta)
        desk.machine.nodeLost(alpha, now: at(0))
        #expect(desk.actions().isEmpty && desk.machine.callCount == 2)
        #expect(desk.reserved(1, 1).isEmpty)
        #expect(desk.requested(request(5)).isEmpty && desk.machine.callCount == 2)
        #expect(desk.tick(at: 2000) == [reserve(3, 1, at: beta)])
        desk.machine.nodeConnected(alpha, now: at(2000))
        #expect(desk.requested(request(1), at: 2000).isEmpty && desk.machine.waitingCount == 1)
        // The same node without having been lost is another connection.
        desk.machine.nodeConnected(alpha, now: at(2000))
        #expect(desk.machine.waitingCount == 0)
    }

    @Test func `answers count at the node that was asked only`() {
        let desk = Desk()
        _ = desk.told(row(1))
        _ = desk.requested(request(1))
        #expect(desk.reserved(1, 1, by: beta).isEmpty && desk.refused(1, by: beta).isEmpty)
        // Nor does an answer to something else.
        #expect(desk.routed(1).isEmpty && desk.routeRefused(1).isEmpty)
        #expect(desk.reserved(1, 1) == [route(2, 1, to: 1)])
        #expect(desk.refused(2).isEmpty && desk.reserved(2, 1).isEmpty)
    }

    @Test func `no more calls are known than may be, and a DN that is no routing point has none`() {
        let desk = Desk { $0.maximumCalls = 2 }
        _ = desk.requested(request(1, dn(5)))
        #expect(desk.machine.callCount == 0)
        for number in 1...4 { #expect(desk.requested(request(UInt64(number))).isEmpty) }
        #expect(desk.machine.callCount == 2 && desk.machine.droppedRequests == 2)
        #expect(desk.told(row(1)) == [reserve(1, 1)])
        #expect(desk.told(row(2)) == [reserve(2, 2)])
        #expect(desk.told(row(3)).isEmpty)
    }

    @Test func `numbers of requests are never zero, and none is used twice at a time`() {
        let desk = Desk { $0.lastReference = .max - 1 }
        _ = desk.told(row(1), row(2, since: 1), row(3, since: 2))
        #expect(desk.requested(request(1)) == [reserve(.max, 1)])
        #expect(desk.requested(request(2)) == [reserve(1, 2)])
        #expect(desk.requested(request(3)) == [reserve(2, 3)])
    }

    @Test func `a snapshot keeps who is told of again`() {
        let desk = Desk()
        _ = desk.told(row(1, since: 1), row(2, since: 2), row(3, since: 3))
        #expect(desk.requested(request(1)) == [reserve(1, 1)])
        desk.machine.snapshotBegan()
        #expect(desk.requested(request(2)) == [reserve(2, 2)])
        _ = desk.told(row(2, since: 2))
        desk.machine.snapshotEnded()
        #expect(desk.requested(request(3)).isEmpty)
        #expect(desk.reserved(1, 1) == [route(3, 1, to: 1)])
        #expect(desk.routed(3).isEmpty)
        #expect(desk.machine.agentCount == 1)
    }
}
