import ClusterModel
import DNOwnership
import NodeCore
import Orchestration

/// The controller of a run whose topology changes: what it has on its disk, and what it forgets when it dies.
struct SimulatedController: Sendable {
    /// Kept: the generation that an operator wants, and how many there have been.
    var desired: UInt64 = 1

    var isUp = true
    /// Counts its lives, so that answers for an earlier one are nobody's.
    var life: UInt64 = 0
    var reconciler = Reconciler(consent: 1)
    /// Workers that are being restarted, one after the other; and since when the first is.
    var restarting: [NodeIndex] = []
    var restartingSince: UInt64?
    var random: SeededRandom

    init(_ plan: RunPlan) {
        random = SeededRandom(seed: mixed(plan.seed &+ 12))
    }
}

// A controller that observes nodes, plans, and does what comes of it; as the real one does.
extension ClusterSimulation {
    private static let lookInterval: UInt64 = 100 * .millisecond
    /// How long phones and desktops have to leave a node.
    private static let drainTime: UInt64 = 700 * .millisecond

    mutating func beginChanges() {
        guard plan.changes != nil else { return }
        schedule(.controllerLooks(life: 0), after: Self.lookInterval)
    }

    /// An operator declares the next one.
    ///
    /// - Returns: whether it is another than the last one.
    @discardableResult
    mutating func declareTopology(_ number: Int) -> Bool {
        guard let changes = plan.changes, changes.declarations.indices.contains(number) else { return false }
        var topology = Self.topology(changes.declarations[number], of: self.topology)
        let milliseconds = Self.epochMilliseconds + now / .millisecond
        topology.directory = topology.directory.introduced(
            after: versions.last!.topology.directory, at: milliseconds)
        guard topology != versions.last!.topology else { return false }
        versions.append(TopologyVersion(topology, of: self.topology))
        controller.desired = UInt64(versions.count)
        controller.reconciler.consent = controller.desired
        say("an operator declares generation \(controller.desired): \(words(ofVersion: versions.count - 1))")
        return true
    }

    /// What it does not have of all that there will ever be.
    private func words(ofVersion position: Int) -> String {
        let version = versions[position]
        let dns = version.dns.indices.filter { version.dns[$0] == nil }.map { name(DNIndex($0)) }
        let nodes = version.nodes.indices.filter { version.nodes[$0] == nil }.map { name(NodeIndex($0)) }
        return "without \((dns + nodes).joined(separator: " ")), keepalive"
            + " \(version.topology.timing.keepalive.nanoseconds / .millisecond) ms"
    }

    mutating func crashController(downFor time: UInt64) {
        guard plan.changes != nil, controller.isUp else { return }
        count(.controllerDied)
        controller.isUp = false
        controller.life += 1
        schedule(.controllerBegins, after: time)
    }

    mutating func controllerBegins() {
        controller.isUp = true
        controller.reconciler = Reconciler(
            consent: controller.desired, faults: injection?.faults ?? .none)
        controller.restarting = []
        controller.restartingSince = nil
        schedule(.controllerLooks(life: controller.life), after: .millisecond)
    }

    // MARK: Looks

    mutating func controllerLooks(life: UInt64) {
        guard controller.isUp, controller.life == life else { return }
        schedule(.controllerLooks(life: life), after: Self.lookInterval)
        goOnRestarting()
        let desired = Desired(topology: versions[Int(controller.desired) - 1].topology, generation: controller.desired)
        // One that sees workers run a topology keeps it; one that has just begun may not.
        let memory = isStorming ? plan.changes?.memory ?? 1 : Int(controller.desired)
        let oldest = max(1, Int(controller.desired) - memory)
        let applied = Dictionary(
            uniqueKeysWithValues: (oldest...Int(controller.desired)).map { (UInt64($0), versions[$0 - 1].topology) })
        let cluster = ObservedCluster(
            generation: controller.desired, workers: nodes.indices.compactMap { observe(NodeIndex($0)) })
        let actions = controller.reconciler.observed(cluster, desired: desired, applied: applied, now: now)
        invariantPlansAreSound()
        for action in actions { carryOut(action) }
    }

    private mutating func observe(_ node: NodeIndex) -> ObservedWorker? {
        let present = nodes[node.position]
        guard present.isUp || present.isWanted || present.incarnation > 0 else { return nil }
        let state: NodeState =
            present.isUp
            ? present.leavesSince == nil ? .ready : .draining : present.isWanted ? .backingOff : .stopped
        var worker = ObservedWorker(
            name(node), .sip, dataCenter: topology.dataCenters[topology.nodes[node.position].dataCenter].name, state)
        worker.incarnation = present.incarnation
        guard present.isUp else { return worker }
        worker.version = "1"
        worker.generation = present.generation
        worker.drains = present.leavesSince != nil
        worker.drainIsOver = present.leavesSince.map { now > $0 + Self.drainTime } ?? false
        let ownership = cores[node.position].ownership
        worker.dnsInService = UInt64(clamping: ownership.ownInService)
        let peers = cores[node.position].topology.nodes.indices.filter { $0 != ownership.me.position }
        worker.expectedLinks = UInt32(peers.count)
        worker.liveLinks = UInt32(peers.count { ownership.isReachable(NodeIndex($0)) })
        return worker
    }

    // MARK: What it does

    private mutating func carryOut(_ action: Reconciler.Action) {
        say("the controller: \(action)")
        switch action {
        case .apply(let name): tellToChange(node(named: name))
        case .start(let name):
            let node = node(named: name)
            nodes[node.position].isWanted = true
            nodes[node.position].leavesSince = nil
            count(.nodeAdded)
            schedule(.start(node), after: 5 * .millisecond)
        case .stop(let name): stopForGood(node(named: name))
        case .drain(let name, _):
            let node = node(named: name)
            guard nodes[node.position].isUp, nodes[node.position].leavesSince == nil else { return }
            nodes[node.position].leavesSince = now
            schedule(.toldToDrain(node), after: .microsecond)
        case .restart(let names, _):
            controller.restarting = names.map { node(named: $0) }
            goOnRestarting()
        }
    }

    mutating func toldToDrain(_ node: NodeIndex) {
        guard nodes[node.position].isUp, nodes[node.position].leavesSince != nil else { return }
        cores[node.position].beginDrain(DrainPolicy(), now: instant(node))
        touch(node)
    }

    private func node(named name: String) -> NodeIndex { topology.nodeIndex(named: name)! }

    private mutating func tellToChange(_ node: NodeIndex) {
        let delay = controller.random.within(plan.changes!.delay)
        let isLost = controller.random.chance(plan.changes!.failures) && isStorming
        schedule(
            .toldToChange(node, generation: isLost ? 0 : controller.desired, life: controller.life),
            after: isStorming ? delay : min(delay, 50 * .millisecond))
    }

    /// - Parameter generation: 0 for a word that never comes.
    mutating func toldToChange(_ node: NodeIndex, _ generation: UInt64, life: UInt64) {
        // What has been told stands, whatever becomes of the controller.
        guard generation > 0 else { return controllerHears(node, "it does not answer") }
        if nodes[node.position].pausedUntil > now, nodes[node.position].isUp, !isFrozen(node) {
            let wait = nodes[node.position].pausedUntil - now
            return schedule(.toldToChange(node, generation: generation, life: life), after: wait)
        }
        if let problem = beginChange(node, to: generation) {
            say("\(name(node)) does not begin with generation \(generation): \(problem)")
            controllerHears(node, problem)
        }
    }

    mutating func controllerHears(_ node: NodeIndex, _ problem: String) {
        guard controller.isUp else { return }
        controller.reconciler.ended(name(node), problem, now: now)
    }

    private mutating func stopForGood(_ node: NodeIndex) {
        guard nodes[node.position].isWanted else { return }
        count(.nodeRemoved)
        nodes[node.position].isWanted = false
        nodes[node.position].leavesSince = nil
        crash(node, downFor: 0)
        nodes[node.position].socket = []
    }

    /// One after the other: by handover where the topology is the same, and as another process where it is not.
    private mutating func goOnRestarting() {
        guard let node = controller.restarting.first else { return }
        if let since = controller.restartingSince {
            let isDone = nodes[node.position].isUp && nodes[node.position].generation == controller.desired
            guard isDone || now > since + 5 * .second else { return }
            controller.restarting.removeFirst()
            controller.restartingSince = nil
            if isDone, !controller.restarting.isEmpty { return goOnRestarting() }
            controller.restarting = []
            controller.reconciler.restartsEnded(succeeded: isDone, generation: controller.desired)
            // An operator looks after it.
            if !isDone { controller.reconciler.tryAgain() }
            return
        }
        controller.restartingSince = now
        guard nodes[node.position].isUp, nodes[node.position].generation < controller.desired else { return }
        count(.restartedForTopology)
        crash(node, downFor: 5 * .millisecond)
    }

    /// What a process that begins is told: the latest topology, or the last one that knew it.
    mutating func takeLatestTopology(_ node: NodeIndex) {
        let former = nodes[node.position].generation
        nodes[node.position].leavesSince = nil
        var generation = controller.desired
        while generation > 1, !versions[Int(generation) - 1].has(node) { generation -= 1 }
        defer {
            // Where a DN may not be any more it is not taken back.
            for position in nodes[node.position].seen.indices where !mayRegister(DNIndex(position), at: node) {
                nodes[node.position].seen[position].acknowledgedUntil = 0
            }
        }
        guard versions[Int(generation) - 1].has(node), generation != former else { return }
        let later = versions[Int(generation) - 1]
        for position in nodes[node.position].seen.indices where isGone(DNIndex(position), at: node, later) {
            nodes[node.position].seen[position] = Seen()
        }
        nodes[node.position].generation = generation
    }

    // MARK: The end

    /// Once more the topology changes, takes nothing away, and nobody notices.
    mutating func changeCalmly() {
        guard failure == nil, let changes = plan.changes, changes.endsCalmly else { return }
        let last = changes.declarations.count - 1
        // It takes nothing away from the one before it, which a shortened script may have left out.
        if declareTopology(last - 1) { settleDown() }
        guard failure == nil else { return }
        say("the topology changes once more, and takes nothing away")
        isChangingCalmly = true
        defer { isChangingCalmly = false }
        declareTopology(last)
        settleDown()
        if failure == nil { count(.changedCalmly) }
    }
}
