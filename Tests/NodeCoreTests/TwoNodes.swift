import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts
import Testing

/// Two nodes in two data centers, joined by a connection that delivers at once. Requests are text, as phones send them.
final class TwoNodes {
    static let link = ConnectionID(rawValue: 1)
    var topology: Topology
    private(set) var cores: [NodeCore] = []
    private(set) var now = Instant(monotonic: 10_000_000_000, wallMilliseconds: 1_000_000)
    private var callSequence = 0
    private var isLinked = false

    init(
        desktopGrace: Duration = .zero, isConnected: Bool = true, _ change: (inout Topology) -> Void = { _ in }
    ) {
        let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5071)
        var timing = Timing()
        timing.desktopGrace = desktopGrace
        topology = Topology(
            cluster: "test", domain: "cc.example.com",
            agentTypes: [
                AgentType(name: "sip-phone", phone: .sip), AgentType(name: "pstn-phone", phone: .pstn),
            ],
            dataCenters: [DataCenter(name: "dc1", location: "west"), DataCenter(name: "dc2", location: "east")],
            nodes: ["dc1/sip1", "dc2/sip1"].enumerated().map { position, name in
                Node(
                    name: name, dataCenter: position, sip: [SIPListener(transport: .udp, address: address)],
                    tcontroller: .tcp(address), mesh: .tcp(address)
                )
            },
            directory: DNDirectory(
                blocks: [
                    DNBlock(first: DN(decimal: 1000, length: 4), count: 10, agentType: 0, homes: 0),
                    DNBlock(first: DN(decimal: 2000, length: 4), count: 10, agentType: 0, homes: 1),
                    DNBlock(first: DN(decimal: 7000, length: 4), count: 10, agentType: 1, homes: 0),
                ], homes: [[], [0]]
            ),
            timing: timing
        )
        change(&topology)
        cores = [0, 1].map { position in
            let life = Incarnation(rawValue: 1)
            let identity = NodeIdentity(index: NodeIndex(position), incarnation: life, lineage: life, generation: 1)
            return NodeCore(NodeSetup(topology: topology, identity: identity, secret: 7, seed: 7), now: now)
        }
        if isConnected { connect() }
    }

    func connect() {
        isLinked = true
        cores[0].dialed(cores[1].me, connection: Self.link, now: now)
        cores[1].accepted(Self.link, now: now)
        settle()
    }

    // MARK: Another topology

    /// A node goes on under another topology.
    ///
    /// - Returns: what is wrong.
    @discardableResult
    func apply(_ later: Topology, generation: UInt64, at node: Int) -> String? {
        let name = cores[node].topology.name(of: cores[node].me)
        var identity = cores[node].ownership.identity
        identity.index = later.nodeIndex(named: name)!
        identity.generation = generation
        var change = TopologyChange(
            of: cores[node],
            to: NodeSetup(topology: later, identity: identity, secret: cores[node].secret, seed: cores[node].seed),
            now: now)
        while true {
            switch change.step(&cores[node], now: now) {
            case .more: continue
            case .failed(let problem): return problem
            case .done: break
            }
            break
        }
        cores[node].retire(for: later, now: now)
        settle()
        // What is told is told under the former topology.
        for client in cores[node].takeReadyClients() { read[client, default: []] += events(of: client, at: node) }
        if let problem = change.finish(&cores[node], now: now) { return problem }
        if cores.allSatisfy({ $0.topology.directory == later.directory }) { topology = later }
        settle()
        return nil
    }

    /// What clients have read on the way to another topology.
    private(set) var read: [ClientID: [TEvent]] = [:]

    /// Whether the link is live on both sides.
    var isLive: Bool {
        cores.indices.allSatisfy { node in peer(of: node).map { cores[node].ownership.isReachable($0) } ?? false }
    }

    /// By node: how often the other one has told all that it owns.
    var snapshots: [UInt64] {
        cores.indices.map { node in
            cores[node].ownership.linkReports(now: now).first { $0.peer == peer(of: node) }?.snapshots ?? 0
        }
    }

    func cut() {
        isLinked = false
        for node in 0...1 { cores[node].disconnected(Self.link, now: now) }
    }

    func settle() {
        var isQuiet = !isLinked
        while !isQuiet {
            isQuiet = true
            for node in 0...1 {
                guard let peer = peer(of: node) else { continue }
                while let message = cores[node].nextPeerMessage(for: peer, now: now) {
                    isQuiet = false
                    // Between processes nodes are named, never numbered.
                    if let heard = translated(message, from: node) {
                        cores[1 - node].received(heard, from: Self.link, now: now)
                    }
                }
            }
        }
    }

    private func peer(of node: Int) -> NodeIndex? {
        cores[node].topology.nodeIndex(named: cores[1 - node].topology.name(of: cores[1 - node].me))
    }

    private func translated(_ message: PeerMessage, from node: Int) -> PeerMessage? {
        let (from, to) = (cores[node].topology, cores[1 - node].topology)
        func heard(_ claims: [HeardClaim]) -> [HeardClaim] {
            claims.compactMap { claim in
                guard claim.claim.owner != .none else { return claim }
                guard let owner = to.nodeIndex(named: from.name(of: claim.claim.owner)) else { return nil }
                return HeardClaim(
                    dn: claim.dn, claim: Claim(owner: owner, stamp: claim.claim.stamp), session: claim.session)
            }
        }
        switch message {
        case .records(var batch):
            batch.yielded = heard(batch.yielded)
            return .records(batch)
        case .claims(let claims): return .claims(heard(claims))
        case .hello, .syncBegin, .syncEnd, .snapshotRequest, .ping, .pong: return message
        }
    }

    func advance(seconds: UInt64) {
        now = now.advanced(by: seconds * 1_000_000_000)
        if isLinked { settle() }
        for node in 0...1 { cores[node].tick(now: now) }
        settle()
    }

    /// Lets time pass while the nodes look for what is not as it should be, as their shells do.
    func look(for seconds: UInt64) {
        for _ in 0..<seconds {
            advance(seconds: 1)
            for node in 0...1 { look(at: node) }
        }
    }

    /// The passes of a node up to now, all of their slices at once.
    private func look(at node: Int) {
        var later = now
        while cores[node].nextLook <= now.advanced(by: 1_000_000_000).monotonic {
            later.monotonic = max(now.monotonic, cores[node].nextLook)
            cores[node].lookForExceptions(now: later)
        }
    }

    /// What a node has found of a kind: the examples, and how many there are.
    func found(_ kind: DNFinding.Kind, at node: Int) -> (examples: [DNFinding], count: UInt64) {
        let report = cores[node].exceptions(now: now)
        // Who asks for one DN hears the same, but for what the topology does not have.
        for example in report.examples {
            guard let dn = topology.directory.index(of: example.dn) else { continue }
            let own = cores[node].exceptions(of: dn, now: now)
            #expect(own.contains { $0.kind == example.kind && $0.detail == example.detail }, "\(example), \(own)")
        }
        return (report.examples.filter { $0.kind == kind }, report.counts[kind] ?? 0)
    }

    /// The same in short: `1000: homes dc1`.
    func told(_ kind: DNFinding.Kind, at node: Int) -> [String] {
        found(kind, at: node).examples.map { "\($0.dn): \($0.detail)" }
    }

    // MARK: Phones

    /// - Parameter waited: for how long it has waited in the node's socket, milliseconds.
    /// - Returns: the answer, whole.
    @discardableResult
    func register(
        _ dn: String, at node: Int, contact: String? = nil, expires: String = "Expires: 300",
        domain: String = "cc.example.com", waited: UInt64 = 0
    ) -> String {
        callSequence += 1
        let contacts = contact ?? "Contact: <sip:\(dn)@192.0.2.9:5060>"
        return send(
            """
            REGISTER sip:\(domain) SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK\(callSequence)
            From: <sip:\(dn)@\(domain)>;tag=a
            To: <sip:\(dn)@\(domain)>
            Call-ID: call-\(callSequence)
            CSeq: 1 REGISTER
            \(contacts.isEmpty ? "" : contacts + "\n")\(expires)
            Content-Length: 0


            """, to: node, waited: waited
        )
    }

    func options(_ uri: String, at node: Int) -> String {
        send(
            """
            OPTIONS \(uri) SIP/2.0
            Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKo
            From: <sip:test@cc.example.com>;tag=a
            To: <\(uri)>
            Call-ID: options
            CSeq: 1 OPTIONS
            Content-Length: 0


            """, to: node
        )
    }

    private func send(_ text: String, to node: Int, waited: UInt64 = 0) -> String {
        let datagram = Array(
            text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n").utf8)
        var answers = DatagramBatch()
        let source = NetworkAddress(ipv4: 0xC000_0209, port: 5060)
        cores[node].datagramReceived(
            datagram.span, from: source,
            arrival: NodeCore.Arrival(came: now.wallMilliseconds - waited, read: now.wallMilliseconds), now: now,
            answers: &answers)
        settle()
        return answers.entries.first.map { String(decoding: answers.bytes(of: $0), as: UTF8.self) } ?? ""
    }

    // MARK: Clients

    func connectClient(_ number: UInt64, at node: Int) -> ClientID {
        let client = ClientID(rawValue: number)
        cores[node].clientConnected(client)
        return client
    }

    func request(_ request: TRequest, from client: ClientID, at node: Int) {
        cores[node].requestReceived(request, from: client, now: now)
        settle()
    }

    func disconnect(_ client: ClientID, at node: Int) {
        cores[node].clientDisconnected(client, now: now)
        settle()
    }

    func events(of client: ClientID, at node: Int) -> [TEvent] {
        var events: [TEvent] = []
        while let event = cores[node].nextClientEvent(for: client) { events.append(event) }
        return events
    }

    // MARK: What came of it

    func services(_ dn: String) -> [Service] {
        cores.map { core in
            guard let index = DN(dn).flatMap({ core.topology.directory.index(of: $0) }) else {
                return .notProvisioned
            }
            return core.ownership.view(of: index).service
        }
    }

    func bindings(_ dn: String) -> [Int] {
        cores.map { core in
            DN(dn).flatMap { core.topology.directory.index(of: $0) }.map { core.registrar.bindings(of: $0).count } ?? -1
        }
    }
}
