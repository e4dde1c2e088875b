import OperatorCommands
import Orchestration
import Testing

struct EventTests {
    private let event = ClusterEvent(
        sequence: 12, time: now + 250, kind: .linkDown, severity: .error, node: "dc1/sip1", peer: "dc2/sip1",
        message: "down, so dc1/sip1 shows no DN of dc2/sip1 in service: peer \u{1B}closed")

    @Test
    func eventOnOneLine() {
        let time = Wording.localTime(milliseconds: now)
        let expected =
            "\(time).250  link-down           dc1/sip1 to dc2/sip1  down, so dc1/sip1 shows no DN of dc2/sip1 in "
            + "service: peer \u{FFFD}closed  #12\n"
        #expect(EventScreen.line(event, .plain) == expected)
        #expect(EventScreen.line(event, Style(isOn: true)).contains("\u{1B}[31mlink-down"))
    }

    @Test
    func plainEventHasAllFields() {
        let expected =
            "12\t2026-01-31T12:00:00.250Z\tlink-down\terror\tdc1/sip1\tdc2/sip1\t-\tdown, so dc1/sip1 shows no DN of "
            + "dc2/sip1 in service: peer \u{FFFD}closed\n"
        #expect(EventScreen.line(event, Style(isOn: false, hasTabs: true)) == expected)
    }

    @Test
    func jsonOfAnEvent() {
        var raised = event
        raised.kind = .conditionRaised
        raised.condition = "clock-skew"
        raised.peer = ""
        raised.message = "the clock is ahead"
        let expected = """
            {"condition":"clock-skew","kind":"condition-raised","message":"the clock is ahead","node":"dc1/sip1",\
            "peer":null,"sequence":12,"severity":"error","stream":"00000000000000ff","time":"2026-01-31T12:00:00.250Z"}

            """
        #expect(JSONOutput.compact(EventJSON(raised, stream: 255)) == expected)
    }
}

struct SinceTests {
    @Test(arguments: [
        ("10m", 600_000), ("2h", 7_200_000), ("1h30m", 5_400_000), ("2d", 172_800_000), ("90s", 90_000), ("250ms", 250),
    ])
    func durations(text: String, milliseconds: UInt64) {
        #expect(SinceWhen(text) == .ago(milliseconds))
    }

    @Test
    func numbersOfEvents() {
        #expect(SinceWhen("0") == .sequence(0))
        #expect(SinceWhen("12")?.start(now: now) == .sequence(12, stream: 0))
    }

    @Test(arguments: [
        "2026-01-31T12:00:00Z", "2026-01-31T12:00Z", "2026-01-31 12:00:00.000Z", "2026-01-31T13:00:00+01:00",
        "2026-01-31T06:30:00-0530",
    ])
    func momentsWithAZone(text: String) {
        #expect(SinceWhen(text) == .time(now))
    }

    @Test
    func momentsOfThisMachine() throws {
        let text = Wording.localTime(milliseconds: now)
        #expect(SinceWhen(text) == .time(now))
        #expect(SinceWhen(text + ".25") == .time(now + 250))
        guard case .time(let midnight) = SinceWhen("2026-01-31") else { throw CommandFailure("no moment", .failed) }
        #expect(Wording.localTime(milliseconds: midnight) == "2026-01-31 00:00:00")
    }

    @Test(arguments: [
        "", "m", "ten minutes", "10 m", "10y", "-5m", "2026-13-01", "2026-01-32", "2026-01-31T25:00", "yesterday",
        "99999999999999999999s", "2026-01-31T12:00:00Q",
    ])
    func whatIsNone(text: String) {
        #expect(SinceWhen(text) == nil)
    }

    @Test
    func longAgoIsTheBeginning() {
        #expect(SinceWhen("30000d")?.start(now: now) == .time(0))
        #expect(SinceWhen("10m")?.start(now: now) == .time(now - 600_000))
    }
}

struct WatchTests {
    @Test
    func linesAreCutAtTheEdge() {
        #expect(WatchScreen.cut("healthy", to: 4) == "heal")
        #expect(WatchScreen.cut("healthy", to: 7) == "healthy")
        let colored = Style(isOn: true).good("healthy") + " yes"
        #expect(WatchScreen.cut(colored, to: 4) == "\u{1B}[32mheal\u{1B}[0m", "colours end where they would have ended")
    }

    @Test
    func aFrameFitsTheTerminal() {
        let frame = WatchScreen.frame(["one", "two", "three", "four", ""], rows: 3, columns: 10)
        #expect(frame == "\u{1B}[Hone\u{1B}[K\r\ntwo\u{1B}[K\r\n… 2 more l\u{1B}[K\u{1B}[J")
        let whole = WatchScreen.frame(["one", "", "two", "", ""], rows: 3, columns: 10)
        #expect(whole == "\u{1B}[Hone\u{1B}[K\r\n\u{1B}[K\r\ntwo\u{1B}[K\u{1B}[J")
        #expect(WatchScreen.frame(["one", "two"], rows: 1, columns: 80).contains("… 2 more lines"))
    }

    @Test
    func figuresAreNoChange() {
        var later = healthyStatus()
        later.nodes[0].report?.uptimeMilliseconds += 1000
        later.nodes[0].report?.links[0].roundTripMicroseconds = 9
        later.nodes[0].logLines = ["a line"]
        #expect(later.withoutFigures == healthyStatus().withoutFigures)
        #expect(degradedStatus().withoutFigures != healthyStatus().withoutFigures)
        later.inService += 1
        #expect(later.withoutFigures != healthyStatus().withoutFigures)
    }
}
