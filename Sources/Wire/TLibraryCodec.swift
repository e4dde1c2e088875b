import CTandemProto
package import ClusterModel
package import TLibraryPorts

/// Puts what clients and a node say to each other on the T-Controller port into frames.
package struct TLibraryCodec: Sendable {
    private static let maximumRanges = 64
    static let maximumStatuses = 8_192

    static let maximumLinks = 4_096

    /// A node as clients know it.
    package struct NodeLabel: Equatable, Sendable {
        /// Full name.
        package var name: String
        /// Of its T-Controller port.
        package var address: StreamAddress

        package init(name: String, address: StreamAddress) {
            self.name = name
            self.address = address
        }
    }

    let cluster: String
    let version: String
    /// By node index; a client learns them as it goes.
    private let nodes: [NodeLabel]

    /// - Parameter version: of the program, for EventServerInfo.
    package init(cluster: String, version: String, nodes: [NodeLabel]) {
        self.cluster = cluster
        self.version = version
        self.nodes = nodes
    }

    // MARK: Requests

    /// Appends a request as a frame.
    package static func encode(_ request: TRequest, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch request {
        case .registerAddress(let id, let dn, let takeover, let ownerHint):
            encodeAddress(.requestRegisterAddress, id, dn, takeover: takeover, ownerHint: ownerHint, arena, to: &output)
        case .unregisterAddress(let id, let dn):
            encodeAddress(.requestUnregisterAddress, id, dn, arena, to: &output)
        case .queryAddress(let id, let dn):
            encodeAddress(.requestQueryAddress, id, dn, arena, to: &output)
        case .queryServer(let id):
            let message = arena.make(tandem__tlibrary__server_request__init) { $0.reference_id = id }
            appendFrame(type: TMessageType.requestQueryServer.rawValue, message, to: &output)
        case .monitorAll(let id, let options):
            let message = arena.make(tandem__tlibrary__monitor_request__init) {
                $0.reference_id = id
                $0.owned_here_only = options.ownedHereOnly ? 1 : 0
                $0.n_range_firsts = options.ranges.count
                $0.range_firsts = arena.strings(options.ranges.map(\.first.description))
                $0.n_range_lasts = options.ranges.count
                $0.range_lasts = arena.strings(options.ranges.map(\.last.description))
                $0.accepts_owner_events = options.acceptsOwnerEvents ? 1 : 0
                $0.resume_lineage = options.resume?.lineage.rawValue ?? 0
                $0.resume_sequence = options.resume?.sequence ?? 0
            }
            appendFrame(type: TMessageType.requestRegisterAll.rawValue, message, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    private static func encodeAddress(
        _ type: TMessageType, _ id: UInt32, _ dn: String, takeover: Bool = false, ownerHint: Bool = false,
        _ arena: PackingArena, to output: inout [UInt8]
    ) {
        let message = arena.make(tandem__tlibrary__address_request__init) {
            $0.reference_id = id
            $0.this_dn = arena.string(dn)
            $0.takeover = takeover ? 1 : 0
            $0.owner_hint = ownerHint ? 1 : 0
        }
        appendFrame(type: type.rawValue, message, to: &output)
    }

    package static func decodeRequest(type: UInt16, _ payload: RawSpan) throws(WireError) -> TRequest {
        switch TMessageType(rawValue: type) {
        case .requestRegisterAddress, .requestUnregisterAddress, .requestQueryAddress:
            return try unpack(
                type: type, tandem__tlibrary__address_request__descriptor, payload,
                as: Tandem__Tlibrary__AddressRequest.self
            ) { message in
                let id = message.reference_id
                let dn = text(message.this_dn)
                return switch TMessageType(rawValue: type) {
                case .requestRegisterAddress:
                    .registerAddress(
                        referenceID: id, dn: dn, takeover: message.takeover != 0, ownerHint: message.owner_hint != 0)
                case .requestUnregisterAddress: .unregisterAddress(referenceID: id, dn: dn)
                case _: .queryAddress(referenceID: id, dn: dn)
                }
            }
        case .requestQueryServer:
            return try unpack(
                type: type, tandem__tlibrary__server_request__descriptor, payload,
                as: Tandem__Tlibrary__ServerRequest.self
            ) { .queryServer(referenceID: $0.reference_id) }
        case .requestRegisterAll:
            return try decodeMonitorRequest(payload)
        case _:
            throw .unknownType(type)
        }
    }

    private static func decodeMonitorRequest(_ payload: RawSpan) throws(WireError) -> TRequest {
        let type = TMessageType.requestRegisterAll.rawValue
        return try unpack(
            type: type, tandem__tlibrary__monitor_request__descriptor, payload,
            as: Tandem__Tlibrary__MonitorRequest.self
        ) { (message) throws(WireError) in
            guard message.n_range_firsts <= maximumRanges, message.n_range_firsts == message.n_range_lasts else {
                throw .tooMany(type: type)
            }
            var options = MonitorOptions(
                ownedHereOnly: message.owned_here_only != 0, acceptsOwnerEvents: message.accepts_owner_events != 0
            )
            let firsts = texts(message.n_range_firsts, message.range_firsts)
            let lasts = texts(message.n_range_lasts, message.range_lasts)
            for (first, last) in zip(firsts, lasts) {
                guard let first = DN(first), let last = DN(last) else { throw .badValue(type: type, field: "range") }
                options.ranges.append(DNRange(first: first, last: last))
            }
            if message.resume_lineage != 0 {
                options.resume = FeedPosition(
                    lineage: Incarnation(rawValue: message.resume_lineage), sequence: message.resume_sequence
                )
            }
            return .monitorAll(referenceID: message.reference_id, options)
        }
    }

    // MARK: Events

    /// Appends an event as a frame.
    package func encode(_ event: TEvent, server: NodeIndex, now: Instant, to output: inout [UInt8]) {
        let arena = PackingArena()
        let message = arena.make(tandem__tlibrary__event__init) {
            $0.server = arena.string(nodes[server.position].name)
            $0.time_seconds = now.wallMilliseconds / 1000
            $0.time_microseconds = UInt32(now.wallMilliseconds % 1000) * 1000
            fill(&$0, event, arena)
        }
        appendFrame(type: event.type.rawValue, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    private func fill(_ message: inout Tandem__Tlibrary__Event, _ event: TEvent, _ arena: PackingArena) {
        switch event {
        case .error(let id, let error):
            refer(&message, id)
            message.error_code = error.rawValue
            message.error_message = arena.string(error.message)
        case .registered(let id, let status):
            refer(&message, id)
            tell(&message, [status], arena)
        case .addressInfo(let id, let status, let detail):
            refer(&message, id)
            tell(&message, [status], arena)
            message.has_owner_detail = detail == nil ? 0 : 1
            message.contacts = detail?.contacts ?? 0
            message.desktops = detail?.desktops ?? 0
        case .serverInfo(let id, let info):
            if let id { refer(&message, id) }
            fill(&message, info, arena)
        case .linkConnected(let peer), .linkDisconnected(let peer):
            message.owner = arena.string(nodes[peer.position].name)
        case .ownerHint(let dn, let owner):
            message.private_info = TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__OWNER_HINT
            message.this_dn = arena.string(dn.description)
            message.owner = arena.string(nodes[owner.position].name)
            message.owner_address = arena.string("\(nodes[owner.position].address)")
        case .unregistered(let id, let dn, let reason):
            if let id { refer(&message, id) }
            message.this_dn = arena.string(dn.description)
            if let reason {
                message.has_reason = 1
                message.reason = UInt32(reason.rawValue)
            }
        case .monitoring(let id, let isResumed, let position):
            refer(&message, id)
            message.resumed = isResumed ? 1 : 0
            message.lineage = position.lineage.rawValue
            message.sequence = position.sequence
        case .serviceChanged(let status, let sequence):
            tell(&message, [status], arena)
            message.sequence = sequence ?? 0
        case .status(let statuses, let sequence):
            message.private_info = TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__DN_STATUS
            tell(&message, statuses, arena)
            message.sequence = sequence ?? 0
        case .endOfSnapshot(let position):
            message.private_info = TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__END_OF_SNAPSHOT
            message.lineage = position.lineage.rawValue
            message.sequence = position.sequence
        case .ownerUnreachable(let owner, let sequence):
            message.private_info = TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__OWNER_UNREACHABLE
            message.owner = arena.string(nodes[owner.position].name)
            message.sequence = sequence
        case .ownerReachable(let owner, let sequence):
            message.private_info = TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__OWNER_REACHABLE
            message.owner = arena.string(nodes[owner.position].name)
            message.sequence = sequence
        }
    }

    private func fill(_ message: inout Tandem__Tlibrary__Event, _ info: ServerInfo, _ arena: PackingArena) {
        message.cluster = arena.string(cluster)
        message.version = arena.string(version)
        message.provisioned_dns = UInt32(clamping: info.provisionedDNs)
        message.lineage = info.position.lineage.rawValue
        message.sequence = info.position.sequence
        message.n_link_peers = info.links.count
        message.link_peers = arena.strings(info.links.map { nodes[$0.peer.position].name })
        message.n_link_connected = info.links.count
        message.link_connected = arena.array(info.links.map { $0.isConnected ? 1 : 0 })
    }

    private func refer(_ message: inout Tandem__Tlibrary__Event, _ id: UInt32) {
        message.has_reference_id = 1
        message.reference_id = id
    }

    private func tell(_ message: inout Tandem__Tlibrary__Event, _ statuses: [DNStatus], _ arena: PackingArena) {
        if statuses.count == 1 { message.this_dn = arena.string(statuses[0].dn.description) }
        let packed = statuses.map { status in
            Optional(
                arena.make(tandem__tlibrary__dnstatus__init) {
                    $0.dn = arena.string(status.dn.description)
                    $0.service = UInt32(status.view.service.rawValue)
                    if status.view.owner != .none { $0.owner = arena.string(nodes[status.view.owner.position].name) }
                    $0.stamp = status.view.stamp.rawValue
                }
            )
        }
        message.n_statuses = packed.count
        message.statuses = arena.array(packed)
    }
}
