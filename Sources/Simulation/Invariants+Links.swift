import ClusterModel
import DNOwnership
import NodeCore

// What must hold of links after every event: who is let in, who is heard, and what becomes of what is heard.
extension ClusterSimulation {
    /// What was heard counts once the connection has survived it.
    mutating func settleHearsay() {
        guard let hearsay else { return }
        self.hearsay = nil
        guard let connection = network.connections[hearsay.connection],
            connection.isOpen[connection.side(of: hearsay.node)]
        else { return }
        guard hearsay.peer != .none else { return invariantStrangersStayOut(hearsay) }
        let present = nodes[hearsay.node.position].hearing[hearsay.peer.position]
        var after = hearsay.outcome(after: present, now: now)
        if hearsay.kind == .syncEnd, !present.isCaughtUp, mayStartAnew(hearsay) { after.isCaughtUp = false }
        if case .hello(let life, _) = hearsay.kind {
            if lacksWhatItAskedFor(hearsay) { (after.isCaughtUp, after.resyncSince) = (false, nil) }
            invariantEarlierLivesStayOut(hearsay.node, hearsay.peer, life)
            count(after.isCaughtUp ? .linkWentOn : .linkIntroduced)
        } else if after.isCaughtUp, !present.isCaughtUp, hearsay.kind == .syncEnd {
            count(.linkCaughtUp)
        }
        nodes[hearsay.node.position].hearing[hearsay.peer.position] = after
        if hearsay.kind == .syncEnd, let carried = present.carried {
            invariantSnapshotsAreWhole(hearsay.node, hearsay.peer, carried)
        }
        if let message = hearsay.message {
            note(message, hearsay.node)
            noteSkipped(message, hearsay.node, hearsay.peer)
        }
        if after.isCaughtUp { invariantWhoIsHeardIsShown(hearsay.node, hearsay.peer) }
        if hearsay.former.isInStep, hearsay.former.connection == hearsay.connection { invariantNewsIsTaken(hearsay) }
    }

    /// What was resumed does not add up, as the topology has changed meanwhile: all is told anew.
    private mutating func mayStartAnew(_ hearsay: Hearsay) -> Bool {
        let node = nodes[hearsay.node.position]
        let mayAsk = node.streams[hearsay.peer.position].mayAskAnew || node.hasAsked.contains(hearsay.peer.position)
        return mayAsk && link(of: hearsay.node, to: hearsay.peer).state != .live
    }

    /// A newer connection has taken the older one's place before a snapshot came that was asked for: nothing goes on, as where one was
    /// cut short.
    private mutating func lacksWhatItAskedFor(_ hearsay: Hearsay) -> Bool {
        nodes[hearsay.node.position].hasAsked.contains(hearsay.peer.position)
            && link(of: hearsay.node, to: hearsay.peer).state != .live
    }

    /// The stamps in a message that a node has taken.
    private mutating func note(_ message: PeerMessage, _ node: NodeIndex) {
        var stamps: [Stamp] = []
        switch message {
        case .hello(let hello):
            invariantWrongClocksStayOut(node, hello)
            stamps = [hello.greatestStamp]
        case .records(let batch): stamps = batch.owned.map(\.stamp) + batch.yielded.map(\.claim.stamp)
        case .claims(let claims): stamps = claims.map(\.claim.stamp)
        case .syncBegin, .syncEnd, .snapshotRequest, .ping, .pong: break
        }
        for stamp in stamps { nodes[node.position].heardStamp = max(nodes[node.position].heardStamp, stamp) }
    }

    /// 5. One wrong clock drags no other along.
    private mutating func invariantWrongClocksStayOut(_ node: NodeIndex, _ hello: Hello) {
        guard hello.greatestStamp.milliseconds > instant(node).wallMilliseconds + 60_000 else { return }
        fail("invariantWrongClocksStayOut", "\(name(node)) lets in \(hello.node) with stamp \(hello.greatestStamp)")
    }

    /// 2. The DNs of a peer that is heard are shown as it says, also while a newer connection takes the older one's place.
    private mutating func invariantWhoIsHeardIsShown(_ node: NodeIndex, _ peer: NodeIndex) {
        let state = link(of: node, to: peer).state
        if state == .live { return }
        fail("invariantWhoIsHeardIsShown", "\(name(node)) hears \(name(peer)), and the link is \(state.rawValue)")
    }

    /// A greater claim that its owner tells on a link that is in step is adopted, whatever the clocks say. Who has asked for all anew,
    /// or is about to, takes it then.
    private mutating func invariantNewsIsTaken(_ hearsay: Hearsay) {
        guard case .records(let batch) = hearsay.message,
            !nodes[hearsay.node.position].hasAsked.contains(hearsay.peer.position),
            !nodes[hearsay.node.position].mustAsk.contains(hearsay.peer.position)
        else { return }
        for owned in batch.owned {
            guard let dn = topology.directory.index(of: owned.dn) else { continue }
            guard let place = place(of: dn, at: hearsay.node),
                !cores[hearsay.node.position].topology.directory.isVoid(owned.stamp, of: place)
            else { continue }
            let seen = nodes[hearsay.node.position].seen[dn.position]
            let claim = Claim(owner: hearsay.peer, stamp: owned.stamp)
            // The peer claims again with a registration of before the two met.
            if owned.stamp <= nodes[hearsay.node.position].streams[hearsay.peer.position].introducedWith { continue }
            let record = inspect(dn, at: hearsay.node)
            guard seen.owner == .none || Claim(owner: seen.owner, stamp: seen.stamp) < claim,
                Claim(owner: record.owner, stamp: record.stamp) != claim
            else { continue }
            fail(
                "invariantNewsIsTaken",
                "\(name(hearsay.node)) is told \(name(dn)) of \(Words.of(claim, topology)) and holds: \(words(record))")
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
            let record = inspect(DNIndex(position), at: node)
            guard record.owner == peer, record.service.isInService, !record.isProvisional else { continue }
            fail(
                "invariantSnapshotsAreWhole",
                "\(name(DNIndex(position))) of \(name(peer)) at \(name(node)) was not in the snapshot")
        }
    }

    /// The lesser name dials, once at a time, and only where there is no connection.
    mutating func invariantActionsAreLegal(_ node: NodeIndex, dials peer: NodeIndex) {
        if node < peer, !nodes[node.position].dialing.contains(peer),
            link(of: node, to: peer).connection == nil
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
        if case .snapshotRequest = message {
            nodes[node.position].mustAsk.remove(peer.position)
            nodes[node.position].hasAsked.insert(peer.position)
        }
        let problem = nodes[node.position].streams[peer.position].problem(
            with: message, on: id, from: node, chunk: plan.chunkRecords, ring: plan.ringCapacity)
        guard let problem else { return }
        fail("invariantStreamsAreOrderly", "\(name(node)) to \(name(peer)) on \(id): \(problem)")
    }
}
