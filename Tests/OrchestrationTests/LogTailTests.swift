import Orchestration
import Testing

@Suite struct LogTailTests {
    private func text(_ lines: [[UInt8]]) -> [String] { lines.map { String(decoding: $0, as: UTF8.self) } }

    @Test func `lines are passed on whole, however they come`() {
        var tail = LogTail(name: "dc1/a")
        #expect(tail.append("first\nsec".utf8, now: 0) == [Array("first\n".utf8)])
        #expect(text(tail.append("ond\n\nthird".utf8, now: 0)) == ["second\n", "\n"])
        #expect(tail.lines == ["first", "second", ""])
        #expect(text(tail.end(now: 0)) == ["third\n"])
        #expect(tail.end(now: 0) == [])
        #expect(tail.lines == ["first", "second", "", "third"])
    }

    @Test func `the journal's priority goes to the journal, not to people`() {
        var tail = LogTail(name: "dc1/a")
        #expect(
            text(tail.append("<6>dc1/a: ready\n<9>no\n<x\n".utf8, now: 0)) == ["<6>dc1/a: ready\n", "<9>no\n", "<x\n"])
        #expect(tail.lines == ["dc1/a: ready", "<9>no", "<x"])
    }

    @Test func `twenty lines of five hundred bytes are kept`() {
        var tail = LogTail(name: "dc1/a")
        for number in 1...30 { _ = tail.append("\(number)\n".utf8, now: 0) }
        #expect(tail.lines == (11...30).map { "\($0)" })
        let long = String(repeating: "x", count: 100_000)
        let passed = tail.append((long + "\n").utf8, now: 0)
        #expect(passed.map(\.count) == [LogTail.passedBytes + 1])
        #expect(tail.lines.last?.utf8.count == LogTail.keptBytes)
        #expect(tail.lines.count == LogTail.keptLines)
    }

    @Test func `what is not text does no harm`() {
        var tail = LogTail(name: "dc1/a")
        _ = tail.append([0xFF, 0x00, 0xC3, 0x0A], now: 0)
        #expect(tail.lines == ["\u{FFFD}\0\u{FFFD}"])
    }

    @Test func `beyond a burst two hundred lines a second are passed on, and the rest is counted and told`() {
        var tail = LogTail(name: "dc1/a")
        let flood = Array(String(repeating: "x\n", count: 1_000).utf8)
        #expect(tail.append(flood, now: 1).count == 400)
        #expect(tail.leftOut == 600)
        let later = text(tail.append("again\n".utf8, now: 1_000_000_001))
        #expect(later == ["dc1/a: 600 lines were left out, as there were too many a second\n", "again\n"])
        #expect(tail.append(flood, now: 1_000_000_001).count == 199)
        // A clock that seems to go backwards gives no credit.
        #expect(tail.append("x\n".utf8, now: 0).isEmpty)
    }
}
