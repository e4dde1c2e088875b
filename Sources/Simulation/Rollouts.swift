import ClusterModel
import DNOwnership
import NodeCore
import Orchestration

// When all is well again, all nodes are restarted one after the other by the machine that a controller has, and nobody notices.
extension ClusterSimulation {
    private static let lookInterval: UInt64 = 20 * .millisecond
    /// How often a rollout that has stopped is told to go on: a disk may be too slow for a moment.
    private static let patience = 8

    mutating func rollOut() {
        guard failure == nil, plan.handoverGap != nil else { return }
        say("all nodes are restarted, one after the other")
        var policy = RolloutPolicy()
        policy.minHealthy = .milliseconds(50)
        policy.deadline = .seconds(30)
        var rollout = RolloutMachine(
            number: 1, policy: policy,
            members: present.map { topology.nodes[$0] }.map {
                RolloutMachine.Member(name: $0.name, dataCenter: topology.dataCenters[$0.dataCenter].name)
            })
        isRollingOut = true
        defer { isRollingOut = false }
        let deadline = now + 120 * .second
        var (resumed, restarting) = (0, [NodeIndex]())
        while failure == nil, !rollout.phase.isOver, now < deadline {
            for action in rollout.observed(present.map { status(NodeIndex($0)) }, now: now) {
                guard case .restart(let name) = action, let node = topology.nodeIndex(named: name) else { continue }
                beginHandover(node, nil)
                restarting.append(node)
                invariantFewAreAway(restarting, policy)
            }
            run(until: now + Self.lookInterval)
            for node in restarting where nodes[node.position].handover == nil {
                restarting.removeAll { $0 == node }
                if cores[node.position].ownership.identity.incarnation.rawValue == nodes[node.position].incarnation {
                    rollout.restarted(name(node), Takeover(), now: now)
                } else {
                    _ = rollout.failed(name(node), "there was no handover", logLines: [], now: now)
                }
            }
            if rollout.phase == .failed, resumed < Self.patience {
                resumed += 1
                _ = rollout.resume()
            }
        }
        guard failure == nil else { return }
        guard rollout.phase == .finished else {
            return fail(
                "invariantRolloutsEnd",
                "after all faults a rollout is \(rollout.phase.word): \(rollout.summary.sentence)")
        }
        count(.rolledOut)
    }

    private func status(_ node: NodeIndex) -> NodeStatus {
        var status = NodeStatus(name: name(node))
        status.dataCenter = topology.dataCenters[topology.nodes[node.position].dataCenter].name
        status.state = nodes[node.position].isUp ? .ready : .starting
        let ownership = cores[node.position].ownership
        status.incarnation = ownership.identity.incarnation.rawValue
        var report = NodeReport()
        report.links = present.filter { $0 != node.position }.compactMap { peer in
            place(of: NodeIndex(peer), at: node).map {
                LinkStatus(peer: name(NodeIndex(peer)), state: ownership.state(of: $0).rawValue)
            }
        }
        status.report = report
        return status
    }

    /// No more of a data center are away than there may be.
    private mutating func invariantFewAreAway(_ restarting: [NodeIndex], _ policy: RolloutPolicy) {
        let places = restarting.map { topology.nodes[$0.position].dataCenter }
        guard places.contains(where: { place in places.count { $0 == place } > policy.maxUnavailable }) else { return }
        fail("invariantFewAreAway", "\(restarting.map { name($0) }) are restarted together")
    }

    /// In a planned restart nobody loses sight of anybody.
    mutating func invariantNothingBlinks(_ node: NodeIndex, _ dn: DNIndex, _ view: Service) {
        guard isRollingOut || isChangingCalmly, view == .ownerUnreachable else { return }
        fail(
            "invariantNothingBlinks",
            "\(name(node)) does not see \(name(dn)) while \(isRollingOut ? "nodes are restarted" : "the topology changes")"
        )
    }
}
