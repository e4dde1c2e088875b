package import Orchestration

/// What `tandem status --json` prints.
package struct StatusJSON: Encodable, Equatable, Sendable {
    package struct DNs: Encodable, Equatable, Sendable {
        var inService: UInt64
        var outOfService: UInt64
    }

    package struct Agents: Encodable, Equatable, Sendable {
        var loggedIn: UInt64
        var available: UInt64
    }

    package struct Topology: Encodable, Equatable, Sendable {
        var path: String
        @OrNull var generation: UInt64?
        @OrNull var appliedAt: String?
    }

    var cluster: String
    var domain: String
    var health: String
    var version: String
    var topology: Topology
    var nodes: [NodeJSON]
    var links: [LinkJSON]
    var dns: DNs
    var agents: Agents
    var routingPoints: [PointJSON]
    var trunks: [TrunkJSON]
    var conditions: [ConditionJSON]
    /// The least severe ones, as there are too many.
    var conditionsLeftOut: UInt64

    package init(_ status: ClusterStatus) {
        cluster = status.cluster
        domain = status.domain
        health = status.isHealthy ? "healthy" : "degraded"
        version = status.version
        topology = Topology(
            path: status.topologyPath, generation: status.generation == 0 ? nil : status.generation,
            appliedAt: status.appliedAt == 0 ? nil : Wording.isoTime(milliseconds: status.appliedAt))
        nodes = NodeJSON.all(status)
        links = LinkJSON.all(status)
        dns = DNs(inService: status.inService, outOfService: status.outOfService)
        agents = Agents(loggedIn: status.agents, available: status.agentsAvailable)
        routingPoints = status.routingPoints.map { PointJSON($0) }
        trunks = status.trunks.map { TrunkJSON($0) }
        conditions = status.conditions.map { ConditionJSON($0) }
        conditionsLeftOut = status.conditionsLeftOut
    }
}

/// A worker in `tandem status --json` and `tandem nodes --json`. What only the worker knows is null while it does not
/// say, and what its role does not have always.
package struct NodeJSON: Encodable, Equatable, Sendable {
    var name: String
    var role: String
    var dataCenter: String
    var state: String
    @OrNull var pid: UInt32?
    var incarnation: UInt64
    /// Unplanned exits only.
    var restarts: UInt32
    @OrNull var uptimeSeconds: UInt64?
    @OrNull var memoryBytes: UInt64?
    @OrNull var cpuMilliseconds: UInt64?
    @OrNull var owned: UInt64?
    @OrNull var ownedInService: UInt64?
    /// Logged in on these, and how many of them can be given a call.
    @OrNull var agents: UInt64?
    @OrNull var agentsAvailable: UInt64?
    @OrNull var bindings: UInt64?
    @OrNull var clients: UInt64?
    /// Now, and the transactions of these and of other requests.
    @OrNull var calls: UInt64?
    @OrNull var transactions: UInt64?
    /// Cut off because they read too slowly, since the node started.
    @OrNull var slowClients: UInt64?
    /// REGISTERs with a wrong password or an unknown user, since the node started.
    @OrNull var failedAuthentications: UInt64?
    /// SIP messages and connections dropped because of limits, since the node started.
    @OrNull var limited: UInt64?
    /// The smallest of its UDP sockets.
    @OrNull var receiveBufferBytes: UInt64?
    /// Of a node that is being drained.
    @OrNull var drain: DrainJSON?
    var sip: [String]
    @OrNull var tcontroller: String?
    /// Of a workspace.
    @OrNull var workspace: WorkspaceJSON?
    /// Where a Stat Server is asked, or browsers find a workspace.
    @OrNull var listen: String?
    @OrNull var lastProblem: String?
    /// The oldest first; at most 20.
    var logLines: [String]
    /// Lines that the controller did not pass on, because there were too many.
    var logLinesLeftOut: UInt64

    package init(_ node: NodeStatus) {
        name = node.name
        role = node.role.rawValue
        dataCenter = node.dataCenter
        state = node.state.rawValue
        pid = node.pid == 0 ? nil : node.pid
        incarnation = node.incarnation
        restarts = node.restarts
        uptimeSeconds = node.report.map { $0.uptimeMilliseconds / 1000 }
        memoryBytes = node.report?.memoryBytes
        cpuMilliseconds = node.report.map { $0.cpuMicroseconds / 1000 }
        let sipReport = node.role == .sip ? node.report : nil
        let portReport = node.role == .router ? nil : node.report
        owned = sipReport?.ownedDNs
        ownedInService = sipReport?.ownedInService
        agents = sipReport?.agents
        agentsAvailable = sipReport?.agentsAvailable
        bindings = sipReport?.bindings
        clients = portReport?.clients
        calls = sipReport?.calls
        transactions = sipReport?.transactions
        slowClients = portReport?.slowClients
        failedAuthentications = sipReport?.failedAuthentications
        limited = sipReport?.limited
        receiveBufferBytes = sipReport.flatMap { $0.receiveBufferBytes == 0 ? nil : $0.receiveBufferBytes }
        drain = node.report.flatMap { DrainJSON($0) }
        sip = node.sip
        workspace = node.report?.workspace.map { WorkspaceJSON($0) }
        tcontroller = node.role == .sip ? node.tcontroller : nil
        listen = node.listen.isEmpty ? nil : node.listen
        lastProblem = node.lastProblem.isEmpty ? nil : node.lastProblem
        logLines = node.logLines
        logLinesLeftOut = node.logLinesLeftOut
    }

    /// Sorted by name.
    package static func all(_ status: ClusterStatus) -> [NodeJSON] {
        status.nodes.sorted { $0.name < $1.name }.map { NodeJSON($0) }
    }
}

/// What a workspace counts.
package struct WorkspaceJSON: Encodable, Equatable, Sendable {
    var sessions: UInt64
    var streams: UInt64
    var nodesHeard: UInt64
    /// Since its process started.
    var logins: UInt64
    var loginsRefused: UInt64
    var resumes: UInt64
    var limited: UInt64

    init(_ figures: WorkspaceReport) {
        sessions = figures.sessions
        streams = figures.streams
        nodesHeard = figures.nodesHeard
        logins = figures.logins
        loginsRefused = figures.loginsRefused
        resumes = figures.resumes
        limited = figures.limited
    }
}

/// One direction of a link in `tandem status --json` and `tandem links --json`.
package struct LinkJSON: Encodable, Equatable, Sendable {
    var from: String
    var to: String
    var state: String
    @OrNull var roundTripMicroseconds: UInt64?
    /// The two parts of the round trip, there and back, as far as clocks allow to tell them apart.
    @OrNull var transmitMicroseconds: UInt64?
    @OrNull var receiveMicroseconds: UInt64?
    @OrNull var silenceMilliseconds: UInt64?
    var behindRevisions: UInt64
    /// In the process.
    var queuedBytes: UInt64
    /// In the kernel: sent, or about to be, and not acknowledged; arrived and not read.
    var unacknowledgedBytes: UInt64
    var unreadBytes: UInt64
    var losses: UInt64
    /// Syncs of all that the peer owns, and of what was missed only.
    var snapshots: UInt64
    var resumptions: UInt64
    var dials: UInt64
    /// The last sync, from the peer's hello to the live link.
    @OrNull var syncMicroseconds: UInt64?
    var peerOwns: UInt64
    var clockAheadMilliseconds: UInt64
    var mismatches: UInt32
    var hasOtherGeneration: Bool
    @OrNull var lastProblem: String?

    package init(_ row: LinkRow) {
        let link = row.status
        from = row.from
        to = link.peer
        state = link.state
        roundTripMicroseconds = link.roundTripMicroseconds
        transmitMicroseconds = link.transmitMicroseconds
        receiveMicroseconds = link.receiveMicroseconds
        silenceMilliseconds = link.silenceMilliseconds
        behindRevisions = link.behindRevisions
        queuedBytes = link.queuedBytes
        unacknowledgedBytes = link.unacknowledgedBytes
        unreadBytes = link.unreadBytes
        losses = link.losses
        snapshots = link.snapshots
        resumptions = link.resumptions
        dials = link.dials
        syncMicroseconds = link.syncMicroseconds
        peerOwns = link.peerOwns
        clockAheadMilliseconds = link.clockAheadMilliseconds
        mismatches = link.mismatches
        hasOtherGeneration = link.hasOtherGeneration
        lastProblem = link.lastProblem.isEmpty ? nil : link.lastProblem
    }

    /// Sorted by the node at the start, then by the one at the end.
    package static func all(_ status: ClusterStatus) -> [LinkJSON] {
        status.linkRows.map { LinkJSON($0) }
    }
}

/// What `tandem nodes --json` prints.
package struct NodesJSON: Encodable, Equatable, Sendable {
    var nodes: [NodeJSON]

    package init(_ status: ClusterStatus) {
        nodes = NodeJSON.all(status)
    }
}

/// What `tandem links --json` prints.
package struct LinksJSON: Encodable, Equatable, Sendable {
    var links: [LinkJSON]

    package init(_ status: ClusterStatus) {
        links = LinkJSON.all(status)
    }
}
