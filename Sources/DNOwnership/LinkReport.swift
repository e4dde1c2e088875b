package import ClusterModel

/// One direction of a link as this node sees it.
package struct LinkReport: Equatable, Sendable {
    package enum State: String, Equatable, Sendable, CaseIterable {
        case down, syncing, live
    }

    package var peer: NodeIndex
    package var state: State
    package var incarnation: Incarnation?
    package var appliedRevision: UInt64
    /// Of the latest ping and pong, without the time that the peer took to answer.
    package var roundTripNanoseconds: UInt64?
    /// The parts of it, there and back; see `LinkLatency`.
    package var transmitNanoseconds: UInt64?
    package var receiveNanoseconds: UInt64?
    /// How long ago the peer was last heard; nil while down.
    package var silenceNanoseconds: UInt64?
    /// Revisions that wait to be sent.
    package var behindRevisions: UInt64
    /// How many DNs the peer says it owns.
    package var peerOwns: UInt64
    package var losses: UInt64
    /// How often the peer has begun to tell everything.
    package var snapshots: UInt64
    /// How often the peer had to tell only what was missed.
    package var resumptions: UInt64
    /// How long the last sync took, from the peer's hello to the live link.
    package var syncNanoseconds: UInt64?
    /// How often this node asked for a connection, in vain or not; the node with the lesser name does.
    package var dials: UInt64
    package var mismatches: Int
    package var clockAheadMilliseconds: UInt64
    package var sameGeneration: Bool
}

extension OwnershipMachine {
    package func linkReports(now: Instant) -> [LinkReport] {
        links.indices.filter { $0 != me.position }.map { position in
            let link = links[position]
            let isConnected = link.connection != nil
            return LinkReport(
                peer: NodeIndex(position),
                state: link.phase == .live ? .live : link.phase == .syncing ? .syncing : .down,
                incarnation: link.incarnation,
                appliedRevision: link.applied?.revision ?? 0,
                roundTripNanoseconds: link.latency.roundTrip,
                transmitNanoseconds: link.latency.transmit,
                receiveNanoseconds: link.latency.receive,
                silenceNanoseconds: isConnected ? now.since(link.lastHeard) : nil,
                behindRevisions: isConnected ? revision - min(link.sentRevision, revision) : 0,
                peerOwns: link.saidCount,
                losses: link.lossCount,
                snapshots: link.snapshotCount,
                resumptions: link.resumptionCount,
                syncNanoseconds: link.syncNanoseconds,
                dials: link.dialCount,
                mismatches: link.mismatches,
                clockAheadMilliseconds: link.clockAheadMilliseconds,
                sameGeneration: link.incarnation == nil || link.generation == identity.generation
            )
        }
    }

    /// How many DNs this node shows with each service, by the raw values. Looks at all of them.
    package func serviceCounts() -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: Service.allCases.count)
        for position in records.indices { counts[Int(visibleService(of: records[position]).rawValue)] += 1 }
        return counts
    }

    /// How long ago something was by a peer's clock, nanoseconds; nil where that is not known.
    package func age(of peersTime: UInt64, of peer: NodeIndex, now: Instant) -> UInt64? {
        links[peer.position].latency.age(of: peersTime, at: now.monotonic)
    }

    /// How many DNs this node owns.
    package var ownedCount: Int { Int(ownCount) }

    /// The greatest stamp issued or heard.
    package var greatestStamp: Stamp { clock.greatest }

    /// The last revision said.
    package var lastRevision: UInt64 { revision }
}

// For whoever checks the machine from outside.
extension OwnershipMachine {
    /// All that the machine holds of one DN.
    package func inspect(_ dn: DNIndex) -> (view: View, word: Service, isSaid: Bool, isProvisional: Bool) {
        let record = records[dn.position]
        let view = View(service: visibleService(of: record), owner: record.owner, stamp: record.stamp)
        return (view, record.service, record.isSaid, record.isProvisional)
    }

    package func state(of peer: NodeIndex) -> LinkReport.State {
        switch links[peer.position].phase {
        case .down: .down
        case .syncing: .syncing
        case .live: .live
        }
    }

    /// Whether there is something to say to a peer besides pings, or something said that has not been told completely.
    package func hasMore(for peer: NodeIndex) -> Bool {
        guard case .streaming(owesEnd: false) = links[peer.position].outbound else { return true }
        return links[peer.position].sentRevision < revision || !links[peer.position].control.isEmpty
            || !links[peer.position].claimsOwed.isEmpty || links[peer.position].returnCursor != nil
            || links[peer.position].resyncDeadline != nil
    }

    /// How full the queues are: the fullest of each kind.
    package struct Fill: Equatable, Sendable {
        package var control = 0
        package var claimsOwed = 0
        package var superseded = 0
        package var provisionals = 0
    }

    package var fill: Fill {
        var fill = Fill()
        for position in links.indices {
            fill.control = max(fill.control, links[position].control.count)
            fill.claimsOwed = max(fill.claimsOwed, links[position].claimsOwed.count)
            fill.superseded = max(fill.superseded, links[position].superseded.count)
        }
        fill.provisionals = provisionals.count - provisionalsHead
        return fill
    }
}
