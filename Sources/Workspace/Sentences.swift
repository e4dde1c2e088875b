package import ClusterModel
package import WorkspaceCore

/// What people read of what programs call by codes.
package enum Sentences {
    /// Why a DN can take calls, or cannot.
    package static func of(_ service: Service) -> String {
        switch service {
        case .inService: "It can take calls."
        case .neverRegistered: "No phone and no desktop has registered for it yet."
        case .unregistered: "Its last phone or desktop has signed off."
        case .expired: "Its phone has not registered again in time."
        case .flowLost: "The connection to its phone broke, and nothing else leads there."
        case .desktopGone: "Its desktop was gone for longer than it may be."
        case .ownerUnreachable: "The node that has it cannot be reached, so nobody knows."
        case .restarted: "Its node has started again and waits for its phone or desktop."
        case .draining: "Its node is about to stop, and its phone or desktop is asked to go elsewhere."
        case .notProvisioned: "The topology has no such DN any more."
        case .superseded: "Another node has it now."
        }
    }

    package static func of(_ notice: StreamNotice) -> String {
        switch notice {
        case .loggedOutElsewhere: "You were logged out from elsewhere."
        case .anotherAgent: "Another agent has logged in on your line."
        case .notProvisioned: "Your line is no longer set up. Choose another one."
        case .superseded: "You went on elsewhere."
        case .lineLost: "Your line is out of service."
        case .lineBack: "Your line is back in service."
        }
    }

    package static func of(_ problem: WorkspaceProblem) -> String {
        switch problem {
        case .wrongCredentials: "Agent ID or password is wrong."
        case .tooManyAttempts: "Too many attempts to sign in. Wait and try again."
        case .tooManyRequests: "Too many requests. Wait and try again."
        case .busy: "Many sign in at once. Try again in a moment."
        case .noSession: "There is no session. Sign in."
        case .expired: "The session has ended. Sign in again."
        case .loggedOut: "The agent has logged out. Sign in again."
        case .revoked: "The account has changed. Sign in again."
        case .cannotVerify: "No node can be asked about the session. Try again."
        case .badCSRF: "X-CSRF-Token is missing or not the session's."
        case .dnNotYours: "The account does not name this DN."
        case .unknownDN: "There is no such DN."
        case .dnInUse: "Another agent is logged in on this DN."
        case .phoneNotRegistered: "The DN's phone is not registered."
        case .loggedInElsewhere: "The agent is logged in on another DN."
        case .noNode: "No node can be reached. Try again."
        case .notSeated: "The agent has no DN. Choose one first."
        case .unknownReason: "The reason is not one of the gateway's."
        case .lineLost: "The line is out of service. Try again when it is back."
        case .notWritten: "The node could not write it down. Try again."
        case .unknownOutcome: "The node was lost meanwhile; whether it was done shows in the state."
        case .notSupervisor: "The account is not a supervisor's."
        case .otherSession: "Another agent is signed in in this browser."
        }
    }

    package static func of(_ problem: RequestProblem) -> String {
        switch problem {
        case .badRequest: "The request cannot be read."
        case .badJSON: "The body is not the JSON that belongs here."
        case .badQuery: "The query says something that is not possible."
        case .badOrigin: "Only pages of this gateway may ask this."
        case .notFound: "There is nothing at this path."
        case .methodNotAllowed: "The path does not have this method; Allow says which it has."
        case .lengthRequired: "A body needs Content-Length."
        case .bodyTooLarge: "The body is too large."
        case .targetTooLong: "The path and query are too long."
        case .unsupportedMediaType: "Content-Type must be application/json."
        case .wrongHost: "This gateway is not called so."
        case .internalError: "Something is wrong here; the log says what."
        }
    }
}
