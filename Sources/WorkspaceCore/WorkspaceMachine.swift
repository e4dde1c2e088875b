package import ClusterModel

/// One gateway's sessions: who has signed in, at which DN each agent sits, by which node the gateway holds it, and what pages are
/// told. Events in, actions out.
///
/// A session belongs to a browser, a line to the gateway: however many sessions an agent has at a DN, the gateway registers it once.
/// The cluster decides who is logged in. What the gateway remembers of that is never more than what a node said last.
package struct WorkspaceMachine {
    static let second: UInt64 = 1_000_000_000
    /// How often `tick` is wanted, nanoseconds.
    static let beatEach: UInt64 = 100_000_000
    static let maximumSessions = 20_000
    /// Of one agent: the one that was used longest ago, and that no page looks at, makes room for another login.
    static let maximumSessionsOfAgent = 16
    static let maximumEnded = 10_000
    /// Passwords that are being looked at, or wait for that.
    static let maximumLogins = 34
    /// Of them, those that come from where the agent has never signed in.
    static let maximumStrangeLogins = 26
    /// How long a command of an agent's may take.
    static let commandPatience = 5 * second
    static let streamBeat = 2 * second
    /// How far the clocks of two gateways may be apart, milliseconds.
    static let clockTolerance: UInt64 = 60_000

    package var actions: [WorkspaceAction] = []
    package internal(set) var counters = WorkspaceFigures.Counters()
    /// What a test has switched on.
    package var faults: Faults = .none

    var topology: Topology
    let name: String
    let epoch: UInt64
    let seed: UInt64
    let decoy: String
    /// Position in `Topology.dataCenters`.
    var dataCenter: Int
    var accounts: [AgentID: AgentAccount]
    var tokens: TokenKeys
    var limits: RateLimits

    var sessions = Roster<SessionID, Session>()
    /// How many there were; no two number their events alike.
    var sessionsBegun: UInt64 = 0
    /// Sessions that ended here, and whose tokens are not good any more.
    var ended: [SessionID: Ended] = [:]
    /// When `ended` was looked through, monotonic nanoseconds.
    var endedSwept: UInt64 = 0
    var owed: [DN: Owed] = [:]
    var logins: [RequestID: PendingLogin] = [:]
    var lines = Roster<DN, Line>()
    /// By `NodeIndex`.
    var nodes: [NodeState]
    /// Since when no node of the own data center is heard, monotonic nanoseconds; nil while one is.
    var aloneSince: UInt64?
    var asks: [UInt32: Ask] = [:]
    var lastAsk: UInt32 = 0
    var streams: [StreamID: Stream] = [:]
    var board = AgentBoard()
    var hearsStat = false
    /// When the board was looked at last, monotonic nanoseconds.
    var boardUsed: UInt64 = 0
    var swept: UInt64 = 0

    package init(_ setup: WorkspaceSetup, now: Instant) {
        topology = setup.topology
        name = setup.name
        epoch = setup.epoch
        seed = setup.seed
        decoy = setup.decoy
        dataCenter = setup.topology.workspaces.first { $0.name == setup.name }?.dataCenter ?? 0
        accounts = Dictionary(setup.accounts.map { ($0.agent, $0) }, uniquingKeysWith: { first, _ in first })
        tokens = TokenKeys(
            setup.sessionKeys, cluster: setup.topology.cluster, authenticate: setup.authenticate)
        limits = RateLimits(seed: setup.seed)
        nodes = setup.topology.nodes.map { _ in NodeState() }
        openOwnNodes(now)
    }

    // MARK: What is known

    /// A browser that has shown the agent's password, here or at another gateway.
    struct Session {
        let id: SessionID
        let agent: AgentID
        /// Milliseconds since 1970.
        let expires: UInt64
        var passwordTag: [UInt8]
        /// Of the latest token, milliseconds since 1970.
        var issued: UInt64
        var seat: Seat?
        /// What tokens of it may say of the seat: it may have been renewed since they were made.
        var knownSeats: [Seat] = []
        /// What tokens of it may not say any more.
        var formerSeats: [Seat] = []
        /// Until when they may all the same, as such a one may be on its way, monotonic nanoseconds.
        var formerUntil: UInt64 = 0
        var standing = Standing.confirmed
        /// What waits until it is confirmed.
        var waiting: [Waiting] = []
        var work: Work?
        /// The oldest first.
        var streams: [StreamID] = []
        var log: EventLog
        var lastView: AgentView?
        /// Monotonic nanoseconds.
        var lastUsed: UInt64
        /// When its pages need a younger ticket, monotonic nanoseconds.
        var renewsAt: UInt64
        /// Until when the line is held without a page, monotonic nanoseconds; nil while there is one.
        var absentUntil: UInt64?
        var source: SourceID

        var isConfirmed: Bool { standing == .confirmed }

        mutating func sat(at seat: Seat) {
            forgetSeats()
            self.seat = seat
            knownSeats = [seat]
        }

        /// Tokens that say that the agent sits at those are good for nothing any more.
        mutating func forgetSeats() {
            formerSeats = (formerSeats + knownSeats).suffix(Session.maximumSeats)
            knownSeats = []
        }

        mutating func remember(_ former: Session, until: UInt64) {
            formerSeats = (former.formerSeats + former.knownSeats).suffix(Session.maximumSeats)
            formerUntil = until
        }

        /// Of those that are remembered.
        static let maximumSeats = 8
    }

    /// Whether the cluster has said that a session's agent is logged in as the token says. Before that nothing is done for it.
    enum Standing {
        case confirmed
        /// It was, and this gateway has stopped hearing of its line since.
        case doubted
        /// It comes from another gateway, and is to have the line here.
        case arriving
    }

    struct Seat: Equatable {
        var dn: DN
        /// See `SessionToken.Seat.login`.
        var login: UInt64

        init(dn: DN, login: UInt64) {
            self.dn = dn
            self.login = login
        }

        init(_ seat: SessionToken.Seat) { self.init(dn: seat.dn, login: seat.login) }
    }

    struct Ended {
        /// Until when its tokens would be good, milliseconds since 1970.
        var expires: UInt64
        /// Those that were issued later are good: the session goes on at another gateway. Milliseconds since 1970; nil where
        /// none is.
        var issued: UInt64?
    }

    /// What waits until the cluster has confirmed a session.
    enum Waiting {
        case command(RequestID, WorkspaceCommand, deadline: UInt64)
        case stream(StreamID, StreamRequest, deadline: UInt64)

        var deadline: UInt64 {
            switch self {
            case .command(_, _, let deadline), .stream(_, _, let deadline): deadline
            }
        }
    }

    /// The one thing that a session is doing.
    struct Work {
        enum Step: Equatable {
            /// The agent leaves its DN, and then sits down at another one.
            case leaving(then: DN)
            /// The line is looked for, registered, and the agent logged in there.
            case seating(DN)
            case presence(PresenceWish)
            case leavingForGood
            case loggingOut
            /// The line is taken back from another desktop of the agent's.
            case takingBack
        }

        var request: RequestID
        var step: Step
        var deadline: UInt64
        /// A node has been asked for it.
        var isAsked = false
    }

    struct PendingLogin {
        var agent: String
        var account: AgentAccount?
        var source: SourceID
        var fresh: [UInt8]
        /// The password cannot be right, whatever its hash.
        var isHopeless: Bool
        /// The agent has not signed in from there before.
        var isStrange: Bool
    }

    // MARK: Commands

    /// Somebody asks for something. The answer is an action, now or later.
    ///
    /// - Parameter fresh: `SessionID.size` random bytes, for a login.
    package mutating func asked(
        _ id: RequestID, _ command: WorkspaceCommand, source: SourceID, fresh: [UInt8], now: Instant
    ) {
        switch command {
        case .health:
            answer(id, nodesHeard > 0 ? .healthy : .refused(WorkspaceRefusal(.noNode)))
        case .gateway:
            if let wait = limit(.requestsFrom(source), now) { return refuse(id, .tooManyRequests, retryAfter: wait) }
            answer(id, .gateway(gatewayView))
        case .logIn(let agent, let password):
            logIn(id, agent, password, source, fresh, now)
        case .resume(let ticket, let cookie):
            guard !isOthers(ticket, than: cookie, now) else { return refuse(id, .otherSession) }
            enter(id, command, SessionProof(token: ticket), .ticket, source, now)
        case .session(let proof), .renew(let proof), .logOut(let proof), .choose(let proof, _, _), .leave(let proof),
            .setPresence(let proof, _), .agents(let proof, _), .explain(let proof, _):
            enter(id, command, proof, .cookie, source, now)
        }
        drain(now)
    }

    /// A command of a session that the cluster has confirmed.
    mutating func perform(_ id: RequestID, _ command: WorkspaceCommand, _ session: SessionID, now: Instant) {
        sessions[session]!.lastUsed = now.monotonic
        switch command {
        case .session: answer(id, .session(sessionView(session, now), cookie: nil))
        case .renew, .resume:
            let cookie = freshCookie(session, now)
            answer(id, .session(sessionView(session, now), cookie: cookie))
        case .logOut: logOut(id, session, now)
        case .choose(_, let dn, let takeBack): choose(id, dn, takeBack: takeBack, session, now)
        case .leave: leave(id, session, now)
        case .setPresence(_, let wish): setPresence(id, wish, session, now)
        case .agents(_, let query): tellAgents(id, query, session, now)
        case .explain(_, let dn): explain(id, dn, session, now)
        case .logIn, .gateway, .health: break
        }
    }

    mutating func answer(_ id: RequestID, _ reply: WorkspaceReply) { actions.append(.answer(id, reply)) }

    mutating func refuse(
        _ id: RequestID, _ problem: WorkspaceProblem, retryAfter: UInt64? = nil, clearsCookie: Bool = false
    ) {
        answer(id, .refused(WorkspaceRefusal(problem, retryAfter: retryAfter, clearsCookie: clearsCookie)))
    }

    /// - Returns: after how many milliseconds another one may come; nil if this one may.
    mutating func limit(_ subject: RateLimits.Subject, _ now: Instant) -> UInt64? {
        let wait = limits.take(subject, now: now)
        if wait != nil { counters.limited += 1 }
        return wait
    }

    // MARK: Time

    /// When `tick` is wanted, monotonic nanoseconds; nil while nothing goes on.
    package var nextDeadline: UInt64? {
        let isQuiet =
            sessions.isEmpty && lines.isEmpty && asks.isEmpty && streams.isEmpty && ended.isEmpty && owed.isEmpty
        return isQuiet && !hearsStat && hearsOwn ? nil : swept + Self.beatEach
    }

    package mutating func tick(now: Instant) {
        guard now.since(swept) >= Self.beatEach else { return }
        swept = now.monotonic
        giveUpAsks(now)
        sweepSessions(now)
        sweepLines(now)
        sweepOwed(now)
        sweepStreams(now)
        sweepBoard(now)
        sweepNodes(now)
        drain(now)
    }

    package var nodesHeard: Int { nodes.reduce(0) { $0 + ($1.isOpen ? 1 : 0) } }

    package var figures: WorkspaceFigures {
        var figures = WorkspaceFigures()
        figures.sessions = sessions.count
        figures.seated = sessions.values.reduce(0) { $0 + ($1.seat != nil && $1.isConfirmed ? 1 : 0) }
        figures.streams = streams.count
        figures.nodesHeard = nodesHeard
        figures.counters = counters
        return figures
    }
}
