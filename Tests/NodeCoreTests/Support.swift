import ClusterModel
import DNOwnership
import NodeCore
import SIPCore
import TLibraryPorts

let alpha = NodeIndex(0)
let beta = NodeIndex(1)
let monitor = ClientID(rawValue: 1)
let desktop = ClientID(rawValue: 2)
let other = ClientID(rawValue: 3)
let phone = NetworkAddress(ipv4: 0x0A00_0001, port: 5066)

func at(_ seconds: Double) -> Instant {
    Instant(monotonic: UInt64((1000 + seconds) * 1e9), wallMilliseconds: UInt64(1_700_000_000_000 + seconds * 1000))
}

func dn(_ text: String) -> DNIndex { topology().directory.index(of: DN(text)!)! }

/// SIP phones 1000 to 1003 register anywhere, 2000 in dc2 only; PSTN phones 7000 to 7003 anywhere, 8000 in dc2 only.
func topology(desktopGrace: Duration = .zero, probing: Duration? = nil) -> Topology {
    let address = NetworkAddress(ipv4: 0x7F00_0001, port: 5060)
    let nodes = ["dc1/alpha", "dc1/beta"].enumerated().map { position, name in
        Node(
            name: name, dataCenter: 0,
            sip: [SIPListener(transport: .udp, address: address.with(port: UInt16(5060 + position)))],
            tcontroller: .tcp(address), mesh: .tcp(address)
        )
    }
    let blocks = [("1000", 4, 0, 0), ("2000", 1, 0, 1), ("7000", 4, 1, 0), ("8000", 1, 1, 1)].map {
        DNBlock(first: DN($0.0)!, count: $0.1, agentType: $0.2, homes: $0.3)
    }
    var timing = Timing()
    timing.desktopGrace = desktopGrace
    return Topology(
        cluster: "test", domain: "cc.example.com",
        agentTypes: [
            AgentType(name: "sip", phone: .sip, registration: RegistrationLimits(probeInterval: probing)),
            AgentType(name: "pstn", phone: .pstn),
        ],
        dataCenters: [DataCenter(name: "dc1", location: "west"), DataCenter(name: "dc2", location: "east")],
        nodes: nodes, directory: DNDirectory(blocks: blocks, homes: [[], [1]]), timing: timing
    )
}

func core(
    _ node: NodeIndex = alpha, desktopGrace: Duration = .zero, ports: PortsConfiguration = PortsConfiguration(),
    probing: Duration? = nil, sourceLimits: SourceLimitPolicy? = nil, faults: Faults = .none, life: UInt64 = 1,
    _ change: (inout Topology) -> Void = { _ in }
) -> NodeCore {
    let life = Incarnation(rawValue: life)
    let identity = NodeIdentity(index: node, incarnation: life, lineage: life, generation: 1)
    var topology = topology(desktopGrace: desktopGrace, probing: probing)
    topology.sourceLimits = sourceLimits
    change(&topology)
    let setup = NodeSetup(
        topology: topology, identity: identity, ports: ports, secret: 1 + UInt64(node.position), seed: 1,
        faults: faults
    )
    var core = NodeCore(setup, now: at(0))
    for client in [desktop, other] { core.clientConnected(client) }
    return core
}

/// A request, line by line; `method` is the first line without the version.
func request(_ method: String, to dn: String, cseq: Int = 1, _ more: [String] = []) -> String {
    let name = method.split(separator: " ")[0]
    let lines =
        [
            "\(method) SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.1:5066;branch=z9hG4bK\(cseq);rport",
            "From: <sip:\(dn)@cc.example.com>;tag=a", "To: <sip:\(dn)@cc.example.com>", "Call-ID: \(dn)@phone",
            "CSeq: \(cseq) \(name)", "Max-Forwards: 70",
        ] + more + ["Content-Length: 0"]
    return lines.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// A REGISTER; without a contact it only asks.
func register(
    _ dn: String, cseq: Int = 1, contact: String? = "<sip:phone@10.0.0.1:5066>", expires: Int? = nil
) -> String {
    var more: [String] = []
    if let contact { more.append("Contact: \(contact)") }
    if let expires { more.append("Expires: \(expires)") }
    return request("REGISTER sip:cc.example.com", to: dn, cseq: cseq, more)
}

extension NodeCore {
    /// Hands the node a datagram and returns the lines of its answer.
    mutating func receive(
        _ text: String, _ seconds: Double = 0, from source: NetworkAddress = phone
    ) -> [String] {
        answer(text, seconds, from: source).split(separator: "\r\n").map(String.init)
    }

    /// The same as it is sent.
    mutating func answer(
        _ text: String, _ seconds: Double = 0, from source: NetworkAddress = phone
    ) -> String {
        var answers = DatagramBatch()
        datagramReceived(Array(text.utf8).span, from: source, now: at(seconds), answers: &answers)
        return String(decoding: answers.bytes, as: UTF8.self)
    }

    /// The status line of the answer.
    mutating func status(
        _ text: String, _ seconds: Double = 0, from source: NetworkAddress = phone
    ) -> String {
        String(receive(text, seconds, from: source).first?.dropFirst(8) ?? "no answer")
    }

    mutating func ask(_ request: TRequest, _ client: ClientID = desktop, _ seconds: Double = 0) -> [TEvent] {
        requestReceived(request, from: client, now: at(seconds))
        return read(client)
    }

    mutating func read(_ client: ClientID) -> [TEvent] {
        var events: [TEvent] = []
        while let event = nextClientEvent(for: client) { events.append(event) }
        return events
    }

    func service(_ text: String) -> Service { ownership.view(of: dn(text)).service }
}

/// The same as `at`, where that means something else.
func moment(_ seconds: Double) -> Instant { at(seconds) }

/// Two nodes on whose connection a message arrives as soon as it is said.
struct Pair {
    var cores: [NodeCore]
    /// What nodes say to each other for clients stays on its way while this is set.
    var holdsProxied = false
    /// Waits on its way, by the node that it goes to.
    var held: [(to: Int, message: ProxyMessage)] = []
    private var lastConnection: UInt64 = 0
    private var open: ConnectionID?
    private var time = 0.0

    init(
        faults: Faults = .none, desktopGrace: Duration = .zero, _ change: (inout Topology) -> Void = { _ in }
    ) {
        cores = [alpha, beta].map { core($0, desktopGrace: desktopGrace, faults: faults, change) }
        for node in cores.indices {
            cores[node].clientConnected(monitor)
            cores[node].requestReceived(.monitorAll(referenceID: 1, MonitorOptions()), from: monitor, now: at(0))
        }
        link()
        for node in cores.indices { _ = cores[node].read(monitor) }
    }

    /// A node starts again without its memory.
    mutating func restart(_ node: Int, life: UInt64) {
        cut()
        cores[node] = core(NodeIndex(node), life: life)
        link()
    }

    mutating func link() {
        lastConnection += 1
        let id = ConnectionID(rawValue: lastConnection)
        open = id
        cores[0].dialed(beta, connection: id, now: at(0))
        cores[1].accepted(id, now: at(0))
        pump()
    }

    mutating func cut() {
        guard let id = open else { return }
        open = nil
        held = []
        for node in cores.indices { cores[node].disconnected(id, now: at(0)) }
    }

    mutating func pump(_ seconds: Double = 0) {
        guard let id = open else { return }
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            for (from, to) in [(0, 1), (1, 0)] {
                if let message = cores[from].nextSIPMessage(for: NodeIndex(to)) {
                    isQuiet = false
                    cores[to].receivedSIP(message.span, from: id, now: at(seconds))
                } else if let message = cores[from].nextPeerMessage(for: NodeIndex(to), now: at(seconds)) {
                    isQuiet = false
                    cores[to].received(message, from: id, now: at(seconds))
                } else if let message = cores[from].nextProxyMessage(for: NodeIndex(to)) {
                    isQuiet = false
                    if holdsProxied {
                        held.append((to, message))
                    } else {
                        cores[to].received(message, from: id, now: at(seconds))
                    }
                } else if let word = cores[from].nextCapacityWord(for: NodeIndex(to)) {
                    isQuiet = false
                    cores[to].received(word, from: id, now: at(seconds))
                } else if let message = cores[from].nextCallMessage(for: NodeIndex(to)) {
                    isQuiet = false
                    cores[to].received(message, from: id, now: at(seconds))
                }
            }
        }
    }

    /// Delivers what was held.
    mutating func release(_ seconds: Double = 0) {
        guard let id = open else { return }
        holdsProxied = false
        for (to, message) in held { cores[to].received(message, from: id, now: at(seconds)) }
        held = []
        pump(seconds)
    }

    /// A client's request, carried to wherever it has to go.
    ///
    /// - Returns: what the client is told.
    mutating func ask(
        _ request: TRequest, _ client: ClientID = desktop, at node: Int, _ seconds: Double = 0
    ) -> [TEvent] {
        cores[node].requestReceived(request, from: client, now: moment(seconds))
        pump(seconds)
        return cores[node].read(client)
    }

    /// Lets time pass at both nodes.
    mutating func pass(_ seconds: Double) {
        while time < seconds {
            time = min(seconds, time + 0.5)
            for node in cores.indices { cores[node].tick(now: at(time)) }
            pump(time)
        }
    }

    /// What each node holds of a DN's agent.
    func sessions(_ name: String) -> [AgentSession?] { cores.map { $0.ownership.session(of: dn(name)) } }

    func occupancies(_ name: String) -> [Occupancy] { cores.map { $0.ownership.view(of: dn(name)).occupancy } }

    func services(_ dn: String) -> [Service] { cores.map { $0.service(dn) } }
}
