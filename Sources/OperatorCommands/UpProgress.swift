package import Orchestration

/// How far a start has come.
package struct UpProgress: Equatable, Sendable {
    package var ready: Int
    package var nodes: Int
    package var live: Int
    package var links: Int
    /// Of the Stat Servers, routers and workspaces.
    package var othersReady: Int
    package var others: Int
    private var hasWorkspaces = false

    private static let barWidth = 24

    /// Before the controller answers: nothing of what the topology declares.
    package init(nodes: Int, others: Int = 0, hasWorkspaces: Bool = false) {
        self.hasWorkspaces = hasWorkspaces
        othersReady = 0
        self.others = others
        ready = 0
        self.nodes = nodes
        live = 0
        links = nodes * (nodes - 1)
    }

    package init(_ status: ClusterStatus) {
        (ready, nodes) = status.ready(.sip)
        let (stats, routers, desks) = (status.ready(.stat), status.ready(.router), status.ready(.workspace))
        othersReady = stats.count + routers.count + desks.count
        others = stats.of + routers.of + desks.of
        hasWorkspaces = desks.of > 0
        live = status.liveLinkCount
        links = status.linkRows.count
    }

    /// `nodes ready 3/4, links live 8/12`, and `, stat servers and routers ready 1/4` where there are any.
    package var line: String {
        let what = hasWorkspaces ? "stat servers, routers and workspaces" : "stat servers and routers"
        return "nodes ready \(ready)/\(nodes)" + (links == 0 ? "" : ", links live \(live)/\(links)")
            + (others == 0 ? "" : ", \(what) ready \(othersReady)/\(others)")
    }

    /// The line behind a bar, for a terminal.
    package func bar(_ style: Style) -> String {
        let all = max(1, nodes + links + others)
        let filled = (ready + live + othersReady) * Self.barWidth / all
        let bar = String(repeating: "█", count: filled)
        let rest = String(repeating: "░", count: Self.barWidth - filled)
        return "\(style.good(bar))\(style.faint(rest)) \(line)"
    }
}

/// What became different between two looks at a cluster, a line each.
package enum StatusChanges {
    /// What these conditions say is said by the lines about nodes and links.
    private static let repeated: Set<String> = ["node-down", "link-not-live", "cluster-split", "data-center-cut-off"]

    package static func lines(from before: ClusterStatus, to after: ClusterStatus) -> [String] {
        nodes(before, after) + links(before, after) + conditions(before, after)
    }

    /// A look at a cluster where a node that runs and missed one question counts as it was before, so that what it
    /// would have said of its links is not taken for lost.
    package static func mended(_ status: ClusterStatus, by before: ClusterStatus) -> ClusterStatus {
        var mended = status
        for position in mended.nodes.indices where mended.nodes[position].report == nil {
            let node = mended.nodes[position]
            guard node.state == .ready, let old = before.nodes.first(where: { $0.name == node.name }),
                old.incarnation == node.incarnation
            else { continue }
            mended.nodes[position].report = old.report
        }
        return mended
    }

    private static func nodes(_ before: ClusterStatus, _ after: ClusterStatus) -> [String] {
        after.nodes.sorted { $0.name < $1.name }.compactMap { node in
            guard let old = before.nodes.first(where: { $0.name == node.name }) else { return nil }
            let isNewLife = old.incarnation != node.incarnation
            guard old.state != node.state || isNewLife else { return nil }
            let change =
                old.state == node.state
                ? "restarted, \(node.state.rawValue)" : "\(old.state.rawValue) -> \(node.state.rawValue)"
            let why = node.state == .ready || node.lastProblem.isEmpty ? "" : ": \(Wording.printable(node.lastProblem))"
            return "\(node.role.words) \(node.name): \(change)\(why)"
        }
    }

    /// Both directions of a link in one line when they changed alike.
    private static func links(_ before: ClusterStatus, _ after: ClusterStatus) -> [String] {
        let old = Dictionary(
            uniqueKeysWithValues: before.linkRows.map { (Ends($0.from, $0.status.peer), $0.status.state) })
        var changes: [Ends: String] = [:]
        for row in after.linkRows {
            let ends = Ends(row.from, row.status.peer)
            guard let state = old[ends], state != row.status.state else { continue }
            changes[ends] = "\(state) -> \(row.status.state)"
        }
        return changes.keys.sorted().compactMap { ends in
            guard let change = changes[ends] else { return nil }
            if changes[ends.reversed] == change {
                return ends < ends.reversed ? "link \(ends.from) and \(ends.to): \(change)" : nil
            }
            return "link \(ends.from) to \(ends.to): \(change)"
        }
    }

    private static func conditions(_ before: ClusterStatus, _ after: ClusterStatus) -> [String] {
        let old = Set(before.conditions.map(key))
        let new = Set(after.conditions.map(key))
        let raised = after.conditions.filter { !old.contains(key($0)) && !repeated.contains($0.kind) }
        let cleared = before.conditions.filter { !new.contains(key($0)) && !repeated.contains($0.kind) }
        return raised.map { ConditionScreen.line($0, .plain) } + cleared.map { "over: \($0.subject) [\($0.kind)]" }
    }

    /// Figures in the message may change while the condition stays.
    private static func key(_ condition: Condition) -> String {
        "\(condition.severity.rawValue) \(condition.subject) \(condition.kind)"
    }

    private struct Ends: Hashable, Comparable {
        let from: String
        let to: String

        init(_ from: String, _ to: String) {
            self.from = from
            self.to = to
        }

        var reversed: Ends { Ends(to, from) }

        static func < (left: Ends, right: Ends) -> Bool { (left.from, left.to) < (right.from, right.to) }
    }
}
