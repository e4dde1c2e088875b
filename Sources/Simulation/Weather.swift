import ClusterModel
import DNOwnership
import NodeCore

// What the script brings: phones and desktops act, and things go wrong.
extension ClusterSimulation {
    mutating func strike(_ stimulus: Stimulus) {
        say("* \(Words.of(stimulus, topology))")
        if let kind = stimulus.faultKind { count(kind) }
        switch stimulus {
        case .register(let phone, let node, let seconds):
            register(phone, at: node, seconds: seconds)
        case .registerTwice(let phone, let first, let second, let seconds, let apart):
            register(phone, at: first, seconds: seconds)
            register(phone, at: second, seconds: seconds, after: apart)
        case .unregister(let phone, let node): unregister(phone, at: node)
        case .vanish(let phone):
            vanish(phone)
            phoneGoes(phone)
        case .query(let phone, let node): send(phone, to: node, .queries, seconds: 0)
        case .retransmit(let phone): retransmit(phone)
        case .desktopRegisters(let dn, let node, let desktop, let takeover):
            desktopRegisters(dn, at: node, desktop, takeover: takeover)
        case .desktopUnregisters(let dn, let node, let desktop): desktopUnregisters(dn, at: node, desktop)
        case .desktopAsks(let dn, let node, let desktop): desktopAsks(dn, at: node, desktop)
        case .desktopReturns(let dn, let node, let desktop): desktopReturns(dn, at: node, desktop)
        case .agentLogsIn(let agent, let dn, let node, let desktop, let mode):
            agentLogsIn(agent, dn, at: node, desktop, mode)
        case .agentChanges(let dn, let node, let desktop, let state): agentChanges(dn, at: node, desktop, to: state)
        case .reserve(let node, let dn, let agent, let priority, let milliseconds):
            reserve(at: node, dn, agent, priority, milliseconds)
        case .redeem(let reserver, let token, let node): redeem(of: reserver, token, at: node)
        case .call(let number, let point, let node, let manner): call(number, point, at: node, manner)
        case .routerCrash(let router, let time): crashRouter(router, downFor: time)
        case .routerStalls(let router, let time): stallRouter(router, for: time)
        case .statCrash(let router, let time): crashStatServer(router, downFor: time)
        case .feedLoss(let router, let time): loseFeed(router, for: time)
        case .routerLeaves(let node, let time): drop(node, SimulatedClient.router, again: time)
        case .clientLeaves(let node, let client, let time): clientLeaves(node, client, for: time)
        case .clientStalls(let node, let client, let time):
            nodes[node.position].clients[client].stalledUntil = now + time
        case .crash(let node, let time): crash(node, downFor: time)
        case .handover(let node, let mishap): beginHandover(node, mishap)
        case .drain(let node, let time): drain(node, for: time)
        case .topology(let number): declareTopology(number)
        case .controllerCrash(let time): crashController(downFor: time)
        case .stop(let node, let time): stop(node, for: time)
        case .slow(let node, let lag, let time): slowDown(node, lag: lag, for: time)
        case .clockJump(let node, let milliseconds):
            nodes[node.position].hasChangedClocks = true
            if abs(nodes[node.position].skew) <= 60_000 { nodes[node.position].skew = milliseconds }
        case .wrongClock(let node, let milliseconds, let time):
            nodes[node.position].skew = milliseconds
            nodes[node.position].hasChangedClocks = true
            schedule(.endWrongClock(node), after: time)
        case .cut, .split, .flap, .delay, .reset, .halfClose, .duplicateDial, .abandonedDial, .stranger:
            strikeNetwork(stimulus)
        }
    }

    private mutating func strikeNetwork(_ stimulus: Stimulus) {
        switch stimulus {
        case .cut(let first, let second, let bothWays, let time):
            cut(first, second, for: time)
            if bothWays { cut(second, first, for: time) }
        case .split(let group, let time):
            for first in nodes.indices where group & 1 << UInt16(first) != 0 {
                for second in nodes.indices where group & 1 << UInt16(second) == 0 {
                    cut(NodeIndex(first), NodeIndex(second), for: time)
                    cut(NodeIndex(second), NodeIndex(first), for: time)
                }
            }
        case .flap(let first, let second, let times, let period):
            for time in 0..<UInt64(times) {
                for (from, to) in [(first, second), (second, first)] {
                    schedule(.cut(from, to), after: 2 * time * period)
                    schedule(.heal(from, to), after: (2 * time + 1) * period)
                }
            }
        case .delay(let first, let second, let factor, let time):
            // A delay beyond the link timeout is a cut, and there are cuts.
            let most = max(1, shortestTimeout / plan.delay.upperBound)
            network.slowDown(first, second, by: min(factor, most))
            schedule(.recover(first, second), after: time)
        case .reset(let first, let second):
            for id in network.between(first, second) { reset(id, within: 2 * .millisecond) }
        case .halfClose(let first, let second, let time):
            for id in network.between(first, second) {
                guard let connection = network.connections[id] else { continue }
                let side = connection.side(of: first)
                schedule(.abandon(id, side: side), after: .microsecond)
                schedule(.abandon(id, side: 1 - side), after: time)
            }
        case .duplicateDial(let dialer, let peer):
            guard nodes[dialer.position].isUp, nodes[dialer.position].pausedUntil <= now, nodes[peer.position].isUp,
                link(of: dialer, to: peer).connection != nil,
                !network.isCut(dialer, peer), !network.isCut(peer, dialer)
            else { return }
            connect(dialer, peer)
        case .abandonedDial(let dialer, let peer, let time):
            guard nodes[peer.position].isUp, !network.isCut(dialer, peer) else { return }
            let id = network.connect(.none, peer)
            schedule(.accepted(id), after: .microsecond)
            schedule(.closed(id, side: 1), after: time)
        case .stranger(let node, let kind):
            if nodes[node.position].isUp { stranger(kind, at: node) }
        case .register, .registerTwice, .unregister, .vanish, .query, .retransmit, .desktopRegisters,
            .desktopUnregisters, .desktopAsks, .desktopReturns, .agentLogsIn, .agentChanges, .reserve, .redeem,
            .call, .routerCrash, .routerStalls, .statCrash, .feedLoss, .routerLeaves,
            .clientLeaves, .clientStalls, .crash, .handover, .drain, .topology, .controllerCrash, .stop, .slow,
            .clockJump,
            .wrongClock:
            break
        }
    }

    private mutating func cut(_ from: NodeIndex, _ to: NodeIndex, for time: UInt64) {
        cut(from, to)
        schedule(.heal(from, to), after: time)
    }

    /// Both ends hear of it, one after the other.
    private mutating func reset(_ id: Int, within time: UInt64) {
        let first = mixed(now ^ UInt64(id))
        schedule(.abandon(id, side: 0), after: 1 + first % time)
        schedule(.abandon(id, side: 1), after: 1 + first >> 32 % time)
    }

    /// Somebody connects to the mesh port who does not belong there.
    private mutating func stranger(_ kind: StrangerKind, at node: NodeIndex) {
        let id = network.connect(.none, node)
        schedule(.accepted(id), after: .microsecond)
        var hello = Hello(
            cluster: topology.cluster, node: name(NodeIndex(0)), incarnation: Incarnation(rawValue: 1_000_000),
            lineage: Incarnation(rawValue: 1_000_000), generation: 1, greatestStamp: .zero, resume: nil
        )
        switch kind {
        case .silent: return
        case .noHello: return say(.snapshotRequest, as: id)
        case .wrongVersion: hello.protocolVersion = 999
        case .wrongCluster: hello.cluster = "another"
        case .unknownNode: hello.node = "dc9/sip9"
        case .wrongDirection:
            guard node.position + 1 < nodes.count else { return }
            hello.node = name(NodeIndex(node.position + 1))
        case .ownName: hello.node = name(node)
        case .earlierLife:
            guard let peer = nodes[node.position].heardLives.firstIndex(where: { $0 > 1 }), peer < node.position else {
                return
            }
            hello.node = name(NodeIndex(peer))
            hello.incarnation = Incarnation(rawValue: nodes[node.position].heardLives[peer] - 1)
        }
        say(.hello(hello), as: id)
    }

    private mutating func say(_ message: PeerMessage, as stranger: Int) {
        network.append(.link(message), to: stranger, fromSide: 0)
        schedule(.deliver(stranger, fromSide: 0), after: .millisecond)
    }

    /// What the plan itself does to the machines.
    mutating func countPlan() {
        if plan.skews.contains(where: { $0 != 0 }) { count(.clocksDiffered) }
        if plan.ringCapacity <= 8 { count(.ringWasTiny) }
        if plan.chunkRecords <= 3 { count(.chunksWereTiny) }
        if plan.connectionCapacity <= 2 { count(.connectionsWereTiny) }
    }
}
