package import ClusterModel

/// A question that somebody waits for the answer of. Numbered by the shell; none is used twice.
package struct RequestID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A page, or something else, that listens. Numbered by the shell; none is used twice.
package struct StreamID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What a browser shows with a request of its session.
package struct SessionProof: Hashable, Sendable {
    /// The cookie's text; empty where there is none.
    package var token: String
    /// What the X-CSRF-Token header says; nil where there is none. Requests that change nothing need none.
    package var csrf: String?

    package init(token: String, csrf: String? = nil) {
        self.token = token
        self.csrf = csrf
    }
}

/// What a browser asks.
package enum WorkspaceCommand: Equatable, Sendable {
    /// Bytes. Longer ones are wrong.
    package static let maximumPassword = 256

    case logIn(agent: String, password: [UInt8])
    case session(SessionProof)
    /// The session gets a fresh token and ticket.
    case renew(SessionProof)
    /// With a ticket that another gateway has given. The cookie says who is signed in here already; empty for nobody.
    case resume(ticket: String, cookie: String = "")
    case logOut(SessionProof)
    /// The agent sits down at a DN. With `takeBack` also where another desktop of the agent's has taken its place.
    case choose(SessionProof, dn: String, takeBack: Bool)
    /// The agent leaves the DN, and stays signed in.
    case leave(SessionProof)
    case setPresence(SessionProof, PresenceWish)
    case agents(SessionProof, AgentQuery)
    /// Why a DN is as it is.
    case explain(SessionProof, dn: String)
    /// What pages know before anybody has signed in.
    case gateway
    case health
}

/// What an agent wants to be.
package struct PresenceWish: Hashable, Sendable {
    package enum State: String, Hashable, Sendable, CaseIterable {
        case ready = "ready"
        case notReady = "not-ready"
        case afterCallWork = "after-call-work"
    }

    package var state: State
    /// One of the policy's; for `notReady` only.
    package var reason: String?

    package init(_ state: State, reason: String? = nil) {
        self.state = state
        self.reason = reason
    }
}

/// Which agents a supervisor asks for.
package struct AgentQuery: Equatable, Sendable {
    package static let maximumLimit = 500

    /// A data center's name.
    package var dataCenter: String?
    /// `AgentStatus.word`.
    package var status: String?
    /// Part of a DN or of an agent's ID, whether in capitals or not.
    package var text: String?
    /// Those behind this DN.
    package var after: DN?
    package var limit: Int

    package init(
        dataCenter: String? = nil, status: String? = nil, text: String? = nil, after: DN? = nil,
        limit: Int = AgentQuery.maximumLimit
    ) {
        self.dataCenter = dataCenter
        self.status = status
        self.text = text
        self.after = after
        self.limit = limit
    }
}

/// Somebody wants to listen.
package struct StreamRequest: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// What becomes of the session.
        case session
        /// What becomes of all agents.
        case supervisor
    }

    package var kind: Kind
    package var proof: SessionProof
    package var source: SourceID
    /// The last event that was received, as its id says; nil for a first stream.
    package var after: String?

    package init(_ kind: Kind, proof: SessionProof, source: SourceID, after: String? = nil) {
        self.kind = kind
        self.proof = proof
        self.source = source
        self.after = after
    }
}
