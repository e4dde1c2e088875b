import ClusterModel
import LinuxSystem
import Logging
import Orchestration
import TopologyFile
import Transport
import Wire

// What is wanted against what is: at every look the reconciler plans what is left to be done, and this does what comes of it.
extension Controller {
    /// How often all workers are looked at while there is something to be done.
    private static let interval = Duration.milliseconds(100)
    /// So often while somebody is waited for who is not there: it may take hours.
    private static let absenceInterval = Duration.milliseconds(500)

    var desired: Desired { Desired(topology: topology, generation: generation) }

    // MARK: What is observed

    func observedCluster(_ status: ClusterStatus) -> ObservedCluster {
        let byName = Dictionary(workers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var observed = ObservedCluster(
            generation: generation,
            workers: status.nodes.compactMap { node in byName[node.name].map { self.observed(node, $0) } })
        let former = Set(workersOfFormerPrograms().map(\.name))
        for position in observed.workers.indices {
            observed.workers[position].runsFormerProgram = former.contains(observed.workers[position].name)
        }
        for node in status.nodes {
            guard let report = node.report else { continue }
            observed.exceptions += report.exceptions(of: node.name)
            for (kind, count) in report.exceptionCounts {
                let before = observed.exceptionCounts[kind] ?? 0
                observed.exceptionCounts[kind] = kind.isSaidByMany ? max(before, count) : before + count
            }
        }
        return observed
    }

    private func observed(_ node: NodeStatus, _ handle: WorkerHandle) -> ObservedWorker {
        var worker = ObservedWorker(node.name, node.role, dataCenter: node.dataCenter, node.state)
        worker.incarnation = node.incarnation
        worker.restarts = node.restarts
        worker.lastProblem = node.lastProblem
        if case .backingOff(let until) = handle.supervision.state {
            worker.backsOffFor = (until - min(until, loop.now.monotonic)) / 1_000_000
        }
        worker.drains = handle.drain != nil
        worker.expectedLinks = node.role == .sip ? UInt32(topology.nodes.count - 1) : 0
        guard let report = node.report else { return worker }
        // A build that says no generation says a digest, or nothing.
        worker.generation =
            report.generation > 0 ? report.generation : handle.toldDigest == topologyDigest ? generation : nil
        if worker.generation == nil { worker.version = "unknown" }
        worker.drainIsOver = report.drain.map { $0.millisecondsLeft == 0 } ?? false
        worker.dnsInService = report.ownedInService
        worker.calls = report.calls
        worker.agents = report.agents
        worker.liveLinks = UInt32(report.links.count { $0.state == "live" })
        return worker
    }

    /// The topologies that plans are made of: what is wanted, and what workers run.
    func knownTopologies(_ observed: ObservedCluster) -> [UInt64: Topology] {
        var known = [generation: topology]
        for generation in Set(observed.workers.compactMap(\.generation)) where generation != self.generation {
            if formerTopologies[generation] == nil, let text = archive.text(of: generation) {
                let former = TopologyFile.load(TopologySource(name: "", text: text)).topology
                formerTopologies[generation] = former.flatMap { try? Self.resolved($0, options) }
            }
            known[generation] = formerTopologies[generation]
        }
        return known
    }

    // MARK: Looks

    /// Looks at all workers at once, and again as long as there is something to be done.
    func reconcileSoon() {
        guard !isStopping, reconcileTimer == nil else { return }
        reconcileTimer = loop.schedule(after: .zero) { [unowned self] in
            reconcileTimer = nil
            if !isStopping { ask(.reconciling, for: nil) }
        }
    }

    func reconcile(_ status: ClusterStatus) {
        guard !isStopping, !isAdopting else { return }
        let observed = observedCluster(status)
        let before = reconciler
        let actions = decisions.observed(
            observed, desired: desired, applied: knownTopologies(observed), now: loop.now)
        forgetFormerTopologies(observed)
        describe(observed)
        if let objection = reconciler.objections.first, before.objections.isEmpty {
            logger.critical("a plan is not carried out", metadata: ["objection": "\(objection.sentence)"])
        }
        for action in actions { carryOut(action) }
        if reconciler.plan?.isEmpty == false { hasSomethingToDo = true }
        if reconciler.isSettled(generation) {
            if hasSomethingToDo, before.plan != nil { becameSettled() }
            hasSomethingToDo = false
        } else if !reconciler.waitsForYes, reconciler.givenUp == nil, reconcileTimer == nil {
            let hasSteps = reconciler.plan?.isEmpty == false
            reconcileTimer = loop.schedule(after: hasSteps ? Self.interval : Self.absenceInterval) { [unowned self] in
                reconcileTimer = nil
                if !isStopping { ask(.reconciling, for: nil) }
            }
        }
    }

    private func becameSettled() {
        logger.info("every worker runs what is wanted", metadata: ["generation": "\(generation)"])
        journal.topologySettled("every worker runs generation \(generation)", at: loop.now.wallMilliseconds)
        lookSoon()
    }

    private func forgetFormerTopologies(_ observed: ObservedCluster) {
        let needed = Set(observed.workers.compactMap(\.generation)).union([generation])
        guard !formerTopologies.keys.allSatisfy(needed.contains) else { return }
        formerTopologies = formerTopologies.filter { needed.contains($0.key) }
        ProcessInformation.giveBackMemory()
    }

    /// Where workers are found: as the topology says, once they run it.
    private func describe(_ observed: ObservedCluster) {
        for worker in observed.workers {
            if let generation = worker.generation { lastGenerations[worker.name] = generation }
            guard worker.generation == generation, let handle = self.worker(named: worker.name) else { continue }
            describe(handle)
        }
    }

    func describe(_ worker: WorkerHandle) {
        let declared = WorkerDescription.all(topology).first { $0.name == worker.name && $0.role == worker.role }
        if let declared { worker.description = declared }
    }

    // MARK: What comes of them

    private func carryOut(_ action: Reconciler.Action) {
        switch action {
        case .drain(let name, let patience):
            var request = DrainRequest()
            request.patienceMilliseconds = min(
                max(patience.nanoseconds / 1_000_000, DrainRequest.patienceBounds.lowerBound),
                DrainRequest.patienceBounds.upperBound)
            request.pace = 1_000
            _ = drain(name, request)
        case .stop(let name):
            guard let worker = worker(named: name) else { return }
            giveUp(worker, "the worker is being stopped")
            carryOut(worker.supervision.stop(now: loop.now.monotonic), worker)
            removeIfStopped(worker)
        case .apply(let name):
            if let worker = worker(named: name) { tellTopology(to: worker) }
        case .start(let name):
            start(name)
        case .restart(let names, _):
            beginRestarts(of: names)
        }
    }

    func worker(named name: String) -> WorkerHandle? { workers.first { $0.name == name } }

    /// What the topology is now, for one that serves.
    func tellTopology(to worker: WorkerHandle) {
        guard worker.isReady, worker.successor == nil else {
            return decisions.ended(worker.name, "it is not ready", now: loop.now)
        }
        worker.digestBeingTold = topologyDigest
        eachOrder(for: worker, setup(of: worker, Incarnation(rawValue: worker.incarnation))) { worker.order($0) }
        worker.order(.applyTopology)
    }

    func topologyApplied(_ worker: WorkerHandle, _ applied: TopologyApplied) {
        if applied.problem.isEmpty {
            worker.toldDigest = worker.digestBeingTold ?? worker.toldDigest
            journal.nodeApplied(
                worker.name,
                "runs generation \(applied.generation); nothing was read for \(applied.gap / 1_000) µs of \(applied.nanoseconds / 1_000_000) ms",
                at: loop.now.wallMilliseconds)
        } else {
            journal.nodeNotApplied(worker.name, applied.problem, at: loop.now.wallMilliseconds)
        }
        worker.digestBeingTold = nil
        decisions.ended(worker.name, applied.problem, now: loop.now)
        if let restart = worker.whenTold {
            worker.whenTold = nil
            restart(applied.problem)
        }
        reconcileSoon()
    }

    private func start(_ name: String) {
        guard worker(named: name) == nil,
            let description = WorkerDescription.all(topology).first(where: { $0.name == name })
        else {
            if let worker = worker(named: name), worker.supervision.state == .stopped {
                carryOut(worker.supervision.start(now: loop.now.monotonic), worker)
            }
            return
        }
        finishQueries()
        let worker = WorkerHandle(
            description, seed: SystemRandom.word(),
            log: WorkerLog(node: name, path: options.logPipe(of: name), on: loop))
        let order = WorkerDescription.all(topology).map(\.name)
        workers.append(worker)
        workers.sort { (order.firstIndex(of: $0.name) ?? .max) < (order.firstIndex(of: $1.name) ?? .max) }
        carryOut(worker.supervision.start(now: loop.now.monotonic), worker)
    }

    /// One that the topology does not have goes for good: what it has kept is void.
    func removeIfStopped(_ worker: WorkerHandle) {
        guard !isStopping, worker.supervision.state == .stopped,
            !WorkerDescription.all(topology).contains(where: { $0.name == worker.name && $0.role == worker.role })
        else { return }
        finishQueries()
        workers.removeAll { $0 === worker }
        letGoOfAllSockets(of: worker)
        worker.log.removeFile()
        _ = try? Files.remove(options.adoptionSocket(of: worker.name))
        if worker.role == .sip, !options.isForgetful {
            let store = options.store(of: worker.name, topology.cluster)
            for ending in ["", "-wal", "-shm"] { _ = try? Files.remove(store + ending) }
        }
        logger.notice("a worker is removed", metadata: ["node": "\(worker.name)"])
        reconcileSoon()
    }

    private func beginRestarts(of names: [String]) {
        var request = RestartRequest()
        request.workers = names
        request.isRolling = true
        guard let refusal = beginRollout(request) else {
            rolloutGeneration = generation
            return
        }
        if case .refused(let message, _) = refusal { logger.warning("no rollout", metadata: ["reason": "\(message)"]) }
        decisions.restartsEnded(succeeded: false, generation: generation, now: loop.now)
    }

    /// The rollout that a plan wanted is over.
    func noteRolloutEnd() {
        guard let rollout, let began = rolloutGeneration else { return }
        let hasFailed = rollout.phase == .failed || rollout.phase == .aborted
        guard rollout.phase.isOver || hasFailed else { return }
        let succeeded = rollout.phase == .finished && rollout.members.allSatisfy { $0.state == .done }
        // One that has failed can be resumed.
        if rollout.phase.isOver { rolloutGeneration = nil }
        decisions.restartsEnded(succeeded: succeeded, generation: began, now: loop.now)
        reconcileSoon()
    }

    // MARK: How far it is

    /// What operators should know of it.
    func reconcilingConditions() -> [Condition] {
        guard let plan = reconciler.plan, plan.target == generation else { return [] }
        var conditions: [Condition] = []
        func add(
            _ severity: Condition.Severity, _ kind: String, _ reason: String, _ message: String, _ command: String
        ) {
            conditions.append(
                Condition(
                    severity: severity, subject: "topology", kind: kind, reason: reason, message: message,
                    command: command))
        }
        if let objection = reconciler.objections.first {
            add(
                .error, "plan-refused", "not-safe", "nothing is done, as the plan is not safe: \(objection.sentence)",
                "tandem plan")
        } else if reconciler.waitsForYes {
            add(
                .warning, "plan-waits", "needs-consent",
                "what is left of generation \(generation) puts DNs out of service; accept it with `tandem apply FILE --yes`",
                "tandem plan")
        } else if reconciler.givenUp == generation {
            add(
                .error, "restarts-given-up", "rollout-failed",
                "a worker was not restarted for generation \(generation)", "tandem rollout")
        } else if !reconciler.isSettled(generation), !plan.isEmpty {
            let steps = "\(plan.steps.count) step\(plan.steps.count == 1 ? "" : "s")"
            add(.notice, "topology-under-way", "applying", "generation \(generation): \(steps) left", "tandem plan")
        }
        for finding in plan.findings {
            guard case .dn = finding.kind else { continue }
            conditions.append(
                Condition(
                    severity: .warning, scope: .dn, subject: "DNs", kind: finding.kind.word, reason: "found-by-nodes",
                    message: finding.sentence, command: finding.command))
        }
        return conditions
    }

    func changeStatus() -> ChangeStatus {
        var status = ChangeStatus(generation: generation, isSettled: reconciler.isSettled(generation))
        status.appliedAt = appliedAt
        status.waitsForYes = reconciler.waitsForYes
        status.isGivenUp = reconciler.givenUp == generation
        status.refusals = (reconciler.plan?.refusals ?? []) + reconciler.objections.map(\.sentence)
        let problems = Dictionary(
            reconciler.problems.map { ($0.worker, $0.sentence) }, uniquingKeysWith: { first, _ in first })
        let absences = Dictionary(
            (reconciler.plan?.absences ?? []).map { ($0.subjects[0], $0.sentence) },
            uniquingKeysWith: { first, _ in first })
        let steps = Dictionary(
            (reconciler.plan?.steps ?? []).map { ($0.worker, $0.work.word) }, uniquingKeysWith: { first, _ in first })
        let names = Set(workers.map(\.name)).union(steps.keys).sorted()
        status.workers = names.map { name in
            .init(
                name, generation: lastGenerations[name], next: steps[name] ?? "",
                isUnderWay: reconciler.work(with: name) != nil, problem: problems[name] ?? absences[name] ?? "")
        }
        return status
    }

    func tellPlanInputs(_ status: ClusterStatus, to client: FramedConnection) {
        let observed = observedCluster(status)
        let generations = Array(knownTopologies(observed).keys.sorted().suffix(PlanInputs.maximumTopologies))
        answer(.planInputs(PlanInputs(observed: observed, topologies: generations)), client)
        tellTopologies(generations, to: client)
    }
}
