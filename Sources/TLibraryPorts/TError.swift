package import AgentSessions

/// Why a request was refused. The numbers are those of the T-Library where it has one that fits.
package enum TError: UInt32, Error, Equatable, Sendable, CaseIterable {
    case notRegistered = 41
    /// Another agent is logged in on the DN.
    case dnSeized = 42
    case unsupportedRequest = 51
    case notWritten = 52
    case malformedRequest = 53
    /// TERR_INV_CONNID.
    case unknownCall = 56
    case timedOut = 57
    case ownerUnreachable = 58
    case unknownDN = 59
    case requestInProgress = 110
    case tooManyRequests = 111
    case tooManyRegistrations = 124
    case wrongKindOfDN = 128
    case wrongDataCenter = 165
    case outOfService = 166
    case notReady = 185
    case notLoggedIn = 187
    case badAgent = 192
    case otherAgent = 193
    case reservedByAnother = 202
    case notReserved = 216
    case staleToken = 219
    case busy = 231
    case loggedInElsewhere = 272

    package var message: String {
        switch self {
        case .notRegistered: "This client has not registered the DN."
        case .dnSeized: "Another agent is logged in on the DN."
        case .unsupportedRequest: "This port does not know the request."
        case .notWritten: "The DN's owner cannot write it down, so nothing was done; ask again later."
        case .malformedRequest: "An attribute of the request has a value that it cannot have."
        case .unknownCall: "No such call waits for this router's answer."
        case .timedOut: "The DN's owner has not answered; whether it did what was asked is not known."
        case .ownerUnreachable:
            "The DN's owner cannot be heard, or the DN has none because no phone has registered yet."
        case .unknownDN: "The DN is not provisioned."
        case .requestInProgress: "A request of this client with the same purpose or ReferenceID is under way."
        case .tooManyRequests: "Too many requests; ask again later."
        case .tooManyRegistrations: "This client has registered as many DNs as one client may."
        case .wrongKindOfDN: "This port serves routing points only."
        case .wrongDataCenter: "The DN may not register in this data center."
        case .outOfService: "The DN is out of service."
        case .notReady: "The agent is not ready."
        case .notLoggedIn: "No agent is logged in."
        case .badAgent: "An agent's ID has 1 to 64 visible characters of ASCII."
        case .otherAgent: "Another agent is logged in on the DN than the request names."
        case .reservedByAnother: "Another client has reserved the agent."
        case .notReserved: "This client has not reserved the agent."
        case .staleToken: "The reservation is over."
        case .busy: "The DN has a call."
        case .loggedInElsewhere: "The agent is logged in on another DN."
        }
    }

    package init(_ refusal: AgentRefusal) {
        switch refusal {
        case .notLoggedIn: self = .notLoggedIn
        case .occupied: self = .dnSeized
        case .loggedInElsewhere: self = .loggedInElsewhere
        }
    }

    package init(_ refusal: ReservationRefusal) {
        switch refusal {
        case .unavailable(let availability): self = Self.unavailable(availability)
        case .taken: self = .reservedByAnother
        case .otherAgent: self = .otherAgent
        case .notHeld, .withdrawn: self = .notReserved
        case .alreadyAsked: self = .requestInProgress
        case .tooMany: self = .tooManyRequests
        case .staleToken, .spent: self = .staleToken
        }
    }

    private static func unavailable(_ availability: Availability) -> TError {
        switch availability {
        case .available, .reserved: .reservedByAnother
        case .outOfService: .outOfService
        case .nobodyLoggedIn: .notLoggedIn
        case .notReady, .afterCallWork: .notReady
        case .busy: .busy
        }
    }
}
