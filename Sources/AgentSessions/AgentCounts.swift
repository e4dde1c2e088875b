package import ClusterModel

/// How many agents there are on the DNs that a node owns.
package struct AgentCounts: Equatable, Sendable {
    package private(set) var loggedIn = 0
    /// Of these: can be given a call.
    package private(set) var available = 0

    package init() {}

    /// The node shows a DN otherwise than before.
    package mutating func viewChanged(from before: View, to after: View, at node: NodeIndex) {
        count(before, at: node, -1)
        count(after, at: node, 1)
    }

    private mutating func count(_ view: View, at node: NodeIndex, _ step: Int) {
        guard view.owner == node, let agent = view.agent, agent.isLoggedIn else { return }
        loggedIn += step
        if Availability(of: view).isAvailable { available += step }
    }
}
