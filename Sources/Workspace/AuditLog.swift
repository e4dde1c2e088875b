package import Logging
package import WorkspaceCore

/// What security wants to know afterwards, a line each; any thread writes.
package struct AuditLog: Sendable {
    /// Full name of the workspace.
    private let gateway: String
    private let logger: Logger

    package init(of gateway: String, _ logger: Logger) {
        self.gateway = gateway
        self.logger = logger
    }

    package func write(_ line: AuditLine) {
        var metadata: Logger.Metadata = ["event": "\(line.event.word)", "gateway": "\(gateway)"]
        if !line.agent.isEmpty { metadata["agent"] = "\(line.agent)" }
        if !line.event.detail.isEmpty { metadata["detail"] = "\(line.event.detail)" }
        if let dn = line.dn { metadata["dn"] = "\(dn)" }
        if let source = line.source { metadata["source"] = "\(source)" }
        if !line.session.isEmpty { metadata["session"] = "\(line.session)" }
        logger.notice("audit", metadata: metadata)
    }
}
