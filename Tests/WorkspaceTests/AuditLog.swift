import Synchronization
import WorkspaceCore

/// What was noted.
final class AuditLog: Sendable {
    private let held = Mutex<[AuditLine]>([])

    var lines: [AuditLine] { held.withLock { $0 } }

    func add(_ line: AuditLine) {
        held.withLock { $0.append(line) }
    }
}
