import ClusterModel

// The steps, phase after phase: what leaves, what hears of the topology, what comes, what is restarted. Each step of a
// phase waits for all of the phase before, so that whoever carries the plan out has nothing to decide.
extension Planner {
    mutating func planSteps() {
        var phases = Phases()
        let leaving = observed.workers.filter { $0.mayRun && !keeps($0) }.sorted { $0.name < $1.name }
        planLeaving(leaving, &phases)
        planApplies(&phases)
        planStarts(&phases)
        planRestarts(&phases)
        plan.outOfService = sum(\.outOfService) + min(sum(\.unprovisioned), most { $0.dns.removed })
        let exiled = plan.steps.filter { $0.work != .drain }.reduce(0) { $0 + $1.touch.mustMove }
        let centers = desired.topology.dataCenters.map(\.name)
        let most = most { difference in
            difference.dns.changes.reduce(0) { sum, change in
                change.isMoved && centers.contains { change.exiles(from: $0) } ? sum + change.count : sum
            }
        }
        plan.mustMove = sum(\.mustMove) - exiled + min(exiled, most)
        plan.endedCalls = sum(\.endedCalls)
    }

    private func sum(_ figure: (Plan.Touch) -> UInt64) -> UInt64 { plan.steps.reduce(0) { $0 + figure($1.touch) } }

    /// What is counted worker by worker, by guess, is no more than there are DNs.
    private func most(_ count: (TopologyDifference) -> Int) -> UInt64 {
        UInt64(Set(observed.workers.compactMap(\.generation)).compactMap { differences[$0] }.map(count).max() ?? 0)
    }

    /// Numbers of steps that the next ones wait for.
    private struct Phases {
        private(set) var gate: [Int] = []
        private var current: [Int] = []

        mutating func add(_ number: Int) { current.append(number) }

        /// A phase without steps is none.
        mutating func end() {
            guard !current.isEmpty else { return }
            gate = current
            current = []
        }
    }

    private mutating func add(
        _ work: Plan.Step.Work, _ worker: (name: String, role: RoleName, dataCenter: String), _ reasons: [String],
        _ touch: Plan.Touch = Plan.Touch(), after: [Int], _ phases: inout Phases
    ) {
        let number = plan.steps.count + 1
        var step = Plan.Step(
            number, work, worker.name, worker.role, dataCenter: worker.dataCenter, reasons: reasons, after: after)
        step.touch = touch
        plan.steps.append(step)
        phases.add(number)
    }

    // MARK: What leaves

    /// All that leave are drained before any of them is stopped: no DN moves twice.
    private mutating func planLeaving(_ leaving: [ObservedWorker], _ phases: inout Phases) {
        let refuges = Dictionary(
            leaving.filter { $0.role == .sip }.map { ($0.name, refuge(of: $0)) }
        ) { first, _ in first }
        for worker in leaving {
            guard let refuge = refuges[worker.name], refuge.isWorthDraining(worker) else { continue }
            var touch = Plan.Touch(worker)
            touch.mustMove = min(refuge.movable, worker.dnsInService)
            touch.places = refuge.places
            add(.drain, worker.identity, [whyItLeaves(worker)], touch, after: phases.gate, &phases)
        }
        phases.end()
        // Who asks others goes before them.
        for role in [RoleName.workspace, .router, .stat, .sip] {
            for worker in leaving where worker.role == role {
                var touch = Plan.Touch()
                var reason = whyItLeaves(worker)
                if let refuge = refuges[worker.name], worker.serves {
                    touch = Plan.Touch(worker)
                    if refuge.isWorthDraining(worker) {
                        touch.outOfService = min(refuge.confined, worker.dnsInService)
                        reason = "it is drained"
                    } else {
                        touch.outOfService = worker.dnsInService
                        touch.endedCalls = worker.calls
                    }
                }
                add(.stop, worker.identity, [reason], touch, after: phases.gate, &phases)
            }
            phases.end()
        }
    }

    private func whyItLeaves(_ worker: ObservedWorker) -> String {
        if let role = roles[worker.name] { return "it becomes a \(role.noun)" }
        return wasDeclared(worker) ? "removed from the topology" : "no topology declares it"
    }

    /// By any topology that is known here.
    func wasDeclared(_ worker: ObservedWorker) -> Bool {
        applied.contains { _, topology in
            DeclaredWorker.all(topology).contains { $0.name == worker.name && $0.role == worker.role }
        }
    }

    // MARK: What hears of the topology

    /// Who is restarted anyway is told then: told now, it would count as done while its addresses are the old ones.
    private mutating func planApplies(_ phases: inout Phases) {
        for worker in declared {
            guard let worker = seen[worker.name], keeps(worker), worker.serves || worker.state == .starting,
                need(of: worker) == .live || isBehind(worker), !hasWrongVersion(worker)
            else { continue }
            let parts = difference(of: worker)?.parts ?? []
            add(.apply, worker.identity, parts, provisioning(worker), after: phases.gate, &phases)
        }
        phases.end()
    }

    /// The node does what it should under an earlier generation, and others have the later one, or will: as long as these differ, nodes
    /// cannot prove to each other that they know the same.
    private func isBehind(_ worker: ObservedWorker) -> Bool {
        guard worker.role == .sip, need(of: worker) == .nothing, let generation = worker.generation,
            generation < desired.generation
        else { return false }
        return declared.contains { other in
            guard other.role == .sip else { return false }
            guard let other = seen[other.name], other.mayRun, keeps(other) else { return true }
            if other.generation == desired.generation { return true }
            guard other.serves || other.state == .starting else { return false }
            return need(of: other) == .live || other.serves && !restartReasons(of: other).isEmpty
        }
    }

    /// What another provisioning of DNs does to those of a worker.
    private func provisioning(_ worker: ObservedWorker) -> Plan.Touch {
        var touch = Plan.Touch()
        guard worker.role == .sip, let dns = difference(of: worker)?.dns else { return touch }
        touch.unprovisioned = min(worker.unprovisioned ?? .max, UInt64(dns.removed), worker.dnsInService)
        touch.isCounted = worker.unprovisioned != nil
        touch.mustMove = min(
            UInt64(dns.exiled(from: worker.dataCenter)), worker.dnsInService - touch.unprovisioned)
        if changesDomain(of: worker) {
            touch.mustMove = 0
            touch.outOfService = worker.dnsInService - touch.unprovisioned
        }
        guard touch.unprovisioned + touch.mustMove + touch.outOfService > 0 else { return touch }
        touch.dnsInService = worker.dnsInService
        touch.calls = worker.calls
        touch.agents = worker.agents
        return touch
    }

    /// Phones go on registering with the old one, and are refused.
    func changesDomain(of worker: ObservedWorker) -> Bool {
        worker.role == .sip && difference(of: worker)?.items.contains { $0.kind == .domain } == true
    }

    // MARK: What comes

    private mutating func planStarts(_ phases: inout Phases) {
        let before = applied[observed.generation].map { Set(DeclaredWorker.all($0).map(\.name)) } ?? []
        for role in [RoleName.sip, .stat, .router, .workspace] {
            for worker in declared where worker.role == role {
                let reason: String
                if let seen = seen[worker.name] {
                    if seen.state == .stopped {
                        reason = "it is stopped"
                    } else if !keeps(seen) {
                        reason = "it was a \(seen.role.noun)"
                    } else {
                        continue
                    }
                } else {
                    reason = before.contains(worker.name) ? "it is missing" : "added to the topology"
                }
                add(
                    .start, (worker.name, worker.role, worker.dataCenter), [reason], after: phases.gate, &phases)
            }
            phases.end()
        }
    }

    // MARK: What is restarted

    /// As many lanes a data center as workers may be away at a time; in each lane one after the other.
    private mutating func planRestarts(_ phases: inout Phases) {
        for center in desired.topology.dataCenters.map(\.name) {
            let members = declared.filter { $0.dataCenter == center }.compactMap { seen[$0.name] }.filter { keeps($0) }
            let restarted = members.filter { $0.serves && !restartReasons(of: $0).isEmpty }
            guard !restarted.isEmpty else { continue }
            // Those that are away already, and come back when they can, not when a plan says so.
            let away = members.filter { $0.state == .starting || $0.state == .backingOff }
            let lanes = desired.topology.rollout.maxUnavailable - away.count
            guard lanes > 0 else {
                held.append((restarted.map(\.name), center, away.map(\.name)))
                continue
            }
            var numbers: [Int] = []
            for (position, worker) in restarted.enumerated() {
                let after = position < lanes ? phases.gate : [numbers[position - lanes]]
                numbers.append(plan.steps.count + 1)
                add(
                    .restart(byHandover: true), worker.identity, restartReasons(of: worker), restarting(worker),
                    after: after, &phases)
            }
        }
    }

    private func restarting(_ worker: ObservedWorker) -> Plan.Touch {
        var touch = provisioning(worker)
        touch.dnsInService = worker.dnsInService
        touch.calls = worker.calls
        touch.agents = worker.agents
        // Phones go on sending to where they have always sent.
        guard worker.role == .sip, let generation = worker.generation,
            let before = applied[generation]?.nodes.first(where: { $0.name == worker.name }),
            let after = desired.topology.nodes.first(where: { $0.name == worker.name }),
            !before.sip.allSatisfy({ after.sip.contains($0) })
        else { return touch }
        touch.outOfService = worker.dnsInService - touch.unprovisioned
        touch.mustMove = 0
        return touch
    }
}

extension Plan.Touch {
    init(_ worker: ObservedWorker) {
        dnsInService = worker.dnsInService
        calls = worker.calls
        agents = worker.agents
    }
}

extension ObservedWorker {
    var identity: (name: String, role: RoleName, dataCenter: String) { (name, role, dataCenter) }
}

extension RoleName {
    /// As it stands after `a`.
    var noun: String {
        switch self {
        case .sip: "node"
        case .stat: "stat server"
        case .router: "router"
        case .workspace: "workspace"
        }
    }
}

extension DNDifference.Change {
    /// The DNs could register in the data center, and cannot any more.
    func exiles(from dataCenter: String) -> Bool {
        guard let from, let to else { return false }
        return Self.allows(from.homes, dataCenter) && !Self.allows(to.homes, dataCenter)
    }

    private static func allows(_ homes: [String], _ dataCenter: String) -> Bool {
        homes.isEmpty || homes.contains(dataCenter)
    }
}
