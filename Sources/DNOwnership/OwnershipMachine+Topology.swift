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
            forget(dn, &actions) { record in
                // Of what nobody owns there is no record.
                guard record.owner != .none else { return }
                record.service = .notProvisioned
                record.occupancy = []
            }
        }
    }

    /// All that the peer owns has to be told once more.
    mutating func askAnew(_ peer: NodeIndex) {
        if links[peer.position].isIntroduced {
            links[peer.position].snapshotRequestDue = links[peer.position].snapshotRequestDue ?? 0
        } else {
            links[peer.position].applied = nil
        }
    }

    /// Whoever was logged in on the DN is so no more, as far as is known here; clients hear so while they can be told.
    private mutating func forget(
        _ dn: DNIndex, _ actions: inout [OwnershipAction], _ change: (inout Record) -> Void
    ) {
        let before = view(of: dn)
        change(&records[dn.position])
        sessions[dn] = nil
        calls[dn] = nil
        let after = view(of: dn)
        if before != after { actions.append(.viewChanged(dn, from: before, to: after)) }
    }

    /// A node is none of the cluster's any more: its link ends, and whatever it owned nobody owns.
    package mutating func retire(_ node: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]) {
        close(node, .unknownNode(topology.name(of: node)), now: now, &actions)
        links[node.position].nextDial = nil
        if configuration.faults.contains(.goneOwnerStays) { return }
        for position in records.indices where records[position].owner == node {
            let dn = DNIndex(position)
            forget(dn, &actions) { $0 = Record() }
            // What others have said of it in vain counts again, and nobody knows any more what it was.
            for peer in links.indices where links[peer].superseded[dn] != nil { askAnew(NodeIndex(peer)) }
        }
    }
}
