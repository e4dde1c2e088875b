/// Something that an operator should know: what is so and should not be, or what passes. Of its parts the type (`kind`), the status, the
/// reason, the message, since when, and the observed generation are those of Kubernetes' conditions.
package struct Condition: Equatable, Sendable {
    package enum Severity: String, Equatable, Sendable, CaseIterable {
        case error, warning, notice
    }

    /// The raw values are those of JSON.
    package enum Status: String, Equatable, Sendable, CaseIterable {
        /// It is so.
        case `true`
        /// It is not so at this moment, and has come and gone too often to be called over.
        case `false`
        /// It was so, and who has said it does not answer.
        case unknown
    }

    /// What it is about. The raw values are those of JSON; the order is that of lists.
    package enum Scope: String, Equatable, Sendable, CaseIterable {
        case cluster
        case dataCenter = "data-center"
        case node, link, dn
    }

    package var severity: Severity
    package var scope: Scope
    /// A data center, a node, a link as `A to B`, `trunk T`, `DNs`, `topology`, `rollout`, `programs`, or `cluster`.
    package var subject: String
    /// The type, in kebab case, for scripts.
    package var kind: String
    /// Why it is so, in kebab case, for scripts; one type may have several.
    package var reason: String
    /// A sentence without a capital and a full stop.
    package var message: String
    /// What helps, or tells more; empty for nothing.
    package var command: String
    package var status = Status.true
    /// When it was seen first, milliseconds since 1970; 0 where nobody has kept it.
    package var since: UInt64 = 0
    /// How often it has come in the last minute.
    package var comings = 1
    /// The generation of the topology that its subject ran when it was seen; 0 where it does not say so.
    package var observedGeneration: UInt64 = 0

    package init(
        severity: Severity, scope: Scope = .cluster, subject: String, kind: String, reason: String = "",
        message: String, command: String = ""
    ) {
        self.severity = severity
        self.scope = scope
        self.subject = subject
        self.kind = kind
        self.reason = reason.isEmpty ? kind : reason
        self.message = message
        self.command = command
    }

    /// The most severe first, then the widest.
    package static func isListedBefore(_ left: Condition, _ right: Condition) -> Bool { left.rank < right.rank }

    private var rank: (Int, Int, String, String) {
        (
            Severity.allCases.firstIndex(of: severity) ?? 0, Scope.allCases.firstIndex(of: scope) ?? 0, subject, kind
        )
    }
}
