import ClusterModel

// What agents are good at, and what routing points ask for.
extension TopologyDecoder {
    /// `{ english: 5 }`.
    mutating func skills(_ field: Field, atMost maximum: Int) -> [Skill] {
        let declared = declarations(of: field, "levels", atMost: maximum)
        if declared.isEmpty, tree.kind(of: field.value) == .mapping {
            report(
                .wrongValue, "`skills` names none", at: span(field.value),
                hint: "add one with its level, such as `english: 5`, or remove `skills`")
        }
        return declared.compactMap { skill in
            number(skill, Skill.levelBounds).flatMap { Skill(skill.name, level: $0) }
        }
    }

    package mutating func decodeProfiles(_ section: Field) {
        let declared = declarations(of: section, "profiles of agents", atMost: Topology.maximumProfiles) {
            $0.checkAgent($1)
        }
        for field in declared {
            guard !tree.isNull(field.value), let fields = fields(of: field, .profile) else { continue }
            let skills = fields["skills"].map { self.skills($0, atMost: AgentProfile.maximumSkills) } ?? []
            let priority = fields["priority"].flatMap { number($0, AgentProfile.priorityBounds) } ?? 0
            guard let agent = AgentID(field.name),
                let profile = AgentProfile(skills: skills, priority: priority)
            else { continue }
            agentProfiles[agent] = profile
        }
    }

    /// Reports a key that is no agent's ID.
    mutating func checkAgent(_ field: Field) -> Bool {
        guard AgentID(field.name) == nil else { return true }
        report(
            .badName, "\(quoted(field.key)) is no agent's ID", at: span(field.key),
            hint: "an ID is 1 to \(AgentID.maximumLength) visible ASCII characters without spaces")
        return false
    }
}
