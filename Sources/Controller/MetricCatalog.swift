import Orchestration
import ProcessRuntime

/// All metrics that the controller shows; docs/monitoring.md has the same, and a test compares them. Their names follow
/// Prometheus' conventions, their labels are bounded by the topology: nothing is told of a single DN, phone, agent or call.
enum MetricCatalog {
    static let families = cluster + nodes + sip + links + routing + workspaces + controller

    /// The steps of histograms, in seconds.
    static let bounds = DurationHistogram.bounds.map { Double($0) / 1e9 }

    /// What is taken from the workers' reports at each scrape.
    private static func collected(_ name: String, _ kind: MetricFamily.Kind, _ help: String) -> MetricFamily {
        MetricFamily(name, kind, isCollected: true, help: help)
    }

    /// What is counted when it happens.
    private static func counted(_ name: String, _ kind: MetricFamily.Kind, _ help: String) -> MetricFamily {
        MetricFamily(name, kind, help: help)
    }

    private static let cluster = [
        collected("tandem_build_info", .gauge, "1, with the version of the controller."),
        collected("tandem_cluster_info", .gauge, "1, with the names of the cluster and its domain."),
        collected(
            "tandem_ready", .gauge, "Whether /readyz would say yes now: every node ready, every link live, no error."),
        collected(
            "tandem_condition", .gauge, "How many conditions of a type there are, as `tandem status` lists them."),
        collected("tandem_dns_provisioned", .gauge, "DNs in the topology."),
        collected("tandem_rollout_state", .gauge, "1 for the state of the last rollout, 0 for all others."),
        collected("tandem_rollout_workers", .gauge, "Workers of the last rollout, by how far they are."),
        collected("tandem_rollout_start_time_seconds", .gauge, "When the last rollout began, seconds since 1970."),
    ]

    private static let nodes = [
        collected("tandem_node_up", .gauge, "Whether the worker has answered this scrape."),
        collected("tandem_node_state", .gauge, "1 for the state that the worker is in, 0 for all others."),
        collected("tandem_node_restarts_total", .counter, "Unplanned ends of the worker since the controller started."),
        collected("tandem_node_uptime_seconds", .gauge, "How long the worker's process runs."),
        collected("tandem_node_memory_bytes", .gauge, "Memory that the worker's process has in use."),
        collected("tandem_node_cpu_seconds_total", .counter, "Processor time that the worker's process has used."),
        collected(
            "tandem_agents", .gauge,
            "Agents logged in at a node, known to a Stat Server or router, or seated at a workspace."),
        collected("tandem_agents_available", .gauge, "Those that can be given a call, at nodes and routers."),
        collected("tandem_clients", .gauge, "Clients of a node's ports or of a Stat Server, or pages of a workspace."),
        collected("tandem_calls", .gauge, "Calls that go through a node, or wait at a router."),
    ]

    private static let sip = [
        collected(
            "tandem_dns", .gauge, "DNs as the node shows them to its clients, by state and why they are out of service."
        ),
        collected("tandem_dns_owned", .gauge, "DNs that the node owns."),
        collected("tandem_dns_owned_in_service", .gauge, "Those of them that are in service."),
        collected("tandem_bindings", .gauge, "Contacts of phones that are registered at the node."),
        collected(
            "tandem_registrations_total", .counter,
            "REGISTERs that were accepted and refused; not those asked for a password."),
        collected(
            "tandem_authentication_failures_total", .counter, "Requests with a wrong password or an unknown user."),
        collected(
            "tandem_requests_refused_total", .counter,
            "SIP requests with another answer than 200, challenges among them."),
        collected(
            "tandem_messages_limited_total", .counter,
            "SIP messages and connections dropped because of what a source may send."),
        collected("tandem_messages_malformed_total", .counter, "What came and was no SIP."),
        collected("tandem_datagrams_received_total", .counter, "Datagrams read."),
        collected(
            "tandem_datagrams_dropped_total", .counter, "Datagrams for which there was no room, or that were too long."),
        collected("tandem_receive_buffer_bytes", .gauge, "The smallest receive buffer of the node's UDP sockets."),
        collected("tandem_calls_total", .counter, "Calls that have begun at the node."),
        collected("tandem_transactions", .gauge, "SIP transactions that the node keeps."),
        collected("tandem_slow_clients_total", .counter, "Clients that were cut off because they read too slowly."),
        collected("tandem_revisions_total", .counter, "Changes that the node has told its peers."),
        collected(
            "tandem_store_commit_seconds", .histogram, "How long the node's store took to write what it was given."),
        collected(
            "tandem_store_problem", .gauge, "Whether the node's store is failing, missing, or was set aside as damaged."
        ),
    ]

    private static let links = [
        collected(
            "tandem_link_state", .gauge, "1 for the state that the node has the link to the peer in, 0 for all others."),
        collected(
            "tandem_link_round_trip_seconds", .gauge, "The last exchange with the peer, without its time to answer."),
        collected("tandem_link_silence_seconds", .gauge, "How long the peer has not been heard."),
        collected("tandem_link_behind_revisions", .gauge, "Changes that wait to be told the peer."),
        collected(
            "tandem_link_queue_bytes", .gauge,
            "Bytes that wait in the process, on their way to the peer, or to be read."),
        collected(
            "tandem_link_propagation_seconds", .histogram,
            "How long changes took from when they came to be at the peer until the node heard them; the oldest of each message."
        ),
        collected("tandem_link_peer_dns", .gauge, "DNs that the peer says it owns."),
        collected("tandem_link_losses_total", .counter, "How often the link was lost."),
        collected(
            "tandem_link_dials_total", .counter,
            "How often the node asked for a connection; that with the lesser name does."),
        collected("tandem_link_snapshots_total", .counter, "How often the peer told all that it owns."),
        collected("tandem_link_resumptions_total", .counter, "How often the peer told only what was missed."),
        collected(
            "tandem_link_sync_seconds", .gauge, "How long the last sync took, from the peer's hello to the live link."),
        collected("tandem_link_clock_ahead_seconds", .gauge, "How far the peer's clock is ahead; 0 within the limit."),
        collected("tandem_link_mismatches", .gauge, "Digests of the peer that did not add up, in a row."),
    ]

    private static let routing = [
        collected("tandem_routing_point_calls", .gauge, "Calls that wait or ring at the routing point now."),
        collected(
            "tandem_routing_point_calls_total", .counter,
            "What has become of calls at the routing point, once one has come."),
        collected(
            "tandem_routing_point_routers", .gauge, "Routers that the node asks about the routing point's calls."),
        collected("tandem_trunk_calls", .gauge, "Calls that go over the trunk at the node now."),
        collected("tandem_trunk_limit_calls", .gauge, "How many may at the node; none where any number may."),
        collected(
            "tandem_trunk_calls_total", .counter, "Calls that have come from the trunk's gateways and gone to them."),
        collected(
            "tandem_trunk_refused_total", .counter,
            "Calls that did not get through: no place, no gateway there, or refused."),
        collected(
            "tandem_trunk_failovers_total", .counter,
            "Calls that went to another gateway than the first that was tried."),
        collected("tandem_gateway_up", .gauge, "Whether the node takes the gateway for one that answers."),
    ]

    private static let workspaces = [
        collected("tandem_workspace_sessions", .gauge, "Agents who are signed in at the workspace."),
        collected("tandem_workspace_streams", .gauge, "Pages that listen to the workspace."),
        collected("tandem_workspace_nodes_heard", .gauge, "Nodes that the workspace hears."),
        collected("tandem_workspace_logins_total", .counter, "Sign-ins that were accepted and refused."),
        collected(
            "tandem_workspace_resumes_total", .counter, "Sessions of other workspaces that went on at the workspace."),
        collected(
            "tandem_workspace_limited_total", .counter,
            "Requests refused because of what a source, a session or an agent may ask."),
    ]

    private static let controller = [
        counted("tandem_events_total", .counter, "What `tandem events` has told, by kind."),
        counted("tandem_worker_exits_total", .counter, "Processes of the worker that ended unasked."),
        counted("tandem_adoptions_total", .counter, "How often a process of an earlier controller was taken up."),
        counted(
            "tandem_handovers_total", .counter,
            "Planned restarts of the worker that another process took its place in, or could not."),
        counted("tandem_rollouts_total", .counter, "Rollouts by how they ended; one that failed may be resumed."),
        counted("tandem_operator_requests_total", .counter, "What operators have asked the controller."),
        counted("tandem_http_requests_total", .counter, "Requests of this endpoint by what they were answered."),
        counted(
            "tandem_scrape_duration_seconds", .histogram,
            "How long the scrapes before this one took, from request to answer."),
        collected("process_cpu_seconds_total", .counter, "Processor time that the controller has used."),
        collected("process_resident_memory_bytes", .gauge, "Memory that the controller has in use."),
        collected("process_start_time_seconds", .gauge, "When the controller started, seconds since 1970."),
        collected("process_open_fds", .gauge, "Descriptors that the controller has open."),
    ]
}
