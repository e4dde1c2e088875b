package import ClusterModel

extension OwnershipMachine {
    /// Does what is due. Calling it early or late is harmless.
    package mutating func tick(now: Instant, _ actions: inout [OwnershipAction]) {
        if !strangers.isEmpty { giveUpStrangers(now: now, &actions) }
        for position in links.indices where position != me.position {
            tick(NodeIndex(position), now: now, &actions)
        }
        if !provisionals.isEmpty { settleProvisionals(now: now, &actions) }
    }

    private mutating func giveUpStrangers(now: Instant, _ actions: inout [OwnershipAction]) {
        for (connection, deadline) in strangers.sorted(by: { $0.key < $1.key }) where deadline <= now.monotonic {
            strangers[connection] = nil
            actions.append(.close(connection, .noHello))
        }
    }

    private mutating func tick(_ peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]) {
        // Field by field: a link as a value of its own would have its queues retained, at every turn of the loop.
        if links[peer.position].connection == nil {
            guard let due = links[peer.position].nextDial, due <= now.monotonic else { return }
            links[peer.position].nextDial = nil
            links[peer.position].dialCount += 1
            actions.append(.dial(peer))
        } else if now.monotonic >= links[peer.position].lastHeard + linkTimeout {
            close(peer, links[peer.position].isIntroduced ? .silent : .noHello, now: now, &actions)
        } else if let deadline = links[peer.position].resyncDeadline, deadline <= now.monotonic {
            links[peer.position].applied = nil
            close(peer, .resyncTooSlow, now: now, &actions)
        } else if links[peer.position].isIntroduced {
            // What is due now waits for a pull. A deadline left in the past would make the shell turn without rest
            // while the connection has no room.
            if links[peer.position].nextPing <= now.monotonic, !configuration.faults.contains(.duePingStays) {
                links[peer.position].owesPing = true
                links[peer.position].nextPing = now.monotonic + keepalive
            }
            if let due = links[peer.position].snapshotRequestDue, due <= now.monotonic {
                links[peer.position].snapshotRequestDue = .max
                links[peer.position].control.append(.snapshotRequest)
            }
        }
    }

    /// A claim was heard from another than its owner: the former word stands for the link timeout at most.
    mutating func becomesProvisional(_ dn: DNIndex, now: Instant) {
        records[dn.position].isProvisional = true
        // A peer that tells ever greater claims makes entries, not memory: those of the past are left out.
        if provisionals.count > 2 * records.count {
            provisionals.removeFirst(provisionalsHead)
            provisionalsHead = 0
            provisionals.removeAll { entry in
                !records[entry.dn.position].isProvisional || records[entry.dn.position].claim != entry.claim
            }
        }
        guard let claim = records[dn.position].claim else { return }
        provisionals.append((now.monotonic + linkTimeout, dn, claim))
    }

    /// A claim heard from another than its owner stood in for the owner's word long enough.
    private mutating func settleProvisionals(now: Instant, _ actions: inout [OwnershipAction]) {
        while provisionalsHead < provisionals.count, provisionals[provisionalsHead].deadline <= now.monotonic {
            let (_, dn, claim) = provisionals[provisionalsHead]
            provisionalsHead += 1
            guard records[dn.position].isProvisional, records[dn.position].claim == claim,
                !configuration.faults.contains(.provisionalForever)
            else { continue }
            update(dn, calls: .replace(nil), &actions) { record in
                record.isProvisional = false
                record.service = .superseded
                record.occupancy = []
            }
            links[records[dn.position].owner.position].owe(claimOf: dn)
        }
        if provisionalsHead == provisionals.count || provisionalsHead > 4096 {
            provisionals.removeFirst(provisionalsHead)
            provisionalsHead = 0
        }
    }

    /// When `tick` or a pull has something to do next, monotonic nanoseconds.
    package func nextDeadline() -> UInt64 {
        var deadline = UInt64.max
        for (_, due) in strangers { deadline = min(deadline, due) }
        for position in links.indices where position != me.position {
            if links[position].connection == nil {
                deadline = min(deadline, links[position].nextDial ?? .max)
                continue
            }
            deadline = min(deadline, links[position].lastHeard + linkTimeout, links[position].resyncDeadline ?? .max)
            if links[position].isIntroduced {
                deadline = min(deadline, links[position].nextPing, links[position].snapshotRequestDue ?? .max)
            }
        }
        if provisionalsHead < provisionals.count { deadline = min(deadline, provisionals[provisionalsHead].deadline) }
        return deadline
    }
}
