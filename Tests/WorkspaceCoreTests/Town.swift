import AgentSessions
import ClusterModel
import DNOwnership
import Digests
import NodeCore
import TLibraryPorts
import WorkspaceCore

/// Two data centers, three nodes and two gateways, with the nodes' own machines: what is said arrives at once, and time passes when a
/// test lets it.
final class Town {
    static let nodes = ["dc1/sip1", "dc1/sip2", "dc2/sip1"]
    static let desks = ["dc1/desk1", "dc2/desk2"]
    static let step: UInt64 = 100_000_000
    /// Hears everything, at the node in dc2.
    static let monitor = ClientID(rawValue: 1)

    let topology: Topology
    private let faults: Faults
    private let accounts: [AgentAccount]
    private(set) var cores: [NodeCore?] = []
    private(set) var desks: [Desk?] = []
    private(set) var now = Instant(monotonic: 1_000_000_000_000, wallMilliseconds: 1_700_000_000_000)
    private(set) var life: UInt64 = 1
    private var links: [Pair: ConnectionID] = [:]
    private var lastNumber: UInt64 = 100
    /// Cut between a gateway and a node.
    private var unplugged: Set<Pair> = []
    /// What the monitor has heard.
    var heard: [TEvent] = []

    struct Pair: Hashable, Comparable {
        var first: Int
        var second: Int

        static func < (left: Pair, right: Pair) -> Bool {
            (left.first, left.second) < (right.first, right.second)
        }
    }

    init(
        faults: Faults = .none, accounts: [AgentAccount] = Desk.accounts,
        _ change: (inout Topology) -> Void = { _ in }
    ) {
        var topology = Self.topology()
        change(&topology)
        self.topology = topology
        self.faults = faults
        self.accounts = accounts
        cores = Self.nodes.indices.map { core($0) }
        desks = Self.desks.indices.map { Desk($0, self, accounts: accounts) }
        for first in Self.nodes.indices { for second in first + 1..<Self.nodes.count { connect(first, second) } }
        cores[2]!.clientConnected(Self.monitor)
        cores[2]!.requestReceived(.monitorAll(referenceID: 1, MonitorOptions()), from: Self.monitor, now: now)
        settle()
        pass(milliseconds: 500)
        heard = []
    }

    static func topology() -> Topology {
        let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5071)
        var timing = Timing()
        timing.desktopGrace = .seconds(10)
        return Topology(
            cluster: "test", domain: "cc.example.com",
            agentTypes: [AgentType(name: "sip-phone", phone: .sip), AgentType(name: "pstn-phone", phone: .pstn)],
            dataCenters: [DataCenter(name: "dc1", location: "west"), DataCenter(name: "dc2", location: "east")],
            nodes: nodes.map { name in
                Node(
                    name: name, dataCenter: name.hasPrefix("dc1") ? 0 : 1,
                    sip: [SIPListener(transport: .udp, address: address)], tcontroller: .tcp(address),
                    mesh: .tcp(address))
            },
            directory: DNDirectory(
                blocks: [
                    DNBlock(first: DN(decimal: 1000, length: 4), count: 4, agentType: 0, homes: 0),
                    DNBlock(first: DN(decimal: 7000, length: 4), count: 10, agentType: 1, homes: 0),
                    DNBlock(first: DN(decimal: 7100, length: 4), count: 4, agentType: 1, homes: 1),
                ], homes: [[], [1]]),
            workspaces: desks.enumerated().map { position, name in
                WorkspaceDeclaration(
                    name: name, dataCenter: position, listen: address, url: "https://desk\(position).example.com")
            }, timing: timing)
    }

    // MARK: Nodes

    private func core(_ node: Int) -> NodeCore {
        let life = Incarnation(rawValue: life)
        let identity = NodeIdentity(index: NodeIndex(node), incarnation: life, lineage: life, generation: 1)
        var ports = PortsConfiguration()
        ports.requestsPerSecond = topology.clientRequestLimit
        return NodeCore(
            NodeSetup(topology: topology, identity: identity, ports: ports, secret: 7, seed: 7 + UInt64(node)), now: now
        )
    }

    private func number() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    func connect(_ first: Int, _ second: Int) {
        let pair = Pair(first: first, second: second)
        guard links[pair] == nil, cores[first] != nil, cores[second] != nil else { return }
        let id = ConnectionID(rawValue: number())
        links[pair] = id
        cores[first]!.dialed(NodeIndex(second), connection: id, now: now)
        cores[second]!.accepted(id, now: now)
        settle()
    }

    func cut(_ first: Int, _ second: Int) {
        guard let id = links.removeValue(forKey: Pair(first: first, second: second)) else { return }
        cores[first]?.disconnected(id, now: now)
        cores[second]?.disconnected(id, now: now)
    }

    func kill(node: Int) {
        cores[node] = nil
        for pair in links.keys.sorted() where pair.first == node || pair.second == node { cut(pair.first, pair.second) }
        for desk in desks { desk?.lost(node) }
        settle()
    }

    func start(node: Int) {
        guard cores[node] == nil else { return }
        life += 1
        cores[node] = core(node)
        for other in cores.indices where other != node { connect(min(node, other), max(node, other)) }
        settle()
    }

    func drain(node: Int) {
        cores[node]!.beginDrain(DrainPolicy(), now: now)
        settle()
    }

    // MARK: Gateways

    func kill(desk: Int) {
        guard let gone = desks[desk] else { return }
        desks[desk] = nil
        for (node, client) in gone.clients.sorted(by: { $0.key < $1.key }) {
            cores[node]?.clientDisconnected(client, now: now)
        }
        settle()
    }

    func start(desk: Int) {
        guard desks[desk] == nil else { return }
        life += 1
        desks[desk] = Desk(desk, self, accounts: accounts)
        settle()
    }

    func unplug(desk: Int, node: Int) {
        unplugged.insert(Pair(first: desk, second: node))
        guard let client = desks[desk]?.clients[node] else { return }
        cores[node]?.clientDisconnected(client, now: now)
        desks[desk]?.lost(node)
        settle()
    }

    func plug(desk: Int, node: Int) { unplugged.remove(Pair(first: desk, second: node)) }

    func mayConnect(desk: Int, node: Int) -> Bool {
        cores[node] != nil && !unplugged.contains(Pair(first: desk, second: node))
    }

    func connectClient(_ node: Int) -> ClientID {
        let client = ClientID(rawValue: number())
        cores[node]!.clientConnected(client)
        cores[node]!.clientIntroduced(client, name: "desk")
        return client
    }

    func request(_ request: TRequest, from client: ClientID, at node: Int) {
        cores[node]?.requestReceived(request, from: client, now: now)
    }

    func newMachine(_ desk: Int, accounts: [AgentAccount], keys: [[UInt8]]) -> WorkspaceMachine {
        var machine = WorkspaceMachine(
            WorkspaceSetup(
                topology: topology, name: Self.desks[desk], accounts: accounts, sessionKeys: keys,
                authenticate: { MessageAuthenticationCode.sha256($0, key: $1) }, epoch: life, seed: 11,
                decoy: "decoy"), now: now)
        machine.faults = faults
        return machine
    }

    // MARK: Time

    /// Until nobody has anything to say.
    func settle() {
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            for desk in desks.compactMap(\.self) where desk.carryOut() { isQuiet = false }
            for (pair, id) in links.sorted(by: { $0.key < $1.key }) {
                if carry(pair.first, pair.second, id) { isQuiet = false }
                if carry(pair.second, pair.first, id) { isQuiet = false }
            }
            for node in cores.indices where deliver(from: node) { isQuiet = false }
        }
    }

    private func carry(_ from: Int, _ to: Int, _ id: ConnectionID) -> Bool {
        guard cores[from] != nil, cores[to] != nil else { return false }
        var hasSaid = false
        while true {
            if let message = cores[from]!.nextPeerMessage(for: NodeIndex(to), now: now) {
                cores[to]!.received(message, from: id, now: now)
            } else if let message = cores[from]!.nextProxyMessage(for: NodeIndex(to)) {
                cores[to]!.received(message, from: id, now: now)
            } else {
                return hasSaid
            }
            hasSaid = true
        }
    }

    private func deliver(from node: Int) -> Bool {
        guard cores[node] != nil else { return false }
        var hasSaid = false
        for client in cores[node]!.takeReadyClients() {
            while let event = cores[node]?.nextClientEvent(for: client) {
                hasSaid = true
                if client == Self.monitor {
                    heard.append(event)
                } else {
                    desks.compactMap(\.self).first { $0.clients[node] == client }?.take(event, from: node)
                }
            }
        }
        return hasSaid
    }

    func pass(milliseconds: UInt64) {
        for _ in 0..<milliseconds / 100 {
            now = now.advanced(by: Self.step)
            for node in cores.indices where cores[node] != nil {
                cores[node]!.tick(now: now)
                _ = cores[node]!.takeActions()
            }
            for desk in desks.compactMap(\.self) { desk.tick() }
            settle()
        }
    }

    // MARK: What came of it

    /// By node, as far as it lives.
    func services(_ text: String) -> [Service] { cores.compactMap { $0 }.map { Self.view(text, $0).service } }

    func owner(_ text: String) -> Int? {
        cores.compactMap { $0 }.first.map { Self.view(text, $0).owner }.flatMap { $0 == .none ? nil : $0.position }
    }

    func agent(_ text: String, at node: Int) -> AgentSession? { Self.view(text, cores[node]!).agent }

    private static func view(_ text: String, _ core: NodeCore) -> View {
        core.ownership.view(of: core.topology.directory.index(of: DN(text)!)!)
    }

    /// Of a DN, whether the monitor has heard that it was out of service.
    func heardOutOfService(_ text: String) -> Bool {
        heard.contains { event in
            guard case .serviceChanged(let status, _) = event else { return false }
            return status.dn == DN(text)! && !status.view.service.isInService
        }
    }

    func clearHeard() { heard = [] }
}

/// A gateway: its machine, and what came out of it.
final class Desk {
    static let accounts = [
        AgentAccount(agent: AgentID("ann")!, hash: "hash of ann", dns: [DN("7000")!, DN("7001")!, DN("1000")!]),
        AgentAccount(agent: AgentID("ben")!, hash: "hash of ben"),
        AgentAccount(agent: AgentID("sue")!, hash: "hash of sue", isSupervisor: true),
    ]
    static let keys = [Array(repeating: UInt8(1), count: 32), Array(repeating: UInt8(2), count: 32)]

    let number: Int
    private unowned let town: Town
    var machine: WorkspaceMachine
    private(set) var clients: [Int: ClientID] = [:]
    private var wanted: Set<Int> = []
    /// No life has numbers of another one, as random numbers would not be.
    private var last: UInt64
    private(set) var answers: [RequestID: WorkspaceReply] = [:]
    private(set) var opened: Set<StreamID> = []
    private(set) var refused: [StreamID: WorkspaceRefusal] = [:]
    var pushed: [StreamID: [StreamEvent]] = [:]
    private(set) var ended: [StreamID: StreamEnd] = [:]
    private(set) var audits: [AuditLine] = []
    private(set) var sent: [(node: Int, request: TRequest)] = []
    private(set) var hearsStat = false

    /// How late the clock of its machine is, milliseconds.
    var lateness: UInt64 = 0

    private var now: Instant {
        Instant(monotonic: town.now.monotonic, wallMilliseconds: town.now.wallMilliseconds - lateness)
    }

    init(_ number: Int, _ town: Town, accounts: [AgentAccount]) {
        self.number = number
        self.town = town
        last = town.life << 32
        machine = town.newMachine(number, accounts: accounts, keys: Self.keys)
    }

    func ask(_ command: WorkspaceCommand, source: UInt32 = 0x0A00_0001, settles: Bool = true) -> RequestID {
        last += 1
        let id = RequestID(rawValue: last)
        let fresh = (0..<16).map { UInt8(truncatingIfNeeded: mixed(last &* 16 &+ UInt64($0) &+ UInt64(number) << 56)) }
        machine.asked(
            id, command, source: SourceID(NetworkAddress(ipv4: source, port: 0)), fresh: fresh, now: now)
        if settles { town.settle() }
        return id
    }

    func stream(_ kind: StreamRequest.Kind = .session, _ cookie: String, after: String? = nil) -> StreamID {
        last += 1
        let id = StreamID(rawValue: last)
        machine.streamAsked(
            id,
            StreamRequest(
                kind, proof: SessionProof(token: cookie),
                source: SourceID(NetworkAddress(ipv4: 0x0A00_0001, port: 0)), after: after), now: now)
        town.settle()
        return id
    }

    func closed(_ stream: StreamID) {
        machine.streamClosed(stream, now: now)
        town.settle()
    }

    func take(_ event: TEvent, from node: Int) {
        for news in Self.news(event) { machine.heard(news, from: NodeIndex(node), now: now) }
    }

    func lost(_ node: Int) {
        guard clients.removeValue(forKey: node) != nil else { return }
        machine.nodeLost(NodeIndex(node), now: now)
    }

    func tick() {
        for node in wanted.sorted() where clients[node] == nil { connect(node) }
        machine.tick(now: now)
    }

    private func connect(_ node: Int) {
        guard town.mayConnect(desk: number, node: node) else { return }
        clients[node] = town.connectClient(node)
        machine.nodeOpened(NodeIndex(node), now: now)
    }

    /// Lines that others have, by what pages were told last.
    var superseded: Set<String> {
        let told = pushed.values.compactMap { events in
            events.lazy.reversed().compactMap { event in
                if case .state(let view) = event.content { view } else { nil }
            }.first
        }
        return Set(told.filter { $0.link == .superseded }.map { "\($0.line.dn)" })
    }

    /// - Returns: whether there was anything to do.
    func carryOut() -> Bool {
        let actions = machine.actions
        machine.actions = []
        for action in actions {
            switch action {
            case .open(let node):
                wanted.insert(node.position)
                connect(node.position)
            case .close(let node):
                wanted.remove(node.position)
                clients[node.position] = nil
            case .send(let node, let request):
                sent.append((node.position, request))
                if let client = clients[node.position] { town.request(request, from: client, at: node.position) }
            case .verify(let id, let password, _):
                machine.passwordVerified(id, password == Array("right".utf8), now: now)
            case .answer(let id, let reply):
                answers[id] = answers[id] == nil ? reply : .refused(WorkspaceRefusal(.unknownOutcome))
            case .opened(let id): opened.insert(id)
            case .refuse(let id, let refusal): refused[id] = refusal
            case .push(let id, let event): pushed[id, default: []].append(event)
            case .end(let id, let why): ended[id] = why
            case .hearStat(let isWanted): hearsStat = isWanted
            case .audit(let line): audits.append(line)
            }
        }
        return !actions.isEmpty
    }

    /// As the shell makes it of what arrives: of the times of logins only the milliseconds.
    private static func news(_ event: TEvent) -> [LineNews] {
        switch event {
        case .registered(let id, let status, let token): [.registered(id, told(status), token)]
        case .unregistered(let id, let dn, let reason): [.unregistered(id, dn, reason: reason)]
        case .addressInfo(let id, let status, _): [.address(id, told(status))]
        case .error(let id, let error): [.refused(id, error)]
        case .agent(let event, let id, _): [id.map { .agentDone($0) } ?? .agentChanged(event.dn)]
        case .serviceChanged(let status, _): [.status(told(status))]
        case .status(let statuses, _): statuses.map { .status(told($0)) }
        case .call(let event, _): [.call(event)]
        case .moveHint(let dn, let to): [.moveHint(dn, to: to)]
        case .serverInfo, .linkConnected, .linkDisconnected, .ownerHint, .done, .monitoring, .agentReserved, .point,
            .routeRequest, .routeUsed, .routeEnded, .endOfSnapshot, .ownerUnreachable, .ownerReachable:
            []
        }
    }

    private static func told(_ status: DNStatus) -> DNStatus {
        var status = status
        if let agent = status.view.agent {
            status.view.agent = AgentSession(
                agent: agent.agent, state: agent.state, workMode: agent.workMode, reasons: agent.reasons,
                profile: agent.profile, login: Stamp(milliseconds: agent.login.milliseconds, counter: 0),
                stamp: Stamp(milliseconds: agent.stamp.milliseconds, counter: 0))
        }
        return status
    }
}
