import AgentSessions
import ClusterModel
import Synchronization
import Workspace
import WorkspaceCore

/// A desk that answers what a test wants, and remembers what it was asked.
final class FakeDesk: DeskService {
    private struct Memory {
        var reply: WorkspaceReply
        var asked: [WorkspaceCommand] = []
        var opened: [StreamRequest] = []
        var closed: [StreamID] = []
        var events: Result<OpenedStream, WorkspaceRefusal> = .failure(WorkspaceRefusal(.noSession))
    }

    private let memory: Mutex<Memory>

    init(_ reply: WorkspaceReply = .done(cookie: nil)) {
        memory = Mutex(Memory(reply: reply))
    }

    var reply: WorkspaceReply {
        get { memory.withLock { $0.reply } }
        set { memory.withLock { $0.reply = newValue } }
    }
    var asked: [WorkspaceCommand] { memory.withLock { $0.asked } }
    var opened: [StreamRequest] { memory.withLock { $0.opened } }
    var closedStreams: [StreamID] { memory.withLock { $0.closed } }

    /// What the next streams bring.
    func set(_ events: Result<OpenedStream, WorkspaceRefusal>) {
        memory.withLock { $0.events = events }
    }

    func ask(_ command: WorkspaceCommand, from source: SourceID) async -> WorkspaceReply {
        memory.withLock { memory in
            memory.asked.append(command)
            return memory.reply
        }
    }

    func open(_ request: StreamRequest) async -> Result<OpenedStream, WorkspaceRefusal> {
        memory.withLock { memory in
            memory.opened.append(request)
            return memory.events
        }
    }

    func closed(_ stream: StreamID) {
        memory.withLock { $0.closed.append(stream) }
    }
}

/// One of each thing that the interface tells.
enum Sample {
    static let dn = DN(decimal: 7001, length: 4)
    static let call = DNCall(
        connection: CallConnection(rawValue: 0xABC), phase: .ringing, since: 1_700_000_000_000,
        other: "<img src=x onerror=alert(1)>", routingPoint: DN(decimal: 9000, length: 4))
    static let state = AgentView(
        now: 1_700_000_000_500,
        line: .init(dn: dn, kind: .pstn, dial: "+4930123", service: .inService, owner: "dc1/node1", dataCenter: "dc1"),
        presence: .init(
            status: .notReady, since: 1_700_000_000_000, reason: "lunch", workMode: .auxWork, workEndsAt: nil),
        calls: [call], link: .live)
    static var lost: AgentView {
        var view = state
        view.line.service = .ownerUnreachable
        view.link = .adrift
        view.inServiceUntil = 1_700_000_010_000
        view.presence.workEndsAt = 1_700_000_009_000
        return view
    }

    static func agent(_ text: String) -> AgentID {
        guard let agent = AgentID(text) else { preconditionFailure("`\(text)` is not an agent's ID") }
        return agent
    }

    static let session = SessionView(
        agent: agent("ann"), isSupervisor: true, csrf: "csrf", ticket: "ticket", ticketExpiresAt: 1, expiresAt: 2,
        lines: [.init(dn: dn, kind: .pstn, dial: "+4930123")], mayChooseAny: false, state: state)
    static let gateway = GatewayView(
        cluster: "cc", gateway: "dc1/desk1",
        gateways: [.init(name: "dc1/desk1", url: "https://desk1.example.com", dataCenter: "dc1")],
        reasons: ["break"], desktopGrace: 10_000, afterCallWork: 0)
    static let row = BoardRow(
        dn: dn, agent: agent("ann"), status: .ready, since: 3, dataCenter: "dc1", location: "Berlin",
        owner: "dc1/node1", service: .inService)
    static let page = AgentPage(
        rows: [row], counts: [.init(dataCenter: "dc1", status: .ready, count: 1)], after: dn, isUnheard: false)
    static let explanation = DNExplanation(
        dn: dn, service: .desktopGone, owner: "dc1/node1", dataCenter: "dc1", agent: nil, calls: [call])
}
