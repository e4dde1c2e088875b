package import Orchestration

/// The routing points in `tandem status`.
package enum PointScreen {
    /// A screen has room for so many.
    private static let limit = 12

    /// A table of those to which calls have come, and one line for the others.
    package static func rendered(_ points: [PointReport], _ style: Style) -> String {
        let busy = points.filter { !$0.isIdle }
        var text = ""
        if !busy.isEmpty {
            let overflows = busy.contains { $0.overflowed > 0 }
            let names =
                ["PRESENT", "ARRIVED", "ROUTED", "ANSWERED", "ABANDONED"] + (overflows ? ["OVERFLOWED"] : [])
                + ["DEFAULTED", "REFUSED", "ROUTERS"]
            var table = Table([.init("ROUTING POINT")] + names.map { .init($0, .right) })
            // Those where callers are waiting go first where there are many.
            let shown = busy.count > limit ? busy.filter { $0.present > 0 } + busy.filter { $0.present == 0 } : busy
            for point in shown.prefix(limit) {
                let figures =
                    [point.present, point.arrived, point.routed, point.answered, point.abandoned]
                    + (overflows ? [point.overflowed] : []) + [point.defaulted, point.refused]
                table.add(
                    [.init(point.number)] + figures.map { .init("\($0)") }
                        + [.init("\(point.routers)", point.routers == 0 ? .doubtful : .plain)])
            }
            text += table.rendered(style)
            if busy.count > limit { text += "and \(busy.count - limit) more; `tandem status --json` has all\n" }
        }
        let idle = points.filter(\.isIdle)
        if !idle.isEmpty {
            let names = idle.prefix(limit).map { "\($0.number) (\(Wording.count($0.routers, "router")))" }
            let more = idle.count > limit ? " and \(idle.count - limit) more" : ""
            let noun = idle.count == 1 ? "Routing point" : "Routing points"
            text += "\(noun) without calls: \(names.joined(separator: ", "))\(more)\n"
        }
        return text
    }
}

/// A routing point in `tandem status --json`, with what all nodes that answer say of it.
package struct PointJSON: Encodable, Equatable, Sendable {
    var number: String
    var present: UInt64
    var arrived: UInt64
    var routed: UInt64
    var answered: UInt64
    var abandoned: UInt64
    var overflowed: UInt64
    var defaulted: UInt64
    var refused: UInt64
    var routers: UInt32

    package init(_ point: PointReport) {
        number = point.number
        present = point.present
        arrived = point.arrived
        routed = point.routed
        answered = point.answered
        abandoned = point.abandoned
        overflowed = point.overflowed
        defaulted = point.defaulted
        refused = point.refused
        routers = point.routers
    }
}
