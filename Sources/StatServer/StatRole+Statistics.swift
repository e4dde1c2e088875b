import AgentSessions
import ClusterModel
package import Orchestration
import Statistics
import Transport
package import WorkerRuntime

// What this Stat Server has counted, for operators and for those who query it.
extension StatRole {
    package func answer(_ question: RoleQuestion) -> WorkerNews? {
        switch question {
        case .statistics(let question, let request): .statistics(statistics(question, request: request))
        case .dn, .history, .dns, .calls, .agents, .route, .reach: nil
        }
    }

    private func statistics(_ question: StatisticsQuestion, request: UInt64) -> StatisticsAnswer {
        var answer = StatisticsAnswer()
        answer.request = request
        var source = StatisticsSource()
        source.dataCenter = topology.dataCenters[me.dataCenter].name
        source.statServer = me.name
        source.since = since
        switch question {
        case .points(let name, let minutes):
            source.unheard = unheardNodes
            answer.points = points(name, minutes: minutes)
        case .agents(let filter):
            (answer.agents, answer.hasMore) = agents(filter)
        case .groups(let by):
            (answer.groups, answer.hasMore) = groups(by: by)
        }
        answer.sources = [source]
        return answer
    }

    /// Full names of nodes whose routing points are not heard.
    var unheardNodes: [String] { pointSource.unheard }

    /// - Parameter name: of a routing point; empty for all.
    func points(_ name: String, minutes: UInt32) -> [PointFigures] {
        let all = points.figures(minutes: minutes == 0 ? nil : Int(minutes), now: loop.now)
        let wanted = name.isEmpty ? all : all.filter { "\($0.point)" == name }
        return Array(wanted.prefix(StatisticsQuestion.maximumRows))
    }

    private func agents(_ filter: AgentStatisticsFilter) -> (agents: [AgentFigures], hasMore: Bool) {
        var rows: [AgentRow] = []
        if filter.dn.isEmpty {
            rows = feed.board.snapshot(from: 0, limit: .max).rows.sorted { $0.dn < $1.dn }
        } else if let row = DN(filter.dn).flatMap({ feed.board.row(of: $0) }) {
            rows = [row]
        }
        rows.removeAll { row in
            !filter.agent.isEmpty && row.agent.text != filter.agent
                || !filter.location.isEmpty && row.location != filter.location
        }
        let figures = rows.prefix(Int(filter.limit)).compactMap { self.figures(of: $0) }
        return (figures, rows.count > Int(filter.limit))
    }

    private func figures(of row: AgentRow) -> AgentFigures? {
        guard let (known, times) = feed.board.times(of: row.dn, now: loop.now) else { return nil }
        let work = times.work
        var figures = AgentFigures(counts: work.counts, milliseconds: work.milliseconds)
        figures.agent = row.agent.text
        figures.dn = "\(row.dn)"
        figures.state = row.status.word
        figures.since = row.since
        figures.location = row.location
        figures.profile = row.profile
        figures.knownMilliseconds = known
        return figures
    }

    func groups(by grouping: StatisticsQuestion.GroupedBy) -> (groups: [GroupFigures], hasMore: Bool) {
        let by: AgentGrouping =
            switch grouping {
            case .all: .all
            case .location: .location
            case .skill: .skill
            }
        let groups = feed.board.groups(by: by, now: loop.now).map { group in
            GroupFigures(
                group.name, present: group.present, counts: group.work.counts, milliseconds: group.work.milliseconds)
        }
        return (Array(groups.prefix(StatisticsQuestion.maximumRows)), groups.count > StatisticsQuestion.maximumRows)
    }
}
