package import ClusterModel

/// Which agents an operator wants to see.
package struct AgentFilter: Equatable, Sendable {
    /// Agents of one answer at most: they fit a frame, and a node is not kept from its calls for long.
    package static let maximumLimit: UInt32 = 500
    /// `available` are those that can be given a call, `reserved` those that somebody has reserved.
    package static let states = ["ready", "not-ready", "after-call-work", "busy", "reserved", "available"]

    package var limit: UInt32 = 100
    /// The agent of this DN; empty for all.
    package var dn = ""
    /// The agent of this ID; empty for all.
    package var agent = ""
    /// One of `states`; empty for all.
    package var state = ""
    /// Agents on DNs that this node owns; empty for all.
    package var node = ""

    package init() {}
}

/// An agent that is logged in, as the DN's owner knows it, or another node where the owner cannot be asked.
package struct AgentEntry: Equatable, Sendable {
    /// Who has reserved an agent, and for how long.
    package struct Reservation: Equatable, Sendable {
        /// The node that the client is connected to, and its number there.
        package var node: String
        package var client: UInt64
        package var priority: Int32
        package var millisecondsLeft: UInt64

        package init(node: String, client: UInt64, priority: Int32, millisecondsLeft: UInt64) {
            self.node = node
            self.client = client
            self.priority = priority
            self.millisecondsLeft = millisecondsLeft
        }
    }

    package var agent = ""
    package var dn = ""
    /// `ready`, `not-ready`, `after-call-work`, `busy` or `reserved`.
    package var state = ""
    /// As `WorkMode` has it.
    package var workMode = ""
    package var reasons: [Reasons.Reason] = []
    /// When the session came to be as it is, and when the agent logged in: milliseconds since 1970.
    package var since: UInt64 = 0
    package var login: UInt64 = 0
    package var service = Service.neverRegistered
    /// A node's full name; empty where nobody owns the DN.
    package var owner = ""
    /// Where the owner is; empty where the topology does not say it.
    package var site = ""
    package var isAvailable = false
    /// The owner says so itself.
    package var isOwnersWord = false
    package var profile = AgentProfile.none
    /// Only the owner knows it.
    package var reservation: Reservation?

    package init() {}

    package func isIn(_ state: String) -> Bool {
        switch state {
        case "": true
        case "available": isAvailable
        case "reserved": self.state == state || reservation != nil
        default: self.state == state
        }
    }
}

/// Some agents.
package struct AgentList: Equatable, Sendable {
    package var request: UInt64 = 0
    package var entries: [AgentEntry] = []
    /// There are others that fit.
    package var hasMore = false

    package init() {}

    /// Puts together what all nodes know; each DN stands once. What its owner says counts, then the latest.
    ///
    /// - Parameter position: of a DN in the directory, by which each list is sorted and this one will be.
    package static func merged(
        _ lists: [AgentList], limit: Int, position: (_ dn: String) -> DNIndex?
    ) -> AgentList {
        var agents: [String: AgentEntry] = [:]
        for entry in lists.flatMap(\.entries) {
            guard let known = agents[entry.dn] else {
                agents[entry.dn] = entry
                continue
            }
            let ranks = [known, entry].map { ($0.isOwnersWord ? 1 : 0, $0.since) }
            if ranks[1] > ranks[0] { agents[entry.dn] = entry }
        }
        let placed = agents.values.compactMap { entry in position(entry.dn).map { ($0, entry) } }
        var merged = AgentList()
        merged.entries = placed.sorted { $0.0 < $1.0 }.prefix(limit).map(\.1)
        merged.hasMore = placed.count > limit || lists.contains(where: \.hasMore)
        return merged
    }
}
