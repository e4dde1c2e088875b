package import ClusterModel

/// On which DNs each agent is logged in, as far as a node knows. More than one only until the owners have heard of each
/// other's logins.
package struct AgentDirectory: Sendable {
    /// One login of an agent.
    package struct Login: Equatable, Sendable {
        package let dn: DNIndex
        package let stamp: Stamp

        /// Two of one stamp cannot be told apart in time; any order will do that is the same everywhere.
        fileprivate func isLater(than other: Login) -> Bool {
            stamp != other.stamp ? stamp > other.stamp : dn > other.dn
        }
    }

    private var logins: [AgentID: [Login]] = [:]

    package init() {}

    /// How many agents are logged in.
    package var count: Int { logins.count }

    /// What is known of a DN's agent has changed.
    package mutating func changed(_ dn: DNIndex, from before: AgentSession?, to after: AgentSession?) {
        if let before, before.isLoggedIn { remove(before.agent, dn) }
        if let after, after.isLoggedIn { logins[after.agent, default: []].append(Login(dn: dn, stamp: after.login)) }
    }

    private mutating func remove(_ agent: AgentID, _ dn: DNIndex) {
        logins[agent]?.removeAll { $0.dn == dn }
        if logins[agent]?.isEmpty == true { logins[agent] = nil }
    }

    /// Where an agent is logged in, the latest login last.
    package func logins(of agent: AgentID) -> [Login] {
        (logins[agent] ?? []).sorted { $1.isLater(than: $0) }
    }

    /// The agent's sessions that an earlier login began: they are to be ended by the owners of their DNs.
    package func superseded(of agent: AgentID) -> [DNIndex] {
        guard let known = logins[agent], known.count > 1 else { return [] }
        return logins(of: agent).dropLast().map(\.dn)
    }
}
