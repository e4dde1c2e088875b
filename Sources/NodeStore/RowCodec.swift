import ClusterModel
import NodeCore
import SIPCore

/// The value of a row: everything of a DN that is read and written with it and never searched for.
enum RowCodec {
    static func encode(_ row: StoredDN) -> [UInt8] {
        var output = FieldWriter()
        output.put(UInt8(row.contacts.count))
        for contact in row.contacts { encode(contact, &output) }
        output.put(UInt8(row.session == nil ? 0 : 1))
        if let session = row.session { encode(session, &output) }
        return output.bytes
    }

    private static func encode(_ contact: StoredDN.Contact, _ output: inout FieldWriter) {
        let binding = contact.binding
        output.put(contact.keptUntil)
        output.put(binding.contact)
        output.put(binding.callID)
        output.put(binding.cseq)
        output.put(binding.quality ?? .max)
        output.put(binding.path)
        output.put(binding.source.address.high)
        output.put(binding.source.address.low)
        output.put(binding.source.address.port)
        output.put(binding.source.listener)
        output.put(UInt8((binding.isTied ? 1 : 0) | (binding.isFlow ? 2 : 0)))
        output.put(binding.device)
    }

    private static func encode(_ session: AgentSession, _ output: inout FieldWriter) {
        output.put(session.agent.text)
        output.put(session.state.rawValue)
        output.put(session.workMode.rawValue)
        output.put(UInt8(session.reasons.list.count))
        for reason in session.reasons.list {
            output.put(reason.key)
            output.put(reason.value)
        }
        output.put(UInt8(session.profile.skills.count))
        for skill in session.profile.skills {
            output.put(skill.name)
            output.put(skill.level)
        }
        output.put(session.profile.priority)
        output.put(session.login.rawValue)
        output.put(session.stamp.rawValue)
    }

    /// - Parameters: what stands in columns of its own.
    static func decode(
        _ bytes: [UInt8], claim: Stamp, registered: Stamp, service: Service
    ) throws(Damage) -> StoredDN {
        var input = FieldReader(bytes: bytes)
        var row = StoredDN(claim: claim, registered: registered, service: service, session: nil, contacts: [])
        for _ in 0..<(try input.byte()) { row.contacts.append(try contact(&input)) }
        if try input.byte() != 0 { row.session = try session(&input) }
        guard input.isAtEnd else { throw Damage() }
        return row
    }

    private static func contact(_ input: inout FieldReader) throws(Damage) -> StoredDN.Contact {
        let keptUntil = try input.number(UInt64.self)
        var binding = Binding(
            contact: try input.text(), callID: try input.text(), cseq: try input.number(UInt32.self), expiry: 0,
            source: SIPSource(NetworkAddress(high: 0, low: 0, port: 0)))
        let quality = try input.number(UInt16.self)
        if quality != .max { binding.quality = quality }
        binding.path = try input.text()
        let (high, low) = (try input.number(UInt64.self), try input.number(UInt64.self))
        let address = NetworkAddress(high: high, low: low, port: try input.number(UInt16.self))
        binding.source = SIPSource(address, listener: try input.byte())
        let flags = try input.byte()
        binding.isTied = flags & 1 != 0
        binding.isFlow = flags & 2 != 0
        binding.device = try input.number(UInt64.self)
        guard binding.contact.count <= Registrar.maximumContactLength,
            binding.callID.count <= Registrar.maximumCallIDLength
        else { throw Damage() }
        return StoredDN.Contact(binding, keptUntil: keptUntil)
    }

    private static func session(_ input: inout FieldReader) throws(Damage) -> AgentSession {
        guard let agent = AgentID(try input.string()), let state = AgentSession.State(rawValue: try input.byte()),
            let workMode = WorkMode(rawValue: try input.byte())
        else { throw Damage() }
        var reasons = Reasons()
        for _ in 0..<(try input.byte()) {
            let (key, value) = (try input.string(), try input.string())
            guard reasons.add(key, value) else { throw Damage() }
        }
        var skills: [Skill] = []
        for _ in 0..<(try input.byte()) {
            guard let skill = Skill(try input.string(), level: Int(try input.byte())) else { throw Damage() }
            skills.append(skill)
        }
        guard let profile = AgentProfile(skills: skills, priority: Int(try input.byte())) else { throw Damage() }
        let login = Stamp(rawValue: try input.number(UInt64.self))
        return AgentSession(
            agent: agent, state: state, workMode: workMode, reasons: reasons, profile: profile, login: login,
            stamp: Stamp(rawValue: try input.number(UInt64.self)))
    }
}
