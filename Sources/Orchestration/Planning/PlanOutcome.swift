/// What the cluster looks like when a plan has been carried out and nothing else has happened: a model, for the
/// checker.
package enum PlanOutcome {
    /// Steps that wait for one that never comes are not carried out.
    package static func of(_ plan: Plan, _ observed: ObservedCluster) -> ObservedCluster {
        var cluster = observed
        var done: Set<Int> = []
        var waiting = plan.steps
        while true {
            let ready = waiting.filter { $0.after.allSatisfy(done.contains) }
            guard !ready.isEmpty else { break }
            for step in ready {
                carryOut(step, plan, &cluster)
                done.insert(step.number)
            }
            waiting.removeAll { done.contains($0.number) }
        }
        if plan.refusals.isEmpty { cluster.generation = plan.target }
        return cluster
    }

    private static func carryOut(_ step: Plan.Step, _ plan: Plan, _ cluster: inout ObservedCluster) {
        let position = cluster.workers.firstIndex { $0.name == step.worker }
        switch step.work {
        case .drain:
            guard let position else { return }
            cluster.workers[position].state = .draining
            cluster.workers[position].drains = true
            cluster.workers[position].drainIsOver = true
            cluster.workers[position].dnsInService =
                step.touch.dnsInService - min(step.touch.mustMove, step.touch.dnsInService)
            cluster.workers[position].calls = 0
        case .stop:
            guard let position else { return }
            cluster.workers.remove(at: position)
        case .apply:
            guard let position else { return }
            cluster.workers[position].generation = plan.target
        case .start:
            var worker = ObservedWorker(step.worker, step.role, dataCenter: step.dataCenter, .ready)
            worker.incarnation = position.map { cluster.workers[$0].incarnation + 1 } ?? 1
            if let position { cluster.workers.remove(at: position) }
            worker.generation = plan.target
            worker.version = plan.version ?? ""
            cluster.workers.append(worker)
        case .restart:
            guard let position else { return }
            cluster.workers[position].incarnation += 1
            cluster.workers[position].generation = plan.target
            if let version = plan.version { cluster.workers[position].version = version }
        }
    }
}
