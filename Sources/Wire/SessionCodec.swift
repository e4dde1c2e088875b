import CTandemProto
import ClusterModel

/// Agents' sessions beside the columns of a message between nodes: packed, and read again while the columns are gone through.
struct SessionCodec {
    private let type: UInt16
    private let sessions: UnsafeBufferPointer<UnsafeMutablePointer<Tandem__Mesh__Session>?>
    private var next = 0

    /// Those of a list that are not nil, each with its place in the list.
    static func pack(
        _ sessions: some Sequence<AgentSession?>, _ arena: PackingArena
    ) -> [UnsafeMutablePointer<Tandem__Mesh__Session>?] {
        var packed: [UnsafeMutablePointer<Tandem__Mesh__Session>?] = []
        for (position, session) in sessions.enumerated() {
            guard let session else { continue }
            packed.append(pack(session, at: position, arena))
        }
        return packed
    }

    static func pack(
        _ session: AgentSession, at position: Int, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Mesh__Session> {
        arena.make(tandem__mesh__session__init) {
            $0.position = UInt32(position)
            $0.agent = arena.string(session.agent.text)
            $0.state = UInt32(session.state.rawValue)
            $0.work_mode = UInt32(session.workMode.rawValue)
            $0.n_reason_keys = session.reasons.list.count
            $0.reason_keys = arena.strings(session.reasons.list.map(\.key))
            $0.n_reason_values = session.reasons.list.count
            $0.reason_values = arena.strings(session.reasons.list.map(\.value))
            $0.profile = ProfileCodec.pack(session.profile, arena)
            $0.login = session.login.rawValue
            $0.stamp = session.stamp.rawValue
        }
    }

    /// - Parameter count: of the columns.
    init(
        _ sessionCount: Int, _ sessions: UnsafeMutablePointer<UnsafeMutablePointer<Tandem__Mesh__Session>?>?,
        count: Int, type: UInt16
    ) throws(WireError) {
        guard sessionCount <= count else { throw .tooMany(type: type) }
        self.type = type
        self.sessions = values(sessionCount, sessions)
        for session in self.sessions {
            guard let session, session.pointee.position < count else { throw .badValue(type: type, field: "position") }
        }
        for (one, other) in zip(self.sessions, self.sessions.dropFirst())
        where one!.pointee.position >= other!.pointee.position {
            throw .badValue(type: type, field: "position")
        }
    }

    /// The session at a place of the columns, which have to be gone through in order.
    mutating func session(at position: Int) throws(WireError) -> AgentSession? {
        guard next < sessions.count, let session = sessions[next], session.pointee.position == position else {
            return nil
        }
        next += 1
        return try Self.session(session.pointee, type: type)
    }

    static func session(
        _ message: Tandem__Mesh__Session, type: UInt16
    ) throws(WireError) -> AgentSession {
        guard let agent = AgentID(text(message.agent)) else { throw .badValue(type: type, field: "agent") }
        guard let state = UInt8(exactly: message.state).flatMap(AgentSession.State.init),
            let mode = UInt8(exactly: message.work_mode).flatMap(WorkMode.init)
        else { throw .badValue(type: type, field: "agent's state") }
        guard message.login <= message.stamp else { throw .badValue(type: type, field: "login") }
        let reasons = try reasons(
            (message.n_reason_keys, message.reason_keys), (message.n_reason_values, message.reason_values), type: type)
        return AgentSession(
            agent: agent, state: state, workMode: mode, reasons: reasons,
            profile: try ProfileCodec.profile(message.profile, type: type), login: Stamp(rawValue: message.login),
            stamp: Stamp(rawValue: message.stamp))
    }

    typealias Texts = (Int, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?)

    /// Two columns of text that belong together.
    static func reasons(_ keys: Texts, _ values: Texts, type: UInt16) throws(WireError) -> Reasons {
        guard keys.0 == values.0, keys.0 <= Reasons.maximumCount else { throw .tooMany(type: type) }
        var reasons = Reasons()
        for (key, value) in zip(texts(keys.0, keys.1), texts(values.0, values.1)) {
            guard reasons.add(key, value) else { throw .badValue(type: type, field: "reason") }
        }
        return reasons
    }
}
