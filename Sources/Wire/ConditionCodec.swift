import CProtobufC
import CTandemProto
import Orchestration

enum ConditionCodec {
    /// A status has all workers and must fit into a frame above all when much is wrong.
    static let maximum = 500

    static func pack(
        _ condition: Condition, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__Condition> {
        arena.make(tandem__control__condition__init) {
            $0.severity = arena.string(condition.severity.rawValue)
            $0.subject = arena.string(condition.subject)
            $0.kind = arena.string(condition.kind)
            $0.message = arena.string(condition.message)
            $0.scope = arena.string(condition.scope.rawValue)
            $0.reason = arena.string(condition.reason)
            $0.command = arena.string(condition.command)
            $0.status = arena.string(condition.status.rawValue)
            $0.since = condition.since
            $0.comings = UInt32(clamping: condition.comings)
            $0.observed_generation = condition.observedGeneration
        }
    }

    /// What an earlier build does not say is so and is about the cluster.
    static func condition(_ message: borrowing Tandem__Control__Condition) -> Condition {
        var condition = Condition(
            severity: Condition.Severity(rawValue: text(message.severity)) ?? .notice,
            scope: Condition.Scope(rawValue: text(message.scope)) ?? .cluster,
            subject: text(message.subject), kind: text(message.kind), reason: text(message.reason),
            message: text(message.message), command: text(message.command))
        condition.status = Condition.Status(rawValue: text(message.status)) ?? .true
        condition.since = message.since
        condition.comings = max(1, Int(message.comings))
        condition.observedGeneration = message.observed_generation
        return condition
    }
}
