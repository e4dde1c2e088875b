/// A workspace: the HTTP server at which agents sit down with a browser.
package struct WorkspaceDeclaration: Hashable, Sendable {
    /// The most of one cluster.
    package static let maximumCount = 512
    package static let maximumProxies = 8

    /// `dc1/desk1`.
    package var name: String
    /// Position in `Topology.dataCenters`.
    package var dataCenter: Int
    /// The host whose controller runs it.
    package var host: String
    package var listen: NetworkAddress
    /// Browsers speak TLS with it. Its certificate is in `Topology.tls`, by its full name.
    package var isSecure: Bool
    /// What browsers call it: an origin, `https://desk1.example.com`.
    package var url: String
    /// Whose word counts for where a request came from. The ports mean nothing.
    package var proxies: [NetworkAddress]

    package init(
        name: String, dataCenter: Int, host: String = "local", listen: NetworkAddress, isSecure: Bool = false,
        url: String, proxies: [NetworkAddress] = []
    ) {
        self.name = name
        self.dataCenter = dataCenter
        self.host = host
        self.listen = listen
        self.isSecure = isSecure
        self.url = url
        self.proxies = proxies
    }
}

/// What holds at all workspaces of a cluster.
package struct WorkspacePolicy: Hashable, Sendable {
    package static let maximumReasons = 32
    /// Bytes.
    package static let reasonLengths = 1...48
    package static let idleBounds = Duration.seconds(60)...Duration.seconds(24 * 3600)
    package static let sessionBounds = Duration.seconds(300)...Duration.seconds(168 * 3600)

    /// Path of the file with the agents' passwords, as the topology says it; nil where nobody can sign in. Workers are not
    /// told it.
    package var agents: String?
    /// Why an agent may be not ready.
    package var reasons: [String]
    /// A session that no page looks at ends after this long.
    package var idle: Duration
    /// A session ends this long after its password.
    package var session: Duration

    package init(
        agents: String? = nil, reasons: [String] = ["break", "lunch", "meeting", "training"],
        idle: Duration = .seconds(30 * 60), session: Duration = .seconds(12 * 3600)
    ) {
        self.agents = agents
        self.reasons = reasons
        self.idle = idle
        self.session = session
    }
}

/// An agent who may sign in at workspaces.
package struct AgentAccount: Hashable, Sendable {
    /// The most of one cluster.
    package static let maximumCount = 100_000
    package static let maximumDNs = 16
    /// Bytes of `hash`.
    package static let maximumHash = 256

    package var agent: AgentID
    /// `$scrypt$ln=15,r=8,p=3$SALT$HASH`; never the password.
    package var hash: String
    /// Where the agent may sit down; empty for every DN that nobody has.
    package var dns: [DN]
    package var isSupervisor: Bool

    package init(agent: AgentID, hash: String, dns: [DN] = [], isSupervisor: Bool = false) {
        self.agent = agent
        self.hash = hash
        self.dns = dns
        self.isSupervisor = isSupervisor
    }
}

/// What workspaces sign sessions with.
package enum SessionKey {
    package static let maximumCount = 4
    /// Bytes.
    package static let lengths = 32...64
}

/// Where a request came from: an IPv4 address, or an IPv6 address, whose /64 stands for it where it is limited.
package struct SourceID: Hashable, Sendable, CustomStringConvertible {
    /// Its port is 0.
    package let address: NetworkAddress

    package init(_ address: NetworkAddress) {
        self.address = address.with(port: 0)
    }

    /// All that belongs to one who has the address.
    package var key: UInt64 { address.isIPv4 ? 0xFFFF_FFFF_0000_0000 | UInt64(address.ipv4) : address.high }

    /// The address without a port.
    package var description: String { address.host }
}
