/// What an operator should know, derived from what the nodes report.
package enum ConditionRules {
    /// Sorted by severity, then by what they are about.
    ///
    /// - Parameter others: what the controller knows of itself.
    package static func conditions(
        of nodes: [NodeStatus], notices: [String], and others: [Condition] = []
    ) -> [Condition] {
        var conditions = others
        for node in nodes {
            if node.state == .backingOff || node.state == .stopped {
                let problem = node.lastProblem.isEmpty ? "no reason is known" : node.lastProblem
                conditions.append(
                    Condition(
                        severity: .error, subject: node.name, kind: "node-down", message: "not running: \(problem)")
                )
            } else if node.state == .ready, node.report == nil {
                conditions.append(
                    Condition(
                        severity: .error, subject: node.name, kind: "node-silent",
                        message: "the worker runs and does not answer"
                    )
                )
            } else if node.restarts > 0 {
                conditions.append(
                    Condition(
                        severity: .notice, subject: node.name, kind: "node-restarted",
                        message: "unplanned restarts: \(node.restarts); the last: \(node.lastProblem)"
                    )
                )
            }
            for link in node.report?.links ?? [] { conditions += self.conditions(of: link, from: node.name) }
            if let report = node.report { conditions += storeTroubles(report, of: node.name) }
            if let condition = pointsWithoutRouter(node, nodes) { conditions.append(condition) }
        }
        conditions += gatewaysDown(nodes)
        conditions += notices.map {
            Condition(severity: .notice, subject: "topology", kind: "not-run-yet", message: $0)
        }
        return conditions.sorted { rank($0) < rank($1) }
    }

    private static func conditions(of link: LinkStatus, from node: String) -> [Condition] {
        let subject = "\(node) to \(link.peer)"
        var conditions: [Condition] = []
        if link.state != "live" {
            let problem = link.lastProblem.isEmpty ? "" : ": \(link.lastProblem)"
            conditions.append(
                Condition(
                    severity: .error, subject: subject, kind: "link-not-live",
                    message: "the link is \(link.state), so \(node) shows no DN of \(link.peer) in service\(problem)"
                )
            )
        }
        if link.clockAheadMilliseconds > 0 {
            conditions.append(
                Condition(
                    severity: .warning, subject: subject, kind: "clock-skew",
                    message:
                        "the clock of \(link.peer) is \(link.clockAheadMilliseconds) ms ahead; check its time service"
                )
            )
        }
        if link.mismatches > 1 {
            conditions.append(
                Condition(
                    severity: .warning, subject: subject, kind: "digest-mismatch",
                    message: "what \(link.peer) says did not add up \(link.mismatches) times in a row"
                )
            )
        }
        if link.hasOtherGeneration {
            conditions.append(
                Condition(
                    severity: .notice, subject: subject, kind: "other-generation",
                    message: "\(link.peer) runs another generation of the topology"
                )
            )
        }
        return conditions
    }

    private static func storeTroubles(_ report: NodeReport, of node: String) -> [Condition] {
        var conditions: [Condition] = []
        if report.isStoreMissing {
            conditions.append(
                Condition(
                    severity: .error, subject: node, kind: "store-missing",
                    message: "it serves without a store, and forgets its phones when it dies: \(report.storeProblem); "
                        + "put that right and restart the node"))
        } else if !report.storeProblem.isEmpty {
            conditions.append(
                Condition(
                    severity: .error, subject: node, kind: "store-failing",
                    message: "it cannot write its store, so new registrations get 503: \(report.storeProblem)"))
        }
        if !report.storeSetAside.isEmpty {
            conditions.append(
                Condition(
                    severity: .warning, subject: node, kind: "store-set-aside",
                    message: "its store was damaged, so it began without what it knew; the damaged file is "
                        + "\(report.storeSetAside)"))
        }
        return conditions
    }

    /// One condition for all routing points of a node: mostly a router is asked about all or about none.
    private static func pointsWithoutRouter(_ node: NodeStatus, _ nodes: [NodeStatus]) -> Condition? {
        guard node.state == .ready, let points = node.report?.points else { return nil }
        let lonely = points.filter { $0.routers == 0 }.map(\.number)
        guard !lonely.isEmpty else { return nil }
        let names = lonely.prefix(3).joined(separator: ", ")
        let more = lonely.count > 3 ? " and \(lonely.count - 3) more" : ""
        let routers = nodes.filter { $0.role == .router && $0.dataCenter == node.dataCenter }
        let remedy: String
        if routers.isEmpty {
            remedy =
                "declare one under `routers:` of \(node.dataCenter), and a `default:` port of the node that it connects to"
        } else if let waiting = routers.first(where: { $0.state != .ready || $0.report == nil }) {
            remedy = "\(waiting.name) is not ready or does not answer, see `tandem nodes`"
        } else {
            remedy = "see the log of \(routers[0].name), and whether the node has a `default:` port that it connects to"
        }
        return Condition(
            severity: .warning, subject: node.name, kind: "no-router",
            message:
                "no router is asked about calls to \(names)\(more), so they go to default and alternate DNs at once, or are "
                + "refused; \(remedy)"
        )
    }

    /// One condition for each gateway that does not answer. Calls go over the others of its trunk, so none is an error.
    private static func gatewaysDown(_ nodes: [NodeStatus]) -> [Condition] {
        var status = ClusterStatus()
        status.nodes = nodes
        return status.trunks.flatMap { trunk in
            trunk.gateways.filter { !$0.downAt.isEmpty }.map { gateway in
                let others = trunk.gateways.filter { $0.address != gateway.address && !$0.upAt.isEmpty }
                let effect =
                    others.isEmpty
                    ? "no call can leave over the trunk"
                    : "calls go over \(others.map(\.address).joined(separator: ", "))"
                let place = gateway.upAt.isEmpty ? "" : " \(gateway.downAt.joined(separator: ", "))"
                return Condition(
                    severity: .warning, subject: "trunk \(trunk.sum.name)", kind: "gateway-down",
                    message: "gateway \(gateway.address) does not answer\(place), so \(effect)")
            }
        }
    }

    private static func rank(_ condition: Condition) -> String {
        let severity =
            switch condition.severity {
            case .error: 0
            case .warning: 1
            case .notice: 2
            }
        return "\(severity)\(condition.subject)\(condition.kind)"
    }
}
