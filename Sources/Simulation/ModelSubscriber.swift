import AgentSessions
import ClusterModel
import TLibraryPorts

/// A client that believes what it is told: what it holds after snapshot and events must be the node's own view.
struct ModelSubscriber: Sendable {
    /// By DN; nil where nothing was heard.
    private(set) var services: [Service?]
    private var owners: [NodeIndex]
    /// By DN: the session of the agent that is logged in, as far as heard.
    private(set) var sessions: [AgentSession?]
    private(set) var occupancies: [Occupancy]
    /// By DN: all of it.
    private var views: [View?]
    /// Calls at the node's routing points.
    private(set) var waiting: Set<CallConnection> = []
    private(set) var position: FeedPosition?
    private(set) var isComplete = false
    private(set) var isResumed = false
    private(set) var problem: String?
    private var hasAskedToResume = false
    /// It is told only of DNs that its node owns, so never of a whole owner from the views of that moment, which may be
    /// ahead of the feed: each event follows from what it knows.
    private let isToldStepByStep: Bool

    init(dnCount: Int, isToldStepByStep: Bool) {
        self.isToldStepByStep = isToldStepByStep
        services = Array(repeating: nil, count: dnCount)
        owners = Array(repeating: .none, count: dnCount)
        sessions = Array(repeating: nil, count: dnCount)
        occupancies = Array(repeating: [], count: dnCount)
        views = Array(repeating: nil, count: dnCount)
    }

    /// How the client thinks that a DN is; nil where nothing was heard.
    func view(of dn: DNIndex) -> View? { views[dn.position] }

    /// What the client says when it connects again: where it stopped, unless it was in the middle of a snapshot.
    mutating func resume() -> FeedPosition? {
        hasAskedToResume = isComplete
        return isComplete ? position : nil
    }

    mutating func hear(_ event: TEvent, _ directory: DNDirectory) {
        switch event {
        case .monitoring(_, let isResumed, let position, _):
            if isResumed, !hasAskedToResume || position != self.position { problem = "resumed somewhere else" }
            self.position = position
            self.isResumed = isResumed
            if !isResumed { begin() }
        case .status(let statuses, let sequence):
            for status in statuses { learn(status, isChange: false, sequence, directory) }
            advance(to: sequence)
        case .serviceChanged(let status, let sequence):
            learn(status, isChange: true, sequence, directory)
            advance(to: sequence)
        case .endOfSnapshot(let position):
            if isComplete { problem = "a second end of the snapshot" }
            isComplete = true
            self.position = position
        case .ownerUnreachable(let owner, let sequence):
            for dn in owners.indices where owners[dn] == owner {
                services[dn] = .ownerUnreachable
                occupancies[dn] = []
                views[dn]?.service = .ownerUnreachable
                views[dn]?.occupancy = []
                views[dn]?.calls = nil
            }
            advance(to: sequence)
        case .ownerReachable(_, let sequence):
            // What the owner says of each of its DNs has been told just before.
            advance(to: sequence)
        case .serverInfo, .linkConnected, .linkDisconnected: break
        case .agent(let event, nil, let sequence):
            if let dn = directory.index(of: event.dn) {
                sessions[dn.position] = event.kind == .logout ? nil : event.session
                views[dn.position]?.agent = event.kind == .logout && event.session.isLoggedIn ? nil : event.session
            }
            advance(to: sequence)
        case .call(let event, let sequence):
            if sequence == nil { problem = "told of \(event) outside the feed" }
            if let dn = directory.index(of: event.dn) { learn(event, of: dn) }
            advance(to: sequence)
        case .point(let event, let sequence):
            learn(event)
            advance(to: sequence)
        case .error, .registered, .unregistered, .addressInfo, .ownerHint, .moveHint, .agent, .agentReserved, .done,
            .routeRequest, .routeUsed, .routeEnded:
            problem = "a monitoring client was told \(event)"
        }
    }

    private mutating func begin() {
        isComplete = false
        waiting = []
        for dn in services.indices {
            services[dn] = nil
            owners[dn] = .none
            sessions[dn] = nil
            occupancies[dn] = []
            views[dn] = nil
        }
    }

    private mutating func learn(_ event: PointEvent) {
        if event.outcome == .waiting {
            waiting.insert(event.connection)
        } else if isComplete, !waiting.contains(event.connection) {
            problem = "told that a call was \(event.outcome.word) that never came"
        }
        if event.outcome.isEnd { waiting.remove(event.connection) }
    }

    private mutating func learn(_ event: CallEvent, of dn: DNIndex) {
        var calls = views[dn.position]?.calls?.calls ?? []
        calls.removeAll { $0.connection == event.call.connection }
        switch event.kind {
        case .ringing, .dialing, .established: calls.append(event.call)
        case .released, .abandoned: break
        }
        views[dn.position]?.calls = calls.isEmpty ? nil : DNCalls(calls)
    }

    private mutating func learn(
        _ status: DNStatus, isChange: Bool, _ sequence: UInt64?, _ directory: DNDirectory
    ) {
        guard let dn = directory.index(of: status.dn) else {
            problem = "told of \(status.dn), which is not provisioned"
            return
        }
        if sequence != nil, isComplete, isToldStepByStep {
            // In and out of service are changes; other reasons, owners and stamps are states.
            let wasInService = services[dn.position]?.isInService ?? false
            if isChange != (wasInService != status.view.service.isInService) {
                problem = "told of \(status.dn) as of a \(isChange ? "change" : "state"), which it is not"
            }
        }
        services[dn.position] = status.view.service
        owners[dn.position] = status.view.owner
        if status.view.service == .notProvisioned { return forget(dn) }
        sessions[dn.position] = status.view.agent.flatMap { $0.isLoggedIn ? $0 : nil }
        occupancies[dn.position] = status.view.occupancy
        views[dn.position] = status.view
    }

    /// A DN that is not provisioned any more has no agent.
    private mutating func forget(_ dn: DNIndex) {
        sessions[dn.position] = nil
        occupancies[dn.position] = []
        views[dn.position] = nil
    }

    private mutating func advance(to sequence: UInt64?) {
        guard let sequence else { return }
        guard let position else {
            problem = "an event before the answer"
            return
        }
        if sequence < position.sequence { problem = "sequence \(sequence) after \(position.sequence)" }
        self.position?.sequence = sequence
    }
}

/// A desktop: it registers PSTN DNs and believes what it is told of them.
struct ModelDesktop: Sendable {
    /// By DN: nil where it is not registered.
    private(set) var services: [Service?]
    /// DNs that it holds in service at its node.
    private(set) var holds: [Bool]
    /// The latest hint, since the DN was registered.
    private(set) var hints: [NodeIndex?]
    /// What it has asked and not been told yet, by ReferenceID.
    private(set) var questions: [UInt32: DNIndex] = [:]
    /// By DN: the session of the agent that is logged in, as far as heard.
    private(set) var sessions: [AgentSession?]
    private var lastReference: UInt32 = 100
    private(set) var problem: String?

    init(dnCount: Int) {
        services = Array(repeating: nil, count: dnCount)
        holds = Array(repeating: false, count: dnCount)
        hints = Array(repeating: nil, count: dnCount)
        sessions = Array(repeating: nil, count: dnCount)
    }

    /// - Returns: the ReferenceID of a request that only the owner can answer.
    mutating func ask(_ dn: DNIndex) -> UInt32 {
        lastReference += 1
        questions[lastReference] = dn
        return lastReference
    }

    mutating func disconnected() {
        self = ModelDesktop(dnCount: services.count)
    }

    mutating func hear(_ event: TEvent, at node: NodeIndex, _ directory: DNDirectory) {
        switch event {
        case .registered(let id, let status, let token):
            questions[id] = nil
            guard let dn = directory.index(of: status.dn) else { return }
            learn([status], directory, isFirst: true)
            holds[dn.position] = token != nil
        case .unregistered(let id, let name, let reason):
            if (id == nil) != (reason == .superseded || reason == .notProvisioned) {
                problem = "unregistered without its reason"
            }
            guard let dn = directory.index(of: name) else { return }
            services[dn.position] = nil
            holds[dn.position] = false
            hints[dn.position] = nil
        case .serviceChanged(let status, nil): learn([status], directory)
        case .status(let statuses, nil): learn(statuses, directory)
        case .addressInfo(let id, let status, _):
            let dn = directory.index(of: status.dn)
            if dn == nil || questions.removeValue(forKey: id) != dn { problem = "answer \(id) answers nothing" }
        case .ownerHint(let dn, let owner):
            guard let dn = directory.index(of: dn) else { return }
            if services[dn.position] == nil || owner == node { problem = "a hint that it has not asked for" }
            hints[dn.position] = owner
        case .moveHint(let dn, let other):
            guard let dn = directory.index(of: dn) else { return }
            if !holds[dn.position] || other == node { problem = "asked to move what it does not hold" }
        case .serverInfo, .linkConnected, .linkDisconnected: break
        case .agent(let event, nil, nil):
            guard let dn = directory.index(of: event.dn) else { return }
            if services[dn.position] == nil { problem = "told of \(event.dn), which it has not registered" }
            sessions[dn.position] = event.kind == .logout ? nil : event.session
        case .agent(let event, let id?, nil):
            if questions.removeValue(forKey: id) != directory.index(of: event.dn) { problem = "answer \(id)" }
        case .error(let id, let error):
            // Registrations are not asked for with a number of their own.
            if id > 100, questions.removeValue(forKey: id) == nil { problem = "error \(id): \(error)" }
        case .call(let event, nil):
            guard let dn = directory.index(of: event.dn) else { return }
            if services[dn.position] == nil { problem = "told of \(event.dn), which it has not registered" }
        case .agent, .agentReserved, .done, .monitoring, .endOfSnapshot, .ownerUnreachable, .ownerReachable,
            .serviceChanged, .status, .call, .point, .routeRequest, .routeUsed, .routeEnded:
            problem = "a desktop was told \(event)"
        }
    }

    private mutating func learn(_ statuses: [DNStatus], _ directory: DNDirectory, isFirst: Bool = false) {
        for status in statuses {
            guard let dn = directory.index(of: status.dn) else { continue }
            if services[dn.position] == nil, !isFirst { problem = "told of \(status.dn), which it has not registered" }
            services[dn.position] = status.view.service
            sessions[dn.position] = status.view.agent.flatMap { $0.isLoggedIn ? $0 : nil }
        }
    }
}

/// A router, as far as it wants agents: every request of its is answered once, and it keeps the tokens that it gets.
struct ModelReserver: Sendable {
    private var lastReference: UInt32 = 0
    private(set) var questions: Set<UInt32> = []
    /// The latest last.
    private(set) var tokens: [ReservationToken] = []
    private(set) var problem: String?

    /// - Returns: the ReferenceID of a TReserveAgent.
    mutating func ask() -> UInt32 {
        lastReference += 1
        questions.insert(lastReference)
        return lastReference
    }

    /// What it was given it still knows.
    mutating func disconnected() { questions = [] }

    mutating func hear(_ event: TEvent) {
        switch event {
        case .agentReserved(let id, let reservation):
            if questions.remove(id) == nil { problem = "answer \(id) answers nothing" }
            tokens.append(reservation.token)
        case .done(let id), .error(let id, _):
            if questions.remove(id) == nil { problem = "answer \(id) answers nothing" }
        case .serverInfo, .linkConnected, .linkDisconnected: break
        case .registered, .unregistered, .addressInfo, .monitoring, .serviceChanged, .status, .endOfSnapshot,
            .ownerUnreachable, .ownerReachable, .ownerHint, .moveHint, .agent, .call, .point, .routeRequest, .routeUsed,
            .routeEnded:
            problem = "a reserver was told \(event)"
        }
    }
}

/// What any client believes of its node's links.
struct ModelLinks: Sendable {
    /// By node: nil before it was told.
    private(set) var isConnected: [Bool?]

    init(nodeCount: Int) {
        isConnected = Array(repeating: nil, count: nodeCount)
    }

    /// The node's topology does not have it any more.
    mutating func forget(_ peer: NodeIndex) { isConnected[peer.position] = nil }

    mutating func disconnected() {
        self = ModelLinks(nodeCount: isConnected.count)
    }

    mutating func hear(_ event: TEvent) {
        switch event {
        case .serverInfo(_, let info): for link in info.links { isConnected[link.peer.position] = link.isConnected }
        case .linkConnected(let peer): isConnected[peer.position] = true
        case .linkDisconnected(let peer): isConnected[peer.position] = false
        case .error, .registered, .unregistered, .addressInfo, .monitoring, .serviceChanged, .status, .endOfSnapshot,
            .ownerUnreachable, .ownerReachable, .ownerHint, .moveHint, .agent, .agentReserved, .done, .call, .point,
            .routeRequest, .routeUsed, .routeEnded:
            break
        }
    }
}
