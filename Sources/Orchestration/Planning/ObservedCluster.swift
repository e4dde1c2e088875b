package import ClusterModel

/// What is wanted: the topology that workers shall run, and the program.
package struct Desired: Equatable, Sendable {
    /// What workers shall run under.
    package var topology: Topology
    /// Greater than that of every topology before it.
    package var generation: UInt64
    /// Of the program; nil where any will do.
    package var version: String?

    /// What an operator wants.
    package init(topology: Topology, generation: UInt64, version: String? = nil) {
        self.topology = topology
        self.generation = generation
        self.version = version
    }
}

/// One worker as the controller sees it at one moment.
package struct ObservedWorker: Equatable, Sendable {
    /// `dc1/sip1`.
    package var name: String
    /// What its process is.
    package var role: RoleName
    /// Where it is, by name.
    package var dataCenter: String
    /// As its supervision says.
    package var state: NodeState
    /// Of its process.
    package var incarnation: UInt64 = 0
    /// Of its program; empty where it has not said.
    package var version = ""
    /// Its process runs another program than the one that is installed, of whatever version.
    package var runsFormerProgram = false
    /// Of the topology that it runs under, as it says; nil where it does not say so.
    package var generation: UInt64?
    /// Unplanned exits.
    package var restarts: UInt32 = 0
    /// Milliseconds until it is started again; nil unless it backs off.
    package var backsOffFor: UInt64?
    /// Why its last process ended; empty for no reason known.
    package var lastProblem = ""
    /// Somebody asked it to let its phones and desktops leave.
    package var drains = false
    /// The time that they were given is over; those that are still there do not leave.
    package var drainIsOver = false
    /// Its own, in service.
    package var dnsInService: UInt64 = 0
    /// That go through it now.
    package var calls: UInt64 = 0
    /// Logged in on its own DNs.
    package var agents: UInt64 = 0
    /// Links to other nodes that are live.
    package var liveLinks: UInt32 = 0
    /// How many should be; 0 where nobody has counted.
    package var expectedLinks: UInt32 = 0
    /// How many of its DNs in service the desired topology does not provision; nil where nobody has counted.
    package var unprovisioned: UInt64?

    /// A worker of which nothing else is known.
    package init(_ name: String, _ role: RoleName, dataCenter: String, _ state: NodeState) {
        self.name = name
        self.role = role
        self.dataCenter = dataCenter
        self.state = state
    }

    /// A process serves, and can be told things.
    package var serves: Bool { state == .ready || state == .draining }
    /// A process may be there, now or in a moment and by itself.
    package var mayRun: Bool { state != .stopped }
}

/// Something about a DN that a node reports because it should not be so. Nodes report some of each kind, and count them
/// all.
package struct DNException: Equatable, Sendable {
    /// The raw values are those of JSON.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case notProvisioned = "not-provisioned"
        case forbiddenHome = "forbidden-home"
        case awayFromHome = "away-from-home"
        case claimedTwice = "claimed-twice"
        case ownerGone = "owner-gone"
        case notInService = "not-in-service"
        case wrongPhone = "wrong-phone"
        case flapping
        case agentWithoutDesktop = "agent-without-desktop"
        case endlessReservation = "endless-reservation"
        case endlessCall = "endless-call"
    }

    /// What is wrong.
    package var kind: Kind
    /// With which DN.
    package var dn: DN
    /// Who reports it.
    package var node: String
    /// What the kind leaves open, for people: the other owner, the phone's name.
    package var detail: String
    /// For how long it has been so, as the node says.
    package var milliseconds: UInt64

    /// As a node reports it.
    package init(_ kind: Kind, _ dn: DN, node: String, detail: String = "", milliseconds: UInt64 = 0) {
        self.kind = kind
        self.dn = dn
        self.node = node
        self.detail = detail
        self.milliseconds = milliseconds
    }
}

/// What the controller sees at one moment.
package struct ObservedCluster: Equatable, Sendable {
    /// Of the topology that was applied last: a plan is made against it, and is stale when another has been applied.
    package var generation: UInt64
    /// All that there are, in any order.
    package var workers: [ObservedWorker]
    /// What nodes report of DNs, in any order.
    package var exceptions: [DNException]
    /// How many DNs of each kind there are; those that are not counted are as many as are listed.
    package var exceptionCounts: [DNException.Kind: UInt64]

    /// As the controller sees it.
    package init(
        generation: UInt64, workers: [ObservedWorker], exceptions: [DNException] = [],
        exceptionCounts: [DNException.Kind: UInt64] = [:]
    ) {
        self.generation = generation
        self.workers = workers
        self.exceptions = exceptions
        self.exceptionCounts = exceptionCounts
    }

    /// The worker of that name, if there is one.
    package func worker(named name: String) -> ObservedWorker? { workers.first { $0.name == name } }

    /// Some worker runs a topology later than the one that was applied last, as far as is known here.
    package var runsLaterGeneration: Bool { workers.contains { $0.generation ?? 0 > generation } }

    /// Of a topology that is applied now: later than any that a worker runs, or it would pass for that one.
    package var nextGeneration: UInt64 {
        let greatest = max(generation, workers.compactMap(\.generation).max() ?? 0)
        return greatest == .max ? greatest : greatest + 1
    }

    /// How many DNs of a kind there are, at least. One that several nodes report is one.
    package func count(of kind: DNException.Kind) -> UInt64 {
        let listed = Set(exceptions.lazy.filter { $0.kind == kind }.map(\.dn))
        return max(exceptionCounts[kind] ?? 0, UInt64(listed.count))
    }

    /// What plans are made of: of the DNs of each kind how many there are, and those that are told one by one. The same plans come of it.
    package var condensed: ObservedCluster {
        var condensed = self
        condensed.exceptions = []
        for kind in DNException.Kind.allCases {
            let listed = PlanFinding.told(exceptions.filter { $0.kind == kind })
            condensed.exceptions += listed.prefix(PlanFinding.maximumDetails)
            condensed.exceptionCounts[kind] = count(of: kind) == 0 ? nil : count(of: kind)
        }
        return condensed
    }
}
