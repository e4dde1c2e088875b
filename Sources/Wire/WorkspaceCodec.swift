import CProtobufC
import CTandemProto
import ClusterModel
import Orchestration

/// Workspaces of a topology, as workers are told of them, and what workspaces report.
enum WorkspaceCodec {
    private static let type = FrameType.configure

    static func pack(_ setup: WorkerSetup, into message: inout Tandem__Control__Configure, _ arena: PackingArena) {
        message.n_workspaces = setup.workspaces.count
        message.workspaces = arena.array(
            setup.workspaces.map { workspace in
                Optional(
                    arena.make(tandem__control__workspace__init) {
                        $0.name = arena.string(workspace.name)
                        $0.data_center = UInt32(workspace.dataCenter)
                        $0.host = arena.string(workspace.host)
                        $0.listen = arena.string(workspace.listen.description)
                        $0.secure = workspace.isSecure ? 1 : 0
                        $0.url = arena.string(workspace.url)
                        $0.n_proxies = workspace.proxies.count
                        $0.proxies = arena.strings(workspace.proxies.map(\.description))
                    })
            })
        let policy = setup.workspacePolicy
        guard policy != WorkspacePolicy() else { return }
        message.workspace_policy = arena.make(tandem__control__workspace_policy__init) {
            $0.n_reasons = policy.reasons.count
            $0.reasons = arena.strings(policy.reasons)
            $0.idle_nanoseconds = policy.idle.nanoseconds
            $0.session_nanoseconds = policy.session.nanoseconds
        }
    }

    static func take(
        from message: borrowing Tandem__Control__Configure, into setup: inout WorkerSetup
    ) throws(WireError) {
        guard message.n_workspaces <= WorkspaceDeclaration.maximumCount else { throw .tooMany(type: type) }
        for pointer in messages(message.n_workspaces, message.workspaces) {
            setup.workspaces.append(try workspace(pointer.pointee, dataCenters: setup.dataCenters.count))
        }
        if let policy = message.workspace_policy { setup.workspacePolicy = try self.policy(policy.pointee) }
    }

    private static func workspace(
        _ message: Tandem__Control__Workspace, dataCenters: Int
    ) throws(WireError) -> WorkspaceDeclaration {
        guard message.data_center < dataCenters else { throw .badValue(type: type, field: "data center") }
        guard message.n_proxies <= WorkspaceDeclaration.maximumProxies else { throw .tooMany(type: type) }
        guard let listen = NetworkAddress(text(message.listen)) else { throw .badValue(type: type, field: "address") }
        guard let origin = WebOrigin(text(message.url)) else { throw .badValue(type: type, field: "URL") }
        var proxies: [NetworkAddress] = []
        for proxy in texts(message.n_proxies, message.proxies) {
            guard let address = NetworkAddress(proxy) else { throw .badValue(type: type, field: "proxy") }
            proxies.append(address.with(port: 0))
        }
        return WorkspaceDeclaration(
            name: text(message.name), dataCenter: Int(message.data_center), host: text(message.host), listen: listen,
            isSecure: message.secure != 0, url: origin.description, proxies: proxies)
    }

    private static func policy(_ message: Tandem__Control__WorkspacePolicy) throws(WireError) -> WorkspacePolicy {
        guard message.n_reasons <= WorkspacePolicy.maximumReasons else { throw .tooMany(type: type) }
        let reasons = texts(message.n_reasons, message.reasons)
        guard !reasons.isEmpty, reasons.allSatisfy({ WorkspacePolicy.reasonLengths.contains($0.utf8.count) }) else {
            throw .badValue(type: type, field: "reason")
        }
        let idle = Duration.nanoseconds(Int64(clamping: message.idle_nanoseconds))
        let session = Duration.nanoseconds(Int64(clamping: message.session_nanoseconds))
        guard WorkspacePolicy.idleBounds.contains(idle), WorkspacePolicy.sessionBounds.contains(session) else {
            throw .badValue(type: type, field: "duration")
        }
        return WorkspacePolicy(reasons: reasons, idle: idle, session: session)
    }

    // MARK: Reports

    static func pack(
        _ figures: WorkspaceReport, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__WorkspaceReport> {
        arena.make(tandem__control__workspace_report__init) {
            $0.sessions = figures.sessions
            $0.streams = figures.streams
            $0.nodes_heard = figures.nodesHeard
            $0.logins = figures.logins
            $0.logins_refused = figures.loginsRefused
            $0.resumes = figures.resumes
            $0.limited = figures.limited
        }
    }

    static func figures(_ message: Tandem__Control__WorkspaceReport) -> WorkspaceReport {
        var figures = WorkspaceReport()
        figures.sessions = message.sessions
        figures.streams = message.streams
        figures.nodesHeard = message.nodes_heard
        figures.logins = message.logins
        figures.loginsRefused = message.logins_refused
        figures.resumes = message.resumes
        figures.limited = message.limited
        return figures
    }
}
