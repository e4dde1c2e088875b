import ClusterModel
import Orchestration
import Testing

/// One history of what several nodes have kept.
@Suite struct HistoryTests {
    private func answer(_ node: String, _ times: UInt64...) -> DNHistories.Answer {
        var history = DNHistory(request: 1)
        history.transitions = times.map {
            Transition(time: $0, cause: .registered, service: .inService, owner: node, stamp: .zero)
        }
        return DNHistories.Answer(node: node, state: .ready, history: history)
    }

    private func order(_ answers: [DNHistories.Answer]) -> [String] {
        DNHistories(dn: "1000", answers: answers).entries.map { "\($0.node) \($0.transition.time)" }
    }

    @Test func `by time, and of one node in its order`() {
        #expect(order([answer("a", 1, 5, 9), answer("b", 4, 5)]) == ["a 1", "b 4", "a 5", "b 5", "a 9"])
        let silent = DNHistories.Answer(node: "c", state: .starting, history: nil)
        #expect(order([silent, answer("a", 1)]) == ["a 1"])
    }

    @Test func `a clock that was set back makes no other order of what one node saw`() {
        #expect(order([answer("a", 10, 3, 4), answer("b", 5, 11)]) == ["b 5", "a 10", "a 3", "a 4", "b 11"])
    }
}
