import Orchestration
import Testing

/// One list of calls from what all nodes know.
@Suite struct CallListTests {
    private func call(_ id: String, _ state: String, since: UInt64, caller: String = "1000") -> CallEntry {
        var entry = CallEntry()
        entry.callID = id
        entry.callerTag = "t"
        entry.caller = caller
        entry.callee = "1001"
        entry.state = state
        entry.since = since
        return entry
    }

    private func list(_ entries: [CallEntry], hasMore: Bool = false) -> CallList {
        var list = CallList()
        list.entries = entries
        list.hasMore = hasMore
        return list
    }

    @Test func `a call through two nodes stands once, as far as the one that knows more says`() {
        let merged = CallList.merged(
            [
                ("dc2/b", list([call("x", "established", since: 9), call("z", "ringing", since: 4)])),
                ("dc1/a", list([call("x", "ringing", since: 5), call("z", "ringing", since: 3, caller: "")])),
            ], CallFilter())
        #expect(merged.entries.map(\.callID) == ["z", "x"])
        #expect(merged.entries.map(\.since) == [3, 9])
        #expect(merged.entries.map(\.state) == ["ringing", "established"])
        #expect(merged.entries.allSatisfy { $0.nodes == ["dc1/a", "dc2/b"] && $0.caller == "1000" })
        #expect(!merged.hasMore)
    }

    @Test func `of a call that is held the node that holds it knows most, until somebody has taken it`() {
        var held = call("x", "waiting", since: 9, caller: "")
        (held.callee, held.callerText, held.dialledText, held.routingPoint) = ("", "4711", "8000", "8000")
        (held.tried, held.cameHere) = (["1001"], true)
        var given = call("x", "ringing", since: 5, caller: "")
        (given.callerText, given.dialledText, given.routingPoint) = ("4711", "1001", "8000")
        for lists in [
            [("dc1/a", list([held])), ("dc2/b", list([given]))], [("dc2/b", list([given])), ("dc1/a", list([held]))],
        ] {
            let waiting = CallList.merged(lists, CallFilter()).entries
            #expect(waiting.map(\.state) == ["waiting"] && waiting[0].since == 9)
            #expect(waiting[0].from == "4711" && waiting[0].to == "8000" && waiting[0].ringing == "")
            #expect(waiting[0].tried == ["1001"] && waiting[0].nodes == ["dc1/a", "dc2/b"])
        }
        given.state = "established"
        let taken = CallList.merged([("dc1/a", list([held])), ("dc2/b", list([given]))], CallFilter()).entries
        #expect(taken.map(\.state) == ["established"] && taken[0].to == "1001" && taken[0].dialledText == "8000")
        held.callee = "1001"
        held.state = "calling"
        given.state = "ringing"
        let ringing = CallList.merged([("dc2/b", list([given])), ("dc1/a", list([held]))], CallFilter()).entries
        #expect(ringing.map(\.ringing) == ["1001"] && ringing[0].since == 9)
        var former = given
        (former.callee, former.state) = ("1002", "ringing")
        given.state = "established"
        let several = CallList.merged([("dc1/a", list([held])), ("dc2/b", list([former, given]))], CallFilter()).entries
        #expect(several.map(\.callee) == ["1001"] && several.map(\.state) == ["established"])
        #expect(several[0].nodes == ["dc1/a", "dc2/b"])
        var filter = CallFilter()
        filter.routingPoint = "8000"
        #expect(CallList.merged([("dc1/a", list([held, call("y", "ringing", since: 1)]))], filter).entries.count == 1)
        filter.state = "waiting"
        #expect(CallList.merged([("dc1/a", list([held]))], filter).entries.isEmpty)
    }

    @Test func `calls are picked by state and node, and the oldest stay within the limit`() {
        let lists = [
            (
                node: "dc1/a",
                list: list([
                    call("x", "ringing", since: 5), call("y", "calling", since: 1), call("w", "ringing", since: 2),
                ])
            ), (node: "dc2/b", list: list([call("v", "ringing", since: 1)])),
        ]
        var filter = CallFilter()
        filter.state = "ringing"
        #expect(CallList.merged(lists, filter).entries.map(\.callID) == ["v", "w", "x"])
        filter.node = "dc1/a"
        #expect(CallList.merged(lists, filter).entries.map(\.callID) == ["w", "x"])
        filter.limit = 1
        let short = CallList.merged(lists, filter)
        #expect(short.entries.map(\.callID) == ["w"] && short.hasMore)
        #expect(CallList.merged([("dc1/a", list([], hasMore: true))], CallFilter()).hasMore)
    }
}
