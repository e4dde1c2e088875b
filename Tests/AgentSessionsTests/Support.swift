import AgentSessions
import ClusterModel

let alpha = NodeIndex(0)
let beta = NodeIndex(1)

func at(_ milliseconds: UInt64) -> Instant {
    Instant(monotonic: milliseconds * 1_000_000, wallMilliseconds: 1_700_000_000_000 + milliseconds)
}

func stamp(_ milliseconds: UInt64) -> Stamp {
    Stamp(milliseconds: at(milliseconds).wallMilliseconds, counter: 0)
}

let ann = AgentID("ann")!
let bob = AgentID("bob")!

func because(_ key: String, _ value: String) -> Reasons {
    var reasons = Reasons()
    _ = reasons.add(key, value)
    return reasons
}

func session(_ agent: AgentID, _ state: AgentSession.State, _ milliseconds: UInt64, login: UInt64? = nil)
    -> AgentSession
{
    AgentSession(agent: agent, state: state, login: stamp(login ?? milliseconds), stamp: stamp(milliseconds))
}

/// A DN at its owner, with an agent who can take a call.
func place(
    _ position: Int = 0, agent: AgentID = ann, claim: UInt64 = 1, state: AgentSession.State = .ready,
    service: Service = .inService, occupancy: Occupancy = []
) -> ReservationDesk.Place {
    ReservationDesk.Place(
        dn: DNIndex(position), name: DN(decimal: 1000 + UInt64(position), length: 4),
        view: View(
            service: service, owner: alpha, stamp: stamp(claim), occupancy: occupancy,
            agent: session(agent, state, 1)))
}

func asker(_ client: UInt64, at node: NodeIndex = alpha, number: UInt64 = 1) -> ReservationDesk.Asker {
    ReservationDesk.Asker(holder: ReservationHolder(node: node, client: client), number: number)
}

func desk(
    window: UInt64 = 0, arrival: UInt64 = 0, lineage: UInt64 = 1, seed: UInt64 = 1, faults: Faults = .none
) -> ReservationDesk {
    var setup = ReservationDesk.Setup(
        lineage: Incarnation(rawValue: lineage), usual: 10_000_000_000, window: window * 1_000_000)
    setup.arrival = arrival * 1_000_000
    setup.faults = faults
    return ReservationDesk(setup, secret: (seed, 2))
}

extension ReservationDesk.Outcome {
    var reservation: Reservation? {
        if case .reserved(let reservation) = self { reservation } else { nil }
    }
}
