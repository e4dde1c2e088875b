/// What an agent is good at, and how soon calls are to come to the agent: as the topology declares it, or as a login says it.
package struct AgentProfile: Hashable, Sendable {
    package static let maximumSkills = 16
    package static let priorityBounds = 0...100
    /// Nothing.
    package static let none = AgentProfile()

    /// Sorted by name, each name once.
    package private(set) var skills: [Skill] = []
    /// The greater comes first where a routing point asks for it (`strategy: priority`).
    package var priority: UInt8 = 0

    package init() {}

    /// - Returns: nil where a name stands twice, there are too many, or the priority is out of bounds.
    package init?(skills: [Skill], priority: Int = 0) {
        guard skills.count <= Self.maximumSkills, Self.priorityBounds.contains(priority) else { return nil }
        self.skills = skills.sorted { $0.name < $1.name }
        guard zip(self.skills, self.skills.dropFirst()).allSatisfy({ $0.name != $1.name }) else { return nil }
        self.priority = UInt8(priority)
    }

    /// 0 for a skill that the agent does not have.
    package func level(of name: String) -> UInt8 { skills.first { $0.name == name }?.level ?? 0 }

    /// The first of some skills that the agent lacks, or has at a lower level.
    package func lacks(_ required: [Skill]) -> Skill? { required.first { level(of: $0.name) < $0.level } }
}

/// A skill and how good somebody is at it, or has to be.
package struct Skill: Hashable, Sendable, CustomStringConvertible {
    package static let levelBounds = 1...100
    /// Bytes of a name: small letters, digits and hyphens, a letter or digit first.
    package static let maximumName = 31

    package let name: String
    package let level: UInt8

    /// - Returns: nil for what is no name, and for a level out of bounds.
    package init?(_ name: String, level: Int) {
        guard Self.levelBounds.contains(level), Self.isName(name) else { return nil }
        self.name = name
        self.level = UInt8(level)
    }

    /// What nobody has.
    static let none = Skill(unchecked: "-")

    private init(unchecked name: String) {
        self.name = name
        level = 1
    }

    /// - Parameter text: `english:5`.
    package init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let level = Int(parts[1]) else { return nil }
        self.init(String(parts[0]), level: level)
    }

    package static func isName(_ name: String) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return (1...maximumName).contains(name.utf8.count) && name.utf8.first != hyphen
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == hyphen }
    }

    /// `english:5`.
    package var description: String { "\(name):\(level)" }
}
