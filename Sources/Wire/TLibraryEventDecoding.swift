import CTandemProto
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
    }

    package enum PrivateInfo: String, Equatable, Sendable {
        case none = ""
        case dnStatus = "ClusterDNStatus"
        case endOfSnapshot = "EndOfSnapshot"
        case ownerUnreachable = "OwnerUnreachable"
        case ownerReachable = "OwnerReachable"
        case ownerHint = "OwnerHint"
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
                errorCode: message.error_code, errorMessage: text(message.error_message)
            )
        }
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
        return ReceivedEvent.Status(
            dn: dn, service: try service(message.service, type: type), owner: owner.isEmpty ? nil : owner,
            stamp: Stamp(rawValue: message.stamp)
        )
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
        case _: .none
        }
    }
}
