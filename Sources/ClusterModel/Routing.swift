/// A DN that callers dial to be routed to an agent.
package struct RoutingPoint: Hashable, Sendable {
    package var dn: DN
    package var strategy: RoutingStrategy
    /// Agents at the location of the node that has the call go first.
    package var prefersSameLocation: Bool
    /// How long a call waits for an agent at its own location while there are free agents elsewhere; zero for not at all. Means
    /// nothing where location does not count.
    package var overflow: Duration
    /// How long a call may wait until it is on its way to an agent: after that it goes to `defaultDN`.
    package var timeout: Duration
    /// How long an agent's phone may ring before the call goes to the next agent.
    package var ringTimeout: Duration
    /// Where calls go that nobody routes; nil to go to `alternates` at once.
    package var defaultDN: DN?
    /// Where calls go when `defaultDN` does not take them: one after the other, and each call begins with another.
    package var alternates: [DN]

    package init(
        dn: DN, strategy: RoutingStrategy = .longestIdle, prefersSameLocation: Bool = false, overflow: Duration = .zero,
        timeout: Duration = RoutingPoint.usualTimeout, ringTimeout: Duration = RoutingPoint.usualRingTimeout,
        defaultDN: DN? = nil, alternates: [DN] = []
    ) {
        self.dn = dn
        self.strategy = strategy
        self.prefersSameLocation = prefersSameLocation
        self.overflow = overflow
        self.timeout = timeout
        self.ringTimeout = ringTimeout
        self.defaultDN = defaultDN
        self.alternates = alternates
    }

    package static let usualTimeout = Duration.seconds(20)
    package static let usualRingTimeout = Duration.seconds(15)
    /// What a topology may say.
    package static let timeoutBounds = Duration.seconds(1) ... .seconds(3600)
    package static let ringTimeoutBounds = Duration.seconds(1) ... .seconds(180)
    package static let overflowBounds = Duration.zero ... .seconds(3600)
    package static let maximumAlternates = 16
}

/// Who among the free agents gets a call. The raw values are those of topology files.
package enum RoutingStrategy: String, Hashable, Sendable, CaseIterable {
    /// Who has been free for longest.
    case longestIdle = "longest-idle"
    /// Who was chosen before all others.
    case roundRobin = "round-robin"
    /// Anybody.
    case random
}

/// What becomes of an agent whose phone was not answered when a routed call rang there, so that the next call does not ring
/// there as well. The raw values are those of topology files.
package enum NoAnswerAction: String, Hashable, Sendable, CaseIterable {
    case notReady = "notready"
    /// Not ready, with the work mode `walk-away`.
    case walkAway = "walkaway"
    /// The agent stays ready.
    case none
}

/// A gateway to the telephone network.
package struct Trunk: Hashable, Sendable {
    package var name: String
    /// Where the gateway is, and what it speaks.
    package var gateway: SIPListener
    /// How many calls go over it at a time; nil for any number.
    package var capacity: Int?

    package init(name: String, gateway: SIPListener, capacity: Int? = nil) {
        self.name = name
        self.gateway = gateway
        self.capacity = capacity
    }

    /// What a topology may say.
    package static let capacityBounds = 1...100_000

    /// Whether a message that came so is from the gateway. Over UDP it comes from where the gateway listens; a stream has another
    /// port at its own end.
    package func isSource(_ address: NetworkAddress, over transport: SIPListener.Transport) -> Bool {
        guard transport == gateway.transport else { return false }
        return transport == .udp
            ? address == gateway.address
            : address.high == gateway.address.high && address.low == gateway.address.low
    }
}

/// A Stat Server of a data center.
package struct StatServerDeclaration: Hashable, Sendable {
    /// `dc1/stat1`.
    package var name: String
    /// Position in `Topology.dataCenters`.
    package var dataCenter: Int
    /// The host whose controller runs it.
    package var host: String
    /// Where routers and commands ask it; nil where the controller chooses a path for a Unix socket.
    package var listen: StreamAddress?

    package init(name: String, dataCenter: Int, host: String = "local", listen: StreamAddress? = nil) {
        self.name = name
        self.dataCenter = dataCenter
        self.host = host
        self.listen = listen
    }
}

/// A router of a data center.
package struct RouterDeclaration: Hashable, Sendable {
    /// `dc1/router1`.
    package var name: String
    /// Position in `Topology.dataCenters`.
    package var dataCenter: Int
    /// The host whose controller runs it.
    package var host: String

    package init(name: String, dataCenter: Int, host: String = "local") {
        self.name = name
        self.dataCenter = dataCenter
        self.host = host
    }
}

/// A call at a routing point that a router is asked about (EventRouteRequest).
package struct RouteRequest: Equatable, Sendable {
    package var connection: CallConnection
    /// What the caller dialled.
    package var routingPoint: DN
    /// Who calls, as the INVITE says it.
    package var caller: String
    /// Where the call has been without being taken, in that order.
    package var tried: [DN]
    /// Where the node is that has the call; empty where nobody says so.
    package var location: String

    package init(
        connection: CallConnection, routingPoint: DN, caller: String = "", tried: [DN] = [], location: String = ""
    ) {
        self.connection = connection
        self.routingPoint = routingPoint
        self.caller = caller
        self.tried = tried
        self.location = location
    }
}
