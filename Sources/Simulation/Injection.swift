package import ClusterModel

/// A realistic mistake that can be put back, to show that it is found.
package struct Injection: Equatable, Sendable {
    /// As `tandem-sim --inject` takes it.
    package let name: String
    /// What is put back into the machines; none for a mistake around them.
    package let faults: Faults
    /// What goes wrong.
    package let sentence: String

    private init(_ name: String, _ faults: Faults, _ sentence: String) {
        self.name = name
        self.faults = faults
        self.sentence = sentence
    }

    package init?(named name: String) {
        guard let known = Self.all.first(where: { $0.name == name }) else { return nil }
        self = known
    }

    /// It is put back into the machines that ship, not around them.
    package var isInMachines: Bool { faults != .none }

    static let streamsReordered = Injection(
        "streams-reordered", .none, "a node's messages overtake each other: a release comes before its claim")
    static let incarnationReused = Injection(
        "incarnation-reused", .none, "a restarted node gets its former incarnation again")

    /// All of them, those inside the machines first.
    package static let all: [Injection] = [
        Injection("no-yield-announcement", .noYieldAnnouncement, "a node that yields a DN does not tell its peers"),
        Injection("live-before-end", .liveBeforeEnd, "a link is live as soon as a sync begins"),
        Injection("stamp-not-advanced", .stampNotAdvanced, "the clock does not move past the stamps that are heard"),
        Injection("no-sweep", .noSweep, "what a snapshot did not carry stays as it was"),
        Injection("resume-off-by-one", .resumeOffByOne, "a resumed stream leaves out its first revision"),
        Injection("stale-incarnation-accepted", .staleIncarnationAccepted, "an earlier life of a node is let in again"),
        Injection(
            "former-owner-untold", .formerOwnerUntold, "who adopts a claim over a third node's does not tell that node"),
        Injection("claims-not-returned", .claimsNotReturned, "a restarted node does not get its forgotten claims back"),
        Injection(
            "lesser-word-unanswered", .lesserWordUnanswered, "who says something lesser is not told what is greater"),
        Injection("no-reclaim", .noReclaim, "after a cut the latest change of owner wins, not the latest registration"),
        Injection("refresh-not-noted", .refreshNotNoted, "a refresh at the owner does not count as a registration"),
        Injection(
            "provisional-forever", .provisionalForever,
            "a former owner's word stands for good if the new owner never speaks"),
        Injection("ring-off-by-one", .ringOffByOne, "a position just beyond the ring counts as held"),
        Injection(
            "superseded-word-dropped", .supersededWordDropped,
            "a superseded word leaves the sum before its speaker has dropped it"),
        Injection("coalescing-loses", .coalescingLoses, "a batch of several changes leaves out the last"),
        Injection("loss-keeps-live", .lossKeepsLive, "a lost connection leaves the link live"),
        Injection("relayed-service", .relayedService, "service is believed of another than the owner"),
        Injection("lost-link-drops-own", .lostLinkDropsOwn, "a lost link takes DNs of the node itself out of service"),
        Injection("half-batch-applied", .halfBatchApplied, "a batch that closes the link half-way counts as applied"),
        Injection("superseded-untold", .supersededUntold, "who returns is not told what has superseded its words"),
        Injection("due-ping-stays", .duePingStays, "a ping that waits for room makes the loop turn without rest"),
        Injection(
            "reclaim-taken-for-news", .reclaimTakenForNews,
            "a claim made again with an old registration, right after a sync, wins over a newer registration"),
        Injection("peer-expires", .peerExpires, "a node expires the bindings of a DN that another owns"),
        Injection("yield-keeps-bindings", .yieldKeepsBindings, "a node that yielded a DN keeps its bindings"),
        Injection("repetition-taken", .repetitionTaken, "a request that comes again late is done again"),
        Injection("acknowledged-unclaimed", .acknowledgedUnclaimed, "a registration is acknowledged and not claimed"),
        Injection("feed-resume-off-by-one", .feedResumeOffByOne, "a client that resumes misses an event"),
        Injection(
            "return-without-states", .returnWithoutStates, "clients hear that an owner is back and not how its DNs are"),
        Injection("slow-client-kept", .slowClientKept, "a client that falls off the feed is not cut off"),
        Injection(
            "snapshot-over-changes", .snapshotOverChanges, "the end of a client's snapshot skips the changes that wait"),
        Injection("lost-link-untold", .lostLinkUntold, "clients are not told that their node has lost a link"),
        Injection(
            "proxied-forgotten", .proxiedForgotten, "requests on their way to an owner that is lost are forgotten"),
        Injection(
            "answer-overtakes", .answerOvertakes, "an owner's answer arrives before the changes that it follows from"),
        Injection("reference-lost", .referenceLost, "a proxied request's answer bears another ReferenceID"),
        Injection(
            "held-session-untold", .heldSessionUntold,
            "who knows more of an agent than the DN's owner does not tell the owner"),
        Injection(
            "superseded-login-stays", .supersededLoginStays,
            "an agent who has logged in elsewhere since stays logged in"),
        Injection(
            "double-grant-after-move", .grantsOutliveClaim,
            "a former owner goes on honouring reservations when the DN has moved"),
        Injection(
            "lease-survives-restart", .leaseSurvivesRestart,
            "a token of an owner's earlier life is good for a later reservation"),
        Injection("token-unchecked", .tokenUnchecked, "an owner honours any token"),
        Injection(
            "question-dies-with-router", .questionDiesWithRouter, "calls wait in vain for a router that has gone"),
        Injection(
            "lost-witness-stays", .lostWitnessStays,
            "what a node has said of another's calls counts for ever, although it is not heard any more"),
        Injection("unheard-owner-rung", .unheardOwnerRung, "calls go to DNs although their owners cannot be heard"),
        Injection(
            "witness-silent-after-move", .witnessSilentAfterMove,
            "a node does not tell a DN's new owner of the calls that go through itself"),
        Injection("capacity-ignored", .capacityIgnored, "calls go over a trunk whether or not there is a place"),
        Injection("capacity-given-twice", .capacityGivenTwice, "who lends a place of a trunk goes on using it"),
        Injection(
            "capacity-forgotten", .capacityForgotten,
            "a node that begins uses its whole share of a trunk, whatever it lent before"),
        Injection(
            "acknowledged-unwritten", .acknowledgedUnwritten, "a registration is acknowledged before it is written down"
        ),
        Injection("claim-not-kept", .claimNotKept, "a node that begins takes its bindings back, and not its claims"),
        Injection(
            "expired-revived", .expiredRevived,
            "a node that begins takes bindings back that have expired since they were written"),
        Injection(
            "belated-taken-for-news", .belatedTakenForNews,
            "a REGISTER that has waited while its node was down takes the DN from where its phone has gone since"),
        Injection(
            "ring-position-lost", .ringPositionLost,
            "a process that takes over does not have what the one before it has said last"),
        Injection(
            "claim-lost", .claimLost, "what has happened while the table was handed over stays with the old process"),
        Injection(
            "commit-lost", .commitLost, "a process serves on when its successor is silent after it was left the place"),
        Injection(
            "two-readers", .twoReaders, "a process goes on reading its sockets while its successor begins"),
        Injection("stat-keeps-lost", .statKeepsLost, "a Stat Server goes on showing what a lost feed told"),
        Injection(
            "renumbering-forgotten", .renumberingForgotten,
            "a node that goes on under another topology has its DNs at the places that they had before"),
        Injection("void-claim-adopted", .voidClaimAdopted, "what was claimed before a DN was introduced is believed"),
        Injection(
            "skipped-dns-not-asked-for", .skippedDNsNotAskedFor,
            "a node whose topology has DNs that it had not does not ask what peers have said of them"),
        Injection("sums-not-retaken", .sumsNotRetaken, "sums of what was said go on counting DNs that have gone"),
        Injection(
            "plan-not-repeated", .planNotRepeated,
            "a controller that begins takes the topology that is wanted for the one that every worker has"),
        Injection(
            "gone-owner-stays", .goneOwnerStays,
            "what a node owned that is none of the cluster's any more stays its own"
        ),
        streamsReordered, incarnationReused,
    ]
}
