import AgentSessions
import CTandemProto
import CallControl
package import ClusterModel
package import TLibraryPorts

/// An event as a client reads it: nodes by name, because a client has no topology.
package struct ReceivedEvent: Equatable, Sendable {
    package struct Status: Equatable, Sendable {
        package var dn: DN
        package var service: Service
        /// Nil before anybody has claimed the DN.
        package var owner: String?
        package var stamp: Stamp
        package var occupancy: Occupancy
        /// Nil before anybody has logged in.
        package var agent: Agent?
        /// None while the owner cannot be heard.
        package var calls: [DNCall] = []
    }

    /// An agent's session.
    package struct Agent: Equatable, Sendable {
        package var agentID: AgentID
        package var state: AgentSession.State
        package var workMode: WorkMode
        package var reasons: Reasons
        package var profile: AgentProfile
        /// Milliseconds since 1970.
        package var loginTime: UInt64
        /// Since when the session is as it is, milliseconds since 1970.
        package var since: UInt64

        package init(
            agentID: AgentID, state: AgentSession.State, workMode: WorkMode = .unknown, reasons: Reasons = Reasons(),
            profile: AgentProfile = .none,
            loginTime: UInt64 = 0, since: UInt64 = 0
        ) {
            self.agentID = agentID
            self.state = state
            self.workMode = workMode
            self.reasons = reasons
            self.profile = profile
            self.loginTime = loginTime
            self.since = since
        }
    }

    /// What has become of a call at a routing point.
    package struct PointChange: Equatable, Sendable {
        package var outcome: PointEvent.Outcome
        /// How long the call had been at the routing point: when that happened, or for a call that waits, when the event was sent.
        package var waitedMilliseconds: UInt64
        /// How long before the event was sent it happened.
        package var ageMilliseconds: UInt64
    }

    package enum PrivateInfo: String, Equatable, Sendable {
        case none = ""
        case dnStatus = "ClusterDNStatus"
        case endOfSnapshot = "EndOfSnapshot"
        case ownerUnreachable = "OwnerUnreachable"
        case ownerReachable = "OwnerReachable"
        case ownerHint = "OwnerHint"
        case moveHint = "MoveHint"
    }

    /// What EventServerInfo says; where the node's feed stands is in the event's `sequence` and `lineage`.
    package struct Server: Equatable, Sendable {
        package struct Link: Equatable, Sendable {
            /// Full name.
            package var peer: String
            package var isConnected: Bool

            package init(peer: String, isConnected: Bool) {
                self.peer = peer
                self.isConnected = isConnected
            }
        }

        package var cluster: String
        package var version: String
        package var provisionedDNs: UInt32
        package var links: [Link]
    }

    package var type: TMessageType
    /// Full name of the node that sent the event.
    package var server: String
    package var thisDN: String
    /// Milliseconds since 1970.
    package var timeMilliseconds: UInt64
    package var referenceID: UInt32?
    package var privateInfo: PrivateInfo
    package var statuses: [Status]
    package var owner: String
    /// With an owner hint: the owner's T-Controller port.
    package var ownerAddress: String
    /// EventAddressInfo, if the DN's owner said it.
    package var ownerDetail: OwnerDetail?
    /// EventServerInfo.
    package var serverInfo: Server?
    /// 0 outside a feed.
    package var sequence: UInt64
    package var lineage: UInt64
    package var isResumed: Bool
    package var reason: Service?
    package var errorCode: UInt32
    package var errorMessage: String
    /// EventAgentLogin, Logout, Ready and NotReady, and EventAgentReserved: whose event it is; empty in others.
    package var agentID: String
    package var workMode: WorkMode
    /// What that agent is good at.
    package var profile: AgentProfile
    /// With the `site` of the DN's owner.
    package var reasons: [Reasons.Reason]
    /// EventAgentReserved; what `ReservationToken.bytes` says, to be carried unread.
    package var reservationToken: [UInt8]
    package var reservationMilliseconds: UInt32
    package var priority: Int32
    /// EventRegistered: the client holds the DN in service, as this desktop.
    package var desktopToken: DesktopToken?
    /// EventACK: how many events follow that the client has missed.
    package var eventsInCache: UInt64
    /// EventRinging, EventDialing, EventEstablished, EventReleased, EventAbandoned of a DN.
    package var call: DNCall?
    /// Of a routing point: which call, who calls, where it has been, and with EventRouteUsed where it goes.
    package var connection: CallConnection
    package var caller: String
    package var triedDNs: [DN]
    package var destination: String
    /// EventRouteRequest: how long ago the call came to the node, milliseconds.
    package var callAge: UInt64
    /// When it came, by the node's clock; see `RouteRequest.arrived`.
    package var callArrival: UInt64?
    /// EventQueued, EventDiverted, and EventAbandoned of a routing point of the node: what has become of the call.
    package var point: PointChange?
}

extension TLibraryCodec {
    /// Reads an event's payload.
    package static func decodeEvent(type: UInt16, _ payload: RawSpan) throws(WireError) -> ReceivedEvent {
        guard let messageType = TMessageType(rawValue: type), type >= TMessageType.eventError.rawValue else {
            throw .unknownType(type)
        }
        return try unpack(
            type: type, tandem__tlibrary__event__descriptor, payload, as: Tandem__Tlibrary__Event.self
        ) { (message) throws(WireError) in
            guard message.n_statuses <= maximumStatuses, message.n_link_peers <= maximumLinks else {
                throw .tooMany(type: type)
            }
            guard message.time_seconds < 1 << 48 else { throw .badValue(type: type, field: "time") }
            var statuses: [ReceivedEvent.Status] = []
            for status in messages(message.n_statuses, message.statuses) {
                statuses.append(try decode(status.pointee, type: type))
            }
            return ReceivedEvent(
                type: messageType, server: text(message.server), thisDN: text(message.this_dn),
                timeMilliseconds: message.time_seconds * 1000 + UInt64(message.time_microseconds / 1000),
                referenceID: message.has_reference_id != 0 ? message.reference_id : nil,
                privateInfo: decode(message.private_info), statuses: statuses, owner: text(message.owner),
                ownerAddress: text(message.owner_address),
                ownerDetail: message.has_owner_detail == 0
                    ? nil : OwnerDetail(contacts: message.contacts, desktops: message.desktops),
                serverInfo: messageType == .eventServerInfo ? try serverInfo(message, type: type) : nil,
                sequence: message.sequence, lineage: message.lineage, isResumed: message.resumed != 0,
                reason: message.has_reason != 0 ? try service(message.reason, type: type) : nil,
                errorCode: message.error_code, errorMessage: text(message.error_message),
                agentID: text(message.agent_id), workMode: try workMode(message.work_mode, type: type),
                profile: try ProfileCodec.profile(message.profile, type: type),
                reasons: try reasons(message, type: type), reservationToken: Array(bytes(message.reservation_token)),
                reservationMilliseconds: message.reservation_milliseconds, priority: message.priority,
                desktopToken: message.has_desktop_token == 0 ? nil : DesktopToken(number: message.desktop_token),
                eventsInCache: message.events_in_cache, call: try call(message.call, type: type),
                connection: CallConnection(rawValue: message.connection), caller: text(message.ani),
                triedDNs: try tried(message, type: type), destination: text(message.third_party_dn),
                callAge: message.call_age_milliseconds,
                callArrival: message.call_arrival_milliseconds == 0 ? nil : message.call_arrival_milliseconds - 1,
                point: try PointEventCodec.change(message, type: type)
            )
        }
    }

    private static func call(
        _ message: UnsafeMutablePointer<Tandem__Tlibrary__CallStatus>?, type: UInt16
    ) throws(WireError) -> DNCall? {
        guard let message else { return nil }
        return try CallsCodec.call(message.pointee, type: type)
    }

    private static func tried(
        _ message: borrowing Tandem__Tlibrary__Event, type: UInt16
    ) throws(WireError) -> [DN] {
        guard message.n_tried_dns <= CallControl.maximumTries else { throw .tooMany(type: type) }
        return texts(message.n_tried_dns, message.tried_dns).compactMap { DN($0) }
    }

    private static func serverInfo(
        _ message: borrowing Tandem__Tlibrary__Event, type: UInt16
    ) throws(WireError) -> ReceivedEvent.Server {
        guard message.n_link_peers == message.n_link_connected else { throw .badValue(type: type, field: "links") }
        let peers = texts(message.n_link_peers, message.link_peers)
        let states = values(message.n_link_connected, message.link_connected)
        return ReceivedEvent.Server(
            cluster: text(message.cluster), version: text(message.version), provisionedDNs: message.provisioned_dns,
            links: zip(peers, states).map { ReceivedEvent.Server.Link(peer: $0, isConnected: $1 != 0) }
        )
    }

    private static func decode(
        _ message: Tandem__Tlibrary__DNStatus, type: UInt16
    ) throws(WireError) -> ReceivedEvent.Status {
        guard let dn = DN(text(message.dn)) else { throw .badValue(type: type, field: "DN") }
        let owner = text(message.owner)
        guard message.n_calls <= DNCalls.maximumCount else { throw .tooMany(type: type) }
        var calls: [DNCall] = []
        for call in messages(message.n_calls, message.calls) {
            calls.append(try CallsCodec.call(call.pointee, type: type))
        }
        return ReceivedEvent.Status(
            dn: dn, service: try service(message.service, type: type), owner: owner.isEmpty ? nil : owner,
            stamp: Stamp(rawValue: message.stamp),
            occupancy: Occupancy(rawValue: UInt8(truncatingIfNeeded: message.occupancy)).intersection(.known),
            agent: try agent(message.agent, type: type), calls: calls
        )
    }

    private static func agent(
        _ message: UnsafeMutablePointer<Tandem__Tlibrary__AgentStatus>?, type: UInt16
    ) throws(WireError) -> ReceivedEvent.Agent? {
        guard let message = message?.pointee else { return nil }
        guard let agent = AgentID(text(message.agent_id)),
            let state = UInt8(exactly: message.state).flatMap(AgentSession.State.init)
        else { throw .badValue(type: type, field: "agent") }
        return ReceivedEvent.Agent(
            agentID: agent, state: state, workMode: try workMode(message.work_mode, type: type),
            reasons: try SessionCodec.reasons(
                (message.n_reason_keys, message.reason_keys), (message.n_reason_values, message.reason_values),
                type: type),
            profile: try ProfileCodec.profile(message.profile, type: type), loginTime: message.login_time,
            since: message.since)
    }

    private static func workMode(_ number: UInt32, type: UInt16) throws(WireError) -> WorkMode {
        guard let mode = UInt8(exactly: number).flatMap(WorkMode.init) else {
            throw .badValue(type: type, field: "work mode")
        }
        return mode
    }

    /// One more than a session may have: the site.
    private static func reasons(
        _ message: borrowing Tandem__Tlibrary__Event, type: UInt16
    ) throws(WireError) -> [Reasons.Reason] {
        guard message.n_reason_keys == message.n_reason_values, message.n_reason_keys <= Reasons.maximumCount + 1 else {
            throw .tooMany(type: type)
        }
        let keys = texts(message.n_reason_keys, message.reason_keys)
        let values = texts(message.n_reason_values, message.reason_values)
        return zip(keys, values).map { Reasons.Reason(key: $0, value: $1) }
    }

    private static func service(_ code: UInt32, type: UInt16) throws(WireError) -> Service {
        guard let code = UInt8(exactly: code), let service = Service(rawValue: code) else {
            throw .badValue(type: type, field: "service code")
        }
        return service
    }

    private static func decode(_ info: Tandem__Tlibrary__Event__PrivateInfo) -> ReceivedEvent.PrivateInfo {
        switch info {
        case TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__DN_STATUS: .dnStatus
        case TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__END_OF_SNAPSHOT: .endOfSnapshot
        case TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__OWNER_UNREACHABLE: .ownerUnreachable
        case TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__OWNER_REACHABLE: .ownerReachable
        case TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__OWNER_HINT: .ownerHint
        case TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__MOVE_HINT: .moveHint
        case _: .none
        }
    }
}
