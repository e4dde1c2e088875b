import AgentSessions
import ClusterModel
import Statistics
import Testing

@Suite struct `what supervisors are told of DNs` {
    @Test func `rows name the owner and the reason, and come anew when these change`() {
        var setup = StatBoard.Setup(locations: ["west", "west"], nodes: ["dc1/sip1", "dc1/sip2"])
        setup.ringCapacity = 16
        var board = StatBoard(setup)
        let session = AgentSession(
            agent: ann, state: .notReady, login: Stamp(milliseconds: 1, counter: 0),
            stamp: Stamp(milliseconds: 1, counter: 0))
        func tell(_ service: Service, _ owner: Int) -> AgentRow? {
            let view = View(
                service: service, owner: NodeIndex(owner), stamp: Stamp(milliseconds: 1, counter: 0), agent: session)
            board.told(dn(1), view, now: Instant(monotonic: 1, wallMilliseconds: 10))
            return board.row(of: dn(1))
        }
        #expect(tell(.inService, 0)?.owner == "dc1/sip1")
        let before = board.sequence
        #expect(tell(.inService, 1)?.owner == "dc1/sip2")
        #expect(board.sequence == before + 1)
        #expect(tell(.expired, 1)?.service == .expired)
        #expect(tell(.flowLost, 1)?.service == .flowLost)
        #expect(board.sequence == before + 3)
        #expect(tell(.flowLost, 1)?.status == .outOfService)
        #expect(board.sequence == before + 3)
    }
}
