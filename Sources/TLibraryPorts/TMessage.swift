package import AgentSessions
package import ClusterModel

/// The numeric ids of the T-Library's messages that this port speaks.
package enum TMessageType: UInt16, Equatable, Sendable, CaseIterable {
    case requestQueryServer = 1
    case requestQueryAddress = 2
    case requestRegisterAddress = 3
    case requestUnregisterAddress = 4
    /// TMonitorAllKnownDNs: a snapshot of all DNs, then every change.
    case requestRegisterAll = 5
    case requestSetInputMask = 7
    case requestAgentLogin = 8
    case requestAgentLogout = 9
    case requestAgentReady = 10
    case requestAgentNotReady = 11
    case requestRouteCall = 36
    case eventError = 52
    case eventRegistered = 53
    case eventUnregistered = 54
    case eventQueued = 57
    case eventDiverted = 58
    case eventAbandoned = 59
    case eventRinging = 60
    case eventDialing = 61
    case eventEstablished = 64
    case eventReleased = 65
    case eventRouteRequest = 71
    case eventRouteUsed = 72
    case eventAgentLogin = 73
    case eventAgentLogout = 74
    case eventAgentReady = 75
    case eventAgentNotReady = 76
    case eventAddressInfo = 92
    case eventServerInfo = 93
    case eventLinkDisconnected = 94
    case eventLinkConnected = 95
    case requestReserveAgent = 127
    case eventAgentReserved = 128
    case eventACK = 138
    case eventDNOutOfService = 147
    case eventDNBackInService = 148
    case requestPrivateService = 149
    case eventPrivateInfo = 150

    /// The T-Library's name, as traces and documents write it.
    package var name: String {
        switch self {
        case .requestQueryServer: "TQueryServer"
        case .requestQueryAddress: "TQueryAddress"
        case .requestRegisterAddress: "TRegisterAddress"
        case .requestUnregisterAddress: "TUnregisterAddress"
        case .requestRegisterAll: "TMonitorAllKnownDNs"
        case .requestSetInputMask: "TSetInputMask"
        case .requestAgentLogin: "TAgentLogin"
        case .requestAgentLogout: "TAgentLogout"
        case .requestAgentReady: "TAgentSetReady"
        case .requestAgentNotReady: "TAgentSetNotReady"
        case .requestRouteCall: "TRouteCall"
        case .requestReserveAgent: "TReserveAgent"
        case .requestPrivateService: "TPrivateService"
        case .eventError: "EventError"
        case .eventRegistered: "EventRegistered"
        case .eventUnregistered: "EventUnregistered"
        case .eventQueued: "EventQueued"
        case .eventDiverted: "EventDiverted"
        case .eventAbandoned: "EventAbandoned"
        case .eventRinging: "EventRinging"
        case .eventDialing: "EventDialing"
        case .eventEstablished: "EventEstablished"
        case .eventReleased: "EventReleased"
        case .eventRouteRequest: "EventRouteRequest"
        case .eventRouteUsed: "EventRouteUsed"
        case .eventAgentLogin: "EventAgentLogin"
        case .eventAgentLogout: "EventAgentLogout"
        case .eventAgentReady: "EventAgentReady"
        case .eventAgentNotReady: "EventAgentNotReady"
        case .eventAgentReserved: "EventAgentReserved"
        case .eventAddressInfo: "EventAddressInfo"
        case .eventServerInfo: "EventServerInfo"
        case .eventLinkDisconnected: "EventLinkDisconnected"
        case .eventLinkConnected: "EventLinkConnected"
        case .eventACK: "EventACK"
        case .eventDNOutOfService: "EventDNOutOfService"
        case .eventDNBackInService: "EventDNBackInService"
        case .eventPrivateInfo: "EventPrivateInfo"
        }
    }

    /// Whether a node sends it; all others are a client's.
    package var isEvent: Bool { name.hasPrefix("Event") }
}

/// What a client asks of a node's T-Controller port. The answer carries the request's ReferenceID.
package enum TRequest: Equatable, Sendable {
    /// Registers the client for a DN's events. On a PSTN DN that nobody serves, or with `takeover`, it also makes the
    /// receiving node the DN's owner. With `ownerHint` the client is told where the owner is, whenever that is another
    /// node, so that it can connect there and save a hop. With the desktop token of an earlier registration the client is
    /// the desktop that had it, wherever it was.
    case registerAddress(
        referenceID: UInt32, dn: String, takeover: Bool, ownerHint: Bool = false, desktop: DesktopToken? = nil)
    case unregisterAddress(referenceID: UInt32, dn: String)
    /// Asks the DN's owner, wherever it is.
    case queryAddress(referenceID: UInt32, dn: String)
    /// Asks what the node tells every client when it connects.
    case queryServer(referenceID: UInt32)
    case monitorAll(referenceID: UInt32, MonitorOptions)
    /// Which events the client is told, beside answers, whatever it has registered or monitors.
    case setInputMask(referenceID: UInt32, EventMask)
    /// Asks the DN's owner to log the agent in or out, or to make it ready or not.
    case agent(referenceID: UInt32, dn: String, AgentRequest)
    /// TReserveAgent. The DN may be empty where the agent is named.
    case reserveAgent(referenceID: UInt32, dn: String, ReservationRequest)
    /// TRouteCall, by a router that was asked: to the agent whom the token has reserved; without one, to the routing point's
    /// default.
    case routeCall(referenceID: UInt32, CallConnection, ReservationToken?)
    /// TPrivateService, by a router that was asked: where the call stands in its line, for the caller to hear.
    case queuePosition(referenceID: UInt32, CallConnection, QueuePosition)
    /// A request whose frame could be read, but not what it asks; it is refused with the error.
    case invalid(referenceID: UInt32, TError)

    package var referenceID: UInt32 {
        switch self {
        case .registerAddress(let id, _, _, _, _), .unregisterAddress(let id, _), .queryAddress(let id, _),
            .queryServer(let id), .monitorAll(let id, _), .setInputMask(let id, _), .agent(let id, _, _),
            .reserveAgent(let id, _, _), .routeCall(let id, _, _), .queuePosition(let id, _, _), .invalid(let id, _):
            id
        }
    }
}

/// Which desktop holds a PSTN DN in service: given with EventRegistered, good until the desktop's grace is over.
package struct DesktopToken: Hashable, Sendable {
    package let number: UInt64

    package init(number: UInt64) {
        self.number = number
    }
}

/// Kinds of events that a client wants to be told. Answers and what belongs to a snapshot are told in any case.
package struct EventMask: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// EventDNBackInService, EventDNOutOfService, and what else EventPrivateInfo tells of DNs and owners.
    package static let service = EventMask(rawValue: 1)
    package static let agentLogin = EventMask(rawValue: 2)
    package static let agentLogout = EventMask(rawValue: 4)
    package static let agentReady = EventMask(rawValue: 8)
    package static let agentNotReady = EventMask(rawValue: 16)
    /// EventLinkConnected and EventLinkDisconnected.
    package static let links = EventMask(rawValue: 32)
    /// EventRinging, EventDialing, EventEstablished, EventReleased and EventAbandoned of DNs.
    package static let calls = EventMask(rawValue: 64)

    /// EventQueued, EventDiverted and EventAbandoned of routing points.
    package static let points = EventMask(rawValue: 128)

    package static let all: EventMask = [
        .service, .agentLogin, .agentLogout, .agentReady, .agentNotReady, .links, .calls, .points,
    ]

    /// EventAbandoned is taken for that of a DN; see `init(types:)`.
    ///
    /// - Returns: nil for a type that no mask speaks of: a request, an answer.
    package init?(_ type: TMessageType) {
        switch type {
        case .eventDNBackInService, .eventDNOutOfService, .eventPrivateInfo: self = .service
        case .eventAgentLogin: self = .agentLogin
        case .eventAgentLogout: self = .agentLogout
        case .eventAgentReady: self = .agentReady
        case .eventAgentNotReady: self = .agentNotReady
        case .eventLinkConnected, .eventLinkDisconnected: self = .links
        case .eventQueued, .eventDiverted: self = .points
        case .eventAbandoned, .eventRinging, .eventDialing, .eventEstablished, .eventReleased: self = .calls
        case .requestQueryServer, .requestQueryAddress, .requestRegisterAddress, .requestUnregisterAddress,
            .requestRegisterAll, .requestSetInputMask, .requestAgentLogin, .requestAgentLogout, .requestAgentReady,
            .requestAgentNotReady, .requestReserveAgent, .requestRouteCall, .requestPrivateService, .eventRouteRequest,
            .eventRouteUsed,
            .eventError, .eventRegistered, .eventUnregistered,
            .eventAddressInfo, .eventServerInfo, .eventAgentReserved, .eventACK:
            return nil
        }
    }

    /// What somebody wants who names these events: any of a kind stands for all of it. EventAbandoned goes with EventQueued and
    /// EventDiverted where these are named.
    package init(types: [TMessageType]) {
        let others = types.filter { $0 != .eventAbandoned }.compactMap { EventMask($0) }
        self = others.reduce([]) { $0.union($1) }
        if types.contains(.eventAbandoned), !contains(.points) { insert(.calls) }
    }
}

/// What a monitoring client wants to hear.
package struct MonitorOptions: Equatable, Sendable {
    package static let maximumRanges = 64

    /// Only DNs that the node owns, as the smart clients of the original; otherwise the whole cluster.
    package var ownedHereOnly: Bool
    /// Only DNs of these ranges; empty means all. At most `maximumRanges`.
    package var ranges: [DNRange]
    /// Only calls at the node's routing points, of `ranges`, and nothing of DNs.
    package var pointsOnly: Bool
    /// The client understands that all DNs of a node come or go at once; otherwise it is told of each DN.
    package var acceptsOwnerEvents: Bool
    /// Where an earlier session of the client stopped.
    package var resume: FeedPosition?
    /// Takes the place of the client's input mask.
    package var mask: EventMask

    package init(
        ownedHereOnly: Bool = false, ranges: [DNRange] = [], pointsOnly: Bool = false, acceptsOwnerEvents: Bool = false,
        resume: FeedPosition? = nil, mask: EventMask = .all
    ) {
        self.ownedHereOnly = ownedHereOnly
        self.ranges = ranges
        self.pointsOnly = pointsOnly
        self.acceptsOwnerEvents = acceptsOwnerEvents
        self.resume = resume
        self.mask = mask
    }
}

/// DNs between two of the same length, both included; compared as text.
package struct DNRange: Equatable, Sendable {
    package var first: DN
    package var last: DN

    package init(first: DN, last: DN) {
        self.first = first
        self.last = last
    }

    package func contains(_ dn: DN) -> Bool {
        dn.length == first.length && dn >= first && dn <= last
    }
}

/// A place in a node's feed of events.
package struct FeedPosition: Equatable, Sendable {
    /// The lineage of the node that numbered the events.
    package var lineage: Incarnation
    package var sequence: UInt64

    package init(lineage: Incarnation, sequence: UInt64) {
        self.lineage = lineage
        self.sequence = sequence
    }
}

/// The state of a DN in an answer or event.
package struct DNStatus: Equatable, Sendable {
    package var dn: DN
    package var view: View

    package init(dn: DN, view: View) {
        self.dn = dn
        self.view = view
    }
}

/// What only a DN's owner knows.
package struct OwnerDetail: Equatable, Sendable {
    /// How many contacts are bound.
    package var contacts: UInt32
    /// How many desktops hold the DN in service.
    package var desktops: UInt32

    package init(contacts: UInt32, desktops: UInt32) {
        self.contacts = contacts
        self.desktops = desktops
    }
}

/// What an agent did, or had done to it.
package struct AgentEvent: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case login, logout, ready, notReady
    }

    package var kind: Kind
    package var dn: DN
    /// Whose event it is; for the logout of an agent whose place another has taken the session of before.
    package var session: AgentSession
    /// Of the DN: the agent's site is where this node is.
    package var owner: NodeIndex

    package init(kind: Kind, dn: DN, session: AgentSession, owner: NodeIndex) {
        self.kind = kind
        self.dn = dn
        self.session = session
        self.owner = owner
    }

    /// What becomes of one session when another takes its place, in the order in which clients are told: a change that
    /// comes from another node may stand for several.
    package static func kinds(from before: AgentSession?, to after: AgentSession?) -> [(Kind, AgentSession)] {
        guard before != after else { return [] }
        var kinds: [(Kind, AgentSession)] = []
        let wasLoggedIn = before?.isLoggedIn == true
        let isSameAgent = wasLoggedIn && before?.agent == after?.agent
        if let before, wasLoggedIn, !isSameAgent || after?.isLoggedIn != true {
            kinds.append((.logout, isSameAgent ? after ?? before : before))
        }
        guard let after, after.isLoggedIn else { return kinds }
        let isNewLogin = !isSameAgent || before?.login != after.login
        if isNewLogin { kinds.append((.login, after)) }
        let isAsAfterLogin =
            isSameAgent
            ? isNewLogin && before?.state == after.state && before?.workMode == after.workMode
                && before?.reasons == after.reasons
            : after.state == .notReady && after.stamp == after.login
        if !isAsAfterLogin { kinds.append((after.state == .ready ? .ready : .notReady, after)) }
        return kinds
    }

    package var type: TMessageType {
        switch kind {
        case .login: .eventAgentLogin
        case .logout: .eventAgentLogout
        case .ready: .eventAgentReady
        case .notReady: .eventAgentNotReady
        }
    }
}

/// What has become of a call of a DN.
package struct CallEvent: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case ringing, dialing, established, released, abandoned
    }

    package var kind: Kind
    package var dn: DN
    /// As it is now, or was last.
    package var call: DNCall

    package init(kind: Kind, dn: DN, call: DNCall) {
        self.kind = kind
        self.dn = dn
        self.call = call
    }

    package var type: TMessageType {
        switch kind {
        case .ringing: .eventRinging
        case .dialing: .eventDialing
        case .established: .eventEstablished
        case .released: .eventReleased
        case .abandoned: .eventAbandoned
        }
    }

    /// What has become of a DN's calls, in the order in which clients are told: a change that comes from another node may stand
    /// for several. Calls belong to the owner's claim; under another they are told anew, and an owner that is not heard says nothing
    /// of them.
    package static func kinds(from before: View, to after: View) -> [(Kind, DNCall)] {
        guard before.calls != after.calls, before.owner == after.owner, before.stamp == after.stamp,
            before.service != .ownerUnreachable, after.service != .ownerUnreachable
        else { return [] }
        let (former, present) = (before.calls?.calls ?? [], after.calls?.calls ?? [])
        var kinds: [(Kind, DNCall)] = []
        for call in former where !present.contains(where: { $0.connection == call.connection }) {
            let ended = after.calls?.lastEnded
            let isAbandoned =
                call.phase == .ringing && ended?.connection == call.connection && ended?.end == .abandoned
            kinds.append((isAbandoned ? .abandoned : .released, call))
        }
        for call in present {
            let known = former.first { $0.connection == call.connection }
            // A new owner may know less of it for a moment than was told of the former one.
            if known.map({ $0.phase.rawValue > call.phase.rawValue }) ?? true {
                kinds.append((call.isCaller ? .dialing : .ringing, call))
            }
            if call.phase == .established, known?.phase != .established { kinds.append((.established, call)) }
        }
        return kinds
    }
}

/// What a node says of itself.
package struct ServerInfo: Equatable, Sendable {
    package struct Link: Equatable, Sendable {
        package var peer: NodeIndex
        package var isConnected: Bool

        package init(peer: NodeIndex, isConnected: Bool) {
            self.peer = peer
            self.isConnected = isConnected
        }
    }

    /// Where the node's feed stands.
    package var position: FeedPosition
    package var provisionedDNs: Int
    /// To every other node, in the order of their names.
    package var links: [Link]

    package init(position: FeedPosition, provisionedDNs: Int, links: [Link]) {
        self.position = position
        self.provisionedDNs = provisionedDNs
        self.links = links
    }
}

/// What a node tells a client.
package enum TEvent: Equatable, Sendable {
    /// To every client after its hello, then without a ReferenceID, and to those that ask.
    case serverInfo(referenceID: UInt32?, ServerInfo)
    /// To every client: the node hears the peer again, or no longer.
    case linkConnected(NodeIndex)
    case linkDisconnected(NodeIndex)
    /// Another node owns the DN: to clients that asked for it when they registered.
    case ownerHint(dn: DN, owner: NodeIndex)
    /// This node is being drained: to clients that hold the PSTN DN in service, which should register it at that node, with the token that
    /// they have.
    case moveHint(dn: DN, to: NodeIndex)
    case error(referenceID: UInt32, TError)
    /// With a token if the client holds the PSTN DN in service.
    case registered(referenceID: UInt32, DNStatus, DesktopToken? = nil)
    /// Without a ReferenceID when the node ended the registration, and then with the reason.
    case unregistered(referenceID: UInt32?, dn: DN, reason: Service?)
    /// In the owner's words if these could be had, otherwise as this node shows the DN.
    case addressInfo(referenceID: UInt32, DNStatus, OwnerDetail?)
    /// EventACK: the request was carried out, and there is nothing else to say.
    case done(referenceID: UInt32)
    /// The answer to a monitoring request: whether the client goes on where it stopped, with so many events to come that it
    /// has missed, or gets a snapshot.
    case monitoring(referenceID: UInt32, isResumed: Bool, FeedPosition, missed: UInt64 = 0)
    /// With a ReferenceID for the client whose request it answers; that client is told without, too, like everybody who
    /// has registered the DN. The sequence is nil outside a monitoring client's feed.
    case agent(AgentEvent, referenceID: UInt32?, sequence: UInt64?)
    case agentReserved(referenceID: UInt32, Reservation)
    /// A call of a DN. The sequence is nil outside a monitoring client's feed.
    case call(CallEvent, sequence: UInt64?)
    /// What has become of a call at a routing point of the node. The sequence is nil for a call that a snapshot tells of.
    case point(PointEvent, sequence: UInt64?)
    /// To a router: where shall the call go?
    case routeRequest(RouteRequest)
    /// The call is on its way to this DN. With a ReferenceID to the router that has said so.
    case routeUsed(referenceID: UInt32?, CallConnection, routingPoint: DN, destination: DN)
    /// To a router that was asked: the caller has given up, or nobody could take the call.
    case routeEnded(CallConnection, routingPoint: DN)
    /// The DN's service changed. The sequence is nil outside a monitoring client's feed.
    case serviceChanged(DNStatus, sequence: UInt64?)
    /// DNs as they are now: a piece of a snapshot (sequence nil), or owner and reason that changed without the service.
    case status([DNStatus], sequence: UInt64?)
    case endOfSnapshot(FeedPosition)
    /// All DNs of the node are out of service here.
    case ownerUnreachable(NodeIndex, sequence: UInt64)
    /// The node is heard again; the present states of its DNs were told just before.
    case ownerReachable(NodeIndex, sequence: UInt64)

    package var type: TMessageType {
        switch self {
        case .serverInfo: .eventServerInfo
        case .linkConnected: .eventLinkConnected
        case .linkDisconnected: .eventLinkDisconnected
        case .ownerHint, .moveHint: .eventPrivateInfo
        case .error: .eventError
        case .registered: .eventRegistered
        case .unregistered: .eventUnregistered
        case .addressInfo: .eventAddressInfo
        case .monitoring, .done: .eventACK
        case .agent(let event, _, _): event.type
        case .agentReserved: .eventAgentReserved
        case .call(let event, _): event.type
        case .point(let event, _): event.type
        case .routeRequest: .eventRouteRequest
        case .routeUsed: .eventRouteUsed
        case .routeEnded: .eventAbandoned
        case .serviceChanged(let status, _):
            status.view.service.isInService ? .eventDNBackInService : .eventDNOutOfService
        case .status, .endOfSnapshot, .ownerUnreachable, .ownerReachable: .eventPrivateInfo
        }
    }
}

/// One client's connection, as the shell numbers them.
package struct ClientID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    @inlinable package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Nobody.
    @inlinable package static var none: ClientID { ClientID(rawValue: 0) }

    @inlinable package static func < (left: ClientID, right: ClientID) -> Bool { left.rawValue < right.rawValue }

    @inlinable package static func == (left: ClientID, right: ClientID) -> Bool { left.rawValue == right.rawValue }

    @inlinable package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}
