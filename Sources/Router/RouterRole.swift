import AgentSessions
package import ClusterModel
package import LinuxSystem
import Logging
package import Orchestration
import TLibrary
import TargetSelection
import Transport
package import WorkerRuntime

/// The role `router`: chooses agents for the calls at the routing points of its data center's nodes. What it knows of agents a Stat
/// Server tells it; what it wants the agents' owners decide.
package final class RouterRole: WorkerRole {
    private(set) var me: RouterDeclaration
    private(set) var topology: Topology
    let loop: EventLoop
    let logger: Logger
    let startedAt = SystemClock.monotonicNanoseconds()
    var identity: ServerIdentity
    var machine: RouterMachine
    /// Links to the default ports where calls come from. Their numbers are this router's own, so other topologies change nothing.
    var nodes: [(index: NodeIndex, link: PortLink)] = []
    private(set) lazy var agents = AgentSource(self)
    private lazy var calls = CallSource(self)
    /// What did not fit, as far as it was told, and when it may be told again: monotonic nanoseconds.
    private var toldDrops: UInt64 = 0
    private var nextDropsTold: UInt64 = 0

    private init(_ start: RoleStart, _ me: RouterDeclaration) {
        self.me = me
        topology = start.topology
        loop = start.loop
        logger = start.logger
        identity = ServerIdentity(start)
        var setup = RouterMachine.Setup(routingPoints: start.topology.routingPoints, seed: SystemRandom.word())
        setup.ageing = start.topology.timing.ageing.nanoseconds
        setup.positionsAtATime = Self.positionsAtATime(start.topology)
        machine = RouterMachine(setup)
    }

    /// What a node admits of a client is for calls first of all.
    private static func positionsAtATime(_ topology: Topology) -> Int {
        let usual = RouterMachine.Setup(routingPoints: [], seed: 0).positionsAtATime
        return topology.clientRequestLimit.map { min(usual, $0 / 4) } ?? usual
    }

    package static func make(_ start: RoleStart) throws(RoleFailure) -> any WorkerRole {
        let name = start.setup.node
        guard let me = start.topology.routers.first(where: { $0.name == name }) else {
            throw RoleFailure("the topology has no router \(name)")
        }
        return RouterRole(start, me)
    }

    package var descriptorLimit: Int { (topology.nodes.count + topology.statServers.count) * 2 + 64 }

    package func open() throws(SystemError) {
        agents.rota.open()
        for (position, node) in topology.nodes(of: me.dataCenter).enumerated() {
            guard let address = node.defaultPort else { continue }
            let link = PortLink(to: address, on: loop, delegate: calls) { [unowned self] in
                identity.link(to: node.name)
            }
            nodes.append((NodeIndex(position), link))
            link.open()
        }
        loop.addOwner(self)
    }

    package func replaceClientSecrets(_ secrets: [ClientSecret]) { identity.take(secrets) }

    package func replaceCertificates(_ tls: TLSContexts) { identity.tls = tls }

    package func report(request: UInt64) -> NodeReport {
        var report = NodeReport(ofProcessSince: startedAt, now: loop.now, request: request)
        report.agents = UInt64(machine.agentCount)
        report.agentsAvailable = UInt64(machine.offeredCount)
        report.calls = UInt64(machine.callCount)
        return report
    }

    package func answer(_ question: RoleQuestion) -> WorkerNews? {
        switch question {
        case .route(let question, let request): .route(explain(question, request: request))
        case .dn, .history, .dns, .calls, .agents, .statistics, .reach: nil
        }
    }

    package func close() {
        agents.rota.close()
        for node in nodes { node.link.close() }
    }

    /// Where its nodes stand.
    var location: String { topology.dataCenters[me.dataCenter].location }

    /// Takes whatever changes neither whom it hears nor what it routes; for the rest it is restarted.
    package func apply(
        _ start: RoleStart, ended: @escaping (Result<RoleApplied, RoleFailure>) -> Void
    ) throws(RoleFailure) {
        let later = start.topology
        guard let declaration = later.routers.first(where: { $0.name == me.name }) else {
            throw RoleFailure("the topology has no router \(me.name)")
        }
        guard later.routingPoints == topology.routingPoints, later.cluster == topology.cluster,
            later.nodes(of: declaration.dataCenter).map({ [$0.name, $0.defaultPort?.description] })
                == topology.nodes(of: me.dataCenter).map({ [$0.name, $0.defaultPort?.description] }),
            later.statServers(of: declaration.dataCenter).map({ [$0.name, $0.listen?.description] })
                == topology.statServers(of: me.dataCenter).map({ [$0.name, $0.listen?.description] }),
            later.dataCenters[declaration.dataCenter].location == location
        else { throw RoleFailure("what it routes or whom it hears has changed; it takes that when it is restarted") }
        topology = later
        me = declaration
        identity.goOn(under: start)
        machine.replace(
            ageing: later.timing.ageing.nanoseconds, positionsAtATime: Self.positionsAtATime(later))
        ended(.success(RoleApplied()))
    }
}

extension RouterRole: LoopOwner {
    /// What is to be asked because of all that has come in this turn leaves together.
    package func turnEnded(now: Instant) {
        machine.tick(now: now)
        calls.carryOut()
        tellDrops(now)
    }

    /// Says that more calls or agents came than a router keeps, every 10 s at most.
    private func tellDrops(_ now: Instant) {
        let dropped = machine.droppedRequests &+ machine.droppedAgents
        guard dropped != toldDrops, now.monotonic >= nextDropsTold else { return }
        toldDrops = dropped
        nextDropsTold = now.monotonic &+ 10_000_000_000
        logger.warning(
            "there is more than a router keeps",
            metadata: ["calls": "\(machine.droppedRequests)", "agents": "\(machine.droppedAgents)"])
    }

    package func nextDeadline() -> UInt64? { machine.nextDeadline }
}
