package import AgentSessions
package import ClusterModel

/// What a router asks of a node. The number of each request is another one than those of all that are under way.
package enum RouterAction: Equatable, Sendable {
    /// TReserveAgent. The answer is `reserved` or `reservationRefused`.
    case reserve(node: NodeIndex, reference: UInt32, dn: DN, agent: AgentID, priority: Int32)
    /// TReserveAgent with a duration of zero, after the request that it takes back. Its answer does not matter.
    case cancelReservation(node: NodeIndex, reference: UInt32, dn: DN)
    /// TRouteCall. With a token the call goes to the agent whom it has reserved, and the answer is `routed` or `routeRefused`.
    /// Without, it goes where calls go whose time is up, and the answer does not matter.
    case route(
        node: NodeIndex, reference: UInt32, connection: CallConnection, routingPoint: DN, token: ReservationToken?)
    /// Where a call stands that waits: 1 is the next of so many that wait at its routing point. The answer does not matter.
    case tellPosition(node: NodeIndex, reference: UInt32, connection: CallConnection, position: Int, waiting: Int)
}

/// Why an agent could not be reserved.
package enum ReservationFailure: Equatable, Sendable {
    /// The node does not hear the owner of the agent's DN; others may.
    case unreachable
    /// The owner says no.
    case refused
}
