package import AgentSessions
import CTandemProto
package import ClusterModel
package import Orchestration

/// What somebody asks a Stat Server.
package enum StatRequest: Equatable, Sendable {
    /// The agents' states from now on; after a snapshot, unless the place of an earlier subscription is given and still known.
    case subscribe(referenceID: UInt32, after: UInt64?)
    case query(referenceID: UInt32, StatQuery)
    /// Of one routing point, or of all where it is empty; of the last so many minutes begun, or of all the time where it is 0.
    case points(referenceID: UInt32, String, minutes: UInt32)
    case groups(referenceID: UInt32, by: StatisticsQuestion.GroupedBy)
}

/// Which agents' statistics somebody wants.
package struct StatQuery: Equatable, Sendable {
    package static let maximumLimit = 512

    /// Empty for all.
    package var dn = ""
    package var agent = ""
    package var limit: Int
    /// Go on after this DN.
    package var after = ""

    package init(dn: String = "", agent: String = "", limit: Int = StatQuery.maximumLimit, after: String = "") {
        self.dn = dn
        self.agent = agent
        self.limit = limit
        self.after = after
    }
}

/// A part of a subscription. The beginning of a snapshot comes before the rows, and its end after them.
package struct StatRows: Equatable, Sendable {
    package static let maximumRows = 1_024

    package var beginsSnapshot = false
    package var rows: [AgentRow] = []
    package var endsSnapshot = false
    /// Where the subscription stands; nil in the middle of a snapshot.
    package var sequence: UInt64?

    package init() {}
}

/// How often each status of an agent began, and how long it lasted.
package struct AgentStatistics: Equatable, Sendable {
    package var row: AgentRow
    package var knownMilliseconds: UInt64
    /// By status, in the order of its numbers.
    package var counts: [UInt64]
    package var milliseconds: [UInt64]

    package init(row: AgentRow, knownMilliseconds: UInt64, counts: [UInt64], milliseconds: [UInt64]) {
        self.row = row
        self.knownMilliseconds = knownMilliseconds
        self.counts = counts
        self.milliseconds = milliseconds
    }
}

package enum StatAnswer: Equatable, Sendable {
    case rows(StatRows)
    case statistics(referenceID: UInt32, [AgentStatistics], hasMore: Bool)
    /// Since that time (milliseconds since 1970), and without the calls of some nodes, by full name.
    case points(referenceID: UInt32, [PointFigures], since: UInt64, unheard: [String])
    case groups(referenceID: UInt32, [GroupFigures], hasMore: Bool)
}

/// Puts what a Stat Server and its clients say to each other into frames.
package enum StatCodec {
    // MARK: Requests

    package static func encode(_ request: StatRequest, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch request {
        case .subscribe(let id, let after):
            let message = arena.make(tandem__stat__subscribe__init) {
                $0.reference_id = id
                $0.sequence = after ?? 0
            }
            appendFrame(type: FrameType.statSubscribe, message, to: &output)
        case .query(let id, let query):
            let message = arena.make(tandem__stat__query__init) {
                $0.reference_id = id
                $0.dn = arena.string(query.dn)
                $0.agent_id = arena.string(query.agent)
                $0.limit = UInt32(clamping: query.limit)
                $0.after = arena.string(query.after)
            }
            appendFrame(type: FrameType.statQuery, message, to: &output)
        case .points(let id, let point, let minutes):
            let message = arena.make(tandem__stat__point_query__init) {
                $0.reference_id = id
                $0.routing_point = arena.string(point)
                $0.minutes = minutes
            }
            appendFrame(type: FrameType.statPointQuery, message, to: &output)
        case .groups(let id, let by):
            let message = arena.make(tandem__stat__group_query__init) {
                $0.reference_id = id
                $0.by = arena.string(by.rawValue)
            }
            appendFrame(type: FrameType.statGroupQuery, message, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    package static func decodeRequest(type: UInt16, _ payload: RawSpan) throws(WireError) -> StatRequest {
        switch type {
        case FrameType.statSubscribe:
            return try unpack(
                type: type, tandem__stat__subscribe__descriptor, payload, as: Tandem__Stat__Subscribe.self
            ) {
                .subscribe(referenceID: $0.reference_id, after: $0.sequence == 0 ? nil : $0.sequence)
            }
        case FrameType.statQuery:
            return try unpack(type: type, tandem__stat__query__descriptor, payload, as: Tandem__Stat__Query.self) {
                (message) throws(WireError) in
                guard message.limit <= StatQuery.maximumLimit else { throw .badValue(type: type, field: "limit") }
                let query = StatQuery(
                    dn: text(message.dn), agent: text(message.agent_id), limit: Int(message.limit),
                    after: text(message.after))
                return .query(referenceID: message.reference_id, query)
            }
        case FrameType.statPointQuery:
            return try unpack(
                type: type, tandem__stat__point_query__descriptor, payload, as: Tandem__Stat__PointQuery.self
            ) { (message) throws(WireError) in
                let minutes = try StatisticsCodec.minutes(message.minutes, type: type)
                return .points(referenceID: message.reference_id, text(message.routing_point), minutes: minutes)
            }
        case FrameType.statGroupQuery:
            return try unpack(
                type: type, tandem__stat__group_query__descriptor, payload, as: Tandem__Stat__GroupQuery.self
            ) { (message) throws(WireError) in
                .groups(referenceID: message.reference_id, by: try StatisticsCodec.grouping(message.by, type: type))
            }
        default:
            throw .unknownType(type)
        }
    }

    // MARK: Answers

    package static func encode(_ answer: StatAnswer, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch answer {
        case .rows(let rows):
            let packed = rows.rows.map { Optional(pack($0, arena)) }
            let message = arena.make(tandem__stat__rows__init) {
                $0.snapshot_begins = rows.beginsSnapshot ? 1 : 0
                $0.snapshot_ends = rows.endsSnapshot ? 1 : 0
                $0.n_rows = packed.count
                $0.rows = arena.array(packed)
                $0.sequence = rows.sequence ?? 0
            }
            appendFrame(type: FrameType.statRows, message, to: &output)
        case .statistics(let id, let agents, let hasMore):
            let packed = agents.map { agent in
                Optional(
                    arena.make(tandem__stat__agent_statistics__init) {
                        $0.row = pack(agent.row, arena)
                        $0.known_milliseconds = agent.knownMilliseconds
                        $0.n_counts = agent.counts.count
                        $0.counts = arena.array(agent.counts)
                        $0.n_milliseconds = agent.milliseconds.count
                        $0.milliseconds = arena.array(agent.milliseconds)
                    })
            }
            let message = arena.make(tandem__stat__statistics__init) {
                $0.reference_id = id
                $0.n_agents = packed.count
                $0.agents = arena.array(packed)
                $0.has_more = hasMore ? 1 : 0
            }
            appendFrame(type: FrameType.statStatistics, message, to: &output)
        case .points(let id, let points, let since, let unheard):
            let message = arena.make(tandem__stat__point_statistics__init) {
                $0.reference_id = id
                $0.n_points = points.count
                $0.points = arena.array(points.map { Optional(StatisticsCodec.pack($0, arena)) })
                $0.since = since
                $0.n_unheard_nodes = unheard.count
                $0.unheard_nodes = arena.strings(unheard)
            }
            appendFrame(type: FrameType.statPointStatistics, message, to: &output)
        case .groups(let id, let groups, let hasMore):
            let message = arena.make(tandem__stat__group_statistics__init) {
                $0.reference_id = id
                $0.n_groups = groups.count
                $0.groups = arena.array(groups.map { Optional(StatisticsCodec.pack($0, arena)) })
                $0.has_more = hasMore ? 1 : 0
            }
            appendFrame(type: FrameType.statGroupStatistics, message, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    private static func pack(_ row: AgentRow, _ arena: PackingArena) -> UnsafeMutablePointer<Tandem__Stat__Row> {
        arena.make(tandem__stat__row__init) {
            $0.dn = arena.string(row.dn.description)
            $0.agent_id = arena.string(row.agent.text)
            $0.status = UInt32(row.status.rawValue)
            $0.since = row.since
            $0.location = arena.string(row.location)
            $0.profile = ProfileCodec.pack(row.profile, arena)
            $0.service = UInt32(row.service.rawValue)
            $0.owner = arena.string(row.owner)
        }
    }

    package static func decodeAnswer(type: UInt16, _ payload: RawSpan) throws(WireError) -> StatAnswer {
        switch type {
        case FrameType.statRows:
            return try unpack(type: type, tandem__stat__rows__descriptor, payload, as: Tandem__Stat__Rows.self) {
                (message) throws(WireError) in
                guard message.n_rows <= StatRows.maximumRows else { throw .tooMany(type: type) }
                var rows = StatRows()
                rows.beginsSnapshot = message.snapshot_begins != 0
                rows.endsSnapshot = message.snapshot_ends != 0
                rows.sequence = message.sequence == 0 ? nil : message.sequence
                rows.rows.reserveCapacity(message.n_rows)
                for packed in messages(message.n_rows, message.rows) {
                    rows.rows.append(try row(packed.pointee, type: type))
                }
                return .rows(rows)
            }
        case FrameType.statStatistics:
            return try unpack(
                type: type, tandem__stat__statistics__descriptor, payload, as: Tandem__Stat__Statistics.self
            ) {
                (message) throws(WireError) in
                guard message.n_agents <= StatQuery.maximumLimit else { throw .tooMany(type: type) }
                var agents: [AgentStatistics] = []
                for packed in messages(message.n_agents, message.agents) {
                    agents.append(try statistics(packed.pointee, type: type))
                }
                return .statistics(referenceID: message.reference_id, agents, hasMore: message.has_more != 0)
            }
        case FrameType.statPointStatistics:
            return try unpack(
                type: type, tandem__stat__point_statistics__descriptor, payload,
                as: Tandem__Stat__PointStatistics.self
            ) { (message) throws(WireError) in
                .points(
                    referenceID: message.reference_id,
                    try StatisticsCodec.points(message.n_points, message.points, type: type), since: message.since,
                    unheard: texts(message.n_unheard_nodes, message.unheard_nodes))
            }
        case FrameType.statGroupStatistics:
            return try unpack(
                type: type, tandem__stat__group_statistics__descriptor, payload,
                as: Tandem__Stat__GroupStatistics.self
            ) { (message) throws(WireError) in
                .groups(
                    referenceID: message.reference_id,
                    try StatisticsCodec.groups(message.n_groups, message.groups, type: type),
                    hasMore: message.has_more != 0)
            }
        default:
            throw .unknownType(type)
        }
    }

    private static func statistics(
        _ message: Tandem__Stat__AgentStatistics, type: UInt16
    ) throws(WireError) -> AgentStatistics {
        let statuses = AgentStatus.allCases.count
        guard message.n_counts == statuses, message.n_milliseconds == statuses, let packed = message.row else {
            throw .badValue(type: type, field: "statistics")
        }
        return AgentStatistics(
            row: try row(packed.pointee, type: type), knownMilliseconds: message.known_milliseconds,
            counts: Array(values(message.n_counts, message.counts)),
            milliseconds: Array(values(message.n_milliseconds, message.milliseconds)))
    }

    private static func row(_ message: Tandem__Stat__Row, type: UInt16) throws(WireError) -> AgentRow {
        guard let dn = DN(text(message.dn)), let agent = AgentID(text(message.agent_id)),
            let status = UInt8(exactly: message.status).flatMap(AgentStatus.init), message.since < 1 << 48,
            let service = UInt8(exactly: message.service).flatMap(Service.init)
        else { throw .badValue(type: type, field: "row") }
        return AgentRow(
            dn: dn, agent: agent, status: status, since: message.since, location: text(message.location),
            profile: try ProfileCodec.profile(message.profile, type: type), service: service,
            owner: text(message.owner))
    }
}
