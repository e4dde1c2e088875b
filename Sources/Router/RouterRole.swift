package import ClusterModel
package import LinuxSystem
import Logging
package import Orchestration
import Transport
package import WorkerRuntime

/// The role `router`: chooses agents for calls of routing points. This is the shell: it knows its data center and tells of
/// itself, and connects to nobody yet.
package final class RouterRole: WorkerRole {
    let me: RouterDeclaration
    let topology: Topology
    let loop: EventLoop
    let logger: Logger
    let startedAt = SystemClock.monotonicNanoseconds()
    /// This router's own, by which it proves to nodes who it is; nil where they demand no proof.
    private(set) var secret: ClientSecret?
    private(set) var tls: TLSContexts?

    private init(_ start: RoleStart, _ me: RouterDeclaration) {
        self.me = me
        topology = start.topology
        loop = start.loop
        logger = start.logger
        secret = start.clientSecrets.first { $0.name == me.name }
        tls = start.tls
    }

    package static func make(_ start: RoleStart) throws(RoleFailure) -> any WorkerRole {
        let name = start.setup.node
        guard let me = start.topology.routers.first(where: { $0.name == name }) else {
            throw RoleFailure("the topology has no router \(name)")
        }
        return RouterRole(start, me)
    }

    /// Where calls come from: the nodes of its data center that have a default port.
    var nodes: [Node] {
        topology.nodes.filter { $0.dataCenter == me.dataCenter && $0.defaultPort != nil }
    }

    /// Whom it asks for agents.
    var statServers: [StatServerDeclaration] {
        topology.statServers.filter { $0.dataCenter == me.dataCenter }
    }

    package var descriptorLimit: Int { (nodes.count + statServers.count) * 2 + 64 }

    package func open() throws(SystemError) {
        logger.info("serving", metadata: ["nodes": "\(nodes.count)", "statServers": "\(statServers.count)"])
    }

    package func replaceClientSecrets(_ secrets: [ClientSecret]) {
        secret = secrets.first { $0.name == me.name }
    }

    package func replaceCertificates(_ tls: TLSContexts) {
        self.tls = tls
    }

    package func report(request: UInt64) -> NodeReport {
        NodeReport(ofProcessSince: startedAt, now: loop.now, request: request)
    }

    package func close() {}
}
