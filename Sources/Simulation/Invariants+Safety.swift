import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts

// What must hold after every event, at the nodes that it touched. The numbers are those of the invariants in
// ARCHITECTURE.md.
extension ClusterSimulation {
    mutating func checkSafety(_ node: NodeIndex) {
        guard nodes[node.position].isUp else { return }
        for position in 0..<topology.directory.count {
            let dn = DNIndex(position)
            let record = cores[node.position].inspect(dn)
            let seen = nodes[node.position].seen[position]
            invariantOnlyReachableOwnersAreShown(node, dn, record)
            invariantOwnersHaveWhatTheyServe(node, dn, record)
            if seen.acknowledgedUntil > 0 { invariantAcknowledgedRegistrationsStay(node, dn, record, seen) }
            guard isDifferent(record, seen) else { continue }
            invariantClaimsNeverRegress(node, dn, record, seen)
            invariantLatestRegistrationIsKept(node, dn, record, seen)
            let word = invariantEveryWordWasSaid(node, dn, record, seen)
            if let transition = Transition(from: seen, to: record, at: node, cause) { count(transition) }
            note(node, dn, record, word: word)
        }
    }

    /// What holds when a node has done all that was due.
    mutating func checkTurn(_ node: NodeIndex) {
        guard nodes[node.position].isUp else { return }
        for position in nodes[node.position].seen.indices {
            invariantProvisionalWordsEnd(node, DNIndex(position), nodes[node.position].seen[position])
        }
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
        if record.isProvisional, !seen.isProvisional || seen.stamp != record.stamp {
            nodes[node.position].seen[dn.position].provisionalSince = now
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
        if record.service != .superseded, record.service != .restarted {
            fail(
                "invariantEveryWordWasSaid",
                "\(name(dn)) at \(name(node)): \(name(record.owner)) has not said \(record.service), or not after"
                    + " what the node knew")
        }
        return former
    }

    /// 4. A claim that another than its owner told shows the former owner's word for the link timeout at most.
    private mutating func invariantProvisionalWordsEnd(_ node: NodeIndex, _ dn: DNIndex, _ seen: Seen) {
        guard seen.isProvisional, now > seen.provisionalSince + plan.timing.linkTimeout.nanoseconds else { return }
        fail("invariantProvisionalWordsEnd", "\(name(dn)) at \(name(node)) since \(Self.clock(seen.provisionalSince))")
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

    /// An owner that has taken a registration since does not yield to an older claim that it hears in a sync or from another
    /// than the claimant; on a link that is in step a greater claim is news.
    private mutating func invariantLatestRegistrationIsKept(
        _ node: NodeIndex, _ dn: DNIndex, _ record: DNInspection, _ seen: Seen
    ) {
        guard seen.owner == node, record.owner != node, teller != record.owner,
            record.stamp.milliseconds < seen.registeredAt
        else { return }
        fail(
            "invariantLatestRegistrationIsKept",
            "\(name(node)) took a registration of \(name(dn)) at \(seen.registeredAt) and holds: \(words(record))")
    }

    /// 6. A registration that was acknowledged stays until it expires, is removed or is superseded. (Nothing is stored
    /// yet, so a crash ends it too.)
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
        {
            fail("invariantBoundsHold", "\(name(node)): \(fill)")
        }
    }

    // MARK: Links

    /// What was heard counts once the connection has survived it.
    mutating func settleHearsay() {
        guard let hearsay else { return }
        self.hearsay = nil
        guard let connection = network.connections[hearsay.connection],
            connection.isOpen[connection.side(of: hearsay.node)]
        else { return }
        guard hearsay.peer != .none else { return invariantStrangersStayOut(hearsay) }
        let present = nodes[hearsay.node.position].hearing[hearsay.peer.position]
        let after = hearsay.outcome(now: present)
        if case .hello(let life, _) = hearsay.kind {
            invariantEarlierLivesStayOut(hearsay.node, hearsay.peer, life)
            count(after.isCaughtUp ? .linkWentOn : .linkIntroduced)
        } else if after.isCaughtUp, !present.isCaughtUp, hearsay.kind == .syncEnd {
            count(.linkCaughtUp)
        }
        nodes[hearsay.node.position].hearing[hearsay.peer.position] = after
        if hearsay.kind == .syncEnd, let carried = present.carried {
            invariantSnapshotsAreWhole(hearsay.node, hearsay.peer, carried)
        }
    }

    /// Nobody is let in who does not belong to the cluster, or not any more.
    private mutating func invariantStrangersStayOut(_ hearsay: Hearsay) {
        fail("invariantStrangersStayOut", "\(name(hearsay.node)) keeps a stranger's connection after \(hearsay.kind)")
    }

    /// 2. Who has heard a later life of a peer takes no word of an earlier one.
    private mutating func invariantEarlierLivesStayOut(_ node: NodeIndex, _ peer: NodeIndex, _ life: Incarnation) {
        if life.rawValue < nodes[node.position].heardLives[peer.position] {
            fail("invariantEarlierLivesStayOut", "\(name(node)) took up life \(life.rawValue) of \(name(peer))")
        }
        nodes[node.position].heardLives[peer.position] = life.rawValue
    }

    /// 4. What a snapshot did not carry is not in service any more when it ends.
    private mutating func invariantSnapshotsAreWhole(_ node: NodeIndex, _ peer: NodeIndex, _ carried: UInt64) {
        for position in 0..<topology.directory.count where carried & 1 << UInt64(position) == 0 {
            let record = cores[node.position].inspect(DNIndex(position))
            guard record.owner == peer, record.service.isInService, !record.isProvisional else { continue }
            fail(
                "invariantSnapshotsAreWhole",
                "\(name(DNIndex(position))) of \(name(peer)) at \(name(node)) was not in the snapshot")
        }
    }

    /// The lesser name dials, once at a time, and only where there is no connection.
    mutating func invariantActionsAreLegal(_ node: NodeIndex, dials peer: NodeIndex) {
        if node < peer, !nodes[node.position].dialing.contains(peer),
            cores[node.position].inspect(link: peer).connection == nil
        {
            return
        }
        fail("invariantActionsAreLegal", "\(name(node)) dials \(name(peer))")
    }

    /// Only what is open is closed.
    mutating func invariantActionsAreLegal(_ node: NodeIndex, closes connection: ConnectionID) {
        if network.open[node.position].contains(Int(connection.rawValue)) { return }
        fail("invariantActionsAreLegal", "\(name(node)) closes connection \(connection.rawValue), which is not its own")
    }

    /// 4, 10. Streams begin with a hello, have no gaps, end where they say, and always add up.
    mutating func invariantStreamsAreOrderly(
        _ node: NodeIndex, _ peer: NodeIndex, _ id: Int, _ message: PeerMessage
    ) {
        count(Transition(sent: message))
        let problem = nodes[node.position].streams[peer.position].problem(
            with: message, on: id, from: node, chunk: plan.chunkRecords)
        guard let problem else { return }
        fail("invariantStreamsAreOrderly", "\(name(node)) to \(name(peer)) on \(id): \(problem)")
    }

    // MARK: Clients

    mutating func invariantClientsAreToldInOrder(_ node: NodeIndex, _ client: Int) {
        let model = nodes[node.position].clients[client]
        guard let problem = model.subscriber.problem ?? model.desktop.problem else { return }
        fail("invariantClientsAreToldInOrder", "client \(client) of \(name(node)): \(problem)")
    }

    /// 7. A client that has been told everything knows exactly what the node shows.
    mutating func invariantClientsKnowTheView(_ node: NodeIndex, _ client: Int) {
        let model = nodes[node.position].clients[client]
        for position in 0..<topology.directory.count {
            let dn = DNIndex(position)
            let record = cores[node.position].inspect(dn)
            switch model.kind {
            case .desktop:
                guard let known = model.desktop.services[position] else { continue }
                if known == record.view, !model.desktop.holds[position] || record.isHeld { continue }
                fail(
                    "invariantClientsKnowTheView",
                    "desktop of \(name(node)): \(name(dn)) is \(words(record)), heard \(known)")
            case .monitor(let options):
                guard model.subscriber.isComplete else { continue }
                let heard = model.subscriber.services[position]
                if isRight(heard, record, dn, node, options) { continue }
                fail(
                    "invariantClientsKnowTheView",
                    "client \(client) of \(name(node)): \(name(dn)) is \(words(record)), heard \(heard?.reason ?? (heard == nil ? "nothing" : "in service"))"
                )
            }
        }
    }

    private func isRight(
        _ heard: Service?, _ record: DNInspection, _ dn: DNIndex, _ node: NodeIndex, _ options: MonitorOptions
    ) -> Bool {
        let name = topology.directory.dn(at: dn)
        if !options.ranges.isEmpty, !options.ranges.contains(where: { $0.contains(name) }) { return heard == nil }
        if options.ownedHereOnly, record.owner != node { return heard?.isInService != true }
        return heard == record.view
    }
}
