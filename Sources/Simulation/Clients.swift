import ClusterModel
import NodeCore
import TLibraryPorts

/// A client of one node's T-Controller port.
struct SimulatedClient: Sendable {
    enum Kind: Equatable, Sendable {
        case monitor(MonitorOptions)
        case desktop
        /// It wants agents, as routers do.
        case reserver
        /// Of the default port.
        case router
        /// It monitors for a Stat Server.
        case statistics

        var monitorOptions: MonitorOptions? {
            switch self {
            case .monitor(let options): options
            case .statistics: MonitorOptions()
            case .desktop, .reserver, .router: nil
            }
        }
    }

    let kind: Kind
    /// Nil while it is not connected; another one for every connection.
    var id: ClientID?
    var stalledUntil: UInt64 = 0
    var isReadPlanned = false
    var subscriber: ModelSubscriber
    var desktop: ModelDesktop
    var links: ModelLinks
    var reserver = ModelReserver()
    var router = ModelRouter()

    /// Where the two desktops and the reserver stand.
    static let firstDesktop = 3
    static let reserver = 5
    /// Where there are calls, a router's client and a Stat Server's.
    static let router = 6
    static let statistics = 7

    /// One is told of each DN, one understands owner events, one has filters, two are desktops, one reserves agents.
    static func all(of topology: Topology, isFiltered: Bool) -> [SimulatedClient] {
        var filter = MonitorOptions(ownedHereOnly: !isFiltered)
        if isFiltered {
            let first = DN(decimal: UInt64(ClusterSimulation.firstPhone + 2), length: 4)
            let last = DN(decimal: UInt64(ClusterSimulation.firstDesktop), length: 4)
            filter.ranges = [DNRange(first: first, last: last)]
        }
        let kinds: [Kind] = [
            .monitor(MonitorOptions()), .monitor(MonitorOptions(acceptsOwnerEvents: true)), .monitor(filter), .desktop,
            .desktop, .reserver,
        ]
        let count = topology.directory.count
        return kinds.map { kind in
            SimulatedClient(
                kind: kind,
                subscriber: ModelSubscriber(dnCount: count, isToldStepByStep: kind == .monitor(filter) && !isFiltered),
                desktop: ModelDesktop(dnCount: count), links: ModelLinks(nodeCount: topology.nodes.count))
        }
    }

    static func forCalls(of topology: Topology, hasStatServer: Bool) -> [SimulatedClient] {
        let count = topology.directory.count
        return (hasStatServer ? [.router, .statistics] : [Kind.router]).map { kind in
            SimulatedClient(
                kind: kind, subscriber: ModelSubscriber(dnCount: count, isToldStepByStep: false),
                desktop: ModelDesktop(dnCount: count), links: ModelLinks(nodeCount: topology.nodes.count))
        }
    }

    mutating func connectionEnded() {
        id = nil
        router.disconnected()
        desktop.disconnected()
        reserver.disconnected()
        links.disconnected()
    }
}

extension ClusterSimulation {
    mutating func connectClient(_ node: NodeIndex, _ client: Int) {
        guard nodes[node.position].isUp, nodes[node.position].clients[client].id == nil else { return }
        let kind = nodes[node.position].clients[client].kind
        let start = max(nodes[node.position].clients[client].stalledUntil, mayConnect(node, kind))
        if start > now { return schedule(.connectClient(node, client: client), after: start - now) }
        lastClient += 1
        let id = ClientID(rawValue: lastClient)
        nodes[node.position].clients[client].id = id
        cores[node.position].clientConnected(id, at: kind == .router ? .default : .tcontroller)
        cores[node.position].clientIntroduced(id)
        if kind == .router { routerConnected(node) }
        if var options = kind.monitorOptions {
            options.resume = nodes[node.position].clients[client].subscriber.resume()
            say(
                "client \(client) of \(name(node)) monitors, resuming at \(options.resume.map { "\($0)" } ?? "nothing")"
            )
            cores[node.position].requestReceived(
                .monitorAll(referenceID: 1, options), from: id, now: instant(node))
        }
        touch(node)
    }

    func client(_ id: ClientID, of node: NodeIndex) -> Int? {
        nodes[node.position].clients.firstIndex { $0.id == id }
    }

    mutating func planReading(_ node: NodeIndex, _ id: ClientID) {
        guard let client = client(id, of: node), !nodes[node.position].clients[client].isReadPlanned else { return }
        nodes[node.position].clients[client].isReadPlanned = true
        let wait = 10 * .microsecond + mixed(now ^ id.rawValue) % (5 * .millisecond)
        schedule(.readClient(node, client: client), after: wait)
    }

    /// The node's process writes what the client has room for.
    mutating func readClient(_ node: NodeIndex, _ client: Int) {
        nodes[node.position].clients[client].isReadPlanned = false
        guard nodes[node.position].isUp, let id = nodes[node.position].clients[client].id else { return }
        if nodes[node.position].clients[client].stalledUntil > now {
            nodes[node.position].clients[client].isReadPlanned = true
            let wait = nodes[node.position].clients[client].stalledUntil - now
            return schedule(.readClient(node, client: client), after: wait)
        }
        for _ in 0..<8 {
            guard let event = cores[node.position].nextClientEvent(for: id) else {
                // The turn in which it has fallen off the feed is not over.
                guard !cores[node.position].ports.isAtItsEnd(id) else { return }
                invariantClientsKnowTheView(node, client)
                invariantClientsKnowTheLinks(node, client)
                invariantClientsKnowTheWaiting(node, client)
                if nodes[node.position].clients[client].kind == .statistics {
                    invariantStatServersKnowTheAgents(node)
                    invariantStatServersKnowTheCalls(node)
                }
                return
            }
            hear(event, node, client)
        }
        nodes[node.position].clients[client].isReadPlanned = true
        schedule(.readClient(node, client: client), after: 100 * .microsecond)
    }

    /// What the client's connection has room for is written before the node goes on as another.
    mutating func readAll(_ node: NodeIndex, _ client: Int) {
        guard nodes[node.position].clients[client].stalledUntil <= now, let id = nodes[node.position].clients[client].id
        else { return }
        while let event = cores[node.position].nextClientEvent(for: id) { hear(event, node, client) }
    }

    private mutating func hear(_ words: TEvent, _ node: NodeIndex, _ client: Int) {
        let event = told(words, by: node)
        sayInDetail("client \(client) of \(name(node)) hears \(Words.of(event, topology))")
        fold.add(Words.digest(of: event))
        nodes[node.position].clients[client].links.hear(event)
        if let transition = Transition(event) { count(transition) }
        switch nodes[node.position].clients[client].kind {
        case .monitor(let options):
            invariantClientsAreToldWhatTheyAskedFor(node, event, options)
            nodes[node.position].clients[client].subscriber.hear(event, topology.directory)
        case .desktop:
            nodes[node.position].clients[client].desktop.hear(event, at: node, topology.directory)
            if case .unregistered(nil, _, _) = event { count(.desktopSuperseded) }
            noteToken(event)
        case .reserver:
            nodes[node.position].clients[client].reserver.hear(event)
        case .router:
            routerHears(node, event)
        case .statistics:
            nodes[node.position].clients[client].subscriber.hear(event, topology.directory)
            statServerHears(node, event)
        }
        invariantClientsAreToldInOrder(node, client)
    }

    /// The node wants a client closed.
    mutating func cutOff(_ node: NodeIndex, _ id: ClientID, _ problem: ClientProblem) {
        guard let client = client(id, of: node) else {
            if departed.contains(id.rawValue) { return }
            return fail("invariantActionsAreLegal", "\(name(node)) closes a client that is not connected")
        }
        sayInDetail("\(name(node)) cuts off client \(client): \(problem.sentence)")
        count(.clientCutOff)
        end(node, client, id, again: 50 * .millisecond)
    }

    mutating func clientLeaves(_ node: NodeIndex, _ client: Int, for time: UInt64) {
        guard nodes[node.position].isUp, nodes[node.position].pausedUntil <= now,
            let id = nodes[node.position].clients[client].id
        else { return }
        end(node, client, id, again: time)
        touch(node)
    }

    /// A client goes, whether its node runs or not.
    mutating func drop(_ node: NodeIndex, _ client: Int, again time: UInt64) {
        guard let id = nodes[node.position].clients[client].id else { return }
        departed.insert(id.rawValue)
        nodes[node.position].clients[client].connectionEnded()
        schedule(.clientGone(node, client: id.rawValue), after: 10 * .microsecond)
        schedule(.connectClient(node, client: client), after: max(time, 20 * .microsecond))
        lostConnection(to: node, nodes[node.position].clients[client].kind)
    }

    mutating func clientGone(_ node: NodeIndex, _ client: UInt64) {
        departed.remove(client)
        guard nodes[node.position].isUp else { return }
        cores[node.position].clientDisconnected(ClientID(rawValue: client), now: instant(node))
        touch(node)
    }

    private mutating func end(_ node: NodeIndex, _ client: Int, _ id: ClientID, again time: UInt64) {
        nodes[node.position].clients[client].connectionEnded()
        lostConnection(to: node, nodes[node.position].clients[client].kind)
        let dns = (plan.phoneCount..<topology.directory.count).map { DNIndex($0) }
        let held = dns.filter { inspect($0, at: node).isHeld }
        cores[node.position].clientDisconnected(id, now: instant(node))
        for dn in held where !inspect(dn, at: node).isHeld {
            nodes[node.position].seen[dn.position].graceEnds = now + plan.timing.desktopGrace.nanoseconds
        }
        schedule(.connectClient(node, client: client), after: time)
    }

    // MARK: Desktops

    func desktop(_ desktop: Int, of node: NodeIndex) -> ClientID? {
        guard nodes[node.position].isUp, nodes[node.position].pausedUntil <= now else { return nil }
        return nodes[node.position].clients[SimulatedClient.firstDesktop + desktop].id
    }

    mutating func desktopRegisters(_ dn: Int, at node: NodeIndex, _ desktop: Int, takeover: Bool) {
        guard let id = self.desktop(desktop, of: node) else { return }
        cause = .desktop
        count(takeover ? .desktopTookOver : .desktopRegistered)
        let before = inspect(DNIndex(plan.phoneCount + dn), at: node)
        let isTooEarly = before.owner != node && isBeforeIntroduction(DNIndex(plan.phoneCount + dn), at: node)
        cores[node.position].requestReceived(
            .registerAddress(
                referenceID: 1, dn: String(Self.firstDesktop + dn), takeover: takeover, ownerHint: desktop == 1),
            from: id, now: instant(node))
        touch(node)
        let serves = !isTooEarly && (takeover || before.owner == node || !before.view.isInService)
        invariantDesktopsGetWhatTheyAsk(node, DNIndex(plan.phoneCount + dn), before, serves: serves)
    }

    mutating func desktopAsks(_ dn: Int, at node: NodeIndex, _ desktop: Int) {
        guard let id = self.desktop(desktop, of: node), let client = client(id, of: node) else { return }
        let dn = DNIndex(dn)
        let reference = nodes[node.position].clients[client].desktop.ask(dn)
        cores[node.position].requestReceived(
            .queryAddress(referenceID: reference, dn: name(dn)), from: id, now: instant(node))
        touch(node)
    }

    mutating func desktopUnregisters(_ dn: Int, at node: NodeIndex, _ desktop: Int) {
        guard let id = self.desktop(desktop, of: node) else { return }
        cause = .desktop
        cores[node.position].requestReceived(
            .unregisterAddress(referenceID: 1, dn: String(Self.firstDesktop + dn)), from: id, now: instant(node))
        touch(node)
    }
}
