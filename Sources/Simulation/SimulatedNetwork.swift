import CallControl
import ClusterModel
import DNOwnership
import DequeModule
import TLibraryPorts
import Trunks

/// What travels between nodes.
enum MeshMessage: Equatable, Sendable {
    case link(PeerMessage)
    case proxy(ProxyMessage)
    case sip([UInt8])
    case calls(CallMessage)
    case capacity(CapacityWord)

    /// Anything but a heartbeat.
    var isWorkUnderWay: Bool {
        switch self {
        case .link(let message): !Words.isHeartbeat(message)
        case .proxy, .sip, .calls, .capacity: true
        }
    }
}

/// A connection between two simulated nodes: two ordered streams.
struct SimulatedConnection: Sendable {
    /// The dialling node and the accepting one. A stranger dials as `.none`.
    let ends: [NodeIndex]
    /// Which ends still have the connection open.
    var isOpen = [true, true]
    /// Messages on their way from each end, at most the plan's capacity.
    var inFlight: [Deque<MeshMessage>] = [[], []]
    /// The latest delivery planned from each end, so that streams keep their order.
    var lastDelivery: [UInt64] = [0, 0]
    /// Deliveries from each end that wait for a cut to heal.
    var stalled = [0, 0]
    /// An end's process was told that the other end is gone, or will be.
    var isEndKnown = [false, false]
    /// Where the connection's own chance stands, so that what happens elsewhere does not change its delays.
    var random: SeededRandom

    func side(of node: NodeIndex) -> Int { ends[0] == node ? 0 : 1 }
    func peer(of side: Int) -> NodeIndex { ends[1 - side] }
}

/// Which nodes hear each other, how fast, and over which connections.
struct SimulatedNetwork: Sendable {
    /// By the connection's number, which is its place here; nil once both ends have closed.
    private(set) var connections: [SimulatedConnection?] = []
    /// Numbers of a node's open connections, in the order of their making.
    private(set) var open: [[Int]]
    /// Directed: bytes from the first do not reach the second while the count is above zero.
    private var cuts: [Int]
    /// By how much the delay between two nodes is multiplied.
    private var factors: [UInt64]
    /// How many connections each pair has had.
    private var counts: [Int]
    private let nodeCount: Int
    private let seed: UInt64

    init(nodeCount: Int, seed: UInt64) {
        self.nodeCount = nodeCount
        self.seed = seed
        open = Array(repeating: [], count: nodeCount)
        cuts = Array(repeating: 0, count: nodeCount * nodeCount)
        factors = Array(repeating: 1, count: nodeCount * nodeCount)
        counts = Array(repeating: 0, count: nodeCount * nodeCount)
    }

    private func place(_ from: NodeIndex, _ to: NodeIndex) -> Int { from.position * nodeCount + to.position }

    // MARK: Connections

    mutating func connect(_ dialer: NodeIndex, _ acceptor: NodeIndex) -> Int {
        let id = connections.count
        let place = dialer == .none ? place(acceptor, acceptor) : place(dialer, acceptor)
        counts[place] += 1
        let random = SeededRandom(seed: mixed(seed ^ UInt64(place) << 32 ^ UInt64(counts[place])))
        connections.append(SimulatedConnection(ends: [dialer, acceptor], random: random))
        if dialer != .none { open[dialer.position].append(id) }
        open[acceptor.position].append(id)
        return id
    }

    /// Connections between two nodes that are open at either end.
    func between(_ first: NodeIndex, _ second: NodeIndex) -> [Int] {
        connections.indices.filter { id in
            connections[id].map { $0.ends.contains(first) && $0.ends.contains(second) } ?? false
        }
    }

    func isOpen(_ id: Int, side: Int) -> Bool { connections[id]?.isOpen[side] ?? false }

    mutating func close(_ id: Int, side: Int) {
        guard connections[id]?.isOpen[side] == true else { return }
        let node = connections[id]!.ends[side]
        connections[id]!.isOpen[side] = false
        if node != .none { open[node.position].removeAll { $0 == id } }
        if connections[id]!.isOpen == [false, false] { connections[id] = nil }
    }

    mutating func lose(_ id: Int, fromSide side: Int) {
        connections[id]?.inFlight[side].removeAll()
        connections[id]?.stalled[side] = 0
    }

    mutating func knowsEnd(_ id: Int, side: Int) {
        connections[id]?.isEndKnown[side] = true
    }

    mutating func stall(_ id: Int, fromSide side: Int) {
        connections[id]?.stalled[side] += 1
    }

    mutating func takeStalled(_ id: Int, fromSide side: Int) -> Int {
        guard let stalled = connections[id]?.stalled[side] else { return 0 }
        connections[id]!.stalled[side] = 0
        return stalled
    }

    mutating func append(_ message: MeshMessage, to id: Int, fromSide side: Int) {
        connections[id]?.inFlight[side].append(message)
    }

    mutating func takeFirst(_ id: Int, fromSide side: Int) -> MeshMessage? {
        connections[id]?.inFlight[side].popFirst()
    }

    /// What no stream does: the second message overtakes the first.
    mutating func swapFirst(_ id: Int, fromSide side: Int) {
        guard let count = connections[id]?.inFlight[side].count, count > 1 else { return }
        connections[id]!.inFlight[side].swapAt(0, 1)
    }

    /// When something sent now arrives: never before what was sent earlier.
    mutating func arrival(_ id: Int, fromSide side: Int, now: UInt64, delay: ClosedRange<UInt64>) -> UInt64 {
        guard let connection = connections[id] else { return now }
        let factor = connection.ends[0] == .none ? 1 : factors[place(connection.ends[0], connection.ends[1])]
        let time = now + connections[id]!.random.within(delay) * factor
        let arrival = max(time, connection.lastDelivery[side] + 1)
        connections[id]!.lastDelivery[side] = arrival
        return arrival
    }

    // MARK: Weather

    func isCut(_ from: NodeIndex, _ to: NodeIndex) -> Bool {
        from != .none && to != .none && cuts[place(from, to)] > 0
    }

    /// Cuts add up: what two of them cut is whole when both have healed.
    mutating func cut(_ from: NodeIndex, _ to: NodeIndex) { cuts[place(from, to)] += 1 }

    mutating func heal(_ from: NodeIndex, _ to: NodeIndex) {
        let place = place(from, to)
        cuts[place] = max(0, cuts[place] - 1)
    }

    mutating func slowDown(_ first: NodeIndex, _ second: NodeIndex, by factor: UInt64) {
        factors[place(first, second)] = factor
        factors[place(second, first)] = factor
    }

    mutating func healAll() {
        for place in cuts.indices {
            cuts[place] = 0
            factors[place] = 1
        }
    }
}
