import ClusterModel

/// What a node knows of one DN; 32 bytes.
struct Record: Sendable {
    /// The stamp of the greatest claim known.
    var stamp: Stamp = .zero
    /// At the owner: the stamp of the last registration that was accepted. Registrations refresh without a new claim.
    var registered: Stamp = .zero
    /// The revision under which this node last spoke of the DN; 0 if it never did.
    var saidRevision: UInt64 = 0
    /// The owner by the greatest claim known.
    var owner: NodeIndex = .none
    /// As the owner says; see `isSaid` and `isProvisional` for the exceptions.
    var service: Service = .neverRegistered
    /// The owner itself said this record, so its digest is in the sum kept for the owner's link.
    var isSaid = false
    /// The claim was heard from another than its owner, and the former owner's word about the service still stands.
    var isProvisional = false

    var claim: Claim? { owner == .none ? nil : Claim(owner: owner, stamp: stamp) }

    /// Whether a claim would be adopted over what is known.
    func isSuperseded(by other: Claim) -> Bool {
        guard let claim else { return true }
        return claim < other
    }

    /// What the record adds to its owner's digest.
    static func digest(of dn: DN, stamp: Stamp, service: Service) -> UInt64 {
        mixed(dn.stableHash ^ mixed(stamp.rawValue &* 31 &+ UInt64(service.rawValue)))
    }
}
