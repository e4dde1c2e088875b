import ClusterModel
import Orchestration
import Testing

/// Clusters as no operator would have them, and what holds for all of them.
@Suite struct PlannerPropertyTests {
    private static let centers = ["dc1", "dc2", "dc3"]

    static func topology(_ chance: inout Chance) -> Topology {
        let count = 1 + chance.below(3)
        let used = centers.prefix(count).map { ($0, chance.below(4), 0) }
        var blocks: [(DN, Int, [String])] = []
        var next = 1000
        for _ in 0..<chance.below(5) {
            next += chance.below(40)
            let length = 1 + chance.below(200)
            let homes = used.map(\.0).filter { _ in chance.once(in: 2) }
            blocks.append((DN(decimal: UInt64(next), length: 4), length, homes))
            next += length
        }
        var topology = PlannedClusters.topology(used, blocks: blocks)
        for position in topology.nodes.indices where chance.once(in: 5) {
            // Another port, which nobody else ever has.
            let node = topology.nodes[position]
            let other = PlannedClusters.node(node.name, node.dataCenter, 4000 + position * 10 + chance.below(2) * 5)
            if chance.once(in: 2) {
                topology.nodes[position].mesh = other.mesh
            } else {
                topology.nodes[position] = other
            }
        }
        for center in used.indices {
            for name in ["stat1", "both"] where chance.once(in: 2) {
                topology.statServers.append(
                    StatServerDeclaration(name: "\(used[center].0)/\(name)", dataCenter: center))
            }
            for name in ["router1", "both"] where chance.once(in: 2) {
                let name = "\(used[center].0)/\(name)"
                guard !topology.statServers.contains(where: { $0.name == name }) else { continue }
                topology.routers.append(RouterDeclaration(name: name, dataCenter: center))
            }
        }
        if chance.once(in: 3) { topology.timing.keepalive = .milliseconds(Int64(100 + chance.below(2) * 100)) }
        if chance.once(in: 4) { topology.tls = TLSPolicy(identity: .init(certificate: "c", key: "k")) }
        if chance.once(in: 4) { topology.routingPoints = [RoutingPoint(dn: DN("8000")!)] }
        topology.rollout.maxUnavailable = 1 + chance.below(3)
        return topology
    }

    static func planned(_ seed: UInt64) -> PlannedCase {
        var chance = Chance(seed: seed)
        let former = topology(&chance)
        let before = topology(&chance)
        let after = chance.once(in: 4) ? before : topology(&chance)
        var planned = PlannedCase(before, after, version: chance.once(in: 2) ? "2" : nil)
        planned.applied[6] = former
        if chance.once(in: 6) { planned.desired.generation = 7 }
        if planned.desired.generation == 7 { planned.desired.topology = before }
        let strangers = DeclaredWorker.all(topology(&chance)).filter { _ in chance.once(in: 6) }
        for worker in strangers where !planned.observed.workers.contains(where: { $0.name == worker.name }) {
            var extra = ObservedWorker(worker.name, worker.role, dataCenter: worker.dataCenter, .ready)
            extra.generation = 6
            planned.observed.workers.append(extra)
        }
        planned.observed.workers.removeAll { _ in chance.once(in: 8) }
        for position in planned.observed.workers.indices {
            disturb(&planned.observed.workers[position], &chance, desired: planned.desired.generation)
        }
        return planned
    }

    static func disturb(_ worker: inout ObservedWorker, _ chance: inout Chance, desired: UInt64) {
        if chance.once(in: 4) { worker.state = NodeState.allCases[chance.below(NodeState.allCases.count)] }
        if worker.state == .draining { worker.drains = true }
        if worker.drains, chance.once(in: 3) { worker.drainIsOver = true }
        if chance.once(in: 3) { worker.generation = [nil, 3, 6, 7, desired, 9][chance.below(6)] }
        if chance.once(in: 2) { worker.version = chance.once(in: 5) ? "" : "2" }
        guard worker.role == .sip, worker.serves else { return }
        worker.dnsInService = UInt64(chance.below(3) * 40)
        worker.calls = UInt64(chance.below(3))
        worker.agents = UInt64(chance.below(10))
        if chance.once(in: 2) { worker.unprovisioned = min(worker.dnsInService, UInt64(chance.below(20))) }
    }

    @Test(arguments: 0..<20)
    func `the checker accepts every plan, after it nothing is left to do, and the same is planned again`(batch: Int) {
        for seed in UInt64(batch * 100)..<UInt64(batch * 100 + 100) {
            let planned = Self.planned(seed)
            let plan = planned.plan()
            #expect(plan == planned.plan(), "seed \(seed)")
            var shuffled = planned
            shuffled.observed.workers.reverse()
            #expect(plan == shuffled.plan(), "seed \(seed): the order in which workers are seen counts")
            let objections = planned.check(plan)
            #expect(objections.isEmpty, "seed \(seed): \(objections.map(\.sentence))")
            guard plan.refusals.isEmpty else { continue }
            var known = planned.applied
            known[planned.desired.generation] = planned.desired.topology
            let after = PlanOutcome.of(plan, planned.observed)
            let rest = Planner.plan(planned.desired, after, applied: known)
            #expect(rest.steps.isEmpty, "seed \(seed): \(rest.steps)")
            #expect(plan.needsYes == (plan.outOfService > 0), "seed \(seed)")
        }
    }

    /// A controller that dies after every step, and is followed by one that knows only what it sees.
    @Test(arguments: 0..<10)
    func `planned again after every step, the end is reached all the same`(batch: Int) {
        for seed in UInt64(batch * 30)..<UInt64(batch * 30 + 30) {
            var planned = Self.planned(seed)
            var chance = Chance(seed: seed &+ 1)
            var plan = planned.plan()
            guard plan.refusals.isEmpty else { continue }
            planned.applied[planned.desired.generation] = planned.desired.topology
            var count = 0
            while !plan.steps.isEmpty {
                let ready = plan.steps.filter { $0.after.isEmpty }
                plan.steps = [ready[chance.below(ready.count)]]
                planned.observed = PlanOutcome.of(plan, planned.observed)
                plan = planned.plan()
                let objections = planned.check(plan)
                #expect(objections.isEmpty, "seed \(seed), after \(count) steps: \(objections.map(\.sentence))")
                count += 1
                guard count < 200 else {
                    Issue.record("seed \(seed) does not end: \(plan.steps)")
                    break
                }
            }
        }
    }

    /// What the seeds above lead to, so that they prove something.
    @Test func `the clusters made up meet everything that a plan can have`() {
        var works: [String: Int] = [:]
        var kinds: [String: Int] = [:]
        var (refused, yes, empty, held) = (0, 0, 0, 0)
        for seed in UInt64(0)..<2000 {
            let plan = Self.planned(seed).plan()
            for step in plan.steps { works[step.work.word, default: 0] += 1 }
            for finding in plan.findings { kinds[finding.kind.word, default: 0] += 1 }
            refused += plan.refusals.isEmpty ? 0 : 1
            yes += plan.needsYes ? 1 : 0
            empty += plan.isEmpty ? 1 : 0
            held += plan.findings.contains { $0.kind == .restartsWait } ? 1 : 0
        }
        #expect(works.count == 5 && works.values.allSatisfy { $0 > 100 }, "\(works)")
        #expect(kinds.count >= 10 && kinds.values.allSatisfy { $0 > 20 }, "\(kinds)")
        #expect(refused < 500 && yes > 100 && empty > 20 && held > 50, "\((refused, yes, empty, held))")
    }
}
