import ClusterModel
import Orchestration
import Testing

/// What is carried out of plans, and what of it again.
@Suite struct ReconcilerTests {
    private func observed(_ topology: Topology, _ generations: [String: UInt64]) -> ObservedCluster {
        var cluster = PlannedClusters.observed(topology, generation: 2)
        for position in cluster.workers.indices {
            guard let generation = generations[cluster.workers[position].name] else { continue }
            cluster.workers[position].generation = generation
        }
        return cluster
    }

    @Test func `nodes that do the same under different generations come to have the same one`() {
        let topology = PlannedClusters.topology()
        let desired = Desired(topology: topology, generation: 2)
        let applied = [1: topology, 2: topology] as [UInt64: Topology]
        let all = Dictionary(uniqueKeysWithValues: topology.nodes.map { ($0.name, 1 as UInt64) })
        // Nobody has the later one, and nobody need hear of it.
        var none = observed(topology, all)
        none.generation = 1
        #expect(Planner.plan(desired, none, applied: applied).isEmpty)
        var some = all
        some["dc1/sip2"] = 2
        let cluster = observed(topology, some)
        let plan = Planner.plan(desired, cluster, applied: applied)
        #expect(plan.steps.map(\.worker) == ["dc1/sip1", "dc2/sip1"])
        #expect(plan.steps.allSatisfy { $0.work == .apply })
        #expect(PlanChecker.check(plan, desired, cluster, applied: applied).isEmpty)
        some = [:]
        #expect(Planner.plan(desired, observed(topology, some), applied: applied).isEmpty)
    }

    @Test func `a later controller carries on what an earlier one began`() {
        let before = PlannedClusters.topology()
        var after = before
        after.timing.keepalive = .milliseconds(700)
        let desired = Desired(topology: after, generation: 2)
        let applied = [1: before, 2: after] as [UInt64: Topology]
        let cluster = observed(after, ["dc1/sip1": 1, "dc1/sip2": 2])
        var next = Reconciler(consent: 2)
        #expect(next.observed(cluster, desired: desired, applied: applied, now: 0).contains(.apply("dc1/sip1")))
        var forgetful = Reconciler(consent: 2, faults: .planNotRepeated)
        #expect(forgetful.observed(cluster, desired: desired, applied: applied, now: 0).isEmpty)
    }

    @Test func `a node that dies while it is drained is drained again`() {
        let before = PlannedClusters.topology()
        var after = before
        after.nodes.remove(at: 1)
        let desired = Desired(topology: after, generation: 2)
        let applied = [1: before, 2: after] as [UInt64: Topology]
        var cluster = PlannedClusters.observed(before, generation: 1)
        let position = cluster.workers.firstIndex { $0.name == "dc1/sip2" }!
        cluster.workers[position].dnsInService = 5
        var reconciler = Reconciler(consent: 2)
        func drains(_ now: UInt64) -> Bool {
            reconciler.observed(cluster, desired: desired, applied: applied, now: now).contains {
                if case .drain("dc1/sip2", _) = $0 { true } else { false }
            }
        }
        #expect(drains(0))
        #expect(!drains(1))
        cluster.workers[position].incarnation += 1
        #expect(drains(2))
        #expect(!drains(3))
    }

    @Test func `what did not work is tried again, later each time, and what has ended is not`() {
        let before = PlannedClusters.topology()
        var after = before
        after.timing.keepalive = .milliseconds(700)
        let desired = Desired(topology: after, generation: 2)
        let applied = [1: before, 2: after] as [UInt64: Topology]
        let cluster = observed(after, ["dc1/sip1": 1])
        var reconciler = Reconciler(consent: 2)
        var (now, times) = (0 as UInt64, [UInt64]())
        while times.count < 4, now < 60_000_000_000 {
            for action in reconciler.observed(cluster, desired: desired, applied: applied, now: now) {
                #expect(action == .apply("dc1/sip1"))
                times.append(now / 1_000_000_000)
                reconciler.ended("dc1/sip1", "it cannot", now: now)
            }
            now += 1_000_000_000
        }
        #expect(times == [0, 1, 3, 7])
        #expect(reconciler.problems.map(\.sentence) == ["it cannot"])
        let done = observed(after, [:])
        #expect(reconciler.observed(done, desired: desired, applied: applied, now: now).isEmpty)
        #expect(reconciler.isSettled(2) && reconciler.problems.isEmpty)
    }

    @Test(arguments: [NodeState.starting, .backingOff, .ready])
    func `who is not there yet, or does not answer, may still need something`(state: NodeState) {
        let topology = PlannedClusters.topology()
        let desired = Desired(topology: topology, generation: 2)
        var cluster = observed(topology, [:])
        var reconciler = Reconciler()
        _ = reconciler.observed(cluster, desired: desired, applied: [2: topology], now: 0)
        #expect(reconciler.isSettled(2))
        let there = cluster.workers[0]
        cluster.workers[0] = ObservedWorker(there.name, there.role, dataCenter: there.dataCenter, state)
        #expect(reconciler.observed(cluster, desired: desired, applied: [2: topology], now: 1).isEmpty)
        #expect(!reconciler.isSettled(2))
        #expect(reconciler.plan?.absences.map(\.subjects) == [[there.name]])
        cluster.workers[0] = there
        _ = reconciler.observed(cluster, desired: desired, applied: [2: topology], now: 2)
        #expect(reconciler.isSettled(2))
    }
}
