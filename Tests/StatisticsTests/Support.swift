import AgentSessions
import ClusterModel
import Statistics

let alpha = NodeIndex(0)
let beta = NodeIndex(1)

func at(_ milliseconds: UInt64) -> Instant {
    Instant(monotonic: milliseconds * 1_000_000, wallMilliseconds: wall(milliseconds))
}

func wall(_ milliseconds: UInt64) -> UInt64 { 1_700_000_000_000 + milliseconds }

func stamp(_ milliseconds: UInt64) -> Stamp { Stamp(milliseconds: wall(milliseconds), counter: 0) }

func dn(_ number: Int) -> DN { DN(decimal: 1000 + UInt64(number), length: 4) }

let ann = AgentID("ann")!
let bob = AgentID("bob")!

/// A DN at its owner. The session is of that time.
func view(
    _ state: AgentSession.State?, _ time: UInt64, _ agent: AgentID = ann, _ service: Service = .inService,
    _ occupancy: Occupancy = [], owner: NodeIndex = alpha
) -> View {
    let session = state.map {
        AgentSession(agent: agent, state: $0, login: stamp(0), stamp: stamp(time))
    }
    return View(service: service, owner: owner, stamp: stamp(0), occupancy: occupancy, agent: session)
}

func calls(_ phase: DNCall.Phase, since: UInt64, _ number: UInt64 = 1) -> DNCalls {
    DNCalls([DNCall(connection: CallConnection(rawValue: number), phase: phase, since: wall(since))])
}

extension StatBoard {
    /// The same with what the owner tells of the DN's calls.
    mutating func told(_ dn: DN, _ view: View, calls: DNCalls?, now: Instant) {
        var view = view
        view.calls = calls
        told(dn, view, now: now)
    }
}

func board(_ adjust: (inout StatBoard.Setup) -> Void = { _ in }) -> StatBoard {
    var setup = StatBoard.Setup(locations: ["dc1", "dc2"])
    adjust(&setup)
    return StatBoard(setup)
}

func row(_ number: Int, _ status: AgentStatus, _ since: UInt64, _ agent: AgentID = ann, _ location: String = "dc1")
    -> AgentRow
{
    // Of all the reasons for being out of service the tests have this one.
    let service: Service = status == .unknown ? .ownerUnreachable : status == .outOfService ? .expired : .inService
    return AgentRow(
        dn: dn(number), agent: agent, status: status, since: wall(since), location: location, service: service)
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
