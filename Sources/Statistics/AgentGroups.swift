package import AgentSessions
package import ClusterModel

/// Agents together.
package struct AgentGroup: Equatable, Sendable {
    /// A location, a skill, or empty for all agents and for those without either.
    package var name: String
    /// How many are in each status now, in the order of the raw values.
    package var present: [UInt64]
    package var work = AgentWork()

    package init(_ name: String) {
        self.name = name
        present = Array(repeating: 0, count: AgentStatus.allCases.count)
    }

    package var count: UInt64 { present.reduce(0, +) }
}

/// What agents are put together by.
package enum AgentGrouping: String, Hashable, Sendable, CaseIterable {
    case all
    /// The data center of the DN's owner.
    case location
    /// An agent belongs to the group of each skill that it has.
    case skill
}

extension StatusTimes {
    package var work: AgentWork {
        let all = AgentStatus.allCases
        return AgentWork(counts: all.map { self[$0].count }, milliseconds: all.map { self[$0].total }) ?? AgentWork()
    }
}

extension StatBoard {
    /// All agents that are known, put together; by name.
    package func groups(by grouping: AgentGrouping, now: Instant) -> [AgentGroup] {
        var groups: [String: AgentGroup] = [:]
        for record in records {
            guard let record, let times = times(of: record.dn, now: now)?.times else { continue }
            let row = row(record)
            let names: [String] =
                switch grouping {
                case .all: [""]
                case .location: [row.location]
                case .skill: row.profile.skills.isEmpty ? [""] : row.profile.skills.map(\.name)
                }
            let work = times.work
            for name in names {
                groups[name, default: AgentGroup(name)].present[Int(row.status.rawValue)] += 1
                groups[name]?.work.add(work)
            }
        }
        return groups.values.sorted { $0.name < $1.name }
    }
}
