import ClusterModel
import Orchestration

/// What `tandem replay` shows people.
package enum ReplayScreen {
    /// `#12    2026-01-31 14:03:07.250  same     look: generation 7 -> 8, 3 steps  -> apply dc1/sip1`, and below it what differs.
    package static func line(_ replayed: ReplayedDecision, _ style: Style) -> String {
        let decision = replayed.decision
        let time = Wording.localTimeWithMilliseconds(milliseconds: decision.time.wallMilliseconds)
        let done = decision.outcome.actions.joined(separator: "; ")
        if style.hasTabs {
            let fields = [
                "\(decision.number)", Wording.isoTime(milliseconds: decision.time.wallMilliseconds),
                replayed.verdict.word, decision.input.word, came(in: replayed), done,
            ]
            return fields.map { $0.isEmpty ? "-" : Wording.printable($0) }.joined(separator: "\t") + "\n"
        }
        let gap = replayed.isAfterGap ? style.doubtful("decisions are missing here") + "\n" : ""
        let number = padded("#\(decision.number)", 5)
        let verdict = painted(replayed.verdict, style) + (replayed.verdict == .same ? "   " : "")
        let line =
            "\(number)  \(style.faint(time))  \(verdict)  "
            + Wording.printable(came(in: replayed) + (done.isEmpty ? "" : "  -> \(done)"))
        return "\(gap)\(line)\n\(differences(replayed, style))"
    }

    /// How many there were, and how they came out.
    package static func summary(_ run: DecisionRun, _ style: Style) -> String {
        let torn = run.isTorn ? "; the last record was cut off, and is left out" : ""
        guard run.count > 0 else { return "no decisions\(torn)" }
        let count = Wording.count(run.count, "decision")
        guard run.differing > 0 else {
            return "\(count), \(style.good(run.count == 1 ? "the same" : "all the same"))\(torn)"
        }
        return "\(count), \(style.bad("\(run.differing) not the same"))\(torn)"
    }

    /// That others decide otherwise.
    package static func warning(_ versions: [String]) -> String {
        "decided by version \(Wording.list(versions)); this is \(TandemVersion.current), which may decide otherwise"
    }

    // MARK: One decision

    /// All that is known of it.
    package static func whole(_ replayed: ReplayedDecision, _ style: Style) -> String {
        let decision = replayed.decision
        let time = Wording.localTimeWithMilliseconds(milliseconds: decision.time.wallMilliseconds)
        let title = "decision \(decision.number) of \(replayed.segment.cluster), version \(replayed.segment.version)"
        var text = style.bold(Wording.printable(title)) + "\n\(time), \(Wording.printable(came(in: replayed)))\n"
        if case .look(let look) = decision.input { text += "\n" + observed(look.observed, style) }
        if let plan = replayed.plan {
            text += "\n" + PlanScreen.rendered(plan, file: "FILE", style)
            text += PlanScreen.rendered(replayed.objections, style)
        } else if !decision.outcome.plan.isEmpty {
            text += "\n" + lines(decision.outcome.plan)
        }
        text += list("done", decision.outcome.actions) + list("remembered", decision.outcome.remembered)
        text += "\n\(style.bold("made again"))\n  \(painted(replayed.verdict, style))\n"
        return text + differences(replayed, style)
    }

    private static func observed(_ cluster: ObservedCluster, _ style: Style) -> String {
        var table = Table([
            Table.Column("WORKER"), Table.Column("ROLE"), Table.Column("STATE"),
            Table.Column("GENERATION", .right), Table.Column("VERSION"), Table.Column("INCARNATION", .right),
            Table.Column("RESTARTS", .right), Table.Column("IN SERVICE", .right), Table.Column("CALLS", .right),
            Table.Column("AGENTS", .right), Table.Column("LINKS", .right), Table.Column("LAST PROBLEM"),
        ])
        for worker in cluster.workers {
            let state = worker.drains ? "\(worker.state.rawValue), drains" : worker.state.rawValue
            let links = worker.expectedLinks == 0 ? "" : "\(worker.liveLinks)/\(worker.expectedLinks)"
            table.add(
                [
                    worker.name, worker.role.rawValue, state, worker.generation.map { "\($0)" } ?? "", worker.version,
                    "\(worker.incarnation)", "\(worker.restarts)", "\(worker.dnsInService)", "\(worker.calls)",
                    "\(worker.agents)", links, worker.lastProblem,
                ].map { Table.Cell(Wording.printable($0)) })
        }
        return table.rendered(style)
    }

    private static func list(_ heading: String, _ items: [String]) -> String {
        items.isEmpty ? "" : "\n\(heading)\n" + items.map { "  \(Wording.printable($0))\n" }.joined()
    }

    // MARK: What came in

    private static func came(in replayed: ReplayedDecision) -> String {
        switch replayed.decision.input {
        case .look(let look): return "look: " + (replayed.plan.map(short) ?? "generation \(look.generation)")
        case .ended(let worker, let problem):
            return problem.isEmpty ? "\(worker) has done it" : "\(worker) has failed: \(problem)"
        case .restartsEnded(let succeeded, let generation):
            return "restarts for generation \(generation) have \(succeeded ? "ended" : "failed")"
        case .tryAgain: return "an operator wants all of it tried again"
        case .consent(let generation): return "an operator accepts generation \(generation)"
        }
    }

    private static func short(_ plan: Plan) -> String {
        let generations =
            plan.index == plan.target ? "generation \(plan.target)" : "generation \(plan.index) -> \(plan.target)"
        var parts = [plan.isEmpty ? "nothing to do" : Wording.count(plan.steps.count, "step")]
        if !plan.findings.isEmpty { parts.append(Wording.count(plan.findings.count, "finding")) }
        if !plan.refusals.isEmpty { parts.append("refused") }
        return "\(generations), \(parts.joined(separator: ", "))"
    }

    // MARK: What came of it

    private static func painted(_ verdict: DecisionReplay.Verdict, _ style: Style) -> String {
        switch verdict {
        case .same: style.good("same")
        case .differs: style.bad("DIFFERS")
        case .unknown: style.doubtful("unknown")
        }
    }

    /// What was recorded and what comes out here, each whole; of one part only where the others are equal.
    private static func differences(_ replayed: ReplayedDecision, _ style: Style) -> String {
        switch replayed.verdict {
        case .same: return ""
        case .unknown(let generation):
            return "       the topology of generation \(generation) is not in the log, or this program cannot read it\n"
        case .differs(let outcome):
            let recorded = replayed.decision.outcome
            return part("plan", lines(recorded.plan), lines(outcome.plan), style)
                + part("objections", recorded.objections, outcome.objections, style)
                + part("done", recorded.actions, outcome.actions, style)
                + part("remembered", recorded.remembered, outcome.remembered, style)
        }
    }

    private static func part(_ what: String, _ recorded: [String], _ here: [String], _ style: Style) -> String {
        guard recorded != here else { return "" }
        func block(_ title: String, _ lines: [String]) -> String {
            "    \(style.bold(title))\n"
                + (lines.isEmpty ? ["nothing"] : lines).map { "      \(Wording.printable($0))\n" }.joined()
        }
        return block("\(what), as recorded", recorded) + block("\(what), made again", here)
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map(String.init)
    }

    private static func lines(_ text: String) -> String {
        lines(text).map { Wording.printable($0) + "\n" }.joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
    }
}
