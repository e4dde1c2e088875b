import ClusterModel

/// What a node knows of one DN, beside its agent's session and its calls; 32 bytes.
struct Record: Equatable, Sendable {
    /// The stamp of the greatest claim known.
    var stamp: Stamp = .zero
    /// At the owner: the stamp of the last registration that was accepted. Registrations refresh without a new claim.
    var registered: Stamp = .zero
    /// The revision under which this node last spoke of the DN; 0 if it never did.
    var saidRevision: UInt64 = 0
    /// The owner by the greatest claim known.
    var owner: NodeIndex = .none
    /// As the owner says, under its present claim.
    var occupancy: Occupancy = []
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
    ///
    /// - Parameters:
    ///   - session: the digest of the session that goes with it; 0 for none.
    ///   - calls: the same of the calls.
    static func digest(
        of dn: DN, stamp: Stamp, service: Service, occupancy: Occupancy, session: UInt64, calls: UInt64
    ) -> UInt64 {
        let state = stamp.rawValue &* 31 &+ UInt64(service.rawValue) ^ UInt64(occupancy.rawValue) << 56
        return mixed(dn.stableHash ^ mixed(state) ^ session ^ (calls << 32 | calls >> 32))
    }
}

/// The greatest agent session that a node knows of a DN.
struct HeldSession: Equatable, Sendable {
    var session: AgentSession
    /// The digest of the session that went with the owner's last word, if the record `isSaid`; 0 for none. The one held
    /// may be greater, until the owner has been told of it and has said so.
    var said: UInt64 = 0
}
