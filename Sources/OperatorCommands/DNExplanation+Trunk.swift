import Orchestration

// How a telephone is dialled, and whether it can be.
extension DNExplanation {
    private var trunk: TrunkStatus? { status.trunks.first { $0.sum.name == details.trunk } }

    /// The owner alone dials.
    private var ownersTrunk: TrunkReport? { trunk?.nodes.first { $0.node == owner }?.report }

    /// Why no call can leave for the telephone, without a capital and full stop; nil where one can, and of other phones.
    var dialProblem: String? {
        guard isPSTN else { return nil }
        guard !details.trunk.isEmpty else {
            return "its agent type \(details.agentType) names no trunk to dial it through; add `trunk:` to the topology"
        }
        guard let report = ownersTrunk else { return nil }
        if report.gateways.allSatisfy({ $0.isOutOfReach }) {
            return
                "its owner \(owner) has no SIP port that speaks as the gateways of trunk \(details.trunk) do "
                + "(\(report.gateways.map(\.address).joined(separator: ", ")))"
        }
        if report.gateways.allSatisfy({ $0.isDown || $0.isOutOfReach }) {
            return "no gateway of trunk \(details.trunk) answers \(owner); see `tandem trunks`"
        }
        return nil
    }

    /// One sentence; nil for a phone that is not dialled.
    package var trunkPart: String? {
        guard isPSTN, let sum = trunk?.sum else { return nil }
        let capacity = sum.capacity.map { " of \($0)" } ?? ""
        let group = sum.group.isEmpty ? "" : ", which is in capacity group \(sum.group)"
        let full = sum.capacity.map { sum.calls >= $0 } ?? false
        return
            "It is dialled through trunk \(sum.name)\(group); over that go \(sum.calls)\(capacity) calls now"
            + (full ? ", so another one is refused." : ".")
    }
}
