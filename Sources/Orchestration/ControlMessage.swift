package import ClusterModel

/// What a controller tells a worker.
package enum WorkerOrder: Equatable, Sendable {
    /// Who the worker is, and the topology; its DNs follow in `provision`.
    case configure(WorkerSetup)
    case provision([DNBlock], dialStrings: [DialString])
    /// More of what is declared of agents, before the order to start.
    case provisionAgents([DeclaredAgent])
    /// Some of the DNs' HA1s. Those of the first piece to the last take the place of all that were told before.
    case credentials(CredentialPiece)
    /// Some of the clients' secrets. Those of the first piece to the last take the place of all that were told before.
    case clientSecrets(ClientSecretPiece)
    /// Some of the agents who may sign in; workspaces alone are told. Those of the first piece to the last take the place of all
    /// that were told before.
    case agentAccounts(AgentAccountPiece)
    /// What workspaces sign sessions with, the first of them; they take the place of those before.
    case sessionKeys([[UInt8]])
    /// What the worker shows and asks for over TLS from now on.
    case certificates(CertificateSet)
    case start
    /// What was told since the last `configure` takes the place of the topology that the worker runs under; it serves on.
    case applyTopology
    /// In place of `start`: the worker takes the place of the process that listens at this path, as soon as that has handed
    /// everything over.
    case takeOver(from: String)
    /// Another process of the same worker, of this incarnation, will come and ask for everything.
    case handOver(to: Incarnation)
    /// That process says so, at the adoption socket.
    case succeed(Incarnation)
    /// Phones and desktops are to leave the node; nil: they may stay.
    case drain(DrainRequest?)
    case stop
    /// Another process serves beside this one, which is to stop when the other has had time to find its connections.
    case standDown
    /// At the adoption socket: the worker is to give descriptors of what it serves at, and goes on with its own.
    case lendSockets
    /// The sender is the worker's controller from now on; whether the worker ends with it.
    case adopt(endsWithController: Bool)
    /// Whether with measures, for which a node looks at every DN.
    case report(request: UInt64, measures: Bool = false)
    case showDN(request: UInt64, dn: String)
    case showHistory(request: UInt64, dn: String)
    case listDNs(request: UInt64, DNFilter)
    case listCalls(request: UInt64, CallFilter)
    case listAgents(request: UInt64, AgentFilter)
    /// Routers alone are asked.
    case explainRoute(request: UInt64, RouteQuestion)
    /// Stat Servers alone are asked.
    case countUp(request: UInt64, StatisticsQuestion)
    case reportReach(request: UInt64)
}

/// HA1s of some DNs, in columns (RFC 7616 section 3.4.2). Passwords do not leave the controller.
package struct CredentialPiece: Equatable, Sendable {
    /// The most DNs of one piece.
    package static let maximumCount = 8_192
    /// Bytes for a DN: MD5, SHA-256 and SHA-512-256, one after the other.
    package static let entrySize = 80

    package var isFirst = false
    package var isLast = false
    package var dns: [DN] = []
    /// By DN: bit 0 for MD5, 1 for SHA-256, 2 for SHA-512-256.
    package var known: [UInt8] = []
    /// `entrySize` bytes a DN, zeros for what is not known.
    package var hashes: [UInt8] = []

    package init() {}
}

/// Secrets of some clients of the ports.
package struct ClientSecretPiece: Equatable, Sendable {
    /// The most of one piece.
    package static let maximumCount = 2_048

    package var isFirst: Bool
    package var isLast: Bool
    package var secrets: [ClientSecret]

    package init(isFirst: Bool, isLast: Bool, secrets: [ClientSecret]) {
        self.isFirst = isFirst
        self.isLast = isLast
        self.secrets = secrets
    }
}

/// Accounts of some agents.
package struct AgentAccountPiece: Equatable, Sendable {
    /// The most of one piece.
    package static let maximumCount = 1_024

    package var isFirst: Bool
    package var isLast: Bool
    package var accounts: [AgentAccount]

    package init(isFirst: Bool, isLast: Bool, accounts: [AgentAccount]) {
        self.isFirst = isFirst
        self.isLast = isLast
        self.accounts = accounts
    }
}

/// PEM files, as the controller read them.
package struct CertificateSet: Equatable, Sendable {
    package struct File: Equatable, Sendable {
        /// What an error calls it; not empty.
        package var path: String
        package var bytes: [UInt8]

        package init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    /// The longest file: all three fit into a frame.
    package static let maximumSize = 256 * 1024

    package var certificate: File
    package var key: File
    /// Those whose word counts for others' certificates; nil where nobody needs one.
    package var authorities: File?
    /// Of phones, and of clients of the ports; mean nothing without authorities.
    package var phones = TLSPolicy.Demand.required
    package var clients = TLSPolicy.Demand.optional

    package init(certificate: File, key: File, authorities: File?) {
        self.certificate = certificate
        self.key = key
        self.authorities = authorities
    }
}

/// What the topology says of an agent.
package struct DeclaredAgent: Equatable, Sendable {
    /// In one message.
    package static let maximumCount = 2_048

    package var agent: AgentID
    package var profile: AgentProfile

    package init(agent: AgentID, profile: AgentProfile) {
        self.agent = agent
        self.profile = profile
    }
}

package struct DialString: Equatable, Sendable {
    package var dn: DN
    package var dial: String

    package init(dn: DN, dial: String) {
        self.dn = dn
        self.dial = dial
    }
}

/// A worker's identity and its topology without the DNs.
package struct WorkerSetup: Equatable, Sendable {
    /// What the worker is, and its full name whatever it is.
    package var role = RoleName.sip
    package var node: String
    package var incarnation: Incarnation
    package var generation: UInt64
    package var cluster: String
    package var domain: String
    package var agentTypes: [AgentType]
    package var dataCenters: [DataCenter]
    package var nodes: [Node]
    package var timing: Timing
    package var homes: [[Int]]
    /// What is expected of DNs; the first is nil.
    package var expectations: [ServiceExpectation?] = [nil]
    /// How phones prove who they are, without the path of the passwords; nil where anybody may register.
    package var authentication: AuthenticationPolicy?
    /// What one source may send; nil where sources are not limited.
    package var sourceLimits: SourceLimitPolicy?
    package var routingPoints: [RoutingPoint] = []
    package var trunks: [Trunk] = []
    package var capacityGroups: [CapacityGroup] = []
    package var statServers: [StatServerDeclaration] = []
    package var routers: [RouterDeclaration] = []
    package var workspaces: [WorkspaceDeclaration] = []
    /// Without the path of the agents' passwords.
    package var workspacePolicy = WorkspacePolicy()
    package var secondLogin = SecondLogin.latest
    package var noAnswer = NoAnswerAction.notReady
    package var clientRequestLimit: Int?
    /// How clients prove who they are, without the path of the secrets; nil where no proof is demanded.
    package var clientAuthentication: ClientAuthenticationPolicy?
    /// Where a later controller finds the worker; empty for nowhere.
    package var adoptionSocket = ""
    /// What the worker was given to serve at, in the order of the descriptors.
    package var sockets: [String] = []
    /// Of a node: the file in which it keeps what it remembers; empty for none.
    package var store = ""
    /// Whether the worker stops when its controller is gone. Otherwise it serves on, and waits to be found.
    package var endsWithController = false
    /// Of all that the controller tells, as it counts it; the worker only tells it to a later controller.
    package var topologyDigest = TopologyDigest()

    package init(
        role: RoleName = .sip, node: String, incarnation: Incarnation, generation: UInt64, topology: Topology
    ) {
        self.role = role
        self.node = node
        self.incarnation = incarnation
        self.generation = generation
        cluster = topology.cluster
        domain = topology.domain
        agentTypes = topology.agentTypes
        dataCenters = topology.dataCenters
        nodes = topology.nodes
        timing = topology.timing
        homes = topology.directory.homes
        expectations = topology.directory.expectations
        authentication = topology.authentication.map {
            AuthenticationPolicy(realm: $0.realm, users: "", algorithms: $0.algorithms)
        }
        sourceLimits = topology.sourceLimits
        routingPoints = topology.routingPoints
        trunks = topology.trunks
        capacityGroups = topology.capacityGroups
        statServers = topology.statServers
        routers = topology.routers
        workspaces = topology.workspaces
        workspacePolicy = topology.workspacePolicy
        workspacePolicy.agents = nil
        secondLogin = topology.secondLogin
        noAnswer = topology.noAnswer
        clientRequestLimit = topology.clientRequestLimit
        clientAuthentication = topology.clientAuthentication.map { _ in ClientAuthenticationPolicy(secrets: "") }
    }

    package init(
        node: String, incarnation: Incarnation, generation: UInt64, cluster: String, domain: String,
        agentTypes: [AgentType], dataCenters: [DataCenter], nodes: [Node], timing: Timing, homes: [[Int]]
    ) {
        self.node = node
        self.incarnation = incarnation
        self.generation = generation
        self.cluster = cluster
        self.domain = domain
        self.agentTypes = agentTypes
        self.dataCenters = dataCenters
        self.nodes = nodes
        self.timing = timing
        self.homes = homes
    }

    /// The worker goes on under another topology; what it is and where it is found stays.
    package mutating func goOn(under later: WorkerSetup) {
        let former = self
        self = later
        adoptionSocket = former.adoptionSocket
        sockets = former.sockets
        store = former.store
        endsWithController = former.endsWithController
        incarnation = former.incarnation
    }

    /// The whole topology again.
    package func topology(
        blocks: [DNBlock], dialStrings: [DialString], agents: [DeclaredAgent] = []
    ) -> Topology {
        let dials = Dictionary(dialStrings.map { ($0.dn, $0.dial) }, uniquingKeysWith: { first, _ in first })
        return Topology(
            cluster: cluster, domain: domain, agentTypes: agentTypes, dataCenters: dataCenters, nodes: nodes,
            directory: DNDirectory(blocks: blocks, homes: homes, expectations: expectations, dialStrings: dials),
            routingPoints: routingPoints,
            trunks: trunks, capacityGroups: capacityGroups, statServers: statServers, routers: routers,
            workspaces: workspaces, workspacePolicy: workspacePolicy, timing: timing,
            secondLogin: secondLogin, noAnswer: noAnswer,
            agentProfiles: Dictionary(agents.map { ($0.agent, $0.profile) }) { $1 },
            clientAuthentication: clientAuthentication,
            clientRequestLimit: clientRequestLimit, authentication: authentication, sourceLimits: sourceLimits
        )
    }
}

/// What a worker tells its controller.
package enum WorkerNews: Equatable, Sendable {
    /// So many descriptors go with one message.
    package static let maximumSockets = 16

    case ready
    /// The event loop turns.
    case heartbeat
    /// The first thing that a worker says to a controller that found it.
    case introduction(WorkerIntroduction)
    /// The worker cannot serve; it exits after saying so.
    case failed(String)
    /// In place of `ready`: it serves where another process of the worker did.
    case tookOver(Takeover)
    /// Another process serves in this one's place. So many connections over TLS, whose keys cannot go, are passed on to it until they end; then
    /// this process does.
    case relays(UInt32)
    /// There was no handover: the process that served goes on, and why.
    case servesOn(String)
    /// What has become of the order to apply a topology.
    case topologyApplied(TopologyApplied)
    /// What the descriptors are that come along, in their order.
    case lentSockets([String])
    case report(NodeReport)
    case dn(DNReport)
    case history(DNHistory)
    case dnList(DNList)
    case calls(CallList)
    case agents(AgentList)
    case route(RouteAnswer)
    case statistics(StatisticsAnswer)
    case reach(ReachReport)
    /// Told unasked, at the change.
    case linkChanged(LinkChange)
    case clientCutOff(ClientCutOff)
}

/// How a worker came to run under another topology while it served.
package struct TopologyApplied: Equatable, Sendable {
    /// Of the topology that was to be applied.
    package var generation: UInt64
    /// Why it goes on under the former; empty where it does not.
    package var problem: String
    /// From the order on.
    package var nanoseconds: UInt64
    /// For how long nothing was read meanwhile, nanoseconds.
    package var gap: UInt64

    package init(generation: UInt64, problem: String = "", nanoseconds: UInt64 = 0, gap: UInt64 = 0) {
        self.generation = generation
        self.problem = problem
        self.nanoseconds = nanoseconds
        self.gap = gap
    }
}

/// How a process came to take the place of another.
package struct Takeover: Equatable, Sendable {
    /// From when the one read nothing more until the other did, nanoseconds.
    package var gap: UInt64
    /// Datagrams that the sockets had no room for meanwhile.
    package var lostDatagrams: UInt64
    /// DNs that the node owns, and has in service.
    package var inService: UInt64
    /// Connections that went over, and those that could not.
    package var connections: UInt64
    package var endedConnections: UInt64

    package init(
        gap: UInt64 = 0, lostDatagrams: UInt64 = 0, inService: UInt64 = 0, connections: UInt64 = 0,
        endedConnections: UInt64 = 0
    ) {
        self.gap = gap
        self.lostDatagrams = lostDatagrams
        self.inService = inService
        self.connections = connections
        self.endedConnections = endedConnections
    }
}

/// What an operator's command asks the controller.
package enum OperatorRequest: Equatable, Sendable {
    case status
    case showDN(String)
    /// What has become of a DN.
    case showHistory(String)
    case listDNs(DNFilter)
    case listCalls(CallFilter)
    case listAgents(AgentFilter)
    case explainRoute(RouteQuestion)
    case statistics(StatisticsQuestion)
    /// What each node's callers could be connected with.
    case reach
    /// - follow: whether the answers go on as things happen.
    case events(EventStart, follow: Bool)
    case restart(RestartRequest)
    /// The phones and desktops of a node, by its full name, are to leave it; nil: they may stay.
    case drain(node: String, DrainRequest?)
    /// How the rollout is, after a change if there is to be one.
    case rollout(RolloutChange?)
    /// The files are to be read again.
    case reload
    /// A part of a topology that is to be applied.
    case topologyPiece(TopologyPiece)
    /// What a plan is made of.
    case planInputs
    case apply(ApplyRequest)
    /// How far the workers are on their way to the topology that is applied.
    case change
    /// The topologies that were applied.
    case appliedTopologies
    case topologyText(generation: UInt64)
}

/// What has become of the files that a controller was asked to read again.
package struct ReloadReport: Equatable, Sendable {
    package enum Outcome: UInt32, Equatable, Sendable, CaseIterable {
        case unchanged
        case taken
        /// An operator has to accept first what it does.
        case waits
        /// There is a mistake in it; what was known before goes on.
        case refused
    }

    package struct File: Equatable, Sendable {
        /// `topology`, `credentials`, `certificates`.
        package var what: String
        package var outcome: Outcome
        /// What is wrong, or what to do; several lines perhaps.
        package var message: String

        package init(_ what: String, _ outcome: Outcome, _ message: String = "") {
            self.what = what
            self.outcome = outcome
            self.message = message
        }
    }

    package static let maximumFiles = 16

    package var files: [File]

    package init(_ files: [File]) {
        self.files = files
    }
}

/// How a node is drained.
package struct DrainRequest: Equatable, Sendable {
    package static let patienceBounds: ClosedRange<UInt64> = 1_000...86_400_000
    package static let paceBounds: ClosedRange<UInt32> = 1...100_000

    /// How long calls may go on.
    package var patienceMilliseconds: UInt64 = 600_000
    /// Phones that are sent elsewhere a second.
    package var pace: UInt32 = 100

    package init() {}
}

/// Which workers are to be restarted, and how.
package struct RestartRequest: Equatable, Sendable {
    /// The most names.
    package static let maximumWorkers = 1_024

    /// Empty for all.
    package var workers: [String] = []
    /// One after the other, as the policy says; otherwise all together.
    package var isRolling = false
    /// Of these, what differs from the topology's policy.
    package var maxUnavailable: UInt32?
    package var minHealthyMilliseconds: UInt64?
    package var deadlineMilliseconds: UInt64?
    package var onFailure: String?

    package init() {}
}

/// What an operator wants of a rollout. The raw values travel.
package enum RolloutChange: UInt32, Equatable, Sendable, CaseIterable {
    case pause = 1
    case resume = 2
    case abort = 3
}

package enum OperatorAnswer: Equatable, Sendable {
    case status(ClusterStatus)
    case dn(DNDetails)
    case history(DNHistories)
    case dnList(DNList)
    case calls(CallList)
    case agents(AgentList)
    case routes(RouteAnswers)
    case statistics(StatisticsAnswer)
    case reach([NodeReach])
    case events(EventBatch)
    /// It is done, and there is nothing else to say.
    case done
    /// Nil before there was one.
    case rollout(RolloutMachine?)
    case reloaded(ReloadReport)
    /// The texts of the topologies follow.
    case planInputs(PlanInputs)
    case topologyText(TopologyPiece)
    case change(ChangeStatus)
    /// By generation.
    case appliedTopologies([AppliedEntry])
    /// With the exit code for the command.
    case refused(message: String, exitCode: UInt32)
}
