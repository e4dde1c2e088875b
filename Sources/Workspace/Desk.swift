package import ClusterModel
import Digests
package import LinuxSystem
package import Logging
import TLibraryPorts
package import Transport
package import WorkerRuntime
package import WorkspaceCore

/// The loop's side of the desk: the machine, its links, and who waits for what.
package final class Desk {
    /// What the desk is made of.
    package struct Setup {
        package var topology: Topology
        /// Full name of the gateway.
        package var name: String
        package var identity: ServerIdentity
        package var accounts: [AgentAccount]
        package var sessionKeys: [[UInt8]]
        /// Which life of the gateway this is.
        package var incarnation: Incarnation

        package init(
            topology: Topology, name: String, identity: ServerIdentity, accounts: [AgentAccount],
            sessionKeys: [[UInt8]], incarnation: Incarnation
        ) {
            self.topology = topology
            self.name = name
            self.identity = identity
            self.accounts = accounts
            self.sessionKeys = sessionKeys
            self.incarnation = incarnation
        }
    }

    /// Events that wait for a page that reads slowly.
    private static let streamCapacity = 256

    package private(set) var topology: Topology
    let name: String
    package var identity: ServerIdentity
    let loop: EventLoop
    let logger: Logger
    private let audit: AuditLog
    var machine: WorkspaceMachine
    /// What HTTP's threads ask.
    package let service: LoopDesk
    private lazy var nodes = NodeLinks(self)
    private lazy var stat = StatLink(self)
    private var passwords: PasswordThreads?
    private var watch: DescriptorWatch?
    private var waiting: [RequestID: CheckedContinuation<WorkspaceReply, Never>] = [:]
    private var opening: [StreamID: CheckedContinuation<Result<OpenedStream, WorkspaceRefusal>, Never>] = [:]
    private var streams: [StreamID: AsyncStream<StreamEvent>.Continuation] = [:]
    private var lastID: UInt64 = 0
    private var isClosed = false
    private var sessionKeys: [[UInt8]]

    package init(_ setup: Setup, on loop: EventLoop, logger: Logger) throws(SystemError) {
        topology = setup.topology
        name = setup.name
        identity = setup.identity
        sessionKeys = setup.sessionKeys
        self.loop = loop
        self.logger = logger
        audit = AuditLog(of: setup.name, logger)
        service = try LoopDesk()
        machine = WorkspaceMachine(
            WorkspaceSetup(
                topology: setup.topology, name: setup.name, accounts: setup.accounts, sessionKeys: setup.sessionKeys,
                authenticate: { MessageAuthenticationCode.sha256($0, key: $1) },
                epoch: setup.incarnation.rawValue, seed: SystemRandom.word(), decoy: Self.decoy),
            now: loop.now)
    }

    /// Of no password: random bytes, at the usual cost.
    private static var decoy: String {
        PasswordHash(
            cost: .usual, salt: SystemRandom.bytes(16), hash: SystemRandom.bytes(PasswordHash.hashLength))?.text ?? ""
    }

    /// Position in `Topology.dataCenters`.
    var dataCenter: Int { topology.workspaces.first { $0.name == name }?.dataCenter ?? 0 }

    package func open() throws(SystemError) {
        passwords = try PasswordThreads(on: loop) { [unowned self] id, isRight in
            machine.passwordVerified(id, isRight, now: loop.now)
        }
        watch = try service.post.attach(on: loop) { [unowned self] messages in
            for message in messages { take(message) }
        }
        loop.addOwner(self)
    }

    /// Nobody waits in vain: streams end, questions are refused.
    package func close() {
        guard !isClosed else { return }
        machine.close(now: loop.now)
        carryOut()
        isClosed = true
        loop.removeOwner(self)
        nodes.close()
        stat.hear(false)
        passwords?.close()
        let refusal = WorkspaceRefusal(.busy, retryAfter: 500)
        for continuation in waiting.values { continuation.resume(returning: .refused(refusal)) }
        for continuation in opening.values { continuation.resume(returning: .failure(refusal)) }
        for continuation in streams.values { continuation.finish() }
        waiting = [:]
        opening = [:]
        streams = [:]
    }

    package var figures: WorkspaceFigures { machine.figures }

    // MARK: What operators change

    package func replaceAccounts(_ accounts: [AgentAccount]) { machine.replaceAccounts(accounts, now: loop.now) }

    package func replaceSessionKeys(_ keys: [[UInt8]]) {
        guard keys != sessionKeys else { return }
        sessionKeys = keys
        let tokens = TokenKeys(keys, cluster: topology.cluster) { MessageAuthenticationCode.sha256($0, key: $1) }
        machine.replaceSessionKeys(tokens, now: loop.now)
    }

    package func apply(_ later: Topology) {
        carryOut()
        let moved = nodes.leave(for: later)
        for node in moved { machine.nodeLost(node, now: loop.now) }
        let again = moved.compactMap { later.nodeIndex(named: topology.nodes[$0.position].name) }
        machine.apply(later, now: loop.now)
        topology = later
        nodes.renumber(for: later)
        for node in again { nodes.open(node) }
        stat.restart()
    }

    // MARK: Questions

    private func take(_ message: LoopDesk.Message) {
        guard !isClosed else { return refuse(message) }
        let now = loop.now
        switch message {
        case .ask(let command, let source, let continuation):
            lastID += 1
            let id = RequestID(rawValue: lastID)
            waiting[id] = continuation
            machine.asked(id, command, source: source, fresh: SystemRandom.bytes(SessionID.size), now: now)
        case .open(let request, let continuation):
            lastID += 1
            let id = StreamID(rawValue: lastID)
            opening[id] = continuation
            machine.streamAsked(id, request, now: now)
        case .closed(let id):
            streams.removeValue(forKey: id)?.finish()
            machine.streamClosed(id, now: now)
        }
    }

    private func refuse(_ message: LoopDesk.Message) {
        let refusal = WorkspaceRefusal(.busy, retryAfter: 500)
        switch message {
        case .ask(_, _, let continuation): continuation.resume(returning: .refused(refusal))
        case .open(_, let continuation): continuation.resume(returning: .failure(refusal))
        case .closed: break
        }
    }

    // MARK: Answers

    private func carryOut() {
        // What is carried out may lead to more.
        while !machine.actions.isEmpty {
            let actions = machine.actions
            machine.actions = []
            for action in actions { carryOut(action) }
        }
    }

    private func carryOut(_ action: WorkspaceAction) {
        switch action {
        case .open(let node): nodes.open(node)
        case .close(let node): nodes.close(node)
        case .send(let node, let request): nodes.send(request, to: node)
        case .verify(let id, let password, let hash): passwords?.verify(id, password: password, hash: hash)
        case .answer(let id, let reply): waiting.removeValue(forKey: id)?.resume(returning: reply)
        case .opened(let id): opened(id)
        case .refuse(let id, let refusal): opening.removeValue(forKey: id)?.resume(returning: .failure(refusal))
        case .push(let id, let event): push(event, to: id)
        case .end(let id, let why):
            guard let continuation = streams.removeValue(forKey: id) else { return }
            continuation.yield(StreamEvent(.end(why)))
            continuation.finish()
        case .hearStat(let isWanted): stat.hear(isWanted)
        case .audit(let line): audit.write(line)
        }
    }

    private func opened(_ id: StreamID) {
        let (events, continuation) = AsyncStream<StreamEvent>.makeStream(
            bufferingPolicy: .bufferingOldest(Self.streamCapacity))
        streams[id] = continuation
        opening.removeValue(forKey: id)?.resume(returning: .success(OpenedStream(id: id, events: events)))
    }

    private func push(_ event: StreamEvent, to id: StreamID) {
        guard let continuation = streams[id] else { return }
        switch continuation.yield(event) {
        case .enqueued: break
        case .dropped, .terminated: drop(id)
        @unknown default: drop(id)
        }
    }

    /// A page that does not read, or is gone. It comes back and hears what it has missed.
    private func drop(_ id: StreamID) {
        streams.removeValue(forKey: id)?.finish()
        machine.streamClosed(id, now: loop.now)
    }
}

extension Desk: LoopOwner {
    /// What is to be said because of all that has come in this turn leaves together.
    package func turnEnded(now: Instant) {
        machine.tick(now: now)
        carryOut()
    }

    package func nextDeadline() -> UInt64? { machine.nextDeadline }
}
