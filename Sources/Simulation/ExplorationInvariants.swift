package import ClusterModel
package import DNOwnership

/// A rule that did not hold.
package struct ExplorationFinding: Error, Equatable, Sendable, CustomStringConvertible {
    package let invariant: String
    package let detail: String

    package var description: String { "\(invariant): \(detail)" }
}

/// What must hold in every state, at every step, and when nothing is left to happen.
///
/// Each says whether it holds of what it is given, so that states made by hand show that it can fail.
package enum ExplorationInvariants {
    // MARK: Of one node

    /// A node's own DN is in service exactly while it has a binding, whatever happens to its links.
    package static func invariantOwnersHaveWhatTheyServe(_ node: NodeSummary) -> Bool {
        node.hasBinding == (node.view.owner == node.node && node.view.service.isInService)
    }

    /// Introductions are a handful: a hello, a beginning and what a snapshot begun anew adds. There is one DN, and
    /// a pair has so many connections at most.
    package static func invariantQueuesStayWithinBounds(_ node: NodeSummary) -> Bool {
        for position in node.peers.indices {
            let peer = node.peers[position]
            if peer.waitingMessages > 3 || peer.waitingClaims > 1 { return false }
        }
        return node.strangers <= 2 * ExploredPair.slots
    }

    // MARK: Of one step at a node

    /// Claims at a node never regress within its life.
    package static func invariantClaimsNeverRegress(from before: NodeSummary, to after: NodeSummary) -> Bool {
        guard let claim = before.claim else { return true }
        guard let next = after.claim else { return false }
        return !(next < claim)
    }

    /// Who has heard a later life of a peer listens to no earlier one.
    package static func invariantLivesNeverRegress(from before: NodeSummary, to after: NodeSummary) -> Bool {
        for peer in before.peers.indices {
            guard let former = before.peers[peer].incarnation else { continue }
            guard let present = after.peers[peer].incarnation, present >= former else { return false }
        }
        return true
    }

    /// Every word at a node was said by the owner of the claim under that claim, or stands in for one until that owner
    /// speaks. As what is said is what the speaker holds, all words go back to their owners so.
    package static func invariantWordsWereSaid(
        from before: NodeSummary, to after: NodeSummary, by teller: NodeIndex?, _ message: PeerMessage?
    ) -> Bool {
        guard before.claim != after.claim || before.word != after.word else { return true }
        if before.isProvisional, !after.isProvisional, before.claim == after.claim, after.word == .superseded {
            return true  // Its owner has not spoken in time.
        }
        guard let claim = after.claim, let message, let teller else { return false }
        if claim.owner == after.node, before.claim?.owner == after.node {
            return before.claim != claim && after.word == before.word  // Its own, made again above another.
        }
        switch message {
        case .records(let batch):
            let saysOwn = batch.owned.contains { $0.stamp == claim.stamp && $0.service == after.word }
            if claim.owner == teller, saysOwn { return !after.isProvisional }
            return batch.yielded.contains { $0.claim == claim } && standsIn(after, for: before)
        case .claims(let claims):
            return claims.contains { $0.claim == claim } && standsIn(after, for: before)
        case .syncEnd:
            return before.claim == claim && claim.owner == teller && after.word == .restarted && !before.isProvisional
        case .hello, .syncBegin, .snapshotRequest, .ping, .pong:
            return false
        }
    }

    /// A claim that somebody told of says nothing of the service. The former word stands while both owners can be heard,
    /// and a node takes back its own claim of an earlier life out of service.
    private static func standsIn(_ after: NodeSummary, for before: NodeSummary) -> Bool {
        if after.view.owner == after.node { return after.word == .restarted }
        let isHeard = before.peers[after.view.owner.position].isReachable && before.view.service != .ownerUnreachable
        return after.isProvisional == isHeard && after.word == (isHeard ? before.word : .superseded)
    }

    /// The latest registration wins, not the latest change of owner: an owner gives way to a greater claim unless its
    /// own last registration is later and the claim may be old, because it was not heard from its owner, or from one
    /// that tells what happened while it was not heard.
    package static func invariantLatestRegistrationWins(
        from before: NodeSummary, to after: NodeSummary, by teller: NodeIndex, _ message: PeerMessage
    ) -> Bool {
        guard let held = before.claim, held.owner == before.node else { return true }
        let told: [Claim]
        var isNews = false
        switch message {
        case .records(let batch):
            told = batch.owned.map { Claim(owner: teller, stamp: $0.stamp) } + batch.yielded.map(\.claim)
            let side = before.peers[teller.position]
            isNews =
                side.isReachable && !side.isResyncing
                && batch.owned.contains { $0.stamp > side.introducedWith }
        case .claims(let claims): told = claims.map(\.claim)
        case .hello, .syncBegin, .syncEnd, .snapshotRequest, .ping, .pong: return before.claim == after.claim
        }
        guard let claim = told.first, held < claim else { return before.claim == after.claim }
        if claim.owner == before.node || (!isNews && before.registered > claim.stamp) {
            return after.view.owner == before.node && claim < after.claim!
        }
        return after.claim == claim
    }

    /// A registration is noted under a stamp above all that was heard before, and the node owns the DN from then on.
    package static func invariantRegistrationsAreNoted(from before: NodeSummary, to after: NodeSummary) -> Bool {
        after.view.owner == after.node && after.view.service.isInService && after.registered == after.greatest
            && before.greatest < after.greatest
    }

    /// A node's clock moves past every stamp that it hears.
    package static func invariantClocksMovePastWhatTheyHear(_ after: NodeSummary, _ message: PeerMessage) -> Bool {
        switch message {
        case .hello(let hello): hello.greatestStamp <= after.greatest
        case .records(let batch):
            batch.owned.allSatisfy { $0.stamp <= after.greatest }
                && batch.yielded.allSatisfy { $0.claim.stamp <= after.greatest }
        case .claims(let claims): claims.allSatisfy { $0.claim.stamp <= after.greatest }
        case .syncBegin, .syncEnd, .snapshotRequest, .ping, .pong: true
        }
    }

    /// Whoever hears every change, and nothing else, knows what the node shows.
    package static func invariantChangesAreTold(
        from before: NodeSummary, to after: NodeSummary, _ actions: [OwnershipAction]
    ) -> Bool {
        // Nil once an owner is back: its DNs are then looked up.
        var shown: View? = before.view
        for action in actions {
            switch action {
            case .viewChanged(_, let from, let to):
                if let shown, shown != from { return false }
                shown = to
            case .ownerUnreachable(let owner):
                if shown?.owner == owner { shown?.service = .ownerUnreachable }
            case .ownerReachable(let owner):
                if shown?.owner == owner { shown = nil }
            case .dial, .close, .yielded:
                break
            }
        }
        return shown == nil || shown == after.view
    }

    /// What a node says of its own DNs and of claims is what it holds, and it says no more than one chunk at a time.
    package static func invariantSpeakersSayWhatTheyHold(_ speaker: NodeSummary, _ message: PeerMessage) -> Bool {
        switch message {
        case .records(let batch):
            return batch.owned.count + batch.yielded.count <= 1
                && batch.owned.allSatisfy {
                    Claim(owner: speaker.node, stamp: $0.stamp) == speaker.claim && $0.service == speaker.word
                }
                && batch.yielded.allSatisfy { $0.claim == speaker.claim && $0.claim.owner != speaker.node }
        case .claims(let claims):
            return claims.count == 1 && claims.allSatisfy { $0.claim == speaker.claim }
        case .syncEnd(let position):
            return position == speaker.said
        case .ping(let ping):
            return ping.position == nil || ping.position == speaker.said
        case .hello, .syncBegin, .snapshotRequest, .pong:
            return true
        }
    }

    /// Nobody has to ask for a snapshot: streams have no gaps and their sums agree.
    package static func invariantStreamsAddUp(_ message: PeerMessage) -> Bool { message != .snapshotRequest }

    /// A node closes connections that a newer one replaced, those of earlier lives, and silent ones.
    package static func invariantOnlyOldConnectionsAreClosed(_ problem: LinkProblem) -> Bool {
        switch problem {
        case .replaced, .staleIncarnation, .silent, .noHello: true
        case .helloExpected, .unexpectedHello, .wrongVersion, .wrongCluster, .unknownNode, .wrongDirection,
            .clockTooFarAhead, .resyncTooSlow:
            false
        }
    }
}
