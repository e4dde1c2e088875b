/// What a node shows its clients of a DN.
package struct View: Equatable, Sendable {
    package var service: Service
    /// `.none` before anybody has claimed the DN.
    package var owner: NodeIndex
    package var stamp: Stamp
    /// As the owner says; empty while the owner cannot be heard.
    package var occupancy: Occupancy
    /// The last one known, whether or not the owner can be heard; nil before anybody has logged in.
    package var agent: AgentSession?
    /// As the owner says; nil while the owner cannot be heard, and before the DN has had a call under its claim.
    package var calls: DNCalls?

    package init(
        service: Service, owner: NodeIndex, stamp: Stamp, occupancy: Occupancy = [], agent: AgentSession? = nil,
        calls: DNCalls? = nil
    ) {
        self.service = service
        self.owner = owner
        self.stamp = stamp
        self.occupancy = occupancy
        self.agent = agent
        self.calls = calls
    }

    /// What differs most often comes first.
    package static func == (left: View, right: View) -> Bool {
        guard left.stamp == right.stamp, left.isEqual(to: right) else { return false }
        return left.agent == right.agent && left.calls == right.calls
    }

    /// Whether only what is known of the agent and of the calls differs, if anything.
    package func isEqual(to other: View) -> Bool {
        service.rawValue == other.service.rawValue && owner == other.owner && stamp == other.stamp
            && occupancy.rawValue == other.occupancy.rawValue
    }
}
