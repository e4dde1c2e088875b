import AgentSessions
import CProtobufC
import CTandemProto
import ClusterModel
package import TLibraryPorts

/// Puts what nodes ask each other for their clients into frames on the mesh.
package enum ProxyCodec {
    /// What is asked, on the wire.
    private enum Kind: UInt32 {
        case query = 0
        case login, logout, ready, notReady, reserve, resume, redeem
    }

    /// What is answered, on the wire.
    private enum AnswerKind: UInt32 {
        case notOwner = 0
        case addressInfo, agent, reserved, done, refused
    }

    /// Whether a frame on the mesh belongs here; all others are `MeshCodec`'s.
    package static func carries(_ type: UInt16) -> Bool {
        type == FrameType.proxiedRequest || type == FrameType.proxiedAnswer || type == FrameType.clientGone
    }

    // MARK: Encoding

    /// Appends the message as a frame.
    package static func encode(_ message: ProxyMessage, to output: inout [UInt8]) {
        let arena = PackingArena()
        switch message {
        case .request(let number, let dn, let request):
            let message = arena.make(tandem__mesh__proxied_request__init) {
                $0.number = number
                $0.dn = arena.bytes(MeshCodec.packed([dn], count: 1))
                fill(&$0, request, arena)
            }
            appendFrame(type: FrameType.proxiedRequest, message, to: &output)
        case .answer(let number, let answer):
            let message = arena.make(tandem__mesh__proxied_answer__init) {
                $0.number = number
                fill(&$0, answer, arena)
            }
            appendFrame(type: FrameType.proxiedAnswer, message, to: &output)
        case .clientGone(let client):
            let message = arena.make(tandem__mesh__client_gone__init) { $0.client = client }
            appendFrame(type: FrameType.clientGone, message, to: &output)
        }
        withExtendedLifetime(arena) {}
    }

    private static func fill(
        _ message: inout Tandem__Mesh__ProxiedRequest, _ request: OwnerRequest, _ arena: PackingArena
    ) {
        switch request {
        case .query:
            message.kind = Kind.query.rawValue
        case .agent(let request):
            fill(&message, request, arena)
        case .reserve(let request, let client):
            message.kind = Kind.reserve.rawValue
            message.client = client
            message.priority = request.priority
            message.duration = duration(request.duration)
            if let agent = request.agent { message.agent = arena.string(agent.text) }
        case .resume(let desktop):
            message.kind = Kind.resume.rawValue
            message.desktop = desktop.number
        case .redeem(let token, let call):
            message.kind = Kind.redeem.rawValue
            message.token = pack(token, arena)
            message.call = call
        }
    }

    private static func fill(
        _ message: inout Tandem__Mesh__ProxiedRequest, _ request: AgentRequest, _ arena: PackingArena
    ) {
        let (kind, mode, reasons): (Kind, WorkMode, Reasons) =
            switch request {
            case .login(_, let mode, let reasons, _): (.login, mode, reasons)
            case .logout(let reasons): (.logout, .unknown, reasons)
            case .ready(let mode, let reasons): (.ready, mode, reasons)
            case .notReady(let mode, let reasons): (.notReady, mode, reasons)
            }
        if case .login(let agent, _, _, let profile) = request {
            message.agent = arena.string(agent.text)
            message.profile = profile.map {
                ProfileCodec.packWhole($0.skills, priority: Int($0.priority), arena)
            }
        }
        message.kind = kind.rawValue
        message.work_mode = UInt32(mode.rawValue)
        message.n_reason_keys = reasons.list.count
        message.reason_keys = arena.strings(reasons.list.map(\.key))
        message.n_reason_values = reasons.list.count
        message.reason_values = arena.strings(reasons.list.map(\.value))
    }

    private static func fill(
        _ message: inout Tandem__Mesh__ProxiedAnswer, _ answer: ProxyAnswer, _ arena: PackingArena
    ) {
        switch answer {
        case .notOwner:
            message.kind = AnswerKind.notOwner.rawValue
        case .addressInfo(let word, let detail):
            message.kind = AnswerKind.addressInfo.rawValue
            message.service = UInt32(word.service.rawValue)
            message.stamp = word.stamp.rawValue
            message.occupancy = UInt32(word.occupancy.rawValue)
            message.contacts = detail.contacts
            message.desktops = detail.desktops
            if let session = word.session { message.session = SessionCodec.pack(session, at: 0, arena) }
            if let calls = word.calls {
                message.calls = CallsCodec.pack(calls.calls, ended: calls.lastEnded, at: 0, arena)
            }
        case .agent(let session):
            message.kind = AnswerKind.agent.rawValue
            message.session = SessionCodec.pack(session, at: 0, arena)
        case .reserved(let reservation):
            message.kind = AnswerKind.reserved.rawValue
            message.token = pack(reservation.token, arena)
            message.agent = arena.string(reservation.agent.text)
            message.priority = reservation.priority
            message.milliseconds = reservation.milliseconds
        case .done:
            message.kind = AnswerKind.done.rawValue
        case .refused(let error):
            message.kind = AnswerKind.refused.rawValue
            message.error = error.rawValue
        }
    }

    private static func pack(
        _ token: ReservationToken, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Mesh__ReservationToken> {
        arena.make(tandem__mesh__reservation_token__init) {
            $0.dn = arena.bytes(MeshCodec.packed([token.dn], count: 1))
            $0.claim = token.claim.rawValue
            $0.lineage = token.lineage.rawValue
            $0.number = token.number
        }
    }

    /// As TReserveAgent says it, in milliseconds.
    static func duration(_ duration: ReservationRequest.Duration) -> Int32 {
        switch duration {
        case .cancel: 0
        case .usual: -1
        case .milliseconds(let count): Int32(clamping: count)
        }
    }

    /// - Returns: nil for one that is too long or negative.
    static func duration(_ milliseconds: Int32) -> ReservationRequest.Duration? {
        switch milliseconds {
        case 0: .cancel
        case -1: .usual
        case 1...Int32(ReservationRequest.maximumMilliseconds): .milliseconds(UInt32(milliseconds))
        case _: nil
        }
    }

    // MARK: Decoding

    /// Reads a frame's payload.
    package static func decode(type: UInt16, _ payload: RawSpan) throws(WireError) -> ProxyMessage {
        switch type {
        case FrameType.proxiedRequest:
            return try unpack(
                type: type, tandem__mesh__proxied_request__descriptor, payload, as: Tandem__Mesh__ProxiedRequest.self
            ) { (message) throws(WireError) in
                .request(number: message.number, try dn(message.dn, type), try request(message, type))
            }
        case FrameType.proxiedAnswer:
            return try unpack(
                type: type, tandem__mesh__proxied_answer__descriptor, payload, as: Tandem__Mesh__ProxiedAnswer.self
            ) { (message) throws(WireError) in .answer(number: message.number, try answer(message, type)) }
        case FrameType.clientGone:
            return try unpack(
                type: type, tandem__mesh__client_gone__descriptor, payload, as: Tandem__Mesh__ClientGone.self
            ) { .clientGone($0.client) }
        default:
            throw .unknownType(type)
        }
    }

    private static func dn(_ data: ProtobufCBinaryData, _ type: UInt16) throws(WireError) -> DN {
        guard data.len == MeshCodec.dnSize, let dn = MeshCodec.dn(0, in: data) else {
            throw .badValue(type: type, field: "DN")
        }
        return dn
    }

    private static func request(
        _ message: borrowing Tandem__Mesh__ProxiedRequest, _ type: UInt16
    ) throws(WireError) -> OwnerRequest {
        guard let kind = Kind(rawValue: message.kind) else { throw .badValue(type: type, field: "kind of request") }
        switch kind {
        case .query:
            return .query
        case .login, .logout, .ready, .notReady:
            return .agent(try agentRequest(message, kind, type))
        case .reserve:
            let name = text(message.agent)
            let agent = AgentID(name)
            guard name.isEmpty == (agent == nil) else { throw .badValue(type: type, field: "agent") }
            guard let duration = duration(message.duration) else { throw .badValue(type: type, field: "duration") }
            return .reserve(
                ReservationRequest(priority: message.priority, duration: duration, agent: agent),
                client: message.client)
        case .resume:
            return .resume(DesktopToken(number: message.desktop))
        case .redeem:
            return .redeem(try token(message.token, type), call: message.call)
        }
    }

    private static func agentRequest(
        _ message: borrowing Tandem__Mesh__ProxiedRequest, _ kind: Kind, _ type: UInt16
    ) throws(WireError) -> AgentRequest {
        guard let mode = UInt8(exactly: message.work_mode).flatMap(WorkMode.init) else {
            throw .badValue(type: type, field: "work mode")
        }
        let reasons = try SessionCodec.reasons(
            (message.n_reason_keys, message.reason_keys), (message.n_reason_values, message.reason_values), type: type)
        switch kind {
        case .login:
            guard let agent = AgentID(text(message.agent)) else { throw .badValue(type: type, field: "agent") }
            let profile =
                message.profile == nil ? nil : try ProfileCodec.profile(message.profile, type: type)
            return .login(agent, mode, reasons, profile: profile)
        case .logout: return .logout(reasons)
        case .ready: return .ready(mode, reasons)
        case _: return .notReady(mode, reasons)
        }
    }

    private static func token(
        _ message: UnsafeMutablePointer<Tandem__Mesh__ReservationToken>?, _ type: UInt16
    ) throws(WireError) -> ReservationToken {
        guard let message = message?.pointee else { throw .badValue(type: type, field: "token") }
        return ReservationToken(
            dn: try dn(message.dn, type), claim: Stamp(rawValue: message.claim),
            lineage: Incarnation(rawValue: message.lineage), number: message.number)
    }

    private static func answer(
        _ message: borrowing Tandem__Mesh__ProxiedAnswer, _ type: UInt16
    ) throws(WireError) -> ProxyAnswer {
        guard let kind = AnswerKind(rawValue: message.kind) else {
            throw .badValue(type: type, field: "kind of answer")
        }
        switch kind {
        case .notOwner: return .notOwner
        case .done: return .done
        case .addressInfo:
            return .addressInfo(
                try word(message, type), OwnerDetail(contacts: message.contacts, desktops: message.desktops))
        case .agent:
            guard let session = message.session else { throw .badValue(type: type, field: "session") }
            return .agent(try SessionCodec.session(session.pointee, type: type))
        case .reserved:
            guard let agent = AgentID(text(message.agent)) else { throw .badValue(type: type, field: "agent") }
            return .reserved(
                Reservation(
                    token: try token(message.token, type), agent: agent, priority: message.priority,
                    milliseconds: message.milliseconds))
        case .refused:
            guard let error = TError(rawValue: message.error) else { throw .badValue(type: type, field: "error") }
            return .refused(error)
        }
    }

    private static func word(
        _ message: borrowing Tandem__Mesh__ProxiedAnswer, _ type: UInt16
    ) throws(WireError) -> OwnerWord {
        guard let code = UInt8(exactly: message.service), let service = Service(rawValue: code),
            MeshCodec.canBeSaid(service)
        else { throw .badValue(type: type, field: "service code") }
        guard let occupancy = UInt8(exactly: message.occupancy).map(Occupancy.init),
            Occupancy.known.isSuperset(of: occupancy)
        else { throw .badValue(type: type, field: "occupancy") }
        var session: AgentSession?
        if let told = message.session { session = try SessionCodec.session(told.pointee, type: type) }
        var calls: DNCalls?
        if let told = message.calls { calls = try CallsCodec.calls(told.pointee, type: type) }
        return OwnerWord(
            service: service, stamp: Stamp(rawValue: message.stamp), occupancy: occupancy, session: session,
            calls: calls)
    }
}
