import AgentSessions
import ClusterModel
import TLibraryPorts
package import Wire

/// What a node has said on its port.
public struct TLibraryEvent: Sendable, Equatable {
    /// The events, with the T-Library's names as raw values.
    public enum Kind: String, Sendable, CaseIterable {
        /// A request was refused.
        case error = "EventError"
        /// The client is registered for a DN.
        case registered = "EventRegistered"
        /// The client is no longer registered for a DN.
        case unregistered = "EventUnregistered"
        /// A call waits at one of the node's routing points.
        case queued = "EventQueued"
        /// A call has left one of the node's routing points, or goes from there to its default DN; see `point`.
        case diverted = "EventDiverted"
        /// The caller of a DN's call, or of one at a routing point (`point`), has given up before anybody answered.
        case abandoned = "EventAbandoned"
        /// A DN's phone rings.
        case ringing = "EventRinging"
        /// A DN calls somebody.
        case dialing = "EventDialing"
        /// A DN's call was answered.
        case established = "EventEstablished"
        /// A DN's call is over, or somebody else has it now.
        case released = "EventReleased"
        /// At a default port: a call at a routing point is to be sent somewhere, which this library cannot do yet.
        case routeRequest = "EventRouteRequest"
        /// At a default port: a call at a routing point is on its way to somebody.
        case routeUsed = "EventRouteUsed"
        /// An agent has logged in.
        case agentLogin = "EventAgentLogin"
        /// An agent has logged out.
        case agentLogout = "EventAgentLogout"
        /// An agent is ready.
        case agentReady = "EventAgentReady"
        /// An agent is not ready.
        case agentNotReady = "EventAgentNotReady"
        /// The answer to a query of a DN.
        case addressInfo = "EventAddressInfo"
        /// What the node says of itself.
        case serverInfo = "EventServerInfo"
        /// The node has lost a peer.
        case linkDisconnected = "EventLinkDisconnected"
        /// The node hears a peer.
        case linkConnected = "EventLinkConnected"
        /// An agent is reserved for the client.
        case agentReserved = "EventAgentReserved"
        /// A request was done that has no event of its own.
        case acknowledged = "EventACK"
        /// A DN has gone out of service.
        case dnOutOfService = "EventDNOutOfService"
        /// A DN is in service.
        case dnBackInService = "EventDNBackInService"
        /// What else there is to say of DNs and owners; see `info`.
        case privateInfo = "EventPrivateInfo"
    }

    /// What an EventPrivateInfo is about.
    public enum Info: String, Sendable {
        /// DNs as they are: of a snapshot, or changed in another way than in their service.
        case dnStatus = "ClusterDNStatus"
        /// The snapshot is complete.
        case endOfSnapshot = "EndOfSnapshot"
        /// The node does not hear an owner any more: all of its DNs are out of service. Only if such events were asked for.
        case ownerUnreachable = "OwnerUnreachable"
        /// All DNs of an owner that was not heard have been told.
        case ownerReachable = "OwnerReachable"
        /// Where a DN's owner is.
        case ownerHint = "OwnerHint"
        /// The node is being drained: the DN should be registered where the event says, with the token that the client has.
        case moveHint = "MoveHint"
    }

    /// Words of who asked, such as why an agent is not ready.
    public struct Reason: Sendable, Hashable {
        /// What it is about.
        public let key: String
        /// What is said of it.
        public let value: String
    }

    /// Everything that came, as the wire has it.
    package let received: ReceivedEvent
    /// Which event it is.
    public let kind: Kind

    /// - Returns: nil for what is no event.
    package init?(_ received: ReceivedEvent) {
        guard let kind = Kind(rawValue: received.type.name) else { return nil }
        self.received = received
        self.kind = kind
    }

    /// With `privateInfo`: what it is about.
    public var info: Info? { Info(rawValue: received.privateInfo.rawValue) }
    /// Full name of the node that sent the event.
    public var node: String { received.server }
    /// When it did, by its clock: milliseconds since 1970.
    public var timeMilliseconds: UInt64 { received.timeMilliseconds }
    /// The DN that the event is about; empty where it is about none, or about those in `dns`.
    public var dn: String { received.thisDN }
    /// DNs as the node shows them now.
    public var dns: [TLibraryDN] { received.statuses.map(TLibraryDN.init) }
    /// Whose event it is, with an agent's event and with a reservation; empty in others.
    public var agent: String { received.agentID }
    /// With a call's event: the call as it is, or was last.
    public var call: TLibraryCall? { received.call.map(TLibraryCall.init) }
    /// With a routing point's event: what has become of the call. The routing point is `dn`.
    public var point: TLibraryPointChange? { TLibraryPointChange(received) }
    /// With an agent's event.
    public var workMode: TLibraryWorkMode { TLibraryWorkMode(received.workMode) }
    /// With an agent's event: what the client said, and the `site` of the DN's owner.
    public var reasons: [Reason] { received.reasons.map { Reason(key: $0.key, value: $0.value) } }
    /// With a link's event the peer, with an owner's event the owner: a full name.
    public var peer: String { received.owner }
    /// With an owner hint: the owner's port.
    public var ownerAddress: String { received.ownerAddress }
    /// With `registered`, where the client holds the DN in service: what a desktop that comes back shows.
    public var desktop: UInt64? { received.desktopToken?.number }
    /// Where the feed stands; nil outside a feed.
    public var position: TLibraryPosition? {
        received.lineage == 0 ? nil : TLibraryPosition(lineage: received.lineage, sequence: received.sequence)
    }
    /// With the answer to `monitor`: whether the feed goes on where the client had stopped.
    public var isResumed: Bool { received.isResumed }
}

/// A DN as a node shows it.
public struct TLibraryDN: Sendable, Hashable {
    /// The agent of a DN.
    public struct Agent: Sendable, Hashable {
        /// What the agent logged in as.
        public let id: String
        /// False after a logout, of which the DN keeps a mark.
        public let isLoggedIn: Bool
        /// Whether the agent takes calls.
        public let isReady: Bool
        /// What the agent is doing beside that.
        public let workMode: TLibraryWorkMode
        /// Since when the agent is so, in milliseconds since 1970.
        public let since: UInt64
    }

    /// The DN itself.
    public let dn: String
    /// Why it takes no calls, such as `expired` or `owner-unreachable`; nil in service. The words are those of `tandem dn list`.
    public let outOfService: String?
    /// Full name of the node that owns it; nil before anybody has claimed it.
    public let owner: String?
    /// It has a call.
    public let isBusy: Bool
    /// Somebody has reserved its agent.
    public let isReserved: Bool
    /// Nil before anybody has logged in.
    public let agent: Agent?
    /// At most four; none while the owner is not heard.
    public let calls: [TLibraryCall]

    init(_ status: ReceivedEvent.Status) {
        dn = "\(status.dn)"
        outOfService = status.service.reason
        owner = status.owner
        isBusy = status.occupancy.contains(.busy)
        isReserved = status.occupancy.contains(.reserved)
        agent = status.agent.map {
            Agent(
                id: $0.agentID.text, isLoggedIn: $0.state != .loggedOut, isReady: $0.state == .ready,
                workMode: TLibraryWorkMode($0.workMode), since: $0.since)
        }
        calls = status.calls.map(TLibraryCall.init)
    }
}

/// A call of a DN.
public struct TLibraryCall: Sendable, Hashable {
    /// The T-Library's ConnID: the same for a call at every node.
    public let connection: UInt64
    /// Somebody has answered.
    public let isEstablished: Bool
    /// The DN is the caller.
    public let isCaller: Bool
    /// Since when it rings, or is established: milliseconds since 1970.
    public let since: UInt64
    /// Who is at the other end, as it says itself.
    public let other: String
    /// The routing point that the call came by; nil for a direct one.
    public let routingPoint: String?

    init(_ call: DNCall) {
        connection = call.connection.rawValue
        isEstablished = call.phase == .established
        isCaller = call.isCaller
        since = call.since
        other = call.other
        routingPoint = call.routingPoint.map { "\($0)" }
    }
}

/// What has become of a call at a routing point.
public struct TLibraryPointChange: Sendable, Hashable {
    /// What there can be.
    public enum Outcome: String, Sendable, CaseIterable {
        /// The call waits there, or its phones ring.
        case waiting
        /// Somebody has taken it.
        case answered
        /// The caller has given up.
        case abandoned
        /// It goes to the default and alternate DNs.
        case defaulted
        /// Nobody could take it.
        case refused
        /// It goes to another routing point.
        case overflowed
    }

    /// The T-Library's ConnID.
    public let connection: UInt64
    /// What has become of it.
    public let outcome: Outcome
    /// How long it had been at the routing point.
    public let waitedMilliseconds: UInt64
    /// Who has taken it, or where it goes; empty where that is no DN of the cluster, or nobody.
    public let destination: String

    init?(_ event: ReceivedEvent) {
        guard let point = event.point, let outcome = Outcome(rawValue: point.outcome.word) else { return nil }
        connection = event.connection.rawValue
        self.outcome = outcome
        waitedMilliseconds = point.waitedMilliseconds
        destination = event.destination
    }
}

/// What an agent is doing, beside ready or not: TAgentWorkMode.
public enum TLibraryWorkMode: String, Sendable, CaseIterable {
    /// Nothing was said.
    case unknown
    /// Ready for one call at a time, by the agent's own hand.
    case manualIn = "manual-in"
    /// Ready again by itself after every call.
    case autoIn = "auto-in"
    /// Work that a call has left.
    case afterCallWork = "after-call-work"
    /// Other work.
    case auxWork = "aux-work"
    /// No call is given.
    case noCallDisconnect = "no-call-disconnect"
    /// Away from the desk.
    case walkAway = "walk-away"
    /// Back at the desk.
    case returnBack = "return-back"

    init(_ mode: WorkMode) {
        self = Self(rawValue: mode.word) ?? .unknown
    }

    var onTheWire: WorkMode { WorkMode.allCases.first { $0.word == rawValue } ?? .unknown }
}

/// A place in a node's feed of events.
public struct TLibraryPosition: Sendable, Hashable {
    /// Of the node that numbered the events.
    public let lineage: UInt64
    /// Of the last event.
    public let sequence: UInt64
}

/// An agent that is reserved for this client.
public struct TLibraryReservation: Sendable, Equatable {
    /// Who.
    public let agent: String
    /// What a call shows to reach the agent; to be carried unread.
    public let token: [UInt8]
    /// How long it lasts from the answer on.
    public let milliseconds: UInt32
    /// How urgent the request was.
    public let priority: Int32
}
