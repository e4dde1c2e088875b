import AgentSessions
import ClusterModel
import Testing

@Suite struct `reservations` {
    @Test func `the first to ask has the agent, the others are refused`() throws {
        var desk = desk()
        let outcome = desk.requested(ReservationRequest(priority: 3), of: place(), by: asker(1), now: at(0))
        let reservation = try #require(outcome.reservation)
        #expect(reservation.agent == ann && reservation.milliseconds == 10_000 && reservation.priority == 3)
        #expect(reservation.token.claim == stamp(1) && reservation.token.lineage == Incarnation(rawValue: 1))
        let second = desk.requested(ReservationRequest(priority: 9), of: place(), by: asker(2), now: at(1))
        #expect(second == .refused(.taken))
        // The same number at another node is another client.
        let third = desk.requested(ReservationRequest(), of: place(), by: asker(1, at: beta), now: at(1))
        #expect(third == .refused(.taken))
        #expect(desk.isReserved(DNIndex(0)) && !desk.isReserved(DNIndex(1)))
    }

    @Test func `it ends by itself`() {
        var desk = desk()
        _ = desk.requested(ReservationRequest(duration: .milliseconds(500)), of: place(), by: asker(1), now: at(0))
        #expect(desk.nextDeadline == at(500).monotonic)
        #expect(desk.due(now: at(499)) == nil)
        #expect(desk.due(now: at(500)) == .lease(DNIndex(0)))
        desk.expire(DNIndex(0))
        #expect(!desk.isReserved(DNIndex(0)) && desk.nextDeadline == nil && desk.expired == 1)
    }

    @Test func `its holder prolongs it under the same token, and cancels it`() throws {
        var desk = desk()
        let request = ReservationRequest(duration: .milliseconds(500))
        let first = desk.requested(request, of: place(), by: asker(1), now: at(0)).reservation
        let again = desk.requested(request, of: place(occupancy: .reserved), by: asker(1), now: at(400)).reservation
        #expect(try #require(first).token == again?.token)
        #expect(desk.nextDeadline == at(900).monotonic)
        let cancel = ReservationRequest(duration: .cancel)
        let stranger = desk.requested(cancel, of: place(), by: asker(2), now: at(500))
        #expect(stranger == .refused(.notHeld))
        let holder = desk.requested(cancel, of: place(), by: asker(1), now: at(500))
        #expect(holder == .cancelled)
        let twice = desk.requested(cancel, of: place(), by: asker(1), now: at(500))
        #expect(twice == .refused(.notHeld))
    }

    @Test func `only who can take a call is reserved`() {
        var desk = desk()
        func outcome(_ place: ReservationDesk.Place, agent: AgentID? = nil) -> ReservationDesk.Outcome {
            desk.requested(ReservationRequest(agent: agent), of: place, by: asker(1), now: at(0))
        }
        #expect(outcome(place(state: .notReady)) == .refused(.unavailable(.notReady)))
        #expect(outcome(place(state: .loggedOut)) == .refused(.unavailable(.nobodyLoggedIn)))
        #expect(outcome(place(service: .expired)) == .refused(.unavailable(.outOfService(.expired))))
        #expect(outcome(place(occupancy: .busy)) == .refused(.unavailable(.busy)))
        #expect(outcome(place(), agent: bob) == .refused(.otherAgent))
        #expect(outcome(place(), agent: ann).reservation != nil)
    }

    @Test func `a token is good for one call, at one owner under one claim in one life`() throws {
        var desk = desk()
        let outcome = desk.requested(ReservationRequest(), of: place(), by: asker(1), now: at(0))
        let token = try #require(outcome.reservation).token
        func redeem(_ token: ReservationToken, call: UInt64 = 1, claim: UInt64 = 1, at time: UInt64 = 1)
            -> ReservationRefusal?
        {
            desk.redeem(token, for: call, of: place(claim: claim), now: at(time))
        }
        let forged = ReservationToken(
            dn: token.dn, claim: token.claim, lineage: token.lineage, number: token.number &+ 1)
        #expect(redeem(forged) == .staleToken)
        #expect(redeem(token, claim: 2) == .staleToken)
        let otherLife = ReservationToken(
            dn: token.dn, claim: token.claim, lineage: Incarnation(rawValue: 2), number: token.number)
        #expect(redeem(otherLife) == .staleToken)
        #expect(redeem(token, at: 10_000) == .staleToken)
        #expect(redeem(token) == nil)
        #expect(redeem(token) == nil)
        #expect(redeem(token, call: 2) == .spent)
    }

    @Test func `the call that the token has brought ends the reservation, and no other call does`() throws {
        var desk = desk(arrival: 4000)
        func call(_ number: UInt64) -> DNCall {
            DNCall(connection: CallConnection(rawValue: number), phase: .ringing, since: 0)
        }
        let outcome = desk.requested(ReservationRequest(), of: place(), by: asker(1), now: at(0))
        let token = try #require(outcome.reservation).token
        let isEndedUnasked = desk.callsArrived(DNIndex(0), [call(7)])
        #expect(desk.redeem(token, for: 7, of: place(), now: at(1)) == nil)
        let isEndedByAnother = desk.callsArrived(DNIndex(0), [call(8)])
        #expect(!isEndedUnasked && !isEndedByAnother && desk.isReserved(DNIndex(0)))
        let isEnded = desk.callsArrived(DNIndex(0), [call(8), call(7)])
        #expect(isEnded && !desk.isReserved(DNIndex(0)))
    }

    @Test func `a call whose token was honoured is waited for, whatever becomes of time and holder`() throws {
        var desk = desk(arrival: 4000)
        let outcome = desk.requested(ReservationRequest(), of: place(), by: asker(1), now: at(0))
        let token = try #require(outcome.reservation).token
        #expect(desk.redeem(token, for: 1, of: place(), now: at(9_000)) == nil)
        #expect(desk.due(now: at(12_999)) == nil)
        let cancel = ReservationRequest(duration: .cancel)
        #expect(desk.requested(cancel, of: place(), by: asker(1), now: at(9_500)) == .cancelled)
        let freed = desk.holderGone(ReservationHolder(node: alpha, client: 1))
        #expect(freed.isEmpty && desk.isReserved(DNIndex(0)))
        #expect(desk.requested(ReservationRequest(), of: place(), by: asker(2), now: at(10_500)) == .refused(.taken))
        #expect(desk.due(now: at(13_000)) == .lease(DNIndex(0)))
        // Over a link that is lost no call comes.
        let lost = desk.nodeLost(alpha)
        #expect(lost == [DNIndex(0)] && desk.nextDeadline == nil)
    }

    @Test func `holders that go leave nothing`() {
        var desk = desk()
        for position in 0..<3 {
            _ = desk.requested(ReservationRequest(), of: place(position), by: asker(1, at: beta), now: at(0))
        }
        _ = desk.requested(ReservationRequest(), of: place(3), by: asker(1), now: at(0))
        let other = desk.holderGone(ReservationHolder(node: beta, client: 2))
        #expect(other.isEmpty)
        let freed = desk.holderGone(ReservationHolder(node: beta, client: 1))
        #expect(freed == [DNIndex(0), DNIndex(1), DNIndex(2)])
        let lost = desk.nodeLost(alpha)
        #expect(lost == [DNIndex(3)] && desk.leaseCount == 0 && desk.nextDeadline == nil)
    }

    @Test func `an agent who leaves is reserved no longer`() {
        var desk = desk()
        _ = desk.requested(ReservationRequest(), of: place(), by: asker(1), now: at(0))
        let left = desk.agentLeft(DNIndex(0))
        #expect(left.wasReserved && left.waiting.isEmpty && desk.leaseCount == 0)
        let again = desk.agentLeft(DNIndex(0))
        #expect(!again.wasReserved)
    }
}

@Suite struct `windows of reservations` {
    @Test func `the highest priority of a window wins`() throws {
        var desk = desk(window: 100)
        for (client, priority) in [(1, 5), (2, 9), (3, 7)] {
            let outcome = desk.requested(
                ReservationRequest(priority: Int32(priority)), of: place(), by: asker(UInt64(client)),
                now: at(UInt64(client) * 10))
            #expect(outcome == .collected)
        }
        #expect(desk.nextDeadline == at(110).monotonic)
        let twice = desk.requested(ReservationRequest(), of: place(), by: asker(1), now: at(50))
        #expect(twice == .refused(.alreadyAsked))
        #expect(desk.due(now: at(110)) == .window(DNIndex(0)))
        let outcomes = desk.close(place(), now: at(110))
        #expect(outcomes.map(\.asker.holder.client) == [1, 2, 3])
        #expect(outcomes[0].outcome == .refused(.taken) && outcomes[2].outcome == .refused(.taken))
        let winner = try #require(outcomes[1].outcome.reservation)
        #expect(winner.priority == 9)
        #expect(desk.nextDeadline == at(10_110).monotonic)
        let late = desk.requested(ReservationRequest(priority: 99), of: place(), by: asker(4), now: at(120))
        #expect(late == .refused(.taken))
    }

    @Test func `equals are drawn by the seed`() {
        func winner(seed: UInt64) -> Int? {
            var desk = desk(window: 100, seed: seed)
            for client in 0..<4 {
                _ = desk.requested(ReservationRequest(), of: place(), by: asker(UInt64(client)), now: at(0))
            }
            return desk.close(place(), now: at(100)).firstIndex { $0.outcome.reservation != nil }
        }
        let winners = (0..<64).map { winner(seed: $0) }
        #expect(winners == (0..<64).map { winner(seed: $0) })
        #expect(Set(winners) == [0, 1, 2, 3])
    }

    @Test func `who goes or withdraws is not waited for`() {
        var desk = desk(window: 100)
        for client in 1...3 {
            _ = desk.requested(ReservationRequest(), of: place(), by: asker(UInt64(client)), now: at(0))
        }
        _ = desk.holderGone(ReservationHolder(node: alpha, client: 1))
        let withdrawn = desk.requested(
            ReservationRequest(duration: .cancel), of: place(), by: asker(2), now: at(10))
        #expect(withdrawn == .withdrawn(asker(2)))
        let outcomes = desk.close(place(), now: at(100))
        #expect(outcomes.count == 1 && outcomes[0].outcome.reservation != nil)
    }

    @Test func `nobody gets an agent who is not there at the end`() {
        var desk = desk(window: 100)
        for client in 1...2 {
            _ = desk.requested(ReservationRequest(), of: place(), by: asker(UInt64(client)), now: at(0))
        }
        let outcomes = desk.close(place(occupancy: .busy), now: at(100))
        #expect(outcomes.map(\.outcome) == [.refused(.unavailable(.busy)), .refused(.unavailable(.busy))])
        #expect(desk.leaseCount == 0 && desk.nextDeadline == nil)
    }

    @Test func `an agent who leaves ends the window`() {
        var desk = desk(window: 100)
        _ = desk.requested(ReservationRequest(), of: place(), by: asker(1, number: 77), now: at(0))
        let left = desk.agentLeft(DNIndex(0))
        #expect(!left.wasReserved && left.waiting.map(\.number) == [77])
        #expect(desk.nextDeadline == nil)
    }

    @Test func `a window holds so many`() {
        var desk = desk(window: 100)
        let outcomes = (0...ReservationDesk.maximumCandidates).map { client in
            desk.requested(ReservationRequest(), of: place(), by: asker(UInt64(client)), now: at(0))
        }
        #expect(outcomes.last == .refused(.tooMany))
        #expect(outcomes.dropLast().allSatisfy { $0 == .collected })
        #expect(desk.fill == ReservationDesk.maximumCandidates)
    }
}
