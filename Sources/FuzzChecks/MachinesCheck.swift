import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts
import Wire

/// A whole node among two others that are honest, with strangers and hostile clients: whatever they say, and whoever says
/// it, the node's bounds and what it promises of its views hold, and what it says can be carried.
///
/// The bytes choose what happens. The node is the second of three, so that it dials one peer and is dialled by the other.
struct MachinesCheck {
    static let me = NodeIndex(1)
    static let mesh = MeshCodec(topology: FuzzCluster.topology)
    static let port = TLibraryCodec(
        cluster: "test", version: "1.0",
        nodes: FuzzCluster.topology.nodes.map {
            TLibraryCodec.NodeLabel(name: $0.name, address: $0.tcontroller, location: "west")
        }
    )
    private static let beginning = MachinesCheck(faults: .none)
    private static let steps: [UInt64] = [0, 1, 50, 500, 1000, 2001, 61_000, 3_600_000]

    var bytes = FuzzBytes([])
    var now = FuzzCluster.start
    var node: NodeCore
    /// The others, by node index; the second place stays unused.
    var others = [FuzzCluster.node(0), FuzzCluster.node(1), FuzzCluster.node(2)]
    /// Whose dials are due: of the node to the third, of the first to the node.
    var dials: [Bool] = [false, false, false]
    /// Open connections of the node, each with the honest node at its other end.
    var connections: [(id: ConnectionID, other: Int?)] = []
    var clients: Set<ClientID> = []
    var lastConnection: UInt64 = 0
    /// The latest number of a request that the node put to another.
    var lastNumber: UInt64 = 0

    /// - Parameter faults: of the node, not of the others.
    init(faults: Faults) {
        node = FuzzCluster.node(1, faults: faults)
    }

    static func check(_ input: [UInt8], _ beginning: MachinesCheck = beginning) throws(FuzzFinding) {
        var run = beginning
        run.bytes = FuzzBytes(input)
        var events = 0
        while !run.bytes.isEmpty, events < 200 {
            run.happen()
            try run.settle()
            events += 1
        }
        try run.leaveAlone()
    }

    private mutating func happen() {
        switch bytes.choice(17) {
        case 16: hearOfCalls()
        case 0: pass()
        case 1: connect(0)
        case 2: connect(2)
        case 3: exchange(0)
        case 4: exchange(2)
        case 5: admitStranger()
        case 6: hearHello()
        case 7: hear(message())
        case 8: hear(proxyMessage())
        case 9: hearFrame()
        case 10: disconnect()
        case 11: clientComesOrGoes()
        case 12: ask()
        case 13: phone()
        case 14: desktopElsewhere()
        default: restartOther()
        }
    }

    private mutating func pass() {
        let milliseconds = Self.steps[bytes.choice(Self.steps.count)]
        now = now.advanced(by: milliseconds * 1_000_000)
        if bytes.choice(8) == 7 { now.wallMilliseconds += UInt64(bytes.choice(200)) * 1000 }
    }

    /// What a shell does at the end of a turn, and what must hold then.
    private mutating func settle() throws(FuzzFinding) {
        if node.nextDeadline() <= now.monotonic { node.tick(now: now) }
        act()
        for position in others.indices where position != Self.me.position {
            if others[position].nextDeadline() <= now.monotonic { others[position].tick(now: now) }
            act(for: position)
        }
        try pullForStrangers()
        try pullForClients()
        act()
        try FuzzCluster.checkState(of: &node)
        // What operators are told of links.
        for report in node.ownership.linkReports(now: now) {
            try expect(
                report.peerOwns <= UInt64(FuzzCluster.topology.directory.count),
                "a peer owns more DNs than there are: \(report)")
        }
    }

    /// At the end every connection breaks; when all is told, the node sleeps.
    private mutating func leaveAlone() throws(FuzzFinding) {
        for connection in connections { close(connection.id) }
        try settle()
        for client in clients.sorted() { node.clientDisconnected(client, now: now) }
        clients = []
        now = now.advanced(by: 4_000_000_000)
        try settle()
        now = now.advanced(by: 1)
        try settle()
        for position in others.indices where position != Self.me.position {
            try expect(
                node.inspect(link: NodeIndex(position)).state == .down, "a link without a connection is not down")
        }
        try expect(
            node.nextDeadline() > now.monotonic, "a node that is left alone asks to be called at once, for ever")
    }

    // MARK: Actions

    private mutating func act() {
        for action in node.takeActions() {
            switch action {
            case .dial(let peer): dials[peer.position] = true
            case .closeConnection(let id, _): close(id)
            case .closeClient(let client, _):
                clients.remove(client)
                node.clientDisconnected(client, now: now)
            case .send, .closeFlow: break
            }
        }
    }

    private mutating func act(for position: Int) {
        for action in others[position].takeActions() {
            switch action {
            case .dial(let peer):
                if peer == Self.me { dials[0] = true } else { others[position].dialFailed(peer, now: now) }
            case .closeConnection(let id, _): close(id)
            case .closeClient(let client, _): others[position].clientDisconnected(client, now: now)
            case .send, .closeFlow: break
            }
        }
    }

    /// At both ends.
    mutating func close(_ id: ConnectionID) {
        guard let position = connections.firstIndex(where: { $0.id == id }) else { return }
        let (_, other) = connections.remove(at: position)
        node.disconnected(id, now: now)
        if let other { others[other].disconnected(id, now: now) }
    }

    mutating func newConnection() -> ConnectionID {
        lastConnection += 1
        return ConnectionID(rawValue: lastConnection)
    }

    // MARK: Saying

    /// What the node tells a peer on a connection that no honest node reads is only looked at.
    private mutating func pullForStrangers() throws(FuzzFinding) {
        for position in others.indices where position != Self.me.position {
            let peer = NodeIndex(position)
            guard let id = node.ownership.connection(to: peer) else { continue }
            guard !connections.contains(where: { $0.id == id && $0.other == position }) else { continue }
            var count = 0
            while let message = node.nextPeerMessage(for: peer, now: now) {
                count += 1
                try expect(count < 200, "a node says more and more to a peer that says nothing")
                try checkCarried(message)
            }
            while let message = node.nextProxyMessage(for: peer) { note(message) }
        }
    }

    private func checkCarried(_ message: PeerMessage) throws(FuzzFinding) {
        if case .records(let batch) = message {
            try expect(
                batch.owned.count + batch.yielded.count <= node.ownership.configuration.chunkRecords,
                "a batch of \(batch.owned.count) and \(batch.yielded.count) records")
        }
        var frame: [UInt8] = []
        Self.mesh.encode(message, to: &frame)
        let type = FrameHeader(frame.span.bytes)?.type ?? 0
        let heard = try? Self.mesh.decode(type: type, Array(frame.dropFirst(FrameHeader.size)).span.bytes)
        try expect(heard == message, "\(message) is heard as \(heard.map { "\($0)" } ?? "nothing")")
    }

    mutating func note(_ message: ProxyMessage) {
        if case .request(let number, _, _) = message { lastNumber = number }
    }

    private mutating func pullForClients() throws(FuzzFinding) {
        for client in node.takeReadyClients() {
            // A client may leave what it is told unread.
            guard client.rawValue & 1 == 0 || bytes.choice(4) != 3 else { continue }
            var count = 0
            while let event = node.nextClientEvent(for: client) {
                count += 1
                try expect(count < 1000, "a node tells a client more and more")
                var frame: [UInt8] = []
                Self.port.encode(event, server: Self.me, now: now, to: &frame)
                let heard = try? TLibraryCodec.decodeEvent(
                    type: event.type.rawValue, Array(frame.dropFirst(FrameHeader.size)).span.bytes)
                try expect(heard?.type == event.type, "a client cannot read \(event)")
            }
        }
    }
}
