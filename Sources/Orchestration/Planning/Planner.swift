package import ClusterModel

/// Makes plans. Pure: the same desire and the same observation give the same plan, in every process. It looks at what
/// is, never at what happened, so a plan that was carried out half-way, by whomever, is planned to its end.
package struct Planner {
    let desired: Desired
    let observed: ObservedCluster
    /// Topologies that were applied before, by generation: workers may still run them.
    let applied: [UInt64: Topology]
    /// Workers that the desired topology declares, in the order in which they are started.
    let declared: [DeclaredWorker]
    /// By generation, what becomes different.
    private(set) var differences: [UInt64: TopologyDifference] = [:]
    /// By name, what `declared` and `observed` hold.
    let roles: [String: RoleName]
    let seen: [String: ObservedWorker]
    var plan: Plan
    /// Workers whose restart waits for others of their data center, and for whom.
    var held: [(workers: [String], dataCenter: String, for: [String])] = []

    /// - Parameters:
    ///   - observed: what the controller sees at one moment.
    ///   - applied: topologies by their generation, as far as they are known: those that workers report, and that of
    ///     `observed`.
    package static func plan(_ desired: Desired, _ observed: ObservedCluster, applied: [UInt64: Topology]) -> Plan {
        var planner = Planner(desired, observed, applied)
        planner.refuse()
        planner.refuseTakenAddresses()
        if planner.plan.refusals.isEmpty { planner.planSteps() }
        planner.find()
        return planner.plan
    }

    private init(_ desired: Desired, _ observed: ObservedCluster, _ applied: [UInt64: Topology]) {
        self.desired = desired
        self.observed = observed
        self.applied = applied.merging([desired.generation: desired.topology]) { known, _ in known }
        declared = DeclaredWorker.all(desired.topology)
        roles = Dictionary(declared.map { ($0.name, $0.role) }) { first, _ in first }
        seen = Dictionary(observed.workers.map { ($0.name, $0) }) { first, _ in first }
        for (generation, topology) in applied where generation != desired.generation {
            let isRun = generation == observed.generation || observed.workers.contains { $0.generation == generation }
            if isRun { differences[generation] = TopologyDifference(from: topology, to: desired.topology) }
        }
        plan = Plan(
            cluster: (applied[observed.generation] ?? desired.topology).cluster, index: observed.generation,
            target: desired.generation,
            version: desired.version)
        plan.difference =
            observed.generation == desired.generation
            ? TopologyDifference() : differences[observed.generation]
    }

    /// What makes all the rest pointless.
    private mutating func refuse() {
        if let topology = applied[observed.generation], topology.cluster != desired.topology.cluster {
            plan.refusals.append(
                "the file declares cluster \(desired.topology.cluster), and this is \(topology.cluster); another "
                    + "cluster needs "
                    + "a controller of its own")
        }
        if desired.generation < observed.generation {
            plan.refusals.append(
                "generation \(desired.generation) is older than \(observed.generation), which is applied; plan "
                    + "again, and the "
                    + "file gets the next one")
        }
    }

    /// What differs between the topology that a worker runs and the desired one; nil where it is not known.
    func difference(of worker: ObservedWorker) -> TopologyDifference? {
        worker.generation.flatMap { differences[$0] }
    }

    /// What a worker needs that serves, or will in a moment.
    func need(of worker: ObservedWorker) -> WorkerNeed {
        guard let generation = worker.generation else {
            // Who has said nothing at all is silent, which others see to.
            return worker.version.isEmpty ? .nothing : .restart(["it does not say which topology it runs"])
        }
        guard generation < desired.generation else { return .nothing }
        guard let difference = differences[generation] else {
            return .restart(["it runs generation \(generation), of which nothing is known here"])
        }
        return WorkerNeed(of: worker.name, role: worker.role, difference)
    }

    /// Why its process has to be another.
    func restartReasons(of worker: ObservedWorker) -> [String] {
        var reasons: [String] = []
        if hasWrongVersion(worker), let version = desired.version {
            reasons.append("version \(worker.version) -> \(version)")
        }
        if case .restart(let more) = need(of: worker) { reasons += more }
        return reasons
    }

    /// Another process would be told the topology of here: one that runs a later topology is left alone.
    func hasWrongVersion(_ worker: ObservedWorker) -> Bool {
        guard let version = desired.version, !worker.version.isEmpty, worker.generation ?? 0 <= desired.generation
        else {
            return false
        }
        return worker.version != version
    }

    /// Whether the desired topology declares the worker, in this role.
    func keeps(_ worker: ObservedWorker) -> Bool { roles[worker.name] == worker.role }
}

/// A worker as a topology declares it.
package struct DeclaredWorker: Equatable, Sendable {
    /// `dc1/sip1`.
    package var name: String
    /// What its process is.
    package var role: RoleName
    /// Where it is, by name.
    package var dataCenter: String

    /// As a topology says it.
    package init(name: String, role: RoleName, dataCenter: String) {
        self.name = name
        self.role = role
        self.dataCenter = dataCenter
    }

    /// Every worker of a topology in the order in which they are started: who asks others comes after them.
    package static func all(_ topology: Topology) -> [DeclaredWorker] {
        func center(_ position: Int) -> String { topology.dataCenters[position].name }
        return topology.nodes.map { DeclaredWorker(name: $0.name, role: .sip, dataCenter: center($0.dataCenter)) }
            + topology.statServers.map {
                DeclaredWorker(name: $0.name, role: .stat, dataCenter: center($0.dataCenter))
            }
            + topology.routers.map { DeclaredWorker(name: $0.name, role: .router, dataCenter: center($0.dataCenter)) }
            + topology.workspaces.map {
                DeclaredWorker(name: $0.name, role: .workspace, dataCenter: center($0.dataCenter))
            }
    }
}
