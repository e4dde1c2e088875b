package import ClusterModel

// What operators change while the gateway serves.
extension WorkspaceMachine {
    /// Other passwords, other supervisors: who is not what a session says is signed out.
    package mutating func replaceAccounts(_ accounts: [AgentAccount], now: Instant) {
        let former = self.accounts
        self.accounts = Dictionary(accounts.map { ($0.agent, $0) }, uniquingKeysWith: { first, _ in first })
        for id in sessions.keys.sorted() {
            // One end may bring about others.
            guard let session = sessions[id] else { continue }
            let account = self.accounts[session.agent]
            guard let account,
                account.hash == former[session.agent]?.hash
                    || tokens.isPasswordTag(session.passwordTag, of: account.hash)
            else {
                end(session.id, .revoked, now)
                continue
            }
            guard !account.isSupervisor else { continue }
            for stream in session.streams where streams[stream]?.kind == .supervisor {
                endStream(stream, .revoked, now)
            }
        }
        drain(now)
    }

    /// Other session keys. Without the one that has signed until now everybody is signed out; otherwise pages get tokens of the
    /// new one.
    package mutating func replaceSessionKeys(_ tokens: TokenKeys, now: Instant) {
        let isKept = self.tokens.isContinued(by: tokens)
        self.tokens = tokens
        for id in sessions.keys.sorted() {
            guard let agent = sessions[id]?.agent else { continue }
            guard isKept, let account = accounts[agent] else {
                end(id, .revoked, now)
                continue
            }
            sessions[id]!.passwordTag = tokens.passwordTag(of: account.hash)
            tell(id, .renew)
        }
        drain(now)
    }

    /// Another topology. The shell has other links with it: it closes those of nodes that are gone, and numbers the others anew,
    /// before it does what the actions say.
    package mutating func apply(_ later: Topology, now: Instant) {
        let former = topology
        for (position, node) in former.nodes.enumerated() where !later.nodes.contains(where: { $0.name == node.name }) {
            nodeLost(NodeIndex(position), now: now)
            forgetAttempts(at: NodeIndex(position), now)
        }
        let places = former.nodes.map { node in later.nodeIndex(named: node.name) ?? NodeIndex.none }
        func moved(_ node: NodeIndex) -> NodeIndex { node.position < places.count ? places[node.position] : .none }
        func kept(_ node: NodeIndex?) -> NodeIndex? { node.map(moved).flatMap { $0 == .none ? nil : $0 } }
        var states = later.nodes.map { _ in NodeState() }
        for (position, state) in nodes.enumerated() where places[position] != .none {
            states[places[position].position] = state
        }
        actions = Self.renumbered(actions, moved)
        nodes = states
        asks = asks.compactMapValues { ask in
            kept(ask.node).map { Ask(node: $0, purpose: ask.purpose, deadline: ask.deadline) }
        }
        topology = later
        dataCenter = later.workspaces.first { $0.name == name }?.dataCenter ?? 0
        for dn in lines.keys.sorted() {
            guard var line = lines[dn] else { continue }
            line.hint = kept(line.hint)
            line.live = kept(line.live)
            line.order = line.order.compactMap { kept($0) }
            if let owner = line.view?.owner { line.view!.owner = moved(owner) }
            line.attempt = line.attempt.flatMap { attempt in
                kept(attempt.node).map { Attempt(node: $0, step: attempt.step, until: attempt.until) }
            }
            let index = later.directory.index(of: dn).flatMap { (phone(of: $0) == .pstn) == line.isPSTN ? $0 : nil }
            if let index { line.index = index }
            lines[dn] = line
            if index == nil { lineGone(dn, now) } else { pushStates(dn, now) }
        }
        aloneSince = nil
        openOwnNodes(now)
        drain(now)
    }

    private mutating func forgetAttempts(at node: NodeIndex, _ now: Instant) {
        for dn in lines.keys.sorted() {
            lines[dn]!.order.removeAll { $0 == node }
            if lines[dn]!.attempt?.node == node { lines[dn]!.attempt = nil }
        }
    }

    /// What was said under the former topology is done under the new one.
    private static func renumbered(
        _ actions: [WorkspaceAction], _ moved: (NodeIndex) -> NodeIndex
    ) -> [WorkspaceAction] {
        actions.compactMap { action in
            switch action {
            case .open(let node): moved(node) == .none ? nil : .open(moved(node))
            case .close(let node): moved(node) == .none ? nil : .close(moved(node))
            case .send(let node, let request): moved(node) == .none ? nil : .send(moved(node), request)
            case .verify, .answer, .opened, .refuse, .push, .end, .hearStat, .audit: action
            }
        }
    }
}
