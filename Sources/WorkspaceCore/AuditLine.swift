package import ClusterModel

/// What security wants to know afterwards. Never a password, a token, a ticket or a cookie.
package struct AuditLine: Equatable, Sendable {
    package enum Event: Equatable, Sendable {
        case login
        case loginRefused(LoginFault)
        case resume
        case resumeRefused(WorkspaceProblem)
        case logout
        case seat
        case unseat
        case takeBack
        case presence(PresenceWish.State)
        case supervisorOpened
        case csrfRefused
        case originRefused
        case ended(StreamEnd)

        /// As the log writes it.
        package var word: String {
            switch self {
            case .login: "login"
            case .loginRefused: "login-refused"
            case .resume: "resume"
            case .resumeRefused: "resume-refused"
            case .logout: "logout"
            case .seat: "seat"
            case .unseat: "unseat"
            case .takeBack: "take-back"
            case .presence: "presence"
            case .supervisorOpened: "supervisor-opened"
            case .csrfRefused: "csrf-refused"
            case .originRefused: "origin-refused"
            case .ended: "ended"
            }
        }

        /// The rest of what the event says; empty where there is none.
        package var detail: String {
            switch self {
            case .loginRefused(let why): why.rawValue
            case .resumeRefused(let problem): problem.rawValue
            case .presence(let state): state.rawValue
            case .ended(let end): end.rawValue
            case .login, .resume, .logout, .seat, .unseat, .takeBack, .supervisorOpened, .csrfRefused,
                .originRefused:
                ""
            }
        }
    }

    package enum LoginFault: String, Hashable, Sendable, CaseIterable {
        case password, unknown, limit
    }

    package var event: Event
    /// As it was said; empty where it is not known. Not more than an agent's ID may have.
    package var agent: String
    package var dn: DN?
    package var source: SourceID?
    /// The first 8 hexadecimal digits of a digest of the session's number; empty without one.
    package var session: String

    package init(_ event: Event, agent: String = "", dn: DN? = nil, source: SourceID? = nil, session: String = "") {
        self.event = event
        self.agent = agent
        self.dn = dn
        self.source = source
        self.session = session
    }
}
