package import ClusterModel
package import DNOwnership

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
        for position in node.peers.indices {
            let peer = node.peers[position]
            if peer.waitingMessages > 3 || peer.waitingClaims > 1 { return false }
        }
        return node.strangers <= 2 * ExploredPair.slots
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
    /// A node shows a DN in service only if it owns it or hears the owner.
    package static func invariantOnlyReachableOwnersAreShown(
        _ node: NodeSummary, _ surroundings: NodeSurroundings
    ) -> Bool {
        guard node.view.service.isInService, node.view.owner != node.node else { return true }
        return node.view.owner != .none && surroundings.hears[node.view.owner.position]
    }

    /// A link is live exactly while the peer is heard.
    package static func invariantLinksAreLiveOnceHeard(
        _ node: NodeSummary, _ surroundings: NodeSurroundings
    ) -> Bool {
        for peer in node.peers.indices where peer != node.node.position {
            if node.peers[peer].isReachable != surroundings.hears[peer] { return false }
        }
        return true
    }

    /// A node uses the connection that it has, and none that is gone.
    package static func invariantNodesKnowTheirConnections(
        _ node: NodeSummary, _ surroundings: NodeSurroundings
    ) -> Bool {
        for peer in node.peers.indices where peer != node.node.position {
            if node.peers[peer].connection != surroundings.connections[peer] { return false }
        }
        return true
    }

    /// What was heard of a peer adds up to what the peer has said, whenever both are at the same revision.
    package static func invariantSumsAgree(_ node: NodeSummary, _ peer: NodeSummary) -> Bool {
        let side = node.peers[peer.node.position]
        guard side.isReachable, let heard = side.heard, heard.lineage == peer.incarnation,
            heard.position.revision == peer.said.revision
        else { return true }
        return heard.position == peer.said
    }

    // MARK: Of a cluster in which nothing is left to happen

    package static func invariantLinksLive(_ nodes: [NodeSummary]) -> Bool {
        nodes.allSatisfy { node in
            node.peers.indices.allSatisfy { $0 == node.node.position || node.peers[$0].isReachable }
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
                let heard = HeardPosition(lineage: peer.incarnation, position: peer.said)
                return node.node == peer.node || node.peers[peer.node.position].heard == heard
            }
        }
    }
}
