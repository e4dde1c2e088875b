import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts

/// The cluster that hostile input meets: three nodes, a few DNs of every kind, and bounds that are reached soon.
enum FuzzCluster {
    static let domain = "cc.example.com"
    static let contactsPerDN = 2
    static let dns = [
        "1000", "1001", "1002", "1003", "1004", "1005", "reception", "2000", "7000", "7001", "7002", "8000",
    ]
    /// Those that phones may register at the first two nodes.
    static let phones = ["1000", "1001", "1002", "1003", "1004", "1005", "reception"]
    /// Calls to it are routed.
    static let point = DN("9000")!
    static let start = Instant(monotonic: 1_000_000_000_000, wallMilliseconds: 1_700_000_000_000)

    static let topology: Topology = {
        let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5060)
        let nodes = [("dc1/alpha", 0), ("dc1/beta", 0), ("dc2/gamma", 1)].enumerated().map { position, node in
            Node(
                name: node.0, dataCenter: node.1,
                sip: [SIPListener(transport: .udp, address: address.with(port: 5060 + UInt16(position)))],
                tcontroller: .tcp(address), mesh: .tcp(address)
            )
        }
        let blocks: [DNBlock] = [
            ("1000", 6, 0, 0), ("reception", 1, 0, 0), ("2000", 1, 0, 1), ("7000", 3, 1, 0), ("8000", 1, 1, 1),
        ]
        .compactMap { first, count, type, homes in
            DN(first).map { DNBlock(first: $0, count: count, agentType: type, homes: homes) }
        }
        var timing = Timing()
        timing.desktopGrace = .seconds(1)
        return Topology(
            cluster: "test", domain: domain,
            agentTypes: [
                AgentType(
                    name: "sip", phone: .sip, registration: RegistrationLimits(contacts: contactsPerDN)),
                AgentType(name: "pstn", phone: .pstn),
            ],
            dataCenters: [DataCenter(name: "dc1", location: "west"), DataCenter(name: "dc2", location: "east")],
            nodes: nodes, directory: DNDirectory(blocks: blocks, homes: [[], [1]]),
            routingPoints: [
                RoutingPoint(
                    dn: point, timeout: .seconds(3), ringTimeout: .seconds(2), defaultDN: DN("1003"),
                    alternates: [DN("1000")!, DN("1002")!])
            ], timing: timing
        )
    }()

    static let ports = PortsConfiguration(
        feedCapacity: 16, outboxCapacity: 12, routerOutboxCapacity: 12, registrationsPerClient: 4, chunk: 3,
        requestsPerPeer: 4)

    /// - Parameter isStrict: wants to know who phones are, and limits sources.
    static func node(
        _ position: Int, life: UInt64 = 1, now: Instant = start, isStrict: Bool = false, faults: Faults = .none
    ) -> NodeCore {
        var topology = topology
        if isStrict { topology.sourceLimits = SourceLimitPolicy(datagrams: 12, attempts: 2, connections: 1) }
        let life = Incarnation(rawValue: life)
        let identity = NodeIdentity(index: NodeIndex(position), incarnation: life, lineage: life, generation: 1)
        let ownership = OwnershipConfiguration(timing: topology.timing, ringCapacity: 8, chunkRecords: 3)
        let setup = NodeSetup(
            topology: topology, identity: identity, ownership: ownership, ports: ports,
            authenticator: isStrict ? FuzzHashes.authenticator(topology.directory) : nil, secret: 1,
            seed: UInt64(position), faults: faults
        )
        return NodeCore(setup, now: now)
    }

    /// What holds of every node after every event, whatever came.
    static func checkState(of node: inout NodeCore) throws(FuzzFinding) {
        for position in 0..<topology.directory.count {
            let record = node.inspect(DNIndex(position))
            let isServed = record.hasBindings || record.isHeld
            let isInService = record.owner == node.me && record.service.isInService
            try expect(
                isServed == isInService || (isInService && record.isInGrace),
                "a node's own DN is in service exactly while it has a binding, a desktop or a grace: \(record)")
            guard record.view.isInService, record.owner != node.me else { continue }
            try expect(
                record.owner != .none && node.inspect(link: record.owner).state == .live,
                "a DN of a node that is not heard is shown in service: \(record)")
        }
        try checkQueues(of: &node)
    }

    private static func checkQueues(of node: inout NodeCore) throws(FuzzFinding) {
        let fill = node.inspectQueues()
        let dns = topology.directory.count
        try expect(
            fill.links.control <= 3 && fill.links.claimsOwed <= dns && fill.links.superseded <= dns
                && fill.links.provisionals <= 2 * dns + 1,
            "a link's queue is over its bound: \(fill.links)")
        try expect(
            fill.feed <= ports.feedCapacity && fill.outbox <= ports.outboxCapacity
                && fill.requests <= ports.requestsPerPeer && fill.answers <= 4 * ports.requestsPerPeer,
            "a port's queue is over its bound: \(fill)")
    }
}
