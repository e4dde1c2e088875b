import ClusterModel
import DNOwnership

// What is looked at in a whole cluster. What concerns one node is looked at when the node is first reached.
extension ExplorationModel {
    func checkSafety(_ state: ExploredState) throws(ExplorationFinding) {
        for node in 0..<3 {
            let summary = nodes.summaries[state[node: node]]
            let surroundings = surroundings(of: node, in: state)
            guard ExplorationInvariants.invariantOnlyReachableOwnersAreShown(summary, surroundings) else {
                throw finding("invariantOnlyReachableOwnersAreShown", state)
            }
            guard ExplorationInvariants.invariantLinksAreLiveOnceHeard(summary, surroundings) else {
                throw finding("invariantLinksAreLiveOnceHeard", state)
            }
            guard ExplorationInvariants.invariantNodesKnowTheirConnections(summary, surroundings) else {
                throw finding("invariantNodesKnowTheirConnections", state)
            }
            for peer in 0..<3 where peer != node {
                guard ExplorationInvariants.invariantSumsAgree(summary, nodes.summaries[state[node: peer]]) else {
                    throw finding("invariantSumsAgree", state)
                }
            }
        }
    }

    private func surroundings(of node: Int, in state: ExploredState) -> NodeSurroundings {
        var surroundings = NodeSurroundings()
        for peer in 0..<3 where peer != node {
            let (pair, side) = ExploredPairs.pair(of: node, with: peer)
            let number = state[pair: pair]
            surroundings.hears[peer] = pairs.summaries[number].hears & 1 << UInt8(side) != 0
            let slot = Int(pairs.summaries[number].attached[side])
            if slot >= 0 { surroundings.connections[peer] = Self.connection(pair, slot) }
        }
        return surroundings
    }

    /// - Parameter isCalm: nothing at all is left to happen; otherwise cuts may heal.
    func checkQuiet(_ state: ExploredState, isCalm: Bool) throws(ExplorationFinding) {
        let summaries = summaries(of: state)
        for one in summaries {
            for other in summaries where one.node < other.node {
                guard ExplorationInvariants.invariantLinkedNodesAgree(one, other) else {
                    throw finding("invariantLinkedNodesAgree", state)
                }
            }
        }
        guard ExplorationInvariants.invariantNothingIsProvisional(summaries) else {
            throw finding("invariantNothingIsProvisional", state)
        }
        guard isCalm else { return }
        guard ExplorationInvariants.invariantLinksLive(summaries) else { throw finding("invariantLinksLive", state) }
        guard ExplorationInvariants.invariantAgreement(summaries) else { throw finding("invariantAgreement", state) }
        guard ExplorationInvariants.invariantStreamsAreHeardOut(summaries) else {
            throw finding("invariantStreamsAreHeardOut", state)
        }
    }

    private func summaries(of state: ExploredState) -> [NodeSummary] {
        var summaries: [NodeSummary] = []
        for node in 0..<3 { summaries.append(nodes.summaries[state[node: node]]) }
        return summaries
    }

    private func finding(_ invariant: String, _ state: ExploredState) -> ExplorationFinding {
        ExplorationFinding(invariant: invariant, detail: words(for: state))
    }
}
