import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts

/// A node's process as the world sees it.
struct SimulatedNode {
    var isUp = false
    /// The incarnation with which a chain of handovers began: what it is in its memory lives as long.
    var life: UInt64 = 0
    /// Of its process. Each is given once, also to processes that come to nothing.
    var incarnation: UInt64 = 0
    var handover: SimulatedHandover?
    /// Of its topology.
    var generation: UInt64 = 1
    var change: SimulatedChange?
    /// How many have begun.
    var changeCount: UInt64 = 0
    /// Peers that have said something of DNs that the node does not have.
    var skipped: Set<Int> = []
    /// Peers that have to be asked what they have said of DNs that were not known, and those that have been asked.
    var mustAsk: Set<Int> = []
    var hasAsked: Set<Int> = []
    /// It is supervised: when its process ends another one begins.
    var isWanted = true
    /// Since when phones and desktops are to leave it for good.
    var leavesSince: UInt64?
    /// Nobody reads: what comes waits in the sockets, in order.
    var unread: [Scheduled] = []
    /// Milliseconds by which the wall clock is wrong.
    var skew: Int64
    /// Until when the process does not run.
    var pausedUntil: UInt64 = 0
    /// How long each event takes the process.
    var lag: UInt64 = 0
    var tickPlanned = UInt64.max
    /// Peers that it is dialling.
    var dialing: [NodeIndex] = []
    /// By DN: what the node held when it was looked at last.
    var seen: [Seen]
    /// By peer.
    var hearing: [Hearing]
    /// The latest life of each peer that was heard.
    var heardLives: [UInt64]
    /// The greatest stamp that a peer has told.
    var heardStamp = Stamp.zero
    var streams: [StreamModel]
    var clients: [SimulatedClient]
    /// REGISTERs that have come and were not answered at once.
    var unanswered: [UInt64: UnansweredRegister] = [:]
    /// REGISTERs that have come while no process served the node, in order: its socket is kept for its next life.
    var socket: [Event] = []
    /// The host is down, too, and what came before it is up again is lost.
    var isWithoutPower = false
    var hostBegan: UInt64 = 0
    /// The times by its wall clock at which REGISTERs came that it read long after, by DN.
    var belated: [DNIndex: [UInt64]] = [:]
    /// The wall clock was set, so what is kept by it is not kept as long as it should be.
    var hasChangedClocks = false

    init(skew: Int64, topology: Topology, isFiltered: Bool) {
        self.skew = skew
        seen = Array(repeating: Seen(), count: topology.directory.count)
        hearing = Array(repeating: Hearing(), count: topology.nodes.count)
        heardLives = Array(repeating: 0, count: topology.nodes.count)
        streams = Array(repeating: StreamModel(), count: topology.nodes.count)
        clients = SimulatedClient.all(of: topology, isFiltered: isFiltered)
    }
}

// The cluster that a plan describes.
extension ClusterSimulation {
    static let firstPhone = 1000
    static let firstDesktop = 7000

    static func topology(of plan: RunPlan) -> Topology {
        let names = (0..<plan.nodeCount).map { "dc\($0 % 2 + 1)/sip\($0 / 2 + 1)" }.sorted()
        let nodes = names.enumerated().map { position, name in
            let address = sipAddress(of: position)
            return Node(
                name: name, dataCenter: name.hasPrefix("dc1/") ? 0 : 1,
                sip: [SIPListener(transport: .udp, address: address)], tcontroller: .tcp(address), mesh: .tcp(address)
            )
        }
        var limits = RegistrationLimits()
        limits.minimumExpires = 1
        let blocks = [
            DNBlock(
                first: DN(decimal: UInt64(firstPhone), length: 4), count: plan.phoneCount, agentType: 0, homes: 0),
            DNBlock(
                first: DN(decimal: UInt64(firstDesktop), length: 4), count: plan.desktopCount, agentType: 1, homes: 0),
        ]
        var timing = plan.timing
        if let calls = plan.calls {
            timing.afterCallWork = calls.afterCallWork
            timing.maximumCall = CallPlan.maximumCall
            timing.ageing = calls.ageing
        }
        return Topology(
            cluster: "simulated", domain: "cc.example.com",
            agentTypes: [
                AgentType(name: "sip-phone", phone: .sip, registration: limits),
                AgentType(name: "pstn-phone", phone: .pstn, trunk: plan.calls == nil ? nil : "telephones"),
            ],
            dataCenters: [DataCenter(name: "dc1", location: "west"), DataCenter(name: "dc2", location: "east")],
            nodes: nodes,
            directory: DNDirectory(blocks: blocks, dialStrings: plan.calls == nil ? [:] : dialStrings(plan)),
            routingPoints: plan.calls?.routingPoints(phones: plan.phoneCount) ?? [],
            trunks: plan.calls?.trunks ?? [], capacityGroups: plan.calls?.capacityGroups ?? [],
            timing: timing, secondLogin: plan.secondLogin, noAnswer: plan.calls?.noAnswer ?? .notReady,
            agentProfiles: plan.calls == nil
                ? [:]
                : Dictionary(
                    uniqueKeysWithValues: (0..<RunPlan.agentCount).map {
                        (Self.agent($0), CallPlan.profile(ofAgent: $0))
                    })
        )
    }

    private static func dialStrings(_ plan: RunPlan) -> [DN: String] {
        let numbers = (0..<plan.desktopCount).map { firstDesktop + $0 }
        return Dictionary(uniqueKeysWithValues: numbers.map { (DN(decimal: UInt64($0), length: 4), "\($0)") })
    }

    func newCore(_ node: NodeIndex, life: UInt64) -> NodeCore {
        var setup = setup(of: node, incarnation: life, lineage: life)
        if plan.disk != nil { setup.stored = disks[node.position].state }
        let skew = nodes.indices.contains(node.position) ? nodes[node.position].skew : 0
        let wall = Int64(Self.epochMilliseconds + now / .millisecond) + skew
        return NodeCore(setup, now: Instant(monotonic: now, wallMilliseconds: UInt64(wall)))
    }

    /// - Parameter generation: nil for that which the node has.
    func setup(
        of node: NodeIndex, incarnation: UInt64, lineage: UInt64, under generation: UInt64? = nil
    ) -> NodeSetup {
        let generation = generation ?? nodes[node.position].generation
        var version = versions[Int(generation) - 1]
        // It is not there yet, and has a place all the same.
        if !version.has(node) { version = TopologyVersion(topology, of: topology) }
        var ownership = OwnershipConfiguration(timing: version.topology.timing)
        ownership.ringCapacity = plan.ringCapacity
        ownership.chunkRecords = plan.chunkRecords
        var ports = PortsConfiguration()
        ports.feedCapacity = plan.feedCapacity
        ports.outboxCapacity = plan.outboxCapacity
        ports.routerOutboxCapacity = plan.outboxCapacity
        ports.chunk = plan.feedChunk
        ports.requestsPerPeer = plan.requestsPerPeer
        let isReused = injection == .incarnationReused
        let identity = NodeIdentity(
            index: version.place(of: node) ?? node, incarnation: Incarnation(rawValue: isReused ? 1 : incarnation),
            lineage: Incarnation(rawValue: isReused ? 1 : lineage), generation: generation)
        return NodeSetup(
            topology: version.topology, identity: identity, ownership: ownership, ports: ports, secret: 1,
            seed: mixed(plan.seed ^ UInt64(node.rawValue)), faults: injection?.faults ?? .none
        )
    }
}
