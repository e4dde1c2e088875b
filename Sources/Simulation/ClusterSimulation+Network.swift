import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts

// Connections between nodes: dialled, cut, broken, given up.
extension ClusterSimulation {
    // MARK: Dialling

    mutating func dial(_ node: NodeIndex, _ peer: NodeIndex) {
        invariantActionsAreLegal(node, dials: peer)
        nodes[node.position].dialing.append(peer)
        let life = nodes[node.position].life
        let isCut = network.isCut(node, peer) || network.isCut(peer, node)
        if isCut {
            // Nothing answers: the dial is given up.
            schedule(.dialFailed(dialer: node, peer: peer, life: life), after: .second)
        } else {
            let delay = plan.delay.lowerBound * 2 + mixed(now ^ UInt64(peer.rawValue)) % plan.delay.upperBound
            schedule(.dialDone(dialer: node, peer: peer, life: life), after: delay)
        }
    }

    mutating func dialDone(_ dialer: NodeIndex, _ peer: NodeIndex, life: UInt64) {
        guard nodes[dialer.position].isUp, nodes[dialer.position].life == life,
            nodes[dialer.position].dialing.contains(peer)
        else { return }
        guard nodes[peer.position].isUp, !network.isCut(dialer, peer), !network.isCut(peer, dialer) else {
            return dialFailed(dialer, peer, life: life)
        }
        nodes[dialer.position].dialing.removeAll { $0 == peer }
        connect(dialer, peer)
    }

    /// A connection stands: the dialler's process knows at once, the acceptor's when it runs.
    mutating func connect(_ dialer: NodeIndex, _ peer: NodeIndex) {
        let id = network.connect(dialer, peer)
        say("\(name(dialer)) connects to \(name(peer)): connection \(id)")
        let former = nodes[dialer.position].hearing[peer.position]
        guard let place = place(of: peer, at: dialer) else { return }
        cores[dialer.position].dialed(
            place, connection: ConnectionID(rawValue: UInt64(id)), now: instant(dialer))
        hearsay = Hearsay(node: dialer, peer: peer, connection: id, kind: .connected, message: nil, former: former)
        touch(dialer)
        schedule(.accepted(id), after: 10 * .microsecond)
    }

    mutating func dialFailed(_ dialer: NodeIndex, _ peer: NodeIndex, life: UInt64) {
        guard nodes[dialer.position].isUp, nodes[dialer.position].life == life,
            nodes[dialer.position].dialing.contains(peer)
        else { return }
        nodes[dialer.position].dialing.removeAll { $0 == peer }
        guard let place = place(of: peer, at: dialer) else { return }
        cores[dialer.position].dialFailed(place, now: instant(dialer))
        touch(dialer)
    }

    mutating func accepted(_ id: Int) {
        guard let connection = network.connections[id], connection.isOpen[1] else { return }
        let node = connection.ends[1]
        guard nodes[node.position].isUp else { return network.close(id, side: 1) }
        cores[node.position].accepted(ConnectionID(rawValue: UInt64(id)), now: instant(node))
        touch(node)
    }

    // MARK: Messages

    func tell(_ message: PeerMessage, _ who: @autoclosure () -> String) {
        guard narrator != nil, !isBrief || !Words.isHeartbeat(message) else { return }
        say(who() + Words.of(message, topology))
    }

    mutating func send(_ message: MeshMessage, on id: Int, fromSide side: Int) {
        network.append(message, to: id, fromSide: side)
        let time = network.arrival(id, fromSide: side, now: now, delay: plan.delay)
        schedule(.deliver(id, fromSide: side), after: time - now)
    }

    mutating func deliver(_ id: Int, fromSide side: Int) {
        guard let connection = network.connections[id], connection.isOpen[1 - side] else { return }
        let sender = connection.ends[side]
        let receiver = connection.peer(of: side)
        if network.isCut(sender, receiver) { return network.stall(id, fromSide: side) }
        let wasFull = connection.inFlight[side].count >= plan.connectionCapacity
        guard let message = takeFirst(id, side) else { return }
        fold.add(id &* 2 &+ side)
        if nodes[receiver.position].isUp {
            switch message {
            case .link(let message): deliver(message, to: receiver, from: sender, on: id)
            case .proxy(let message): deliver(message, to: receiver, from: sender, on: id)
            case .sip(let bytes):
                fold.add(bytes.count)
                sayInDetail("\(name(receiver)) hears on \(id): \(Words.firstLine(of: bytes))")
                cores[receiver.position].receivedSIP(
                    bytes.span, from: ConnectionID(rawValue: UInt64(id)), now: instant(receiver))
            case .capacity(let word):
                fold.add(Words.digest(of: word))
                cores[receiver.position].received(
                    word, from: ConnectionID(rawValue: UInt64(id)), now: instant(receiver))
            case .calls(let message):
                fold.add(Words.digest(of: message))
                sayInDetail("\(name(receiver)) hears on \(id): \(Words.of(message))")
                cores[receiver.position].received(
                    message, from: ConnectionID(rawValue: UInt64(id)), now: instant(receiver))
            }
            touch(receiver)
        }
        if wasFull, sender != .none {
            // There is room again: the sender may go on.
            if nodes[sender.position].pausedUntil > now {
                schedule(.resume(sender), after: nodes[sender.position].pausedUntil - now)
            } else {
                touch(sender)
            }
        }
    }

    private mutating func deliver(
        _ message: PeerMessage, to receiver: NodeIndex, from sender: NodeIndex, on id: Int
    ) {
        fold.add(Words.digest(of: message))
        cause = Cause(message)
        if case .snapshotRequest = message, sender != .none {
            nodes[receiver.position].streams[sender.position].mayBeginAnew = true
        }
        let former = sender == .none ? Hearing() : nodes[receiver.position].hearing[sender.position]
        if former.isInStep, former.connection == id { teller = sender }
        tell(message, "\(name(receiver)) hears on \(id): ")
        cores[receiver.position].received(
            heard(message, by: receiver), from: ConnectionID(rawValue: UInt64(id)), now: instant(receiver))
        hearsay = Hearsay(
            node: receiver, peer: sender, connection: id, kind: .init(message, topology.directory), message: message,
            former: former)
    }

    private mutating func deliver(
        _ message: ProxyMessage, to receiver: NodeIndex, from sender: NodeIndex, on id: Int
    ) {
        fold.add(Words.digest(of: message))
        sayInDetail("\(name(receiver)) hears on \(id): \(Words.of(message))")
        cause = .other
        count(Transition(message))
        judge(message, at: receiver)
        cores[receiver.position].received(
            message, from: ConnectionID(rawValue: UInt64(id)), now: instant(receiver))
        invariantAnswersFollowChanges(message, at: receiver, from: sender, on: id)
    }

    private mutating func takeFirst(_ id: Int, _ side: Int) -> MeshMessage? {
        if injection == .streamsReordered, mixed(now) % 4 == 0 { network.swapFirst(id, fromSide: side) }
        return network.takeFirst(id, fromSide: side)
    }

    /// The cut between two nodes has healed, or all have: what waited goes on, and who went is found out.
    mutating func resume(_ id: Int) {
        guard let connection = network.connections[id] else { return }
        for side in 0...1 where !network.isCut(connection.ends[side], connection.peer(of: side)) {
            for _ in 0..<network.takeStalled(id, fromSide: side) {
                let time = network.arrival(id, fromSide: side, now: now, delay: plan.delay)
                schedule(.deliver(id, fromSide: side), after: time - now)
            }
            if !connection.isOpen[side], connection.isOpen[1 - side], !connection.isEndKnown[1 - side] {
                announceEnd(id, fromSide: side)
            }
        }
    }

    mutating func cut(_ from: NodeIndex, _ to: NodeIndex) {
        say("\(name(to)) hears nothing of \(name(from)) any more")
        network.cut(from, to)
    }

    mutating func heal(_ from: NodeIndex, _ to: NodeIndex) {
        network.heal(from, to)
        guard !network.isCut(from, to) else { return }
        say("\(name(to)) can hear \(name(from)) again")
        for id in network.between(from, to) { resume(id) }
    }

    // MARK: Ends

    /// A process closes its end, or dies.
    ///
    /// - Parameter isReset: what it had sent is lost on its way.
    mutating func leave(_ id: Int, side: Int, isReset: Bool) {
        guard let connection = network.connections[id], connection.isOpen[side] else { return }
        let node = connection.ends[side]
        let peer = connection.peer(of: side)
        if node != .none, peer != .none { nodes[node.position].hearing[peer.position].ended(id) }
        if isReset { network.lose(id, fromSide: side) }
        network.close(id, side: side)
        // Across a cut the other end hears nothing; its own silence tells it.
        guard network.connections[id] != nil, !network.isCut(node, peer) else { return }
        announceEnd(id, fromSide: side)
    }

    private mutating func announceEnd(_ id: Int, fromSide side: Int) {
        network.knowsEnd(id, side: 1 - side)
        let time = network.arrival(id, fromSide: side, now: now, delay: plan.delay)
        schedule(.closed(id, side: 1 - side), after: time - now)
    }

    mutating func closed(_ id: Int, side: Int) {
        guard let connection = network.connections[id], connection.isOpen[side] else { return }
        let node = connection.ends[side]
        network.close(id, side: side)
        guard node != .none, nodes[node.position].isUp else { return }
        say("\(name(node)) hears that connection \(id) is closed")
        invariantCalmChangesLoseNoLink(node, id)
        cause = .link
        let peer = connection.peer(of: side)
        if peer != .none { nodes[node.position].hearing[peer.position].ended(id) }
        cores[node.position].disconnected(ConnectionID(rawValue: UInt64(id)), now: instant(node))
        touch(node)
    }

    /// The host, not the process, ends a connection: a reset, an idle timer of something in between.
    mutating func abandon(_ id: Int, side: Int) {
        network.lose(id, fromSide: 0)
        network.lose(id, fromSide: 1)
        closed(id, side: side)
    }
}
