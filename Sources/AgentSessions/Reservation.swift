package import ClusterModel

/// Who has reserved an agent: a client, by its number at the node that it is connected to.
package struct ReservationHolder: Hashable, Sendable {
    package let node: NodeIndex
    package let client: UInt64

    package init(node: NodeIndex, client: UInt64) {
        self.node = node
        self.client = client
    }
}

/// Proof of a reservation. It is good at the DN's owner alone, for as long as that node owns the DN under the same claim,
/// in the same lineage, and the reservation lasts.
package struct ReservationToken: Hashable, Sendable {
    package let dn: DN
    /// Of the owner's claim.
    package let claim: Stamp
    package let lineage: Incarnation
    /// Which reservation of these; nobody can guess it.
    package let number: UInt64

    package init(dn: DN, claim: Stamp, lineage: Incarnation, number: UInt64) {
        self.dn = dn
        self.claim = claim
        self.lineage = lineage
        self.number = number
    }
}

/// What TReserveAgent asks of the owner.
package struct ReservationRequest: Equatable, Sendable {
    package enum Duration: Equatable, Sendable {
        case cancel
        /// As long as the topology says.
        case usual
        case milliseconds(UInt32)
    }

    package static let maximumMilliseconds: UInt32 = 3_600_000

    /// The greater goes first.
    package var priority: Int32
    package var duration: Duration
    /// If the request names the agent, the one who has to be logged in on the DN.
    package var agent: AgentID?

    package init(priority: Int32 = 0, duration: Duration = .usual, agent: AgentID? = nil) {
        self.priority = priority
        self.duration = duration
        self.agent = agent
    }
}

/// An agent is reserved.
package struct Reservation: Equatable, Sendable {
    package var token: ReservationToken
    package var agent: AgentID
    package var priority: Int32
    /// How long it lasts from now on.
    package var milliseconds: UInt32

    package init(token: ReservationToken, agent: AgentID, priority: Int32, milliseconds: UInt32) {
        self.token = token
        self.agent = agent
        self.priority = priority
        self.milliseconds = milliseconds
    }
}

/// Why an agent was not reserved, or a token is not honoured.
package enum ReservationRefusal: Error, Equatable, Sendable {
    /// In the owner's view.
    case unavailable(Availability)
    /// Another client has the agent; or the requests of a window had a better one among them.
    case taken
    /// Another agent than the named one is logged in on the DN.
    case otherAgent
    /// There is nothing to cancel.
    case notHeld
    /// The client waits for the end of a window already.
    case alreadyAsked
    /// As many wait as may.
    case tooMany
    /// The client itself wants it no longer.
    case withdrawn
    /// The token is of an earlier claim, lineage or reservation, or the reservation is over.
    case staleToken
    /// The token has brought another call already.
    case spent
}
