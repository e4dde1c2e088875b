import OperatorCommands
import Orchestration
import Testing

@Suite struct ConditionScreenTests {
    private func condition(_ change: (inout Condition) -> Void = { _ in }) -> Condition {
        var condition = Condition(
            severity: .warning, scope: .link, subject: "a to b", kind: "clock-skew", reason: "clock-ahead",
            message: "5001 ms \u{1B}[2J", command: "timedatectl")
        condition.since = now - 65_000
        condition.observedGeneration = 3
        change(&condition)
        return condition
    }

    private func line(_ change: (inout Condition) -> Void = { _ in }) -> String {
        ConditionScreen.line(condition(change), now: now, .plain)
    }

    @Test func `a line has what is so, for how long, and the command that helps`() {
        #expect(
            line() == "warning a to b: \(Wording.printable("5001 ms \u{1B}[2J")) [clock-skew, 1m 05s]; `timedatectl`")
        #expect(line { $0.command = "" }.hasSuffix(" [clock-skew, 1m 05s]"))
        #expect(line { $0.since = now + 1 }.hasSuffix(" [clock-skew, 0ms]; `timedatectl`"))
        #expect(ConditionScreen.line(condition(), .plain).hasSuffix(" [clock-skew]; `timedatectl`"))
    }

    @Test func `what comes and goes says so, and what nobody knows`() {
        #expect(
            line {
                $0.status = .false
                $0.comings = 4
            }.hasPrefix("over a to b: "))
        #expect(
            line {
                $0.status = .false
                $0.comings = 4
            }.hasSuffix("[clock-skew, not so at this moment, came 4 times in a minute]; `timedatectl`"))
        #expect(line { $0.status = .unknown }.hasSuffix("[clock-skew, not known at this moment]; `timedatectl`"))
        #expect(
            line { $0.comings = 3 }.hasSuffix("[clock-skew, 1m 05s, came 3 times in a minute]; `timedatectl`"))
    }

    @Test func `a screen has twelve, and says how many more there are`() {
        var status = healthyStatus()
        status.generation = 7
        status.conditions = (0..<14).map { number in condition { $0.subject = "node\(number)" } }
        status.conditionsLeftOut = 5
        let screen = StatusScreen.rendered(status, now: now, .plain)
        #expect(screen.contains("topology pair.yaml in generation 7, tandemd"))
        #expect(screen.contains("warning node11:"))
        #expect(!screen.contains("warning node12:"))
        #expect(screen.hasSuffix("  and 7 more; `tandem status --json` has them\n"))
    }

    @Test func `what is not so at this moment degrades nothing`() {
        var status = healthyStatus()
        status.conditions = [condition { $0.severity = .error }]
        #expect(!status.isHealthy)
        for other in [Condition.Status.false, .unknown] {
            status.conditions = [
                condition {
                    $0.severity = .error
                    $0.status = other
                }
            ]
            #expect(status.isHealthy)
        }
    }

    @Test func `JSON has all parts`() {
        #expect(
            JSONOutput.compact(ConditionJSON(condition { $0.message = "5001 ms" }))
                == #"{"command":"timedatectl","kind":"clock-skew","message":"5001 ms","observedGeneration":3,"#
                + #""reason":"clock-ahead","scope":"link","severity":"warning","since":"2026-01-31T11:58:55.000Z","#
                + #""status":"true","subject":"a to b","timesInLastMinute":1}"# + "\n")
    }
}
