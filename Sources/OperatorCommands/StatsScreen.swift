import AgentSessions
import ClusterModel
package import Orchestration

/// What `tandem stats` shows people.
package enum StatsScreen {
    /// What happens to few calls, or to none: left out where people read and it is nobody's case.
    private static let rarities: [(heading: String, count: @Sendable (PointTally) -> UInt64)] = [
        ("DEFAULTED", { $0.defaulted }), ("OVERFLOWED", { $0.overflowed }), ("REFUSED", { $0.refused }),
        ("UNKNOWN", { $0.unknown }),
    ]

    /// - Parameter minutes: 0 for all the time.
    package static func points(_ answer: StatisticsAnswer, minutes: UInt32, _ style: Style) -> String {
        let rare = rarities.filter { rarity in
            style.hasTabs || answer.points.contains { rarity.count($0.tally) > 0 }
        }
        let headings =
            ["WAITING", "LONGEST", "ARRIVED", "ANSWERED", "ABANDONED"] + rare.map(\.heading)
            + ["SERVICE LEVEL", "ASA", "WAIT", "MAX WAIT", "ABANDONED AFTER"]
        var table = Table([.init("ROUTING POINT")] + headings.map { .init($0, .right) })
        for point in answer.points {
            let tally = point.tally
            let counts = [tally.arrived, tally.answered, tally.abandoned] + rare.map { $0.count(tally) }
            let waits = [
                time(tally.averageAnswer), time(tally.averageWait), time(tally.ended == 0 ? nil : tally.longestWait),
                time(tally.averageAbandon),
            ]
            var cells: [Table.Cell] = [
                .init("\(point.point)"), .init("\(point.waiting)", point.waiting > 0 ? .doubtful : .plain),
                .init(time(point.waiting == 0 ? nil : point.longestWaiting)),
            ]
            cells += counts.map { .init("\($0)") }
            cells.append(.init(percent(tally.serviceLevel), tone(tally.serviceLevel)))
            cells += waits.map { .init($0) }
            table.add(cells)
        }
        return table.rendered(style) + footing(answer, minutes, style)
    }

    package static func agents(_ answer: StatisticsAnswer, _ style: Style) -> String {
        var table = Table([
            .init("AGENT"), .init("DN"), .init("STATE"), .init("LOCATION"), .init("OCCUPANCY", .right),
            .init("CALLS", .right), .init("TALK", .right), .init("HANDLE", .right), .init("AFTER CALL", .right),
            .init("LOGGED IN", .right), .init("NOT READY", .right),
        ])
        for agent in answer.agents {
            let work = AgentWork(counts: agent.counts, milliseconds: agent.milliseconds) ?? AgentWork()
            table.add(
                [
                    .init(Wording.printable(agent.agent)), .init(agent.dn),
                    .init(agent.state, agent.state == "ready" ? .good : .plain),
                    .init(Wording.printable(agent.location)),
                ] + cells(work))
        }
        return table.rendered(style) + footing(answer, 0, style)
    }

    package static func groups(
        _ answer: StatisticsAnswer, by: StatisticsQuestion.GroupedBy, _ style: Style
    ) -> String {
        var table = Table([
            .init(by == .all ? "AGENTS" : by.rawValue.uppercased()), .init("KNOWN", .right), .init("READY", .right),
            .init("IN CALLS", .right),
            .init("OCCUPANCY", .right), .init("CALLS", .right), .init("TALK", .right), .init("HANDLE", .right),
            .init("AFTER CALL", .right), .init("LOGGED IN", .right), .init("NOT READY", .right),
        ])
        for group in answer.groups {
            let work = AgentWork(counts: group.counts, milliseconds: group.milliseconds) ?? AgentWork()
            func present(_ statuses: AgentStatus...) -> UInt64 {
                statuses.reduce(0) { $0 + group.present[Int($1.rawValue)] }
            }
            let name = by == .all ? "all" : group.name
            table.add(
                [
                    .init(Wording.printable(name)), .init("\(group.present.reduce(0, +))"), .init("\(present(.ready))"),
                    .init("\(present(.ringing, .busy))"),
                ] + cells(work))
        }
        return table.rendered(style) + footing(answer, 0, style)
    }

    private static func cells(_ work: AgentWork) -> [Table.Cell] {
        [
            .init(percent(work.occupancy)), .init("\(work.calls)"), .init(time(work.averageTalk)),
            .init(time(work.averageHandle)), .init(time(work.averageAfterCallWork)), .init(time(work.loggedIn)),
            .init(time(work.notReady)),
        ]
    }

    /// Since when, and whose figures they are. Not for programs.
    private static func footing(_ answer: StatisticsAnswer, _ minutes: UInt32, _ style: Style) -> String {
        guard !style.hasTabs else { return "" }
        let known = answer.sources.filter { !$0.statServer.isEmpty }
        guard let since = known.map(\.since).min() else { return "" }
        let span =
            minutes == 0
            ? "Since \(Wording.localTime(milliseconds: since))" : "The last \(Wording.count(minutes, "minute"))"
        return style.faint("\(span), as \(Wording.list(known.map(\.statServer))) counted.") + "\n"
    }

    private static func percent(_ share: Double?) -> String {
        share.map { "\(UInt64(($0 * 100).rounded()))%" } ?? ""
    }

    /// Four in five is what most promise.
    private static func tone(_ level: Double?) -> Table.Tone {
        level.map { $0 >= 0.8 ? .good : $0 >= 0.5 ? .doubtful : .bad } ?? .plain
    }

    private static func time(_ milliseconds: UInt64?) -> String {
        milliseconds.map { Wording.duration(milliseconds: $0) } ?? ""
    }
}
