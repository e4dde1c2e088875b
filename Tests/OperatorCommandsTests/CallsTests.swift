import ClusterModel
import OperatorCommands
import Orchestration
import Testing

@Suite struct CallsTests {
    private var list: CallList {
        var list = CallList()
        var entry = CallEntry()
        entry.callID = "7a\u{1B}[31m@phone"
        entry.caller = "1001"
        entry.state = "ringing"
        entry.since = 1_769_860_800_000
        entry.nodes = ["dc1/sip1", "dc2/sip1"]
        list.entries = [entry]
        list.hasMore = true
        return list
    }

    @Test func `the table says who calls whom, how far they are, and where`() {
        let lines = CallScreen.list(list.entries, now: 1_769_860_803_500, .plain).split(separator: "\n")
        #expect(lines[0].split(separator: " ") == ["FROM", "TO", "STATE", "FOR", "NODES", "CONNID", "CALL-ID"])
        #expect(lines[1].split(separator: " ").prefix(4) == ["1001", "-", "ringing", "3s"])
        #expect(lines[1].contains("dc1/sip1 dc2/sip1"))
        #expect(!lines[1].contains("\u{1B}"), "phones choose Call-IDs")
    }

    /// A call that waits at a routing point, and one that rings there after many others.
    private var routed: [CallEntry] {
        var waiting = CallEntry()
        (waiting.callID, waiting.callerText, waiting.dialledText) = ("w", "+15551230001", "8000")
        (waiting.state, waiting.routingPoint, waiting.nodes) = ("waiting", "8000", ["dc1/sip1"])
        waiting.connection = CallConnection(rawValue: 0xAB)
        var ringing = waiting
        waiting.position = QueuePosition(position: 3, waiting: 9)
        (ringing.callID, ringing.state, ringing.callee) = ("r", "ringing", "1001")
        ringing.tried = ["1002", "1003", "1004", "1005", "1006"]
        ringing.callerText = String(repeating: "9", count: 64)
        return [waiting, ringing]
    }

    @Test func `a routed call has columns of its own, and long words are cut`() {
        let lines = CallScreen.list(routed, now: 5_000, .plain).split(separator: "\n")
        #expect(
            lines[0].split(separator: " ") == [
                "FROM", "TO", "VIA", "STATE", "FOR", "TRIED", "NODES", "CONNID", "CALL-ID",
            ])
        #expect(
            lines[1].split(separator: " ") == [
                "+15551230001", "8000", "8000", "waiting", "(3)", "5s", "-", "dc1/sip1", "00000000000000ab", "w",
            ])
        #expect(
            lines[2].split(separator: " ") == [
                "\(String(repeating: "9", count: 23))…", "1001", "8000", "ringing", "5s", "+2", "1004", "1005", "1006",
                "dc1/sip1", "00000000000000ab", "r",
            ])
        var list = CallList()
        list.entries = routed
        let json = JSONOutput.compact(CallsJSON(list))
        #expect(json.contains(#""caller":null,"callerText":"+15551230001","connection":"00000000000000ab""#), "\(json)")
        #expect(json.contains(#""ringing":null,"routingPoint":"8000""#) && json.contains(#""ringing":"1001""#))
        #expect(json.contains(#""position":3,"#) && json.contains(#""position":null,"#))
        #expect(json.contains(#""tried":["1002","1003","1004","1005","1006"]"#))
    }

    @Test func `a call of a DN is a few words`() {
        var call = DNCall(connection: CallConnection(rawValue: 1), phase: .established, since: 0, other: "1002")
        #expect(CallScreen.words(call, now: 12_000) == "in a call with 1002, established for 12s")
        call.routingPoint = DN("8000")
        call.phase = .ringing
        #expect(CallScreen.words(call, now: 12_000) == "rung by 1002 for 12s, by way of 8000")
        (call.isCaller, call.other) = (true, "")
        #expect(CallScreen.words(call, now: 0) == "calling somebody for 0ms, by way of 8000")
    }

    @Test func `JSON has the same`() {
        let json = JSONOutput.compact(CallsJSON(list))
        #expect(json.contains(#""caller":"1001","#) && json.contains(#""callee":null"#))
        #expect(json.contains(#""since":"2026-01-31T12:00:00.000Z""#) && json.contains(#""more":true"#))
        #expect(json.contains(#""nodes":["dc1/sip1","dc2/sip1"]"#) && json.contains(#""state":"ringing""#))
    }
}
