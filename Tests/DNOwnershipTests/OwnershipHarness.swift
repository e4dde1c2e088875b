import ClusterModel
import DNOwnership
import Testing

/// Machines of one cluster, joined by connections that deliver at once and in order. Time moves only when told to.
final class OwnershipHarness {
    static let names = ["dc1/sip1", "dc2/sip1", "dc3/sip1"]
    let topology: Topology
    private(set) var machines: [OwnershipMachine] = []
    /// What each machine wanted done since it was asked last, without the views' changes.
    private(set) var actions: [[OwnershipAction]]
    private(set) var now: [Instant]
    private var lives: [UInt64]
    private var connections: [ConnectionID: (dialer: Int, acceptor: Int)] = [:]
    private var lastConnection: UInt64 = 0

    init(nodes: Int = 2) {
        let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5060)
        topology = Topology(
            cluster: "test", domain: "cc.example.com", agentTypes: [AgentType(name: "sip-phone", phone: .sip)],
            dataCenters: [DataCenter(name: "dc1", location: "west")],
            nodes: Self.names.prefix(nodes).map { name in
                Node(
                    name: name, dataCenter: 0, sip: [SIPListener(transport: .udp, address: address)],
                    tcontroller: .tcp(address), mesh: .tcp(address)
                )
            },
            directory: DNDirectory(blocks: [
                DNBlock(first: DN(decimal: 1000, length: 4), count: 20, agentType: 0, homes: 0)
            ])
        )
        actions = Array(repeating: [], count: nodes)
        now = Array(repeating: Instant(monotonic: 1_000_000_000, wallMilliseconds: 1_000_000), count: nodes)
        lives = Array(repeating: 0, count: nodes)
        for node in 0..<nodes { machines.append(newMachine(node)) }
    }

    private func newMachine(_ node: Int) -> OwnershipMachine {
        lives[node] += 1
        let life = Incarnation(rawValue: lives[node])
        var configuration = OwnershipConfiguration()
        configuration.ringCapacity = 4
        configuration.chunkRecords = 3
        let identity = NodeIdentity(index: NodeIndex(node), incarnation: life, lineage: life, generation: 1)
        return OwnershipMachine(
            topology: topology, identity: identity, configuration: configuration, seed: 1, now: now[node]
        )
    }

    // MARK: Events

    func register(_ dn: Int, at node: Int) {
        advance(node, milliseconds: 1)
        machines[node].registrationAccepted(DNIndex(dn), now: now[node], &actions[node])
    }

    func lose(_ dn: Int, at node: Int, reason: Service = .expired) {
        machines[node].serviceLost(DNIndex(dn), reason: reason, &actions[node])
    }

    func remove(_ dn: Int, at node: Int) {
        machines[node].removalAccepted(DNIndex(dn), now: now[node], &actions[node])
    }

    /// A message as if it came from a connection.
    func send(_ message: PeerMessage, to node: Int, over connection: ConnectionID) {
        machines[node].received(message, from: connection, now: now[node], &actions[node])
    }

    func accept(at node: Int) -> ConnectionID {
        lastConnection += 1
        let connection = ConnectionID(rawValue: 1000 + lastConnection)
        machines[node].accepted(connection, now: now[node])
        return connection
    }

    @discardableResult
    func connect(_ first: Int, _ second: Int) -> ConnectionID {
        lastConnection += 1
        let id = ConnectionID(rawValue: lastConnection)
        connections[id] = (first, second)
        machines[first].dialed(NodeIndex(second), connection: id, now: now[first], &actions[first])
        machines[second].accepted(id, now: now[second])
        return id
    }

    func disconnect(_ id: ConnectionID) {
        guard let ends = connections.removeValue(forKey: id) else { return }
        for node in [ends.dialer, ends.acceptor] {
            machines[node].disconnected(id, now: now[node], &actions[node])
        }
    }

    /// Only one end notices that the connection is gone.
    func loseEnd(_ id: ConnectionID, at node: Int) {
        connections[id] = nil
        machines[node].disconnected(id, now: now[node], &actions[node])
    }

    func dialFailed(_ node: Int, _ peer: Int) {
        machines[node].dialFailed(NodeIndex(peer), now: now[node])
    }

    /// The process dies and comes back without its memory.
    func restart(_ node: Int) {
        for (id, ends) in connections where ends.dialer == node || ends.acceptor == node {
            connections[id] = nil
            let peer = ends.dialer == node ? ends.acceptor : ends.dialer
            machines[peer].disconnected(id, now: now[peer], &actions[peer])
        }
        machines[node] = newMachine(node)
    }

    func advance(_ node: Int, milliseconds: UInt64) {
        now[node] = now[node].advanced(by: milliseconds * 1_000_000)
    }

    func tick(_ node: Int, afterMilliseconds milliseconds: UInt64 = 0) {
        advance(node, milliseconds: milliseconds)
        machines[node].tick(now: now[node], &actions[node])
    }

    // MARK: Messages

    func next(from node: Int, to peer: Int) -> PeerMessage? {
        machines[node].nextMessage(for: NodeIndex(peer), now: now[node])
    }

    /// Delivers until nobody has anything to say.
    ///
    /// - Returns: what was said, pings and pongs left out.
    @discardableResult
    func settle() -> [PeerMessage] {
        var said: [PeerMessage] = []
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            for (id, ends) in connections.sorted(by: { $0.key < $1.key }) {
                for (from, to) in [(ends.dialer, ends.acceptor), (ends.acceptor, ends.dialer)] {
                    guard machines[from].connection(to: NodeIndex(to)) == id, let message = next(from: from, to: to)
                    else {
                        continue
                    }
                    isQuiet = false
                    switch message {
                    case .ping, .pong: break
                    case .hello, .syncBegin, .records, .syncEnd, .claims, .snapshotRequest: said.append(message)
                    }
                    send(message, to: to, over: id)
                }
            }
        }
        return said
    }

    // MARK: What came of it

    func view(_ dn: Int, at node: Int) -> View { machines[node].view(of: DNIndex(dn)) }

    func services(_ dn: Int) -> [Service] { machines.indices.map { view(dn, at: $0).service } }

    func owners(_ dn: Int) -> [Int] { machines.indices.map { view(dn, at: $0).owner.position } }

    func state(_ node: Int, of peer: Int) -> LinkReport.State? {
        machines[node].linkReports(now: now[node]).first { $0.peer == NodeIndex(peer) }?.state
    }

    /// Takes what a machine wanted done besides telling of single views.
    func takeActions(_ node: Int) -> [OwnershipAction] {
        defer { actions[node] = [] }
        return actions[node].filter { if case .viewChanged = $0 { false } else { true } }
    }

    func hello(
        _ node: String = "dc1/sip1", version: UInt32 = Hello.protocolVersion, cluster: String = "test",
        life: UInt64 = 1,
        greatest: Stamp = .zero
    ) -> PeerMessage {
        .hello(
            Hello(
                protocolVersion: version, cluster: cluster, node: node, incarnation: Incarnation(rawValue: life),
                lineage: Incarnation(rawValue: life), generation: 1, greatestStamp: greatest, resume: nil
            )
        )
    }
}
