import AgentSessions
import ClusterModel
import NodeCore
import TLibraryPorts

/// A call that has come with a token, until it is known whether it gets the agent.
struct SimulatedRedemption: Sendable {
    let token: ReservationToken
    let node: NodeIndex
    let life: UInt64
    /// When the token was looked at last, at whatever node it was, it was good there.
    var wasGood: Bool
}

// Agents, desktops that come back, and those who want agents.
extension ClusterSimulation {
    static func agent(_ number: Int) -> AgentID { AgentID("agent\(number)")! }

    // MARK: Agents

    mutating func agentLogsIn(_ agent: Int, _ dn: Int, at node: NodeIndex, _ desktop: Int, _ mode: WorkMode) {
        askAgent(.login(Self.agent(agent), mode, Reasons()), dn, at: node, desktop)
    }

    mutating func agentChanges(_ dn: Int, at node: NodeIndex, _ desktop: Int, to state: AgentSession.State) {
        var reasons = Reasons()
        _ = reasons.add("time", "\(elapsed)")
        switch state {
        case .loggedOut: askAgent(.logout(reasons), dn, at: node, desktop)
        case .notReady: askAgent(.notReady(.auxWork, reasons), dn, at: node, desktop)
        case .ready: askAgent(.ready(.unknown, reasons), dn, at: node, desktop)
        }
    }

    private mutating func askAgent(_ request: AgentRequest, _ dn: Int, at node: NodeIndex, _ desktop: Int) {
        guard let id = self.desktop(desktop, of: node), let client = client(id, of: node) else { return }
        let dn = DNIndex(dn)
        let reference = nodes[node.position].clients[client].desktop.ask(dn)
        cores[node.position].requestReceived(
            .agent(referenceID: reference, dn: name(dn), request), from: id, now: instant(node))
        touch(node)
    }

    // MARK: Desktops that come back

    /// Remembers the last token that a desktop was given for a DN.
    mutating func noteToken(_ event: TEvent) {
        guard case .registered(_, let status, let token?) = event,
            let dn = topology.directory.index(of: status.dn)
        else { return }
        desktopTokens[dn.position] = token
    }

    mutating func desktopReturns(_ dn: Int, at node: NodeIndex, _ desktop: Int) {
        let index = DNIndex(plan.phoneCount + dn)
        guard let id = self.desktop(desktop, of: node), let token = desktopTokens[index.position],
            let client = client(id, of: node)
        else { return }
        cause = .desktop
        count(.desktopReturned)
        let reference = nodes[node.position].clients[client].desktop.ask(index)
        cores[node.position].requestReceived(
            .registerAddress(
                referenceID: reference, dn: name(index), takeover: false, ownerHint: desktop == 1, desktop: token),
            from: id, now: instant(node))
        touch(node)
    }

    // MARK: Reservations

    mutating func reserve(at node: NodeIndex, _ dn: Int?, _ agent: Int?, _ priority: Int32, _ milliseconds: Int32) {
        let client = SimulatedClient.reserver
        guard nodes[node.position].isUp, nodes[node.position].pausedUntil <= now,
            let id = nodes[node.position].clients[client].id
        else { return }
        let duration: ReservationRequest.Duration =
            milliseconds < 0 ? .usual : milliseconds == 0 ? .cancel : .milliseconds(UInt32(milliseconds))
        let request = ReservationRequest(
            priority: priority, duration: duration, agent: agent.map { Self.agent($0) })
        let reference = nodes[node.position].clients[client].reserver.ask()
        let named = dn.map { name(DNIndex($0)) } ?? ""
        cores[node.position].requestReceived(
            .reserveAgent(referenceID: reference, dn: named, request), from: id, now: instant(node))
        touch(node)
    }

    mutating func redeem(of reserver: NodeIndex, _ place: Int, at node: NodeIndex) {
        let tokens = nodes[reserver.position].clients[SimulatedClient.reserver].reserver.tokens
        guard place < tokens.count, nodes[node.position].isUp, nodes[node.position].pausedUntil <= now else { return }
        let token = tokens[tokens.count - 1 - place]
        lastCall += 1
        redemptions[lastCall] = SimulatedRedemption(
            token: token, node: node, life: nodes[node.position].life, wasGood: isGood(token, at: node))
        cores[node.position].redeem(token, call: lastCall, now: instant(node))
        touch(node)
        takeRedemptions(node)
    }

    /// Whether a node must honour a token now, by what has to be true of it: the node owns the DN under the token's claim, in the
    /// token's life, and that reservation lasts.
    private mutating func isGood(_ token: ReservationToken, at node: NodeIndex) -> Bool {
        guard let dn = topology.directory.index(of: token.dn) else { return false }
        let record = inspect(dn, at: node)
        guard record.owner == node, record.stamp == token.claim, let lease = record.lease else { return false }
        return lease.token == token && lease.deadline > now && token.lineage.rawValue == nodes[node.position].life
    }

    /// A token comes to a node from another one.
    mutating func judge(_ message: ProxyMessage, at node: NodeIndex) {
        guard case .request(_, _, .redeem(let token, let call)) = message else { return }
        let wasGood = isGood(token, at: node)
        redemptions[UInt32(truncatingIfNeeded: call)]?.wasGood = wasGood
    }

    /// 8. Only a token that was good is honoured, and it brings one call.
    mutating func takeRedemptions(_ node: NodeIndex) {
        for outcome in cores[node.position].takeRedemptions() {
            guard let asked = redemptions.removeValue(forKey: outcome.call), asked.token == outcome.token else {
                fail(
                    "invariantTokensAreFenced",
                    "\(name(node)) tells of call \(outcome.call), which nobody has asked for")
                continue
            }
            guard outcome.refusal == nil else {
                count(.tokenRefused)
                continue
            }
            count(.tokenHonoured)
            if !asked.wasGood {
                fail("invariantTokensAreFenced", "\(asked.token) was honoured for \(name(node)), and was not good")
            }
            if let other = honoured.updateValue(outcome.call, forKey: asked.token), other != outcome.call {
                fail("invariantTokensAreFenced", "\(asked.token) brought calls \(other) and \(outcome.call)")
            }
        }
    }
}
