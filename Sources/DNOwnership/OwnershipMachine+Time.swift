package import ClusterModel

extension OwnershipMachine {
    /// Does what is due. Calling it early or late is harmless.
    package mutating func tick(now: Instant, _ actions: inout [OwnershipAction]) {
        for (connection, deadline) in strangers.sorted(by: { $0.key < $1.key }) where deadline <= now.monotonic {
            strangers[connection] = nil
            actions.append(.close(connection, .noHello))
        }
        for position in links.indices where position != me.position {
            tick(NodeIndex(position), now: now, &actions)
        }
        settleProvisionals(now: now, &actions)
    }

    private mutating func tick(_ peer: NodeIndex, now: Instant, _ actions: inout [OwnershipAction]) {
        let link = links[peer.position]
        if link.connection == nil {
            guard let due = link.nextDial, due <= now.monotonic else { return }
            links[peer.position].nextDial = nil
            actions.append(.dial(peer))
        } else if now.monotonic >= link.lastHeard + linkTimeout {
            close(peer, link.isIntroduced ? .silent : .noHello, now: now, &actions)
        } else if let deadline = link.resyncDeadline, deadline <= now.monotonic {
            links[peer.position].applied = nil
            close(peer, .resyncTooSlow, now: now, &actions)
        } else if link.isIntroduced {
            // What is due now waits for a pull. A deadline left in the past would make the shell turn without rest
            // while the connection has no room.
            if link.nextPing <= now.monotonic {
                links[peer.position].owesPing = true
                links[peer.position].nextPing = now.monotonic + keepalive
            }
            if let due = link.snapshotRequestDue, due <= now.monotonic {
                links[peer.position].snapshotRequestDue = .max
                links[peer.position].control.append(.snapshotRequest)
            }
        }
    }

    /// A claim heard from another than its owner stood in for the owner's word long enough.
    private mutating func settleProvisionals(now: Instant, _ actions: inout [OwnershipAction]) {
        while provisionalsHead < provisionals.count, provisionals[provisionalsHead].deadline <= now.monotonic {
            let (_, dn, stamp) = provisionals[provisionalsHead]
            provisionalsHead += 1
            guard records[dn.position].isProvisional, records[dn.position].stamp == stamp,
                !configuration.faults.contains(.provisionalForever)
            else { continue }
            update(dn, &actions) { record in
                record.isProvisional = false
                record.service = .superseded
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
            let link = links[position]
            if link.connection == nil {
                deadline = min(deadline, link.nextDial ?? .max)
                continue
            }
            deadline = min(deadline, link.lastHeard + linkTimeout, link.resyncDeadline ?? .max)
            if link.isIntroduced {
                deadline = min(deadline, link.nextPing, link.snapshotRequestDue ?? .max)
            }
        }
        if provisionalsHead < provisionals.count { deadline = min(deadline, provisionals[provisionalsHead].deadline) }
        return deadline
    }
}
