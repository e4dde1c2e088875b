import Orchestration
import Testing

@Suite struct ConditionBoardTests {
    private let link = Condition(
        severity: .error, scope: .link, subject: "dc1/a to dc2/b", kind: "link-not-live", reason: "down",
        message: "the link is down", command: "tandem links")

    private func told(_ changes: [ConditionBoard.Change]) -> [String] {
        changes.map {
            switch $0 {
            case .raised(let condition): "raised \(condition.kind) \(condition.comings)"
            case .cleared(let condition): "cleared \(condition.kind)"
            }
        }
    }

    @Test func `what stays keeps its time, whatever its figures do`() {
        var board = ConditionBoard()
        #expect(told(board.look([link], silent: [], at: 1_000)) == ["raised link-not-live 1"])
        var other = link
        other.message = "the link is still down"
        #expect(told(board.look([other], silent: [], at: 9_000)).isEmpty)
        let seen = board.view([other], silent: [], at: 9_500)
        #expect(seen.map(\.since) == [1_000])
        #expect(seen.map(\.message) == ["the link is still down"])
        #expect(seen.map(\.status) == [.true])
    }

    @Test func `what is new between looks is so since now, and what is over is gone`() {
        var board = ConditionBoard()
        #expect(board.view([link], silent: [], at: 50).map(\.since) == [50])
        _ = board.look([link], silent: [], at: 100)
        #expect(board.view([], silent: [], at: 150).isEmpty)
        #expect(told(board.look([], silent: [], at: 200)) == ["cleared link-not-live"])
    }

    @Test func `a condition that becomes worse is told of again`() {
        var board = ConditionBoard()
        _ = board.look([link], silent: [], at: 1)
        var milder = link
        milder.severity = .warning
        #expect(told(board.look([milder], silent: [], at: 2)) == ["raised link-not-live 1"])
        #expect(board.view([milder], silent: [], at: 3).map(\.since) == [1])
    }

    @Test func `one that comes and goes is told of three times, and stays to be read until it has rested`() {
        var board = ConditionBoard()
        var events: [String] = []
        for time in stride(from: 0, to: 10_000, by: 1_000) as StrideTo<Int> {
            let isThere = time % 2_000 == 0
            events += told(board.look(isThere ? [link] : [], silent: [], at: UInt64(time)))
        }
        #expect(
            events == [
                "raised link-not-live 1", "cleared link-not-live", "raised link-not-live 2", "cleared link-not-live",
                "raised link-not-live 3",
            ])
        let away = board.view([], silent: [], at: 20_000)
        #expect(away.map(\.status) == [.false])
        #expect(away.map(\.comings) == [5])
        #expect(told(board.look([], silent: [], at: 37_999)).isEmpty)
        #expect(told(board.look([], silent: [], at: 38_000)) == ["cleared link-not-live"])
        #expect(board.view([], silent: [], at: 38_001).isEmpty)
    }

    @Test func `one that comes rarely never stays when it is away`() {
        var board = ConditionBoard()
        for round in 0..<10 as Range<UInt64> {
            #expect(told(board.look([link], silent: [], at: round * 40_000)).count == 1)
            #expect(told(board.look([], silent: [], at: round * 40_000 + 100)) == ["cleared link-not-live"])
            #expect(board.view([], silent: [], at: round * 40_000 + 200).isEmpty)
        }
    }

    @Test func `what a silent node has said is neither so nor over`() {
        var board = ConditionBoard()
        let down = Condition(severity: .error, scope: .node, subject: "dc1/a", kind: "store-failing", message: "full")
        _ = board.look([link, down], silent: [], at: 1)
        #expect(told(board.look([], silent: ["dc1/a"], at: 2)).isEmpty)
        #expect(board.view([], silent: ["dc1/a"], at: 3).map(\.status) == [.unknown, .unknown])
        #expect(board.view([], silent: ["dc2/b"], at: 3).isEmpty)
        #expect(
            told(board.look([], silent: [], at: 4)) == ["cleared store-failing", "cleared link-not-live"])
    }

    @Test func `notices of a topology are told apart by their words`() {
        var board = ConditionBoard()
        let notices = ["a", "b"].map {
            Condition(severity: .notice, subject: "topology", kind: "not-run-yet", message: $0)
        }
        #expect(board.look(notices, silent: [], at: 1).count == 2)
        #expect(board.view(notices, silent: [], at: 2).map(\.message) == ["a", "b"])
    }

    @Test func `the most severe come first, and of these the widest`() {
        let conditions = [
            Condition(severity: .notice, subject: "topology", kind: "z", message: ""),
            link,
            Condition(severity: .error, scope: .node, subject: "dc1/a", kind: "b", message: ""),
            Condition(severity: .error, scope: .dataCenter, subject: "dc1", kind: "c", message: ""),
            Condition(severity: .error, subject: "cluster", kind: "d", message: ""),
        ]
        #expect(
            ConditionBoard().view(conditions, silent: [], at: 1).map(\.kind) == ["d", "c", "b", "link-not-live", "z"])
    }
}
