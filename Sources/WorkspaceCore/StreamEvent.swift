/// What a stream brings.
package struct StreamEvent: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        /// Everything anew.
        case state(AgentView)
        /// The agent sits nowhere (any more).
        case notSeated
        case notice(StreamNotice)
        /// The page is to ask for a fresh token.
        case renew
        /// - Parameter now: milliseconds since 1970.
        case beat(now: UInt64)
        /// All agents, in several parts.
        case agentsSnapshot([BoardRow], isFirst: Bool, isLast: Bool)
        /// What has changed.
        case agents([BoardRow])
        /// Nothing follows.
        case end(StreamEnd)
    }

    /// What the browser says when it comes back; nil for what is not kept.
    package var id: String?
    package var content: Content

    package init(id: String? = nil, _ content: Content) {
        self.id = id
        self.content = content
    }

    /// `event` of Server-Sent Events.
    package var name: String {
        switch content {
        case .state, .notSeated: "state"
        case .notice: "notice"
        case .renew: "renew"
        case .beat: "beat"
        case .agentsSnapshot: "agents-snapshot"
        case .agents: "agents"
        case .end: "end"
        }
    }
}

/// What an agent is told beside the state. The raw values are codes of the interface.
package enum StreamNotice: String, Hashable, Sendable, CaseIterable {
    /// Somebody else, or another desktop, has logged the agent out.
    case loggedOutElsewhere = "logged-out-elsewhere"
    case anotherAgent = "another-agent"
    case notProvisioned = "not-provisioned"
    /// The agent sits down elsewhere, at another gateway.
    case superseded = "superseded"
    case lineLost = "line-lost"
    case lineBack = "line-back"
}

/// Why a stream ends. The raw values are words of the interface.
package enum StreamEnd: String, Hashable, Sendable, CaseIterable {
    case superseded = "superseded"
    case loggedOut = "logged-out"
    case expired = "expired"
    case revoked = "revoked"
    case tooManyTabs = "too-many-tabs"
    case tooSlow = "too-slow"
    case restarting = "restarting"
}
