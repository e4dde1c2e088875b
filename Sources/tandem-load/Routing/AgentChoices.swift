import AgentSessions
import ClusterModel
import LinuxSystem
import TargetSelection

/// What it takes to find an agent among many, without processes and messages. All agents are free, and who was found becomes free
/// again before the next one is looked for.
struct AgentChoices {
    private static let firstDN = 100_000
    private static let point = DN("8000")!
    private static let node = NodeIndex(0)

    private let strategy: RoutingStrategy
    private let rows: [AgentRow]

    init(_ strategy: RoutingStrategy, agents: Int) {
        self.strategy = strategy
        rows = (0..<agents).map { number in
            AgentRow(
                dn: DN("\(Self.firstDN + number)")!, agent: AgentID("agent\(number)")!, status: .ready,
                // One after the other, but not in the order of their DNs.
                since: UInt64(number) * 7919 % UInt64(agents), location: number % 2 == 0 ? "dc1" : "dc2")
        }
    }

    /// The median of many choices.
    func choiceNanoseconds(_ count: Int) -> Double {
        var index = AgentIndex(classes: [TargetClass(strategy)], limit: rows.count, seed: 1)
        for row in rows { _ = index.told(row) }
        return median(count) { number in
            let start = SystemClock.monotonicNanoseconds()
            let choice = index.choose(TargetClass(strategy), .anywhere, excluding: [])
            let end = SystemClock.monotonicNanoseconds()
            if let choice, let row = index.row(of: choice.dn) {
                index.take(choice.dn)
                index.rest(choice.dn, until: .max)
                _ = index.told(returned(row, number))
            }
            return end - start
        }
    }

    /// The median of the time from a node's question to what the router asks for.
    func requestNanoseconds(_ count: Int) -> Double {
        var machine = RouterMachine(
            RouterMachine.Setup(routingPoints: [RoutingPoint(dn: Self.point, strategy: strategy)], seed: 1))
        let now = SystemClock.now()
        for row in rows { machine.agentTold(row, now: now) }
        machine.nodeConnected(Self.node, now: now)
        return median(count) { number in
            let now = SystemClock.now()
            let request = RouteRequest(
                connection: CallConnection(rawValue: UInt64(number)), routingPoint: Self.point, location: "dc1")
            let start = SystemClock.monotonicNanoseconds()
            machine.routeRequested(Self.node, request, now: now)
            let end = SystemClock.monotonicNanoseconds()
            finish(&machine, number, now)
            return end - start
        }
    }

    /// The agent is reserved, gets the call, and is free again.
    private func finish(_ machine: inout RouterMachine, _ number: Int, _ now: Instant) {
        guard case .reserve(_, let reference, let dn, let agent, let priority) = machine.actions.last,
            let position = Int("\(dn)").map({ $0 - Self.firstDN })
        else { return }
        let token = ReservationToken(
            dn: dn, claim: .zero, lineage: Incarnation(rawValue: 1), number: UInt64(number))
        machine.reserved(
            Self.node, reference,
            Reservation(token: token, agent: agent, priority: priority, milliseconds: 10_000), now: now)
        guard case .route(_, let route, _, _, _) = machine.actions.last else { return }
        machine.routed(Self.node, route, now: now)
        machine.agentTold(returned(rows[position], number), now: now)
        machine.actions.removeAll(keepingCapacity: true)
    }

    private func returned(_ row: AgentRow, _ number: Int) -> AgentRow {
        var row = row
        row.since = UInt64(rows.count + number)
        return row
    }

    private func median(_ count: Int, _ sample: (Int) -> UInt64) -> Double {
        let times = (0..<max(1, count)).map { Double(sample($0)) }.sorted()
        return FigureTable.quantile(0.5, of: times)
    }
}
