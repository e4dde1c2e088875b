import AgentSessions
package import ClusterModel
import TLibraryPorts

// What nodes are asked, and at what pace: a node serves a whole gateway as one client.
extension WorkspaceMachine {
    /// Requests under way at one node, so that many lines that come at once do not hide what agents do.
    static let maximumUnderWay = 256
    /// Requests a second where the topology does not limit clients.
    static let usualPace: UInt64 = 2_000
    static let askPatience = 5 * second
    /// How long a link without a line stays open.
    static let linkPatience = 60 * second
    /// How long no node is heard before links to other data centers are opened, and then some more.
    static let alonePatience = 2 * second
    static let maximumFarNodes = 4

    /// A node, as this gateway hears it.
    struct NodeState {
        var isOpen = false
        var isWanted = false
        /// Requests without an answer.
        var underWay = 0
        /// Lines that wait for their turn, those with calls apart.
        var urgent: [DN] = []
        var waiting: [DN] = []
        /// Until when it counts as drained, monotonic nanoseconds.
        var drainedUntil: UInt64 = 0
        /// When the pace allows another one at once, monotonic nanoseconds.
        var freeAt: UInt64 = 0
        /// When it had a line, monotonic nanoseconds.
        var lastUsed: UInt64 = 0
    }

    /// A request without an answer.
    struct Ask {
        var node: NodeIndex
        var purpose: Purpose
        /// Monotonic nanoseconds.
        var deadline: UInt64
    }

    enum Purpose: Equatable {
        /// Who is logged in there, before a line is registered.
        case check(DN)
        case register(DN, takesOver: Bool)
        /// How a line is, since something has happened there.
        case refresh(DN)
        /// How a line is that another desktop has.
        case inquire(DN)
        /// The agent's own request.
        case login(SessionID, DN, AgentID)
        /// When the agent has logged in, by the owner's word.
        case confirmLogin(SessionID)
        case presence(SessionID)
        case confirmPresence(SessionID)
        case logout(SessionID)
        /// The answer means nothing.
        case letGo
        case explain(RequestID)
        /// Of a logout that the cluster has not heard of.
        case owedQuery(DN)
        case owedLogout(DN)
    }

    /// Asks a node, which is open.
    mutating func ask(
        _ node: NodeIndex, _ purpose: Purpose, _ now: Instant, _ request: (UInt32) -> TRequest
    ) {
        repeat { lastAsk &+= 1 } while lastAsk == 0 || asks[lastAsk] != nil
        asks[lastAsk] = Ask(node: node, purpose: purpose, deadline: now.monotonic + Self.askPatience)
        nodes[node.position].underWay += 1
        let each = Self.second / pace
        nodes[node.position].freeAt = max(nodes[node.position].freeAt, now.monotonic) + each
        nodes[node.position].lastUsed = now.monotonic
        actions.append(.send(node, request(lastAsk)))
    }

    /// Requests a second: what is left is for what agents do.
    private var pace: UInt64 {
        topology.clientRequestLimit.map { max(UInt64($0) * 8 / 10, 1) } ?? Self.usualPace
    }

    private func mayAsk(_ node: NodeIndex, _ now: Instant) -> Bool {
        let state = nodes[node.position]
        // A tenth of a second's worth at once.
        return state.isOpen && state.underWay < Self.maximumUnderWay
            && state.freeAt <= now.monotonic + Self.second / 10
    }

    /// A line waits for its turn at a node.
    mutating func enqueue(_ dn: DN, at node: NodeIndex, isUrgent: Bool) {
        if isUrgent {
            nodes[node.position].urgent.append(dn)
        } else {
            nodes[node.position].waiting.append(dn)
        }
    }

    /// Lines whose turn it is ask.
    mutating func drain(_ now: Instant) {
        for position in nodes.indices {
            let node = NodeIndex(position)
            while mayAsk(node, now), let dn = nextWaiting(position) { begin(dn, at: node, now) }
        }
    }

    private mutating func nextWaiting(_ position: Int) -> DN? {
        if !nodes[position].urgent.isEmpty { return nodes[position].urgent.removeFirst() }
        return nodes[position].waiting.isEmpty ? nil : nodes[position].waiting.removeFirst()
    }

    private mutating func take(_ id: UInt32, from node: NodeIndex) -> Purpose? {
        guard let ask = asks[id], ask.node == node else { return nil }
        asks[id] = nil
        nodes[node.position].underWay -= 1
        return ask.purpose
    }

    // MARK: Links

    mutating func openOwnNodes(_ now: Instant) {
        for position in nodes.indices where isOwn(position) { want(NodeIndex(position), now) }
        if !nodes.indices.contains(where: isOwn) { openFarNodes(now) }
    }

    private func isOwn(_ position: Int) -> Bool { topology.nodes[position].dataCenter == dataCenter }

    var hearsOwn: Bool { nodes.indices.contains { nodes[$0].isOpen && isOwn($0) } }

    /// Some more nodes of other data centers, of different ones as far as there are. Gateways do not all choose the same.
    private mutating func openFarNodes(_ now: Instant) {
        var isTaken = Set(nodes.indices.filter { isOwn($0) || nodes[$0].isWanted })
        for _ in 0..<Self.maximumFarNodes {
            let far = nodes.indices.filter { !isTaken.contains($0) }
            func rank(_ position: Int) -> (Int, UInt64) {
                let dataCenter = topology.nodes[position].dataCenter
                let others = isTaken.count { topology.nodes[$0].dataCenter == dataCenter }
                return (others, mixed(seed &+ UInt64(position)))
            }
            guard let next = far.min(by: { rank($0) < rank($1) }) else { return }
            isTaken.insert(next)
            want(NodeIndex(next), now)
        }
    }

    mutating func want(_ node: NodeIndex, _ now: Instant) {
        guard !nodes[node.position].isWanted else { return }
        nodes[node.position].isWanted = true
        nodes[node.position].lastUsed = now.monotonic
        actions.append(.open(node))
    }

    package mutating func nodeOpened(_ node: NodeIndex, now: Instant) {
        guard node.position < nodes.count, nodes[node.position].isWanted else { return }
        nodes[node.position].isOpen = true
        nodes[node.position].freeAt = 0
        nodes[node.position].lastUsed = now.monotonic
        for dn in lines.keys.sorted() where lines[dn]!.attempt == Attempt(node: node, step: .connecting) {
            lines[dn]!.attempt!.step = .waiting
            enqueue(dn, at: node, isUrgent: lines[dn]!.hasCalls)
        }
        drain(now)
    }

    package mutating func nodeLost(_ node: NodeIndex, now: Instant) {
        guard node.position < nodes.count, nodes[node.position].isOpen else { return }
        nodes[node.position].isOpen = false
        nodes[node.position].urgent = []
        nodes[node.position].waiting = []
        let lost = asks.filter { $0.value.node == node }.sorted { $0.key < $1.key }
        // Lines first: what agents asked fails by what has become of their lines.
        lineLinksLost(node, now)
        for (id, _) in lost {
            guard let purpose = take(id, from: node) else { continue }
            failed(purpose, nil, at: node, now)
        }
        nodes[node.position].underWay = 0
        drain(now)
    }

    mutating func sweepNodes(_ now: Instant) {
        guard hearsOwn else { return standAlone(now) }
        aloneSince = nil
        for position in nodes.indices where nodes[position].isWanted {
            let node = NodeIndex(position)
            guard !isOwn(position), now.since(nodes[position].lastUsed) > Self.linkPatience else { continue }
            guard !lines.values.contains(where: { $0.live == node || $0.attempt?.node == node }) else {
                nodes[position].lastUsed = now.monotonic
                continue
            }
            nodeLost(node, now: now)
            nodes[position] = NodeState()
            actions.append(.close(node))
        }
    }

    /// Without a node of the own data center others are heard, so that agents can sign in and sit down.
    private mutating func standAlone(_ now: Instant) {
        let since = aloneSince ?? now.monotonic
        aloneSince = since
        guard nodesHeard == 0, now.since(since) >= Self.alonePatience else { return }
        aloneSince = now.monotonic
        openFarNodes(now)
    }

    mutating func giveUpAsks(_ now: Instant) {
        let late = asks.filter { $0.value.deadline <= now.monotonic }
        for (id, ask) in late.sorted(by: { $0.key < $1.key }) {
            guard let purpose = take(id, from: ask.node) else { continue }
            failed(purpose, .timedOut, at: ask.node, now)
        }
    }

    // MARK: What nodes say

    package mutating func heard(_ news: LineNews, from node: NodeIndex, now: Instant) {
        guard node.position < nodes.count, nodes[node.position].isOpen else { return }
        switch news {
        case .registered(let id, let status, let token):
            guard let purpose = take(id, from: node) else { break }
            guard case .register(let dn, let takesOver) = purpose, dn == status.dn else {
                failed(purpose, nil, at: node, now)
                break
            }
            registered(dn, status.view, token, tookOver: takesOver, at: node, now)
        case .address(let id, let status):
            if let purpose = take(id, from: node) { told(status, purpose, at: node, now) }
        case .agentDone(let id):
            if let purpose = take(id, from: node) { agentDone(purpose, at: node, now) }
        case .refused(let id, let error):
            if let purpose = take(id, from: node) { failed(purpose, error, at: node, now) }
        case .unregistered(let id, let dn, let reason):
            if let id {
                if let purpose = take(id, from: node) { failed(purpose, nil, at: node, now) }
            } else {
                registrationEnded(dn, reason, at: node, now)
            }
        case .agentChanged(let dn): refresh(dn, at: node, now)
        case .status(let status): lineChanged(status, at: node, now)
        case .call(let event): callChanged(event, at: node, now)
        case .moveHint(let dn, let to): move(dn, from: node, to: to, now)
        }
        drain(now)
    }

    /// The answer to a TQueryAddress.
    private mutating func told(_ status: DNStatus, _ purpose: Purpose, at node: NodeIndex, _ now: Instant) {
        switch purpose {
        case .check(let dn) where dn == status.dn: checked(dn, status.view, at: node, now)
        case .inquire(let dn) where dn == status.dn: inquired(dn, status.view, now)
        case .refresh(let dn) where dn == status.dn:
            guard lines[dn]?.live == node else { return }
            lines[dn]!.isRefreshing = false
            let again = lines[dn]!.refreshesAgain
            lines[dn]!.refreshesAgain = false
            lineTold(dn, status.view, now)
            for session in lines[dn]?.sessions ?? [] { confirm(session, now: now) }
            if again { refresh(dn, at: node, now) }
        case .confirmLogin(let session): loginConfirmed(session, status, now)
        case .confirmPresence(let session): presenceConfirmed(session, status, now)
        case .explain(let id): explained(id, status)
        case .owedQuery(let dn) where dn == status.dn: owedTold(dn, status.view, at: node, now)
        case .check, .inquire, .refresh, .register, .login, .presence, .logout, .letGo, .owedQuery, .owedLogout:
            failed(purpose, nil, at: node, now)
        }
    }

    /// The answer to an agent's request: it was done.
    private mutating func agentDone(_ purpose: Purpose, at node: NodeIndex, _ now: Instant) {
        switch purpose {
        case .login(let session, let dn, let agent):
            guard sessions[session]?.work?.step == .seating(dn) else {
                return loginOrphaned(agent, at: dn, node: node, now)
            }
            queryFor(session, .confirmLogin(session), at: node, now)
        case .presence(let session): queryFor(session, .confirmPresence(session), at: node, now)
        case .logout(let session): agentLoggedOut(session, now)
        case .owedLogout(let dn): owedPaid(dn)
        case .letGo: break
        case .check, .register, .refresh, .inquire, .confirmLogin, .confirmPresence, .explain, .owedQuery:
            failed(purpose, nil, at: node, now)
        }
    }

    private mutating func queryFor(_ session: SessionID, _ purpose: Purpose, at node: NodeIndex, _ now: Instant) {
        guard let dn = sessions[session]?.work?.dn ?? sessions[session]?.seat?.dn else { return }
        ask(node, purpose, now) { .queryAddress(referenceID: $0, dn: "\(dn)") }
    }

    /// - Parameter error: nil where the link is lost, or nobody knows what the error means.
    private mutating func failed(_ purpose: Purpose, _ error: TError?, at node: NodeIndex, _ now: Instant) {
        switch purpose {
        case .check(let dn), .register(let dn, _): attemptFailed(dn, error, at: node, now)
        case .refresh(let dn):
            guard lines[dn]?.live == node else { return }
            lines[dn]!.isRefreshing = false
            lines[dn]!.refreshesAgain = false
            // Asked again by the sweep.
            lines[dn]!.isStale = true
        case .logout(let session):
            // Nobody is logged in: that is what was wanted.
            if error == .notLoggedIn || error == .unknownDN {
                agentLoggedOut(session, now)
            } else {
                logoutFailed(session, error, now)
            }
        case .inquire(let dn): inquired(dn, nil, now)
        case .login(let session, _, _), .confirmLogin(let session), .presence(let session),
            .confirmPresence(let session):
            // It may be doing something else by now.
            if isWaitedFor(purpose, session) { workFailed(session, problem(error, purpose, session), now) }
        case .letGo: break
        case .explain(let id): refuse(id, error == .unknownDN ? .unknownDN : .noNode)
        case .owedQuery(let dn), .owedLogout(let dn):
            if error == .notLoggedIn || error == .unknownDN { owedPaid(dn) } else { owedFailed(dn, now) }
        }
    }

    private func isWaitedFor(_ purpose: Purpose, _ session: SessionID) -> Bool {
        switch (purpose, sessions[session]?.work?.step) {
        case (.login(_, let dn, _), .seating(let next)): dn == next
        case (.confirmLogin, .seating), (.presence, .presence), (.confirmPresence, .presence): true
        case _: false
        }
    }

    private func problem(_ error: TError?, _ purpose: Purpose, _ session: SessionID) -> WorkspaceProblem {
        switch error {
        case nil, .timedOut: .unknownOutcome
        case .dnSeized, .otherAgent: .dnInUse
        case .loggedInElsewhere: .loggedInElsewhere
        case .notWritten: .notWritten
        case .unknownDN: .unknownDN
        case .notLoggedIn: .notSeated
        case .ownerUnreachable:
            if case .login = purpose, isPhoneAbsent(session) { .phoneNotRegistered } else { .noNode }
        case .outOfService: isPhoneAbsent(session) ? .phoneNotRegistered : .noNode
        case .tooManyRequests, .requestInProgress, .tooManyRegistrations: .busy
        case .notRegistered, .unsupportedRequest, .malformedRequest, .unknownCall, .wrongKindOfDN, .wrongDataCenter,
            .notReady, .badAgent, .reservedByAnother, .notReserved, .staleToken, .busy:
            .noNode
        }
    }

    /// A SIP phone that no node knows.
    private func isPhoneAbsent(_ session: SessionID) -> Bool {
        guard let dn = sessions[session]?.work?.dn, let line = lines[dn], !line.isPSTN else { return false }
        return line.view.map { $0.owner == .none } ?? true
    }
}
