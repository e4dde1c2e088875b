import ClusterModel
import DNOwnership
import NodeCore

/// A node that goes on under another topology, as far as it is.
struct SimulatedChange {
    enum Phase: Equatable, Sendable {
        /// It serves; then nothing is read any more; then what goes has ended.
        case telling, frozen, retired
    }

    var change: TopologyChange
    let generation: UInt64
    /// Which one of the node's.
    let number: UInt64
    var phase = Phase.telling
    var frozenAt: UInt64 = 0
    /// A turn has ended since.
    var hasSettled = false
}

// Nodes go on under other topologies while they serve; the shell's part of that, as the real one does it.
extension ClusterSimulation {
    /// What a step takes.
    private static let stepTime: UInt64 = 300 * .microsecond
    private var patience: UInt64 { min(.second, shortestTimeout / 2) }

    /// - Returns: why it is not begun.
    mutating func beginChange(_ node: NodeIndex, to generation: UInt64) -> String? {
        guard nodes[node.position].isUp else { return "there is no process" }
        guard nodes[node.position].handover == nil else { return "another process is to take its place" }
        guard nodes[node.position].change == nil else { return "it is going on under another one already" }
        guard nodes[node.position].generation < generation else { return nil }
        guard versions[Int(generation) - 1].has(node) else { return "the topology has no \(name(node))" }
        let identity = cores[node.position].ownership.identity
        var setup = setup(
            of: node, incarnation: identity.incarnation.rawValue, lineage: identity.lineage.rawValue,
            under: generation)
        setup.secret = cores[node.position].secret
        setup.seed = cores[node.position].seed
        if plan.disk != nil { setup.stored = StoredState() }
        nodes[node.position].changeCount += 1
        let number = nodes[node.position].changeCount
        nodes[node.position].change = SimulatedChange(
            change: TopologyChange(of: cores[node.position], to: setup, partSize: 200, now: instant(node)),
            generation: generation, number: number)
        say("\(name(node)) begins to go on under generation \(generation)")
        schedule(.changeGoesOn(node, number: number), after: Self.stepTime)
        return nil
    }

    mutating func goOnWithChange(_ node: NodeIndex, _ number: UInt64) {
        guard nodes[node.position].isUp, let change = nodes[node.position].change, change.number == number else {
            return
        }
        if nodes[node.position].pausedUntil > now, change.phase == .telling {
            // The process does not run.
            let wait = nodes[node.position].pausedUntil - now
            return schedule(.changeGoesOn(node, number: number), after: wait)
        }
        switch change.phase {
        case .telling:
            switch nodes[node.position].change!.change.step(&cores[node.position], now: instant(node)) {
            case .more: break
            case .done: freeze(node, .frozen)
            case .failed(let problem):
                return fail("invariantChangesAreUnderstood", "\(name(node)) cannot read itself: \(problem)")
            }
        case .frozen:
            guard hasEnded(node) else { break }
            retire(node)
            freeze(node, .retired)
        case .retired:
            guard hasEnded(node) else { break }
            return finishChange(node)
        }
        guard nodes[node.position].change != nil else { return }
        schedule(.changeGoesOn(node, number: number), after: Self.stepTime)
    }

    private mutating func freeze(_ node: NodeIndex, _ phase: SimulatedChange.Phase) {
        nodes[node.position].change!.phase = phase
        nodes[node.position].change!.frozenAt = now
        nodes[node.position].change!.hasSettled = false
        // It reads nothing, and what is due waits.
        nodes[node.position].pausedUntil = .max
        touch(node)
    }

    /// Whether what is under way has come to its end: a turn is over, and nobody waits for the disk.
    private mutating func hasEnded(_ node: NodeIndex) -> Bool {
        guard let change = nodes[node.position].change else { return false }
        guard change.hasSettled, !cores[node.position].isWriting else {
            nodes[node.position].change!.hasSettled = true
            touch(node)
            if now > change.frozenAt + patience { endChange(node, "what is under way does not end") }
            return false
        }
        sayControlMessages(node)
        for client in nodes[node.position].clients.indices { readAll(node, client) }
        return failure == nil
    }

    /// What the topology does not have ends, and everybody hears so.
    private mutating func retire(_ node: NodeIndex) {
        guard let change = nodes[node.position].change else { return }
        let later = versions[Int(change.generation) - 1]
        say("\(name(node)) ends what generation \(change.generation) does not have")
        cause = .topology
        if nodes.indices.contains(where: { version(of: node).has(NodeIndex($0)) && !later.has(NodeIndex($0)) }) {
            // What was yielded to a node that goes is forgotten, and who has not heard of the yield yet never will.
            for peer in nodes.indices {
                nodes[node.position].streams[peer].mayAskAnew = true
                nodes[peer].streams[node.position].mayAskAnew = true
            }
        }
        cores[node.position].retire(for: later.topology, now: instant(node))
        for position in nodes[node.position].seen.indices {
            let dn = DNIndex(position)
            dropsWhatOthersHave(dn, at: node, change.generation)
            let owner = nodes[node.position].seen[position].owner
            guard isGone(dn, at: node, later) || (owner != .none && !later.has(owner)) else { continue }
            lookAnew(dn, at: node)
        }
    }

    /// A node that has slept through a DN's introduction may have claimed it since, under the former one: it drops that, and what
    /// others have heard of it does not add up any more. So it is too where the node comes to the DN's next life through a topology
    /// that has none.
    private mutating func dropsWhatOthersHave(_ dn: DNIndex, at node: NodeIndex, _ generation: UInt64) {
        let seen = nodes[node.position].seen[dn.position]
        guard seen.owner == node, isGone(dn, at: node, versions[Int(generation) - 1]),
            versions[(Int(generation) - 1)...].contains(where: { version in
                version.place(of: dn).map { !version.topology.directory.isVoid(seen.stamp, of: $0) } ?? false
            })
        else { return }
        for peer in nodes.indices { nodes[peer].streams[node.position].mayAskAnew = true }
    }

    /// The node's topology does not have the DN, or has another one under its number.
    func isGone(_ dn: DNIndex, at node: NodeIndex, _ later: TopologyVersion) -> Bool {
        guard let place = place(of: dn, at: node) else { return true }
        guard let other = later.place(of: dn) else { return true }
        return version(of: node).topology.directory.block(of: place).introduced
            != later.topology.directory.block(of: other).introduced
    }

    /// What was seen of a DN counts no more.
    private mutating func lookAnew(_ dn: DNIndex, at node: NodeIndex) {
        let record = inspect(dn, at: node)
        var seen = Seen()
        (seen.owner, seen.stamp, seen.service, seen.view) = (record.owner, record.stamp, record.service, record.view)
        seen.isProvisional = record.isProvisional
        seen.provisionalSince = now
        seen.session = record.session
        seen.serviceEndedAt = now
        if record.owner == node {
            ledger.said(record.service, of: dn, by: node, under: record.stamp)
            if let session = record.session { sessionsMade.insert(session.digest) }
        }
        nodes[node.position].seen[dn.position] = seen
        nodes[node.position].belated[dn] = nil
    }

    private mutating func finishChange(_ node: NodeIndex) {
        guard var change = nodes[node.position].change else { return }
        let former = version(of: node)
        let later = versions[Int(change.generation) - 1]
        let gone = nodes[node.position].seen.indices.map { isGone(DNIndex($0), at: node, later) }
        let before = whatIsKept(node, later)
        nodes[node.position].change = nil
        if let problem = change.change.finish(&cores[node.position], now: instant(node)) {
            return fail("invariantChangesAreUnderstood", "\(name(node)) cannot go on under it: \(problem)")
        }
        say("\(name(node)) goes on under generation \(change.generation)")
        count(change.generation > nodes[node.position].generation + 1 ? .changedOverSeveral : .topologyChanged)
        nodes[node.position].generation = change.generation
        nodes[node.position].dialing = []
        nodes[node.position].pausedUntil = now
        lastChange = now
        lookAtGoneDNs(node, gone, former, later)
        let addsDNs = gone.indices.contains { gone[$0] && later.dns[$0] != nil }
        let losesNodes = nodes.indices.contains { former.has(NodeIndex($0)) && !later.has(NodeIndex($0)) }
        if addsDNs { noteWhoIsAsked(node) }
        if addsDNs || losesNodes {
            for peer in nodes.indices { nodes[node.position].streams[peer].mayAskAnew = true }
        }
        invariantTheRestStays(node, before)
        // Which requests have been answered is forgotten of DNs that have gone.
        for position in gone.indices where gone[position] { nodes[node.position].seen[position].answers = [:] }
        forgetGonePeers(node, former, later)
        readOn(node)
        touch(node)
        controllerHears(node, "")
    }

    private mutating func lookAtGoneDNs(
        _ node: NodeIndex, _ gone: [Bool], _ former: TopologyVersion, _ later: TopologyVersion
    ) {
        for position in gone.indices where gone[position] {
            let dn = DNIndex(position)
            let (wasThere, isThere) = (former.place(of: dn) != nil, later.place(of: dn) != nil)
            if wasThere || isThere { count(!wasThere ? .dnAdded : isThere ? .dnReintroduced : .dnRemoved) }
            lookAnew(dn, at: node)
        }
    }

    private mutating func forgetGonePeers(_ node: NodeIndex, _ former: TopologyVersion, _ later: TopologyVersion) {
        for peer in nodes.indices where former.has(NodeIndex(peer)) && !later.has(NodeIndex(peer)) {
            for client in nodes[node.position].clients.indices {
                nodes[node.position].clients[client].links.forget(NodeIndex(peer))
            }
            nodes[node.position].hearing[peer] = Hearing()
            nodes[node.position].heardLives[peer] = 0
            nodes[node.position].streams[peer].forget()
        }
    }

    /// The former topology goes on.
    private mutating func endChange(_ node: NodeIndex, _ problem: String) {
        guard nodes[node.position].change != nil else { return }
        say("\(name(node)) stays under generation \(nodes[node.position].generation): \(problem)")
        count(.topologyRefused)
        forgetChange(node)
        touch(node)
        controllerHears(node, problem)
    }

    /// The process is gone, or does not want to. What nobody has read is in the sockets.
    mutating func forgetChange(_ node: NodeIndex) {
        guard let change = nodes[node.position].change else { return }
        if change.phase != .telling { nodes[node.position].pausedUntil = now }
        nodes[node.position].change = nil
        readOn(node)
    }
}
