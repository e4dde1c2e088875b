package import ClusterModel

/// What an operator wants to know of the past, as Stat Servers count it.
package enum StatisticsQuestion: Equatable, Sendable {
    /// One routing point, or all where it is empty; of the last so many minutes begun, or of all the time where it is 0.
    case points(String, minutes: UInt32)
    case agents(AgentStatisticsFilter)
    case groups(by: GroupedBy)

    package static let maximumMinutes: UInt32 = 60
    /// Routing points and groups of one answer at most.
    package static let maximumRows = 1_024

    /// The raw values travel, and are words of the command line.
    package enum GroupedBy: String, Equatable, Sendable, CaseIterable {
        case all, location, skill
    }
}

/// Which agents' statistics an operator wants to see.
package struct AgentStatisticsFilter: Equatable, Sendable {
    /// Agents of one answer at most: they fit a frame.
    package static let maximumLimit: UInt32 = 500

    package var limit: UInt32 = 100
    /// Empty for all, like the others.
    package var dn = ""
    package var agent = ""
    package var location = ""

    package init() {}
}

/// How one agent has spent the time. Counts and times are by status, in the order of `stat.proto`.
package struct AgentFigures: Equatable, Sendable {
    package var agent = ""
    package var dn = ""
    /// In the words of statistics: `ready`, `not-ready`, `busy` and so on.
    package var state = "unknown"
    /// Milliseconds since 1970.
    package var since: UInt64 = 0
    package var location = ""
    package var profile = AgentProfile.none
    package var knownMilliseconds: UInt64 = 0
    package var counts: [UInt64]
    package var milliseconds: [UInt64]

    package init(counts: [UInt64], milliseconds: [UInt64]) {
        self.counts = counts
        self.milliseconds = milliseconds
    }
}

/// How agents have spent the time together. Counts and times are by status, in the order of `stat.proto`.
package struct GroupFigures: Equatable, Sendable {
    /// A location or a skill; empty for all agents, and for those without either.
    package var name: String
    /// How many agents are in each status now.
    package var present: [UInt64]
    package var counts: [UInt64]
    package var milliseconds: [UInt64]

    package init(_ name: String, present: [UInt64], counts: [UInt64], milliseconds: [UInt64]) {
        self.name = name
        self.present = present
        self.counts = counts
        self.milliseconds = milliseconds
    }
}

/// Whose figures an answer has, of a data center.
package struct StatisticsSource: Equatable, Sendable {
    package var dataCenter = ""
    /// Empty if no Stat Server of the data center has answered.
    package var statServer = ""
    /// When the statistics began, milliseconds since 1970.
    package var since: UInt64 = 0
    /// Nodes of the data center whose routing points are not heard now.
    package var unheard: [String] = []

    package init() {}
}

/// What one Stat Server has counted, or those of several data centers together.
package struct StatisticsAnswer: Equatable, Sendable {
    /// Data centers at most.
    package static let maximumSources = 256

    package var request: UInt64 = 0
    /// By data center.
    package var sources: [StatisticsSource] = []
    package var points: [PointFigures] = []
    package var agents: [AgentFigures] = []
    package var groups: [GroupFigures] = []
    /// There are other agents or groups.
    package var hasMore = false

    package init() {}

    /// Puts together what the Stat Servers of some data centers say. Of each data center one counts, which has counted for longest.
    /// Routing points are summed, as each data center has its own calls; agents and groups all Stat Servers know alike, so one has the
    /// word.
    ///
    /// - Parameter dataCenters: those that were asked, sorted.
    package static func merged(_ answers: [StatisticsAnswer], _ dataCenters: [String]) -> StatisticsAnswer {
        var merged = StatisticsAnswer()
        for dataCenter in dataCenters.prefix(maximumSources) {
            let heard = answers.filter { $0.sources.first?.dataCenter == dataCenter }.min { left, right in
                guard let one = left.sources.first, let other = right.sources.first else { return false }
                return one.since != other.since ? one.since < other.since : one.statServer < other.statServer
            }
            guard let heard, let source = heard.sources.first else {
                var silent = StatisticsSource()
                silent.dataCenter = dataCenter
                merged.sources.append(silent)
                continue
            }
            if merged.agents.isEmpty, merged.groups.isEmpty {
                (merged.agents, merged.groups, merged.hasMore) = (heard.agents, heard.groups, heard.hasMore)
            }
            merged.sources.append(source)
            merged.add(heard.points)
        }
        return merged
    }

    private mutating func add(_ others: [PointFigures]) {
        for figures in others {
            if let position = points.firstIndex(where: { $0.point == figures.point }) {
                points[position].add(figures)
            } else {
                points.append(figures)
            }
        }
    }
}
