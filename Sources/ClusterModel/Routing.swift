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
    /// What agents have to be good at, at least so much; sorted by name.
    package var skills: [Skill]
    /// The greater goes first among calls that wait for the same agent. A call gains a step with every `Timing.ageing` that it waits.
    package var priority: Int
    /// How many calls may wait for an agent at a time, at a router; those beyond go where calls go whose time is up.
    package var maximumWaiting: Int
    /// The routing point that gets a call whose time is up, in place of `defaultDN`.
    package var overflowPoint: DN?
    /// Within which time calls are to be answered, for statistics.
    package var serviceLevel: Duration

    package init(
        dn: DN, strategy: RoutingStrategy = .longestIdle, prefersSameLocation: Bool = false, overflow: Duration = .zero,
        timeout: Duration = RoutingPoint.usualTimeout, ringTimeout: Duration = RoutingPoint.usualRingTimeout,
        defaultDN: DN? = nil, alternates: [DN] = [], skills: [Skill] = [], priority: Int = 0,
        maximumWaiting: Int = RoutingPoint.usualWaiting, overflowPoint: DN? = nil,
        serviceLevel: Duration = RoutingPoint.usualServiceLevel
    ) {
        self.dn = dn
        self.strategy = strategy
        self.prefersSameLocation = prefersSameLocation
        self.overflow = overflow
        self.timeout = timeout
        self.ringTimeout = ringTimeout
        self.defaultDN = defaultDN
        self.alternates = alternates
        self.skills = skills.sorted { $0.name < $1.name }
        self.priority = priority
        self.maximumWaiting = maximumWaiting
        self.overflowPoint = overflowPoint
        self.serviceLevel = serviceLevel
    }

    package static let usualTimeout = Duration.seconds(20)
    package static let usualRingTimeout = Duration.seconds(15)
    /// What a topology may say.
    package static let timeoutBounds = Duration.seconds(1) ... .seconds(3600)
    package static let ringTimeoutBounds = Duration.seconds(1) ... .seconds(180)
    package static let overflowBounds = Duration.zero ... .seconds(3600)
    package static let maximumAlternates = 16
    package static let usualWaiting = 10_000
    package static let usualServiceLevel = Duration.seconds(20)
    package static let priorityBounds = 0...100
    package static let waitingBounds = 1...100_000
    package static let serviceLevelBounds = Duration.seconds(1) ... .seconds(3600)
    package static let maximumSkills = 8
}

/// Who among the free agents gets a call. The raw values are those of topology files.
package enum RoutingStrategy: String, Hashable, Sendable, CaseIterable {
    /// Who has been free for longest.
    case longestIdle = "longest-idle"
    /// Who was chosen before all others.
    case roundRobin = "round-robin"
    /// Anybody.
    case random
    /// Who is best at what the routing point asks for; of equals, who has been free for longest.
    case skill
    /// Who has the greatest priority; of equals, who has been free for longest.
    case priority
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

/// Where a call stands among those that wait at its routing point.
package struct QueuePosition: Hashable, Sendable {
    /// 1 for the next.
    package var position: UInt32
    package var waiting: UInt32

    package init(position: UInt32, waiting: UInt32) {
        self.position = position
        self.waiting = waiting
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
    /// Of the routing point.
    package var priority: Int
    /// How long ago the call came to the node: milliseconds.
    package var waited: UInt64
    /// When it came, by the node's own clock: milliseconds since a moment that the node keeps while it runs. Nil where it does not say.
    package var arrived: UInt64?

    package init(
        connection: CallConnection, routingPoint: DN, caller: String = "", tried: [DN] = [], location: String = "",
        priority: Int = 0, waited: UInt64 = 0, arrived: UInt64? = nil
    ) {
        self.connection = connection
        self.routingPoint = routingPoint
        self.caller = caller
        self.tried = tried
        self.location = location
        self.priority = priority
        self.waited = waited
        self.arrived = arrived
    }
}
