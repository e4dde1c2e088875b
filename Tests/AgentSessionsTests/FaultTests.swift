import AgentSessions
import ClusterModel
import Testing

@Suite struct `mistakes of reservations` {
    @Test func `a token of an earlier life is good again`() throws {
        func redeemed(_ faults: Faults) throws -> ReservationRefusal? {
            var earlier = desk(lineage: 1, faults: faults)
            var later = desk(lineage: 2, faults: faults)
            let old = earlier.requested(ReservationRequest(), of: place(), by: asker(1), now: at(0)).reservation
            _ = later.requested(ReservationRequest(), of: place(), by: asker(2), now: at(10))
            return later.redeem(try #require(old).token, for: 1, of: place(), now: at(20))
        }
        #expect(try redeemed(.none) == .staleToken)
        #expect(try redeemed(.leaseSurvivesRestart) == nil)
    }

    @Test func `any token is honoured`() throws {
        func redeemed(_ faults: Faults) -> ReservationRefusal? {
            var desk = desk(faults: faults)
            let token = ReservationToken(
                dn: place().name, claim: stamp(1), lineage: Incarnation(rawValue: 1), number: 4711)
            return desk.redeem(token, for: 1, of: place(), now: at(0))
        }
        #expect(redeemed(.none) == .staleToken)
        #expect(redeemed(.tokenUnchecked) == nil)
    }

    @Test func `a reservation outlives the claim`() throws {
        func redeemed(_ faults: Faults) throws -> ReservationRefusal? {
            var desk = desk(faults: faults)
            let reservation = desk.requested(ReservationRequest(), of: place(), by: asker(1), now: at(0)).reservation
            _ = desk.agentLeft(DNIndex(0))
            return desk.redeem(try #require(reservation).token, for: 1, of: place(claim: 9), now: at(1))
        }
        #expect(try redeemed(.none) == .staleToken)
        #expect(try redeemed(.grantsOutliveClaim) == nil)
    }
}
