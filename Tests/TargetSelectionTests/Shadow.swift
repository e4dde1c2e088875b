import AgentSessions
import ClusterModel
import TargetSelection

/// What must hold of a router, worked out anew from everything that it was told and has done.
struct Shadow {
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
