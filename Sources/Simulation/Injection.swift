package import ClusterModel

/// A realistic mistake that can be put back, to show that it is found.
package enum Injection: String, Equatable, Sendable, CaseIterable {
    // Inside the machines that ship.
    case noYieldAnnouncement = "no-yield-announcement"
    case liveBeforeEnd = "live-before-end"
    case stampNotAdvanced = "stamp-not-advanced"
    case noSweep = "no-sweep"
    case resumeOffByOne = "resume-off-by-one"
    case staleIncarnationAccepted = "stale-incarnation-accepted"
    case formerOwnerUntold = "former-owner-untold"
    case claimsNotReturned = "claims-not-returned"
    case lesserWordUnanswered = "lesser-word-unanswered"
    case noReclaim = "no-reclaim"
    case refreshNotNoted = "refresh-not-noted"
    case provisionalForever = "provisional-forever"
    case ringOffByOne = "ring-off-by-one"
    case supersededWordDropped = "superseded-word-dropped"
    case coalescingLoses = "coalescing-loses"
    case lossKeepsLive = "loss-keeps-live"
    case relayedService = "relayed-service"
    case lostLinkDropsOwn = "lost-link-drops-own"
    case halfBatchApplied = "half-batch-applied"
    case supersededUntold = "superseded-untold"
    case duePingStays = "due-ping-stays"
    case peerExpires = "peer-expires"
    case yieldKeepsBindings = "yield-keeps-bindings"
    case acknowledgedUnclaimed = "acknowledged-unclaimed"
    case feedResumeOffByOne = "feed-resume-off-by-one"
    case returnWithoutStates = "return-without-states"
    case slowClientKept = "slow-client-kept"
    case snapshotOverChanges = "snapshot-over-changes"

    // Around them.
    case streamsReordered = "streams-reordered"
    case incarnationReused = "incarnation-reused"

    /// What is put back into the machines.
    package var faults: Faults {
        switch self {
        case .noYieldAnnouncement: .noYieldAnnouncement
        case .liveBeforeEnd: .liveBeforeEnd
        case .stampNotAdvanced: .stampNotAdvanced
        case .noSweep: .noSweep
        case .resumeOffByOne: .resumeOffByOne
        case .staleIncarnationAccepted: .staleIncarnationAccepted
        case .formerOwnerUntold: .formerOwnerUntold
        case .claimsNotReturned: .claimsNotReturned
        case .lesserWordUnanswered: .lesserWordUnanswered
        case .noReclaim: .noReclaim
        case .refreshNotNoted: .refreshNotNoted
        case .provisionalForever: .provisionalForever
        case .ringOffByOne: .ringOffByOne
        case .supersededWordDropped: .supersededWordDropped
        case .coalescingLoses: .coalescingLoses
        case .lossKeepsLive: .lossKeepsLive
        case .relayedService: .relayedService
        case .lostLinkDropsOwn: .lostLinkDropsOwn
        case .halfBatchApplied: .halfBatchApplied
        case .supersededUntold: .supersededUntold
        case .duePingStays: .duePingStays
        case .peerExpires: .peerExpires
        case .yieldKeepsBindings: .yieldKeepsBindings
        case .acknowledgedUnclaimed: .acknowledgedUnclaimed
        case .feedResumeOffByOne: .feedResumeOffByOne
        case .returnWithoutStates: .returnWithoutStates
        case .slowClientKept: .slowClientKept
        case .snapshotOverChanges: .snapshotOverChanges
        case .streamsReordered, .incarnationReused: .none
        }
    }

    /// What goes wrong, in a sentence.
    package var sentence: String {
        switch self {
        case .noYieldAnnouncement: "a node that yields a DN does not tell its peers"
        case .liveBeforeEnd: "a link is live as soon as a sync begins"
        case .stampNotAdvanced: "the clock does not move past the stamps that are heard"
        case .noSweep: "what a snapshot did not carry stays as it was"
        case .resumeOffByOne: "a resumed stream leaves out its first revision"
        case .staleIncarnationAccepted: "an earlier life of a node is let in again"
        case .formerOwnerUntold: "who adopts a claim over a third node's does not tell that node"
        case .claimsNotReturned: "a restarted node does not get its forgotten claims back"
        case .lesserWordUnanswered: "who says something lesser is not told what is greater"
        case .noReclaim: "after a cut the latest change of owner wins, not the latest registration"
        case .refreshNotNoted: "a refresh at the owner does not count as a registration"
        case .provisionalForever: "a former owner's word stands for good if the new owner never speaks"
        case .ringOffByOne: "a position just beyond the ring counts as held"
        case .supersededWordDropped: "a superseded word leaves the sum before its speaker has dropped it"
        case .coalescingLoses: "a batch of several changes leaves out the last"
        case .lossKeepsLive: "a lost connection leaves the link live"
        case .relayedService: "service is believed of another than the owner"
        case .lostLinkDropsOwn: "a lost link takes DNs of the node itself out of service"
        case .halfBatchApplied: "a batch that closes the link half-way counts as applied"
        case .supersededUntold: "who returns is not told what has superseded its words"
        case .duePingStays: "a ping that waits for room makes the loop turn without rest"
        case .peerExpires: "a node expires the bindings of a DN that another owns"
        case .yieldKeepsBindings: "a node that yielded a DN keeps its bindings"
        case .acknowledgedUnclaimed: "a registration is acknowledged and not claimed"
        case .feedResumeOffByOne: "a client that resumes misses an event"
        case .returnWithoutStates: "clients hear that an owner is back and not how its DNs are"
        case .slowClientKept: "a client that falls off the feed is not cut off"
        case .snapshotOverChanges: "the end of a client's snapshot skips the changes that wait"
        case .streamsReordered: "a node's messages overtake each other: a release comes before its claim"
        case .incarnationReused: "a restarted node gets its former incarnation again"
        }
    }

    /// It is put back into the machines that ship, not around them.
    package var isInMachines: Bool { faults != .none }
}
