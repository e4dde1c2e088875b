import ClusterModel
package import Orchestration

/// How a rollout looks.
package enum RolloutScreen {
    private static let barWidth = 20

    package static func rendered(_ rollout: RolloutMachine, _ style: Style) -> String {
        table(rollout, style) + summary(rollout) + "\n"
    }

    /// The same with a bar, for a terminal.
    package static func bars(_ rollout: RolloutMachine, _ style: Style) -> String {
        let done = rollout.members.count { $0.state == .done || $0.state == .reverted }
        // A worker that settles is nearly there.
        let halves = 2 * done + rollout.members.count { $0.state == .settling }
        let filled = halves * barWidth / max(1, 2 * rollout.members.count)
        let bar = style.good(String(repeating: "█", count: filled))
        let rest = style.faint(String(repeating: "░", count: barWidth - filled))
        return table(rollout, style) + "\(bar)\(rest) \(done)/\(rollout.members.count) \(rollout.phase.word)\n"
    }

    private static func table(_ rollout: RolloutMachine, _ style: Style) -> String {
        var table = Table([
            .init("WORKER"), .init("STATE"), .init("GAP", .right), .init("LOST", .right), .init("BLINKED", .right),
            .init("KEPT", .right), .init("ENDED", .right), .init("NOTE"),
        ])
        for member in rollout.members {
            let takeover = member.takeover
            table.add([
                .init(member.name), .init(member.state.word, tone(member.state)),
                .init(takeover.map { milliseconds($0.gap) } ?? ""), .init(takeover.map { "\($0.lostDatagrams)" } ?? ""),
                .init(member.state == .waiting ? "" : "\(member.blinked)"),
                .init(takeover.map { "\($0.connections)" } ?? ""),
                .init(takeover.map { "\($0.endedConnections)" } ?? ""),
                .init(Wording.printable(member.problem)),
            ])
        }
        return table.rendered(style)
    }

    private static func tone(_ state: RolloutMachine.Member.State) -> Table.Tone {
        switch state {
        case .waiting: .faint
        case .restarting, .settling: .doubtful
        case .done, .reverted: .good
        case .failed: .bad
        }
    }

    package static func summary(_ rollout: RolloutMachine) -> String {
        let summary = rollout.summary
        return
            "\(rollout.phase.word): \(summary.restarted) of \(summary.all) restarted, DNs that blinked \(summary.blinked), "
            + "datagrams lost \(summary.lostDatagrams), longest gap \(milliseconds(summary.longestGap))"
            + (summary.endedConnections == 0 ? "" : ", connections ended \(summary.endedConnections)")
    }

    static func milliseconds(_ nanoseconds: UInt64) -> String {
        let tenths = (nanoseconds + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }

    /// What is different, a line each.
    package static func changes(from before: RolloutMachine?, to after: RolloutMachine) -> [String] {
        var lines: [String] = []
        for member in after.members {
            let old = before?.members.first { $0.name == member.name }
            guard old?.state != member.state, before != nil || member.state != .waiting else { continue }
            switch member.state {
            case .waiting: lines.append("\(member.name): waits")
            case .restarting: lines.append("\(member.name): restarting")
            case .settling: lines.append("\(member.name): serves: \(member.sentence)")
            case .done: lines.append("\(member.name): done")
            case .reverted: lines.append("\(member.name): back on the program of before")
            case .failed: lines.append("\(member.name): failed: \(Wording.printable(member.problem))")
            }
        }
        if let before, before.phase != after.phase { lines.append("rollout \(after.phase.word)") }
        return lines
    }
}

/// What `tandem rollout --json` prints.
package struct RolloutJSON: Encodable, Equatable, Sendable {
    package struct Member: Encodable, Equatable, Sendable {
        var name: String
        var dataCenter: String
        var state: String
        @OrNull var gapMicroseconds: UInt64?
        @OrNull var datagramsLost: UInt64?
        @OrNull var connectionsKept: UInt64?
        @OrNull var connectionsEnded: UInt64?
        var blinked: UInt64
        @OrNull var problem: String?
        var logLines: [String]
    }

    var number: UInt64
    var phase: String
    var maxUnavailable: Int
    var minHealthySeconds: Double
    var deadlineSeconds: Double
    var onFailure: String
    var restarted: Int
    var blinked: UInt64
    var datagramsLost: UInt64
    var longestGapMicroseconds: UInt64
    var connectionsEnded: UInt64
    var members: [Member]

    package init(_ rollout: RolloutMachine) {
        let summary = rollout.summary
        number = rollout.number
        phase = rollout.phase.word
        maxUnavailable = rollout.policy.maxUnavailable
        minHealthySeconds = Double(rollout.policy.minHealthy.nanoseconds) / 1e9
        deadlineSeconds = Double(rollout.policy.deadline.nanoseconds) / 1e9
        onFailure = rollout.policy.onFailure.rawValue
        restarted = summary.restarted
        blinked = summary.blinked
        datagramsLost = summary.lostDatagrams
        longestGapMicroseconds = summary.longestGap / 1_000
        connectionsEnded = summary.endedConnections
        members = rollout.members.map { member in
            Member(
                name: member.name, dataCenter: member.dataCenter, state: member.state.word,
                gapMicroseconds: member.takeover.map { $0.gap / 1_000 },
                datagramsLost: member.takeover?.lostDatagrams, connectionsKept: member.takeover?.connections,
                connectionsEnded: member.takeover?.endedConnections, blinked: member.blinked,
                problem: member.problem.isEmpty ? nil : member.problem, logLines: member.logLines)
        }
    }
}
