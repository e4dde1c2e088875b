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

    /// A call of the DN.
    package struct PresentCall: Encodable, Equatable, Sendable {
        var connection: String
        /// `ringing`, `dialing` or `established`.
        var state: String
        var isCaller: Bool
        @OrNull var other: String?
        @OrNull var routingPoint: String?
        var since: String

        init(_ call: DNCall) {
            connection = "\(call.connection)"
            state = call.word
            isCaller = call.isCaller
            other = call.other.isEmpty ? nil : call.other
            routingPoint = call.routingPoint.map { "\($0)" }
            since = Wording.isoTime(milliseconds: call.since)
        }
    }

    var dn: String
    var agentType: String
    var phone: String
    var homes: [String]
    /// As `expect` in a topology.
    @OrNull var expectation: String?
    @OrNull var owner: String?
    @OrNull var stamp: String?
    var service: String
    @OrNull var reason: String?
    var bindings: [Binding]
    @OrNull var agent: AgentsJSON.Agent?
    var calls: [PresentCall]
    var views: [String: NodeView]

    package init(_ details: DNDetails) {
        dn = details.dn
        agentType = details.agentType
        phone = details.phone
        homes = details.homes
        expectation = details.expectation.isEmpty ? nil : details.expectation
        owner = details.authority?.owner
        stamp = details.authority.map { "\($0.stamp)" }
        service = details.lastWord.word
        reason = details.lastWord.reason
        bindings = details.bindings.map {
            Binding(contact: $0.contact, expiresInSeconds: $0.expiresInSeconds, source: $0.source)
        }
        agent = details.authority?.agent.map { AgentsJSON.Agent($0) }
        calls = details.calls.map { PresentCall($0) }
        views = [:]
        for answer in details.answers {
            views[answer.node] =
                answer.report.map { NodeView(service: $0.shown.word, reason: $0.shown.reason) }
                ?? NodeView(service: "unknown", reason: nil)
        }
    }
}

/// What `tandem dn list --json` prints.
package enum DNListJSON {
    package struct Entry: Encodable, Equatable, Sendable {
        var dn: String
        var agentType: String
        @OrNull var owner: String?
        @OrNull var stamp: String?
        /// As the owner says; out of service, `owner-unreachable`, if no node can hear it.
        var service: String
        @OrNull var reason: String?

        package init(_ entry: DNListEntry) {
            dn = entry.dn
            agentType = entry.agentType
            owner = entry.owner.isEmpty ? nil : entry.owner
            stamp = entry.owner.isEmpty ? nil : "\(entry.stamp)"
            service = entry.service.word
            reason = entry.service.reason
        }
    }

    // One document, written piece by piece: a DN a line, and at the end whether there are more and how to go on.

    package static let opening = "{\"dns\":[\n"

    package static func element(_ entry: DNListEntry) -> String {
        String(JSONOutput.compact(Entry(entry)).dropLast())
    }

    /// - Parameter after: what `--after` takes to go on; nil at the end.
    package static func closing(after: String?) -> String {
        "\n],\"more\":\(after != nil),\"after\":" + (after.map { JSONOutput.compact($0) } ?? "null\n").dropLast()
            + "}\n"
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

    /// As the owner says, or as another node heard it last.
    package var calls: [DNCall] { authority?.calls ?? [] }

    /// Whether the owner itself answered.
    package var ownerAnswered: Bool { authority?.isOwnedHere == true }
}
