/// Makes events of what the controller sees, and keeps them. Pure: wall time, in milliseconds since 1970, is an argument.
package struct ClusterJournal: Equatable, Sendable {
    package private(set) var ring: EventRing
    /// As the nodes told last; without an entry, down.
    var linkStates: [LinkEnds: String] = [:]
    /// What is raised.
    package private(set) var board = ConditionBoard()
    /// The last answer of each node, and how often it has not answered since.
    var lastReports: [String: KnownReport] = [:]
    /// Nodes that were taken up and have not said yet how their links are.
    var adopted: Set<String> = []

    /// One direction of a link.
    struct LinkEnds: Hashable, Sendable {
        var node: String
        var peer: String
    }

    struct KnownReport: Equatable, Sendable {
        var incarnation: UInt64
        var report: NodeReport
        var misses = 0
    }

    package init(ring: EventRing) {
        self.ring = ring
    }

    @discardableResult
    mutating func note(
        _ kind: ClusterEvent.Kind, severity: Condition.Severity = .notice, node: String = "", peer: String = "",
        condition: String = "", _ message: String, at time: UInt64
    ) -> ClusterEvent {
        ring.append(
            ClusterEvent(
                time: time, kind: kind, severity: severity, node: node, peer: peer, condition: condition,
                message: message
            )
        )
    }
}

// MARK: The controller and its nodes

extension ClusterJournal {
    package mutating func controllerStarted(process: UInt32, version: String, at time: UInt64) {
        note(.controllerStarted, "tandemd \(version) started as process \(process)", at: time)
    }

    package mutating func topologyLoaded(_ path: String, cluster: String, nodes: Int, dns: Int, at time: UInt64) {
        note(.topologyLoaded, "cluster \(cluster) with \(nodes) nodes and \(dns) DNs, from \(path)", at: time)
    }

    /// Another topology is wanted from now on.
    package mutating func topologyApplied(_ sentence: String, at time: UInt64) {
        note(.topologyApplied, sentence, at: time)
    }

    /// Every worker runs it.
    package mutating func topologySettled(_ sentence: String, at time: UInt64) {
        note(.topologySettled, sentence, at: time)
    }

    package mutating func nodeApplied(_ node: String, _ sentence: String, at time: UInt64) {
        note(.nodeApplied, node: node, sentence, at: time)
    }

    package mutating func nodeNotApplied(_ node: String, _ problem: String, at time: UInt64) {
        note(
            .nodeNotApplied, severity: .warning, node: node, "goes on under the former topology: \(problem)", at: time)
    }

    package mutating func controllerLeaving(_ reason: String, at time: UInt64) {
        note(.controllerStopping, "this controller ends, and the nodes serve on: \(reason)", at: time)
    }

    package mutating func controllerStopping(_ reason: String, at time: UInt64) {
        note(.controllerStopping, "stopping all nodes: \(reason)", at: time)
    }

    package mutating func nodeStarted(_ node: String, process: UInt32, incarnation: UInt64, at time: UInt64) {
        forgetLinks(of: node)
        note(.nodeStarted, node: node, "started as process \(process), incarnation \(incarnation)", at: time)
    }

    package mutating func nodeReady(_ node: String, at time: UInt64) {
        note(.nodeReady, node: node, "ready: it serves phones and clients", at: time)
    }

    package mutating func nodeAdopted(_ node: String, process: UInt32, incarnation: UInt64, at time: UInt64) {
        forgetLinks(of: node)
        adopted.insert(node)
        note(
            .nodeAdopted, node: node,
            "taken up: process \(process), incarnation \(incarnation), served on without a controller", at: time
        )
    }

    package mutating func nodeReplaced(_ node: String, _ reason: String, at time: UInt64) {
        note(.nodeReplaced, severity: .warning, node: node, "its running process is replaced: \(reason)", at: time)
    }

    package mutating func nodeFailed(_ node: String, _ problem: String, at time: UInt64) {
        note(.nodeFailed, severity: .error, node: node, "cannot start: \(problem)", at: time)
    }

    package mutating func nodeKilled(_ node: String, _ reason: String, at time: UInt64) {
        note(.nodeKilled, severity: .error, node: node, reason, at: time)
    }

    /// - Parameter end: how: `exit code 1`, `signal 9`.
    package mutating func nodeExited(_ node: String, _ end: String, wasKilled: Bool, at time: UInt64) {
        forgetLinks(of: node)
        let why = wasKilled ? "after it was killed" : "unasked"
        note(.nodeExited, severity: .error, node: node, "its process ended \(why): \(end)", at: time)
    }

    package mutating func nodeBackingOff(_ node: String, milliseconds: UInt64, at time: UInt64) {
        note(.nodeBackingOff, severity: .error, node: node, "it is started again in \(milliseconds) ms", at: time)
    }

    package mutating func restartBegan(_ node: String, process: UInt32, at time: UInt64) {
        note(.nodeRestarting, node: node, "process \(process) is taking its place", at: time)
    }

    /// Its links have not changed, unless the former process could not hand them over.
    package mutating func nodeRestarted(_ node: String, _ takeover: Takeover?, incarnation: UInt64, at time: UInt64) {
        lastReports[node] = nil
        adopted.insert(node)
        var member = RolloutMachine.Member(name: node, dataCenter: "")
        member.takeover = takeover
        let how = takeover == nil ? "" : ": \(member.takeoverSentence)"
        note(.nodeRestarted, node: node, "restarted as incarnation \(incarnation)\(how)", at: time)
    }

    package mutating func restartFailed(_ node: String, _ problem: String, at time: UInt64) {
        note(
            .nodeNotRestarted, severity: .error, node: node, "not restarted, and serves as before: \(problem)", at: time
        )
    }

    package mutating func rollout(_ severity: Condition.Severity, _ member: String, _ sentence: String, at time: UInt64)
    {
        note(.rollout, severity: severity, node: member, sentence, at: time)
    }

    package mutating func drained(_ node: String, begins: Bool, at time: UInt64) {
        let sentence = begins ? "its phones and desktops are asked to go elsewhere" : "its phones and desktops may stay"
        note(begins ? .nodeDraining : .nodeUndrained, node: node, sentence, at: time)
    }

    package mutating func nodeStopped(_ node: String, at time: UInt64) {
        forgetLinks(of: node)
        note(.nodeStopped, node: node, "stopped as it was told to", at: time)
    }

    /// A process that is gone has no links; its peers tell of theirs.
    private mutating func forgetLinks(of node: String) {
        linkStates = linkStates.filter { $0.key.node != node }
        lastReports[node] = nil
        adopted.remove(node)
    }
}

// MARK: What workers tell

extension ClusterJournal {
    package mutating func linkChanged(_ node: String, _ change: LinkChange, at time: UInt64) {
        let ends = LinkEnds(node: node, peer: change.peer)
        guard change.untold > 0 || linkStates[ends, default: "down"] != change.state else { return }
        linkStates[ends] = change.state
        let flapping = change.untold == 0 ? "" : "; it changed \(change.untold) times more since it was told last"
        switch change.state {
        case "live":
            let sentence = "live: \(node) shows the DNs of \(change.peer) as it says"
            note(
                .linkLive, severity: change.untold == 0 ? .notice : .warning, node: node, peer: change.peer,
                sentence + flapping,
                at: time)
        case "syncing":
            let sentence = "connected: \(node) is being told all DNs of \(change.peer)"
            note(
                .linkSyncing, severity: change.untold == 0 ? .notice : .warning, node: node, peer: change.peer,
                sentence + flapping, at: time)
        default:
            let why = change.problem.isEmpty ? "" : ": \(change.problem)"
            let sentence = "down, so \(node) shows no DN of \(change.peer) in service\(why)"
            note(.linkDown, severity: .error, node: node, peer: change.peer, sentence + flapping, at: time)
        }
    }

    package mutating func clientCutOff(_ node: String, _ cutOff: ClientCutOff, at time: UInt64) {
        let others = cutOff.untold == 0 ? "" : "; \(cutOff.untold) more since it was told last"
        note(
            .clientCutOff, severity: .warning, node: node,
            "client \(cutOff.client) was cut off: \(cutOff.reason)\(others)",
            at: time)
    }
}

// MARK: Conditions

extension ClusterJournal {
    /// Takes a look at all nodes: what has become a condition is raised, and what is none any more is cleared.
    ///
    /// A node that runs and misses one look counts as it was before: a machine that is busy for a moment is no news.
    ///
    /// - Parameters:
    ///   - others: what the controller knows of itself.
    ///   - generation: of the topology that is wanted.
    package mutating func looked(
        _ nodes: [NodeStatus], notices: [String], and others: [Condition] = [], generation: UInt64 = 0, at time: UInt64
    ) {
        let mended = nodes.map { mend($0) }
        let found = ConditionRules.conditions(of: mended, notices: notices, and: others, generation: generation)
        for change in board.look(found, silent: ConditionRules.silent(mended), at: time) {
            switch change {
            case .raised(let condition):
                let flaps = condition.comings >= ConditionBoard.maximumComings
                let often = flaps ? "; it comes and goes, and is told of again when it has stayed away" : ""
                tell(.conditionRaised, condition, condition.severity, condition.message + often, at: time)
            case .cleared(let condition):
                tell(.conditionCleared, condition, .notice, "over: \(condition.message)", at: time)
            }
        }
    }

    private mutating func tell(
        _ kind: ClusterEvent.Kind, _ condition: Condition, _ severity: Condition.Severity, _ message: String,
        at time: UInt64
    ) {
        let ends: [String] =
            switch condition.scope {
            case .node: [condition.subject]
            case .link: condition.subject.split(separator: " to ").map(String.init)
            case .cluster, .dataCenter, .dn: []
            }
        note(
            kind, severity: severity, node: ends.first ?? "", peer: ends.count > 1 ? ends[1] : "",
            condition: condition.kind,
            message, at: time)
    }

    private mutating func mend(_ node: NodeStatus) -> NodeStatus {
        if let report = node.report {
            lastReports[node.name] = KnownReport(incarnation: node.incarnation, report: report)
            // Links that were live before are no news. Otherwise the changes themselves are told, and a look must not
            // come before them.
            guard adopted.remove(node.name) != nil else { return node }
            for link in report.links { linkStates[LinkEnds(node: node.name, peer: link.peer)] = link.state }
            return node
        }
        guard node.state == .ready, let known = lastReports[node.name], known.incarnation == node.incarnation,
            known.misses == 0
        else { return node }
        lastReports[node.name]?.misses += 1
        var mended = node
        mended.report = known.report
        return mended
    }
}
