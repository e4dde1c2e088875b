package import ClusterModel

/// What a strategy may know of a free agent.
package struct RankedAgent: Equatable, Sendable {
    /// Milliseconds since 1970.
    package var availableSince: UInt64
    /// Which choice of all that were made was the last one of this agent; 0 for none.
    package var lastChosen: UInt64
    /// The sum of the agent's levels of what the routing point asks for.
    package var level: UInt16
    package var priority: UInt8

    package init(availableSince: UInt64, lastChosen: UInt64, level: UInt16 = 0, priority: UInt8 = 0) {
        self.availableSince = availableSince
        self.lastChosen = lastChosen
        self.level = level
        self.priority = priority
    }
}

/// How a strategy decides.
package enum SelectionRule: Sendable {
    /// The least rank goes first. It has to stay what it is until the agent is chosen, or told anew.
    case least(@Sendable (RankedAgent) -> UInt64)
    case anybody
}

extension RoutingStrategy {
    package var rule: SelectionRule {
        switch self {
        case .longestIdle: .least(LongestIdle.rank)
        case .roundRobin: .least(RoundRobin.rank)
        case .random: .anybody
        case .skill: .least(MostSkilled.rank)
        case .priority: .least(GreatestPriority.rank)
        }
    }
}
