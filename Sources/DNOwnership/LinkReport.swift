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
    package var roundTripNanoseconds: UInt64?
    /// How long ago the peer was last heard; nil while down.
    package var silenceNanoseconds: UInt64?
    /// Revisions that wait to be sent.
    package var behindRevisions: UInt64
    /// How many DNs the peer says it owns.
    package var peerOwns: UInt64
    package var losses: UInt64
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
                roundTripNanoseconds: link.roundTripNanoseconds,
                silenceNanoseconds: isConnected ? now.monotonic - min(link.lastHeard, now.monotonic) : nil,
                behindRevisions: isConnected ? revision - min(link.sentRevision, revision) : 0,
                peerOwns: link.saidCount,
                losses: link.lossCount,
                mismatches: link.mismatches,
                clockAheadMilliseconds: link.clockAheadMilliseconds,
                sameGeneration: link.incarnation == nil || link.generation == identity.generation
            )
        }
    }

    /// DNs from a position on whose owner says what is asked for, at most `limit` of them, and where to go on.
    ///
    /// - Parameters:
    ///   - isInService: nil for both.
    ///   - owner: nil for all, also those that nobody has claimed.
    package func find(
        from start: Int, limit: Int, isInService: Bool?, owner: NodeIndex?
    ) -> (found: [DNIndex], next: Int?) {
        var found: [DNIndex] = []
        var position = start
        while position < records.count {
            let record = records[position]
            let fits =
                (isInService == nil || record.service.isInService == isInService)
                && (owner == nil || record.owner == owner)
            if fits {
                if found.count == limit { return (found, position) }
                found.append(DNIndex(position))
            }
            position += 1
        }
        return (found, nil)
    }

    /// How many DNs this node owns.
    package var ownedCount: Int { Int(ownCount) }

    /// The greatest stamp issued or heard.
    package var greatestStamp: Stamp { clock.greatest }

    /// The last revision said.
    package var lastRevision: UInt64 { revision }
}
