package import Logging
package import WorkspaceCore

/// What security wants to know afterwards, a line each; any thread writes. Of what strangers can do as often as they like there are a
/// few lines, and then one a second.
package struct AuditLog: Sendable {
    /// Full name of the workspace.
    private let gateway: String
    private let logger: Logger
    private let pace = AuditPace()

    package init(of gateway: String, _ logger: Logger) {
        self.gateway = gateway
        self.logger = logger
    }

    package func write(_ line: AuditLine) {
        if line.event.hasNoLimit, !pace.take() { return }
        var metadata: Logger.Metadata = ["event": "\(line.event.word)", "gateway": "\(gateway)"]
        if !line.agent.isEmpty { metadata["agent"] = "\(line.agent)" }
        if !line.event.detail.isEmpty { metadata["detail"] = "\(line.event.detail)" }
        if let dn = line.dn { metadata["dn"] = "\(dn)" }
        if let source = line.source { metadata["source"] = "\(source)" }
        if !line.session.isEmpty { metadata["session"] = "\(line.session)" }
        logger.notice("audit", metadata: metadata)
    }
}

extension AuditLine.Event {
    /// It costs who causes it nothing, and nothing bounds how often.
    fileprivate var hasNoLimit: Bool {
        switch self {
        case .originRefused, .loginRefused(.limit): true
        case .login, .loginRefused(.password), .loginRefused(.unknown), .resume, .resumeRefused, .logout, .seat,
            .unseat,
            .takeBack, .presence, .supervisorOpened, .csrfRefused, .ended:
            false
        }
    }
}
