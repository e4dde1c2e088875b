import ClusterModel
import DNOwnership

let alpha = NodeIndex(0)
let beta = NodeIndex(1)
let gamma = NodeIndex(2)

let unclaimed = View(service: .neverRegistered, owner: .none, stamp: .zero)

func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64((1000 + seconds) * 1e9), wallMilliseconds: UInt64(1_700_000_000_000 + seconds * 1000))
}

/// The greatest stamp of before a time, which a hello tells then.
func justBefore(_ seconds: Double) -> Stamp { Stamp(rawValue: stamp(seconds).rawValue - 1) }

/// The stamp that a clock issues at a time, and those after it.
func stamp(_ seconds: Double, _ counter: UInt16 = 0) -> Stamp {
    Stamp(milliseconds: at(seconds).wallMilliseconds, counter: counter)
}

func view(_ service: Service, _ owner: NodeIndex, _ stamp: Stamp) -> View {
    View(service: service, owner: owner, stamp: stamp)
}

/// The DNs are 1000, 1001 and so on.
func name(_ position: Int) -> DN { DN(decimal: 1000 + UInt64(position), length: 4) }

func dn(_ position: Int) -> DNIndex { DNIndex(position) }

func owned(_ position: Int, _ stamp: Stamp, _ service: Service = .inService) -> OwnedRecord {
    OwnedRecord(dn: name(position), stamp: stamp, service: service)
}

func heard(_ position: Int, _ owner: NodeIndex, _ stamp: Stamp) -> HeardClaim {
    HeardClaim(dn: name(position), claim: Claim(owner: owner, stamp: stamp))
}

func snapshotBegin(_ revision: UInt64) -> PeerMessage { .syncBegin(SyncBegin(isSnapshot: true, revision: revision)) }

func topology(dns: Int) -> Topology {
    let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5060)
    let nodes = ["dc1/alpha", "dc1/beta", "dc2/gamma"].map { name in
        Node(name: name, dataCenter: 0, sip: [], tcontroller: .tcp(address), mesh: .tcp(address))
    }
    let block = DNBlock(first: name(0), count: dns, agentType: 0, homes: 0)
    return Topology(
        cluster: "test", domain: "cc.example.com", agentTypes: [AgentType(name: "agent", phone: .sip)],
        dataCenters: [DataCenter(name: "dc1", location: "west")], nodes: nodes, directory: DNDirectory(blocks: [block])
    )
}

struct Bounds {
    var dns = 8
    var ring = 64
    var chunk = 64
    /// Mistakes that are put back into the machine.
    var faults = Faults.none
}

func machine(
    _ node: NodeIndex, incarnation: UInt64 = 1, lineage: UInt64? = nil, generation: UInt64 = 1,
    bounds: Bounds = Bounds(), now: Instant = at(0)
) -> OwnershipMachine {
    OwnershipMachine(
        topology: topology(dns: bounds.dns),
        identity: NodeIdentity(
            index: node, incarnation: Incarnation(rawValue: incarnation),
            lineage: Incarnation(rawValue: lineage ?? incarnation), generation: generation
        ),
        configuration: OwnershipConfiguration(
            ringCapacity: bounds.ring, chunkRecords: bounds.chunk, faults: bounds.faults
        ), seed: 1, now: now
    )
}

/// A hello as a node of the test's cluster says it.
func hello(
    from node: NodeIndex, incarnation: UInt64 = 1, stamp: Stamp = .zero, resume: ResumePosition? = nil
) -> Hello {
    Hello(
        cluster: "test", node: topology(dns: 1).name(of: node), incarnation: Incarnation(rawValue: incarnation),
        lineage: Incarnation(rawValue: incarnation), generation: 1, greatestStamp: stamp, resume: resume
    )
}

func connection(_ number: UInt64) -> ConnectionID { ConnectionID(rawValue: number) }

extension OwnershipMachine {
    /// Everything that the machine wants to say to a peer now.
    mutating func say(to peer: NodeIndex, _ now: Instant = at(0)) -> [PeerMessage] {
        var messages: [PeerMessage] = []
        while let message = nextMessage(for: peer, now: now) { messages.append(message) }
        return messages
    }

    mutating func hear(
        _ messages: PeerMessage..., from connection: ConnectionID, _ now: Instant = at(0)
    ) -> [OwnershipAction] {
        var actions: [OwnershipAction] = []
        for message in messages { received(message, from: connection, now: now, &actions) }
        return actions
    }

    func link(to peer: NodeIndex, _ now: Instant = at(0)) -> LinkReport {
        linkReports(now: now).first { $0.peer == peer }!
    }
}

/// `beta` with an introduced `alpha` on connection 1 that has told nothing yet; what beta said is thrown away.
func introducedBeta(bounds: Bounds = Bounds()) -> OwnershipMachine {
    var node = machine(beta, bounds: bounds)
    var dials: [OwnershipAction] = []
    node.tick(now: at(0), &dials)
    node.accepted(connection(1), now: at(0))
    _ = node.hear(.hello(hello(from: alpha)), from: connection(1))
    _ = node.say(to: alpha)
    return node
}

/// A pong whose sender answered at once, when its clock said `seconds`.
func pong(_ sentAt: UInt64, at seconds: Double = 0) -> PeerMessage {
    .pong(Pong(sentAt: sentAt, receivedAt: at(seconds).monotonic, answeredAt: at(seconds).monotonic))
}
