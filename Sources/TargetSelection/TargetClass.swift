package import ClusterModel

/// Whom a routing point wants, and who of them goes first. Routing points that want the same are of one class: they choose from the
/// same heaps, and their calls stand in the same line.
package struct TargetClass: Hashable, Sendable {
    package let strategy: RoutingStrategy
    /// What an agent has to be good at, at least so much; sorted by name.
    package let skills: [Skill]

    package init(_ strategy: RoutingStrategy, skills: [Skill] = []) {
        self.strategy = strategy
        self.skills = skills
    }

    /// How a strategy sees a free agent for calls of this class.
    ///
    /// - Returns: nil for one who lacks a skill.
    func level(of profile: AgentProfile) -> UInt16? {
        guard profile.lacks(skills) == nil else { return nil }
        return skills.reduce(0) { $0 + UInt16(profile.level(of: $1.name)) }
    }
}

extension RoutingPoint {
    package var targetClass: TargetClass { TargetClass(strategy, skills: skills) }
}
