package import ClusterModel

/// What the agent of a DN is doing, as Stat Servers tell it and routers judge by it. The raw values travel.
package enum AgentStatus: UInt8, Hashable, Sendable, CaseIterable {
    /// The DN's owner is not heard, or the Stat Server hears no node.
    case unknown = 0
    case outOfService = 1
    /// In service, and nobody is logged in.
    case loggedOut = 2
    case notReady = 3
    /// Can be given a call.
    case ready = 4
    case reserved = 5
    case ringing = 6
    /// In a call, or occupied in a way that is not told in more detail.
    case busy = 7
    case afterCallWork = 8

    /// In the words of interfaces and scripts (kebab case).
    package var word: String {
        switch self {
        case .unknown: "unknown"
        case .outOfService: "out-of-service"
        case .loggedOut: "logged-out"
        case .notReady: "not-ready"
        case .ready: "ready"
        case .reserved: "reserved"
        case .ringing: "ringing"
        case .busy: "busy"
        case .afterCallWork: "after-call-work"
        }
    }
}

extension AgentStatus {
    /// It is `ready` exactly where `Availability` says that the agent can be given a call.
    package init(of view: View) {
        guard view.service.isInService else {
            self = view.service == .ownerUnreachable ? .unknown : .outOfService
            return
        }
        self =
            switch AgentActivity(of: view) {
            case nil: .loggedOut
            case .notReady: .notReady
            case .afterCallWork: .afterCallWork
            case .busy: Self.isRinging(view.calls) ? .ringing : .busy
            case .reserved: .reserved
            case .ready: .ready
            }
    }

    private static func isRinging(_ calls: DNCalls?) -> Bool {
        guard let call = calls?.principal else { return false }
        return call.phase == .ringing && !call.isCaller
    }

    /// Since when the agent must have been doing so, by what the owner says itself: milliseconds since 1970; nil where it says
    /// nothing of it. A session may be older than that: an agent who had a call is ready again under the same one.
    package func since(in view: View) -> UInt64? {
        switch self {
        case .unknown, .outOfService, .reserved: nil
        case .ringing, .busy: view.calls?.principal?.since
        case .loggedOut, .notReady, .ready, .afterCallWork: view.agent?.stamp.milliseconds
        }
    }

    /// Whether the agent has a call.
    package var isInCall: Bool {
        switch self {
        case .ringing, .busy: true
        case .unknown, .outOfService, .loggedOut, .notReady, .ready, .reserved, .afterCallWork: false
        }
    }
}
