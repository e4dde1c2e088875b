package import ClusterModel
package import DNOwnership

/// What a node shows and holds, as far as something has to hold of it. There is one DN.
package struct NodeSummary: Equatable, Sendable {
    package var node: NodeIndex
    package var incarnation: Incarnation
    package var view: View
    /// The owner's last word, whether or not it can be heard.
    package var word: Service
    package var isProvisional = false
    /// A phone is bound here.
    package var hasBinding = false
    /// By node: whether this node shows what that one says.
    package var reaches: [Bool]
    /// By node: the connection that this node uses.
    package var connections: [ConnectionID?]
    /// What this node has said.
    package var said: StreamPosition
    /// By node: what was heard of it.
    package var heard: [HeardPosition?]
    /// By node: how many messages and claims wait for it.
    package var waitingMessages: [Int]
    package var waitingClaims: [Int]
    package var strangers = 0

    package init(
        node: NodeIndex, incarnation: Incarnation, view: View, word: Service, reaches: [Bool],
        connections: [ConnectionID?], said: StreamPosition, heard: [HeardPosition?]
    ) {
        self.node = node
        self.incarnation = incarnation
        self.view = view
        self.word = word
        self.reaches = reaches
        self.connections = connections
        self.said = said
        self.heard = heard
        waitingMessages = Array(repeating: 0, count: reaches.count)
        waitingClaims = waitingMessages
    }

    init(_ machine: OwnershipMachine, hasBinding: Bool) {
        let dn = DNIndex(0)
        let nodes = machine.topology.nodes.indices.map { NodeIndex($0) }
        self.init(
            node: machine.me, incarnation: machine.identity.incarnation, view: machine.view(of: dn),
            word: machine.lastWord(of: dn), reaches: nodes.map { $0 != machine.me && machine.isReachable($0) },
            connections: nodes.map { machine.connection(to: $0) }, said: machine.saidPosition,
            heard: nodes.map { machine.heardPosition(of: $0) }
        )
        self.hasBinding = hasBinding
        isProvisional = machine.isProvisional(dn)
        waitingMessages = nodes.map { machine.waiting(for: $0).messages }
        waitingClaims = nodes.map { machine.waiting(for: $0).claims }
        strangers = machine.strangerCount
    }

    var claim: Claim? { view.owner == .none ? nil : Claim(owner: view.owner, stamp: view.stamp) }
}

/// A rule that did not hold.
package struct ExplorationFinding: Error, Equatable, Sendable, CustomStringConvertible {
    package let invariant: String
    package let detail: String

    package var description: String { "\(invariant): \(detail)" }
}

/// What must hold in every state, at every step, and when nothing is left to happen.
///
/// Each says whether it holds of what it is given, so that states made by hand show that it can fail.
package enum ExplorationInvariants {
    // MARK: Of one node

    /// A node's own DN is in service exactly while it has a binding, whatever happens to its links.
    package static func invariantOwnersHaveWhatTheyServe(_ node: NodeSummary) -> Bool {
        node.hasBinding == (node.view.owner == node.node && node.view.service.isInService)
    }

    /// Introductions are a handful: a hello, a beginning and what a snapshot begun anew adds. There is one DN, and
    /// a pair has so many connections at most.
    package static func invariantQueuesStayWithinBounds(_ node: NodeSummary) -> Bool {
        node.waitingMessages.allSatisfy { $0 <= 3 } && node.waitingClaims.allSatisfy { $0 <= 1 }
            && node.strangers <= 2 * ExploredPair.slots
    }

    // MARK: Of one step at a node

    /// Claims at a node never regress within its life.
    package static func invariantClaimsNeverRegress(from before: NodeSummary, to after: NodeSummary) -> Bool {
        guard let claim = before.claim else { return true }
        guard let next = after.claim else { return false }
        return !(next < claim)
    }

    /// Every word at a node was said by the owner of the claim under that claim, or stands in for one until that owner
    /// speaks. As what is said is what the speaker holds, all words go back to their owners so.
    package static func invariantWordsWereSaid(
        from before: NodeSummary, to after: NodeSummary, by teller: NodeIndex?, _ message: PeerMessage?
    ) -> Bool {
        guard before.claim != after.claim || before.word != after.word else { return true }
        guard let claim = after.claim, let message, let teller else { return false }
        if claim.owner == after.node {
            // Its own claim: made again above another, or taken back after a restart.
            return before.claim != claim && (after.word == before.word || after.word == .restarted)
        }
        switch message {
        case .records(let batch):
            if claim.owner == teller,
                batch.owned.contains(where: { $0.stamp == claim.stamp && $0.service == after.word })
            {
                return true
            }
            return batch.yielded.contains { $0.claim == claim } && standsIn(after, for: before)
        case .claims(let claims):
            return claims.contains { $0.claim == claim } && standsIn(after, for: before)
        case .syncEnd:
            return before.claim == claim && claim.owner == teller && after.word == .restarted
        case .hello, .syncBegin, .snapshotRequest, .ping, .pong:
            return false
        }
    }

    private static func standsIn(_ after: NodeSummary, for before: NodeSummary) -> Bool {
        after.isProvisional ? after.word == before.word : after.word == .superseded
    }

    /// Whoever hears every change, and nothing else, knows what the node shows.
    package static func invariantChangesAreTold(
        from before: NodeSummary, to after: NodeSummary, _ actions: [OwnershipAction]
    ) -> Bool {
        // Nil once an owner is back: its DNs are then looked up.
        var shown: View? = before.view
        for action in actions {
            switch action {
            case .viewChanged(_, let from, let to):
                if let shown, shown != from { return false }
                shown = to
            case .ownerUnreachable(let owner):
                if shown?.owner == owner { shown?.service = .ownerUnreachable }
            case .ownerReachable(let owner):
                if shown?.owner == owner { shown = nil }
            case .dial, .close, .yielded:
                break
            }
        }
        return shown == nil || shown == after.view
    }

    /// What a node says of its own DNs and of claims is what it holds, and it says no more than one chunk at a time.
    package static func invariantSpeakersSayWhatTheyHold(_ speaker: NodeSummary, _ message: PeerMessage) -> Bool {
        switch message {
        case .records(let batch):
            return batch.owned.count + batch.yielded.count <= 1
                && batch.owned.allSatisfy {
                    Claim(owner: speaker.node, stamp: $0.stamp) == speaker.claim && $0.service == speaker.word
                }
                && batch.yielded.allSatisfy { $0.claim == speaker.claim && $0.claim.owner != speaker.node }
        case .claims(let claims):
            return claims.count == 1 && claims.allSatisfy { $0.claim == speaker.claim }
        case .syncEnd(let position):
            return position == speaker.said
        case .ping(let ping):
            return ping.position == nil || ping.position == speaker.said
        case .hello, .syncBegin, .snapshotRequest, .pong:
            return true
        }
    }

    /// Nobody has to ask for a snapshot: streams have no gaps and their sums agree.
    package static func invariantStreamsAddUp(_ message: PeerMessage) -> Bool { message != .snapshotRequest }

    /// A node closes connections that a newer one replaced, and those of earlier lives.
    package static func invariantOnlyOldConnectionsAreClosed(_ problem: LinkProblem) -> Bool {
        problem == .replaced || problem == .staleIncarnation
    }
}

// MARK: Of a whole cluster

extension ExplorationInvariants {
    /// A node shows a DN in service only if it owns it or hears the owner: on a connection that it still has, it was
    /// told all that the owner has, or a connection that was told so was replaced by one to the same life.
    ///
    /// - Parameter hears: by node, whether this node hears it in this sense.
    package static func invariantOnlyReachableOwnersAreShown(_ node: NodeSummary, hears: (Int) -> Bool) -> Bool {
        !node.view.service.isInService || node.view.owner == node.node || hears(node.view.owner.position)
    }

    /// A link is live exactly while the peer is heard in this sense.
    package static func invariantLinksAreLiveOnceHeard(_ node: NodeSummary, hears: (Int) -> Bool) -> Bool {
        for peer in node.reaches.indices where peer != node.node.position {
            if node.reaches[peer] != hears(peer) { return false }
        }
        return true
    }

    /// A node uses the connection that it has, and none that is gone.
    package static func invariantNodesKnowTheirConnections(
        _ node: NodeSummary, has connection: (Int) -> ConnectionID?
    ) -> Bool {
        for peer in node.connections.indices where peer != node.node.position {
            if node.connections[peer] != connection(peer) { return false }
        }
        return true
    }

    /// What was heard of a peer adds up to what the peer has said, whenever both are at the same revision.
    package static func invariantSumsAgree(_ node: NodeSummary, _ peer: NodeSummary) -> Bool {
        guard node.reaches[peer.node.position], let heard = node.heard[peer.node.position],
            heard.lineage == peer.incarnation, heard.position.revision == peer.said.revision
        else { return true }
        return heard.position == peer.said
    }

    // MARK: Of a cluster in which nothing is left to happen

    package static func invariantLinksLive(_ nodes: [NodeSummary]) -> Bool {
        nodes.allSatisfy { node in
            node.reaches.indices.allSatisfy { $0 == node.node.position || node.reaches[$0] }
        }
    }

    /// All nodes agree on owner, stamp and service.
    package static func invariantAgreement(_ nodes: [NodeSummary]) -> Bool {
        nodes.allSatisfy { $0.view == nodes[0].view }
    }

    /// Nobody waits for a word that nobody will say.
    package static func invariantNothingIsProvisional(_ nodes: [NodeSummary]) -> Bool {
        nodes.allSatisfy { !$0.isProvisional }
    }

    /// Everybody has heard everything that was said.
    package static func invariantStreamsAreHeardOut(_ nodes: [NodeSummary]) -> Bool {
        nodes.allSatisfy { node in
            nodes.allSatisfy { peer in
                node.node == peer.node
                    || node.heard[peer.node.position] == HeardPosition(lineage: peer.incarnation, position: peer.said)
            }
        }
    }
}
