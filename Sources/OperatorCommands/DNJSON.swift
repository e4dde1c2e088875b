package import ClusterModel
package import Orchestration

/// What `tandem dn show DN --json` prints.
package struct DNDetailsJSON: Encodable, Equatable, Sendable {
    package struct Binding: Encodable, Equatable, Sendable {
        var contact: String
        var expiresInSeconds: UInt32
        var source: String
    }

    package struct NodeView: Encodable, Equatable, Sendable {
        /// `in-service`, `out-of-service`, or `unknown` when the node did not answer.
        var service: String
        @OrNull var reason: String?
    }

    package struct Agent: Encodable, Equatable, Sendable {}

    var dn: String
    var agentType: String
    var phone: String
    var homes: [String]
    @OrNull var owner: String?
    @OrNull var stamp: String?
    var service: String
    @OrNull var reason: String?
    var bindings: [Binding]
    @OrNull var agent: Agent?
    var views: [String: NodeView]

    package init(_ details: DNDetails) {
        dn = details.dn
        agentType = details.agentType
        phone = details.phone
        homes = details.homes
        owner = details.authority?.owner
        stamp = details.authority.map { "\($0.stamp)" }
        service = details.lastWord.word
        reason = details.lastWord.reason
        bindings = details.bindings.map {
            Binding(contact: $0.contact, expiresInSeconds: $0.expiresInSeconds, source: $0.source)
        }
        agent = nil
        views = [:]
        for answer in details.answers {
            views[answer.node] =
                answer.report.map { NodeView(service: $0.shown.word, reason: $0.shown.reason) }
                ?? NodeView(service: "unknown", reason: nil)
        }
    }
}

/// What `tandem dn list --json` prints.
package struct DNListJSON: Encodable, Equatable, Sendable {
    package struct Entry: Encodable, Equatable, Sendable {
        var dn: String
        var agentType: String
        @OrNull var owner: String?
        @OrNull var stamp: String?
        var service: String
        @OrNull var reason: String?
    }

    var dns: [Entry]
    /// Whether there are more DNs than the limit let through.
    var more: Bool

    package init(_ entries: [DNListEntry], more: Bool) {
        dns = entries.map {
            Entry(
                dn: $0.dn, agentType: $0.agentType, owner: $0.owner.isEmpty ? nil : $0.owner,
                stamp: $0.owner.isEmpty ? nil : "\($0.stamp)", service: $0.lastWord.word, reason: $0.lastWord.reason
            )
        }
        self.more = more
    }
}

extension DNDetails {
    /// The word of the greatest claim's owner, or what others heard of it last when it does not answer.
    package var lastWord: Service { authority?.lastWord ?? .neverRegistered }

    /// From the owner's own answer; empty when it did not answer.
    package var bindings: [BindingReport] {
        guard let authority, authority.isOwnedHere else { return [] }
        return authority.bindings.sorted { $0.contact < $1.contact }
    }

    /// Whether the owner itself answered.
    package var ownerAnswered: Bool { authority?.isOwnedHere == true }
}
