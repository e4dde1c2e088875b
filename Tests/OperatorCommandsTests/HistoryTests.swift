import ClusterModel
import OperatorCommands
import Orchestration
import Testing

@Suite struct HistoryTests {
    private func transition(
        _ cause: Transition.Cause, _ time: UInt64, _ service: Service = .inService, owner: String = "dc1/sip1"
    ) -> Transition {
        Transition(time: now + time, cause: cause, service: service, owner: owner, stamp: .zero, agent: "ann")
    }

    private func event(_ kind: ClusterEvent.Kind, _ time: UInt64, _ node: String, to peer: String = "") -> ClusterEvent
    {
        ClusterEvent(time: now + time, kind: kind, node: node, peer: peer, message: "it is")
    }

    private var histories: DNHistories {
        var (west, east) = (DNHistory(request: 0), DNHistory(request: 0))
        var phone = transition(.registered, 10)
        phone.phone = "192.0.2.7:5060"
        var taken = transition(.registered, 50, owner: "dc2/sip1")
        taken.formerOwner = "dc1/sip1"
        west.transitions = [
            phone, transition(.lost, 20, .expired), transition(.ready, 30), transition(.moved, 51, owner: "dc2/sip1"),
        ]
        east.transitions = [taken]
        var none = DNHistory(request: 0)
        none.problem = .noStore
        return DNHistories(
            dn: "1000",
            answers: [
                .init(node: "dc1/sip1", state: .ready, history: west),
                .init(node: "dc2/sip1", state: .ready, history: east),
                .init(node: "dc2/sip2", state: .ready, history: none),
                .init(node: "dc2/sip3", state: .backingOff, history: nil),
            ])
    }

    @Test func `what the owners saw, and between it what happened to the owner of the time and the links to it`() {
        let events = [
            event(.nodeReady, 5, "dc1/sip1"), event(.linkDown, 15, "dc2/sip1", to: "dc1/sip1"),
            event(.linkDown, 15, "dc1/sip1", to: "dc2/sip1"), event(.conditionRaised, 16, "dc1/sip1"),
            event(.nodeExited, 60, "dc1/sip1"), event(.nodeExited, 61, "dc2/sip1"),
        ]
        let past = DNPast(histories, events: events, limit: 100)
        #expect(
            past.lines.map { "\($0.time - now) \($0.node): \($0.sentence)" } == [
                "10 dc1/sip1: in service: a phone at 192.0.2.7:5060 registered",
                "15 dc2/sip1: to dc1/sip1: it is",
                "20 dc1/sip1: out of service: the registration ran out",
                "30 dc1/sip1: agent ann became ready",
                "50 dc2/sip1: in service: a desktop registered it; until then dc1/sip1 owned it",
                "51 dc1/sip1: dc2/sip1 owns it since",
                "61 dc2/sip1: it is",
            ])
        #expect(!past.hasMore)
        #expect(past.gaps.map(\.problem) == ["no-store", "no-answer"])
        let short = DNPast(histories, events: events, limit: 2)
        #expect(short.lines == past.lines.suffix(2) && short.hasMore)
    }

    @Test func `the table has times that sort, and nothing that moves a cursor`() {
        var histories = histories
        histories.answers[0].history?.transitions[2].agent = "\u{1B}[31m"
        let past = DNPast(histories, events: [], limit: 100)
        let lines = HistoryScreen.rendered(past, Style(isOn: false, hasTabs: true)).split(separator: "\n")
        #expect(lines[0] == "TIME\tNODE\tCAUSE\tWHAT")
        #expect(lines[1].hasPrefix("2026-01-31T12:00:00.010Z\tdc1/sip1\tregistered\tin service"))
        #expect(!lines.joined().contains("\u{1B}"))
    }

    @Test func `every cause and reason has its sentence`() {
        for cause in Transition.Cause.allCases {
            for service in Service.allCases {
                var history = DNHistory(request: 0)
                history.transitions = [transition(cause, 0, service)]
                let histories = DNHistories(
                    dn: "1", answers: [.init(node: "dc1/sip1", state: .ready, history: history)])
                let sentence = DNPast(histories, events: [], limit: 1).lines[0].sentence
                #expect(!sentence.hasSuffix(" ") && sentence.count > 4, "\(cause) \(service): \(sentence)")
            }
        }
    }

    @Test func `JSON of a transition and of an event`() {
        let past = DNPast(histories, events: [event(.nodeExited, 70, "dc2/sip1")], limit: 2)
        let expected = """
            {"dn":"1000","history":[{"agent":"ann","cause":"moved","formerOwner":null,"message":"dc2/sip1 owns it since",\
            "node":"dc1/sip1","owner":"dc2/sip1","phone":null,"reason":null,"service":"in-service","stamp":"0.0",\
            "time":"2026-01-31T12:00:00.051Z"},{"agent":null,"cause":"node-exited","formerOwner":null,"message":"it is",\
            "node":"dc2/sip1","owner":null,"phone":null,"reason":null,"service":null,"stamp":null,\
            "time":"2026-01-31T12:00:00.070Z"}],"missing":[{"node":"dc2/sip2","problem":"no-store"},\
            {"node":"dc2/sip3","problem":"no-answer"}],"more":true}

            """
        #expect(JSONOutput.compact(HistoryJSON(past)) == expected)
    }
}
