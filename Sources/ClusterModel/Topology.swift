/// A validated topology: what an operator declared, with every reference resolved. `TopologyFile` makes it from YAML.
package struct Topology: Equatable, Sendable {
    package var cluster: String
    /// The SIP domain that phones register with, in lower case.
    package var domain: String
    /// Sorted by name.
    package var agentTypes: [AgentType]
    /// Sorted by name.
    package var dataCenters: [DataCenter]
    /// Sorted by full name; a `NodeIndex` is a position in this list.
    package var nodes: [Node]
    package var directory: DNDirectory
    /// DNs that callers dial to be routed; sorted. None of them is in the directory.
    package var routingPoints: [RoutingPoint]
    /// Ways to the telephone network; sorted by name.
    package var trunks: [Trunk]
    /// Sorted by name.
    package var capacityGroups: [CapacityGroup]
    /// Sorted by full name.
    package var statServers: [StatServerDeclaration]
    /// Sorted by full name.
    package var routers: [RouterDeclaration]
    /// Sorted by full name.
    package var workspaces: [WorkspaceDeclaration]
    package var workspacePolicy: WorkspacePolicy
    package var timing: Timing
    /// How workers are restarted one after the other.
    package var rollout = RolloutPolicy()
    /// What becomes of an agent who logs in a second time.
    package var secondLogin: SecondLogin
    /// What becomes of an agent whose phone was not answered when a routed call rang there.
    package var noAnswer: NoAnswerAction
    /// What is declared of agents.
    package var agentProfiles: [AgentID: AgentProfile]
    /// How clients of the ports prove who they are; nil where TLS alone says it, or nothing does.
    package var clientAuthentication: ClientAuthenticationPolicy?
    /// How many requests a client of a port may make a second; nil where it may make as many as it can.
    package var clientRequestLimit: Int?
    /// How phones prove who they are; nil where anybody may register.
    package var authentication: AuthenticationPolicy?
    /// What one source may send; nil where sources are not limited.
    package var sourceLimits: SourceLimitPolicy?
    /// What nodes show and ask for over TLS; nil where nothing listens over it.
    package var tls: TLSPolicy?
    /// What the file declares and this version does not run yet, in words for people.
    package var notices: [String]

    package init(
        cluster: String, domain: String, agentTypes: [AgentType], dataCenters: [DataCenter], nodes: [Node],
        directory: DNDirectory, routingPoints: [RoutingPoint] = [], trunks: [Trunk] = [],
        capacityGroups: [CapacityGroup] = [], statServers: [StatServerDeclaration] = [],
        routers: [RouterDeclaration] = [], workspaces: [WorkspaceDeclaration] = [],
        workspacePolicy: WorkspacePolicy = WorkspacePolicy(), timing: Timing = Timing(),
        secondLogin: SecondLogin = .latest, noAnswer: NoAnswerAction = .notReady,
        agentProfiles: [AgentID: AgentProfile] = [:], clientAuthentication: ClientAuthenticationPolicy? = nil,
        clientRequestLimit: Int? = nil, authentication: AuthenticationPolicy? = nil,
        sourceLimits: SourceLimitPolicy? = nil, tls: TLSPolicy? = nil, notices: [String] = []
    ) {
        self.cluster = cluster
        self.domain = domain
        self.agentTypes = agentTypes
        self.dataCenters = dataCenters
        self.nodes = nodes
        self.directory = directory
        self.routingPoints = routingPoints
        self.trunks = trunks
        self.capacityGroups = capacityGroups
        self.statServers = statServers
        self.routers = routers
        self.workspaces = workspaces
        self.workspacePolicy = workspacePolicy
        self.timing = timing
        self.secondLogin = secondLogin
        self.noAnswer = noAnswer
        self.agentProfiles = agentProfiles
        self.clientAuthentication = clientAuthentication
        self.clientRequestLimit = clientRequestLimit
        self.authentication = authentication
        self.sourceLimits = sourceLimits
        self.tls = tls
        self.notices = notices
    }

    /// What a topology may say of requests a second.
    package static let clientRequestBounds = 1...1_000_000
    package static let maximumProfiles = 100_000

    package func nodeIndex(named name: String) -> NodeIndex? {
        nodes.firstIndex { $0.name == name }.map { NodeIndex($0) }
    }

    /// The trunk that a DN is dialled through; nil for a DN that is not dialled.
    package func trunk(of dn: DNIndex) -> TrunkIndex? {
        let type = agentTypes[directory.block(of: dn).agentType]
        guard type.phone == .pstn, let name = type.trunk else { return nil }
        return trunks.firstIndex { $0.name == name }.map { TrunkIndex($0) }
    }

    package func name(of node: NodeIndex) -> String {
        nodes[node.position].name
    }
}

/// An agent is logged in on one DN, and a DN has one agent: what becomes of a login that would break this.
package enum SecondLogin: String, Hashable, Sendable, CaseIterable {
    /// The later login wins, and the earlier session is logged out.
    case latest
    /// It is refused as long as the node hears of the earlier session.
    case refuse
}

/// Clients of the ports prove that they know a secret, without saying it.
package struct ClientAuthenticationPolicy: Hashable, Sendable {
    /// Path of the file with the clients' secrets, as the topology says it: beside the topology file unless absolute.
    package var secrets: String

    package init(secrets: String) {
        self.secrets = secrets
    }
}

/// Digest authentication of phones (RFC 3261 section 22).
package struct AuthenticationPolicy: Hashable, Sendable {
    /// What phones show to people, and what HA1 is made with. Without quotes and backslashes.
    package var realm: String
    /// Path of the file with the users' passwords, as the topology says it: beside the topology file unless absolute.
    package var users: String
    /// The challenges of a 401, in this order. Phones shall take the first that they know (RFC 8760 section 2.4); those that
    /// know MD5 only, and give up when something else comes first, need it first, or alone.
    package var algorithms: [DigestAlgorithm]

    package init(realm: String, users: String, algorithms: [DigestAlgorithm] = AuthenticationPolicy.strongestFirst) {
        self.realm = realm
        self.users = users
        self.algorithms = algorithms
    }

    package static let strongestFirst: [DigestAlgorithm] = [.sha512_256, .sha256, .md5]
}

/// What one source, an IPv4 address or an IPv6 /64, may do a second; nil where it may do as much as it can.
package struct SourceLimitPolicy: Hashable, Sendable {
    /// SIP messages, whatever brings them.
    package var datagrams: Int?
    /// Requests whose credentials turn out to be wrong.
    package var attempts: Int?
    /// New SIP connections.
    package var connections: Int?

    package init(datagrams: Int? = nil, attempts: Int? = nil, connections: Int? = nil) {
        self.datagrams = datagrams
        self.attempts = attempts
        self.connections = connections
    }

    /// What a topology may say.
    package static let datagramBounds = 1...1_000_000
    package static let attemptBounds = 1...1000
    package static let connectionBounds = 1...10_000
}

/// What one DN's phones may prove themselves with.
package struct Credential: Equatable, Sendable {
    /// The username.
    package var dn: DN
    package var secret: Secret

    package enum Secret: Equatable, Sendable {
        case password(String)
        /// H(username ":" realm ":" password), empty where it is not known: MD5, SHA-256 and SHA-512-256 (RFC 7616 section
        /// 3.4.2). 16, 32 and 32 bytes.
        case hashes(md5: [UInt8], sha256: [UInt8], sha512_256: [UInt8])
    }

    package init(dn: DN, secret: Secret) {
        self.dn = dn
        self.secret = secret
    }
}

/// A kind of agent phone.
package struct AgentType: Hashable, Sendable {
    package enum Phone: String, Hashable, Sendable, CaseIterable {
        /// Registers with SIP REGISTER.
        case sip
        /// Dialled through a trunk; in service while a desktop is registered for it.
        case pstn
    }

    package var name: String
    package var phone: Phone
    package var registration: RegistrationLimits
    /// The trunk through which a PSTN phone is dialled.
    package var trunk: String?

    package init(
        name: String, phone: Phone, registration: RegistrationLimits = RegistrationLimits(), trunk: String? = nil
    ) {
        self.name = name
        self.phone = phone
        self.registration = registration
        self.trunk = trunk
    }
}

/// Bounds on what a phone may ask for in a REGISTER (RFC 3261 section 10.3, steps 6 and 7).
package struct RegistrationLimits: Hashable, Sendable {
    /// Whole seconds. Below the minimum a phone gets 423; above the maximum it gets the maximum.
    package var minimumExpires: UInt32
    package var defaultExpires: UInt32
    package var maximumExpires: UInt32
    /// How many contacts a DN may have at a time.
    package var contacts: Int
    /// How often the owner asks a phone whether it is there; nil for never.
    package var probeInterval: Duration?

    package init(
        minimumExpires: UInt32 = 60, defaultExpires: UInt32 = 300, maximumExpires: UInt32 = 3600, contacts: Int = 4,
        probeInterval: Duration? = nil
    ) {
        self.minimumExpires = minimumExpires
        self.defaultExpires = defaultExpires
        self.maximumExpires = maximumExpires
        self.contacts = contacts
        self.probeInterval = probeInterval
    }
}

package struct DataCenter: Hashable, Sendable {
    package var name: String
    /// Where the data center stands, in the operator's words; equal locations are near each other.
    package var location: String

    package init(name: String, location: String) {
        self.name = name
        self.location = location
    }
}

/// Where a node speaks SIP.
package struct SIPListener: Hashable, Sendable, CustomStringConvertible {
    package enum Transport: String, Hashable, Sendable, CaseIterable {
        case udp, tcp, tls
    }

    package var transport: Transport
    package var address: NetworkAddress

    package init(transport: Transport, address: NetworkAddress) {
        self.transport = transport
        self.address = address
    }

    package var description: String { "\(transport.rawValue):\(address)" }
}

/// A SIP server of the cluster.
package struct Node: Hashable, Sendable {
    /// `dc1/sip1`.
    package var name: String
    /// Position in `Topology.dataCenters`.
    package var dataCenter: Int
    /// The host whose controller runs the node.
    package var host: String
    package var sip: [SIPListener]
    package var tcontroller: StreamAddress
    package var defaultPort: StreamAddress?
    package var mesh: StreamAddress

    package init(
        name: String, dataCenter: Int, host: String = "local", sip: [SIPListener], tcontroller: StreamAddress,
        defaultPort: StreamAddress? = nil, mesh: StreamAddress
    ) {
        self.name = name
        self.dataCenter = dataCenter
        self.host = host
        self.sip = sip
        self.tcontroller = tcontroller
        self.defaultPort = defaultPort
        self.mesh = mesh
    }
}

/// The timers of the cluster.
package struct Timing: Hashable, Sendable {
    /// After this much silence a link is pinged.
    package var keepalive: Duration = .milliseconds(500)
    /// After this long without a byte a link is lost.
    package var linkTimeout: Duration = .seconds(2)
    /// A stamp further ahead of the local clock than this raises a condition.
    package var clockSkewLimit: Duration = .seconds(5)
    /// How long a PSTN DN outlives the last desktop connection that registered it.
    package var desktopGrace: Duration = .seconds(10)
    /// How long a reservation of an agent lasts where its request does not say.
    package var reservation: Duration = .seconds(10)
    /// How long the requests for an agent are collected before one of them gets it; zero for first come, first served.
    package var reservationWindow: Duration = .zero
    /// How long an agent is not ready after a call; zero for not at all.
    package var afterCallWork: Duration = .zero
    /// How long a call waits until it is as urgent as one whose routing point has a priority greater by one; zero for never.
    package var ageing: Duration = .seconds(30)
    /// For how long at the most nobody reads while a node's process hands over; then it serves on. No longer than half of `linkTimeout`.
    package var handoverHold: Duration = .seconds(1)
    /// A call that is established for longer than this is over, as far as its nodes know.
    package var maximumCall: Duration = .seconds(12 * 3600)
    /// Without a refresh for so long a call is over, where its phones agree on nothing else (RFC 4028).
    package var sessionExpires: Duration = .seconds(1800)

    package init() {}
}
