/// What has to be done so that what is observed becomes what is desired. A plan is a value: it can be shown, checked,
/// and made again after each of its steps, and then the rest of it is planned.
package struct Plan: Equatable, Sendable {
    /// One thing that is done with one worker.
    package struct Step: Equatable, Sendable {
        /// What is done.
        package enum Work: Equatable, Sendable {
            /// Its phones and desktops are asked to leave, and its calls have time to end.
            case drain
            case stop
            /// It is told the topology while it serves.
            case apply
            case start
            /// Another process takes its place; by handover it serves on meanwhile.
            case restart(byHandover: Bool)

            /// `restart`; for people and programs.
            package var word: String {
                switch self {
                case .drain: "drain"
                case .stop: "stop"
                case .apply: "apply"
                case .start: "start"
                case .restart: "restart"
                }
            }
        }

        /// 1 for the first; steps name each other by it.
        package var number: Int
        /// What is done.
        package var work: Work
        /// With whom: `dc1/sip1`.
        package var worker: String
        /// What the process is, or will be.
        package var role: RoleName
        /// Where the worker is, by name.
        package var dataCenter: String
        /// Why, a few words each.
        package var reasons: [String]
        /// The steps that must be done before; rising.
        package var after: [Int]
        /// Whom it touches.
        package var touch = Touch()

        /// A step that touches nobody.
        package init(
            _ number: Int, _ work: Work, _ worker: String, _ role: RoleName, dataCenter: String,
            reasons: [String] = [], after: [Int] = []
        ) {
            self.number = number
            self.work = work
            self.worker = worker
            self.role = role
            self.dataCenter = dataCenter
            self.reasons = reasons
            self.after = after
        }
    }

    /// Whom a step touches.
    package struct Touch: Equatable, Sendable {
        /// In service at the worker.
        package var dnsInService: UInt64 = 0
        /// That go through it.
        package var calls: UInt64 = 0
        /// Logged in there.
        package var agents: UInt64 = 0
        /// At the most so many DNs in service are out of service then, because their node is gone or listens elsewhere.
        package var outOfService: UInt64 = 0
        /// At the most so many are out of service because the topology does not provision them.
        package var unprovisioned: UInt64 = 0
        /// Somebody has counted those, so they are exactly so many.
        package var isCounted = false
        /// At the most so many have to register elsewhere, and are out of service if they do not.
        package var mustMove: UInt64 = 0
        /// Calls that end.
        package var endedCalls: UInt64 = 0
        /// Nodes where the DNs may register.
        package var places: [String] = []

        /// Nobody.
        package init() {}
    }

    /// The name of the cluster.
    package var cluster: String
    /// The generation that it was made against. When another has been applied the plan is stale.
    package var index: UInt64
    /// The generation that it brings.
    package var target: UInt64
    /// Of the program that workers shall run; nil where any will do.
    package var version: String?
    /// Between the topology that was applied last and the desired one; nil where the former is not known.
    package var difference: TopologyDifference?
    /// In an order that respects their dependencies.
    package var steps: [Step] = []
    /// What is not as it should be, whether or not a step mends it.
    package var findings: [PlanFinding] = []
    /// Why nothing is done at all; sentences.
    package var refusals: [String] = []
    /// At the most so many DNs in service are put out of service by all steps together.
    package var outOfService: UInt64 = 0
    /// At the most so many have to register elsewhere.
    package var mustMove: UInt64 = 0
    /// How many calls the steps end.
    package var endedCalls: UInt64 = 0

    /// A plan without steps.
    package init(cluster: String, index: UInt64, target: UInt64, version: String? = nil) {
        self.cluster = cluster
        self.index = index
        self.target = target
        self.version = version
    }

    /// Nothing is to be done: what is observed is what is desired, or what keeps it from that is not for a plan to
    /// change.
    package var isEmpty: Bool { steps.isEmpty }

    /// Of workers that are down, starting or silent, one each: what it will need shows when it is there.
    package var absences: [PlanFinding] {
        findings.filter { [.workerCrashed, .workerStarting, .workerSilent].contains($0.kind) }
    }

    /// An operator has to say `--yes`.
    package var needsYes: Bool { findings.contains(where: \.needsYes) }
}

/// Something that is not as it should be, with what becomes of it and what somebody can do.
package struct PlanFinding: Equatable, Sendable {
    /// The raw values are those of JSON.
    package enum Kind: Hashable, Sendable {
        case outOfService, workerMissing, workerExtra, workerCrashed, workerStarting, workerSilent, wrongVersion,
            wrongConfiguration
        case laterGeneration, restartsWait, staysDraining, linksDown
        case dn(DNException.Kind)

        /// In kebab case, for programs.
        package var word: String {
            switch self {
            case .outOfService: "out-of-service"
            case .workerMissing: "worker-missing"
            case .workerExtra: "worker-extra"
            case .workerCrashed: "worker-crashed"
            case .workerStarting: "worker-starting"
            case .workerSilent: "worker-silent"
            case .wrongVersion: "wrong-version"
            case .wrongConfiguration: "wrong-configuration"
            case .laterGeneration: "later-generation"
            case .restartsWait: "restarts-wait"
            case .staysDraining: "stays-draining"
            case .linksDown: "links-down"
            case .dn(let kind): "dn-\(kind.rawValue)"
            }
        }
    }

    /// What kind of thing is wrong.
    package var kind: Kind
    /// Workers or DNs; of many DNs the first ones.
    package var subjects: [String]
    /// How many there are.
    package var count: UInt64
    /// What is the case; a sentence.
    package var sentence: String
    /// More about some subjects, a line each.
    package var details: [String] = []
    /// What happens by itself; empty for nothing.
    package var byItself = ""
    /// What somebody has to do; empty for nothing.
    package var remedy = ""
    /// The next useful command.
    package var command = ""
    /// Steps put DNs in service out of service, and an operator has to want that.
    package var needsYes = false

    /// What is the case, without what becomes of it.
    package init(_ kind: Kind, _ subjects: [String], count: UInt64? = nil, _ sentence: String) {
        self.kind = kind
        self.subjects = subjects
        self.count = count ?? UInt64(subjects.count)
        self.sentence = sentence
    }
}

extension PlanFinding.Kind: CaseIterable {
    /// In the order in which plans have them, as far as they have one.
    package static var allCases: [Self] {
        [
            .outOfService, .workerMissing, .wrongConfiguration, .workerExtra, .workerCrashed, .workerStarting,
            .workerSilent, .laterGeneration, .staysDraining, .linksDown, .wrongVersion, .restartsWait,
        ] + DNException.Kind.allCases.map { .dn($0) }
    }
}
