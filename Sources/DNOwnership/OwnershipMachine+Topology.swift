package import ClusterModel

// What another topology does not have, before this node goes on under it.
extension OwnershipMachine {
    /// A DN is not provisioned any more. Peers that do not know yet hear so from its owner.
    package mutating func retire(_ dn: DNIndex, _ actions: inout [OwnershipAction]) {
        if records[dn.position].owner == me {
            guard records[dn.position].service != .notProvisioned else { return }
            updateOwn(dn, calls: .replace(nil), &actions) { record in
                record.service = .notProvisioned
                record.occupancy = []
            }
        } else {
            setAsideWord(of: dn)
            update(dn, calls: .replace(nil), &actions) { record in
                record.service = .notProvisioned
                record.occupancy = []
            }
        }
    }

    /// A node is none of the cluster's any more: its link ends, and whatever it owned nobody owns.
    package mutating func retire(_ node: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]) {
        close(node, .unknownNode(topology.name(of: node)), now: now, &actions)
        links[node.position].nextDial = nil
        if configuration.faults.contains(.goneOwnerStays) { return }
        for position in records.indices where records[position].owner == node {
            update(DNIndex(position), calls: .replace(nil), &actions) { $0 = Record() }
        }
    }
}
