import ClusterModel
import CoreMetrics
import LinuxSystem
import Orchestration
import ProcessRuntime

/// Puts what all workers have said into metrics, by way of swift-metrics.
struct MetricRecorder {
    typealias Labels = [(String, String)]

    let registry: PrometheusRegistry

    func record(_ status: ClusterStatus, _ rollout: RolloutMachine?, startedAt: Double) {
        gauge("tandem_build_info", [("version", status.version)], 1)
        gauge("tandem_cluster_info", [("cluster", status.cluster), ("domain", status.domain)], 1)
        gauge("tandem_ready", [], status.isHealthy ? 1 : 0)
        gauge("tandem_dns_provisioned", [], Double(status.inService + status.outOfService))
        var conditions: [String: (condition: Condition, count: Double)] = [:]
        for condition in status.conditions where condition.status == .true {
            conditions[condition.kind + condition.severity.rawValue, default: (condition, 0)].count += 1
        }
        for (condition, count) in conditions.values {
            gauge(
                "tandem_condition", [("type", condition.kind), ("severity", condition.severity.rawValue)], count)
        }
        record(rollout)
        recordProcess(startedAt)
        for node in status.nodes { record(node) }
    }

    private func record(_ rollout: RolloutMachine?) {
        for phase in RolloutMachine.Phase.allCases {
            gauge("tandem_rollout_state", [("state", phase.word)], rollout?.phase == phase ? 1 : 0)
        }
        guard let rollout else { return }
        gauge("tandem_rollout_start_time_seconds", [], Double(rollout.number) / 1_000)
        for state in RolloutMachine.Member.State.allCases {
            gauge(
                "tandem_rollout_workers", [("state", state.word)], Double(rollout.members.count { $0.state == state }))
        }
    }

    private func recordProcess(_ startedAt: Double) {
        let process = ProcessInformation.current
        gauge("process_start_time_seconds", [], startedAt)
        if let bytes = ProcessInformation.residentBytes(of: process) {
            gauge("process_resident_memory_bytes", [], Double(bytes))
        }
        if let count = ProcessInformation.openDescriptors(of: process) { gauge("process_open_fds", [], Double(count)) }
        if let time = ProcessInformation.processorNanoseconds(of: process) {
            seconds("process_cpu_seconds_total", [], Double(time) / 1e9)
        }
    }

    // MARK: Workers

    private func record(_ node: NodeStatus) {
        let here: Labels = [("node", node.name), ("data_center", node.dataCenter)]
        let labels = here + [("role", node.role.rawValue)]
        gauge("tandem_node_up", labels, node.report == nil ? 0 : 1)
        for state in NodeState.allCases {
            gauge("tandem_node_state", labels + [("state", state.rawValue)], node.state == state ? 1 : 0)
        }
        counter("tandem_node_restarts_total", labels, UInt64(node.restarts))
        guard let report = node.report else { return }
        gauge("tandem_node_uptime_seconds", labels, Double(report.uptimeMilliseconds) / 1_000)
        gauge("tandem_node_memory_bytes", labels, Double(report.memoryBytes))
        seconds("tandem_node_cpu_seconds_total", labels, Double(report.cpuMicroseconds) / 1e6)
        gauge("tandem_agents", labels, Double(report.agents))
        switch node.role {
        case .stat:
            gauge("tandem_clients", labels, Double(report.clients))
        case .router:
            gauge("tandem_agents_available", labels, Double(report.agentsAvailable))
            gauge("tandem_calls", labels, Double(report.calls))
        case .workspace:
            gauge("tandem_clients", labels, Double(report.clients))
            if let figures = report.workspace { record(figures, here) }
        case .sip:
            gauge("tandem_agents_available", labels, Double(report.agentsAvailable))
            gauge("tandem_calls", labels, Double(report.calls))
            gauge("tandem_clients", labels, Double(report.clients))
            recordSIP(report, here)
            recordStore(report, here)
            for link in report.links { record(link, [("node", node.name), ("peer", link.peer)]) }
            for point in report.points { record(point, [("node", node.name), ("point", point.number)]) }
            for trunk in report.trunks { record(trunk, [("node", node.name), ("trunk", trunk.name)]) }
        }
    }

    private func record(_ figures: WorkspaceReport, _ labels: Labels) {
        gauge("tandem_workspace_sessions", labels, Double(figures.sessions))
        gauge("tandem_workspace_streams", labels, Double(figures.streams))
        gauge("tandem_workspace_nodes_heard", labels, Double(figures.nodesHeard))
        counter("tandem_workspace_logins_total", labels + [("result", "accepted")], figures.logins)
        counter("tandem_workspace_logins_total", labels + [("result", "refused")], figures.loginsRefused)
        counter("tandem_workspace_resumes_total", labels, figures.resumes)
        counter("tandem_workspace_limited_total", labels, figures.limited)
    }

    private func recordSIP(_ report: NodeReport, _ labels: Labels) {
        gauge("tandem_dns_owned", labels, Double(report.ownedDNs))
        gauge("tandem_dns_owned_in_service", labels, Double(report.ownedInService))
        gauge("tandem_bindings", labels, Double(report.bindings))
        counter("tandem_registrations_total", labels + [("result", "accepted")], report.registrationsAccepted)
        counter("tandem_authentication_failures_total", labels, report.failedAuthentications)
        counter("tandem_requests_refused_total", labels, report.requestsRefused)
        counter("tandem_messages_limited_total", labels, report.limited)
        counter("tandem_messages_malformed_total", labels, report.notSIP)
        counter("tandem_datagrams_received_total", labels, report.datagramsReceived)
        counter("tandem_datagrams_dropped_total", labels, report.datagramsDropped)
        gauge("tandem_receive_buffer_bytes", labels, Double(report.receiveBufferBytes))
        gauge("tandem_transactions", labels, Double(report.transactions))
        counter("tandem_slow_clients_total", labels, report.slowClients)
        counter("tandem_revisions_total", labels, report.revision)
        guard let measures = report.measures else { return }
        counter("tandem_registrations_total", labels + [("result", "refused")], measures.registrationsRefused)
        counter("tandem_calls_total", labels, measures.callsBegun)
        for service in Service.allCases where service != .notProvisioned {
            guard measures.dns.count > Int(service.rawValue) else { continue }
            gauge(
                "tandem_dns", labels + [("state", service.word), ("reason", service.reason ?? "")],
                Double(measures.dns[Int(service.rawValue)]))
        }
        for peer in measures.peers {
            let ends = [labels[0], ("peer", peer.name)]
            histogram("tandem_link_propagation_seconds", ends, peer.propagation)
        }
    }

    private func recordStore(_ report: NodeReport, _ labels: Labels) {
        let isFailing = !report.storeProblem.isEmpty && !report.isStoreMissing
        gauge("tandem_store_problem", labels + [("problem", "failing")], isFailing ? 1 : 0)
        gauge("tandem_store_problem", labels + [("problem", "missing")], report.isStoreMissing ? 1 : 0)
        gauge("tandem_store_problem", labels + [("problem", "set-aside")], report.storeSetAside.isEmpty ? 0 : 1)
        if let measures = report.measures { histogram("tandem_store_commit_seconds", labels, measures.commits) }
    }

    private func record(_ link: LinkStatus, _ labels: Labels) {
        for state in LinkStatus.states {
            gauge("tandem_link_state", labels + [("state", state)], link.state == state ? 1 : 0)
        }
        if let time = link.roundTripMicroseconds { gauge("tandem_link_round_trip_seconds", labels, Double(time) / 1e6) }
        if let time = link.silenceMilliseconds { gauge("tandem_link_silence_seconds", labels, Double(time) / 1e3) }
        if let time = link.syncMicroseconds { gauge("tandem_link_sync_seconds", labels, Double(time) / 1e6) }
        gauge("tandem_link_behind_revisions", labels, Double(link.behindRevisions))
        gauge("tandem_link_queue_bytes", labels + [("queue", "process")], Double(link.queuedBytes))
        gauge("tandem_link_queue_bytes", labels + [("queue", "unacknowledged")], Double(link.unacknowledgedBytes))
        gauge("tandem_link_queue_bytes", labels + [("queue", "unread")], Double(link.unreadBytes))
        gauge("tandem_link_peer_dns", labels, Double(link.peerOwns))
        counter("tandem_link_losses_total", labels, link.losses)
        counter("tandem_link_dials_total", labels, link.dials)
        counter("tandem_link_snapshots_total", labels, link.snapshots)
        counter("tandem_link_resumptions_total", labels, link.resumptions)
        gauge("tandem_link_clock_ahead_seconds", labels, Double(link.clockAheadMilliseconds) / 1e3)
        gauge("tandem_link_mismatches", labels, Double(link.mismatches))
    }

    /// One that nobody has ever called is not told of: a topology may have many.
    private func record(_ point: PointReport, _ labels: Labels) {
        gauge("tandem_routing_point_routers", labels, Double(point.routers))
        guard !point.isIdle else { return }
        gauge("tandem_routing_point_calls", labels, Double(point.present))
        let outcomes = [
            ("arrived", point.arrived), ("routed", point.routed), ("answered", point.answered),
            ("abandoned", point.abandoned), ("defaulted", point.defaulted), ("overflowed", point.overflowed),
            ("refused", point.refused),
        ]
        for (outcome, count) in outcomes {
            counter("tandem_routing_point_calls_total", labels + [("outcome", outcome)], count)
        }
    }

    private func record(_ trunk: TrunkReport, _ labels: Labels) {
        gauge("tandem_trunk_calls", labels, Double(trunk.calls))
        if let limit = trunk.limit { gauge("tandem_trunk_limit_calls", labels, Double(limit)) }
        counter("tandem_trunk_calls_total", labels + [("direction", "inbound")], trunk.inbound)
        counter("tandem_trunk_calls_total", labels + [("direction", "outbound")], trunk.outbound)
        counter("tandem_trunk_refused_total", labels + [("reason", "full")], trunk.full)
        counter("tandem_trunk_refused_total", labels + [("reason", "failed")], trunk.failed)
        counter("tandem_trunk_refused_total", labels + [("reason", "unreachable")], trunk.unreachable)
        counter("tandem_trunk_failovers_total", labels, trunk.failovers)
        for gateway in trunk.gateways {
            gauge("tandem_gateway_up", labels + [("gateway", gateway.address)], gateway.isDown ? 0 : 1)
        }
    }

    // MARK: Values

    private func gauge(_ name: String, _ labels: Labels, _ value: Double) {
        Gauge(label: name, dimensions: labels, factory: registry).record(value)
    }

    /// Workers count; what they have counted takes the place of what they said before.
    private func counter(_ name: String, _ labels: Labels, _ value: UInt64) {
        let counter = Counter(label: name, dimensions: labels, factory: registry)
        counter.reset()
        counter.increment(by: Int64(clamping: value))
    }

    private func seconds(_ name: String, _ labels: Labels, _ value: Double) {
        let counter = FloatingPointCounter(label: name, dimensions: labels, factory: registry)
        counter.reset()
        counter.increment(by: value)
    }

    private func histogram(_ name: String, _ labels: Labels, _ histogram: DurationHistogram) {
        registry.setHistogram(
            name, labels, counts: histogram.counts, sum: Double(histogram.sumNanoseconds) / 1e9)
    }
}
