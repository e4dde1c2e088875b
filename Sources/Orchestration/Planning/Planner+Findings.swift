import ClusterModel

// What is not as it should be, each with what becomes of it and what somebody can do.
extension Planner {
    mutating func find() {
        findLosses()
        findWorkers()
        findPrograms()
        for wait in held {
            var finding = PlanFinding(
                .restartsWait, wait.workers,
                "\(sentenceList(wait.workers)) \(wait.workers.count == 1 ? "has" : "have") to be restarted, and "
                    + "\(wait.workers.count == 1 ? "waits" : "wait") for \(sentenceList(wait.for)): `maxUnavailable` "
                    + "is "
                    + "\(desired.topology.rollout.maxUnavailable)")
            finding.byItself = "restarted when enough of \(wait.dataCenter) are back"
            finding.command = "tandem nodes"
            plan.findings.append(finding)
        }
        for kind in DNException.Kind.allCases {
            if let finding = finding(of: kind) { plan.findings.append(finding) }
        }
    }

    // MARK: What steps put out of service

    private mutating func findLosses() {
        let losing = plan.steps.filter { $0.touch.outOfService > 0 }
        let renamed = losing.filter { step in
            step.work != .stop && seen[step.worker].map { changesDomain(of: $0) } == true
        }
        for step in losing where !renamed.contains(step) { plan.findings.append(loss(step)) }
        if !renamed.isEmpty {
            let number = renamed.reduce(0) { $0 + $1.touch.outOfService }
            var finding = PlanFinding(
                .outOfService, renamed.map(\.worker), count: number,
                "phones that register with the old domain are refused: up to \(count(number, "DN")) go out of "
                    + "service until "
                    + "they register with \(desired.topology.domain)")
            finding.remedy = "tell the phones first, or say --yes"
            finding.needsYes = true
            finding.command = "tandem dn list --state in-service"
            plan.findings.append(finding)
        }
        findUnprovisioned()
    }

    /// Why a step puts DNs out of service, and what can be done against it.
    private func loss(_ step: Plan.Step) -> PlanFinding {
        let dns = "up to \(count(step.touch.outOfService, "DN"))"
        var finding = PlanFinding(.outOfService, [step.worker], count: step.touch.outOfService, "")
        if step.work == .stop, seen[step.worker]?.drainIsOver == true {
            finding.sentence =
                "step \(step.number) stops \(step.worker), and \(dns) that have not left in time go out of service"
            finding.remedy = "see why they stay, or say --yes"
        } else if step.work == .stop {
            finding.sentence =
                "step \(step.number) stops \(step.worker), and \(dns) that may be at no node that stays go out of "
                + "service"
            finding.remedy = "give them a home that stays first, or say --yes"
        } else {
            finding.sentence =
                "step \(step.number) moves the SIP address of \(step.worker), and \(dns) go out of service until "
                + "their phones register at the new one"
            finding.remedy = "keep the old address beside the new one until the phones know it, or say --yes"
        }
        finding.needsYes = true
        finding.command = "tandem dn list --owner \(step.worker) --state in-service"
        return finding
    }

    private mutating func findUnprovisioned() {
        let unprovisioned = plan.steps.filter { $0.touch.unprovisioned > 0 }
        guard !unprovisioned.isEmpty else { return }
        let number = min(
            unprovisioned.reduce(0) { $0 + $1.touch.unprovisioned },
            UInt64(unprovisioned.compactMap { seen[$0.worker].flatMap { difference(of: $0)?.dns.removed } }.max() ?? 0))
        let known = unprovisioned.allSatisfy { seen[$0.worker]?.unprovisioned != nil }
        var finding = PlanFinding(
            .outOfService, unprovisioned.map(\.worker), count: number,
            "\(known ? "" : "up to ")\(count(number, "DN")) in service at \(sentenceList(unprovisioned.map(\.worker))) "
                + "\(number == 1 ? "is" : "are") removed from the topology, and out of service with that")
        finding.remedy = "leave them in the file, or say --yes"
        finding.needsYes = true
        finding.command = "tandem dn list --state in-service"
        plan.findings.append(finding)
    }

    // MARK: Workers

    private mutating func findWorkers() {
        if plan.refusals.isEmpty {
            findMissing()
            findBehind()
        }
        for worker in observed.workers.sorted(by: { $0.name < $1.name }) {
            if let finding = keeps(worker) ? trouble(of: worker) : extra(worker) { plan.findings.append(finding) }
        }
    }

    /// Those that have said why they are not there, one by one; the others together.
    private mutating func findMissing() {
        let before = applied[observed.generation].map { Set(DeclaredWorker.all($0).map(\.name)) } ?? []
        let missing = declared.map(\.name).filter { before.contains($0) && (seen[$0]?.state ?? .stopped) == .stopped }
        let told = missing.filter { seen[$0]?.lastProblem.isEmpty == false }
        let untold = missing.filter { !told.contains($0) }
        for names in told.map({ [$0] }) + (untold.isEmpty ? [] : [untold]) {
            let problem = seen[names[0]].map { $0.lastProblem.isEmpty ? "" : ": \($0.lastProblem)" } ?? ""
            var finding = PlanFinding(
                .workerMissing, names, "\(sentenceList(names)) \(names.count == 1 ? "does" : "do") not run\(problem)")
            finding.byItself = happens(names, "started")
            finding.command = "tandem nodes"
            plan.findings.append(finding)
        }
    }

    /// Those that have not heard of what was applied before; that nobody has heard of what is planned now is no
    /// finding.
    private mutating func findBehind() {
        let behind = declared.compactMap { seen[$0.name] }.filter { worker in
            guard let generation = worker.generation, generation < observed.generation else { return false }
            return keeps(worker) && worker.state != .backingOff && need(of: worker) != .nothing
        }
        for generation in Set(behind.compactMap(\.generation)).sorted() {
            let workers = behind.filter { $0.generation == generation }
            let names = workers.map(\.name)
            let parts = workers.first.flatMap { difference(of: $0) }.map { "differs in \(sentenceList($0.parts))" }
            var finding = PlanFinding(
                .wrongConfiguration, names,
                "\(sentenceList(names)) \(names.count == 1 ? "runs" : "run") generation \(generation), which "
                    + (parts ?? "is not known here"))
            finding.byItself = happens(names, "brought up to date")
            finding.command = "tandem nodes"
            plan.findings.append(finding)
        }
    }

    /// A worker that no topology has declared is none that somebody has just removed.
    private func extra(_ worker: ObservedWorker) -> PlanFinding? {
        guard worker.mayRun, roles[worker.name] == nil, !wasDeclared(worker) else { return nil }
        var finding = PlanFinding(.workerExtra, [worker.name], "\(worker.name) runs, and no topology declares it")
        finding.byItself = happens([worker.name], worker.dnsInService > 0 ? "drained and stopped" : "stopped")
        finding.remedy = "declare it in the file if it is to stay"
        finding.command = "tandem nodes"
        return finding
    }

    /// Of a worker that stays.
    private func trouble(of worker: ObservedWorker) -> PlanFinding? {
        if worker.state == .backingOff { return crashed(worker) }
        if worker.state == .starting {
            var finding = PlanFinding(.workerStarting, [worker.name], "\(worker.name) is starting")
            let seconds = SupervisionMachine.startTimeout / 1_000_000_000
            finding.byItself = "ready in a moment, or killed after \(seconds)s and started again"
            finding.command = "tandem nodes"
            return finding
        }
        if worker.state == .ready, worker.generation == nil, worker.version.isEmpty {
            var finding = PlanFinding(.workerSilent, [worker.name], "\(worker.name) runs and does not answer")
            let seconds = SupervisionMachine.heartbeatTimeout / 1_000_000_000
            finding.byItself = "killed after \(seconds)s without a sign of life, and started again"
            finding.command = "tandem nodes"
            return finding
        }
        guard let generation = worker.generation else { return nil }
        if generation > desired.generation {
            var finding = PlanFinding(
                .laterGeneration, [worker.name],
                "\(worker.name) runs generation \(generation), and \(desired.generation) is the latest here")
            finding.remedy = "apply the file again, which makes it a later one; until then the worker is left alone"
            finding.command = "tandem apply FILE --wait"
            return finding
        }
        if worker.drains, plan.steps.isEmpty || !plan.steps.contains(where: { $0.worker == worker.name }) {
            var finding = PlanFinding(
                .staysDraining, [worker.name], "\(worker.name) is being drained, and the topology keeps it")
            finding.byItself = "serves on, and sends phones elsewhere"
            finding.command = "tandem undrain \(worker.name)"
            return finding
        }
        guard worker.serves, worker.liveLinks < worker.expectedLinks else { return nil }
        var finding = PlanFinding(
            .linksDown, [worker.name],
            "\(worker.liveLinks) of \(count(UInt64(worker.expectedLinks), "link")) of \(worker.name) "
                + "\(worker.liveLinks == 1 ? "is" : "are") live")
        finding.byItself = "dialled again until they are"
        finding.command = "tandem links"
        return finding
    }

    private func crashed(_ worker: ObservedWorker) -> PlanFinding {
        let times = worker.restarts == 0 ? "" : ", \(count(UInt64(worker.restarts), "unplanned exit")) so far"
        let problem = worker.lastProblem.isEmpty ? "no reason is known" : worker.lastProblem
        var finding = PlanFinding(.workerCrashed, [worker.name], "\(worker.name) is down\(times): \(problem)")
        let time = worker.backsOffFor.map { "in \(PlanWords.time($0))" } ?? "in a moment"
        finding.byItself = "started again \(time), with generation \(desired.generation)"
        finding.remedy = worker.restarts > 2 ? "mend what it says last; it is tried for ever" : ""
        finding.command = "tandem nodes"
        return finding
    }

    private mutating func findPrograms() {
        findFormerPrograms()
        guard let version = desired.version else { return }
        let wrong = observed.workers.filter { keeps($0) && $0.serves && hasWrongVersion($0) }
        for old in Set(wrong.map(\.version)).sorted() {
            let names = declared.map(\.name).filter { name in wrong.contains { $0.name == name && $0.version == old } }
            var finding = PlanFinding(
                .wrongVersion, names,
                "\(sentenceList(names)) \(names.count == 1 ? "runs" : "run") version \(old), and \(version) is "
                    + "installed"
            )
            finding.byItself = happens(names, "restarted")
            finding.command = restartCommand(names)
            plan.findings.append(finding)
        }
    }

    /// A service that runs is not interrupted because there is another program: somebody has to say so.
    private mutating func findFormerPrograms() {
        let names = declared.map(\.name).filter { name in
            seen[name].map { keeps($0) && $0.serves && $0.runsFormerProgram && !hasWrongVersion($0) } ?? false
        }
        guard !names.isEmpty else { return }
        var finding = PlanFinding(
            .wrongVersion, names,
            "\(sentenceList(names)) \(names.count == 1 ? "runs" : "run") another program than the one that is installed"
        )
        finding.remedy = "restart \(names.count == 1 ? "it" : "them"); nobody notices"
        finding.command = restartCommand(names)
        plan.findings.append(finding)
    }

    private func restartCommand(_ names: [String]) -> String {
        names.count > 3
            ? "tandem restart --rolling --wait" : "tandem restart \(names.joined(separator: " ")) --rolling --wait"
    }

    /// What steps of this plan do about it.
    private func happens(_ workers: [String], _ words: String) -> String {
        let numbers = plan.steps.filter { workers.contains($0.worker) }.map(\.number)
        return numbers.isEmpty ? "" : "\(words) by \(PlanWords.steps(numbers)) of this plan"
    }

    // MARK: DNs

    private func finding(of kind: DNException.Kind) -> PlanFinding? {
        let number = observed.count(of: kind)
        guard number > 0 else { return nil }
        return PlanFinding(kind, observed.exceptions.filter { $0.kind == kind }, count: number)
    }

    private func count(_ number: UInt64, _ noun: String) -> String { PlanWords.count(number, noun) }

    private func sentenceList(_ items: [String]) -> String { PlanWords.list(items) }
}
