import ClusterModel
import DNOwnership
import NodeCore

// What must hold after every event, at the nodes that it touched. The numbers are those of the invariants in
// ARCHITECTURE.md.
extension ClusterSimulation {
    mutating func checkSafety(_ node: NodeIndex) {
        guard nodes[node.position].isUp else { return }
        for position in 0..<topology.directory.count {
            let dn = DNIndex(position)
            guard place(of: dn, at: node) != nil else { continue }
            let record = inspect(dn, at: node)
            let seen = nodes[node.position].seen[position]
            invariantOnlyReachableOwnersAreShown(node, dn, record)
            invariantOwnersHaveWhatTheyServe(node, dn, record)
            invariantVoidClaimsAreNobodys(node, dn, record)
            invariantOwnersAreNodes(node, dn, record)
            if isRollingOut || isChangingCalmly { invariantNothingBlinks(node, dn, record.view) }
            checkAgent(node, dn, record, seen)
            if seen.acknowledgedUntil > 0 { invariantAcknowledgedRegistrationsStay(node, dn, record, seen) }
            guard isDifferent(record, seen) else { continue }
            invariantClaimsNeverRegress(node, dn, record, seen)
            invariantClaimsExceedWhatWasHeard(node, dn, record, seen)
            invariantReasonsAreTrue(node, dn, record, seen)
            invariantLatestRegistrationIsKept(node, dn, record, seen)
            let word = invariantEveryWordWasSaid(node, dn, record, seen)
            if let transition = Transition(from: seen, to: record, at: node, cause) { count(transition) }
            note(node, dn, record, word: word)
        }
        if plan.calls != nil {
            checkCalls(node)
            invariantCapacitiesHold(node)
        }
    }

    /// What holds when a node has done all that was due.
    mutating func checkTurn(_ node: NodeIndex) {
        guard nodes[node.position].isUp else { return }
        checkDeadlines(node, isBegun: false)
        if !nodes[node.position].mustAsk.isEmpty { invariantSkippedDNsAreAskedFor(node) }
        invariantBoundsHold(node)
    }

    private func isDifferent(_ record: DNInspection, _ seen: Seen) -> Bool {
        record.stamp != seen.stamp || record.owner != seen.owner || record.service != seen.service
            || record.view != seen.view || record.isProvisional != seen.isProvisional
    }

    private mutating func note(_ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, word: Int) {
        fold.add(record.stamp.rawValue)
        fold.add(Int(record.view.rawValue) << 32 | dn.position << 16 | node.position)
        say("\(name(node)) holds \(name(dn)): \(words(record))")
        let seen = nodes[node.position].seen[dn.position]
        if plan.calls != nil, seen.owner != record.owner, !nearCalls(of: dn, at: node).isEmpty {
            count(.callMoved)
        }
        if record.isProvisional, !seen.isProvisional || seen.stamp != record.stamp || seen.owner != record.owner {
            nodes[node.position].seen[dn.position].provisionalSince = now
        }
        if seen.view.isInService, !record.view.isInService {
            nodes[node.position].seen[dn.position].serviceEndedAt = now
        }
        nodes[node.position].seen[dn.position].owner = record.owner
        nodes[node.position].seen[dn.position].stamp = record.stamp
        nodes[node.position].seen[dn.position].service = record.service
        nodes[node.position].seen[dn.position].view = record.view
        nodes[node.position].seen[dn.position].isProvisional = record.isProvisional
        nodes[node.position].seen[dn.position].word = word
    }

    /// 2. No view shows a DN in service unless the node owns it or hears its owner.
    private mutating func invariantOnlyReachableOwnersAreShown(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection
    ) {
        guard record.view.isInService, record.owner != node else { return }
        guard record.owner == .none || !nodes[node.position].hearing[record.owner.position].isCaughtUp else { return }
        fail("invariantOnlyReachableOwnersAreShown", "\(name(dn)) of \(name(record.owner)) at \(name(node))")
    }

    /// 3. A node's own DN is in service exactly while it has a binding, a desktop or a desktop's grace, whatever happens
    /// to its links; and nobody serves what another owns.
    private mutating func invariantOwnersHaveWhatTheyServe(_ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection) {
        let isServed = record.hasBindings || record.isHeld
        let isInService = record.owner == node && record.service.isInService
        if isServed == isInService || (isInService && record.isInGrace) { return }
        fail(
            "invariantOwnersHaveWhatTheyServe",
            "\(name(dn)) at \(name(node)): \(words(record))"
        )
    }

    /// 4. What a node knows of a DN of another was said by that owner under that claim, in that order. Exceptions: what
    /// a claim without a word stands for, and a former word that is provisional.
    ///
    /// - Returns: how far in the owner's words the node is now.
    private mutating func invariantEveryWordWasSaid(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen
    ) -> Int {
        if record.owner == node { ledger.said(record.service, of: dn, by: node, under: record.stamp) }
        guard record.owner != node, record.owner != .none else { return -1 }
        let isSameClaim = record.owner == seen.owner && record.stamp == seen.stamp
        if record.isProvisional {
            if record.service != seen.service {
                fail("invariantEveryWordWasSaid", "provisional \(name(dn)): \(words(record))")
            }
            return isSameClaim ? seen.word : -1
        }
        if isSameClaim, record.service == seen.service, !seen.isProvisional { return seen.word }
        let former = isSameClaim ? seen.word : -1
        if let word = ledger.find(record.service, of: dn, by: record.owner, under: record.stamp, from: former) {
            return word
        }
        let hasLapsed =
            !(isSameClaim && seen.isProvisional) || now >= seen.provisionalSince + shortestTimeout
        if record.service == .superseded ? !hasLapsed : record.service != .restarted {
            fail(
                "invariantEveryWordWasSaid",
                "\(name(dn)) at \(name(node)): \(name(record.owner)) has not said \(record.service), or not after"
                    + " what the node knew")
        }
        return former
    }

    /// 5. Claims at a node never regress.
    private mutating func invariantClaimsNeverRegress(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen
    ) {
        let former = Claim(owner: seen.owner, stamp: seen.stamp)
        let present = Claim(owner: record.owner, stamp: record.stamp)
        guard seen.owner != .none, record.owner == .none || present < former else { return }
        fail(
            "invariantClaimsNeverRegress",
            "\(name(dn)) at \(name(node)): \(Words.of(present, topology)) after \(Words.of(former, topology))")
    }

    /// 5. A claim that a request makes exceeds every stamp that the node has heard, or bears the time when the request came, if
    /// nobody heard it then.
    private mutating func invariantClaimsExceedWhatWasHeard(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen
    ) {
        guard record.owner == node, seen.owner != node || seen.stamp != record.stamp,
            cause == .registration || cause == .removal || cause == .desktop,
            record.stamp <= nodes[node.position].heardStamp,
            nodes[node.position].belated[dn]?.contains(record.stamp.milliseconds) != true
        else { return }
        fail(
            "invariantClaimsExceedWhatWasHeard",
            "\(name(dn)) at \(name(node)): \(words(record)), heard \(nodes[node.position].heardStamp)")
    }

    /// 3. An owner's DN leaves service for the reason that it gives.
    private mutating func invariantReasonsAreTrue(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen
    ) {
        guard record.owner == node, seen.owner == node, seen.stamp == record.stamp, seen.service.isInService else {
            return
        }
        let isTrue =
            switch record.service {
            case .unregistered: cause == .removal || cause == .desktop || cause == .commit
            case .expired: dn.position < plan.phoneCount
            case .desktopGone: dn.position >= plan.phoneCount && seen.graceEnds <= now
            case .inService: true
            case .neverRegistered, .flowLost, .ownerUnreachable, .restarted, .draining, .superseded:
                false
            case .notProvisioned: nodes[node.position].change != nil
            }
        if isTrue { return }
        fail("invariantReasonsAreTrue", "\(name(dn)) at \(name(node)): \(words(record))")
    }

    /// An owner that has taken a registration since does not yield to an older claim that it hears in a sync or from another
    /// than the claimant; on a link that is in step a greater claim is news.
    private mutating func invariantLatestRegistrationIsKept(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen
    ) {
        guard seen.owner == node, record.owner != node, record.stamp.milliseconds < seen.registeredAt else { return }
        let isNews =
            teller == record.owner
            && record.stamp > nodes[node.position].streams[record.owner.position].introducedWith
        if isNews { return }
        fail(
            "invariantLatestRegistrationIsKept",
            "\(name(node)) took a registration of \(name(dn)) at \(seen.registeredAt) and holds: \(words(record))")
    }

    /// 6. A registration that was acknowledged stays until it expires, is removed or is superseded; where there
    /// are stores also across crashes.
    private mutating func invariantAcknowledgedRegistrationsStay(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen
    ) {
        let isOver = seen.acknowledgedUntil <= now
        let isSuperseded = record.owner != node && record.stamp >= seen.acknowledgedStamp
        if isOver || isSuperseded {
            nodes[node.position].seen[dn.position].acknowledgedUntil = 0
            return
        }
        if record.owner == node, record.service.isInService, record.hasBindings { return }
        fail("invariantAcknowledgedRegistrationsStay", "\(name(dn)) at \(name(node)): \(words(record))")
    }

    /// 9. Every queue and ring stays within its bound.
    private mutating func invariantBoundsHold(_ node: NodeIndex) {
        let fill = cores[node.position].inspectQueues()
        let dns = topology.directory.count
        let links = fill.links
        if links.control > 3 || links.claimsOwed > dns || links.superseded > dns || links.provisionals > 2 * dns + 1
            || fill.feed > plan.feedCapacity || fill.outbox > plan.outboxCapacity
            || fill.requests > plan.requestsPerPeer || fill.answers > 4 * plan.requestsPerPeer
        {
            fail("invariantBoundsHold", "\(name(node)): \(fill)")
        }
    }
}
