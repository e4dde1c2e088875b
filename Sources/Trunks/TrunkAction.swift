package import ClusterModel

/// Why a call does not go over a trunk.
package enum TrunkRefusal: Equatable, Sendable {
    /// As many calls go over the trunk, or over its group, as may.
    case full
    /// No gateway is there.
    case noGateway
    /// The gateways that were tried have refused the call; the last of them with this status.
    case refused(status: UInt16)

    /// As a response (RFC 3261 section 21).
    package var status: UInt16 {
        switch self {
        case .full, .noGateway: 503
        case .refused(let status): status
        }
    }
}

/// What a node has to do for trunks.
package enum TrunkAction: Equatable, Sendable {
    /// A call that came from a gateway may go on.
    case admit(CallConnection, TrunkIndex)
    case refuseArrival(CallConnection)
    /// Send the call to a gateway. What comes of it is told with `failed`, or the call ends.
    case dial(CallConnection, GatewayIndex)
    case refuseDial(CallConnection, TrunkRefusal)
}
