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
        #expect(lines[0].split(separator: " ") == ["FROM", "TO", "STATE", "FOR", "NODES", "CALL-ID"])
        #expect(lines[1].split(separator: " ").prefix(4) == ["1001", "-", "ringing", "3s"])
        #expect(lines[1].contains("dc1/sip1 dc2/sip1"))
        #expect(!lines[1].contains("\u{1B}"), "phones choose Call-IDs")
    }

    @Test func `JSON has the same`() {
        let json = JSONOutput.compact(CallsJSON(list))
        #expect(json.contains(#""caller":"1001","#) && json.contains(#""callee":null"#))
        #expect(json.contains(#""since":"2026-01-31T12:00:00.000Z""#) && json.contains(#""more":true"#))
        #expect(json.contains(#""nodes":["dc1/sip1","dc2/sip1"]"#) && json.contains(#""state":"ringing""#))
    }
}
