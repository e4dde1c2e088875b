package import Orchestration

/// Conditions, a line each.
package enum ConditionScreen {
    /// A screen has room for so many.
    private static let limit = 12

    /// - Parameter now: milliseconds since 1970; nil to leave the times out.
    static func rendered(_ status: ClusterStatus, now: UInt64?, _ style: Style) -> String {
        let lines = status.conditions.prefix(limit).map { "  \(line($0, now: now, style))\n" }.joined()
        let rest = max(0, status.conditions.count - limit) + Int(clamping: status.conditionsLeftOut)
        let more = rest > 0 ? "  and \(rest) more; `tandem status --json` has them\n" : ""
        return "Conditions:\n\(lines)\(more)"
    }

    /// What is so, with how long it has been, and the command that helps.
    ///
    /// - Parameter now: milliseconds since 1970; nil to leave the time out.
    package static func line(_ condition: Condition, now: UInt64? = nil, _ style: Style) -> String {
        var word =
            switch condition.severity {
            case .error: style.bad("error")
            case .warning: style.doubtful("warning")
            case .notice: style.faint("notice")
            }
        var remarks: [String] = []
        switch condition.status {
        case .true:
            if let now, condition.since > 0 {
                remarks.append(Wording.duration(milliseconds: now - min(now, condition.since)))
            }
        case .false:
            word = style.faint("over")
            remarks.append("not so at this moment")
        case .unknown:
            remarks.append("not known at this moment")
        }
        if condition.comings > 2 { remarks.append("came \(condition.comings) times in a minute") }
        let remark = remarks.isEmpty ? "" : ", " + remarks.joined(separator: ", ")
        let command = condition.command.isEmpty ? "" : "; `\(condition.command)`"
        return
            "\(word) \(condition.subject): \(Wording.printable(condition.message)) [\(condition.kind)\(remark)]\(command)"
    }
}

/// A condition in `tandem status --json`.
package struct ConditionJSON: Encodable, Equatable, Sendable {
    var severity: String
    var scope: String
    var subject: String
    /// The type.
    var kind: String
    var status: String
    var reason: String
    var message: String
    @OrNull var since: String?
    @OrNull var observedGeneration: UInt64?
    var timesInLastMinute: Int
    @OrNull var command: String?

    package init(_ condition: Condition) {
        severity = condition.severity.rawValue
        scope = condition.scope.rawValue
        subject = condition.subject
        kind = condition.kind
        status = condition.status.rawValue
        reason = condition.reason
        message = condition.message
        since = condition.since == 0 ? nil : Wording.isoTime(milliseconds: condition.since)
        observedGeneration = condition.observedGeneration == 0 ? nil : condition.observedGeneration
        timesInLastMinute = condition.comings
        command = condition.command.isEmpty ? nil : condition.command
    }
}
