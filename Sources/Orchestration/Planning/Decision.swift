package import ClusterModel

/// One thing that a reconciler was told, and what came of it: enough to do it again on another machine.
package struct Decision: Equatable, Sendable {
    /// What a plan is made of. Topologies are named by their generations.
    package struct Look: Equatable, Sendable {
        /// What the controller saw.
        package var observed: ObservedCluster
        /// Of the topology that is desired.
        package var generation: UInt64
        /// Of the program that is desired; nil where any will do.
        package var version: String?
        /// Of the topologies that were known to have been applied; rising.
        package var topologies: [UInt64]

        /// As the planner got it.
        package init(observed: ObservedCluster, generation: UInt64, version: String? = nil, topologies: [UInt64]) {
            self.observed = observed
            self.generation = generation
            self.version = version
            self.topologies = topologies
        }
    }

    /// What a reconciler is told.
    package enum Input: Equatable, Sendable {
        case look(Look)
        /// A worker has done what it was asked, or has not; the problem is empty if it has.
        case ended(worker: String, problem: String)
        case restartsEnded(succeeded: Bool, generation: UInt64)
        /// An operator wants what was given up tried again.
        case tryAgain
        /// An operator accepts the consequences of a generation.
        case consent(UInt64)

        /// For programs.
        package var word: String {
            switch self {
            case .look: "look"
            case .ended: "ended"
            case .restartsEnded: "restarts-ended"
            case .tryAgain: "try-again"
            case .consent: "consent"
            }
        }
    }

    /// What came of it, in words: programs that say the same have decided the same.
    package struct Outcome: Equatable, Sendable {
        /// What is done now, in order.
        package var actions: [String]
        /// As `PlanText` has it; empty but for a look.
        package var plan: String
        /// Why the plan is not carried out.
        package var objections: [String]
        /// What is kept for the next look.
        package var remembered: [String]

        /// As it was written down.
        package init(actions: [String] = [], plan: String = "", objections: [String] = [], remembered: [String] = []) {
            self.actions = actions
            self.plan = plan
            self.objections = objections
            self.remembered = remembered
        }

        /// What a reconciler has made of an input.
        init(of input: Input, _ reconciler: Reconciler, _ actions: [Reconciler.Action]) {
            self.init(actions: actions.map(\.words), remembered: reconciler.state.words)
            guard case .look = input, let plan = reconciler.plan else { return }
            self.plan = PlanText.rendered(plan, file: "FILE")
            objections = reconciler.objections.map { "\($0.rule.rawValue): \($0.sentence)" }
        }
    }

    /// 1 for the first of a controller's life.
    package var number: UInt64
    /// When it was made.
    package var time: Instant
    /// What was told.
    package var input: Input
    /// What came of it.
    package var outcome: Outcome

    /// As it was made.
    package init(number: UInt64, time: Instant, input: Input, outcome: Outcome) {
        self.number = number
        self.time = time
        self.input = input
        self.outcome = outcome
    }

    /// Generations whose topologies are needed to make it again; rising.
    package var topologies: [UInt64] {
        guard case .look(let look) = input else { return [] }
        return Set(look.topologies).union([look.generation]).sorted()
    }
}

/// Decisions that follow each other, of one program. The first of them finds what the state says that comes with the segment.
package struct DecisionSegment: Equatable, Sendable {
    /// Of the program that made them.
    package var version: String
    /// The name of the cluster.
    package var cluster: String
    /// Milliseconds since 1970.
    package var began: UInt64
    /// Where Stat Servers listen whose address the topology leaves to the controller.
    package var statDirectory: String

    /// Of this program.
    package init(version: String = TandemVersion.current, cluster: String, began: UInt64, statDirectory: String) {
        self.version = version
        self.cluster = cluster
        self.began = began
        self.statDirectory = statDirectory
    }
}

/// Where Stat Servers listen whose address the topology leaves to the controller.
package struct StatSockets: Equatable, Sendable {
    /// Only the controller's user may enter.
    package var directory: String

    /// As the controller has it.
    package init(directory: String) { self.directory = directory }

    /// The socket of `dc1/stat1`.
    package func path(of server: String) -> String {
        directory + "/" + String(server.map { $0 == "/" ? "." : $0 }) + ".sock"
    }

    /// Every Stat Server has an address.
    package func resolved(_ topology: Topology) -> Topology {
        var topology = topology
        for (position, server) in topology.statServers.enumerated() where server.listen == nil {
            topology.statServers[position].listen = .unix(path: path(of: server.name))
        }
        return topology
    }
}
