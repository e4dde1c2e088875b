/// What an operator should know, derived from what the nodes report.
package enum ConditionRules {
    /// Sorted by severity, then by what they are about.
    package static func conditions(of nodes: [NodeStatus], notices: [String]) -> [Condition] {
        var conditions: [Condition] = []
        for node in nodes {
            if node.state == .backingOff || node.state == .stopped {
                let problem = node.lastProblem.isEmpty ? "no reason is known" : node.lastProblem
                conditions.append(
                    Condition(
                        severity: .error, subject: node.name, kind: "node-down", message: "not running: \(problem)")
                )
            } else if node.state == .ready, node.report == nil {
                conditions.append(
                    Condition(
                        severity: .error, subject: node.name, kind: "node-silent",
                        message: "the worker runs and does not answer"
                    )
                )
            } else if node.restarts > 0 {
                conditions.append(
                    Condition(
                        severity: .notice, subject: node.name, kind: "node-restarted",
                        message: "unplanned restarts: \(node.restarts); the last: \(node.lastProblem)"
                    )
                )
            }
            for link in node.report?.links ?? [] { conditions += self.conditions(of: link, from: node.name) }
        }
        conditions += notices.map {
            Condition(severity: .notice, subject: "topology", kind: "not-run-yet", message: $0)
        }
        return conditions.sorted { rank($0) < rank($1) }
    }

    private static func conditions(of link: LinkStatus, from node: String) -> [Condition] {
        let subject = "\(node) to \(link.peer)"
        var conditions: [Condition] = []
        if link.state != "live" {
            let problem = link.lastProblem.isEmpty ? "" : ": \(link.lastProblem)"
            conditions.append(
                Condition(
                    severity: .error, subject: subject, kind: "link-not-live",
                    message: "the link is \(link.state), so \(node) shows no DN of \(link.peer) in service\(problem)"
                )
            )
        }
        if link.clockAheadMilliseconds > 0 {
            conditions.append(
                Condition(
                    severity: .warning, subject: subject, kind: "clock-skew",
                    message:
                        "the clock of \(link.peer) is \(link.clockAheadMilliseconds) ms ahead; check its time service"
                )
            )
        }
        if link.mismatches > 1 {
            conditions.append(
                Condition(
                    severity: .warning, subject: subject, kind: "digest-mismatch",
                    message: "what \(link.peer) says did not add up \(link.mismatches) times in a row"
                )
            )
        }
        if link.hasOtherGeneration {
            conditions.append(
                Condition(
                    severity: .notice, subject: subject, kind: "other-generation",
                    message: "\(link.peer) runs another generation of the topology"
                )
            )
        }
        return conditions
    }

    private static func rank(_ condition: Condition) -> String {
        let severity =
            switch condition.severity {
            case .error: 0
            case .warning: 1
            case .notice: 2
            }
        return "\(severity)\(condition.subject)\(condition.kind)"
    }
}
