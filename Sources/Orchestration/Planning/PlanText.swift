/// A plan in words: what changes, what is done, whom it touches, and what is not as it should be.
package struct PlanText {
    /// What a line tells, which a terminal may show as a colour.
    package enum Tone: Equatable, Sendable {
        case plain, heading, added, removed, changed, warning, faint
    }

    /// One line, without its line break.
    package struct Line: Equatable, Sendable {
        /// Without colours.
        package var text: String
        /// What it tells.
        package var tone: Tone
    }

    /// Of how many changes of a kind, and of how many ranges of DNs, it is told one by one.
    package static let maximumRows = 20

    /// As far as they are written.
    package private(set) var lines: [Line] = []

    /// - Parameter file: the topology file as somebody has named it, for the command that applies the plan.
    package static func lines(of plan: Plan, file: String) -> [Line] {
        var text = PlanText()
        text.add(title(plan), .heading)
        for refusal in plan.refusals { text.add("refused: \(refusal)", .warning) }
        if let difference = plan.difference, !difference.isEmpty, !difference.isOtherCluster {
            text.block(DifferenceText.lines(of: difference))
        }
        text.block(steps(plan))
        text.block(touches(plan))
        for finding in plan.findings { text.block(Self.finding(finding)) }
        text.block(ending(plan, file))
        return text.lines
    }

    /// The lines, each ended by a line break, without colours.
    package static func rendered(_ plan: Plan, file: String) -> String {
        lines(of: plan, file: file).map { "\($0.text)\n" }.joined()
    }

    private mutating func add(_ text: String, _ tone: Tone = .plain) { lines.append(Line(text: text, tone: tone)) }

    /// After a blank line.
    private mutating func block(_ block: [Line]) {
        guard !block.isEmpty else { return }
        add("")
        lines += block
    }

    private static func title(_ plan: Plan) -> String {
        let generations =
            plan.index == plan.target ? "generation \(plan.target)" : "generation \(plan.index) -> \(plan.target)"
        return "\(plan.cluster): \(generations)\(plan.version.map { ", version \($0)" } ?? "")"
    }

    // MARK: Steps

    private static func steps(_ plan: Plan) -> [Line] {
        guard !plan.steps.isEmpty else { return [] }
        var rows: [[String]] = [["STEP", "DO", "WORKER", "AFTER", "WHY"]]
        var rest = plan.steps[...]
        while let first = rest.first {
            // Many that are told or started for the same reason at the same time are one row.
            let alike = first.work == .apply || first.work == .start ? rest.prefix { $0.isLike(first) } : rest.prefix(1)
            rest = rest.dropFirst(alike.count)
            let numbers = alike.count == 1 ? "\(first.number)" : "\(first.number)-\(first.number + alike.count - 1)"
            rows.append([
                numbers, first.work.word, PlanWords.list(alike.map(\.worker)),
                first.after.isEmpty ? "-" : PlanWords.ranges(first.after),
                first.reasons.isEmpty ? "-" : first.reasons.joined(separator: "; "),
            ])
        }
        return table(rows)
    }

    // MARK: Whom they touch

    private static func touches(_ plan: Plan) -> [Line] {
        var rows: [[String]] = []
        var right: Set<Int> = []
        for step in plan.steps {
            let touch = step.touch
            guard touch.isAnybody else { continue }
            // What happens to them is told where they are drained.
            if step.work == .stop, touch.outOfService == 0, touch.endedCalls == 0 { continue }
            rows.append(
                [
                    "\(step.number)", step.worker, "\(touch.dnsInService)",
                    "\(touch.calls)", "\(touch.agents)", sentence(step),
                ])
        }
        guard !rows.isEmpty else { return [] }
        right = [2, 3, 4]
        return table(
            [["STEP", "TOUCHES", "IN SERVICE", "CALLS", "AGENTS", "WHAT BECOMES OF THEM"]] + rows, right: right)
    }

    private static func sentence(_ step: Plan.Step) -> String {
        let touch = step.touch
        var parts: [String] = []
        switch step.work {
        case .drain:
            if touch.mustMove > 0 {
                parts.append("leave for \(PlanWords.list(touch.places)); those that do not go out of service")
            }
            if touch.calls > 0 { parts.append("calls have time to end") }
        case .stop:
            if touch.outOfService > 0 {
                parts.append("up to \(PlanWords.count(touch.outOfService, "DN")) out of service")
            }
            if touch.endedCalls > 0 { parts.append("\(PlanWords.count(touch.endedCalls, "call")) cut off") }
        case .restart:
            parts.append(touch.outOfService > 0 ? "handed over" : "handed over, and served meanwhile")
            if step.role == .sip, step.reasons.contains(where: { $0.hasPrefix("tcontroller ") }) {
                parts.append("desktops have to connect to the new port")
            }
            if touch.outOfService > 0 { parts.append(anew(touch)) }
        case .apply: if touch.outOfService > 0 { parts.append(anew(touch)) }
        case .start: break
        }
        if touch.unprovisioned > 0 {
            let limit = touch.isCounted ? "" : "up to "
            parts.append("\(limit)\(PlanWords.count(touch.unprovisioned, "DN")) not provisioned any more")
        }
        if touch.mustMove > 0, step.work != .drain {
            parts.append("up to \(PlanWords.count(touch.mustMove, "DN")) have to register in another data center")
        }
        return parts.joined(separator: "; ")
    }

    private static func anew(_ touch: Plan.Touch) -> String {
        "up to \(PlanWords.count(touch.outOfService, "DN")) out of service until their phones register anew"
    }

    // MARK: Findings

    private static func finding(_ finding: PlanFinding) -> [Line] {
        var lines = [Line(text: finding.sentence, tone: finding.needsYes ? .warning : .changed)]
        lines += finding.details.map { Line(text: "    \($0)", tone: .plain) }
        if !finding.byItself.isEmpty { lines.append(Line(text: "  by itself  \(finding.byItself)", tone: .plain)) }
        if !finding.remedy.isEmpty { lines.append(Line(text: "  operator   \(finding.remedy)", tone: .plain)) }
        if !finding.command.isEmpty { lines.append(Line(text: "  next       \(finding.command)", tone: .faint)) }
        return lines
    }

    // MARK: The end

    private static func ending(_ plan: Plan, _ file: String) -> [Line] {
        guard plan.refusals.isEmpty else { return [] }
        let yes = plan.needsYes ? " --yes" : ""
        let command = Line(
            text: "to do exactly this: tandem apply \(file) --plan-index \(plan.index)\(yes)", tone: .plain)
        guard !plan.steps.isEmpty else {
            let isNews = plan.difference?.isEmpty == false
            return [Line(text: nothing(plan), tone: .plain)] + (isNews ? [command] : [])
        }
        var sum = "\(PlanWords.count(UInt64(plan.steps.count), "step")), "
        sum +=
            plan.outOfService == 0
            ? "no DN put out of service" : "up to \(PlanWords.count(plan.outOfService, "DN")) out of service"
        if plan.mustMove > 0 { sum += ", up to \(plan.mustMove) to register elsewhere" }
        if plan.endedCalls > 0 { sum += ", \(PlanWords.count(plan.endedCalls, "call")) cut off" }
        let tone: Tone = plan.outOfService == 0 ? .plain : .warning
        return [Line(text: "\(sum); plan index \(plan.index)", tone: tone), command]
    }

    private static func nothing(_ plan: Plan) -> String {
        if plan.index != plan.target, let difference = plan.difference, !difference.isEmpty {
            return difference.concernsWorkers
                ? "no worker can be brought there now; plan index \(plan.index)"
                : "no worker has to hear of this; plan index \(plan.index)"
        }
        return plan.findings.isEmpty ? "nothing to do: all is as the topology says" : "nothing that a plan could change"
    }

    // MARK: Tables

    /// Columns two blanks apart, the last one not padded; the first row is the heading.
    static func table(_ rows: [[String]], right: Set<Int> = []) -> [Line] {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        return rows.enumerated().map { number, row in
            let cells = row.enumerated().map { column, text in
                let padding = String(repeating: " ", count: widths[column] - text.unicodeScalars.count)
                if right.contains(column) { return padding + text }
                return column == columns - 1 ? text : text + padding
            }
            var text = cells.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return Line(text: text, tone: number == 0 ? .heading : .plain)
        }
    }
}

extension Plan.Touch {
    /// Whether anybody is touched at all.
    fileprivate var isAnybody: Bool {
        dnsInService + calls + agents + outOfService + unprovisioned + mustMove + endedCalls > 0
    }
}

extension Plan.Step {
    /// Another worker, and all else the same.
    fileprivate func isLike(_ other: Plan.Step) -> Bool {
        work == other.work && reasons == other.reasons && after == other.after
    }
}
