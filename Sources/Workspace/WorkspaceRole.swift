package import ClusterModel
package import LinuxSystem
import Logging
package import Orchestration
import TLS
import Transport
import WebServer
package import WorkerRuntime
import WorkspaceCore

/// The role `workspace`: agents sit down at it with a browser. The desk decides, on the worker's loop; HTTP is spoken on threads of its
/// own.
package final class WorkspaceRole: WorkerRole {
    private var me: WorkspaceDeclaration
    private let loop: EventLoop
    private let logger: Logger
    private let startedAt = SystemClock.monotonicNanoseconds()
    private let sockets: ServerSockets
    private let desk: Desk
    private let limits: WebLimits
    /// What pages depend on beside the desk.
    private let place: CurrentPlace
    private let audit: AuditLog
    /// What browsers are shown; nil where they are spoken to without TLS.
    private var tls: TLSSource?
    private var server: WebServer?
    package private(set) var servedSockets: [(name: String, descriptor: OwnedDescriptor)] = []

    private init(_ start: RoleStart, _ me: WorkspaceDeclaration, _ desk: Desk, _ tls: TLSSource?) {
        self.me = me
        self.desk = desk
        self.tls = tls
        loop = start.loop
        logger = start.logger
        sockets = start.sockets
        limits = WebLimits()
        place = CurrentPlace(WorkspacePlace(me, others: start.topology.workspaces))
        audit = AuditLog(of: me.name, start.logger)
    }

    package static func make(_ start: RoleStart) throws(RoleFailure) -> any WorkerRole {
        let me = try declaration(start)
        let tls = me.isSecure ? TLSSource(try browsers(start.tls, me)) : nil
        let setup = Desk.Setup(
            topology: start.topology, name: me.name, identity: ServerIdentity(start), accounts: start.accounts,
            sessionKeys: start.sessionKeys, incarnation: start.setup.incarnation)
        do throws(SystemError) {
            return WorkspaceRole(start, me, try Desk(setup, on: start.loop, logger: start.logger), tls)
        } catch {
            throw RoleFailure("\(error)")
        }
    }

    private static func declaration(_ start: RoleStart) throws(RoleFailure) -> WorkspaceDeclaration {
        let name = start.setup.node
        guard let me = start.topology.workspaces.first(where: { $0.name == name }) else {
            throw RoleFailure("the topology has no workspace \(name)")
        }
        return me
    }

    private static func browsers(_ tls: TLSContexts?, _ me: WorkspaceDeclaration) throws(RoleFailure) -> TLSContext {
        guard let tls else { throw RoleFailure("the controller told no certificate for \(me.name)") }
        do throws(TLSError) {
            return try tls.makeBrowsers()
        } catch {
            throw RoleFailure(error.sentence)
        }
    }

    /// Each browser has a few connections; nodes and Stat Servers have one each, and one more while it is made anew.
    package var descriptorLimit: Int {
        limits.connections + (desk.topology.nodes.count + desk.topology.statServers.count) * 2 + 128
    }

    package func open() throws(SystemError) {
        let socket = ServerSocket.stream(.tcp(me.listen))
        let descriptor = try sockets.take(socket)
        servedSockets = [(socket.name, descriptor)]
        try desk.open()
        try serve(at: descriptor)
    }

    /// Begins to answer browsers, in place of the server before. The number that the server has is its own.
    private func serve(at descriptor: OwnedDescriptor) throws(SystemError) {
        let listener = try descriptor.duplicate()
        var limits = limits
        limits.proxies = me.proxies.map { SourceID($0) }
        let former = server
        let site = WorkspaceSite(desk: desk.service, place: place) { [audit] in audit.write($0) }
        let next = WebServer(tls: tls, site: site.site, limits: limits, logger: logger)
        do {
            try next.start(listener.release())
        } catch {
            logger.error("HTTP cannot be served", metadata: ["address": "\(me.listen)", "problem": "\(error)"])
            next.close()
            throw SystemError(call: "serve HTTP at", object: "\(me.listen)", code: SystemError.anyTrouble)
        }
        server = next
        former?.close()
    }

    package func replaceClientSecrets(_ secrets: [ClientSecret]) { desk.identity.take(secrets) }

    package func replaceAccounts(_ accounts: [AgentAccount]) { desk.replaceAccounts(accounts) }

    package func replaceSessionKeys(_ keys: [[UInt8]]) { desk.replaceSessionKeys(keys) }

    package func replaceCertificates(_ tls: TLSContexts) {
        desk.identity.tls = tls
        do throws(TLSError) {
            if let source = self.tls { source.renew(try tls.makeBrowsers()) }
        } catch {
            logger.error("browsers are shown the certificate of before", metadata: ["problem": "\(error.sentence)"])
        }
    }

    package func report(request: UInt64) -> NodeReport {
        var report = NodeReport(ofProcessSince: startedAt, now: loop.now, request: request)
        let figures = desk.figures
        var desk = WorkspaceReport()
        desk.sessions = UInt64(figures.sessions)
        desk.streams = UInt64(figures.streams)
        desk.nodesHeard = UInt64(figures.nodesHeard)
        desk.logins = figures.counters.logins
        desk.loginsRefused = figures.counters.loginsRefused
        desk.resumes = figures.counters.resumes
        desk.limited = figures.counters.limited
        report.workspace = desk
        report.agents = UInt64(figures.seated)
        report.clients = desk.streams
        return report
    }

    /// Takes everything but another address. Where other proxies count, pages come back.
    package func apply(
        _ start: RoleStart, ended: @escaping (Result<RoleApplied, RoleFailure>) -> Void
    ) throws(RoleFailure) {
        let declaration = try Self.declaration(start)
        guard declaration.listen == me.listen, declaration.isSecure == me.isSecure,
            start.topology.cluster == desk.topology.cluster
        else { throw RoleFailure("where it listens has changed; it takes that when it is restarted") }
        let hasOtherProxies = declaration.proxies != me.proxies
        me = declaration
        desk.identity.goOn(under: start)
        desk.apply(start.topology)
        desk.replaceAccounts(start.accounts)
        desk.replaceSessionKeys(start.sessionKeys)
        place.place = WorkspacePlace(me, others: start.topology.workspaces)
        if hasOtherProxies, let descriptor = servedSockets.first?.descriptor {
            do throws(SystemError) {
                try serve(at: descriptor)
            } catch {
                throw RoleFailure("\(error)")
            }
        }
        ended(.success(RoleApplied()))
    }

    package func close() {
        desk.close()
        server?.close()
    }
}
