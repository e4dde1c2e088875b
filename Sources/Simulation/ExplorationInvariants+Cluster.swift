import ClusterModel
import DNOwnership

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

    // MARK: Of a cluster in which nothing is left to happen, except that cuts may heal

    /// Nodes that hear each other agree on a DN that one of them owns, in its own view or in the other's. A node that is
    /// cut off from the owner need not have heard of the claim, for nothing is relayed, unless its own was superseded.
    package static func invariantLinkedNodesAgree(_ one: NodeSummary, _ other: NodeSummary) -> Bool {
        guard one.peers[other.node.position].isReachable, other.peers[one.node.position].isReachable else {
            return true
        }
        for claim in [one.claim, other.claim] where claim?.owner == one.node || claim?.owner == other.node {
            return one.view == other.view
        }
        return true
    }

    /// Nobody waits for a word that nobody will say.
    package static func invariantNothingIsProvisional(_ nodes: [NodeSummary]) -> Bool {
        nodes.allSatisfy { !$0.isProvisional }
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
