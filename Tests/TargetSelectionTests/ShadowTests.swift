import AgentSessions
import ClusterModel
import TargetSelection
import Testing

/// What must hold of a router, worked out anew from everything that it was told and has done.
private struct Shadow {
    struct Call {
        let node: NodeIndex
        var request: RouteRequest
        let came: Instant
        let ticket: Int
        var agent: DN?
    }

    struct Agent {
        var row: AgentRow
        var isTaken = false
        var restsUntil: UInt64?

        func isOffered(_ now: Instant) -> Bool {
            row.status == .ready && !isTaken && restsUntil.map { $0 <= now.monotonic } ?? true
        }
    }

    struct Key: Hashable {
        let node: NodeIndex
        let connection: CallConnection
    }

    struct Question {
        let key: Key
        let dn: DN
        let isRoute: Bool
        let since: Instant
    }

    var calls: [Key: Call] = [:]
    var agents: [DN: Agent] = [:]
    /// By reference.
    var questions: [UInt32: Question] = [:]
    var tickets = 0

    /// Whether a call may have an agent now.
    func fits(_ call: Call, _ agent: Agent, _ now: Instant) -> Bool {
        guard !call.request.tried.contains(agent.row.dn),
            let point = points.first(where: { $0.dn == call.request.routingPoint })
        else { return false }
        return !point.prefersSameLocation || call.request.location == agent.row.location
            || now.monotonic >= call.came.monotonic + point.overflow.nanoseconds
    }

    mutating func rest(_ dn: DN, _ now: Instant) {
        agents[dn]?.isTaken = false
        agents[dn]?.restsUntil = now.monotonic + 2_000_000_000
        if agents[dn]?.row.status == .loggedOut { agents[dn] = nil }
    }

    mutating func end(_ key: Key) {
        for (reference, question) in questions where question.key == key { questions[reference] = nil }
        calls[key] = nil
    }
}

/// A router under random events, with nodes that answer, refuse, lose answers, and are lost.
private struct Game {
    static let agentCount = 12
    static let callCount: UInt64 = 10

    let machine: Desk
    var shadow = Shadow()
    var random: SeededRandom
    var now = at(0)
    var connected: Set<NodeIndex> = [alpha, beta]
    /// Those that the present snapshot has told of; nil where there is none.
    var snapshot: Set<DN>?
    var reservations = 0
    var served = 0
    var givenUp = 0
    var overflows = 0
    var problems: [String] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        machine = Desk {
            $0.seed = seed
            $0.maximumCalls = 16
            $0.maximumRefusedRoutes = .max
            $0.patience = 1 << 50
        }
    }

    mutating func expect(_ condition: Bool, _ problem: String) {
        if !condition { problems.append("at \(now.monotonic / 1_000_000): \(problem)") }
    }

    // MARK: Events

    mutating func step() {
        now = now.advanced(by: UInt64(random.below(40)) * 1_000_000)
        tick()
        let node = random.below(3) == 0 ? beta : alpha
        switch random.below(1000) {
        case 0..<300: request(node)
        case 300..<360: end(node)
        case 360..<700: tellAgent()
        case 700..<950: answer()
        case 950..<980: answerLate(node)
        case 980..<996: beginOrEndSnapshot()
        case 996..<998: lose(node)
        default: connect(node)
        }
        settle()
    }

    private mutating func request(_ node: NodeIndex) {
        let tried = (0..<random.below(4)).map { _ in dn(random.below(Self.agentCount)) }
        let request = RouteRequest(
            connection: call(UInt64(random.below(Int(Self.callCount)))), routingPoint: points[random.below(4)].dn,
            tried: tried, location: "dc\(random.below(2))")
        let key = Shadow.Key(node: node, connection: request.connection)
        var former = connected.contains(node) ? shadow.calls[key] : nil
        let otherPoint = former.map { $0.request.routingPoint != request.routingPoint } ?? false
        if otherPoint, let call = former {
            leave(key, call)
            former = nil
        }
        if former == nil, connected.contains(node), shadow.calls.count < 16 {
            shadow.tickets += 1
            shadow.calls[key] = Shadow.Call(
                node: node, request: request, came: now, ticket: shadow.tickets)
        } else if former != nil {
            shadow.calls[key]?.request = request
        }
        _ = former?.agent.map { if tried.contains($0) { giveUp(key, $0) } }
        check(machine.requested(request, by: node, at: now.monotonic / 1_000_000), new: former == nil ? key : nil)
    }

    /// The call of a key ends, or becomes another one.
    private mutating func leave(_ key: Shadow.Key, _ call: Shadow.Call) {
        let question = shadow.questions.values.first { $0.key == key }
        shadow.end(key)
        guard let agent = call.agent else { return }
        expectedCancels.append(agent)
        if question?.isRoute == true {
            shadow.rest(agent, now)
        } else {
            shadow.agents[agent]?.isTaken = false
            if shadow.agents[agent]?.row.status == .loggedOut { shadow.agents[agent] = nil }
        }
    }

    private mutating func giveUp(_ key: Shadow.Key, _ agent: DN) {
        for (reference, question) in shadow.questions where question.key == key { shadow.questions[reference] = nil }
        shadow.calls[key]?.agent = nil
        shadow.rest(agent, now)
        expectedCancels.append(agent)
    }

    private mutating func end(_ node: NodeIndex) {
        let connection = call(UInt64(random.below(Int(Self.callCount))))
        let key = Shadow.Key(node: node, connection: connection)
        if let call = shadow.calls[key] { leave(key, call) }
        check(machine.ended(connection.rawValue, by: node, at: now.monotonic / 1_000_000))
    }

    private mutating func tellAgent() {
        let number = random.below(Self.agentCount)
        let status: [AgentStatus] = [.ready, .ready, .ready, .ready, .ready, .ready, .busy, .loggedOut, .unknown]
        var row = row(
            number, status[random.below(9)], since: now.wallMilliseconds, "dc\(random.below(8) == 0 ? 1 : number % 2)")
        if random.below(4) == 0, let known = shadow.agents[row.dn]?.row { row = known }
        let former = shadow.agents[row.dn]
        var agent = former ?? Shadow.Agent(row: row)
        let isNews = agent.row.status != row.status || agent.row.since != row.since
        if isNews { agent.restsUntil = nil }
        agent.row = row
        shadow.agents[row.dn] = row.status == .loggedOut && !agent.isTaken ? nil : agent
        snapshot?.insert(row.dn)
        check(machine.told(row, at: now.monotonic / 1_000_000))
    }

    /// Answers to some questions are lost.
    private mutating func answer() {
        guard let reference = shadow.questions.keys.sorted().filter({ $0 % 10 > 0 }).randomElement(using: &random),
            let question = shadow.questions[reference],
            let number = (0..<Self.agentCount).first(where: { dn($0) == question.dn })
        else { return }
        let (node, time) = (question.key.node, now.monotonic / 1_000_000)
        let isGranted = random.below(3) > 0
        shadow.questions[reference] = nil
        guard isGranted else {
            shadow.calls[question.key]?.agent = nil
            shadow.rest(question.dn, now)
            if question.isRoute { expectedCancels.append(question.dn) }
            let actions =
                question.isRoute
                ? machine.routeRefused(reference, by: node, at: time) : machine.refused(reference, by: node, at: time)
            return check(actions)
        }
        if question.isRoute {
            shadow.end(question.key)
            shadow.rest(question.dn, now)
            served += 1
            check(machine.routed(reference, by: node, at: time))
        } else {
            check(machine.reserved(reference, number, by: node, at: time))
        }
    }

    /// An answer to what was taken back long ago, or was never asked, or an answer of the wrong kind.
    private mutating func answerLate(_ node: NodeIndex) {
        let reference = UInt32(1 + random.below(2 * reservations + 2))
        let question = shadow.questions[reference]
        let time = now.monotonic / 1_000_000
        if question?.isRoute != false {
            check(machine.reserved(reference, 0, by: node, at: time))
            check(machine.refused(reference, by: node, at: time))
        }
        guard question?.isRoute != true else { return }
        check(machine.routed(reference, by: node, at: time))
        check(machine.routeRefused(reference, by: node, at: time))
    }

    private mutating func beginOrEndSnapshot() {
        if let told = snapshot {
            snapshot = nil
            for (dn, agent) in shadow.agents where !told.contains(dn) {
                shadow.agents[dn]?.row.status = .loggedOut
                if !agent.isTaken { shadow.agents[dn] = nil }
            }
            machine.machine.snapshotEnded()
        } else {
            snapshot = []
            machine.machine.snapshotBegan()
        }
        check(machine.actions())
    }

    private mutating func lose(_ node: NodeIndex) {
        if connected.remove(node) != nil { forget(node) }
        machine.machine.nodeLost(node, now: now)
        check(machine.actions())
    }

    private mutating func connect(_ node: NodeIndex) {
        forget(node)
        connected.insert(node)
        machine.machine.nodeConnected(node, now: now)
        check(machine.actions())
    }

    private mutating func forget(_ node: NodeIndex) {
        for (key, call) in shadow.calls where key.node == node {
            shadow.end(key)
            if let agent = call.agent { shadow.rest(agent, now) }
        }
    }

    private mutating func tick() {
        for question in shadow.questions.values where question.since.monotonic + 3_000_000_000 <= now.monotonic {
            giveUp(question.key, question.dn)
            givenUp += 1
        }
        check(machine.tick(at: now.monotonic / 1_000_000))
        expect(machine.machine.nextDeadline.map { $0 > now.monotonic } ?? true, "a deadline is left over")
    }

    // MARK: What the machine has done

    /// Agents whose reservations have to be taken back by the present event.
    private var expectedCancels: [DN] = []

    /// - Parameter new: the call that has just come, for which the machine chooses; otherwise an agent chooses its call.
    private mutating func check(_ actions: [RouterAction], new: Shadow.Key? = nil) {
        var cancelled: [DN] = []
        for action in actions {
            switch action {
            case .reserve(let node, let reference, let dn, _, _): reserved(node, reference, dn, new)
            case .cancelReservation(_, let reference, let dn):
                expect(shadow.questions[reference] == nil, "\(reference) is under way")
                cancelled.append(dn)
            case .route(let node, let reference, let connection, let point, let dn, let token):
                let key = Shadow.Key(node: node, connection: connection)
                expect(shadow.questions[reference] == nil, "\(reference) is under way")
                expect(shadow.calls[key]?.agent == dn && token.dn == dn, "\(connection) goes to \(dn)")
                expect(shadow.calls[key]?.request.routingPoint == point, "\(connection) is elsewhere")
                shadow.questions[reference] = Shadow.Question(key: key, dn: dn, isRoute: true, since: now)
            }
        }
        expect(cancelled.sorted() == expectedCancels.sorted(), "took back \(cancelled), not \(expectedCancels)")
        expectedCancels = []
    }

    private mutating func reserved(_ node: NodeIndex, _ reference: UInt32, _ dn: DN, _ new: Shadow.Key?) {
        reservations += 1
        expect(shadow.questions[reference] == nil, "\(reference) is under way")
        expect(connected.contains(node), "\(node) is not heard")
        guard let agent = shadow.agents[dn] else { return expect(false, "\(dn) is nobody") }
        expect(agent.isOffered(now), "\(dn) is not offered")
        // The machine does not say for which call it is: for the first of this node that may have the agent. Calls of other nodes
        // that came earlier, and may have it too, have been passed over.
        let able = shadow.calls.filter { $0.value.agent == nil && shadow.fits($0.value, agent, now) }
            .sorted { $0.value.ticket < $1.value.ticket }
        guard let first = able.first(where: { $0.key.node == node }) else {
            return expect(false, "nobody at \(node) may have \(dn)")
        }
        expect(able.first?.key == first.key, "\(first.key) is served before \(able.map(\.key))")
        if first.key == new { checkChoice(first.value, agent) }
        let (request, location) = (first.value.request, agent.row.location)
        if request.routingPoint == strict, request.location != location { overflows += 1 }
        shadow.calls[first.key]?.agent = dn
        shadow.agents[dn]?.isTaken = true
        shadow.agents[dn]?.restsUntil = nil
        shadow.questions[reference] = Shadow.Question(key: first.key, dn: dn, isRoute: false, since: now)
    }

    /// The strategy's choice of all that the call may have.
    private mutating func checkChoice(_ call: Shadow.Call, _ agent: Shadow.Agent) {
        guard let point = points.first(where: { $0.dn == call.request.routingPoint }) else { return }
        var able = shadow.agents.values.filter { $0.isOffered(now) && shadow.fits(call, $0, now) }
        let isHere = { (agent: Shadow.Agent) in agent.row.location == call.request.location }
        if point.prefersSameLocation, able.contains(where: isHere) { able.removeAll { !isHere($0) } }
        expect(able.contains { $0.row.dn == agent.row.dn }, "\(agent.row.dn) is not near")
        guard point.strategy == .longestIdle else { return }
        expect(able.allSatisfy { $0.row.since >= agent.row.since }, "somebody was free before \(agent.row.dn)")
    }

    /// After every event.
    private mutating func settle() {
        for call in shadow.calls.values where call.agent == nil {
            for agent in shadow.agents.values where agent.isOffered(now) && shadow.fits(call, agent, now) {
                expect(false, "\(call.request.connection) waits while \(agent.row.dn) is free")
            }
        }
        let machine = machine.machine
        expect(machine.callCount == shadow.calls.count && machine.callCount <= 16, "\(machine.callCount) calls")
        expect(machine.waitingCount == shadow.calls.values.count { $0.agent == nil }, "\(machine.waitingCount) wait")
        expect(machine.offeredCount == shadow.agents.values.count { $0.isOffered(now) }, "offered")
        expect(machine.agentCount == shadow.agents.count, "agents")
        let busy = shadow.questions.values.map(\.dn)
        expect(Set(busy).count == busy.count, "an agent is asked twice")
        expect(Set(shadow.questions.values.map(\.key)).count == busy.count, "two agents are asked for a call")
    }
}

@Suite struct ShadowTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `whatever happens, calls are served in order, nobody twice, and none waits for nothing`(seed: UInt64) {
        var game = Game(seed: seed)
        for _ in 0..<20_000 where game.problems.isEmpty { game.step() }
        #expect(game.problems.isEmpty, "\(game.problems.prefix(3))")
        let counts = [game.reservations, game.served, game.givenUp, game.overflows]
        #expect(zip(counts, [1500, 300, 10, 40]).allSatisfy { $0 > $1 }, "\(counts)")
    }

    @Test func `a seed repeats exactly`() {
        func actions() -> [RouterAction] {
            let desk = Desk { $0.routingPoints = [RoutingPoint(dn: sales, strategy: .random)] }
            var random = SeededRandom(seed: 4)
            var actions: [RouterAction] = []
            for step in 0..<2000 {
                let time = UInt64(step) * 50
                actions += desk.told(row(random.below(40), since: time), at: time)
                actions += desk.requested(request(UInt64(random.below(50))), at: time)
                actions += desk.tick(at: time)
            }
            return actions
        }
        let first = actions()
        #expect(first.count > 100 && first == actions())
    }
}
