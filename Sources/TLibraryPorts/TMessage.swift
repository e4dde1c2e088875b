package import ClusterModel

/// The numeric ids of the T-Library's messages that this port speaks.
package enum TMessageType: UInt16, Equatable, Sendable, CaseIterable {
    case requestQueryServer = 1
    case requestQueryAddress = 2
    case requestRegisterAddress = 3
    case requestUnregisterAddress = 4
    /// TMonitorAllKnownDNs: a snapshot of all DNs, then every change.
    case requestRegisterAll = 5
    case eventError = 52
    case eventRegistered = 53
    case eventUnregistered = 54
    case eventAddressInfo = 92
    case eventServerInfo = 93
    case eventLinkDisconnected = 94
    case eventLinkConnected = 95
    case eventACK = 138
    case eventDNOutOfService = 147
    case eventDNBackInService = 148
    case eventPrivateInfo = 150

    /// The T-Library's name, as traces and documents write it.
    package var name: String {
        switch self {
        case .requestQueryServer: "TQueryServer"
        case .requestQueryAddress: "TQueryAddress"
        case .requestRegisterAddress: "TRegisterAddress"
        case .requestUnregisterAddress: "TUnregisterAddress"
        case .requestRegisterAll: "TMonitorAllKnownDNs"
        case .eventError: "EventError"
        case .eventRegistered: "EventRegistered"
        case .eventUnregistered: "EventUnregistered"
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
}

/// What a client asks of a node's T-Controller port. The answer carries the request's ReferenceID.
package enum TRequest: Equatable, Sendable {
    /// Registers the client for a DN's events. On a PSTN DN that nobody serves, or with `takeover`, it also makes the
    /// receiving node the DN's owner. With `ownerHint` the client is told where the owner is, whenever that is another
    /// node, so that it can connect there and save a hop.
    case registerAddress(referenceID: UInt32, dn: String, takeover: Bool, ownerHint: Bool = false)
    case unregisterAddress(referenceID: UInt32, dn: String)
    /// Asks the DN's owner, wherever it is.
    case queryAddress(referenceID: UInt32, dn: String)
    /// Asks what the node tells every client when it connects.
    case queryServer(referenceID: UInt32)
    case monitorAll(referenceID: UInt32, MonitorOptions)

    package var referenceID: UInt32 {
        switch self {
        case .registerAddress(let id, _, _, _), .unregisterAddress(let id, _), .queryAddress(let id, _),
            .queryServer(let id), .monitorAll(let id, _):
            id
        }
    }
}

/// What a monitoring client wants to hear.
package struct MonitorOptions: Equatable, Sendable {
    /// Only DNs that the node owns, as the smart clients of the original; otherwise the whole cluster.
    package var ownedHereOnly: Bool
    /// Only DNs of these ranges; empty means all. At most 64.
    package var ranges: [DNRange]
    /// The client understands that all DNs of a node come or go at once; otherwise it is told of each DN.
    package var acceptsOwnerEvents: Bool
    /// Where an earlier session of the client stopped.
    package var resume: FeedPosition?

    package init(
        ownedHereOnly: Bool = false, ranges: [DNRange] = [], acceptsOwnerEvents: Bool = false,
        resume: FeedPosition? = nil
    ) {
        self.ownedHereOnly = ownedHereOnly
        self.ranges = ranges
        self.acceptsOwnerEvents = acceptsOwnerEvents
        self.resume = resume
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
    case error(referenceID: UInt32, TError)
    case registered(referenceID: UInt32, DNStatus)
    /// Without a ReferenceID when the node ended the registration, and then with the reason.
    case unregistered(referenceID: UInt32?, dn: DN, reason: Service?)
    /// In the owner's words if these could be had, otherwise as this node shows the DN.
    case addressInfo(referenceID: UInt32, DNStatus, OwnerDetail?)
    /// The answer to a monitoring request: whether the client goes on where it stopped or gets a snapshot.
    case monitoring(referenceID: UInt32, isResumed: Bool, FeedPosition)
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
        case .ownerHint: .eventPrivateInfo
        case .error: .eventError
        case .registered: .eventRegistered
        case .unregistered: .eventUnregistered
        case .addressInfo: .eventAddressInfo
        case .monitoring: .eventACK
        case .serviceChanged(let status, _):
            status.view.service.isInService ? .eventDNBackInService : .eventDNOutOfService
        case .status, .endOfSnapshot, .ownerUnreachable, .ownerReachable: .eventPrivateInfo
        }
    }
}

/// Why a request was refused. The numbers are part of the protocol.
package enum TError: UInt32, Error, Equatable, Sendable, CaseIterable {
    case unknownDN = 1
    case notRegistered = 2
    case wrongDataCenter = 3
    case tooManyRegistrations = 4
    case malformedRequest = 5
    case unsupportedRequest = 6
    case tooManyRequests = 7

    package var message: String {
        switch self {
        case .unknownDN: "The DN is not provisioned."
        case .notRegistered: "This client has not registered the DN."
        case .wrongDataCenter: "The DN may not register in this data center."
        case .tooManyRegistrations: "This client has registered as many DNs as one client may."
        case .malformedRequest: "The request could not be read."
        case .unsupportedRequest: "This port does not know the request."
        case .tooManyRequests: "Too many requests wait for the DN's owner already; ask again later."
        }
    }
}

/// One client's connection, as the shell numbers them.
package struct ClientID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static func < (left: ClientID, right: ClientID) -> Bool { left.rawValue < right.rawValue }
}
