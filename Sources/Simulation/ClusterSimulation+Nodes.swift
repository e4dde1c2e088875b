import CallControl
import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts

// Processes: started, killed, stopped, slow. And the shell around the machines, as the real one works: carry out the
// actions, pull what there is to say, come again when the next deadline is due.
extension ClusterSimulation {
    mutating func start(_ node: NodeIndex) {
        guard !nodes[node.position].isUp, nodes[node.position].isWanted else { return }
        nodes[node.position].incarnation += 1
        takeLatestTopology(node)
        nodes[node.position].life = nodes[node.position].incarnation
        say("\(name(node)) starts its life \(nodes[node.position].life)")
        cores[node.position] = newCore(node, life: nodes[node.position].life)
        redemptions = redemptions.filter { $0.value.node != node }
        heldCalls[node.position] = [:]
        nodes[node.position].isUp = true
        nodes[node.position].pausedUntil = 0
        nodes[node.position].tickPlanned = .max
        nodes[node.position].dialing = []
        nodes[node.position].heardStamp = .zero
        nodes[node.position].skipped = []
        nodes[node.position].mustAsk = []
        nodes[node.position].hasAsked = []
        remember(node)
        for position in nodes.indices {
            nodes[node.position].hearing[position] = Hearing()
            nodes[node.position].streams[position].forget()
            nodes[node.position].heardLives[position] = 0
        }
        for client in nodes[node.position].clients.indices {
            schedule(.connectClient(node, client: client), after: UInt64(1 + client * 7) * .millisecond)
        }
        if nodes[node.position].isWithoutPower {
            nodes[node.position].isWithoutPower = false
            nodes[node.position].hostBegan = now
        }
        for event in nodes[node.position].socket { schedule(event, after: 0) }
        nodes[node.position].socket = []
        touch(node)
    }

    mutating func crash(_ node: NodeIndex, downFor time: UInt64) {
        guard nodes[node.position].isUp else { return }
        nodes[node.position].isUp = false
        forgetHandover(node)
        forgetChange(node)
        diskLosesProcess(node)
        for id in network.open[node.position] {
            guard let connection = network.connections[id] else { continue }
            // What had been handed to the kernel may still arrive, or be lost with a reset.
            leave(id, side: connection.side(of: node), isReset: (id + Int(now / .microsecond)) % 2 == 0)
        }
        for client in nodes[node.position].clients.indices {
            let wasConnected = nodes[node.position].clients[client].id != nil
            nodes[node.position].clients[client].connectionEnded()
            if wasConnected { lostConnection(to: node, nodes[node.position].clients[client].kind) }
        }
        schedule(.start(node), after: time)
    }

    mutating func tick(_ node: NodeIndex, life: UInt64) {
        guard nodes[node.position].life == life else { return }
        nodes[node.position].tickPlanned = .max
        cause = .clock
        touch(node)
    }

    /// What the real loop does at the end of a turn.
    mutating func settle(_ node: NodeIndex) {
        guard nodes[node.position].isUp else { return }
        let instant = instant(node)
        cores[node.position].tick(now: instant)
        act(node)
        pull(node, instant)
        for client in cores[node.position].takeReadyClients() { planReading(node, client) }
        act(node)
        writeStore(node)
        if nodes[node.position].lag > 0 { stop(node, for: nodes[node.position].lag) }
        let deadline = cores[node.position].inspectDeadline()
        if deadline <= now { fail("invariantDeadlinesAreAhead", "\(name(node)) asks to be called at once, for ever") }
        if deadline < nodes[node.position].tickPlanned {
            nodes[node.position].tickPlanned = deadline
            schedule(.tick(node, life: nodes[node.position].life), after: deadline - now)
        }
    }

    /// Carries out what the machines want done.
    mutating func act(_ node: NodeIndex) {
        guard nodes[node.position].isUp else { return }
        takeRedemptions(node)
        for action in cores[node.position].takeActions() {
            switch action {
            case .dial(let peer):
                dial(node, whole(peer, at: node))
            case .closeConnection(let connection, let problem):
                say("\(name(node)) closes connection \(connection.rawValue): \(problem.sentence)")
                count(Transition(problem))
                invariantCalmChangesLoseNoLink(node, Int(connection.rawValue))
                invariantActionsAreLegal(node, closes: connection)
                leave(Int(connection.rawValue), side: side(of: node, Int(connection.rawValue)), isReset: false)
            case .closeClient(let id, let problem):
                cutOff(node, id, problem)
            case .closeFlow: break  // Phones here have no streams.
            case .send(let bytes, let target): transmit(bytes, from: node, to: target.address)
            }
        }
    }

    private func side(of node: NodeIndex, _ id: Int) -> Int {
        network.connections[id]?.side(of: node) ?? 0
    }

    private mutating func pull(_ node: NodeIndex, _ instant: Instant) {
        for id in network.open[node.position] {
            guard let connection = network.connections[id] else { continue }
            let side = connection.side(of: node)
            let peer = connection.peer(of: side)
            guard peer != .none, let place = place(of: peer, at: node),
                link(of: node, to: peer).connection?.rawValue == UInt64(id)
            else { continue }
            var room = plan.connectionCapacity - connection.inFlight[side].count
            pullSIP(node, place, id, side, &room)
            while room > 0, let words = cores[node.position].nextPeerMessage(for: place, now: instant) {
                room -= 1
                let message = said(words, by: node)
                tell(message, "\(name(node)) → \(name(peer)) on \(id): ")
                invariantStreamsAreOrderly(node, peer, id, message)
                send(.link(message), on: id, fromSide: side)
            }
            while room > 0, let message = cores[node.position].nextProxyMessage(for: place) {
                room -= 1
                sayInDetail("\(name(node)) → \(name(peer)) on \(id): \(Words.of(message))")
                send(.proxy(message), on: id, fromSide: side)
            }
            while room > 0, let word = cores[node.position].nextCapacityWord(for: place) {
                room -= 1
                count(.capacityTold)
                sayInDetail("\(name(node)) → \(name(peer)) on \(id): \(Words.of(word))")
                send(.capacity(word), on: id, fromSide: side)
            }
            while room > 0, let message = cores[node.position].nextCallMessage(for: place) {
                room -= 1
                count(message == .recounted ? .callsRecounted : .callsReported)
                sayInDetail("\(name(node)) → \(name(peer)) on \(id): \(Words.of(message))")
                send(.calls(message), on: id, fromSide: side)
            }
        }
    }

    /// Calls wait for nothing, but the link's own messages have half of the room. REGISTERs are lost here, as they are when a link
    /// breaks: what phones and owners say of registrations is another story.
    private mutating func pullSIP(
        _ node: NodeIndex, _ place: NodeIndex, _ id: Int, _ side: Int, _ room: inout Int
    ) {
        while plan.calls == nil || room > plan.connectionCapacity / 2,
            let bytes = cores[node.position].nextSIPMessage(for: place)
        {
            guard plan.calls != nil, !bytes.starts(with: "REGISTER ".utf8) else { continue }
            room -= 1
            count(.sipOverLink)
            sayInDetail("\(name(node)) says on \(id): \(Words.firstLine(of: bytes))")
            send(.sip(bytes), on: id, fromSide: side)
        }
    }

    // MARK: Drained nodes

    mutating func drain(_ node: NodeIndex, for time: UInt64) {
        guard nodes[node.position].isUp, nodes[node.position].pausedUntil <= now else { return }
        cores[node.position].beginDrain(DrainPolicy(), now: instant(node))
        touch(node)
        schedule(.endDrain(node), after: time)
    }

    mutating func endDrain(_ node: NodeIndex) {
        guard nodes[node.position].isUp else { return }
        cores[node.position].endDrain()
        touch(node)
    }

    // MARK: Stopped and slow processes, wrong clocks

    mutating func stop(_ node: NodeIndex, for time: UInt64) {
        nodes[node.position].pausedUntil = max(nodes[node.position].pausedUntil, now + time)
    }

    mutating func slowDown(_ node: NodeIndex, lag: UInt64, for time: UInt64) {
        nodes[node.position].lag = lag
        schedule(.endSlowness(node), after: time)
    }

    /// A wrong clock has made stamps that no other node will take; the operator sets it and restarts the node.
    mutating func endWrongClock(_ node: NodeIndex) {
        guard abs(nodes[node.position].skew) > 60_000 else { return }
        say("the operator sets the clock of \(name(node)) and restarts it")
        nodes[node.position].skew = plan.skews[node.position]
        nodes[node.position].hasChangedClocks = true
        crash(node, downFor: 5 * .millisecond)
    }

    // MARK: The end of the storm

    mutating func cutLingering() {
        for pair in plan.lingeringCuts {
            count(.cutLingered)
            cut(pair[0], pair[1])
            cut(pair[1], pair[0])
        }
    }

    mutating func healAll() {
        say("all nodes can hear each other")
        network.healAll()
        for id in network.connections.indices { resume(id) }
    }

    mutating func endStorm() {
        say("the storm is over")
        isStorming = false
        healAll()
        cutLingering()
        for position in nodes.indices {
            let node = NodeIndex(position)
            nodes[position].lag = 0
            endWrongClock(node)
            for peer in nodes.indices { nodes[position].streams[peer].beginCounting() }
            for client in nodes[position].clients.indices { nodes[position].clients[client].stalledUntil = now }
        }
    }
}
