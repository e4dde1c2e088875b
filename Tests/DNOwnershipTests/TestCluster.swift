import ClusterModel
import DNOwnership

/// Some machines, and connections on which a message arrives as soon as it is said.
struct TestCluster {
    struct Heard: Equatable {
        var from: NodeIndex
        var to: NodeIndex
        var message: PeerMessage
    }

    private(set) var machines: [OwnershipMachine]
    private var actions: [[OwnershipAction]]
    private(set) var now = at(0)
    private var connections: [ConnectionID: [NodeIndex]] = [:]
    private var lastConnection: UInt64 = 0
    /// What was delivered, in order.
    private(set) var heard: [Heard] = []
    /// Directions, from and to, in which nothing is delivered for now.
    var held: [[NodeIndex]] = []

    init(_ count: Int, bounds: Bounds = Bounds()) {
        machines = (0..<count).map { machine(NodeIndex($0), bounds: bounds) }
        actions = Array(repeating: [], count: count)
    }

    /// All machines linked and live, with nothing left to say or to take.
    static func linked(_ count: Int, bounds: Bounds = Bounds()) -> TestCluster {
        var cluster = TestCluster(count, bounds: bounds)
        cluster.linkAll()
        cluster.forget()
        return cluster
    }

    subscript(node: NodeIndex) -> OwnershipMachine { machines[node.position] }

    mutating func linkAll() {
        for dialer in machines.indices {
            for acceptor in machines.indices where dialer < acceptor {
                if machines[dialer].connection(to: NodeIndex(acceptor)) == nil {
                    connect(NodeIndex(dialer), NodeIndex(acceptor))
                }
            }
        }
        pump()
    }

    @discardableResult
    mutating func connect(_ dialer: NodeIndex, _ acceptor: NodeIndex) -> ConnectionID {
        lastConnection += 1
        let id = ConnectionID(rawValue: lastConnection)
        connections[id] = [dialer, acceptor]
        machines[acceptor.position].accepted(id, now: now)
        machines[dialer.position].dialed(acceptor, connection: id, now: now, &actions[dialer.position])
        return id
    }

    /// Both ends learn at once that their connection is gone.
    mutating func cut(_ one: NodeIndex, _ other: NodeIndex) {
        for (id, ends) in connections where ends.contains(one) && ends.contains(other) {
            connections[id] = nil
            for end in ends {
                machines[end.position].disconnected(id, now: now, &actions[end.position])
            }
        }
    }

    /// One end has gone without a word: the other is not told, and what it says arrives nowhere.
    mutating func forgetConnection(of node: NodeIndex, to peer: NodeIndex) {
        guard let id = machines[node.position].connection(to: peer) else { return }
        connections[id] = nil
        machines[node.position].disconnected(id, now: now, &actions[node.position])
    }

    /// A node starts again without its memory.
    mutating func restart(_ node: NodeIndex, incarnation: UInt64, bounds: Bounds = Bounds()) {
        for peer in machines.indices where peer != node.position { cut(node, NodeIndex(peer)) }
        machines[node.position] = machine(node, incarnation: incarnation, bounds: bounds, now: now)
    }

    /// Says and delivers until nobody has anything to say.
    mutating func pump() {
        while deliverOne() {}
    }

    /// Delivers one message in one direction of each connection.
    mutating func deliverOne() -> Bool {
        var isQuiet = true
        for id in connections.keys.sorted() {
            guard let ends = connections[id] else { continue }
            for (from, to) in [(ends[0], ends[1]), (ends[1], ends[0])] where connections[id] != nil {
                guard !held.contains([from, to]), machines[from.position].connection(to: to) == id,
                    let message = machines[from.position].nextMessage(for: to, now: now)
                else { continue }
                isQuiet = false
                heard.append(Heard(from: from, to: to, message: message))
                inject(message, into: to, from: id)
            }
        }
        return !isQuiet
    }

    mutating func inject(_ message: PeerMessage, into node: NodeIndex, from connection: ConnectionID) {
        act(node) { machine, now, actions in machine.received(message, from: connection, now: now, &actions) }
    }

    /// Lets something happen at a node, and tells the other end of every connection that the node closes.
    mutating func act(
        _ node: NodeIndex, _ body: (inout OwnershipMachine, Instant, inout [OwnershipAction]) -> Void
    ) {
        let before = actions[node.position].count
        body(&machines[node.position], now, &actions[node.position])
        for case .close(let id, _) in actions[node.position].dropFirst(before) {
            guard let ends = connections.removeValue(forKey: id), let other = ends.first(where: { $0 != node }) else {
                continue
            }
            machines[other.position].disconnected(id, now: now, &actions[other.position])
        }
    }

    mutating func register(_ position: Int, at node: NodeIndex) {
        act(node) { $0.registrationAccepted(dn(position), now: $1, &$2) }
    }

    mutating func lose(_ position: Int, at node: NodeIndex, _ reason: Service) {
        act(node) { machine, _, actions in machine.serviceLost(dn(position), reason: reason, &actions) }
    }

    /// Moves the clock, stopping wherever something is due.
    mutating func advance(to seconds: Double) {
        let end = at(seconds)
        while let due = machines.map({ $0.nextDeadline() }).min(), due < end.monotonic {
            // What is due and cannot be done, as a ping that is held, is looked at again every millisecond.
            let next = now.advanced(by: max(due > now.monotonic ? due - now.monotonic : 0, 1_000_000))
            guard next.monotonic < end.monotonic else { break }
            now = next
            tick()
        }
        now = end
        tick()
    }

    mutating func tick() {
        for node in machines.indices { act(NodeIndex(node)) { $0.tick(now: $1, &$2) } }
        pump()
    }

    mutating func take(_ node: NodeIndex) -> [OwnershipAction] {
        defer { actions[node.position] = [] }
        return actions[node.position]
    }

    mutating func forget() {
        heard = []
        for node in actions.indices { actions[node] = [] }
    }

    /// What a node said to another, without pings and pongs.
    func said(_ from: NodeIndex, _ to: NodeIndex) -> [PeerMessage] {
        heard.filter { $0.from == from && $0.to == to }.map(\.message).filter { message in
            switch message {
            case .ping, .pong: false
            case .hello, .syncBegin, .records, .syncEnd, .claims, .snapshotRequest: true
            }
        }
    }

    func views(_ position: Int) -> [View] { machines.map { $0.view(of: dn(position)) } }
}
