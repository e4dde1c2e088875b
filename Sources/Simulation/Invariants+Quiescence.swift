import ClusterModel
import DNOwnership
import NodeCore

// What must hold once all faults are over and nothing is on its way any more.
extension ClusterSimulation {
    /// What keeps the cluster from being at rest, in words; nil when nothing does.
    mutating func whatIsUnfinished() -> String? {
        if let unfinished = whatIsUnfinishedOfChanges() { return unfinished }
        let present = present
        for node in present {
            guard nodes[node].isUp else { return "\(name(NodeIndex(node))) is down" }
            if cores[node].inspectHasMoreToWrite() || !disks[node].isIdle {
                return "\(name(NodeIndex(node))) has more to write down"
            }
            guard nodes[node].pausedUntil <= now else { return "\(name(NodeIndex(node))) does not run" }
            for peer in present where peer != node && !isCut(node, peer) {
                let link = link(of: NodeIndex(node), to: NodeIndex(peer))
                if link.state != .live {
                    return "\(name(NodeIndex(node)))'s link to \(name(NodeIndex(peer))) is \(link.state.rawValue)"
                }
                if link.hasMore {
                    return "\(name(NodeIndex(node))) has more to say to \(name(NodeIndex(peer)))"
                }
                if plan.calls != nil, let place = place(of: NodeIndex(peer), at: NodeIndex(node)),
                    cores[node].inspectHasMoreBesides(for: place)
                {
                    return "\(name(NodeIndex(node))) has more to say to \(name(NodeIndex(peer))) of clients and calls"
                }
            }
            if let client = nodes[node].clients.firstIndex(where: { $0.id == nil || $0.isReadPlanned }) {
                return "client \(client) of \(name(NodeIndex(node))) has not heard everything"
            }
            for position in 0..<topology.directory.count where nodes[node].seen[position].isProvisional {
                return "\(name(DNIndex(position))) is provisional at \(name(NodeIndex(node)))"
            }
        }
        if let unfinished = whatIsUnfinishedOfCalls() { return unfinished }
        if let useless = uselessConnection() { return useless }
        for (id, connection) in network.connections.enumerated() {
            guard let connection else { continue }
            for side in 0...1 where connection.isOpen[1 - side] {
                if connection.inFlight[side].contains(where: { $0.isWorkUnderWay }) {
                    return "connection \(id) has something on its way"
                }
            }
        }
        return nil
    }

    mutating func checkQuiescence() {
        invariantConverges()
        for position in 0..<topology.directory.count {
            invariantAgreement(DNIndex(position))
            invariantLatestRegistrationWins(DNIndex(position))
            invariantHoldersAreDesktops(DNIndex(position))
        }
        for node in present {
            for client in nodes[node].clients.indices { invariantClientsKnowTheView(NodeIndex(node), client) }
        }
        checkAgentsAtRest()
        checkCallsAtRest()
        invariantRequestsAreAnswered()
        invariantConvergenceIsCheap()
    }

    /// 3. A DN is held exactly while a desktop holds it.
    private mutating func invariantHoldersAreDesktops(_ dn: DNIndex) {
        for node in present {
            let holds = nodes[node].clients.contains { $0.desktop.holds[dn.position] }
            if inspect(dn, at: NodeIndex(node)).isHeld == holds { continue }
            fail(
                "invariantHoldersAreDesktops",
                "\(name(dn)) at \(name(NodeIndex(node))): \(words(inspect(dn, at: NodeIndex(node))))")
        }
    }

    /// A node keeps one connection to each peer, and gives up what it has no use for.
    private mutating func uselessConnection() -> String? {
        for node in nodes.indices {
            for id in network.open[node] {
                guard let connection = network.connections[id] else { continue }
                let peer = connection.peer(of: connection.side(of: NodeIndex(node)))
                if peer != .none {
                    if isCut(node, peer.position) { continue }
                    if link(of: NodeIndex(node), to: peer).connection?.rawValue == UInt64(id) { continue }
                }
                return "\(name(NodeIndex(node))) keeps connection \(id), which is of no use"
            }
        }
        return nil
    }

    /// 10. Once faults stop, everything converges.
    private mutating func invariantConverges() {
        guard let unfinished = whatIsUnfinished() else { return }
        fail("invariantConverges", unfinished)
    }

    private func isCut(_ first: Int, _ second: Int) -> Bool {
        network.isCut(NodeIndex(first), NodeIndex(second)) || network.isCut(NodeIndex(second), NodeIndex(first))
    }

    private func hears(_ owner: NodeIndex, at node: Int) -> Bool {
        owner == .none || owner.position == node || !isCut(node, owner.position)
    }

    /// 1. Nodes joined by live links agree on owner, stamp and service of every DN. One that cannot hear the owner may
    /// know less, but never takes itself for the owner.
    private mutating func invariantAgreement(_ dn: DNIndex) {
        let present = present
        for (place, node) in present.enumerated() {
            for peer in present[(place + 1)...] where !isCut(node, peer) {
                let first = inspect(dn, at: NodeIndex(node))
                let second = inspect(dn, at: NodeIndex(peer))
                let isFirstGreater =
                    Claim(owner: first.owner, stamp: first.stamp) > Claim(owner: second.owner, stamp: second.stamp)
                let (greater, lesser) = isFirstGreater ? (first, second) : (second, first)
                let (knowing, other) = isFirstGreater ? (node, peer) : (peer, node)
                if !hears(greater.owner, at: knowing) || !hears(greater.owner, at: other) {
                    if lesser.owner.position != other || greater.owner == lesser.owner { continue }
                } else if greater.owner == lesser.owner, greater.stamp == lesser.stamp, greater.view == lesser.view,
                    greater.session == lesser.session, greater.occupancy == lesser.occupancy,
                    greater.calls == lesser.calls
                {
                    continue
                }
                fail(
                    "invariantAgreement",
                    "\(name(dn)): \(name(NodeIndex(node))) holds: \(words(first)); \(name(NodeIndex(peer))): \(words(second))"
                )
            }
        }
    }

    /// Concurrent claims are settled by the latest registration. Judged only where no clock was wrong and no node lost its
    /// memory, and not between registrations that crossed each other on the way.
    private mutating func invariantLatestRegistrationWins(_ dn: DNIndex) {
        guard plan.judgesLatestRegistration, isUntouched(dn) else { return }
        let margin = longestTimeout + 2 * .second
        guard let node = ledger.latestRegistrar(of: dn, margin: margin) else { return }
        let owner = inspect(dn, at: node).owner
        if owner == node { return }
        fail(
            "invariantLatestRegistrationWins",
            "\(name(dn)) was registered last at \(name(node)), which holds \(name(owner)) for its owner")
    }

    /// 10. With a bounded number of messages. (That a node says everything anew only where its ring no longer holds what it
    /// has not told is a rule of the stream.) Not judged where calls go on, as they are told.
    private mutating func invariantConvergenceIsCheap() {
        guard plan.calls == nil, plan.changes == nil else { return }
        let dns = topology.directory.count
        let pieces = dns / plan.chunkRecords + 3
        for node in present {
            for peer in present where peer != node {
                let stream = nodes[node].streams[peer]
                // Each side may tell a DN anew for every snapshot of the other's that names it, and tiny rings begin many.
                if stream.messages <= (stream.snapshots + 1) * pieces + 8 * dns + 10 { continue }
                fail(
                    "invariantConvergenceIsCheap",
                    "\(name(NodeIndex(node))) to \(name(NodeIndex(peer))): \(stream.snapshots) snapshots,"
                        + " \(stream.messages) messages")
            }
        }
    }
}
