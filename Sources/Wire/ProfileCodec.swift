import CTandemProto
import ClusterModel
import Orchestration

/// What agents are good at, as every schema has it.
enum ProfileCodec {
    typealias Packed = Tandem__Common__Profile

    /// - Returns: nil for a profile that says nothing.
    static func pack(_ profile: AgentProfile, _ arena: PackingArena) -> UnsafeMutablePointer<Packed>? {
        guard profile != .none else { return nil }
        return packWhole(profile.skills, priority: Int(profile.priority), arena)
    }

    static func packWhole(
        _ skills: [Skill], priority: Int, _ arena: PackingArena
    ) -> UnsafeMutablePointer<Packed> {
        arena.make(tandem__common__profile__init) {
            $0.n_skills = skills.count
            $0.skills = arena.strings(skills.map(\.name))
            $0.n_levels = skills.count
            $0.levels = arena.array(skills.map { UInt32($0.level) })
            $0.priority = UInt32(clamping: priority)
        }
    }

    static func profile(_ message: UnsafeMutablePointer<Packed>?, type: UInt16) throws(WireError) -> AgentProfile {
        guard let message = message?.pointee else { return .none }
        guard message.n_skills == message.n_levels, message.n_skills <= AgentProfile.maximumSkills else {
            throw .tooMany(type: type)
        }
        var skills: [Skill] = []
        for (name, level) in zip(texts(message.n_skills, message.skills), values(message.n_levels, message.levels)) {
            guard let skill = Skill(name, level: Int(level)) else { throw .badValue(type: type, field: "skill") }
            skills.append(skill)
        }
        guard let profile = AgentProfile(skills: skills, priority: Int(message.priority)) else {
            throw .badValue(type: type, field: "profile")
        }
        return profile
    }

    // MARK: What the topology declares

    static func pack(
        _ agents: [DeclaredAgent], _ arena: PackingArena
    ) -> UnsafeMutablePointer<Tandem__Control__ProvisionAgents> {
        arena.make(tandem__control__provision_agents__init) {
            $0.n_agents = agents.count
            $0.agents = arena.strings(agents.map(\.agent.text))
            $0.n_profiles = agents.count
            $0.profiles = arena.array(
                agents.map { packWhole($0.profile.skills, priority: Int($0.profile.priority), arena) })
        }
    }

    static func agents(_ message: borrowing Tandem__Control__ProvisionAgents) throws(WireError) -> [DeclaredAgent] {
        let type = FrameType.provisionAgents
        guard message.n_agents == message.n_profiles, message.n_agents <= DeclaredAgent.maximumCount else {
            throw .tooMany(type: type)
        }
        var agents: [DeclaredAgent] = []
        for (name, profile) in zip(
            texts(message.n_agents, message.agents), values(message.n_profiles, message.profiles))
        {
            guard let agent = AgentID(name) else { throw .badValue(type: type, field: "agent") }
            agents.append(DeclaredAgent(agent: agent, profile: try Self.profile(profile, type: type)))
        }
        return agents
    }
}
