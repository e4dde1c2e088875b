// Conditions of data centers and of the cluster: what many nodes say together.
extension ConditionRules {
    /// A node that has just started has links that are not live yet; before it has run for so long they say nothing about others.
    private static let settlingMilliseconds: UInt64 = 5_000

    static func wide(_ nodes: [NodeStatus]) -> [Condition] {
        let nodes = nodes.filter { $0.role == .sip }
        let centers = Set(nodes.map(\.dataCenter)).sorted()
        let live = liveLinks(nodes)
        return split(nodes, live) + centers.flatMap { dataCenter($0, nodes, live) }
    }

    private struct Ends: Hashable {
        var from: String
        var to: String
    }

    private static func liveLinks(_ nodes: [NodeStatus]) -> Set<Ends> {
        Set(
            nodes.flatMap { node in
                (node.report?.links ?? []).filter { $0.state != "down" }.map { Ends(from: node.name, to: $0.peer) }
            })
    }

    /// Whether the node has run for long enough that a link which is down says something.
    private static func isTelling(_ node: NodeStatus) -> Bool {
        node.state == .ready && (node.report?.uptimeMilliseconds ?? 0) >= settlingMilliseconds
    }

    // MARK: The cluster

    private static func split(_ nodes: [NodeStatus], _ live: Set<Ends>) -> [Condition] {
        let telling = nodes.filter(isTelling).map(\.name).sorted()
        var groups: [[String]] = []
        for name in telling {
            let near = groups.indices.filter { position in
                groups[position].contains {
                    live.contains(Ends(from: name, to: $0)) || live.contains(Ends(from: $0, to: name))
                }
            }
            let merged = near.flatMap { groups[$0] } + [name]
            for position in near.reversed() { groups.remove(at: position) }
            groups.append(merged.sorted())
        }
        guard groups.count > 1 else { return [] }
        let words = groups.sorted { $0[0] < $1[0] }.map { PlanWords.list($0) }.joined(separator: " | ")
        return [
            Condition(
                severity: .error, subject: "cluster", kind: "cluster-split", reason: "no-live-link",
                message:
                    "its nodes are \(groups.count) groups that do not hear each other, and each serves its own DNs: \(words)",
                command: "tandem links")
        ]
    }

    // MARK: Data centers

    private static func dataCenter(_ name: String, _ nodes: [NodeStatus], _ live: Set<Ends>) -> [Condition] {
        let own = nodes.filter { $0.dataCenter == name }
        let down = own.filter { $0.state == .backingOff || $0.state == .stopped }
        func condition(
            _ severity: Condition.Severity, _ kind: String, _ reason: String, _ message: String, _ command: String
        ) -> Condition {
            Condition(
                severity: severity, scope: .dataCenter, subject: name, kind: kind, reason: reason, message: message,
                command: command)
        }
        if down.count == own.count {
            let which = own.count == 1 ? "its node does not run" : "none of its \(own.count) nodes runs"
            return [
                condition(
                    .error, "data-center-down", "no-node", "\(which), so no phone is served there", "tandem nodes")
            ]
        }
        var conditions: [Condition] = []
        let up = own.filter { $0.state == .ready || $0.state == .draining }
        if own.count > 1, up.count == 1, down.count == own.count - 1 {
            conditions.append(
                condition(
                    .warning, "no-spare-node", "one-node-left",
                    "\(up[0].name) is the only one of its \(own.count) nodes that runs", "tandem nodes"))
        }
        let here = own.filter(isTelling)
        let there = nodes.filter { $0.dataCenter != name && isTelling($0) }
        let hears = here.contains { node in
            there.contains {
                live.contains(Ends(from: node.name, to: $0.name)) || live.contains(Ends(from: $0.name, to: node.name))
            }
        }
        if !here.isEmpty, here.count == up.count, !there.isEmpty, !hears {
            conditions.append(
                condition(
                    .error, "data-center-cut-off", "no-live-link",
                    "no link to another data center is live, so it serves its own DNs alone", "tandem links"))
        }
        return conditions
    }
}
