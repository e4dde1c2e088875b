package import ClusterModel

/// What a Stat Server tells of one agent: all that a router needs. A row says how things are, never what has changed, so one
/// that comes twice does no harm.
package struct AgentRow: Hashable, Sendable {
    /// Agents are known by the DN on which they are logged in.
    package var dn: DN
    package var agent: AgentID
    /// `loggedOut` also for an agent of whom nothing more is known.
    package var status: AgentStatus
    /// Since when the status is what it is, milliseconds since 1970.
    package var since: UInt64
    /// The data center of the DN's owner; empty where nobody owns it.
    package var location: String
    package var profile: AgentProfile
    /// Of the DN, as the Stat Server heard it last.
    package var service: Service
    /// Full name of the node that owns the DN; empty where nobody does, or where it does not matter.
    package var owner: String

    package init(
        dn: DN, agent: AgentID, status: AgentStatus, since: UInt64, location: String, profile: AgentProfile = .none,
        service: Service = .inService, owner: String = ""
    ) {
        self.dn = dn
        self.agent = agent
        self.status = status
        self.since = since
        self.location = location
        self.profile = profile
        self.service = service
        self.owner = owner
    }
}
