import ClusterModel
package import Orchestration

package enum AgentScreen {
    /// - Parameter now: milliseconds since 1970.
    package static func list(_ agents: [AgentEntry], now: UInt64, _ style: Style) -> String {
        let hasProfiles = agents.contains { $0.profile != .none }
        var table = Table(
            [.init("AGENT"), .init("DN"), .init("STATE"), .init("FOR", .right), .init("OWNER"), .init("SITE")]
                + (hasProfiles ? [.init("SKILLS")] : []) + [.init("WHY")])
        for agent in agents {
            let age = Wording.duration(milliseconds: now - min(now, agent.since))
            let doubt = agent.isOwnersWord ? "" : " ?"
            table.add(
                [
                    .init(Wording.printable(agent.agent)), .init(agent.dn), .init(agent.state + doubt, tone(agent)),
                    .init(age), .init(agent.owner), .init(Wording.printable(agent.site)),
                ] + (hasProfiles ? [.init(words(agent.profile))] : []) + [.init(why(agent))])
        }
        return table.rendered(style)
    }

    /// `english:5 sales:3, priority 2`; empty for nothing.
    static func words(_ profile: AgentProfile) -> String {
        let skills = profile.skills.map { "\($0)" }.joined(separator: " ")
        let priority = profile.priority == 0 ? "" : "priority \(profile.priority)"
        return [skills, priority].filter { !$0.isEmpty }.joined(separator: ", ")
    }

    package static func reservations(_ agents: [AgentEntry], _ style: Style) -> String {
        var table = Table([
            .init("AGENT"), .init("DN"), .init("CLIENT"), .init("PRIORITY", .right), .init("LEFT", .right),
            .init("OWNER"),
        ])
        for agent in agents {
            guard let reservation = agent.reservation else { continue }
            table.add([
                .init(Wording.printable(agent.agent)), .init(agent.dn),
                .init("\(reservation.node) \(reservation.client)"), .init("\(reservation.priority)"),
                .init(Wording.duration(milliseconds: reservation.millisecondsLeft)), .init(agent.owner),
            ])
        }
        return table.rendered(style)
    }

    /// On one line of `tandem dn show`.
    ///
    /// - Parameter now: milliseconds since 1970.
    static func summary(_ agent: AgentEntry?, now: UInt64) -> String {
        guard let agent else { return "-" }
        let age = Wording.duration(milliseconds: now - min(now, agent.since))
        let why = why(agent)
        let skills = words(agent.profile)
        let word =
            "\(Wording.printable(agent.agent)), \(agent.state) for \(age)" + (why.isEmpty ? "" : " (\(why))")
            + (skills.isEmpty ? "" : ", with \(skills)")
        return agent.isOwnersWord ? word : word + ", as others knew it last"
    }

    private static func tone(_ agent: AgentEntry) -> Table.Tone {
        if agent.isAvailable { return .good }
        return agent.isOwnersWord ? .plain : .doubtful
    }

    /// What the agent or the DN adds to the state.
    static func why(_ agent: AgentEntry) -> String {
        var parts: [String] = []
        if !agent.service.isInService { parts.append("DN \(agent.service.word)") }
        if !["unknown", agent.state].contains(agent.workMode) { parts.append(agent.workMode) }
        parts += agent.reasons.map { Wording.printable("\($0.key)=\($0.value)") }
        return parts.joined(separator: ", ")
    }
}

/// What `tandem agents --json` prints.
package struct AgentsJSON: Encodable, Equatable, Sendable {
    package struct Agent: Encodable, Equatable, Sendable {
        var agent: String
        var dn: String
        var state: String
        var available: Bool
        var workMode: String
        var reasons: [String: String]
        var since: String
        var loggedInSince: String
        var service: String
        @OrNull var owner: String?
        @OrNull var site: String?
        var ownersWord: Bool
        var skills: [String: UInt8]
        var priority: UInt8
        @OrNull var reservation: Reservation?

        init(_ entry: AgentEntry) {
            agent = entry.agent
            dn = entry.dn
            state = entry.state
            available = entry.isAvailable
            workMode = entry.workMode
            reasons = Dictionary(entry.reasons.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
            since = Wording.isoTime(milliseconds: entry.since)
            loggedInSince = Wording.isoTime(milliseconds: entry.login)
            service = entry.service.word
            owner = entry.owner.isEmpty ? nil : entry.owner
            site = entry.site.isEmpty ? nil : entry.site
            ownersWord = entry.isOwnersWord
            skills = Dictionary(entry.profile.skills.map { ($0.name, $0.level) }, uniquingKeysWith: { $1 })
            priority = entry.profile.priority
            reservation = entry.reservation.map { Reservation($0) }
        }
    }

    package struct Reservation: Encodable, Equatable, Sendable {
        var clientNode: String
        var client: UInt64
        var priority: Int32
        var millisecondsLeft: UInt64

        init(_ reservation: AgentEntry.Reservation) {
            clientNode = reservation.node
            client = reservation.client
            priority = reservation.priority
            millisecondsLeft = reservation.millisecondsLeft
        }
    }

    var agents: [Agent]
    var more: Bool

    package init(_ list: AgentList) {
        agents = list.entries.map { Agent($0) }
        more = list.hasMore
    }
}

/// What `tandem reservations --json` prints.
package struct ReservationsJSON: Encodable, Equatable, Sendable {
    package struct Reservation: Encodable, Equatable, Sendable {
        var agent: String
        var dn: String
        var owner: String
        var clientNode: String
        var client: UInt64
        var priority: Int32
        var millisecondsLeft: UInt64
    }

    var reservations: [Reservation]
    var more: Bool

    package init(_ list: AgentList) {
        reservations = list.entries.compactMap { entry in
            entry.reservation.map {
                Reservation(
                    agent: entry.agent, dn: entry.dn, owner: entry.owner, clientNode: $0.node, client: $0.client,
                    priority: $0.priority, millisecondsLeft: $0.millisecondsLeft)
            }
        }
        more = list.hasMore
    }
}
