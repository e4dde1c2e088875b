package import AgentSessions
import CProtobufC
import CTandemProto
import ClusterModel
package import TLibraryPorts

// What clients ask, as a node reads it. A frame that cannot be read ends the connection; one that can, but asks for something
// that cannot be, is a request that is refused.
extension TLibraryCodec {
    private static let maximumEventTypes = 64

    package static func decodeRequest(type: UInt16, _ payload: RawSpan) throws(WireError) -> TRequest {
        switch TMessageType(rawValue: type) {
        case .requestRegisterAddress, .requestUnregisterAddress, .requestQueryAddress:
            return try decodeAddressRequest(type, payload)
        case .requestQueryServer:
            return try unpack(
                type: type, tandem__tlibrary__server_request__descriptor, payload,
                as: Tandem__Tlibrary__ServerRequest.self
            ) { .queryServer(referenceID: $0.reference_id) }
        case .requestRegisterAll:
            return try decodeMonitorRequest(payload)
        case .requestSetInputMask:
            return try unpack(
                type: type, tandem__tlibrary__input_mask_request__descriptor, payload,
                as: Tandem__Tlibrary__InputMaskRequest.self
            ) { (message) throws(WireError) in
                let mask = try mask(message.n_event_types, message.event_types, type)
                return .setInputMask(referenceID: message.reference_id, mask)
            }
        case .requestAgentLogin, .requestAgentLogout, .requestAgentReady, .requestAgentNotReady:
            return try decodeAgentRequest(type, payload)
        case .requestReserveAgent:
            return try decodeReserveRequest(payload)
        case .requestRouteCall:
            return try decodeRouteRequest(payload)
        case .requestPrivateService:
            return try decodePrivateService(payload)
        case _:
            throw .unknownType(type)
        }
    }

    private static func decodeAddressRequest(_ type: UInt16, _ payload: RawSpan) throws(WireError) -> TRequest {
        try unpack(
            type: type, tandem__tlibrary__address_request__descriptor, payload,
            as: Tandem__Tlibrary__AddressRequest.self
        ) { message in
            let id = message.reference_id
            let dn = text(message.this_dn)
            return switch TMessageType(rawValue: type) {
            case .requestRegisterAddress:
                .registerAddress(
                    referenceID: id, dn: dn, takeover: message.takeover != 0, ownerHint: message.owner_hint != 0,
                    desktop: message.has_desktop_token == 0 ? nil : DesktopToken(number: message.desktop_token))
            case .requestUnregisterAddress: .unregisterAddress(referenceID: id, dn: dn)
            case _: .queryAddress(referenceID: id, dn: dn)
            }
        }
    }

    private static func decodeMonitorRequest(_ payload: RawSpan) throws(WireError) -> TRequest {
        let type = TMessageType.requestRegisterAll.rawValue
        return try unpack(
            type: type, tandem__tlibrary__monitor_request__descriptor, payload,
            as: Tandem__Tlibrary__MonitorRequest.self
        ) { (message) throws(WireError) in
            guard message.n_range_firsts <= MonitorOptions.maximumRanges,
                message.n_range_firsts == message.n_range_lasts
            else {
                throw .tooMany(type: type)
            }
            var options = MonitorOptions(
                ownedHereOnly: message.owned_here_only != 0, pointsOnly: message.points_only != 0,
                acceptsOwnerEvents: message.accepts_owner_events != 0,
                mask: try mask(message.n_event_types, message.event_types, type)
            )
            let firsts = texts(message.n_range_firsts, message.range_firsts)
            let lasts = texts(message.n_range_lasts, message.range_lasts)
            for (first, last) in zip(firsts, lasts) {
                guard let first = DN(first), let last = DN(last) else {
                    return .invalid(referenceID: message.reference_id, .malformedRequest)
                }
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

    private static func mask(
        _ count: Int, _ types: UnsafeMutablePointer<UInt32>?, _ type: UInt16
    ) throws(WireError) -> EventMask {
        guard count <= maximumEventTypes else { throw .tooMany(type: type) }
        guard count > 0 else { return .all }
        return EventMask(types: values(count, types).compactMap { UInt16(exactly: $0).flatMap(TMessageType.init) })
    }

    private static func decodeAgentRequest(_ type: UInt16, _ payload: RawSpan) throws(WireError) -> TRequest {
        try unpack(
            type: type, tandem__tlibrary__agent_request__descriptor, payload, as: Tandem__Tlibrary__AgentRequest.self
        ) { message in
            let id = message.reference_id
            guard let mode = UInt8(exactly: message.work_mode).flatMap(WorkMode.init),
                let reasons = try? SessionCodec.reasons(
                    (message.n_reason_keys, message.reason_keys), (message.n_reason_values, message.reason_values),
                    type: type)
            else { return .invalid(referenceID: id, .malformedRequest) }
            let request: AgentRequest
            switch TMessageType(rawValue: type) {
            case .requestAgentLogin:
                guard let agent = AgentID(text(message.agent_id)) else {
                    return .invalid(referenceID: id, .badAgent)
                }
                guard let profile = try? ProfileCodec.profile(message.profile, type: type) else {
                    return .invalid(referenceID: id, .malformedRequest)
                }
                request = .login(agent, mode, reasons, profile: message.profile == nil ? nil : profile)
            case .requestAgentLogout: request = .logout(reasons)
            case .requestAgentReady: request = .ready(mode, reasons)
            case _: request = .notReady(mode, reasons)
            }
            return .agent(referenceID: id, dn: text(message.this_dn), request)
        }
    }

    private static func decodeRouteRequest(_ payload: RawSpan) throws(WireError) -> TRequest {
        let type = TMessageType.requestRouteCall.rawValue
        return try unpack(
            type: type, tandem__tlibrary__route_request__descriptor, payload, as: Tandem__Tlibrary__RouteRequest.self
        ) { message in
            let id = message.reference_id
            let bytes = Array(bytes(message.reservation_token))
            let token = ReservationToken(bytes: bytes)
            guard bytes.isEmpty == (token == nil) else { return .invalid(referenceID: id, .staleToken) }
            return .routeCall(referenceID: id, CallConnection(rawValue: message.connection), token)
        }
    }

    private static func decodePrivateService(_ payload: RawSpan) throws(WireError) -> TRequest {
        let type = TMessageType.requestPrivateService.rawValue
        return try unpack(
            type: type, tandem__tlibrary__private_service_request__descriptor, payload,
            as: Tandem__Tlibrary__PrivateServiceRequest.self
        ) { message in
            let id = message.reference_id
            guard message.service == TANDEM__TLIBRARY__PRIVATE_SERVICE_REQUEST__SERVICE__QUEUE_POSITION else {
                return .invalid(referenceID: id, .unsupportedRequest)
            }
            guard message.position > 0, message.position <= message.waiting else {
                return .invalid(referenceID: id, .malformedRequest)
            }
            return .queuePosition(
                referenceID: id, CallConnection(rawValue: message.connection),
                QueuePosition(position: message.position, waiting: message.waiting))
        }
    }

    private static func decodeReserveRequest(_ payload: RawSpan) throws(WireError) -> TRequest {
        let type = TMessageType.requestReserveAgent.rawValue
        return try unpack(
            type: type, tandem__tlibrary__reserve_request__descriptor, payload,
            as: Tandem__Tlibrary__ReserveRequest.self
        ) { message in
            let id = message.reference_id
            let name = text(message.agent_id)
            let agent = AgentID(name)
            guard name.isEmpty == (agent == nil) else { return .invalid(referenceID: id, .badAgent) }
            guard let duration = ProxyCodec.duration(message.duration) else {
                return .invalid(referenceID: id, .malformedRequest)
            }
            let request = ReservationRequest(priority: message.priority, duration: duration, agent: agent)
            return .reserveAgent(referenceID: id, dn: text(message.agent_dn), request)
        }
    }
}

extension EventMask {
    /// The numbers of the events that stand for a mask; none for one that has all.
    var eventTypes: [UInt32] {
        guard self != .all else { return [] }
        let types = TMessageType.allCases.filter { EventMask($0).map { contains($0) } ?? false }
        // An empty list would mean all: one that nobody knows means none.
        return types.isEmpty ? [0] : types.map { UInt32($0.rawValue) }
    }
}

extension ReservationToken {
    /// As clients carry it, who need not know what is in it.
    package var bytes: [UInt8] {
        var bytes = MeshCodec.packed([dn], count: 1)
        for word in [claim.rawValue, lineage.rawValue, number] {
            for shift in (0..<8).reversed() { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
        }
        return bytes
    }

    /// - Returns: nil for what is no token.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 40 else { return nil }
        let words = (0..<5).map { word in
            bytes[word * 8..<word * 8 + 8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        }
        guard let dn = DN(high: words[0], low: words[1]) else { return nil }
        self.init(
            dn: dn, claim: Stamp(rawValue: words[2]), lineage: Incarnation(rawValue: words[3]), number: words[4])
    }
}
