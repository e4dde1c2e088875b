import AgentSessions
import ClusterModel
import TargetSelection

/// A router under random events, with nodes that answer, refuse, lose answers, and are lost.
struct Game {
    static let agentCount = 12
    static let callCount: UInt64 = 10

    let machine: Desk
    var shadow: Shadow
    var random: SeededRandom
    var now = at(0)
    var connected: Set<NodeIndex> = [alpha, beta]
    /// Those that the present snapshot has told of; nil where there is none.
    var snapshot: Set<DN>?
    /// Agents whose reservations have to be taken back by the present event.
    var expectedCancels: [DN] = []
    var reservations = 0
    var served = 0
    var givenUp = 0
    var overflows = 0
    var skilled = 0
    var unreachable = 0
    var turnedAway = 0
    var positions = 0
    var problems: [String] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        let ageing: UInt64 = [0, 1_000_000_000, 30_000_000_000][Int(seed % 3)]
        shadow = Shadow(ageing: ageing)
        machine = Desk {
            $0.seed = seed
            $0.maximumCalls = 16
            $0.maximumRefusedRoutes = .max
            $0.patience = 1 << 50
            $0.ageing = ageing
            $0.positionsAtATime = .max
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
        let point = points[random.below(points.count)]
        let request = RouteRequest(
            connection: call(UInt64(random.below(Int(Self.callCount)))), routingPoint: point.dn, tried: tried,
            location: "dc\(random.below(2))", priority: point.priority,
            waited: random.below(3) == 0 ? UInt64(random.below(5000)) : 0)
        let key = Shadow.Key(node: node, connection: request.connection)
        var former = connected.contains(node) ? shadow.calls[key] : nil
        let otherPoint = former.map { $0.request.routingPoint != request.routingPoint } ?? false
        if otherPoint, let call = former {
            leave(key, call)
            former = nil
        }
        if former == nil, connected.contains(node), shadow.calls.count < 16 {
            shadow.add(key, request, now)
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
            shadow.free(agent)
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
            number, status[random.below(9)], since: now.wallMilliseconds, "dc\(random.below(8) == 0 ? 1 : number % 2)",
            shadow.agents[dn(number)]?.row.profile ?? .none)
        if random.below(4) == 0, let known = shadow.agents[row.dn]?.row { row = known }
        if random.below(4) == 0 {
            row.profile = profile(
                english: random.below(8), german: random.below(4), priority: random.below(3))
        }
        let former = shadow.agents[row.dn]
        var agent = former ?? Shadow.Agent(row: row)
        let isNews =
            agent.row.status != row.status || agent.row.since != row.since || agent.row.profile != row.profile
        if isNews {
            agent.restsUntil = nil
            agent.shunned = [:]
        }
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
            if question.isRoute {
                shadow.rest(question.dn, now)
                expectedCancels.append(question.dn)
                return check(machine.routeRefused(reference, by: node, at: time))
            }
            guard random.below(2) == 0 else {
                shadow.rest(question.dn, now)
                return check(machine.refused(reference, by: node, at: time))
            }
            unreachable += 1
            shadow.agents[question.dn]?.shunned[node] = now.monotonic + 2_000_000_000
            shadow.free(question.dn)
            return check(machine.refused(reference, by: node, .unreachable, at: time))
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
            check(machine.refused(reference, by: node, .unreachable, at: time))
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
        noteWhoWaits()
        checkPositions()
        expect(machine.machine.nextDeadline.map { $0 > now.monotonic } ?? true, "a deadline is left over")
    }
}
