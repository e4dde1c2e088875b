import AgentSessions
import ClusterModel
import TLibraryPorts

// The DNs that this gateway holds: by which node, and what becomes of them when that node is lost.
extension WorkspaceMachine {
    /// How long a node may take to be heard.
    static let nodePatience: UInt64 = 300_000_000
    /// Between rounds over all nodes: while the line is in service, and when it is not any more.
    static let shortPause: UInt64 = 100_000_000
    static let longPause = 2 * second
    /// Between questions about a line that another desktop has.
    static let inquiryEach = 5 * second
    /// For so long nothing goes to a node that has asked for a line to go elsewhere, where there is another one.
    static let drainMemory = 600 * second

    /// A DN at which agents of this gateway sit, or are about to.
    struct Line {
        let dn: DN
        var index: DNIndex
        let isPSTN: Bool
        /// Where the owner was by a token's word.
        var hint: NodeIndex?
        /// Those who sit there.
        var sessions: [SessionID] = []
        /// Those who are about to.
        var seating: [SessionID] = []
        /// Where the gateway is registered for it.
        var live: NodeIndex?
        var attempt: Attempt?
        /// The nodes in the order in which they are tried, while one is looked for.
        var order: [NodeIndex] = []
        /// When the next round begins, monotonic nanoseconds; nil outside of a pause.
        var pausesUntil: UInt64?
        /// What the gateway is known by to the owner; nil where it does not hold the DN in service.
        var token: DesktopToken?
        /// As a node said last.
        var view: View?
        /// Since when the status is as it is, milliseconds since 1970.
        var statusSince: UInt64 = 0
        /// Until when the owner waits for the gateway, monotonic nanoseconds; nil while a node holds the line.
        var adriftUntil: UInt64?
        /// `adriftUntil` has passed.
        var isLost = false
        /// Another desktop has it; this gateway does not take it back by itself.
        var isSuperseded = false
        /// Until when no node is asked about a line that another desktop has, monotonic nanoseconds.
        var inquiresAt: UInt64 = 0
        var isInquired = false
        var isRefreshing = false
        var refreshesAgain = false
        var isStale = false
        /// Until when the node may say that the agent has work after a call, monotonic nanoseconds; nil where that is not awaited.
        var workAwaitedUntil: UInt64?

        var hasCalls: Bool { view?.calls?.calls.isEmpty == false }
        var isOrphaned: Bool { sessions.isEmpty && seating.isEmpty }
    }

    /// Where the line is being registered.
    struct Attempt: Equatable {
        enum Step: Equatable {
            /// The node is not heard.
            case connecting
            /// For the node's pace.
            case waiting
            /// The node is asked who is logged in.
            case checking
            case registering
        }

        var node: NodeIndex
        var step: Step
        /// While connecting, monotonic nanoseconds.
        var until: UInt64 = 0

        static func == (left: Attempt, right: Attempt) -> Bool { left.node == right.node && left.step == right.step }
    }

    /// How long an owner waits for a desktop, nanoseconds.
    var grace: UInt64 { topology.timing.desktopGrace.nanoseconds }

    // MARK: Who sits there

    mutating func attach(_ session: SessionID, to dn: DN, _ index: DNIndex, hint: NodeIndex? = nil) {
        makeLine(dn, index, hint: hint)
        lines[dn]!.seating.removeAll { $0 == session }
        if !lines[dn]!.sessions.contains(session) { lines[dn]!.sessions.append(session) }
    }

    mutating func makeLine(_ dn: DN, _ index: DNIndex, hint: NodeIndex? = nil) {
        if lines[dn] == nil {
            lines[dn] = Line(dn: dn, index: index, isPSTN: phone(of: index) == .pstn)
        }
        if let hint { lines[dn]!.hint = hint }
    }

    func phone(of index: DNIndex) -> AgentType.Phone {
        topology.agentTypes[topology.directory.block(of: index).agentType].phone
    }

    mutating func detach(_ session: SessionID, from dn: DN, _ now: Instant) {
        guard lines[dn] != nil else { return }
        lines[dn]!.sessions.removeAll { $0 == session }
        lines[dn]!.seating.removeAll { $0 == session }
        guard lines[dn]!.isOrphaned else { return }
        letGo(dn, now)
        lines[dn] = nil
    }

    /// The gateway holds the line no longer. A PSTN DN is out of service with that, unless somebody else holds it.
    mutating func letGo(_ dn: DN, _ now: Instant) {
        guard let line = lines[dn] else { return }
        lines[dn]!.live = nil
        lines[dn]!.attempt = nil
        lines[dn]!.pausesUntil = nil
        lines[dn]!.order = []
        lines[dn]!.token = nil
        lines[dn]!.adriftUntil = nil
        lines[dn]!.isLost = false
        lines[dn]!.isRefreshing = false
        // A registration that is on its way is taken back behind it.
        for node in Set([line.live, line.attempt?.node].compactMap(\.self)).sorted()
        where nodes[node.position].isOpen && (node == line.live || line.attempt?.step == .registering) {
            ask(node, .letGo, now) { .unregisterAddress(referenceID: $0, dn: "\(dn)") }
        }
    }

    /// Whether somebody needs the line now.
    func isWanted(_ line: Line, _ now: Instant) -> Bool {
        if !line.seating.isEmpty { return true }
        return line.sessions.contains { id in
            guard let session = sessions[id] else { return false }
            return session.work != nil || !session.waiting.isEmpty
                || session.absentUntil.map { $0 > now.monotonic } ?? true
        }
    }

    // MARK: Looking for a node

    /// Looks for a node for the line, if it has none.
    mutating func seek(_ dn: DN?, _ now: Instant) {
        guard let dn, let line = lines[dn], line.attempt == nil, line.pausesUntil == nil else { return }
        if let live = line.live {
            // Who has come from another gateway may have no right to it.
            if isAwaited(line) { refresh(dn, at: live, now) }
            return
        }
        guard !line.isSuperseded || isAwaited(line) else { return inquire(dn, now) }
        lines[dn]!.order = candidates(line)
        tryNext(dn, now)
    }

    /// Nodes that may have the DN, the best first: where it was, our own data center, and the DN's others. Of one data center they
    /// are in another order for every DN. Those that are drained come last.
    func candidates(_ line: Line) -> [NodeIndex] {
        let homes = line.isPSTN ? topology.directory.homes[topology.directory.block(of: line.index).homes] : []
        func rank(_ dataCenter: Int) -> Int {
            if dataCenter == self.dataCenter { return -1 }
            return homes.firstIndex(of: dataCenter) ?? homes.count
        }
        let nodes = topology.nodes.indices.filter { homes.isEmpty || homes.contains(topology.nodes[$0].dataCenter) }
        var order = nodes.sorted { left, right in
            let drained = (isDrained(NodeIndex(left)), isDrained(NodeIndex(right)))
            guard drained.0 == drained.1 else { return drained.1 }
            let ranks = (rank(topology.nodes[left].dataCenter), rank(topology.nodes[right].dataCenter))
            guard ranks.0 == ranks.1 else { return ranks.0 < ranks.1 }
            return mixed(line.dn.stableHash &+ UInt64(left)) < mixed(line.dn.stableHash &+ UInt64(right))
        }.map { NodeIndex($0) }
        if let hint = line.hint, !isDrained(hint), let position = order.firstIndex(of: hint) {
            order.remove(at: position)
            order.insert(hint, at: 0)
        }
        return order
    }

    private mutating func tryNext(_ dn: DN, _ now: Instant) {
        guard !lines[dn]!.order.isEmpty else {
            lines[dn]!.attempt = nil
            lines[dn]!.pausesUntil = now.monotonic + (lines[dn]!.isLost ? Self.longPause : Self.shortPause)
            return
        }
        attempt(dn, at: lines[dn]!.order.removeFirst(), now)
    }

    private mutating func attempt(_ dn: DN, at node: NodeIndex, _ now: Instant) {
        lines[dn]!.pausesUntil = nil
        want(node, now)
        let isOpen = nodes[node.position].isOpen
        lines[dn]!.attempt = Attempt(
            node: node, step: isOpen ? .waiting : .connecting, until: now.monotonic + Self.nodePatience)
        if isOpen { enqueue(dn, at: node, isUrgent: lines[dn]!.hasCalls || !lines[dn]!.seating.isEmpty) }
    }

    /// The line's turn at the node has come.
    mutating func begin(_ dn: DN, at node: NodeIndex, _ now: Instant) {
        guard let line = lines[dn], line.attempt == Attempt(node: node, step: .waiting) else { return }
        if line.token == nil {
            // Before anything is registered the cluster says who is logged in.
            lines[dn]!.attempt!.step = .checking
            ask(node, .check(dn), now) { .queryAddress(referenceID: $0, dn: "\(dn)") }
        } else {
            register(dn, at: node, takesOver: false, now)
        }
    }

    private mutating func register(_ dn: DN, at node: NodeIndex, takesOver: Bool, _ now: Instant) {
        let token = lines[dn]!.token
        lines[dn]!.attempt = Attempt(node: node, step: .registering)
        ask(node, .register(dn, takesOver: takesOver), now) {
            .registerAddress(referenceID: $0, dn: "\(dn)", takeover: takesOver, desktop: token)
        }
    }

    /// A node has said who is logged in.
    mutating func checked(_ dn: DN, _ view: View, at node: NodeIndex, _ now: Instant) {
        guard lines[dn]?.attempt == Attempt(node: node, step: .checking) else { return }
        lines[dn]!.view = view
        for session in lines[dn]!.seating {
            guard let agent = sessions[session]?.agent, lines[dn]?.isOccupied(by: agent) == true else { continue }
            workFailed(session, .dnInUse, now)
        }
        verify(dn, view, now)
        // Whoever sat there may be gone.
        guard let line = lines[dn], line.attempt == Attempt(node: node, step: .checking) else { return }
        guard !line.isSuperseded || isAwaited(line) else {
            // Whoever has come here has no right to it, and those who were here have not asked for it.
            lines[dn]!.attempt = nil
            lines[dn]!.order = []
            return
        }
        register(dn, at: node, takesOver: line.isPSTN, now)
    }

    /// Somebody has come from another gateway, and the cluster has not confirmed that yet: this is where the agent is now.
    private func isAwaited(_ line: Line) -> Bool { line.sessions.contains { sessions[$0]?.standing == .arriving } }

    /// A node has registered the gateway.
    mutating func registered(
        _ dn: DN, _ view: View, _ token: DesktopToken?, tookOver: Bool, at node: NodeIndex, _ now: Instant
    ) {
        guard lines[dn]?.attempt == Attempt(node: node, step: .registering) else { return }
        if lines[dn]!.isPSTN, token == nil {
            // Somebody else holds it, or nobody remembers this gateway: the cluster says whose it is.
            lines[dn]!.token = nil
            lines[dn]!.attempt!.step = .waiting
            guard !tookOver else { return attemptFailed(dn, nil, at: node, now) }
            return enqueue(dn, at: node, isUrgent: lines[dn]!.hasCalls)
        }
        let former = lines[dn]!.live
        let wasLost = lines[dn]!.isLost
        lines[dn]!.attempt = nil
        lines[dn]!.order = []
        lines[dn]!.hint = node
        lines[dn]!.live = node
        lines[dn]!.token = token
        lines[dn]!.adriftUntil = nil
        lines[dn]!.isLost = false
        lines[dn]!.isSuperseded = false
        lines[dn]!.isRefreshing = false
        lines[dn]!.isStale = false
        if let former, former != node, nodes[former.position].isOpen {
            ask(former, .letGo, now) { .unregisterAddress(referenceID: $0, dn: "\(dn)") }
        }
        lineTold(dn, view, now)
        guard let line = lines[dn] else { return }
        if wasLost { for session in line.sessions { notify(session, .lineBack) } }
        for session in line.sessions { confirm(session, now: now) }
        for session in lines[dn]?.seating ?? [] { lineReady(session, now) }
        for session in lines[dn]?.sessions ?? [] { lineReady(session, now) }
    }

    /// Nothing came of asking a node.
    mutating func attemptFailed(_ dn: DN, _ error: TError?, at node: NodeIndex, _ now: Instant) {
        guard let attempt = lines[dn]?.attempt, attempt.node == node else { return }
        switch error {
        case .unknownDN: return lineGone(dn, now)
        case .tooManyRequests, .requestInProgress:
            // It goes on at the same node, in a moment.
            lines[dn]!.order.insert(node, at: 0)
            lines[dn]!.attempt = nil
            lines[dn]!.pausesUntil = now.monotonic + Self.shortPause * 5
        case _: tryNext(dn, now)
        }
    }

    // MARK: What happens to a line

    /// A node is lost: its lines go on there if it is back in a moment, or elsewhere.
    mutating func lineLinksLost(_ node: NodeIndex, _ now: Instant) {
        for dn in lines.keys.sorted() {
            guard let line = lines[dn] else { continue }
            if line.live == node {
                lines[dn]!.live = nil
                lines[dn]!.adriftUntil = now.monotonic + grace
                lines[dn]!.isRefreshing = false
                lines[dn]!.hint = node
                pushStates(dn, now)
                seek(dn, now)
            } else if line.attempt == Attempt(node: node, step: .waiting) {
                tryNext(dn, now)
            }
        }
    }

    /// Whether a node has asked for lines to go elsewhere lately.
    private func isDrained(_ node: NodeIndex) -> Bool { nodes[node.position].drainedUntil > swept }

    /// The node asks for the line to go elsewhere; it serves on until then. It knows nothing of others that are drained, too.
    mutating func move(_ dn: DN, from node: NodeIndex, to other: NodeIndex, _ now: Instant) {
        nodes[node.position].drainedUntil = now.monotonic + Self.drainMemory
        guard let line = lines[dn], line.live == node, line.attempt == nil, other.position < nodes.count, other != node
        else { return }
        var order = candidates(line).filter { $0 != node && $0 != other && !isDrained($0) }
        if !isDrained(other) { order.insert(other, at: 0) }
        guard !order.isEmpty else { return }
        lines[dn]!.order = order
        tryNext(dn, now)
    }

    /// The node has ended the gateway's registration.
    mutating func registrationEnded(_ dn: DN, _ reason: Service?, at node: NodeIndex, _ now: Instant) {
        guard let line = lines[dn], line.live == node else { return }
        if reason == .notProvisioned { return lineGone(dn, now) }
        lines[dn]!.live = nil
        lines[dn]!.isRefreshing = false
        guard line.attempt == nil || line.attempt?.step == .connecting else {
            // That is because the line moves, as it should.
            lines[dn]!.adriftUntil = now.monotonic + grace
            return
        }
        lines[dn]!.token = nil
        lines[dn]!.attempt = nil
        lines[dn]!.order = []
        if reason == .superseded, !faults.contains(.takesBackByItself) {
            lines[dn]!.isSuperseded = true
            for session in line.sessions { notify(session, .superseded) }
            for session in line.seating { workFailed(session, .dnInUse, now) }
            for session in line.sessions { lineFailed(session, .lineLost, now) }
        } else {
            lines[dn]!.adriftUntil = now.monotonic + grace
            seek(dn, now)
        }
        pushStates(dn, now)
    }

    /// The DN is not provisioned any more: nobody sits there.
    mutating func lineGone(_ dn: DN, _ now: Instant) {
        guard let line = lines[dn] else { return }
        for session in line.seating { workFailed(session, .unknownDN, now) }
        for session in line.sessions {
            guard sessions[session]?.isConfirmed == true else {
                end(session, .loggedOut, now)
                continue
            }
            lineFailed(session, .notSeated, now)
            notify(session, .notProvisioned)
            unseat(session, now)
        }
    }

    /// It waits for nothing but news of its node.
    private func isAtRest(_ line: Line) -> Bool {
        line.live != nil && line.attempt == nil && !line.isStale && line.workAwaitedUntil == nil
            && line.sessions.contains { sessions[$0]?.absentUntil == nil }
    }

    mutating func sweepLines(_ now: Instant) {
        for dn in lines.due() {
            guard let line = lines[dn] else { continue }
            guard isWanted(line, now) else {
                if line.live != nil || line.attempt != nil || line.pausesUntil != nil { letGo(dn, now) }
                continue
            }
            if let until = line.adriftUntil, until <= now.monotonic, !line.isLost {
                lines[dn]!.isLost = true
                lines[dn]!.token = nil
                for session in line.sessions { notify(session, .lineLost) }
                pushStates(dn, now)
            }
            if let attempt = line.attempt, attempt.step == .connecting, attempt.until <= now.monotonic {
                tryNext(dn, now)
            } else if let until = line.pausesUntil, until <= now.monotonic {
                lines[dn]!.pausesUntil = nil
                if lines[dn]!.order.isEmpty { seek(dn, now) } else { tryNext(dn, now) }
            } else if line.live == nil {
                seek(dn, now)
            } else if let live = line.live, line.isStale || line.workAwaitedUntil.map({ $0 <= now.monotonic }) == true {
                refresh(dn, at: live, now)
            }
            if let line = lines[dn], !isAtRest(line) { lines.watch(dn) }
        }
    }
}
