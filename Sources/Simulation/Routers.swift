import AgentSessions
import ClusterModel
import NodeCore
import Statistics
import TLibraryPorts
import TargetSelection

/// A data center's router and Stat Server. The router is connected to the default port of every node there, the Stat Server
/// monitors one of them.
struct SimulatedRouter: Sendable {
    let dataCenter: Int
    let nodes: [NodeIndex]
    let statNode: NodeIndex
    var machine: RouterMachine
    var board: StatBoard
    /// Of the calls at the routing points of `statNode`.
    var points: PointBoard
    /// What the router has heard of the Stat Server.
    var subscription = StatSubscription()
    var isNewsPlanned = false
    var tickPlanned = UInt64.max
    /// Lives are counted, so that ticks of a former one are none.
    var life: UInt64 = 0
    /// Until when the process is down, or does not run.
    var downUntil: UInt64 = 0
    var stalledUntil: UInt64 = 0
    var statDownUntil: UInt64 = 0
    var isFeedLost = true
    /// Calls by the numbers of the requests that send them somewhere, and how often that was refused.
    var orders: [UInt32: CallConnection] = [:]
    var refusals: [CallConnection: Int] = [:]
}

/// A router's client of a node's default port: every request is answered once.
struct ModelRouter: Sendable {
    /// Requests that are on their way to the node.
    var outgoing: [TRequest] = []
    private(set) var questions: Set<UInt32> = []
    private(set) var registered = 0
    private(set) var problem: String?

    mutating func asks(_ request: TRequest) { questions.insert(request.referenceID) }

    mutating func disconnected() { self = ModelRouter() }

    mutating func hear(_ event: TEvent) {
        switch event {
        case .registered(let id, _, _):
            registered += 1
            answered(id)
        case .agentReserved(let id, _), .done(let id), .error(let id, _), .routeUsed(let id?, _, _, _): answered(id)
        case .routeRequest, .routeUsed, .routeEnded, .serverInfo, .linkConnected, .linkDisconnected: break
        case .unregistered, .addressInfo, .monitoring, .serviceChanged, .status, .endOfSnapshot, .ownerUnreachable,
            .ownerReachable, .ownerHint, .moveHint, .agent, .call, .point:
            problem = "a router was told \(event)"
        }
    }

    private mutating func answered(_ id: UInt32) {
        if questions.remove(id) == nil { problem = "answer \(id) answers nothing" }
    }
}

// Routers and Stat Servers.
extension ClusterSimulation {
    mutating func makeRouters() {
        guard plan.calls != nil else { return }
        for dataCenter in topology.dataCenters.indices {
            let there = topology.nodes.indices.filter { topology.nodes[$0].dataCenter == dataCenter }
            guard !there.isEmpty else { continue }
            let draw = mixed(plan.seed ^ UInt64(dataCenter + 77))
            routers.append(
                SimulatedRouter(
                    dataCenter: dataCenter, nodes: there.map { NodeIndex($0) },
                    statNode: NodeIndex(there[Int(draw % UInt64(there.count))]),
                    machine: newRouter(dataCenter, life: 0),
                    board: newBoard(), points: newPoints()))
        }
    }

    private func newRouter(_ dataCenter: Int, life: UInt64) -> RouterMachine {
        var setup = RouterMachine.Setup(
            routingPoints: topology.routingPoints, seed: mixed(plan.seed ^ UInt64(dataCenter) ^ life << 8))
        // The numbers before are those of registrations.
        setup.lastReference = 1000
        setup.ageing = topology.timing.ageing.nanoseconds
        return RouterMachine(setup)
    }

    private func newBoard() -> StatBoard {
        var setup = StatBoard.Setup(
            locations: topology.nodes.map { topology.dataCenters[$0.dataCenter].name })
        setup.ringCapacity = plan.feedCapacity
        setup.firstSequence = now / .microsecond
        setup.faults = injection?.faults ?? .none
        return StatBoard(setup)
    }

    private func newPoints() -> PointBoard {
        PointBoard(PointBoard.Setup(points: topology.routingPoints, nodeCount: topology.nodes.count))
    }

    /// Processes other than nodes have sound clocks.
    var outside: Instant {
        Instant(monotonic: now, wallMilliseconds: Self.epochMilliseconds + now / .millisecond)
    }

    func router(of node: NodeIndex) -> Int? {
        routers.firstIndex { $0.dataCenter == topology.nodes[node.position].dataCenter }
    }

    // MARK: The router's connections

    /// When a router or Stat Server that is down can connect again.
    func mayConnect(_ node: NodeIndex, _ kind: SimulatedClient.Kind) -> UInt64 {
        guard let router = router(of: node) else { return 0 }
        switch kind {
        case .router: return routers[router].downUntil
        case .statistics: return routers[router].statDownUntil
        case .monitor, .desktop, .reserver: return 0
        }
    }

    mutating func routerConnected(_ node: NodeIndex) {
        for (position, point) in topology.routingPoints.enumerated() {
            ask(
                .registerAddress(referenceID: UInt32(position + 1), dn: point.dn.description, takeover: false), of: node
            )
        }
    }

    private mutating func ask(_ request: TRequest, of node: NodeIndex) {
        guard let id = nodes[node.position].clients[SimulatedClient.router].id else { return }
        nodes[node.position].clients[SimulatedClient.router].router.outgoing.append(request)
        let wait = 20 * .microsecond + mixed(now ^ id.rawValue ^ UInt64(request.referenceID)) % (3 * .millisecond)
        schedule(.routerAsks(node, client: id.rawValue), after: wait)
    }

    /// The next request of a router arrives at a node.
    mutating func routerAsks(_ node: NodeIndex, _ client: UInt64) {
        guard nodes[node.position].isUp, let id = nodes[node.position].clients[SimulatedClient.router].id,
            id.rawValue == client, !nodes[node.position].clients[SimulatedClient.router].router.outgoing.isEmpty
        else { return }
        let request = nodes[node.position].clients[SimulatedClient.router].router.outgoing.removeFirst()
        nodes[node.position].clients[SimulatedClient.router].router.asks(request)
        sayInDetail("the router asks \(name(node)): \(Words.of(request))")
        cores[node.position].requestReceived(request, from: id, now: instant(node))
        touch(node)
    }

    mutating func routerHears(_ node: NodeIndex, _ event: TEvent) {
        nodes[node.position].clients[SimulatedClient.router].router.hear(event)
        guard let router = router(of: node) else { return }
        let now = outside
        switch event {
        case .registered:
            guard nodes[node.position].clients[SimulatedClient.router].router.registered == CallPlan.points.count
            else { return }
            count(.routerConnected)
            routers[router].machine.nodeConnected(node, now: now)
        case .routeRequest(var request):
            count(request.tried.isEmpty ? .routeAsked : .routeAskedAgain)
            request.location = topology.dataCenters[routers[router].dataCenter].name
            routers[router].refusals[request.connection] = 0
            routers[router].machine.routeRequested(node, request, now: now)
        case .agentReserved(let id, let reservation):
            count(.routerReserved)
            routers[router].machine.reserved(node, id, reservation, now: now)
        case .error(let id, let error):
            if let connection = routers[router].orders.removeValue(forKey: id) {
                count(.routeRefused)
                routers[router].refusals[connection, default: 0] += 1
                routers[router].machine.routeRefused(node, id, now: now)
            } else {
                let isUnheard = error == .ownerUnreachable || error == .timedOut
                routers[router].machine.reservationRefused(node, id, isUnheard ? .unreachable : .refused, now: now)
            }
        case .routeUsed(let id, let connection, _, _):
            if let id {
                count(.routeTaken)
                routers[router].orders[id] = nil
                routers[router].machine.routed(node, id, now: now)
            } else {
                count(.routeOverruled)
                routers[router].machine.routeEnded(node, connection, now: now)
            }
        case .routeEnded(let connection, _):
            routers[router].machine.routeEnded(node, connection, now: now)
        case .serverInfo, .linkConnected, .linkDisconnected, .ownerHint, .moveHint, .unregistered, .addressInfo,
            .monitoring,
            .agent, .done, .call, .point, .serviceChanged, .status, .endOfSnapshot, .ownerUnreachable, .ownerReachable:
            break
        }
        settleRouter(router)
    }

    /// Carries out what a router wants done.
    private mutating func settleRouter(_ router: Int) {
        var due: [RouterAction] = []
        swap(&due, &routers[router].machine.actions)
        for action in due {
            switch action {
            case .reserve(let node, let reference, let dn, let agent, let priority):
                invariantNobodyIsOvertaken(router, node, reference, dn)
                let request = ReservationRequest(priority: priority, agent: agent)
                ask(.reserveAgent(referenceID: reference, dn: dn.description, request), of: node)
            case .cancelReservation(let node, let reference, let dn):
                let request = ReservationRequest(duration: .cancel)
                ask(.reserveAgent(referenceID: reference, dn: dn.description, request), of: node)
            case .route(let node, let reference, let connection, _, let token):
                routers[router].orders[reference] = connection
                if token == nil { count(.callTurnedAway) }
                if let token { tokensOfCalls[connection, default: []].append(token) }
                ask(.routeCall(referenceID: reference, connection, token), of: node)
            case .tellPosition(let node, let reference, let connection, let position, let waiting):
                let word = QueuePosition(position: UInt32(clamping: position), waiting: UInt32(clamping: waiting))
                ask(.queuePosition(referenceID: reference, connection, word), of: node)
            }
        }
        invariantLinesAreBounded(router)
        guard let deadline = routers[router].machine.nextDeadline, deadline < routers[router].tickPlanned else {
            return
        }
        routers[router].tickPlanned = deadline
        schedule(.routerTick(router, life: routers[router].life), after: max(deadline, now + 1) - now)
    }

    mutating func routerTick(_ router: Int, life: UInt64) {
        guard routers[router].life == life else { return }
        let until = routers[router].stalledUntil
        if until > now { return schedule(.routerTick(router, life: life), after: until - now) }
        routers[router].tickPlanned = .max
        routers[router].machine.tick(now: outside)
        settleRouter(router)
    }

    /// The router or Stat Server has no connection to a node any more.
    mutating func lostConnection(to node: NodeIndex, _ kind: SimulatedClient.Kind) {
        guard let router = router(of: node) else { return }
        switch kind {
        case .router:
            routers[router].machine.nodeLost(node, now: outside)
            settleRouter(router)
        case .statistics:
            guard !routers[router].isFeedLost else { return }
            count(.statFeedLost)
            routers[router].isFeedLost = true
            routers[router].board.feedLost(now: outside)
            routers[router].points.feedLost(of: node)
            invariantLostFeedsShowNothing(router)
            planNews(router)
        case .monitor, .desktop, .reserver: break
        }
    }

    // MARK: The Stat Server

    mutating func statServerHears(_ node: NodeIndex, _ event: TEvent) {
        guard let router = router(of: node) else { return }
        let now = outside
        let subscriber = nodes[node.position].clients[SimulatedClient.statistics].subscriber
        var dns: [DN] = []
        switch event {
        case .monitoring(_, let isResumed, _, _):
            routers[router].isFeedLost = false
            if isResumed {
                count(.statFeedResumed)
                routers[router].points.feedResumed(of: node)
                dns = (0..<topology.directory.count).map { topology.directory.dn(at: DNIndex($0)) }
            } else {
                routers[router].board.snapshotBegan()
                routers[router].points.snapshotBegan(of: node)
            }
        case .endOfSnapshot:
            routers[router].board.snapshotEnded(now: now)
            routers[router].points.snapshotEnded(of: node, now: now)
        case .point(var event, _):
            // How long ago it was the node says by its own clock.
            let age = instant(node).wallMilliseconds - min(instant(node).wallMilliseconds, event.time)
            event.time = now.wallMilliseconds - min(now.wallMilliseconds, age)
            routers[router].points.told(event, by: node, now: now)
        case .status(let statuses, _): dns = statuses.map(\.dn)
        case .serviceChanged(let status, _): dns = [status.dn]
        case .agent(let event, _, _): dns = [event.dn]
        case .call(let event, _): dns = [event.dn]
        case .serverInfo, .linkConnected, .linkDisconnected, .ownerHint, .moveHint, .error, .registered, .unregistered,
            .addressInfo,
            .agentReserved, .done, .routeRequest, .routeUsed, .routeEnded, .ownerUnreachable, .ownerReachable:
            break
        }
        for name in dns {
            guard let dn = topology.directory.index(of: name), let view = subscriber.view(of: dn) else { continue }
            routers[router].board.told(name, view, now: now)
        }
        planNews(router)
    }

    private mutating func planNews(_ router: Int) {
        let isBehind =
            routers[router].subscription.sequence != routers[router].board.sequence
            || !routers[router].subscription.isWhole
        guard isBehind, !routers[router].isNewsPlanned else { return }
        routers[router].isNewsPlanned = true
        let draw = mixed(now ^ routers[router].board.sequence) % (5 * .millisecond)
        schedule(.statNews(router), after: 50 * .microsecond + draw)
    }

    /// The Stat Server tells the router what has changed.
    mutating func statNews(_ router: Int) {
        let until = max(routers[router].stalledUntil, max(routers[router].downUntil, routers[router].statDownUntil))
        if until > now { return schedule(.statNews(router), after: until - now) }
        routers[router].isNewsPlanned = false
        var subscription = routers[router].subscription
        let news = routers[router].board.news(for: &subscription, limit: max(1, plan.feedChunk))
        routers[router].subscription = subscription
        let now = outside
        for item in news {
            switch item {
            case .snapshotBegan: routers[router].machine.snapshotBegan()
            case .row(let row):
                fold.add(row.since ^ UInt64(row.status.rawValue))
                sayInDetail("router \(router) hears that \(row.agent) on \(row.dn) is \(row.status.word)")
                routers[router].machine.agentTold(row, now: now)
            case .snapshotEnded: routers[router].machine.snapshotEnded()
            }
        }
        settleRouter(router)
        planNews(router)
    }

    // MARK: What goes wrong

    mutating func crashRouter(_ router: Int, downFor time: UInt64) {
        guard routers.indices.contains(router) else { return }
        routers[router].downUntil = max(routers[router].downUntil, now + time)
        for node in routers[router].nodes { drop(node, SimulatedClient.router, again: time) }
        routers[router].life += 1
        routers[router].machine = newRouter(routers[router].dataCenter, life: routers[router].life)
        routers[router].tickPlanned = .max
        routers[router].orders = [:]
        routers[router].refusals = [:]
        routers[router].subscription = StatSubscription()
        planNews(router)
    }

    mutating func stallRouter(_ router: Int, for time: UInt64) {
        guard routers.indices.contains(router) else { return }
        routers[router].stalledUntil = now + time
        for node in routers[router].nodes {
            nodes[node.position].clients[SimulatedClient.router].stalledUntil = now + time
        }
    }

    mutating func crashStatServer(_ router: Int, downFor time: UInt64) {
        guard routers.indices.contains(router) else { return }
        routers[router].statDownUntil = max(routers[router].statDownUntil, now + time)
        let node = routers[router].statNode
        drop(node, SimulatedClient.statistics, again: time)
        nodes[node.position].clients[SimulatedClient.statistics].subscriber = ModelSubscriber(
            dnCount: topology.directory.count, isToldStepByStep: false)
        routers[router].board = newBoard()
        routers[router].points = newPoints()
        // Nothing is known of what it had not finished telling.
        if !routers[router].subscription.isWhole { routers[router].subscription = StatSubscription() }
        planNews(router)
    }

    mutating func loseFeed(_ router: Int, for time: UInt64) {
        guard routers.indices.contains(router) else { return }
        drop(routers[router].statNode, SimulatedClient.statistics, again: time)
    }
}
