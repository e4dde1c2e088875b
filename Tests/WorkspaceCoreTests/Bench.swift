import AgentSessions
import ClusterModel
import Digests
import TLibraryPorts
import WorkspaceCore

/// One gateway's machine, whose nodes say what a test lets them say.
struct Bench {
    static let node = NodeIndex(0)

    var machine: WorkspaceMachine
    private(set) var now = Instant(monotonic: 1_000_000_000_000, wallMilliseconds: 1_700_000_000_000)
    private(set) var answers: [RequestID: WorkspaceReply] = [:]
    private(set) var sent: [TRequest] = []
    private(set) var opened: [NodeIndex] = []
    private(set) var closed: [NodeIndex] = []
    /// What pages were told.
    private(set) var statuses: [AgentStatus] = []
    private var last: UInt64 = 0

    init(_ topology: Topology = Town.topology(), accounts: [AgentAccount] = Desk.accounts) {
        machine = WorkspaceMachine(
            WorkspaceSetup(
                topology: topology, name: Town.desks[0], accounts: accounts, sessionKeys: Desk.keys,
                authenticate: { MessageAuthenticationCode.sha256($0, key: $1) }, epoch: 1, seed: 1, decoy: "decoy"),
            now: now)
        carryOut()
    }

    mutating func ask(_ command: WorkspaceCommand, source: UInt32 = 1) -> RequestID {
        last += 1
        let id = RequestID(rawValue: last)
        let fresh = (0..<16).map { UInt8(truncatingIfNeeded: mixed(last &* 16 &+ UInt64($0))) }
        machine.asked(
            id, command, source: SourceID(NetworkAddress(ipv4: source, port: 0)), fresh: fresh, now: now)
        carryOut()
        return id
    }

    /// - Returns: the cookie, and what pages say with it.
    mutating func logIn(_ agent: String, source: UInt32 = 1) -> SessionProof? {
        let id = ask(.logIn(agent: agent, password: [1]), source: source)
        machine.passwordVerified(id, true, now: now)
        carryOut()
        guard case .session(let view, .set(let token, _)) = answers[id] else { return nil }
        return SessionProof(token: token, csrf: view.csrf)
    }

    mutating func open(_ node: NodeIndex = node) {
        machine.nodeOpened(node, now: now)
        carryOut()
    }

    mutating func hear(_ news: LineNews) {
        machine.heard(news, from: Self.node, now: now)
        carryOut()
    }

    /// The agent sits down at a DN, and the node says yes to everything.
    mutating func sit(_ proof: SessionProof, _ dn: String) {
        _ = ask(.choose(proof, dn: dn, takeBack: false))
        // Whichever node comes first, the one that is open has its turn.
        pass(milliseconds: 500)
        hear(.address(lastNumber, Self.status(dn)))
        hear(.registered(lastNumber, Self.status(dn), DesktopToken(number: 1)))
        hear(.agentDone(lastNumber))
        hear(.address(lastNumber, Self.status(dn, agent: "ann")))
    }

    mutating func listen(_ proof: SessionProof) {
        last += 1
        let id = StreamID(rawValue: last)
        machine.streamAsked(
            id, StreamRequest(.session, proof: proof, source: SourceID(NetworkAddress(ipv4: 1, port: 0))), now: now)
        carryOut()
    }

    mutating func pass(milliseconds: UInt64) {
        for _ in 0..<milliseconds / 100 {
            now = now.advanced(by: 100_000_000)
            machine.tick(now: now)
            carryOut()
        }
    }

    /// The number of the last request.
    var lastNumber: UInt32 { sent.last?.referenceID ?? 0 }

    /// How a node says that a DN is.
    static func status(
        _ dn: String, agent: String? = nil, _ state: AgentSession.State = .notReady, _ workMode: WorkMode = .unknown
    ) -> DNStatus {
        let session = agent.map { agent in
            AgentSession(
                agent: AgentID(agent)!, state: state, workMode: workMode,
                login: Stamp(milliseconds: 7, counter: 0), stamp: Stamp(milliseconds: 7, counter: 0))
        }
        return DNStatus(
            dn: DN(dn)!,
            view: View(
                service: .inService, owner: node, stamp: Stamp(milliseconds: 7, counter: 0), occupancy: [],
                agent: session, calls: nil))
    }

    private mutating func carryOut() {
        let actions = machine.actions
        machine.actions = []
        for action in actions {
            switch action {
            case .answer(let id, let reply): answers[id] = reply
            case .send(_, let request): sent.append(request)
            case .open(let node): opened.append(node)
            case .close(let node): closed.append(node)
            case .push(_, let event):
                if case .state(let view) = event.content { statuses.append(view.presence.status) }
            case .verify, .opened, .refuse, .end, .hearStat, .audit: break
            }
        }
    }
}
