package import AgentSessions
package import ClusterModel

/// What becomes of a command.
package enum WorkspaceReply: Equatable, Sendable {
    case session(SessionView, cookie: CookieOrder?)
    case state(AgentView, cookie: CookieOrder?)
    /// Nothing more to say: 204.
    case done(cookie: CookieOrder?)
    case agents(AgentPage)
    case explained(DNExplanation)
    case gateway(GatewayView)
    case healthy
    case refused(WorkspaceRefusal)
}

/// What becomes of the browser's cookie.
package enum CookieOrder: Equatable, Sendable {
    /// - Parameter maximumAge: seconds.
    case set(token: String, maximumAge: UInt64)
    case clear
}

/// Why nothing came of a command.
package struct WorkspaceRefusal: Error, Equatable, Sendable {
    package var problem: WorkspaceProblem
    /// After how long another attempt makes sense, milliseconds.
    package var retryAfter: UInt64?
    /// The cookie is good for nothing any more.
    package var clearsCookie: Bool

    package init(_ problem: WorkspaceProblem, retryAfter: UInt64? = nil, clearsCookie: Bool = false) {
        self.problem = problem
        self.retryAfter = retryAfter
        self.clearsCookie = clearsCookie
    }
}

/// The raw values are the codes of the interface.
package enum WorkspaceProblem: String, Hashable, Sendable, CaseIterable {
    case wrongCredentials = "wrong-credentials"
    case tooManyAttempts = "too-many-attempts"
    case tooManyRequests = "too-many-requests"
    case busy = "busy"
    case noSession = "no-session"
    case expired = "expired"
    case loggedOut = "logged-out"
    case revoked = "revoked"
    case cannotVerify = "cannot-verify"
    case badCSRF = "bad-csrf"
    case dnNotYours = "dn-not-yours"
    case unknownDN = "unknown-dn"
    case dnInUse = "dn-in-use"
    case phoneNotRegistered = "phone-not-registered"
    case loggedInElsewhere = "logged-in-elsewhere"
    case noNode = "no-node"
    case notSeated = "not-seated"
    case unknownReason = "unknown-reason"
    case lineLost = "line-lost"
    case notWritten = "not-written"
    case unknownOutcome = "unknown-outcome"
    case notSupervisor = "not-supervisor"
    case otherSession = "other-session"

    /// Of HTTP.
    package var statusCode: Int {
        switch self {
        case .unknownReason: 400
        case .wrongCredentials, .noSession, .expired, .loggedOut, .revoked: 401
        case .badCSRF, .dnNotYours, .notSupervisor: 403
        case .unknownDN: 404
        case .dnInUse, .phoneNotRegistered, .loggedInElsewhere, .notSeated, .lineLost, .otherSession: 409
        case .tooManyAttempts, .tooManyRequests: 429
        case .busy, .cannotVerify, .noNode, .notWritten: 503
        case .unknownOutcome: 504
        }
    }
}

/// A session as its page knows it. Times are milliseconds since 1970.
package struct SessionView: Equatable, Sendable {
    /// A DN that the account names.
    package struct Line: Equatable, Sendable {
        package var dn: DN
        package var kind: AgentType.Phone
        /// What is dialled for it; empty for a SIP phone.
        package var dial: String

        package init(dn: DN, kind: AgentType.Phone, dial: String) {
            self.dn = dn
            self.kind = kind
            self.dial = dial
        }
    }

    package var agent: AgentID
    package var isSupervisor: Bool
    package var csrf: String
    package var ticket: String
    package var ticketExpiresAt: UInt64
    package var expiresAt: UInt64
    package var lines: [Line]
    /// The account names no DNs, so any will do.
    package var mayChooseAny: Bool
    /// Nil while the agent sits nowhere.
    package var state: AgentView?

    package init(
        agent: AgentID, isSupervisor: Bool, csrf: String, ticket: String, ticketExpiresAt: UInt64, expiresAt: UInt64,
        lines: [Line], mayChooseAny: Bool, state: AgentView?
    ) {
        self.agent = agent
        self.isSupervisor = isSupervisor
        self.csrf = csrf
        self.ticket = ticket
        self.ticketExpiresAt = ticketExpiresAt
        self.expiresAt = expiresAt
        self.lines = lines
        self.mayChooseAny = mayChooseAny
        self.state = state
    }
}

/// All that a page shows of a seated agent: State in the interface. Times are milliseconds since 1970.
package struct AgentView: Equatable, Sendable {
    package struct Line: Equatable, Sendable {
        package var dn: DN
        package var kind: AgentType.Phone
        /// What is dialled for it; empty for a SIP phone.
        package var dial: String
        package var service: Service
        /// Full name of the node; empty where there is none.
        package var owner: String
        /// Of the owner; empty where there is none.
        package var dataCenter: String

        package init(
            dn: DN, kind: AgentType.Phone, dial: String, service: Service, owner: String, dataCenter: String
        ) {
            self.dn = dn
            self.kind = kind
            self.dial = dial
            self.service = service
            self.owner = owner
            self.dataCenter = dataCenter
        }
    }

    package struct Presence: Equatable, Sendable {
        package var status: AgentStatus
        package var since: UInt64
        /// Why not ready; empty for no reason.
        package var reason: String
        package var workMode: WorkMode
        /// When after-call work ends by itself; nil where it does not.
        package var workEndsAt: UInt64?

        package init(status: AgentStatus, since: UInt64, reason: String, workMode: WorkMode, workEndsAt: UInt64?) {
            self.status = status
            self.since = since
            self.reason = reason
            self.workMode = workMode
            self.workEndsAt = workEndsAt
        }
    }

    /// How the gateway holds the line. The raw values are words of the interface.
    package enum Link: String, Hashable, Sendable, CaseIterable {
        case live, adrift, lost, superseded
    }

    package var now: UInt64
    package var line: Line
    package var presence: Presence
    package var calls: [DNCall]
    package var link: Link
    /// While adrift: until when the line stays in service.
    package var inServiceUntil: UInt64?

    package init(
        now: UInt64, line: Line, presence: Presence, calls: [DNCall], link: Link, inServiceUntil: UInt64? = nil
    ) {
        self.now = now
        self.line = line
        self.presence = presence
        self.calls = calls
        self.link = link
        self.inServiceUntil = inServiceUntil
    }
}

/// What pages know before anybody has signed in.
package struct GatewayView: Equatable, Sendable {
    package struct Gateway: Equatable, Sendable {
        package var name: String
        package var url: String
        package var dataCenter: String

        package init(name: String, url: String, dataCenter: String) {
            self.name = name
            self.url = url
            self.dataCenter = dataCenter
        }
    }

    package var cluster: String
    /// Full name of this one.
    package var gateway: String
    /// All, this one first, then those of its data center.
    package var gateways: [Gateway]
    package var reasons: [String]
    /// Milliseconds.
    package var desktopGrace: UInt64
    /// Milliseconds; 0 for none.
    package var afterCallWork: UInt64

    package init(
        cluster: String, gateway: String, gateways: [Gateway], reasons: [String], desktopGrace: UInt64,
        afterCallWork: UInt64
    ) {
        self.cluster = cluster
        self.gateway = gateway
        self.gateways = gateways
        self.reasons = reasons
        self.desktopGrace = desktopGrace
        self.afterCallWork = afterCallWork
    }
}

/// An agent as supervisors see it: Row in the interface.
package struct BoardRow: Equatable, Sendable {
    package var dn: DN
    package var agent: AgentID
    package var status: AgentStatus
    /// Milliseconds since 1970.
    package var since: UInt64
    /// Of the owner; empty where nobody owns the DN.
    package var dataCenter: String
    /// Where the data center stands.
    package var location: String
    /// Full name of the node; empty where nobody owns the DN.
    package var owner: String
    package var service: Service

    package init(
        dn: DN, agent: AgentID, status: AgentStatus, since: UInt64, dataCenter: String, location: String,
        owner: String, service: Service
    ) {
        self.dn = dn
        self.agent = agent
        self.status = status
        self.since = since
        self.dataCenter = dataCenter
        self.location = location
        self.owner = owner
        self.service = service
    }
}

/// Some agents, and how many of each kind there are.
package struct AgentPage: Equatable, Sendable {
    package struct Count: Equatable, Sendable {
        package var dataCenter: String
        package var status: AgentStatus
        package var count: Int

        package init(dataCenter: String, status: AgentStatus, count: Int) {
            self.dataCenter = dataCenter
            self.status = status
            self.count = count
        }
    }

    package var rows: [BoardRow]
    /// Of all agents that match but for the limit, by data center and status.
    package var counts: [Count]
    /// What to ask for next; nil where these were the last.
    package var after: DN?
    /// No Stat Server is heard: the rows are what was heard last.
    package var isUnheard: Bool

    package init(rows: [BoardRow], counts: [Count], after: DN?, isUnheard: Bool) {
        self.rows = rows
        self.counts = counts
        self.after = after
        self.isUnheard = isUnheard
    }
}

/// A DN as its owner says, for a supervisor who asks why.
package struct DNExplanation: Equatable, Sendable {
    package var dn: DN
    package var service: Service
    /// Full name of the node; empty where there is none.
    package var owner: String
    package var dataCenter: String
    /// Nil where nobody is logged in.
    package var agent: AgentID?
    package var calls: [DNCall]

    package init(
        dn: DN, service: Service, owner: String, dataCenter: String, agent: AgentID?, calls: [DNCall]
    ) {
        self.dn = dn
        self.service = service
        self.owner = owner
        self.dataCenter = dataCenter
        self.agent = agent
        self.calls = calls
    }
}
