package import AgentSessions
package import ClusterModel

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
