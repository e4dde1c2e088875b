import ClusterModel
import NodeCore

// What must be noticed in time. Judged when a node's turn begins, unless its process did not run, and when it ends.
extension ClusterSimulation {
    /// - Parameter isBegun: the turn goes on, and what was due since the process ran last may not have been done.
    mutating func checkDeadlines(_ node: NodeIndex, isBegun: Bool) {
        guard nodes[node.position].isUp else { return }
        let awake = isBegun ? nodes[node.position].pausedUntil : 0
        for peer in nodes.indices { invariantLossesAreNoticed(node, NodeIndex(peer), awake) }
        for position in nodes[node.position].seen.indices {
            let seen = nodes[node.position].seen[position]
            invariantProvisionalWordsEnd(node, DNIndex(position), seen, awake)
            if seen.graceEnds > 0 { invariantGracesEnd(node, DNIndex(position), seen, awake) }
        }
    }

    /// Something was due, the process ran, and it was not done.
    private func isMissed(_ due: UInt64, awake: UInt64) -> Bool { due < now && awake <= due }

    /// 2. A peer that is silent for the link timeout is lost, and a resync takes twice that at most.
    private mutating func invariantLossesAreNoticed(_ node: NodeIndex, _ peer: NodeIndex, _ awake: UInt64) {
        let hearing = nodes[node.position].hearing[peer.position]
        let timeout = longestTimeout
        guard hearing.isCaughtUp else { return }
        if isMissed(hearing.heardAt + timeout, awake: awake) {
            fail(
                "invariantLossesAreNoticed",
                "\(name(node)) has heard nothing of \(name(peer)) since \(Self.clock(hearing.heardAt - Self.origin))")
        }
        if let since = hearing.resyncSince, isMissed(since + 2 * timeout, awake: awake) {
            fail(
                "invariantLossesAreNoticed",
                "\(name(node)) has been catching up with \(name(peer)) since \(Self.clock(since - Self.origin))")
        }
    }

    /// 4. A claim that another than its owner told shows the former owner's word for the link timeout at most.
    private mutating func invariantProvisionalWordsEnd(
        _ node: NodeIndex, _ dn: DNIndex, _ seen: Seen, _ awake: UInt64
    ) {
        let due = seen.provisionalSince + longestTimeout
        guard seen.isProvisional, isMissed(due, awake: awake) else { return }
        let since = Self.clock(seen.provisionalSince - Self.origin)
        fail("invariantProvisionalWordsEnd", "\(name(dn)) at \(name(node)) since \(since)")
    }

    /// 3. A DN whose last desktop has gone waits for another one for the grace, and no longer.
    private mutating func invariantGracesEnd(_ node: NodeIndex, _ dn: DNIndex, _ seen: Seen, _ awake: UInt64) {
        guard isMissed(seen.graceEnds, awake: awake), inspect(dn, at: node).isInGrace else { return }
        let end = Self.clock(seen.graceEnds - Self.origin)
        fail("invariantGracesEnd", "\(name(dn)) at \(name(node)) is in a grace that ended at \(end)")
    }
}
