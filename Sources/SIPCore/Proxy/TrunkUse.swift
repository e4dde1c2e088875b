package import ClusterModel

/// By trunk: how much goes over it.
struct TrunkUse: Sendable {
    private(set) var counts: [Int] = []
    /// Grows with every change.
    private(set) var changes: UInt64 = 0

    mutating func begin(_ trunk: TrunkIndex) {
        changes &+= 1
        while counts.count <= trunk.position { counts.append(0) }
        counts[trunk.position] += 1
    }

    mutating func end(_ trunk: TrunkIndex?) {
        guard let trunk else { return }
        changes &+= 1
        counts[trunk.position] -= 1
    }

    subscript(trunk: TrunkIndex) -> Int { trunk.position < counts.count ? counts[trunk.position] : 0 }

    /// Changes go on from those of another, whose use this has become.
    mutating func goOn(from changes: UInt64) { self.changes = changes }
}

/// INVITEs that were sent to trunks' gateways. One has a place on its trunk from then until it is refused, also when nobody waits for
/// it any more; one that is accepted hands its place to the call.
struct TrunkLegs: Sendable {
    private var trunks: [ClientTransactionID: TrunkIndex] = [:]
    private(set) var use = TrunkUse()

    mutating func begin(_ id: ClientTransactionID, over trunk: TrunkIndex) {
        trunks[id] = trunk
        use.begin(trunk)
    }

    /// - Returns: the trunk, if the INVITE had a place.
    @discardableResult
    mutating func end(_ id: ClientTransactionID) -> TrunkIndex? {
        guard !trunks.isEmpty, let trunk = trunks.removeValue(forKey: id) else { return nil }
        use.end(trunk)
        return trunk
    }
}

extension TrunkLegs: Transferable {
    /// Those that have a place, in no order.
    var holders: Dictionary<ClientTransactionID, TrunkIndex>.Keys { trunks.keys }

    /// What goes over each trunk is counted anew.
    mutating func transfer(_ state: inout StateTransfer) {
        var legs =
            state.isReading
            ? [] : trunks.map { TransferredLeg(id: $0, trunk: $1) }.sorted { $0.id.precedes($1.id) }
        var changes = use.changes
        state.list(1, &legs)
        state.number(2, &changes)
        guard state.isReading else { return }
        self = TrunkLegs()
        for leg in legs {
            guard trunks[leg.id] == nil else { return state.refuse("an INVITE has two places on trunks") }
            begin(leg.id, over: leg.trunk)
        }
        use.goOn(from: changes)
    }
}

private struct TransferredLeg: Restorable {
    var id: ClientTransactionID
    var trunk: TrunkIndex

    static var blank: TransferredLeg { TransferredLeg(id: .blank, trunk: TrunkIndex(0)) }

    mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &id)
        state.number(2, &trunk)
    }
}

extension StatefulProxy {
    /// How many calls go over a trunk at this node, in both directions, with those that are on their way.
    package func use(of trunk: TrunkIndex) -> Int { trunkLegs.use[trunk] + calls.trunkUse[trunk] }

    /// Grows whenever one of these has changed.
    package var trunkChanges: UInt64 { trunkLegs.use.changes &+ calls.trunkUse.changes }

    /// The call of an open request has come over a trunk.
    package mutating func setTrunk(_ id: OpenRequest, _ trunk: TrunkIndex) {
        guard Int(id.slot) < contexts.count, contexts[Int(id.slot)].generation == id.generation,
            let call = contexts[Int(id.slot)].call
        else { return }
        calls.setTrunk(call, ofCaller: trunk)
    }
}
