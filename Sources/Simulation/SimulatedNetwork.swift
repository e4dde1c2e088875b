import ClusterModel
import DNOwnership

/// A connection between two simulated nodes: two ordered streams.
struct SimulatedConnection: Sendable {
    let id: ConnectionID
    /// The dialling node and the accepting one.
    let ends: [NodeIndex]
    /// Which ends still have the connection open.
    var isOpen = [true, true]
    /// Messages on their way from each end, at most `SimulatedNetwork.capacity`.
    var inFlight: [[PeerMessage]] = [[], []]
    /// The latest delivery planned from each end, so that streams keep their order.
    var lastDelivery: [UInt64] = [0, 0]
    /// Deliveries from each end that wait for a cut to heal.
    var stalled = [0, 0]

    func side(of node: NodeIndex) -> Int { ends[0] == node ? 0 : 1 }
}

/// Which nodes hear each other.
struct SimulatedNetwork: Sendable {
    /// How many messages one direction of a connection takes before its sender has to wait.
    static let capacity = 16

    var connections: [ConnectionID: SimulatedConnection] = [:]
    /// Directed: bytes from the first do not reach the second.
    private(set) var cuts: Set<[NodeIndex]> = []
    private var lastID: UInt64 = 0

    mutating func connect(_ dialer: NodeIndex, _ acceptor: NodeIndex) -> ConnectionID {
        lastID += 1
        let id = ConnectionID(rawValue: lastID)
        connections[id] = SimulatedConnection(id: id, ends: [dialer, acceptor])
        return id
    }

    func isCut(_ from: NodeIndex, _ to: NodeIndex) -> Bool { cuts.contains([from, to]) }

    mutating func cut(_ from: NodeIndex, _ to: NodeIndex) { cuts.insert([from, to]) }

    mutating func healAll() { cuts = [] }

    mutating func heal(_ from: NodeIndex, _ to: NodeIndex) { cuts.remove([from, to]) }

    /// Open connections of a node, in the order of their ids.
    func connections(of node: NodeIndex) -> [ConnectionID] {
        connections.values.filter { $0.ends.contains(node) && $0.isOpen[$0.side(of: node)] }.map(\.id).sorted()
    }
}
