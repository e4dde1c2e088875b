// What a rollout is to somebody who looks at the whole cluster.
extension RolloutMachine {
    /// Nil of one that is over.
    package var condition: Condition? {
        let restarted = "\(members.count { $0.state == .done }) of \(PlanWords.count(UInt64(members.count), "worker"))"
        func condition(
            _ severity: Condition.Severity, _ kind: String, _ message: String, _ command: String
        ) -> Condition {
            Condition(
                severity: severity, subject: "rollout", kind: kind, reason: phase.word, message: message,
                command: command)
        }
        switch phase {
        case .running:
            return condition(.notice, "rollout-under-way", "\(restarted) restarted", "tandem rollout --wait")
        case .paused:
            return condition(
                .warning, "rollout-paused", "\(restarted) restarted, and no other before somebody says so",
                "tandem rollout resume")
        case .failed:
            let failed = members.first { $0.state == .failed || $0.state == .reverted }
            let why = failed.map { "; \($0.name): \($0.problem.isEmpty ? "no reason is known" : $0.problem)" } ?? ""
            return condition(
                .warning, "rollout-failed", "stopped with \(restarted) restarted\(why)", "tandem rollout")
        case .reverting:
            return condition(
                .warning, "rollout-reverting", "those that were restarted go back to the program of before",
                "tandem rollout --wait")
        case .aborted, .finished:
            return nil
        }
    }
}
