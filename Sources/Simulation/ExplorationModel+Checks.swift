import ClusterModel
import DNOwnership

// What is looked at in a whole cluster. What concerns one node is looked at when the node is first reached.
extension ExplorationModel {
    func checkSafety(_ state: ExploredState) throws(ExplorationFinding) {
        for node in 0..<3 {
            let summary = nodes.summaries[state[node: node]]
            let hears = { (peer: Int) -> Bool in
                let (pair, side) = ExploredPairs.pair(of: node, with: peer)
                return pairs.summaries[state[pair: pair]].hears & 1 << UInt8(side) != 0
            }
            let connection = { (peer: Int) -> ConnectionID? in
                let (pair, side) = ExploredPairs.pair(of: node, with: peer)
                let slot = Int(pairs.summaries[state[pair: pair]].attached[side])
                return slot < 0 ? nil : Self.connection(pair, slot)
            }
            guard ExplorationInvariants.invariantOnlyReachableOwnersAreShown(summary, hears: hears) else {
                throw finding("invariantOnlyReachableOwnersAreShown", state)
            }
            guard ExplorationInvariants.invariantLinksAreLiveOnceHeard(summary, hears: hears) else {
                throw finding("invariantLinksAreLiveOnceHeard", state)
            }
            guard ExplorationInvariants.invariantNodesKnowTheirConnections(summary, has: connection) else {
                throw finding("invariantNodesKnowTheirConnections", state)
            }
            for peer in 0..<3 where peer != node {
                guard ExplorationInvariants.invariantSumsAgree(summary, nodes.summaries[state[node: peer]]) else {
                    throw finding("invariantSumsAgree", state)
                }
            }
        }
    }

    func checkCalm(_ state: ExploredState) throws(ExplorationFinding) {
        let summaries = (0..<3).map { nodes.summaries[state[node: $0]] }
        guard ExplorationInvariants.invariantLinksLive(summaries) else { throw finding("invariantLinksLive", state) }
        guard ExplorationInvariants.invariantAgreement(summaries) else { throw finding("invariantAgreement", state) }
        guard ExplorationInvariants.invariantNothingIsProvisional(summaries) else {
            throw finding("invariantNothingIsProvisional", state)
        }
        guard ExplorationInvariants.invariantStreamsAreHeardOut(summaries) else {
            throw finding("invariantStreamsAreHeardOut", state)
        }
    }

    private func finding(_ invariant: String, _ state: ExploredState) -> ExplorationFinding {
        let views = (0..<3).map { words(for: nodes.summaries[state[node: $0]]) }
        return ExplorationFinding(invariant: invariant, detail: views.joined(separator: "; "))
    }
}
