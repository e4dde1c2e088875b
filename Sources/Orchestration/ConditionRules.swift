/// What an operator should know, derived from what the nodes report.
package enum ConditionRules {
    /// Sorted by severity, then by what they are about.
    ///
    /// - Parameters:
    ///   - others: what the controller knows of itself.
    ///   - generation: of the topology that is wanted.
    package static func conditions(
        of nodes: [NodeStatus], notices: [String], and others: [Condition] = [], generation: UInt64 = 0
    ) -> [Condition] {
        var conditions = others + wide(nodes)
        for node in nodes {
            let first = conditions.count
            defer { observe(&conditions[first...], node.report?.generation ?? 0) }
            if node.state == .backingOff || node.state == .stopped {
                let problem = node.lastProblem.isEmpty ? "no reason is known" : node.lastProblem
                conditions.append(
                    Condition(
                        severity: .error, scope: .node, subject: node.name, kind: "node-down",
                        reason: node.state.rawValue, message: "not running: \(problem)", command: "tandem events"))
            } else if node.state == .ready, node.report == nil {
                conditions.append(
                    Condition(
                        severity: .error, scope: .node, subject: node.name, kind: "node-silent", reason: "no-answer",
                        message: "the worker runs and does not answer", command: "tandem nodes"))
            } else if node.restarts > 0 {
                conditions.append(
                    Condition(
                        severity: .notice, scope: .node, subject: node.name, kind: "node-restarted",
                        reason: "unplanned-exit",
                        message: "unplanned restarts: \(node.restarts); the last: \(node.lastProblem)",
                        command: "tandem events"))
            }
            for link in node.report?.links ?? [] { conditions += self.conditions(of: link, from: node.name) }
            if let report = node.report { conditions += storeTroubles(report, of: node.name) }
            if let condition = pointsWithoutRouter(node, nodes) { conditions.append(condition) }
            if let condition = workspaceAlone(node) { conditions.append(condition) }
        }
        conditions += gatewaysDown(nodes)
        conditions += notices.map {
            Condition(severity: .notice, subject: "topology", kind: "not-run-yet", message: $0)
        }
        observe(&conditions[...], generation)
        return conditions.sorted(by: Condition.isListedBefore)
    }

    /// Nodes that run and do not answer: what they said last is neither so nor over.
    package static func silent(_ nodes: [NodeStatus]) -> Set<String> {
        Set(nodes.filter { $0.state == .ready && $0.report == nil }.map(\.name))
    }

    private static func observe(_ conditions: inout ArraySlice<Condition>, _ generation: UInt64) {
        for position in conditions.indices where conditions[position].observedGeneration == 0 {
            conditions[position].observedGeneration = generation
        }
    }

    private static func conditions(of link: LinkStatus, from node: String) -> [Condition] {
        var conditions: [Condition] = []
        func add(
            _ severity: Condition.Severity, _ kind: String, _ reason: String, _ message: String, _ command: String
        ) {
            conditions.append(
                Condition(
                    severity: severity, scope: .link, subject: "\(node) to \(link.peer)", kind: kind, reason: reason,
                    message: message, command: command))
        }
        if link.state != "live" {
            let problem = link.lastProblem.isEmpty ? "" : ": \(link.lastProblem)"
            add(
                .error, "link-not-live", link.state,
                "the link is \(link.state), so \(node) shows no DN of \(link.peer) in service\(problem)", "tandem links"
            )
        }
        if link.clockAheadMilliseconds > 0 {
            add(
                .warning, "clock-skew", "clock-ahead",
                "the clock of \(link.peer) is \(link.clockAheadMilliseconds) ms ahead; check its time service",
                "timedatectl")
        }
        if link.mismatches > 1 {
            add(
                .warning, "digest-mismatch", "repeated",
                "what \(link.peer) says did not add up \(link.mismatches) times in a row", "tandem links")
        }
        if link.hasOtherGeneration {
            add(
                .notice, "other-generation", "generations-differ",
                "\(link.peer) runs another generation of the topology", "tandem plan")
        }
        return conditions
    }

    private static func storeTroubles(_ report: NodeReport, of node: String) -> [Condition] {
        var conditions: [Condition] = []
        func add(
            _ severity: Condition.Severity, _ kind: String, _ reason: String, _ message: String, _ command: String
        ) {
            conditions.append(
                Condition(
                    severity: severity, scope: .node, subject: node, kind: kind, reason: reason, message: message,
                    command: command))
        }
        if report.isStoreMissing {
            add(
                .error, "store-missing", "cannot-open",
                "it serves without a store, and forgets its phones when it dies: \(report.storeProblem); put that right "
                    + "and restart the node", "tandem restart \(node)")
        } else if !report.storeProblem.isEmpty {
            add(
                .error, "store-failing", "cannot-write",
                "it cannot write its store, so new registrations get 503: \(report.storeProblem)", "tandem nodes")
        }
        if !report.storeSetAside.isEmpty {
            add(
                .warning, "store-set-aside", "damaged",
                "its store was damaged, so it began without what it knew; the damaged file is \(report.storeSetAside)",
                "tandem events")
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
        let reason: String
        if routers.isEmpty {
            remedy =
                "declare one under `routers:` of \(node.dataCenter), and a `default:` port of the node that it connects to"
            reason = "not-declared"
        } else if let waiting = routers.first(where: { $0.state != .ready || $0.report == nil }) {
            remedy = "\(waiting.name) is not ready or does not answer"
            reason = "not-ready"
        } else {
            remedy = "see the log of \(routers[0].name), and whether the node has a `default:` port that it connects to"
            reason = "not-connected"
        }
        return Condition(
            severity: .warning, scope: .node, subject: node.name, kind: "no-router", reason: reason,
            message:
                "no router is asked about calls to \(names)\(more), so they go to default and alternate DNs at once, or are "
                + "refused; \(remedy)",
            command: "tandem nodes")
    }

    /// Whoever would sit down there cannot.
    private static func workspaceAlone(_ node: NodeStatus) -> Condition? {
        guard node.state == .ready, let figures = node.report?.workspace, figures.nodesHeard == 0 else { return nil }
        return Condition(
            severity: .error, scope: .node, subject: node.name, kind: "workspace-alone", reason: "no-node",
            message: "it hears no node, so no agent can sit down there; agents who were there go on elsewhere",
            command: "tandem nodes")
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
                    severity: .warning, subject: "trunk \(trunk.sum.name)", kind: "gateway-down", reason: "no-answer",
                    message: "gateway \(gateway.address) does not answer\(place), so \(effect)",
                    command: "tandem trunks")
            }
        }
    }
}
