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

extension StatefulProxy {
    /// How many calls go over a trunk at this node, in both directions, with those that are on their way.
    package func use(of trunk: TrunkIndex) -> Int { trunkLegs.use[trunk] + calls.trunkUse[trunk] }

    /// Grows whenever one of these has changed.
    package var trunkChanges: UInt64 { trunkLegs.use.changes &+ calls.trunkUse.changes }

    /// The call of an open request has come over a trunk.
    package mutating func setTrunk(_ id: OpenRequest, _ trunk: TrunkIndex) {
        guard let call = contexts[Int(id.slot)].call, contexts[Int(id.slot)].generation == id.generation else { return }
        calls.setTrunk(call, ofCaller: trunk)
    }
}
