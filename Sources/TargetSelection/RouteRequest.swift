package import AgentSessions
package import ClusterModel

/// A node has a call at a routing point and wants to know where it goes.
package struct RouteRequest: Equatable, Sendable {
    /// More than these are not told apart: the ones that were tried first may be tried again.
    package static let maximumTried = 64

    package var connection: CallConnection
    package var routingPoint: DN
    /// Agents who do not get the call again, by their DNs, in the order in which they were tried.
    package var tried: [DN]
    /// The data center of the node that has the call.
    package var location: String
    /// As the caller says it.
    package var caller: String

    package init(
        connection: CallConnection, routingPoint: DN, tried: [DN] = [], location: String = "", caller: String = ""
    ) {
        self.connection = connection
        self.routingPoint = routingPoint
        self.tried = tried.suffix(Self.maximumTried)
        self.location = location
        self.caller = caller
    }
}

/// What a router asks of a node. The number of each request is another one than those of all that are under way.
package enum RouterAction: Equatable, Sendable {
    /// TReserveAgent. The answer is `reserved` or `reservationRefused`.
    case reserve(node: NodeIndex, reference: UInt32, dn: DN, agent: AgentID, priority: Int32)
    /// TReserveAgent with a duration of zero, after the request that it takes back. Its answer does not matter.
    case cancelReservation(node: NodeIndex, reference: UInt32, dn: DN)
    /// TRouteCall. The answer is `routed` or `routeRefused`.
    case route(
        node: NodeIndex, reference: UInt32, connection: CallConnection, routingPoint: DN, destination: DN,
        token: ReservationToken)
}
