import ClusterModel
import Orchestration
import Testing

/// A checker that never caught anything proves nothing: every rule meets the plan that it is for.
@Suite struct PlanCheckerTests {
    private typealias Step = Plan.Step

    /// dc1/sip2 goes, its DNs may move; Stat Server and router of dc1 are restarted, the others are told.
    private static func removal() -> PlannedCase {
        var after = PlannedClusters.topology()
        after.nodes.remove(at: 1)
        var planned = PlannedCase(PlannedClusters.topology(), after)
        planned.change("dc1/sip2") { ($0.dnsInService, $0.calls, $0.agents) = (50, 2, 9) }
        return planned
    }

    /// All have the program of before.
    private static func program(_ change: (inout Topology) -> Void = { _ in }) -> PlannedCase {
        var topology = PlannedClusters.topology()
        change(&topology)
        return PlannedCase(topology, topology, version: "2")
    }

    private func expect(
        _ rule: PlanChecker.Rule, _ words: String, _ planned: PlannedCase, allowing: Set<String> = [],
        _ spoil: (inout Plan) -> Void
    ) {
        var plan = planned.plan()
        #expect(planned.check(plan, allowing: allowing).isEmpty, "the plan was bad before it was spoilt")
        spoil(&plan)
        let objections = planned.check(plan, allowing: allowing)
        #expect(
            objections.contains { $0.rule == rule && $0.sentence.contains(words) },
            "\(rule) was not seen in \(objections)")
    }

    private static func position(_ plan: Plan, _ work: String, _ worker: String) -> Int {
        plan.steps.firstIndex { $0.work.word == work && $0.worker == worker }!
    }

    /// Takes a step out, and lets those that waited for it wait for what it waited for.
    private static func remove(_ work: String, _ worker: String, from plan: inout Plan) {
        let step = plan.steps.remove(at: position(plan, work, worker))
        for position in plan.steps.indices where plan.steps[position].after.contains(step.number) {
            plan.steps[position].after.removeAll { $0 == step.number }
            plan.steps[position].after += step.after
        }
    }

    // MARK: Generations

    @Test func `a plan against another generation than the applied one`() {
        expect(.stale, "made against generation 6, and 7 is applied", Self.removal()) { $0.index = 6 }
        expect(.stale, "brings generation 9, and 8 is desired", Self.removal()) { $0.target = 9 }
    }

    @Test func `a generation that goes backwards`() {
        var planned = Self.removal()
        planned.observed.generation = 9
        var plan = planned.plan()
        #expect(
            !plan.refusals.isEmpty && plan.steps.isEmpty && planned.check(plan).allSatisfy { $0.rule != .backwards })
        plan.refusals = []
        plan.steps = [Step(1, .apply, "dc1/sip1", .sip, dataCenter: "dc1")]
        #expect(planned.check(plan).contains { $0.rule == .backwards && $0.sentence.contains("8 is older than 9") })
    }

    @Test func `a worker that is ahead is not told what is older`() {
        var planned = Self.removal()
        planned.change("dc2/sip1") { $0.generation = 9 }
        expect(.backwards, "brings generation 8 to dc2/sip1, which runs 9", planned) { plan in
            plan.steps.append(Step(99, .apply, "dc2/sip1", .sip, dataCenter: "dc2"))
        }
    }

    // MARK: Order

    @Test func `steps that wait for each other, for themselves or for nothing`() {
        expect(.brokenDependencies, "wait for each other", Self.removal()) { $0.steps[0].after = [2] }
        expect(.brokenDependencies, "wait for each other", Self.removal()) { $0.steps[1].after = [2] }
        expect(.brokenDependencies, "waits for step 77, which is not there", Self.removal()) {
            $0.steps[1].after = [77]
        }
        expect(.brokenDependencies, "two steps 1", Self.removal()) { $0.steps[1].number = 1 }
    }

    @Test func `steps for workers that nobody knows`() {
        expect(.unknownWorker, "dc9/sip1, which nobody knows", Self.removal()) { plan in
            plan.steps.append(Step(99, .stop, "dc9/sip1", .sip, dataCenter: "dc9"))
        }
        var planned = Self.removal()
        planned.observed.workers.removeAll { $0.name == "dc2/sip1" }
        expect(.unknownWorker, "dc2/sip1, of which no process is known", planned) { plan in
            plan.steps.append(Step(99, .apply, "dc2/sip1", .sip, dataCenter: "dc2"))
        }
    }

    // MARK: Away

    @Test func `more restarts at a time than allowed`() {
        expect(.tooManyAway, "2 workers of dc1 may be restarted at a time", Self.program()) { plan in
            plan.steps[Self.position(plan, "restart", "dc1/sip2")].after = []
        }
        expect(.tooManyAway, "4 workers of dc1", Self.program()) { plan in
            for position in plan.steps.indices { plan.steps[position].after = [] }
        }
        expect(.tooManyAway, "3 workers of dc1", Self.program { $0.rollout.maxUnavailable = 2 }) { plan in
            plan.steps[Self.position(plan, "restart", "dc1/stat1")].after = []
        }
    }

    @Test func `a restart while another one is down or not yet started`() {
        var planned = Self.program { $0.rollout.maxUnavailable = 2 }
        planned.change("dc1/router1") { $0.state = .backingOff }
        expect(.tooManyAway, "and dc1/router1 not there", planned) { plan in
            plan.steps[Self.position(plan, "restart", "dc1/sip2")].after = []
        }
        planned = Self.program()
        planned.observed.workers.removeAll { $0.name == "dc1/router1" }
        expect(.tooManyAway, "while dc1/router1 of dc1 has not been started", planned) { plan in
            plan.steps[Self.position(plan, "restart", "dc1/sip1")].after = []
        }
    }

    // MARK: Stops

    @Test func `the last ready node of a data center is stopped or restarted unasked`() {
        expect(.lastNode, "stops dc2/sip1, the last ready node of dc2", Self.removal()) { plan in
            plan.steps.append(Step(99, .stop, "dc2/sip1", .sip, dataCenter: "dc2"))
        }
        expect(.lastNode, "restarts dc2/sip1, the last ready node of dc2, without handing over", Self.program()) {
            plan in
            plan.steps[Self.position(plan, "restart", "dc2/sip1")].work = .restart(byHandover: false)
        }
        // One of two is not the last one, and may be restarted so.
        let planned = Self.program()
        var plan = planned.plan()
        plan.steps[Self.position(plan, "restart", "dc1/sip1")].work = .restart(byHandover: false)
        #expect(planned.check(plan).isEmpty)
    }

    @Test func `who allows it gets it`() {
        let planned = Self.program()
        var plan = planned.plan()
        plan.steps[Self.position(plan, "restart", "dc2/sip1")].work = .restart(byHandover: false)
        #expect(!planned.check(plan).isEmpty)
        #expect(planned.check(plan, allowing: ["dc2/sip1"]).isEmpty)
    }

    @Test func `what the topology keeps is stopped, drained or restarted for nothing`() {
        expect(.needless, "stops dc1/router1, which the topology keeps", Self.removal()) { plan in
            plan.steps.append(Step(99, .stop, "dc1/router1", .router, dataCenter: "dc1"))
        }
        expect(.needless, "drains dc2/sip1, which the topology keeps", Self.removal()) { plan in
            plan.steps.append(Step(99, .drain, "dc2/sip1", .sip, dataCenter: "dc2"))
        }
        expect(.needless, "restarts dc2/sip1, and nothing asks for it", Self.removal()) { plan in
            plan.steps.append(Step(99, .restart(byHandover: true), "dc2/sip1", .sip, dataCenter: "dc2"))
        }
        expect(.needless, "tells dc1/sip2, which the topology does not keep", Self.removal()) { plan in
            plan.steps.append(Step(99, .apply, "dc1/sip2", .sip, dataCenter: "dc1"))
        }
    }

    @Test func `a stop without the drain that was possible, or before it`() {
        expect(.drainForgotten, "stops dc1/sip2 with 50 DNs in service", Self.removal()) { plan in
            Self.remove("drain", "dc1/sip2", from: &plan)
        }
        expect(.drainForgotten, "does not drain it first", Self.removal()) { plan in
            plan.steps[Self.position(plan, "stop", "dc1/sip2")].after = []
        }
    }

    @Test func `where no other node may have the DNs there is nothing to drain`() {
        var planned = Self.removal()
        for name in ["dc1/sip1", "dc2/sip1"] { planned.change(name) { $0.state = .backingOff } }
        let plan = planned.plan()
        #expect(!plan.steps.contains { $0.work == .drain } && planned.check(plan).isEmpty)
        #expect(plan.needsYes && plan.outOfService == 50 && plan.endedCalls == 2)
    }

    // MARK: Starts

    @Test func `a worker started twice, or while an older one may run`() {
        var planned = Self.program()
        planned.observed.workers.removeAll { $0.name == "dc1/router1" }
        expect(.twoOwners, "starts dc1/router1 a second time", planned) { plan in
            plan.steps.append(Step(99, .start, "dc1/router1", .router, dataCenter: "dc1"))
        }
        expect(.twoOwners, "starts dc1/sip1 while an older process", Self.removal()) { plan in
            plan.steps.append(Step(99, .start, "dc1/sip1", .sip, dataCenter: "dc1"))
        }
        planned = Self.removal()
        planned.change("dc2/sip1") { $0.state = .backingOff }
        expect(.twoOwners, "starts dc2/sip1 while an older process", planned) { plan in
            plan.steps.append(Step(99, .start, "dc2/sip1", .sip, dataCenter: "dc2"))
        }
    }

    @Test func `a worker of another role starts when the one before is gone`() {
        var after = PlannedClusters.topology()
        after.routers.removeAll { $0.name == "dc2/router1" }
        after.statServers.append(StatServerDeclaration(name: "dc2/router1", dataCenter: 1))
        let planned = PlannedCase(PlannedClusters.topology(), after)
        expect(.twoOwners, "starts dc2/router1 while an older process", planned) { plan in
            plan.steps[Self.position(plan, "start", "dc2/router1")].after = []
        }
        expect(.leftOut, "dc2/router1 has another role", planned) { plan in
            Self.remove("start", "dc2/router1", from: &plan)
        }
    }

    // MARK: Left out

    @Test func `workers left out`() {
        expect(.leftOut, "dc1/sip2 runs and should not", Self.removal()) { plan in
            Self.remove("stop", "dc1/sip2", from: &plan)
        }
        expect(.leftOut, "dc2/sip1 has to hear of generation 8", Self.removal()) { plan in
            Self.remove("apply", "dc2/sip1", from: &plan)
        }
        expect(.leftOut, "dc1/stat1 has to be restarted", Self.removal()) { plan in
            Self.remove("restart", "dc1/stat1", from: &plan)
        }
        expect(.leftOut, "tells dc1/stat1 what it only takes when it is restarted", Self.removal()) { plan in
            plan.steps[Self.position(plan, "restart", "dc1/stat1")].work = .apply
        }
        var planned = Self.removal()
        planned.observed.workers.removeAll { $0.name == "dc2/router1" }
        expect(.leftOut, "dc2/router1 does not run", planned) { plan in
            Self.remove("start", "dc2/router1", from: &plan)
        }
    }

    @Test func `a plan after which there is more to do`() {
        // Nothing is wrong with any step; the drain only is not what lets this one stop.
        expect(.notTheEnd, "there is more to do", Self.program()) { plan in plan.version = "3" }
    }

    @Test func `every rule has caught a bad plan in this file`() {
        #expect(PlanChecker.Rule.allCases.count == 11)
    }
}
