import ClusterModel
import OperatorCommands
import Orchestration
import Testing

/// What two data centers' Stat Servers say together.
func statisticsAnswer() -> StatisticsAnswer {
    var answer = StatisticsAnswer()
    answer.sources = ["dc1", "dc2"].map { name in
        var source = StatisticsSource()
        (source.dataCenter, source.statServer, source.since) = (name, "\(name)/stat1", now - 60_000)
        return source
    }
    var busy = PointFigures(DN("8000")!)
    (busy.waiting, busy.longestWaiting, busy.serviceLevelMilliseconds) = (2, 65_000, 20_000)
    busy.tally.arrived = 12
    (busy.tally.answered, busy.tally.answeredInTime, busy.tally.answerMilliseconds) = (6, 5, 90_000)
    (busy.tally.abandoned, busy.tally.abandonedInTime, busy.tally.abandonMilliseconds) = (2, 1, 50_000)
    (busy.tally.defaulted, busy.tally.overflowed, busy.tally.refused, busy.tally.unknown) = (1, 1, 0, 1)
    (busy.tally.waitMilliseconds, busy.tally.longestWait) = (180_000, 45_000)
    answer.points = [busy, PointFigures(DN("8001")!)]
    let (counts, milliseconds) = (
        [0, 0, 0, 1, 5, 4, 4, 4, 3] as [UInt64], [0, 0, 0, 60_000, 60_000, 10_000, 8_000, 100_000, 22_000] as [UInt64]
    )
    var agent = AgentFigures(counts: counts, milliseconds: milliseconds)
    (agent.agent, agent.dn, agent.state, agent.since) = ("ann\u{1B}[31m", "1001", "ready", now - 5_000)
    (agent.location, agent.knownMilliseconds) = ("west", 260_000)
    agent.profile = AgentProfile(skills: [Skill("english", level: 5)!]) ?? .none
    answer.agents = [agent]
    answer.groups = [
        GroupFigures(
            "", present: [0, 0, 0, 1, 0, 0, 0, 0, 0], counts: Array(repeating: 0, count: 9),
            milliseconds: Array(repeating: 0, count: 9)),
        GroupFigures("west", present: [0, 0, 0, 0, 2, 0, 1, 3, 0], counts: counts, milliseconds: milliseconds),
    ]
    return answer
}

@Suite struct StatsScreenTests {
    @Test func `routing points have a row each, and it is said whose figures they are`() {
        let screen = StatsScreen.points(statisticsAnswer(), minutes: 15, .plain)
        let expected = """
            ROUTING POINT  WAITING  LONGEST  ARRIVED  ANSWERED  ABANDONED  DEFAULTED  OVERFLOWED  UNKNOWN  SERVICE LEVEL  ASA  WAIT  MAX WAIT  ABANDONED AFTER
            8000                 2   1m 05s       12         6          2          1           1        1            71%  15s   20s       45s              25s
            8001                 0        -        0         0          0          0           0        0              -    -     -         -                -
            The last 15 minutes, as dc1/stat1 and dc2/stat1 counted.

            """
        #expect(screen == expected, "\(screen)")
        let plain = StatsScreen.points(statisticsAnswer(), minutes: 0, Style(isOn: false, hasTabs: true))
        #expect(plain.contains("\tREFUSED\t") && plain.split(separator: "\n").count == 3, "\(plain)")
        let all = StatsScreen.points(statisticsAnswer(), minutes: 0, .plain)
        #expect(all.contains("\nSince \(Wording.localTime(milliseconds: now - 60_000)), as dc1/stat1"))
    }

    @Test func `agents and groups have rows with what follows from their times`() {
        let agents = StatsScreen.agents(statisticsAnswer(), .plain)
        let expected = """
            AGENT     DN    STATE  LOCATION  OCCUPANCY  CALLS  TALK  HANDLE  AFTER CALL  LOGGED IN  NOT READY
            ann�[31m  1001  ready  west            65%      4   25s     30s          7s     4m 20s     1m 00s

            """
        #expect(agents.hasPrefix(expected), "\(agents)")
        let groups = StatsScreen.groups(statisticsAnswer(), by: .location, .plain)
        let rows = """
            LOCATION  KNOWN  READY  IN CALLS  OCCUPANCY  CALLS  TALK  HANDLE  AFTER CALL  LOGGED IN  NOT READY
            -             1      0         0          -      0     -       -           -        0ms        0ms
            west          6      2         4        65%      4   25s     30s          7s     4m 20s     1m 00s

            """
        #expect(groups.hasPrefix(rows), "\(groups)")
        #expect(StatsScreen.groups(statisticsAnswer(), by: .all, .plain).contains("\nall "))
    }

    @Test func `JSON has shares, and null for what nothing follows from`() {
        let json = JSONOutput.compact(PointStatsJSON(statisticsAnswer(), minutes: 0))
        #expect(json.contains(#""serviceLevel":0.7143,"serviceLevelMilliseconds":20000"#), "\(json)")
        #expect(json.contains(#""averageAnswerMilliseconds":15000"#) && json.contains(#""lastMinutes":null"#))
        #expect(json.contains(#""longestWaitingMilliseconds":null"#), "\(json)")
        let agents = JSONOutput.compact(AgentStatsJSON(statisticsAnswer()))
        #expect(agents.contains(#""occupancy":0.65"#) && agents.contains(#""skills":{"english":5}"#), "\(agents)")
        #expect(agents.contains(#""after-call-work":22000"#))
    }

    @Test func `figures of data centers are summed, and the Stat Server counts that has counted for longest`() {
        func answer(_ server: String, _ since: UInt64, _ arrived: UInt64, agents: Int) -> StatisticsAnswer {
            var answer = StatisticsAnswer()
            var source = StatisticsSource()
            (source.dataCenter, source.statServer, source.since) = (String(server.prefix(3)), server, since)
            answer.sources = [source]
            var point = PointFigures(DN("8000")!)
            (point.tally.arrived, point.waiting, point.tally.longestWait) = (arrived, 1, arrived)
            answer.points = [point]
            answer.agents = (0..<agents).map { _ in AgentFigures(counts: [], milliseconds: []) }
            return answer
        }
        let answers = [
            answer("dc2/stat1", 9, 100, agents: 3), answer("dc1/stat2", 5, 7, agents: 2),
            answer("dc1/stat1", 8, 1, agents: 1),
        ]
        let merged = StatisticsAnswer.merged(answers, ["dc1", "dc2", "dc3"])
        #expect(merged.sources.map(\.statServer) == ["dc1/stat2", "dc2/stat1", ""])
        #expect(merged.sources.map(\.dataCenter) == ["dc1", "dc2", "dc3"])
        #expect(merged.points.map(\.tally.arrived) == [107] && merged.points.map(\.waiting) == [2])
        #expect(merged.points.map(\.tally.longestWait) == [100] && merged.agents.count == 2)
    }
}
