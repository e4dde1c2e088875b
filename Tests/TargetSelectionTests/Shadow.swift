import AgentSessions
import ClusterModel
import TargetSelection

/// What must hold of a router, worked out anew from everything that it was told and has done.
struct Shadow {
    struct Call {
        let node: NodeIndex
        var request: RouteRequest
        let came: Instant
        /// The lesser goes first: by age, and by what the priority is worth in nanoseconds.
        let order: [Int]
        var agent: DN?
        /// It has waited, and may go on waiting.
        var hasPlace = false
        var waitsSince: Instant?
        var toldPosition: Int?
        var toldAt: Instant?
    }

    struct Agent {
        var row: AgentRow
        var isTaken = false
        var restsUntil: UInt64?
        /// Nodes whose calls the agent does not get for a while.
        var shunned: [NodeIndex: UInt64] = [:]

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
    /// Nanoseconds; zero where priority is all that counts.
    let ageing: Int

    init(ageing: UInt64) {
        self.ageing = Int(ageing)
    }

    mutating func add(_ key: Key, _ request: RouteRequest, _ now: Instant) {
        tickets += 1
        let arrival = Int(now.monotonic) - Int(request.waited) * 1_000_000
        let order =
            ageing == 0
            ? [-request.priority, arrival, tickets] : [arrival - request.priority * ageing, tickets]
        calls[key] = Call(node: key.node, request: request, came: now, order: order)
    }

    func point(of call: Call) -> RoutingPoint? { points.first { $0.dn == call.request.routingPoint } }

    /// Whether a call may have an agent now.
    func fits(_ call: Call, _ agent: Agent, _ now: Instant) -> Bool {
        guard !call.request.tried.contains(agent.row.dn), let point = point(of: call),
            point.skills.allSatisfy({ agent.row.profile.level(of: $0.name) >= $0.level }),
            agent.shunned[call.node].map({ $0 <= now.monotonic }) ?? true
        else { return false }
        return !point.prefersSameLocation || call.request.location == agent.row.location
            || now.monotonic >= call.came.monotonic + point.overflow.nanoseconds
    }

    /// The calls that wait at a routing point, in their order.
    func waiting(at point: DN) -> [Key] {
        calls.filter { $0.value.agent == nil && $0.value.request.routingPoint == point }
            .sorted { $0.value.order.lexicographicallyPrecedes($1.value.order) }.map(\.key)
    }

    mutating func rest(_ dn: DN, _ now: Instant) {
        agents[dn]?.restsUntil = now.monotonic + 2_000_000_000
        free(dn)
    }

    /// The agent is not taken any more.
    mutating func free(_ dn: DN) {
        agents[dn]?.isTaken = false
        if agents[dn]?.row.status == .loggedOut { agents[dn] = nil }
    }

    mutating func end(_ key: Key) {
        for (reference, question) in questions where question.key == key { questions[reference] = nil }
        calls[key] = nil
    }
}
