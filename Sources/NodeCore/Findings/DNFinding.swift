package import ClusterModel

/// Something about a DN that should not be so, as this node sees it.
package struct DNFinding: Equatable, Sendable {
    /// Each is judged by the node that can know it: mostly the DN's owner, so that nodes can be added up. The raw values are those
    /// of JSON.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// A peer, or this node's store, has a DN that the topology does not. Every node says so that hears it.
        case notProvisioned = "not-provisioned"
        /// Owned here and in service, and its homes do not allow this data center.
        case forbiddenHome = "forbidden-home"
        /// Owned here and in service, and its first home is another data center, of which a node is heard.
        case awayFromHome = "away-from-home"
        /// A peer says that it owns the DN, to which another node has a greater claim. Every node says so that hears it.
        case claimedTwice = "claimed-twice"
        /// In service by the last word of an owner that is not heard. Every node says so that does not hear it.
        case ownerGone = "owner-gone"
        /// Expected in service now, and it is not: as the owner says, or, where nobody owns it, the first node of its homes.
        case notInService = "not-in-service"
        /// A phone that may not, or not here, tries to register it; or one is registered, and the DN is a PSTN phone's by now.
        case wrongPhone = "wrong-phone"
        /// Its owner changes again and again. The present one says so.
        case flapping
        /// An agent is logged in, and the DN is out of service: as the owner says.
        case agentWithoutDesktop = "agent-without-desktop"
        /// Reserved for longer than any call waits for an agent: as the owner says.
        case endlessReservation = "endless-reservation"
        /// In a call for longer than people speak, or in one of which nobody knows any more: as the owner says.
        case endlessCall = "endless-call"

        /// Its place in `allCases`.
        var place: Int {
            switch self {
            case .notProvisioned: 0
            case .forbiddenHome: 1
            case .awayFromHome: 2
            case .claimedTwice: 3
            case .ownerGone: 4
            case .notInService: 5
            case .wrongPhone: 6
            case .flapping: 7
            case .agentWithoutDesktop: 8
            case .endlessReservation: 9
            case .endlessCall: 10
            }
        }
    }

    /// What is wrong, and with which DN.
    package var kind: Kind
    package var dn: DN
    /// What the kind leaves open, for people.
    package var detail: String
    /// For how long it has been so, at least.
    package var milliseconds: UInt64

    package init(_ kind: Kind, _ dn: DN, detail: String = "", milliseconds: UInt64) {
        self.kind = kind
        self.dn = dn
        self.detail = detail
        self.milliseconds = milliseconds
    }
}

/// What a node has found: some DNs of each kind, and how many there are.
package struct DNFindingReport: Equatable, Sendable {
    /// The most of one kind that are told one by one.
    package static let maximumExamples = 32

    /// By kind, in the order of the kinds, and then by DN.
    package var examples: [DNFinding] = []
    /// Kinds without any are not in it.
    package var counts: [DNFinding.Kind: UInt64] = [:]

    package init() {}
}
