import AgentSessions
import CProtobufC
import CTandemProto
package import ClusterModel
package import TLibraryPorts

/// Puts what clients and a node say to each other on the T-Controller port into frames.
package struct TLibraryCodec: Sendable {
    static let maximumStatuses = 8_192

    static let maximumLinks = 4_096

    /// A node as clients know it.
    package struct NodeLabel: Equatable, Sendable {
        /// Full name.
        package var name: String
        /// Of its T-Controller port.
        package var address: StreamAddress
        /// Of its data center.
        package var location: String

        package init(name: String, address: StreamAddress, location: String) {
            self.name = name
            self.address = address
            self.location = location
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
        case .registerAddress(let id, let dn, let takeover, let ownerHint, let desktop):
            encodeAddress(
                .requestRegisterAddress, id, dn, takeover: takeover, ownerHint: ownerHint, desktop: desktop, arena,
                to: &output)
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
                let types = options.mask.eventTypes
                $0.n_event_types = types.count
                $0.event_types = arena.array(types)
                $0.points_only = options.pointsOnly ? 1 : 0
            }
            appendFrame(type: TMessageType.requestRegisterAll.rawValue, message, to: &output)
        case .setInputMask(let id, let mask):
            let types = mask.eventTypes
            let message = arena.make(tandem__tlibrary__input_mask_request__init) {
                $0.reference_id = id
                $0.n_event_types = types.count
                $0.event_types = arena.array(types)
            }
            appendFrame(type: TMessageType.requestSetInputMask.rawValue, message, to: &output)
        case .agent(let id, let dn, let request):
            encodeAgent(id, dn, request, arena, to: &output)
        case .reserveAgent(let id, let dn, let request):
            let message = arena.make(tandem__tlibrary__reserve_request__init) {
                $0.reference_id = id
                $0.agent_dn = arena.string(dn)
                if let agent = request.agent { $0.agent_id = arena.string(agent.text) }
                $0.priority = request.priority
                $0.duration = ProxyCodec.duration(request.duration)
            }
            appendFrame(type: TMessageType.requestReserveAgent.rawValue, message, to: &output)
        case .routeCall(let id, let connection, let token):
            let message = arena.make(tandem__tlibrary__route_request__init) {
                $0.reference_id = id
                $0.connection = connection.rawValue
                if let token { $0.reservation_token = arena.bytes(token.bytes) }
            }
            appendFrame(type: TMessageType.requestRouteCall.rawValue, message, to: &output)
        case .queuePosition(let id, let connection, let word):
            let message = arena.make(tandem__tlibrary__private_service_request__init) {
                $0.reference_id = id
                $0.service = TANDEM__TLIBRARY__PRIVATE_SERVICE_REQUEST__SERVICE__QUEUE_POSITION
                $0.connection = connection.rawValue
                $0.position = word.position
                $0.waiting = word.waiting
            }
            appendFrame(type: TMessageType.requestPrivateService.rawValue, message, to: &output)
        case .invalid:
            break  // What no client means to say.
        }
        withExtendedLifetime(arena) {}
    }

    private static func encodeAgent(
        _ id: UInt32, _ dn: String, _ request: AgentRequest, _ arena: PackingArena, to output: inout [UInt8]
    ) {
        let (type, mode, reasons): (TMessageType, WorkMode, Reasons) =
            switch request {
            case .login(_, let mode, let reasons, _): (.requestAgentLogin, mode, reasons)
            case .logout(let reasons): (.requestAgentLogout, .unknown, reasons)
            case .ready(let mode, let reasons): (.requestAgentReady, mode, reasons)
            case .notReady(let mode, let reasons): (.requestAgentNotReady, mode, reasons)
            }
        let message = arena.make(tandem__tlibrary__agent_request__init) {
            $0.reference_id = id
            $0.this_dn = arena.string(dn)
            if case .login(let agent, _, _, let profile) = request {
                $0.agent_id = arena.string(agent.text)
                $0.profile = profile.map {
                    ProfileCodec.packWhole($0.skills, priority: Int($0.priority), arena)
                }
            }
            $0.work_mode = UInt32(mode.rawValue)
            $0.n_reason_keys = reasons.list.count
            $0.reason_keys = arena.strings(reasons.list.map(\.key))
            $0.n_reason_values = reasons.list.count
            $0.reason_values = arena.strings(reasons.list.map(\.value))
        }
        appendFrame(type: type.rawValue, message, to: &output)
    }

    private static func encodeAddress(
        _ type: TMessageType, _ id: UInt32, _ dn: String, takeover: Bool = false, ownerHint: Bool = false,
        desktop: DesktopToken? = nil, _ arena: PackingArena, to output: inout [UInt8]
    ) {
        let message = arena.make(tandem__tlibrary__address_request__init) {
            $0.reference_id = id
            $0.this_dn = arena.string(dn)
            $0.takeover = takeover ? 1 : 0
            $0.owner_hint = ownerHint ? 1 : 0
            $0.has_desktop_token = desktop == nil ? 0 : 1
            $0.desktop_token = desktop?.number ?? 0
        }
        appendFrame(type: type.rawValue, message, to: &output)
    }

    // MARK: Events

    /// Appends an event as a frame.
    package func encode(_ event: TEvent, server: NodeIndex, now: Instant, to output: inout [UInt8]) {
        let arena = PackingArena()
        let message = arena.make(tandem__tlibrary__event__init) {
            $0.server = arena.string(nodes[server.position].name)
            $0.time_seconds = now.wallMilliseconds / 1000
            $0.time_microseconds = UInt32(now.wallMilliseconds % 1000) * 1000
            fill(&$0, event, now: now.wallMilliseconds, arena)
        }
        appendFrame(type: event.type.rawValue, message, to: &output)
        withExtendedLifetime(arena) {}
    }

    private func fill(
        _ message: inout Tandem__Tlibrary__Event, _ event: TEvent, now: UInt64, _ arena: PackingArena
    ) {
        switch event {
        case .error(let id, let error):
            refer(&message, id)
            message.error_code = error.rawValue
            message.error_message = arena.string(error.message)
        case .registered(let id, let status, let desktop):
            refer(&message, id)
            tell(&message, [status], arena)
            message.has_desktop_token = desktop == nil ? 0 : 1
            message.desktop_token = desktop?.number ?? 0
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
        case .moveHint(let dn, let node):
            message.private_info = TANDEM__TLIBRARY__EVENT__PRIVATE_INFO__MOVE_HINT
            message.this_dn = arena.string(dn.description)
            message.owner = arena.string(nodes[node.position].name)
            message.owner_address = arena.string("\(nodes[node.position].address)")
        case .unregistered(let id, let dn, let reason):
            if let id { refer(&message, id) }
            message.this_dn = arena.string(dn.description)
            if let reason {
                message.has_reason = 1
                message.reason = UInt32(reason.rawValue)
            }
        case .done(let id):
            refer(&message, id)
        case .agent(let event, let id, let sequence):
            if let id { refer(&message, id) }
            fill(&message, event, arena)
            message.sequence = sequence ?? 0
        case .agentReserved(let id, let reservation):
            refer(&message, id)
            message.this_dn = arena.string(reservation.token.dn.description)
            message.agent_id = arena.string(reservation.agent.text)
            message.reservation_token = arena.bytes(reservation.token.bytes)
            message.reservation_milliseconds = reservation.milliseconds
            message.priority = reservation.priority
        case .call(let event, let sequence):
            message.this_dn = arena.string(event.dn.description)
            message.call = CallsCodec.packStatus(event.call, arena)
            message.sequence = sequence ?? 0
        case .point(let event, let sequence):
            PointEventCodec.fill(&message, event, now: now, arena)
            message.sequence = sequence ?? 0
        case .routeRequest(let request):
            message.this_dn = arena.string(request.routingPoint.description)
            message.connection = request.connection.rawValue
            message.ani = arena.string(request.caller)
            message.priority = Int32(clamping: request.priority)
            message.call_age_milliseconds = request.waited
            message.call_arrival_milliseconds = request.arrived.map { $0 &+ 1 } ?? 0
            message.n_tried_dns = request.tried.count
            message.tried_dns = arena.strings(request.tried.map(\.description))
        case .routeUsed(let id, let connection, let point, let destination):
            if let id { refer(&message, id) }
            message.this_dn = arena.string(point.description)
            message.connection = connection.rawValue
            message.third_party_dn = arena.string(destination.description)
        case .routeEnded(let connection, let point):
            message.this_dn = arena.string(point.description)
            message.connection = connection.rawValue
        case .monitoring(let id, let isResumed, let position, let missed):
            refer(&message, id)
            message.events_in_cache = isResumed ? missed : 0
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

    private func fill(_ message: inout Tandem__Tlibrary__Event, _ event: AgentEvent, _ arena: PackingArena) {
        message.this_dn = arena.string(event.dn.description)
        message.agent_id = arena.string(event.session.agent.text)
        message.work_mode = UInt32(event.session.workMode.rawValue)
        message.profile = ProfileCodec.pack(event.session.profile, arena)
        var reasons = event.session.reasons.list.map { ($0.key, $0.value) }
        if event.owner != .none {
            reasons.removeAll { $0.0 == Self.site }
            reasons.append((Self.site, nodes[event.owner.position].location))
        }
        message.n_reason_keys = reasons.count
        message.reason_keys = arena.strings(reasons.map(\.0))
        message.n_reason_values = reasons.count
        message.reason_values = arena.strings(reasons.map(\.1))
    }

    /// The reason that says where an agent is.
    static let site = "site"

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
                    $0.occupancy = UInt32(status.view.occupancy.rawValue)
                    if let agent = status.view.agent { $0.agent = pack(agent, arena) }
                    if let calls = status.view.calls?.calls, !calls.isEmpty {
                        $0.n_calls = calls.count
                        $0.calls = arena.array(calls.map { Optional(CallsCodec.packStatus($0, arena)) })
                    }
                }
            )
        }
        message.n_statuses = packed.count
        message.statuses = arena.array(packed)
    }

    private func pack(
        _ session: AgentSession, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Tlibrary__AgentStatus> {
        arena.make(tandem__tlibrary__agent_status__init) {
            $0.agent_id = arena.string(session.agent.text)
            $0.state = UInt32(session.state.rawValue)
            $0.work_mode = UInt32(session.workMode.rawValue)
            $0.n_reason_keys = session.reasons.list.count
            $0.reason_keys = arena.strings(session.reasons.list.map(\.key))
            $0.n_reason_values = session.reasons.list.count
            $0.reason_values = arena.strings(session.reasons.list.map(\.value))
            $0.profile = ProfileCodec.pack(session.profile, arena)
            $0.login_time = session.login.milliseconds
            $0.since = session.stamp.milliseconds
        }
    }
}
