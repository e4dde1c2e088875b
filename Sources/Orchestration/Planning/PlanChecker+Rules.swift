import ClusterModel

// What may be away, what may be stopped, what may be started, and what may not be forgotten.
extension PlanChecker {
    // MARK: Away

    /// Of each data center no more than `maxUnavailable` at a time: those that are restarted, those that are down
    /// anyway, and those that are to be started and have not been.
    mutating func checkAway(_ order: PlanOrder) {
        let maximum = desired.topology.rollout.maxUnavailable
        let restarts = plan.steps.filter { $0.work.isRestart }
        for center in Set(restarts.map(\.dataCenter)).sorted() {
            let own = restarts.filter { $0.dataCenter == center }
            let started = Set(plan.steps.filter { $0.work == .start }.map(\.worker))
            let down = wanted.values.filter { worker in
                guard worker.dataCenter == center, !started.contains(worker.name) else { return false }
                guard let seen = seen[worker.name] else { return true }
                return seen.state != .ready && seen.state != .draining
            }
            let width = order.width(of: own.map(\.number))
            if width + down.count > maximum {
                let names = down.isEmpty ? "" : ", and \(PlanWords.list(down.map(\.name).sorted())) not there"
                object(
                    .tooManyAway,
                    "\(width) workers of \(center) may be restarted at a time\(names), where `maxUnavailable` is "
                        + "\(maximum)"
                )
            }
            for start in plan.steps where start.work == .start && start.dataCenter == center {
                guard let early = own.first(where: { !order.isBefore(start.number, $0.number) }) else { continue }
                object(
                    .tooManyAway,
                    "step \(early.number) restarts \(early.worker) while \(start.worker) of \(center) has not been "
                        + "started"
                )
                break
            }
        }
    }

    // MARK: Stopped and restarted

    mutating func checkStops(_ order: PlanOrder) {
        for step in plan.steps {
            switch step.work {
            case .stop:
                checkStop(step)
                checkDrain(step, order)
            case .drain:
                if isWanted(step.worker), !allowed.contains(step.worker) {
                    object(.needless, "step \(step.number) drains \(step.worker), which the topology keeps")
                }
            case .restart(let byHandover): checkRestart(step, byHandover)
            case .apply: checkApply(step)
            case .start: break
            }
        }
    }

    private mutating func checkStop(_ step: Plan.Step) {
        guard isWanted(step.worker), !allowed.contains(step.worker) else { return }
        if step.role == .sip, isLastReadyNode(step.worker, step.dataCenter) {
            object(
                .lastNode,
                "step \(step.number) stops \(step.worker), the last ready node of \(step.dataCenter), and nobody "
                    + "asked for it"
            )
        } else {
            object(.needless, "step \(step.number) stops \(step.worker), which the topology keeps")
        }
    }

    private mutating func checkRestart(_ step: Plan.Step, _ byHandover: Bool) {
        guard !allowed.contains(step.worker) else { return }
        if !byHandover, step.role == .sip, isLastReadyNode(step.worker, step.dataCenter) {
            object(
                .lastNode,
                "step \(step.number) restarts \(step.worker), the last ready node of \(step.dataCenter), without "
                    + "handing over"
            )
        }
        guard let worker = seen[step.worker] else { return }
        if !isWanted(step.worker) {
            object(.needless, "step \(step.number) restarts \(step.worker), which the topology does not keep")
        } else if !mustRestart(worker) {
            object(.needless, "step \(step.number) restarts \(step.worker), and nothing asks for it")
        }
    }

    private mutating func checkApply(_ step: Plan.Step) {
        guard let worker = seen[step.worker] else { return }
        if !isWanted(step.worker) {
            object(.needless, "step \(step.number) tells \(step.worker), which the topology does not keep")
        } else if mustRestart(worker) {
            object(
                .leftOut, "step \(step.number) tells \(step.worker) what it only takes when it is restarted")
        }
    }

    /// A node with DNs in service is drained before it is stopped, if another one may take them.
    private mutating func checkDrain(_ step: Plan.Step, _ order: PlanOrder) {
        guard let worker = seen[step.worker], worker.role == .sip, worker.state == .ready || worker.state == .draining,
            !worker.drainIsOver, worker.dnsInService > 0
        else { return }
        let (movable, confined) = dns(of: worker)
        // Those that could leave have been asked, and those that are left cannot.
        if movable == 0 || worker.drains && worker.dnsInService <= confined { return }
        let isDrained = plan.steps.contains {
            $0.work == .drain && $0.worker == step.worker && order.isBefore($0.number, step.number)
        }
        guard !isDrained, !allowed.contains(step.worker) else { return }
        object(
            .drainForgotten,
            "step \(step.number) stops \(step.worker) with \(worker.dnsInService) DNs in service, and does not drain "
                + "it first"
        )
    }

    /// How many DNs may register where a node is: at other nodes that stay as well, and nowhere else.
    private func dns(of worker: ObservedWorker) -> (movable: UInt64, confined: UInt64) {
        let topology = worker.generation.flatMap { applied[$0] } ?? desired.topology
        let centers = Set(
            observed.workers.filter {
                $0.name != worker.name && $0.role == .sip && $0.state == .ready && !$0.drains && isWanted($0.name)
            }.map(\.dataCenter))
        let lists = topology.directory.homes.map { list in list.map { topology.dataCenters[$0].name } }
        let isHome = lists.map { Self.isHome(worker.dataCenter, $0, topology) }
        let hasOther = lists.map { homes in homes.isEmpty ? !centers.isEmpty : homes.contains(where: centers.contains) }
        var sum: (movable: UInt64, confined: UInt64) = (0, 0)
        for block in topology.directory.blocks where isHome[block.homes] {
            if hasOther[block.homes] { sum.movable += UInt64(block.count) } else { sum.confined += UInt64(block.count) }
        }
        return sum
    }

    private static func isHome(_ center: String, _ homes: [String], _ topology: Topology) -> Bool {
        homes.isEmpty || homes.contains(center) || !topology.dataCenters.contains { $0.name == center }
    }

    // MARK: Started

    /// Two processes of one name would claim the same DNs.
    mutating func checkStarts(_ order: PlanOrder) {
        var started: Set<String> = []
        for step in plan.steps where step.work == .start {
            if !started.insert(step.worker).inserted {
                object(.twoOwners, "step \(step.number) starts \(step.worker) a second time")
            }
            guard let older = seen[step.worker], older.state != .stopped else { continue }
            let isGone = plan.steps.contains {
                $0.work == .stop && $0.worker == step.worker && order.isBefore($0.number, step.number)
            }
            if !isGone {
                object(
                    .twoOwners,
                    "step \(step.number) starts \(step.worker) while an older process of that name may run")
            }
        }
    }

    // MARK: Left out

    mutating func checkCompleteness() {
        let stepsByWorker = Dictionary(grouping: plan.steps, by: \.worker)
        for worker in wanted.values.sorted(by: { $0.name < $1.name }) {
            let steps = stepsByWorker[worker.name] ?? []
            guard let seen = seen[worker.name], seen.state != .stopped else {
                if !steps.contains(where: { $0.work == .start }) {
                    object(.leftOut, "\(worker.name) does not run, and no step starts it")
                }
                continue
            }
            guard seen.role == worker.role else {
                if !steps.contains(where: { $0.work == .start }) {
                    object(.leftOut, "\(worker.name) has another role than it should have, and no step starts it anew")
                }
                continue
            }
            checkIsBrought(seen, steps)
        }
        for worker in observed.workers.sorted(by: { $0.name < $1.name })
        where worker.state != .stopped && !isWanted(worker.name)
            && stepsByWorker[worker.name]?.contains(where: { $0.work == .stop }) != true
        {
            object(.leftOut, "\(worker.name) runs and should not, and no step stops it")
        }
    }

    /// A worker that runs what it should not run has to hear of it, unless others have to be back first.
    private mutating func checkIsBrought(_ worker: ObservedWorker, _ steps: [Plan.Step]) {
        // It is told everything when it is started the next time.
        guard worker.state != .backingOff else { return }
        let isTold = steps.contains { $0.work == .apply }
        let isRestarted = steps.contains { $0.work.isRestart }
        if mustRestart(worker) {
            let away = observed.workers.count {
                $0.dataCenter == worker.dataCenter && isWanted($0.name)
                    && ($0.state == .starting || $0.state == .backingOff)
            }
            let mayWait = worker.state == .starting || away >= desired.topology.rollout.maxUnavailable
            if !isRestarted, !isTold, !mayWait {
                object(.leftOut, "\(worker.name) has to be restarted, and no step restarts it")
            }
        } else if mustHear(worker), !isTold, !isRestarted {
            object(.leftOut, "\(worker.name) has to hear of generation \(plan.target), and no step tells it")
        }
    }

    // MARK: What is wanted

    /// In the role that it has.
    func isWanted(_ name: String) -> Bool {
        guard let wanted = wanted[name] else { return false }
        return seen[name].map { $0.role == wanted.role } ?? true
    }

    private func isLastReadyNode(_ name: String, _ center: String) -> Bool {
        let stopped = Set(plan.steps.filter { $0.work == .stop }.map(\.worker))
        return !observed.workers.contains {
            $0.name != name && $0.role == .sip && $0.dataCenter == center && $0.state == .ready
                && !stopped.contains($0.name)
        }
    }

    private func mustRestart(_ worker: ObservedWorker) -> Bool {
        guard worker.generation ?? 0 <= desired.generation else { return false }
        if let version = desired.version, !worker.version.isEmpty, worker.version != version { return true }
        if case .restart = need(worker) { return true }
        return false
    }

    private func mustHear(_ worker: ObservedWorker) -> Bool { need(worker) == .live }

    private func need(_ worker: ObservedWorker) -> WorkerNeed {
        guard let generation = worker.generation else { return worker.version.isEmpty ? .nothing : .restart([]) }
        guard generation < desired.generation else { return .nothing }
        guard let difference = differences[generation] else { return .restart([]) }
        return WorkerNeed(of: worker.name, role: worker.role, difference)
    }
}
