package import ClusterModel

// What workers report and operators are shown: plain values, put into frames by `Wire`.

/// One direction of a link, as the node at its start sees it.
package struct LinkStatus: Equatable, Sendable {
    package var peer: String
    /// `down`, `syncing` or `live`.
    package var state: String
    package var roundTripMicroseconds: UInt64?
    /// The two parts of the round trip, there and back.
    package var transmitMicroseconds: UInt64?
    package var receiveMicroseconds: UInt64?
    package var silenceMilliseconds: UInt64?
    /// Revisions that wait to be sent to the peer.
    package var behindRevisions: UInt64 = 0
    /// How many DNs the peer says it owns.
    package var peerOwns: UInt64 = 0
    /// How often the link was lost.
    package var losses: UInt64 = 0
    /// How often the peer told all that it owns, and how often only what was missed.
    package var snapshots: UInt64 = 0
    package var resumptions: UInt64 = 0
    /// How long the last sync took, from the peer's hello to the live link.
    package var syncMicroseconds: UInt64?
    /// How often the node at the start asked for a connection; the node with the lesser name does.
    package var dials: UInt64 = 0
    package var clockAheadMilliseconds: UInt64 = 0
    /// Digests that did not match, in a row.
    package var mismatches: UInt32 = 0
    /// Bytes that wait in the process, and bytes that the kernel has sent or waits to send and the peer's host has not
    /// acknowledged.
    package var queuedBytes: UInt64 = 0
    package var unacknowledgedBytes: UInt64 = 0
    /// Bytes that have arrived and that the process has not read.
    package var unreadBytes: UInt64 = 0
    /// The peer runs another generation of the topology.
    package var hasOtherGeneration = false
    /// Why the last connection ended.
    package var lastProblem = ""

    package init(peer: String, state: String) {
        self.peer = peer
        self.state = state
    }
}

/// What has become of the calls at a routing point since the node started.
package struct PointReport: Equatable, Sendable {
    /// Of one node: as many as a topology may have.
    package static let maximumCount = 1_024

    package var number = ""
    /// Waiting or ringing now.
    package var present: UInt64 = 0
    package var arrived: UInt64 = 0
    /// Sent to an agent by a router; one call may be so several times.
    package var routed: UInt64 = 0
    package var answered: UInt64 = 0
    package var abandoned: UInt64 = 0
    /// Gone to the default and alternate DNs.
    package var defaulted: UInt64 = 0
    /// Gone to another routing point.
    package var overflowed: UInt64 = 0
    package var refused: UInt64 = 0
    /// That are asked about it.
    package var routers: UInt32 = 0

    package init(_ number: String) {
        self.number = number
    }

    /// Nothing has ever come.
    package var isIdle: Bool { arrived == 0 && present == 0 }

    mutating func add(_ other: PointReport) {
        present += other.present
        arrived += other.arrived
        routed += other.routed
        answered += other.answered
        abandoned += other.abandoned
        defaulted += other.defaulted
        overflowed += other.overflowed
        refused += other.refused
    }
}

/// What a worker says of itself.
package struct NodeReport: Equatable, Sendable {
    package var request: UInt64 = 0
    package var memoryBytes: UInt64 = 0
    package var uptimeMilliseconds: UInt64 = 0
    package var cpuMicroseconds: UInt64 = 0
    package var provisionedDNs: UInt64 = 0
    package var ownedDNs: UInt64 = 0
    package var ownedInService: UInt64 = 0
    /// Logged in on the node's own DNs, and how many of these can be given a call.
    package var agents: UInt64 = 0
    package var agentsAvailable: UInt64 = 0
    package var bindings: UInt64 = 0
    package var clients: UInt64 = 0
    /// Clients that were cut off because they read too slowly.
    package var slowClients: UInt64 = 0
    package var datagramsReceived: UInt64 = 0
    package var datagramsDropped: UInt64 = 0
    package var registrationsAccepted: UInt64 = 0
    package var requestsRefused: UInt64 = 0
    package var notSIP: UInt64 = 0
    /// REGISTERs with a wrong password or an unknown user.
    package var failedAuthentications: UInt64 = 0
    /// SIP messages and connections that were dropped because of what a source may send.
    package var limited: UInt64 = 0
    /// That go through the node now, and the transactions that it keeps for them and for other requests.
    package var calls: UInt64 = 0
    package var transactions: UInt64 = 0
    package var revision: UInt64 = 0
    package var links: [LinkStatus] = []
    /// The routing points of the topology.
    package var points: [PointReport] = []
    /// The trunks of the topology.
    package var trunks: [TrunkReport] = []
    /// Why the node's store cannot write, or cannot be used at all; empty while all is well.
    package var storeProblem = ""
    /// The node serves without a store.
    package var isStoreMissing = false
    /// Where a damaged store was put when the node started; empty for none.
    package var storeSetAside = ""
    /// Of a node: the smallest receive buffer of its UDP sockets; 0 without any.
    package var receiveBufferBytes: UInt64 = 0
    /// Of a node that is being drained.
    package var drain: DrainReport?
    /// Of a node that was asked for them.
    package var measures: NodeMeasures?
    /// Of a workspace.
    package var workspace: WorkspaceReport?
    /// Of the topology that it runs under; 0 of a build that does not say so.
    package var generation: UInt64 = 0
    package var topologyDigest = TopologyDigest(value: 0)
    /// Of a node: DNs that are not as they should be, some of each kind, without the node's name; see `exceptions(of:)`.
    package var exceptions: [DNException] = []
    /// How many there are of each kind.
    package var exceptionCounts: [DNException.Kind: UInt64] = [:]

    /// The most examples in a report, and of one kind; and bytes of what is said of one.
    package static let maximumExceptions = 512
    package static let maximumExceptionsOfAKind = 32
    package static let maximumExceptionDetail = 256

    package init() {}
}

/// How far a node is that its phones and desktops are to leave.
package struct DrainReport: Equatable, Sendable {
    /// Phones that came back although they were sent elsewhere, by what they call themselves.
    package struct Staying: Equatable, Sendable {
        package var agent: String
        package var count: UInt64

        package init(agent: String, count: UInt64) {
            self.agent = agent
            self.count = count
        }
    }

    package static let maximumStaying = 64

    /// Until calls should have ended; 0 when the time is over.
    package var millisecondsLeft: UInt64 = 0
    package var sentElsewhere: UInt64 = 0
    package var closedFlows: UInt64 = 0
    package var askedDesktops: UInt64 = 0
    /// The most frequent first.
    package var staying: [Staying] = []

    package init() {}
}

/// A phone's registered contact.
package struct BindingReport: Equatable, Sendable {
    package var contact: String
    package var expiresInSeconds: UInt32
    /// Where the REGISTER came from, `address:port`.
    package var source: String

    package init(contact: String, expiresInSeconds: UInt32, source: String) {
        self.contact = contact
        self.expiresInSeconds = expiresInSeconds
        self.source = source
    }
}

/// What one node knows of a DN.
package struct DNReport: Equatable, Sendable {
    package var request: UInt64 = 0
    package var isProvisioned = false
    /// By the greatest claim known to the node; empty if nobody has claimed the DN.
    package var owner = ""
    package var stamp = Stamp.zero
    /// As the owner said last.
    package var lastWord = Service.neverRegistered
    /// As the node shows it.
    package var shown = Service.neverRegistered
    package var isOwnedHere = false
    /// At the owner only.
    package var bindings: [BindingReport] = []
    /// Clients that hold the DN in service; at the owner of a PSTN DN only.
    package var desktops: UInt32 = 0
    /// Who is logged in, as the node knows it; nil for nobody.
    package var agent: AgentEntry?
    /// As the owner says, as far as the node knows.
    package var calls: [DNCall] = []
    /// What should not be so, as far as the node can judge it; without the node's name.
    package var exceptions: [DNException] = []
    package static let maximumExceptions = 16

    package init() {}
}

package enum NodeState: String, Equatable, Sendable, CaseIterable {
    case starting, ready, draining, backingOff = "backing-off", stopped
}

/// A worker of any role as the controller knows it.
package struct NodeStatus: Equatable, Sendable {
    package var name: String
    package var role = RoleName.sip
    package var dataCenter = ""
    package var state = NodeState.starting
    package var pid: UInt32 = 0
    package var incarnation: UInt64 = 0
    /// Unplanned exits since the controller started.
    package var restarts: UInt32 = 0
    package var report: NodeReport?
    /// Empty for roles other than SIP nodes.
    package var tcontroller = ""
    package var sip: [String] = []
    /// Where a Stat Server is asked, and where browsers find a workspace; empty for other roles.
    package var listen = ""
    package var lastProblem = ""
    /// What the worker and its earlier lives wrote last to standard error, the oldest first.
    package var logLines: [String] = []
    /// Lines that were not passed on, because there were too many.
    package var logLinesLeftOut: UInt64 = 0

    package init(name: String) {
        self.name = name
    }
}

package struct ClusterStatus: Equatable, Sendable {
    package var cluster = ""
    package var domain = ""
    package var version = ""
    package var topologyPath = ""
    /// The file with those whose word counts for certificates; empty for none.
    package var authoritiesPath = ""
    package var controllerPID: UInt32 = 0
    /// Of the topology that is wanted; 0 where the controller does not say so.
    package var generation: UInt64 = 0
    /// When it was applied, milliseconds since 1970.
    package var appliedAt: UInt64 = 0
    package var nodes: [NodeStatus] = []
    package var inService: UInt64 = 0
    package var outOfService: UInt64 = 0
    /// The most severe first.
    package var conditions: [Condition] = []
    /// Conditions that are not told, as there are too many: the least severe ones.
    package var conditionsLeftOut: UInt64 = 0

    package init() {}

    /// The SIP nodes alone: those that have DNs, links and T-Controller ports.
    package var sipNodes: [NodeStatus] { nodes.filter { $0.role == .sip } }

    /// Logged in, as far as nodes answer; during a cut an agent may be so on both sides.
    package var agents: UInt64 { sipNodes.reduce(0) { $0 + ($1.report?.agents ?? 0) } }
    /// Those who can be given a call.
    package var agentsAvailable: UInt64 { sipNodes.reduce(0) { $0 + ($1.report?.agentsAvailable ?? 0) } }

    /// The routing points, sorted, with what all nodes that answer say of them. A router is asked by all nodes of its data center,
    /// and counts once there.
    package var routingPoints: [PointReport] {
        var points: [String: PointReport] = [:]
        var routers: [String: [String: UInt32]] = [:]
        for node in sipNodes {
            for report in node.report?.points ?? [] {
                points[report.number, default: PointReport(report.number)].add(report)
                routers[report.number, default: [:]][node.dataCenter, default: 0].formMaximum(report.routers)
            }
        }
        return points.values.sorted { ($0.number.count, $0.number) < ($1.number.count, $1.number) }.map { point in
            var point = point
            point.routers = routers[point.number, default: [:]].values.reduce(0) { $0 &+ $1 }
            return point
        }
    }

    /// Whether every worker is ready, every link live and no condition an error. Only SIP nodes report links.
    package var isHealthy: Bool { flaws.isEmpty }

    /// Why it is not healthy, a sentence each. What a condition says already is not said twice.
    package var flaws: [String] {
        let errors = conditions.filter { $0.severity == .error && $0.status == .true }
        let told = Set(errors.map(\.subject))
        var flaws = errors.map { "\($0.subject): \($0.message)" }
        for node in nodes {
            if node.state != .ready || node.report == nil, !told.contains(node.name) {
                flaws.append("\(node.name): it is \(node.state.rawValue)")
            }
            for link in node.report?.links ?? [] where link.state != "live" {
                guard !told.contains("\(node.name) to \(link.peer)") else { continue }
                flaws.append("\(node.name) to \(link.peer): the link is \(link.state)")
            }
        }
        return flaws
    }
}

/// One node's answer about a DN; without a report the node did not answer in time.
package struct DNAnswer: Equatable, Sendable {
    package var node: String
    package var state: String
    package var report: DNReport?

    package init(node: String, state: String, report: DNReport?) {
        self.node = node
        self.state = state
        self.report = report
    }
}

/// Everything known of a DN.
package struct DNDetails: Equatable, Sendable {
    package var dn = ""
    package var isProvisioned = false
    package var agentType = ""
    /// `sip` or `pstn`.
    package var phone = ""
    /// What a PSTN phone is dialled through; empty for none.
    package var trunk = ""
    /// Data centers where the DN may register, preferred first; empty means anywhere.
    package var homes: [String] = []
    /// When it should be in service, as `expect` in a topology; empty for nothing.
    package var expectation = ""
    /// Of the topology that says all of this; 0 where the controller does not say it.
    package var generation: UInt64 = 0
    /// One a node, sorted by name.
    package var answers: [DNAnswer] = []

    package init() {}

    /// The answer with the greatest claim; among equal ones the owner's own.
    package var authority: DNReport? {
        answers.compactMap { answer in answer.report.map { (answer.node, $0) } }
            .filter { !$0.1.owner.isEmpty }
            .max { left, right in
                if left.1.stamp != right.1.stamp { return left.1.stamp < right.1.stamp }
                if left.1.owner != right.1.owner { return left.1.owner < right.1.owner }
                return !left.1.isOwnedHere && right.1.isOwnedHere
            }?.1
    }
}

extension UInt32 {
    fileprivate mutating func formMaximum(_ other: UInt32) { self = Swift.max(self, other) }
}
