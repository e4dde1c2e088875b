import ClusterModel
import DNOwnership
import HeapModule
import NodeCore
import TLibraryPorts

/// A whole cluster under one seed: the nodes' own machines, a simulated network, phones, desktops and subscribers.
///
/// First there is weather: cuts, resets, crashes, moving phones. Then all faults stop and the cluster must come to one
/// mind. Nothing here is async, reads a clock or draws a number that the seed did not decide.
package struct ClusterSimulation {
    package struct Options: Sendable {
        package var seed: UInt64
        package var nodeCount: Int
        package var phoneCount: Int
        /// How long the weather lasts, simulated.
        package var stormSeconds: UInt64
        /// 0 is calm, 100 a storm.
        package var faultPercent: UInt64

        package init(
            seed: UInt64, nodeCount: Int = 4, phoneCount: Int = 24, stormSeconds: UInt64 = 20, faultPercent: UInt64 = 40
        ) {
            self.seed = seed
            self.nodeCount = nodeCount
            self.phoneCount = phoneCount
            self.stormSeconds = stormSeconds
            self.faultPercent = faultPercent
        }
    }

    /// A rule that did not hold, and when.
    package struct Violation: Error, CustomStringConvertible {
        package let seed: UInt64
        package let invariant: String
        package let detail: String
        package let milliseconds: UInt64

        package var description: String { "seed \(seed), \(milliseconds) ms: \(invariant): \(detail)" }
    }

    enum Event: Sendable {
        case deliver(ConnectionID, fromSide: Int)
        case closed(ConnectionID, side: Int)
        case dialDone(dialer: NodeIndex, peer: NodeIndex)
        case tick(NodeIndex, life: UInt64)
        case phone(Int)
        case fault
        case heal(NodeIndex, NodeIndex)
        case start(NodeIndex)
        case readClients(NodeIndex, life: UInt64)
    }

    struct Scheduled: Comparable, Sendable {
        let time: UInt64
        let sequence: UInt64
        let event: Event

        static func < (left: Scheduled, right: Scheduled) -> Bool {
            left.time != right.time ? left.time < right.time : left.sequence < right.sequence
        }

        static func == (left: Scheduled, right: Scheduled) -> Bool { left.sequence == right.sequence }
    }

    package let options: Options
    let topology: Topology
    var random: SeededRandom
    var now: UInt64 = 1_000_000_000
    private var sequence: UInt64 = 0
    private var queue = Heap<Scheduled>()
    var network = SimulatedNetwork()
    /// Nil while a node is down.
    var nodes: [NodeCore?]
    /// Each node's life; incarnations rise by one.
    var lives: [UInt64]
    private var tickPlanned: [UInt64]
    /// Milliseconds by which each node's wall clock is wrong.
    private let skews: [UInt64]
    var subscribers: [ModelSubscriber]
    /// The greatest claim that each node has shown in its present life, by DN.
    var claims: [[Claim?]]
    private var callSequence: UInt32 = 0
    private var isStorming = true

    package private(set) var eventCount: UInt64 = 0
    package private(set) var traceHash: UInt64 = 0
    /// How often a node found that what it had heard did not add up.
    private(set) var snapshotRequests = 0

    package init(_ options: Options) {
        self.options = options
        random = SeededRandom(seed: options.seed)
        topology = Self.topology(nodeCount: options.nodeCount, phoneCount: options.phoneCount)
        nodes = Array(repeating: nil, count: options.nodeCount)
        lives = Array(repeating: 0, count: options.nodeCount)
        tickPlanned = Array(repeating: .max, count: options.nodeCount)
        subscribers = Array(repeating: ModelSubscriber(), count: options.nodeCount)
        claims = Array(repeating: Array(repeating: nil, count: topology.directory.count), count: options.nodeCount)
        var random = random
        skews = (0..<options.nodeCount).map { _ in UInt64(random.below(2000)) }
        self.random = random
    }

    static let client = ClientID(rawValue: 1)
    static let desktop = ClientID(rawValue: 2)

    // MARK: The run

    /// - Returns: the simulated time in milliseconds.
    package mutating func run() throws(Violation) -> UInt64 {
        for node in nodes.indices { plan(.start(NodeIndex(node)), after: random.nanoseconds(0...50_000)) }
        for phone in 0..<options.phoneCount { plan(.phone(phone), after: random.nanoseconds(0...2_000_000)) }
        plan(.fault, after: random.nanoseconds(0...1_000_000))
        try runUntil(now + options.stormSeconds * 1_000_000_000)
        isStorming = false
        network.healAll()
        for connection in network.connections.keys.sorted() { resume(connection) }
        try runUntil(now + 30_000_000_000)
        try checkQuiescence()
        return now / 1_000_000
    }

    private mutating func runUntil(_ end: UInt64) throws(Violation) {
        while let next = queue.min, next.time <= end {
            _ = queue.popMin()
            now = next.time
            eventCount += 1
            traceHash = mixed(traceHash ^ next.time ^ next.sequence << 40)
            let touched = handle(next.event)
            for node in touched { settle(node) }
            for node in touched { try checkSafety(node) }
        }
        now = end
    }

    mutating func plan(_ event: Event, after delay: UInt64) {
        sequence += 1
        queue.insert(Scheduled(time: now + delay, sequence: sequence, event: event))
    }

    func instant(_ node: NodeIndex) -> Instant {
        Instant(monotonic: now, wallMilliseconds: 1_700_000_000_000 + now / 1_000_000 + skews[node.position])
    }

    /// - Returns: the nodes that the event touched.
    private mutating func handle(_ event: Event) -> [NodeIndex] {
        switch event {
        case .start(let node): return start(node)
        case .tick(let node, let life):
            guard lives[node.position] == life else { return [] }
            tickPlanned[node.position] = .max
            let instant = instant(node)
            nodes[node.position]?.tick(now: instant)
            return [node]
        case .deliver(let connection, let side): return deliver(connection, fromSide: side)
        case .closed(let connection, let side): return closed(connection, side: side)
        case .dialDone(let dialer, let peer): return dialDone(dialer, peer)
        case .phone(let phone): return actAsPhone(phone)
        case .fault: return isStorming ? strike() : []
        case .heal(let from, let to):
            network.heal(from, to)
            for connection in network.connections.keys.sorted() { resume(connection) }
            return []
        case .readClients(let node, let life):
            guard lives[node.position] == life else { return [] }
            readClients(node)
            return []
        }
    }

    // MARK: Nodes

    private mutating func start(_ node: NodeIndex) -> [NodeIndex] {
        guard nodes[node.position] == nil else { return [] }
        lives[node.position] += 1
        tickPlanned[node.position] = .max
        let life = Incarnation(rawValue: lives[node.position])
        var ownership = OwnershipConfiguration(timing: topology.timing)
        // Small on purpose: falling off the ring and cut snapshots happen in every run.
        ownership.ringCapacity = 8
        ownership.chunkRecords = 5
        var ports = PortsConfiguration()
        ports.feedCapacity = 64
        ports.chunk = 7
        let identity = NodeIdentity(index: node, incarnation: life, lineage: life, generation: 1)
        let setup = NodeSetup(
            topology: topology, identity: identity, ownership: ownership, ports: ports, secret: 1, seed: random.next()
        )
        nodes[node.position] = NodeCore(setup, now: instant(node))
        claims[node.position] = Array(repeating: nil, count: topology.directory.count)
        subscribers[node.position] = ModelSubscriber()
        nodes[node.position]!.clientConnected(Self.desktop)
        subscribe(node)
        return [node]
    }

    private mutating func subscribe(_ node: NodeIndex) {
        nodes[node.position]!.clientConnected(Self.client)
        var options = MonitorOptions()
        if subscribers[node.position].isComplete { options.resume = subscribers[node.position].position }
        nodes[node.position]!.requestReceived(
            .monitorAll(referenceID: 1, options), from: Self.client, now: instant(node)
        )
    }

    private mutating func crash(_ node: NodeIndex) {
        guard nodes[node.position] != nil else { return }
        nodes[node.position] = nil
        for id in network.connections(of: node) {
            let side = network.connections[id]!.side(of: node)
            network.connections[id]!.isOpen[side] = false
            network.connections[id]!.inFlight = [[], []]
            if !network.isCut(node, network.connections[id]!.ends[1 - side]) {
                plan(.closed(id, side: 1 - side), after: random.nanoseconds(20...500))
            }
        }
        plan(.start(node), after: random.nanoseconds(5_000...3_000_000))
    }

    /// Carries out actions, sends what there is to say, plans the next tick.
    private mutating func settle(_ node: NodeIndex) {
        guard nodes[node.position] != nil else { return }
        // What came of the tick counts at once, as in the real loop.
        nodes[node.position]!.tick(now: instant(node))
        for action in nodes[node.position]!.takeActions() {
            switch action {
            case .dial(let peer):
                plan(.dialDone(dialer: node, peer: peer), after: random.nanoseconds(50...1_500))
            case .closeConnection(let connection, _):
                close(connection, by: node)
            case .closeClient(let client, _):
                nodes[node.position]!.clientDisconnected(client, now: instant(node))
                if client == Self.client { subscribe(node) } else { nodes[node.position]!.clientConnected(client) }
            }
        }
        pull(node)
        if !nodes[node.position]!.takeReadyClients().isEmpty {
            plan(.readClients(node, life: lives[node.position]), after: random.nanoseconds(10...5_000))
        }
        let deadline = max(nodes[node.position]!.nextDeadline(), now + 1000)
        if deadline < tickPlanned[node.position] {
            tickPlanned[node.position] = deadline
            plan(.tick(node, life: lives[node.position]), after: deadline - now)
        }
    }

    private mutating func readClients(_ node: NodeIndex) {
        while let event = nodes[node.position]?.nextClientEvent(for: Self.client) {
            subscribers[node.position].hear(event)
        }
        while nodes[node.position]?.nextClientEvent(for: Self.desktop) != nil {}
    }

    // MARK: Connections

    private mutating func dialDone(_ dialer: NodeIndex, _ peer: NodeIndex) -> [NodeIndex] {
        guard nodes[dialer.position] != nil else { return [] }
        guard nodes[peer.position] != nil, !network.isCut(dialer, peer), !network.isCut(peer, dialer) else {
            nodes[dialer.position]!.dialFailed(peer, now: instant(dialer))
            return [dialer]
        }
        let connection = network.connect(dialer, peer)
        nodes[dialer.position]!.dialed(peer, connection: connection, now: instant(dialer))
        nodes[peer.position]!.accepted(connection, now: instant(peer))
        return [dialer, peer]
    }

    private mutating func pull(_ node: NodeIndex) {
        for id in network.connections(of: node) {
            guard let connection = network.connections[id] else { continue }
            let side = connection.side(of: node)
            let peer = connection.ends[1 - side]
            guard nodes[node.position]!.ownership.connection(to: peer) == id else { continue }
            while network.connections[id]!.inFlight[side].count < SimulatedNetwork.capacity,
                let message = nodes[node.position]!.nextPeerMessage(for: peer, now: instant(node))
            {
                network.connections[id]!.inFlight[side].append(message)
                let earliest = network.connections[id]!.lastDelivery[side]
                let time = max(now + random.nanoseconds(20...2_000), earliest + 1)
                network.connections[id]!.lastDelivery[side] = time
                plan(.deliver(id, fromSide: side), after: time - now)
            }
        }
    }

    private mutating func deliver(_ id: ConnectionID, fromSide side: Int) -> [NodeIndex] {
        guard let connection = network.connections[id], connection.isOpen[1 - side],
            !connection.inFlight[side].isEmpty
        else { return [] }
        let sender = connection.ends[side]
        let receiver = connection.ends[1 - side]
        if network.isCut(sender, receiver) {
            network.connections[id]!.stalled[side] += 1
            return []
        }
        let message = network.connections[id]!.inFlight[side].removeFirst()
        if message == .snapshotRequest { snapshotRequests += 1 }
        let instant = instant(receiver)
        nodes[receiver.position]?.received(message, from: id, now: instant)
        // There is room again: the sender may go on.
        return [receiver, sender]
    }

    private mutating func resume(_ id: ConnectionID) {
        guard let connection = network.connections[id] else { return }
        for side in 0...1 where !network.isCut(connection.ends[side], connection.ends[1 - side]) {
            for _ in 0..<connection.stalled[side] {
                let time = max(now + random.nanoseconds(20...2_000), network.connections[id]!.lastDelivery[side] + 1)
                network.connections[id]!.lastDelivery[side] = time
                plan(.deliver(id, fromSide: side), after: time - now)
            }
            network.connections[id]!.stalled[side] = 0
        }
    }

    private mutating func close(_ id: ConnectionID, by node: NodeIndex) {
        guard let connection = network.connections[id] else { return }
        let side = connection.side(of: node)
        network.connections[id]!.isOpen[side] = false
        // Across a cut the other end hears nothing; its own silence tells it.
        guard !network.isCut(node, connection.ends[1 - side]) else { return }
        plan(.closed(id, side: 1 - side), after: random.nanoseconds(20...2_000))
    }

    private mutating func closed(_ id: ConnectionID, side: Int) -> [NodeIndex] {
        guard let connection = network.connections[id], connection.isOpen[side] else { return [] }
        network.connections[id]!.isOpen[side] = false
        if network.connections[id]!.isOpen == [false, false] { network.connections[id] = nil }
        let node = connection.ends[side]
        let instant = instant(node)
        nodes[node.position]?.disconnected(id, now: instant)
        return [node]
    }

    // MARK: Weather

    private mutating func strike() -> [NodeIndex] {
        plan(.fault, after: random.nanoseconds(100_000...3_000_000))
        guard random.chance(options.faultPercent) else { return [] }
        let first = NodeIndex(random.below(nodes.count))
        let second = NodeIndex((first.position + 1 + random.below(nodes.count - 1)) % nodes.count)
        switch random.below(5) {
        case 0:
            crash(first)
            return []
        case 1:
            let duration = random.nanoseconds(100_000...8_000_000)
            network.cut(first, second)
            plan(.heal(first, second), after: duration)
            if random.chance(70) {
                network.cut(second, first)
                plan(.heal(second, first), after: duration)
            }
            return []
        case 2, 3:
            // A reset: both ends hear at once, what was on its way is lost.
            guard let id = network.connections(of: first).first else { return [] }
            network.connections[id]!.inFlight = [[], []]
            plan(.closed(id, side: 0), after: random.nanoseconds(1...1_000))
            plan(.closed(id, side: 1), after: random.nanoseconds(1...1_000))
            return []
        case _:
            // A subscriber breaks off and resumes.
            guard nodes[first.position] != nil else { return [] }
            nodes[first.position]!.clientDisconnected(Self.client, now: instant(first))
            subscribe(first)
            return [first]
        }
    }

    private mutating func actAsPhone(_ phone: Int) -> [NodeIndex] {
        guard isStorming else { return [] }
        plan(.phone(phone), after: random.nanoseconds(100_000...4_000_000))
        let node = NodeIndex(random.below(nodes.count))
        guard nodes[node.position] != nil else { return [] }
        if phone % 4 == 3 {
            let dn = "\(7000 + phone)"
            if random.chance(60) {
                nodes[node.position]!.requestReceived(
                    .registerAddress(referenceID: 1, dn: dn, takeover: random.chance(30)), from: Self.desktop,
                    now: instant(node)
                )
            } else {
                nodes[node.position]!.requestReceived(
                    .unregisterAddress(referenceID: 1, dn: dn), from: Self.desktop, now: instant(node)
                )
            }
            return [node]
        }
        callSequence += 1
        let expires = random.chance(25) ? 0 : 1 + random.below(20)
        let text = Self.register(dn: 1000 + phone, sequence: callSequence, expires: expires)
        var answers = DatagramBatch()
        let source = NetworkAddress(ipv4: 0x7F00_0001, port: 6000)
        nodes[node.position]!.datagramReceived(
            Array(text.utf8).span, from: source, now: instant(node), answers: &answers
        )
        return [node]
    }

    private static func register(dn: Int, sequence: UInt32, expires: Int) -> String {
        """
        REGISTER sip:cc.example.com SIP/2.0\r
        Via: SIP/2.0/UDP 127.0.0.1:6000;branch=z9hG4bK\(sequence);rport\r
        From: <sip:\(dn)@cc.example.com>;tag=1\r
        To: <sip:\(dn)@cc.example.com>\r
        Call-ID: \(dn)-\(sequence)@phone\r
        CSeq: \(sequence) REGISTER\r
        Contact: <sip:\(dn)@127.0.0.1:6000>\r
        Expires: \(expires)\r
        Content-Length: 0\r
        \r

        """
    }

    private static func topology(nodeCount: Int, phoneCount: Int) -> Topology {
        let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5060)
        let nodes = (0..<nodeCount).map { number in
            Node(
                name: "dc\(number % 2 + 1)/sip\(number / 2 + 1)", dataCenter: number % 2,
                sip: [SIPListener(transport: .udp, address: address)], tcontroller: .tcp(address), mesh: .tcp(address)
            )
        }.sorted { $0.name < $1.name }
        var limits = RegistrationLimits()
        limits.minimumExpires = 1
        let blocks = [
            DNBlock(first: DN(decimal: 1000, length: 4), count: phoneCount, agentType: 0, homes: 0),
            DNBlock(first: DN(decimal: 7000, length: 4), count: phoneCount, agentType: 1, homes: 0),
        ]
        return Topology(
            cluster: "simulated", domain: "cc.example.com",
            agentTypes: [
                AgentType(name: "sip-phone", phone: .sip, registration: limits),
                AgentType(name: "pstn-phone", phone: .pstn),
            ],
            dataCenters: [DataCenter(name: "dc1", location: "west"), DataCenter(name: "dc2", location: "east")],
            nodes: nodes, directory: DNDirectory(blocks: blocks)
        )
    }
}
