import AgentSessions
import ClusterModel
package import Orchestration

/// Whose figures `tandem stats --json` prints.
package struct StatsSourceJSON: Encodable, Equatable, Sendable {
    var dataCenter: String
    @OrNull var statServer: String?
    @OrNull var since: String?
    var unheardNodes: [String]

    init(_ source: StatisticsSource) {
        dataCenter = source.dataCenter
        statServer = source.statServer.isEmpty ? nil : source.statServer
        since = source.statServer.isEmpty ? nil : Wording.isoTime(milliseconds: source.since)
        unheardNodes = source.unheard
    }
}

/// What `tandem stats --json` prints.
package struct PointStatsJSON: Encodable, Equatable, Sendable {
    package struct Point: Encodable, Equatable, Sendable {
        var routingPoint: String
        var waiting: UInt64
        @OrNull var longestWaitingMilliseconds: UInt64?
        var arrived: UInt64
        var answered: UInt64
        var answeredInTime: UInt64
        var abandoned: UInt64
        var abandonedInTime: UInt64
        var defaulted: UInt64
        var overflowed: UInt64
        var refused: UInt64
        var unknown: UInt64
        @OrNull var serviceLevel: Double?
        var serviceLevelMilliseconds: UInt64
        @OrNull var averageAnswerMilliseconds: UInt64?
        @OrNull var averageWaitMilliseconds: UInt64?
        @OrNull var longestWaitMilliseconds: UInt64?
        @OrNull var averageAbandonMilliseconds: UInt64?

        init(_ figures: PointFigures) {
            let tally = figures.tally
            routingPoint = "\(figures.point)"
            waiting = figures.waiting
            longestWaitingMilliseconds = figures.waiting == 0 ? nil : figures.longestWaiting
            arrived = tally.arrived
            answered = tally.answered
            answeredInTime = tally.answeredInTime
            abandoned = tally.abandoned
            abandonedInTime = tally.abandonedInTime
            defaulted = tally.defaulted
            overflowed = tally.overflowed
            refused = tally.refused
            unknown = tally.unknown
            serviceLevel = tally.serviceLevel.map(StatsRatio.rounded)
            serviceLevelMilliseconds = figures.serviceLevelMilliseconds
            averageAnswerMilliseconds = tally.averageAnswer
            averageWaitMilliseconds = tally.averageWait
            longestWaitMilliseconds = tally.ended == 0 ? nil : tally.longestWait
            averageAbandonMilliseconds = tally.averageAbandon
        }
    }

    @OrNull var lastMinutes: UInt32?
    var sources: [StatsSourceJSON]
    var routingPoints: [Point]

    /// - Parameter minutes: 0 for all the time.
    package init(_ answer: StatisticsAnswer, minutes: UInt32) {
        lastMinutes = minutes == 0 ? nil : minutes
        sources = answer.sources.map { StatsSourceJSON($0) }
        routingPoints = answer.points.map { Point($0) }
    }
}

/// How agents have spent the time.
package struct WorkJSON: Encodable, Equatable, Sendable {
    @OrNull var occupancy: Double?
    var calls: UInt64
    @OrNull var averageTalkMilliseconds: UInt64?
    @OrNull var averageHandleMilliseconds: UInt64?
    @OrNull var averageAfterCallWorkMilliseconds: UInt64?
    var loggedInMilliseconds: UInt64
    var notReadyMilliseconds: UInt64
    /// By status.
    var counts: [String: UInt64]
    var milliseconds: [String: UInt64]

    init(counts: [UInt64], milliseconds: [UInt64]) {
        let work = AgentWork(counts: counts, milliseconds: milliseconds) ?? AgentWork()
        occupancy = work.occupancy.map(StatsRatio.rounded)
        calls = work.calls
        averageTalkMilliseconds = work.averageTalk
        averageHandleMilliseconds = work.averageHandle
        averageAfterCallWorkMilliseconds = work.averageAfterCallWork
        loggedInMilliseconds = work.loggedIn
        notReadyMilliseconds = work.notReady
        self.counts = Self.byStatus(work.counts)
        self.milliseconds = Self.byStatus(work.milliseconds)
    }

    static func byStatus(_ numbers: [UInt64]) -> [String: UInt64] {
        Dictionary(zip(AgentStatus.allCases.map(\.word), numbers)) { first, _ in first }
    }
}

/// What `tandem stats agents --json` prints.
package struct AgentStatsJSON: Encodable, Equatable, Sendable {
    package struct Agent: Encodable, Equatable, Sendable {
        var agent: String
        var dn: String
        var state: String
        @OrNull var since: String?
        @OrNull var location: String?
        var skills: [String: UInt8]
        var knownMilliseconds: UInt64
        var work: WorkJSON

        init(_ figures: AgentFigures) {
            agent = figures.agent
            dn = figures.dn
            state = figures.state
            since = figures.since == 0 ? nil : Wording.isoTime(milliseconds: figures.since)
            location = figures.location.isEmpty ? nil : figures.location
            skills = Dictionary(figures.profile.skills.map { ($0.name, $0.level) }) { first, _ in first }
            knownMilliseconds = figures.knownMilliseconds
            work = WorkJSON(counts: figures.counts, milliseconds: figures.milliseconds)
        }
    }

    var sources: [StatsSourceJSON]
    var agents: [Agent]
    var more: Bool

    package init(_ answer: StatisticsAnswer) {
        sources = answer.sources.map { StatsSourceJSON($0) }
        agents = answer.agents.map { Agent($0) }
        more = answer.hasMore
    }
}

/// What `tandem stats groups --json` prints.
package struct GroupStatsJSON: Encodable, Equatable, Sendable {
    package struct Group: Encodable, Equatable, Sendable {
        @OrNull var name: String?
        var known: UInt64
        var present: [String: UInt64]
        var work: WorkJSON

        init(_ figures: GroupFigures) {
            name = figures.name.isEmpty ? nil : figures.name
            known = figures.present.reduce(0, +)
            present = WorkJSON.byStatus(figures.present)
            work = WorkJSON(counts: figures.counts, milliseconds: figures.milliseconds)
        }
    }

    var groupedBy: String
    var sources: [StatsSourceJSON]
    var groups: [Group]
    var more: Bool

    package init(_ answer: StatisticsAnswer, by: StatisticsQuestion.GroupedBy) {
        groupedBy = by.rawValue
        sources = answer.sources.map { StatsSourceJSON($0) }
        groups = answer.groups.map { Group($0) }
        more = answer.hasMore
    }
}

/// Shares in documents.
enum StatsRatio {
    /// To four digits after the point.
    static func rounded(_ ratio: Double) -> Double { (ratio * 10_000).rounded() / 10_000 }
}
