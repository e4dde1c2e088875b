import ClusterModel

/// What differs between two topologies, a row each.
package enum DifferenceText {
    /// With a heading; `+` for what is added, `-` for what is removed, `~` for what is changed.
    package static func lines(of difference: TopologyDifference) -> [PlanText.Line] {
        var rows: [Row] = []
        for kind in TopologyDifference.Kind.allCases {
            let items = difference.items.filter { $0.kind == kind }
            for item in items.prefix(PlanText.maximumRows) { rows += self.rows(of: item) }
            if items.count > PlanText.maximumRows {
                rows.append(Row(" ", "and \(items.count - PlanText.maximumRows) more \(kind.words)s", ""))
            }
        }
        let changes = difference.dns.changes
        rows += changes.prefix(PlanText.maximumRows).map { row(of: $0) }
        if changes.count > PlanText.maximumRows {
            rows.append(Row(" ", "and \(changes.count - PlanText.maximumRows) more ranges of DNs", ""))
        }
        var lines = PlanText.table([["", "WHAT", "CHANGE"]] + rows.map { [$0.sign, $0.what, $0.how] })
        for (position, row) in rows.enumerated() { lines[position + 1].tone = row.tone }
        if let sum = sum(difference.dns) { lines.append(PlanText.Line(text: sum, tone: .plain)) }
        return lines
    }

    private struct Row {
        var sign: String
        var what: String
        var how: String
        var tone: PlanText.Tone

        /// - Parameter continued: what the row goes on with, where it has no sign of its own.
        init(_ sign: String, _ what: String, _ how: String, continued: PlanText.Tone = .faint) {
            self.sign = sign
            self.what = what
            self.how = how
            switch sign {
            case "+": tone = .added
            case "-": tone = .removed
            case "~": tone = .changed
            default: tone = continued
            }
        }
    }

    private static func rows(of item: TopologyDifference.Item) -> [Row] {
        switch item.change {
        case .added:
            let values = item.fields.map { "\($0.name) \($0.to ?? "none")" }
            return [Row("+", item.words, values.joined(separator: ", "))]
        case .removed: return [Row("-", item.words, "")]
        case .changed:
            return item.fields.enumerated().map { position, field in
                position == 0
                    ? Row("~", item.words, field.words) : Row("", "", field.words, continued: .changed)
            }
        }
    }

    private static func row(of change: DNDifference.Change) -> Row {
        let what = "\(change.count == 1 ? "DN" : "DNs") \(change.words)"
        switch (change.from, change.to) {
        case (let from?, let to?):
            var parts: [String] = []
            if from.homes != to.homes { parts.append("homes \(homes(from.homes)) -> \(homes(to.homes))") }
            if from.agentType != to.agentType { parts.append("agentType \(from.agentType) -> \(to.agentType)") }
            if from.dial != to.dial { parts.append("dial \(from.dial ?? "none") -> \(to.dial ?? "none")") }
            if from.expectation != to.expectation {
                parts.append("expect \(words(from.expectation)) -> \(words(to.expectation))")
            }
            return Row("~", what, (change.isMoved ? "moved: " : "") + parts.joined(separator: ", "))
        case (nil, let to?):
            var parts = ["agentType \(to.agentType)"]
            if !to.homes.isEmpty { parts.append("homes \(homes(to.homes))") }
            if let dial = to.dial { parts.append("dial \(dial)") }
            if let expectation = to.expectation { parts.append("expect \(expectation)") }
            return Row("+", what, parts.joined(separator: ", "))
        case (_, nil): return Row("-", what, "")
        }
    }

    private static func homes(_ homes: [String]) -> String { homes.isEmpty ? "anywhere" : TopologyWords.list(homes) }

    private static func words(_ expectation: ServiceExpectation?) -> String {
        expectation.map { "\($0)" } ?? "none"
    }

    /// `1000 DNs added, 20 moved`; nil where the rows say it already.
    private static func sum(_ dns: DNDifference) -> String? {
        guard dns.changes.count > 1 else { return nil }
        let parts = [
            (dns.added, "added"), (dns.removed, "removed"), (dns.moved, "moved"), (dns.changed, "changed"),
        ].filter { $0.0 > 0 }.enumerated().map { position, part in
            position == 0 ? "\(PlanWords.count(UInt64(part.0), "DN")) \(part.1)" : "\(part.0) \(part.1)"
        }
        return parts.joined(separator: ", ")
    }
}
