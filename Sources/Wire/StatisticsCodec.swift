import AgentSessions
import CTandemProto
import ClusterModel
import Orchestration

/// Statistics in frames: what operators ask and are told, and what is alike in what Stat Servers tell others.
enum StatisticsCodec {
    /// No figure is as great: sums of many cannot overflow.
    private static let limit: UInt64 = 1 << 48

    // MARK: Questions

    static func pack(
        _ request: UInt64, _ question: StatisticsQuestion, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__StatisticsRequest> {
        arena.make(tandem__control__statistics_request__init) {
            $0.request = request
            switch question {
            case .points(let point, let minutes):
                $0.about = arena.string("points")
                $0.routing_point = arena.string(point)
                $0.minutes = minutes
            case .agents(let filter):
                $0.about = arena.string("agents")
                $0.dn = arena.string(filter.dn)
                $0.agent = arena.string(filter.agent)
                $0.location = arena.string(filter.location)
                $0.limit = filter.limit
            case .groups(let by):
                $0.about = arena.string("groups")
                $0.by = arena.string(by.rawValue)
            }
        }
    }

    static func question(
        _ message: borrowing Tandem__Control__StatisticsRequest, type: UInt16
    ) throws(WireError) -> StatisticsQuestion {
        switch text(message.about) {
        case "points":
            return .points(text(message.routing_point), minutes: try minutes(message.minutes, type: type))
        case "agents":
            guard message.limit <= AgentStatisticsFilter.maximumLimit else { throw .tooMany(type: type) }
            var filter = AgentStatisticsFilter()
            filter.dn = text(message.dn)
            filter.agent = text(message.agent)
            filter.location = text(message.location)
            filter.limit = message.limit
            return .agents(filter)
        case "groups":
            return .groups(by: try grouping(message.by, type: type))
        default:
            throw .badValue(type: type, field: "subject")
        }
    }

    static func minutes(_ minutes: UInt32, type: UInt16) throws(WireError) -> UInt32 {
        guard minutes <= StatisticsQuestion.maximumMinutes else { throw .badValue(type: type, field: "minutes") }
        return minutes
    }

    static func grouping(
        _ name: UnsafeMutablePointer<CChar>?, type: UInt16
    ) throws(WireError) -> StatisticsQuestion.GroupedBy {
        guard let by = StatisticsQuestion.GroupedBy(rawValue: text(name)) else {
            throw .badValue(type: type, field: "grouping")
        }
        return by
    }

    // MARK: Answers

    static func pack(
        _ answer: StatisticsAnswer, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__StatisticsAnswer> {
        arena.make(tandem__control__statistics_answer__init) {
            $0.request = answer.request
            $0.n_sources = answer.sources.count
            $0.sources = arena.array(answer.sources.map { Optional(pack($0, arena)) })
            $0.n_points = answer.points.count
            $0.points = arena.array(answer.points.map { Optional(pack($0, arena)) })
            $0.n_agents = answer.agents.count
            $0.agents = arena.array(answer.agents.map { Optional(pack($0, arena)) })
            $0.n_groups = answer.groups.count
            $0.groups = arena.array(answer.groups.map { Optional(pack($0, arena)) })
            $0.has_more = answer.hasMore ? 1 : 0
        }
    }

    private static func pack(
        _ source: StatisticsSource, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__StatisticsSource> {
        arena.make(tandem__control__statistics_source__init) {
            $0.data_center = arena.string(source.dataCenter)
            $0.stat_server = arena.string(source.statServer)
            $0.since = source.since
            $0.n_unheard_nodes = source.unheard.count
            $0.unheard_nodes = arena.strings(source.unheard)
        }
    }

    static func answer(
        _ message: borrowing Tandem__Control__StatisticsAnswer, type: UInt16
    ) throws(WireError) -> StatisticsAnswer {
        guard message.n_sources <= StatisticsAnswer.maximumSources,
            message.n_points <= StatisticsQuestion.maximumRows, message.n_groups <= StatisticsQuestion.maximumRows,
            message.n_agents <= Int(AgentStatisticsFilter.maximumLimit)
        else { throw .tooMany(type: type) }
        var answer = StatisticsAnswer()
        answer.request = message.request
        answer.hasMore = message.has_more != 0
        for packed in messages(message.n_sources, message.sources) {
            var source = StatisticsSource()
            source.dataCenter = text(packed.pointee.data_center)
            source.statServer = text(packed.pointee.stat_server)
            source.since = packed.pointee.since
            source.unheard = texts(packed.pointee.n_unheard_nodes, packed.pointee.unheard_nodes)
            answer.sources.append(source)
        }
        answer.points = try points(message.n_points, message.points, type: type)
        for packed in messages(message.n_agents, message.agents) {
            answer.agents.append(try agent(packed.pointee, type: type))
        }
        answer.groups = try groups(message.n_groups, message.groups, type: type)
        return answer
    }

    // MARK: Routing points

    static func pack(_ figures: PointFigures, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Stat__Point> {
        arena.make(tandem__stat__point__init) {
            $0.routing_point = arena.string(figures.point.description)
            $0.waiting = figures.waiting
            $0.longest_waiting = figures.longestWaiting
            $0.service_level_milliseconds = figures.serviceLevelMilliseconds
            $0.arrived = figures.tally.arrived
            $0.answered = figures.tally.answered
            $0.answered_in_time = figures.tally.answeredInTime
            $0.abandoned = figures.tally.abandoned
            $0.abandoned_in_time = figures.tally.abandonedInTime
            $0.defaulted = figures.tally.defaulted
            $0.overflowed = figures.tally.overflowed
            $0.refused = figures.tally.refused
            $0.unknown = figures.tally.unknown
            $0.answer_milliseconds = figures.tally.answerMilliseconds
            $0.abandon_milliseconds = figures.tally.abandonMilliseconds
            $0.wait_milliseconds = figures.tally.waitMilliseconds
            $0.longest_wait = figures.tally.longestWait
        }
    }

    static func points(
        _ count: Int, _ packed: UnsafeMutablePointer<UnsafeMutablePointer<Tandem__Stat__Point>?>?, type: UInt16
    ) throws(WireError) -> [PointFigures] {
        guard count <= StatisticsQuestion.maximumRows else { throw .tooMany(type: type) }
        var points: [PointFigures] = []
        for packed in messages(count, packed) { points.append(try point(packed.pointee, type: type)) }
        return points
    }

    private static func point(_ message: Tandem__Stat__Point, type: UInt16) throws(WireError) -> PointFigures {
        guard let dn = DN(text(message.routing_point)) else { throw .badValue(type: type, field: "DN") }
        var figures = PointFigures(dn)
        figures.waiting = message.waiting
        figures.longestWaiting = message.longest_waiting
        figures.serviceLevelMilliseconds = message.service_level_milliseconds
        figures.tally.arrived = message.arrived
        figures.tally.answered = message.answered
        figures.tally.answeredInTime = message.answered_in_time
        figures.tally.abandoned = message.abandoned
        figures.tally.abandonedInTime = message.abandoned_in_time
        figures.tally.defaulted = message.defaulted
        figures.tally.overflowed = message.overflowed
        figures.tally.refused = message.refused
        figures.tally.unknown = message.unknown
        figures.tally.answerMilliseconds = message.answer_milliseconds
        figures.tally.abandonMilliseconds = message.abandon_milliseconds
        figures.tally.waitMilliseconds = message.wait_milliseconds
        figures.tally.longestWait = message.longest_wait
        let all = [
            message.waiting, message.longest_waiting, message.service_level_milliseconds, message.arrived,
            message.answered,
            message.answered_in_time, message.abandoned, message.abandoned_in_time, message.defaulted,
            message.overflowed,
            message.refused, message.unknown, message.answer_milliseconds, message.abandon_milliseconds,
            message.wait_milliseconds, message.longest_wait,
        ]
        guard all.allSatisfy({ $0 < limit }) else { throw .badValue(type: type, field: "figure") }
        return figures
    }

    // MARK: Agents

    private static func pack(
        _ agent: AgentFigures, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Stat__AgentStatistics> {
        arena.make(tandem__stat__agent_statistics__init) {
            $0.row = arena.make(tandem__stat__row__init) {
                $0.dn = arena.string(agent.dn)
                $0.agent_id = arena.string(agent.agent)
                $0.status = UInt32(AgentStatus.allCases.first { $0.word == agent.state }?.rawValue ?? 0)
                $0.since = agent.since
                $0.location = arena.string(agent.location)
                $0.profile = ProfileCodec.pack(agent.profile, arena)
            }
            $0.known_milliseconds = agent.knownMilliseconds
            $0.n_counts = agent.counts.count
            $0.counts = arena.array(agent.counts)
            $0.n_milliseconds = agent.milliseconds.count
            $0.milliseconds = arena.array(agent.milliseconds)
        }
    }

    private static func agent(
        _ message: Tandem__Stat__AgentStatistics, type: UInt16
    ) throws(WireError) -> AgentFigures {
        guard let row = message.row?.pointee,
            let status = UInt8(exactly: row.status).flatMap(AgentStatus.init), message.known_milliseconds < limit
        else { throw .badValue(type: type, field: "statistics") }
        var agent = AgentFigures(
            counts: try byStatus(message.n_counts, message.counts, type: type),
            milliseconds: try byStatus(message.n_milliseconds, message.milliseconds, type: type))
        agent.agent = text(row.agent_id)
        agent.dn = text(row.dn)
        agent.state = status.word
        agent.since = row.since
        agent.location = text(row.location)
        agent.profile = try ProfileCodec.profile(row.profile, type: type)
        agent.knownMilliseconds = message.known_milliseconds
        return agent
    }

    static func pack(_ group: GroupFigures, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Stat__Group> {
        arena.make(tandem__stat__group__init) {
            $0.name = arena.string(group.name)
            $0.n_present = group.present.count
            $0.present = arena.array(group.present)
            $0.n_counts = group.counts.count
            $0.counts = arena.array(group.counts)
            $0.n_milliseconds = group.milliseconds.count
            $0.milliseconds = arena.array(group.milliseconds)
        }
    }

    static func groups(
        _ count: Int, _ packed: UnsafeMutablePointer<UnsafeMutablePointer<Tandem__Stat__Group>?>?, type: UInt16
    ) throws(WireError) -> [GroupFigures] {
        guard count <= StatisticsQuestion.maximumRows else { throw .tooMany(type: type) }
        var groups: [GroupFigures] = []
        for packed in messages(count, packed) {
            let group = packed.pointee
            groups.append(
                GroupFigures(
                    text(group.name), present: try byStatus(group.n_present, group.present, type: type),
                    counts: try byStatus(group.n_counts, group.counts, type: type),
                    milliseconds: try byStatus(group.n_milliseconds, group.milliseconds, type: type)))
        }
        return groups
    }

    /// One number for every status.
    private static func byStatus(
        _ count: Int, _ packed: UnsafeMutablePointer<UInt64>?, type: UInt16
    ) throws(WireError) -> [UInt64] {
        let numbers = Array(values(count, packed))
        guard numbers.count == AgentStatus.allCases.count, numbers.allSatisfy({ $0 < limit }) else {
            throw .badValue(type: type, field: "statistics")
        }
        return numbers
    }
}
