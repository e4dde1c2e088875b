package import AgentSessions
package import ClusterModel

/// A router at the node's default port, by the number of its connection.
package struct RouterID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: RouterID, right: RouterID) -> Bool { left.rawValue < right.rawValue }
}

/// What a router answers (TRouteCall).
package struct RouteOrder: Equatable, Sendable {
    /// The router's own number of the request.
    package var reference: UInt32
    package var connection: CallConnection
    package var destination: Destination

    package enum Destination: Equatable, Sendable {
        /// The agent's DN whose reservation the token proves.
        case agent(ReservationToken)
        /// As if nobody had answered in time.
        case `default`
    }

    package init(reference: UInt32, connection: CallConnection, destination: Destination) {
        self.reference = reference
        self.connection = connection
        self.destination = destination
    }
}

/// Why a router's question needs no answer any more.
package enum QuestionEnd: Equatable, Sendable {
    /// The call is on its way to this DN, or waits at this routing point, by another's word or because time was up (EventRouteUsed).
    case used(DN)
    /// The caller has given up, nobody could take the call, or another router is asked (EventAbandoned).
    case abandoned
}

/// Why a call does not go where a router wants it.
package enum RouteRefusal: Equatable, Sendable {
    /// There is no such call at a routing point, or no question about it is open.
    case unknownCall
    /// Another router was asked, or this one has answered already.
    case notAsked
    /// The DN's owner does not honour the token, or cannot be heard; nil if the DN is out of service here.
    case unavailable
}

/// How a call ends that nobody has taken.
package enum CallRefusal: Equatable, Sendable {
    /// Those who were asked were busy.
    case busy
    /// Nobody could be reached, or nobody has answered.
    case unavailable
    /// There is no room for another call.
    case overloaded
}

/// What a node has to do for calls at its routing points.
package enum RoutingAction: Equatable, Sendable {
    case ask(RouterID, RouteRequest)
    case endQuestion(RouterID, CallConnection, routingPoint: DN, QuestionEnd)
    /// TRouteCall was carried out: the call is on its way to the DN, or waits at that routing point.
    case confirm(RouterID, RouteOrder, routingPoint: DN, DN)
    case refuseOrder(RouterID, RouteOrder, RouteRefusal)
    /// Ask the DN's owner whether the call may have the agent.
    case redeem(CallConnection, ReservationToken)
    /// Have the DN's phones rung. What comes of it is told with `rang`, `answered` or `failed`.
    case ring(CallConnection, DN)
    /// The phones that ring now shall stop, and what they say counts no more.
    case stopRinging(CallConnection)
    /// Tell the caller that the call waits (182), and where it stands.
    case inform(CallConnection, QueuePosition?)
    case refuse(CallConnection, CallRefusal)
    /// The phone of the DN's agent rang in vain.
    case agentDidNotAnswer(DN)
}
