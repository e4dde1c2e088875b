package import Orchestration

/// What `tandem what-if` shows people.
package enum WhatIfScreen {
    /// Routing points without callers are told of up to so many; the others always.
    private static let limit = 12

    package static func rendered(_ consequences: Consequences, _ style: Style) -> String {
        var blocks = consequences.losses.map { lost($0, style) }
        blocks += consequences.sides.map { side($0, style) }
        if consequences.sides.isEmpty { blocks.append("No node would be left.\n") }
        return blocks.joined(separator: "\n")
    }

    private static func lost(_ loss: Consequences.Loss, _ style: Style) -> String {
        var text = style.bold(loss.node) + " would be gone, with \(Wording.count(loss.dns, "DN")) in service and "
        text += "\(Wording.count(loss.agents, "agent")).\n"
        for point in loss.waiting {
            let verb = point.waiting == 1 ? "call waits" : "calls wait"
            text += style.bad("\(point.waiting) \(verb) there at \(point.number), and would end with it.") + "\n"
        }
        return text
    }

    private static func side(_ side: Consequences.Side, _ style: Style) -> String {
        let lost = side.heardBefore.filter { !side.heardAfter.contains($0) }
        let noun = side.nodes.count == 1 ? "would" : "would each"
        var text = style.bold(Wording.list(side.nodes))
        if lost.isEmpty {
            text += " \(noun) hear as many nodes as now.\n"
        } else {
            let heard = side.heardAfter.isEmpty ? "no other node" : Wording.list(side.heardAfter)
            text += " \(noun) hear \(heard), and not \(Wording.list(lost)).\n"
        }
        var table = Table([.init("WHAT"), .init("NOW", .right), .init("THEN", .right)])
        for (name, change) in [
            ("DNs in service", side.dns), ("agents", side.agents), ("agents available", side.available),
        ] {
            table.add([
                .init(name), .init("\(change.before)"),
                .init("\(change.after)", change.after < change.before ? .doubtful : .plain),
            ])
        }
        return text + table.rendered(style) + points(side.points, style) + which(lost, style)
    }

    /// Where the names are of what would be lost.
    private static func which(_ lost: [String], _ style: Style) -> String {
        lost.map { node in
            style.faint(
                "What \(node) has: `tandem dn list --owner \(node) --state in-service`, `tandem agents --node \(node)`")
                + "\n"
        }.joined()
    }

    private static func points(_ points: [Consequences.Point], _ style: Style) -> String {
        let telling = points.filter { $0.waiting > 0 || $0.fitting != .init() }
        guard !telling.isEmpty else { return "" }
        let shown = telling.count > limit ? telling.filter { $0.waiting > 0 || $0.outlook != .unchanged } : telling
        var table = Table([
            .init("ROUTING POINT"), .init("WAITING", .right), .init("FITTING NOW", .right), .init("THEN", .right),
            .init("AVAILABLE NOW", .right), .init("THEN", .right),
        ])
        for point in shown {
            let tone: Table.Tone =
                switch point.outlook {
                case .unchanged: .plain
                case .fewer: .doubtful
                case .noneAvailable, .nobody: .bad
                }
            table.add([
                .init(point.number), .init("\(point.waiting)"), .init("\(point.fitting.before)"),
                .init("\(point.fitting.after)", tone), .init("\(point.available.before)"),
                .init("\(point.available.after)", tone),
            ])
        }
        let sentences = shown.compactMap { sentence($0) }.map { style.bad($0) + "\n" }
        return (shown.isEmpty ? "" : table.rendered(style)) + sentences.joined()
    }

    /// Of callers who would have nobody left; nil where that is nobody's case.
    package static func sentence(_ point: Consequences.Point) -> String? {
        let callers =
            point.waiting == 0
            ? "Callers of \(point.number)"
            : "\(point.waiting) \(point.waiting == 1 ? "caller who waits" : "callers who wait") at \(point.number)"
        switch point.outlook {
        case .unchanged, .fewer: return nil
        case .nobody:
            let agents =
                point.fitting.before == 1
                ? "the one agent who fits" : "none of the \(point.fitting.before) agents who fit"
            let verb = point.fitting.before == 1 ? "would not be heard" : "would be heard"
            return "\(callers) would have nobody left: \(agents) \(verb)."
        case .noneAvailable:
            return "\(callers) would have to wait: none of the agents who can be given a call would be heard, and "
                + "\(point.fitting.after) who \(point.fitting.after == 1 ? "fits" : "fit") would be."
        }
    }
}

/// What `tandem what-if --json` prints.
package struct ConsequencesJSON: Encodable, Equatable, Sendable {
    package struct Change: Encodable, Equatable, Sendable {
        var before: UInt64
        var after: UInt64

        init(_ change: Consequences.Change) {
            before = change.before
            after = change.after
        }
    }

    package struct Point: Encodable, Equatable, Sendable {
        var routingPoint: String
        var waiting: UInt64
        var fitting: Change
        var available: Change
        var outlook: String
        @OrNull var sentence: String?

        init(_ point: Consequences.Point) {
            routingPoint = point.number
            waiting = point.waiting
            fitting = Change(point.fitting)
            available = Change(point.available)
            outlook =
                switch point.outlook {
                case .unchanged: "unchanged"
                case .fewer: "fewer"
                case .noneAvailable: "none-available"
                case .nobody: "nobody"
                }
            sentence = WhatIfScreen.sentence(point)
        }
    }

    package struct Side: Encodable, Equatable, Sendable {
        var nodes: [String]
        var heardBefore: [String]
        var heardAfter: [String]
        var dnsInService: Change
        var agents: Change
        var agentsAvailable: Change
        var routingPoints: [Point]

        init(_ side: Consequences.Side) {
            nodes = side.nodes
            heardBefore = side.heardBefore
            heardAfter = side.heardAfter
            dnsInService = Change(side.dns)
            agents = Change(side.agents)
            agentsAvailable = Change(side.available)
            routingPoints = side.points.map { Point($0) }
        }
    }

    package struct Loss: Encodable, Equatable, Sendable {
        var node: String
        var dnsInService: UInt64
        var agents: UInt64
        /// By routing point.
        var waiting: [String: UInt64]

        init(_ loss: Consequences.Loss) {
            node = loss.node
            dnsInService = loss.dns
            agents = loss.agents
            waiting = Dictionary(loss.waiting.map { ($0.number, $0.waiting) }) { first, _ in first }
        }
    }

    var sides: [Side]
    var lost: [Loss]
    var silentNodes: [String]

    package init(_ consequences: Consequences) {
        sides = consequences.sides.map { Side($0) }
        lost = consequences.losses.map { Loss($0) }
        silentNodes = consequences.silent
    }
}
