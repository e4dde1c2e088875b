import ArgumentParser
import LinuxSystem
import Orchestration

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show what has become of calls to routing points, and how agents spend their time.",
        discussion: """
            Stat Servers count from when they began. Of routing points each data center's Stat Server counts the calls of its own nodes, \
            and these are summed; of agents every Stat Server knows all.
            """,
        subcommands: [PointStatsCommand.self, AgentStatsCommand.self, GroupStatsCommand.self],
        defaultSubcommand: PointStatsCommand.self
    )

    /// Says what the figures leave out, and ends with 3 where a data center's are missing.
    static func close(_ answer: StatisticsAnswer, _ console: Console, needsAll: Bool) throws(CommandFailure) {
        let unheard = answer.sources.flatMap(\.unheard)
        if !unheard.isEmpty {
            console.note("Not heard now, so their calls are unknown: \(Wording.list(unheard)).")
        }
        let silent = answer.sources.filter(\.statServer.isEmpty).map(\.dataCenter)
        guard !silent.isEmpty, needsAll || silent.count == answer.sources.count else { return }
        throw CommandFailure(
            "no stat server of \(Wording.list(silent)) is ready and answers; see `tandem nodes`", .degraded)
    }
}

struct PointStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "points", abstract: "Calls at routing points: waiting now, and what has become of the others.",
        discussion: """
            The service level is the share of calls that were answered in time (`serviceLevel` in the topology), of those answered and \
            those abandoned after an answer would have been late. ASA is the average speed of answer; calls that ring count as waiting.
            """)

    @Argument(
        help: ArgumentHelp("Only this routing point.", valueName: "routing-point"), completion: Candidates.routingPoints
    )
    var point: String?

    @Option(
        help: ArgumentHelp(
            "Of the last minutes, up to an hour, such as 15m or 1h; the minute that runs counts as one.",
            valueName: "time"))
    var last: RecentMinutes?

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let minutes = last?.minutes ?? 0
        let answer = try controller.connect().statistics(.points(point ?? "", minutes: minutes))
        if output.json {
            console.write(JSONOutput.rendered(PointStatsJSON(answer, minutes: minutes)))
        } else {
            console.write(StatsScreen.points(answer, minutes: minutes, console.style))
        }
        try StatsCommand.close(answer, console, needsAll: true)
    }
}

struct AgentStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agents", abstract: "How each agent spends the time, by DN.",
        discussion: """
            Occupancy is the share of the time for calls that calls took: ringing, busy and after-call work, of those and ready and \
            reserved. A call counts when the agent becomes busy.
            """)

    @Option(help: ArgumentHelp("Only the agent of this DN.", valueName: "dn"), completion: Candidates.dns)
    var dn: String?

    @Option(help: ArgumentHelp("Only the agent of this ID.", valueName: "id"))
    var agent: String?

    @Option(help: ArgumentHelp("Only agents at this location.", valueName: "location"))
    var location: String?

    @Option(
        help: ArgumentHelp(
            "List at most so many, up to \(AgentStatisticsFilter.maximumLimit).", valueName: "count"))
    var limit: UInt32 = 100

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...AgentStatisticsFilter.maximumLimit).contains(limit) else {
            throw ValidationError("--limit is from 1 to \(AgentStatisticsFilter.maximumLimit)")
        }
    }

    func run() throws {
        let console = output.console
        var filter = AgentStatisticsFilter()
        filter.dn = dn ?? ""
        filter.agent = agent ?? ""
        filter.location = location ?? ""
        filter.limit = limit
        let answer = try controller.connect().statistics(.agents(filter))
        if output.json {
            console.write(JSONOutput.rendered(AgentStatsJSON(answer)))
        } else {
            console.write(StatsScreen.agents(answer, console.style))
        }
        if answer.hasMore {
            console.note("There are more agents; --limit, --dn, --agent and --location show others.")
        } else if answer.agents.isEmpty {
            console.note("No agent fits.")
        }
        try StatsCommand.close(answer, console, needsAll: false)
    }
}

struct GroupStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups", abstract: "How agents spend the time together: by location, by skill, or all.",
        discussion: "An agent counts in the group of each skill that it has.")

    @Option(help: "Put agents together by location or skill, or all of them.", completion: .list(Grouping.words))
    var by: Grouping = Grouping(by: .location)

    @OptionGroup var controller: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let console = output.console
        let answer = try controller.connect().statistics(.groups(by: by.by))
        if output.json {
            console.write(JSONOutput.rendered(GroupStatsJSON(answer, by: by.by)))
        } else {
            console.write(StatsScreen.groups(answer, by: by.by, console.style))
        }
        if answer.hasMore { console.note("There are more groups than these.") }
        if answer.groups.isEmpty { console.note("No agent is known.") }
        try StatsCommand.close(answer, console, needsAll: false)
    }
}

/// `all`, `location` or `skill`.
struct Grouping: ExpressibleByArgument {
    let by: StatisticsQuestion.GroupedBy

    static var words: [String] { StatisticsQuestion.GroupedBy.allCases.map(\.rawValue) }

    init(by: StatisticsQuestion.GroupedBy) {
        self.by = by
    }

    init?(argument: String) {
        guard let by = StatisticsQuestion.GroupedBy(rawValue: argument) else { return nil }
        self.by = by
    }

    var defaultValueDescription: String { by.rawValue }
}

/// `15m`, `1h`: whole minutes, an hour at most.
struct RecentMinutes: ExpressibleByArgument {
    let minutes: UInt32

    init?(argument: String) {
        guard let unit = argument.last, unit == "m" || unit == "h", let number = UInt32(argument.dropLast()),
            argument.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }), number <= StatisticsQuestion.maximumMinutes
        else { return nil }
        minutes = unit == "h" ? number * 60 : number
        guard (1...StatisticsQuestion.maximumMinutes).contains(minutes) else { return nil }
    }
}
