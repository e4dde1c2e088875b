import AgentSessions
import ClusterModel
import TargetSelection

let alpha = NodeIndex(0)
let beta = NodeIndex(1)

func at(_ milliseconds: UInt64) -> Instant {
    Instant(monotonic: milliseconds * 1_000_000, wallMilliseconds: 1_700_000_000_000 + milliseconds)
}

/// The DN of agent number so-and-so.
func dn(_ number: Int) -> DN { DN(decimal: 1_000_000 + UInt64(number), length: 7) }

func agent(_ number: Int) -> AgentID { AgentID("agent\(number)")! }

/// Of agent 1, 2 and so on.
func row(
    _ number: Int, _ status: AgentStatus = .ready, since: UInt64 = 0, _ location: String = "dc1",
    _ profile: AgentProfile = .none
) -> AgentRow {
    AgentRow(
        dn: dn(number), agent: agent(number), status: status, since: since, location: location, profile: profile)
}

func skill(_ name: String, _ level: Int) -> Skill { Skill(name, level: level)! }

func profile(english: Int = 0, german: Int = 0, priority: Int = 0) -> AgentProfile {
    let skills = [("english", english), ("german", german)].filter { $0.1 > 0 }.map { skill($0.0, $0.1) }
    return AgentProfile(skills: skills, priority: priority)!
}

let sales = DN("9000")!
let support = DN("9001")!
let near = DN("9002")!
let strict = DN("9003")!
let english = DN("9004")!
let bilingual = DN("9005")!
let crowded = DN("9006")!

/// Seven routing points: two for anybody, one where agents at the call's location go first, one where a call waits a second for
/// them, two for those who are good at something, and one where two calls may wait.
let points = [
    RoutingPoint(dn: sales), RoutingPoint(dn: support, strategy: .roundRobin),
    RoutingPoint(dn: near, prefersSameLocation: true),
    RoutingPoint(dn: strict, prefersSameLocation: true, overflow: .seconds(1)),
    RoutingPoint(dn: english, skills: [skill("english", 5)], priority: 2),
    RoutingPoint(
        dn: bilingual, strategy: .skill, prefersSameLocation: true, overflow: .seconds(1),
        skills: [skill("german", 2), skill("english", 3)], priority: 1),
    RoutingPoint(dn: crowded, strategy: .priority, maximumWaiting: 2),
]

func call(_ number: UInt64) -> CallConnection { CallConnection(rawValue: number) }

func request(
    _ number: UInt64, _ point: DN = sales, tried: [Int] = [], _ location: String = "dc1", priority: Int = 0,
    waited: UInt64 = 0, arrived: UInt64? = nil
) -> RouteRequest {
    RouteRequest(
        connection: call(number), routingPoint: point, tried: tried.map(dn), location: location, priority: priority,
        waited: waited, arrived: arrived)
}

func reservation(_ number: Int) -> Reservation {
    Reservation(token: token(number), agent: agent(number), priority: 0, milliseconds: 10_000)
}

func token(_ number: Int) -> ReservationToken {
    ReservationToken(
        dn: dn(number), claim: .zero, lineage: Incarnation(rawValue: 1), number: UInt64(number))
}

/// A router that hears alpha and beta.
final class Desk {
    var machine: RouterMachine

    init(_ adjust: (inout RouterMachine.Setup) -> Void = { _ in }) {
        var setup = RouterMachine.Setup(routingPoints: points, seed: 1)
        setup.positionsAtATime = 0
        adjust(&setup)
        machine = RouterMachine(setup)
        machine.nodeConnected(alpha, now: at(0))
        machine.nodeConnected(beta, now: at(0))
    }

    /// What is to be done, which is done then.
    func actions() -> [RouterAction] {
        defer { machine.actions = [] }
        return machine.actions
    }

    func told(_ rows: AgentRow..., at time: UInt64 = 0) -> [RouterAction] {
        for row in rows { machine.agentTold(row, now: at(time)) }
        return actions()
    }

    func requested(_ request: RouteRequest, by node: NodeIndex = alpha, at time: UInt64 = 0)
        -> [RouterAction]
    {
        machine.routeRequested(node, request, now: at(time))
        return actions()
    }

    func ended(_ number: UInt64, by node: NodeIndex = alpha, at time: UInt64 = 0) -> [RouterAction] {
        machine.routeEnded(node, call(number), now: at(time))
        return actions()
    }

    func reserved(_ reference: UInt32, _ number: Int, by node: NodeIndex = alpha, at time: UInt64 = 0)
        -> [RouterAction]
    {
        machine.reserved(node, reference, reservation(number), now: at(time))
        return actions()
    }

    func refused(
        _ reference: UInt32, by node: NodeIndex = alpha, _ failure: ReservationFailure = .refused, at time: UInt64 = 0
    ) -> [RouterAction] {
        machine.reservationRefused(node, reference, failure, now: at(time))
        return actions()
    }

    func routed(_ reference: UInt32, by node: NodeIndex = alpha, at time: UInt64 = 0) -> [RouterAction] {
        machine.routed(node, reference, now: at(time))
        return actions()
    }

    func routeRefused(_ reference: UInt32, by node: NodeIndex = alpha, at time: UInt64 = 0)
        -> [RouterAction]
    {
        machine.routeRefused(node, reference, now: at(time))
        return actions()
    }

    func tick(at time: UInt64) -> [RouterAction] {
        machine.tick(now: at(time))
        return actions()
    }
}

/// Ask for an agent.
func reserve(_ reference: UInt32, _ number: Int, at node: NodeIndex = alpha) -> RouterAction {
    .reserve(node: node, reference: reference, dn: dn(number), agent: agent(number), priority: 0)
}

func cancel(_ reference: UInt32, _ number: Int, at node: NodeIndex = alpha) -> RouterAction {
    .cancelReservation(node: node, reference: reference, dn: dn(number))
}

/// Send a call to an agent.
func route(_ reference: UInt32, _ connection: UInt64, to number: Int, at node: NodeIndex = alpha, _ point: DN = sales)
    -> RouterAction
{
    .route(
        node: node, reference: reference, connection: call(connection), routingPoint: point, token: token(number))
}

/// Send a call where calls go whose time is up.
func turnAway(_ reference: UInt32, _ connection: UInt64, _ point: DN, at node: NodeIndex = alpha) -> RouterAction {
    .route(node: node, reference: reference, connection: call(connection), routingPoint: point, token: nil)
}

func position(
    _ reference: UInt32, _ connection: UInt64, _ position: Int, of waiting: Int, at node: NodeIndex = alpha
) -> RouterAction {
    .tellPosition(
        node: node, reference: reference, connection: call(connection), position: position, waiting: waiting)
}

/// Chance that a seed repeats exactly (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return mixed(state)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
