import AgentSessions
import ClusterModel
import Testing
import WorkspaceCore

@Suite struct `the board of agents` {
    private func row(_ dn: Int, _ agent: String, _ status: AgentStatus = .ready, _ dataCenter: String = "dc1")
        -> BoardRow
    {
        BoardRow(
            dn: DN("\(dn)")!, agent: AgentID(agent)!, status: status, since: 1, dataCenter: dataCenter,
            location: "west", owner: "\(dataCenter)/sip1", service: .inService)
    }

    private func at(_ milliseconds: UInt64) -> Instant {
        Instant(monotonic: 1_000_000_000 + milliseconds * 1_000_000, wallMilliseconds: milliseconds)
    }

    private func board() -> AgentBoard {
        var board = AgentBoard()
        let isAnew = board.told(
            BoardNews(
                beginsSnapshot: true, endsSnapshot: true,
                rows: [row(7002, "Cleo", .notReady), row(7000, "ann"), row(7001, "ben", .ready, "dc2")]), now: at(0))
        #expect(isAnew)
        return board
    }

    @Test func `it is sorted, counted and cut to pages`() {
        var board = board()
        let first = board.page(AgentQuery(limit: 2))
        #expect(first.rows.map { "\($0.dn)" } == ["7000", "7001"])
        #expect(first.after == DN("7001"))
        #expect(
            first.counts.map { "\($0.dataCenter) \($0.status.word) \($0.count)" } == [
                "dc1 not-ready 1", "dc1 ready 1", "dc2 ready 1",
            ])
        let second = board.page(AgentQuery(after: first.after, limit: 2))
        #expect(second.rows.map { "\($0.dn)" } == ["7002"])
        #expect(second.after == nil)
        #expect(second.counts == first.counts)
        #expect(!second.isUnheard)
    }

    @Test func `it is searched by data center, status, DN and agent`() {
        var board = board()
        func found(_ query: AgentQuery) -> [String] { board.page(query).rows.map(\.agent.text) }
        #expect(found(AgentQuery(dataCenter: "dc2")) == ["ben"])
        #expect(found(AgentQuery(status: "not-ready")) == ["Cleo"])
        #expect(found(AgentQuery(text: "cLE")) == ["Cleo"])
        #expect(found(AgentQuery(text: "7001")) == ["ben"])
        #expect(found(AgentQuery(text: "nobody")) == [])
    }

    @Test func `changes are collected for a quarter of a second`() {
        var board = board()
        #expect(board.told(BoardNews(rows: [row(7000, "ann", .busy)]), now: at(1_000)) == false)
        #expect(board.told(BoardNews(rows: [row(7000, "ann", .ready)]), now: at(1_100)) == false)
        #expect(board.told(BoardNews(rows: [row(7001, "ben", .busy, "dc2")]), now: at(1_200)) == false)
        #expect(board.due(now: at(1_249)) == [])
        #expect(board.due(now: at(1_250)).map(\.status) == [.ready, .busy])
        #expect(board.due(now: at(2_000)) == [])
    }

    @Test func `a snapshot takes away what it does not tell`() {
        var board = board()
        #expect(board.told(BoardNews(beginsSnapshot: true, rows: [row(7000, "ann")]), now: at(1)) == false)
        #expect(board.count == 3)
        #expect(board.told(BoardNews(endsSnapshot: true, rows: [row(7001, "ben", .ready, "dc2")]), now: at(2)) == true)
        #expect(board.all().map(\.agent.text) == ["ann", "ben"])
        board.lost()
        #expect(board.page(AgentQuery()).isUnheard)
        #expect(board.count == 2)
    }
}
