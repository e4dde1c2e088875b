// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// Mistakes that can be put back into the machines, so that the simulator proves that it finds them. Production is always
/// `.none`; a house test sees to it.
public struct Faults: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64

    @inlinable public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Asked at every step, of machines that ship without any.
    @inlinable public func contains(_ fault: Faults) -> Bool { rawValue & fault.rawValue == fault.rawValue }

    /// The machines as they ship.
    @inlinable public static var none: Faults { Faults(rawValue: 0) }

    // MARK: DNOwnership

    /// A node that yields a DN gives that no revision, so its peers are not told.
    @inlinable public static var noYieldAnnouncement: Faults { Faults(rawValue: 1 << 0) }

    /// A link becomes live when the sync begins rather than when its end adds up, and shows words of before.
    @inlinable public static var liveBeforeEnd: Faults { Faults(rawValue: 1 << 1) }

    /// The clock does not move past stamps heard, so a claim made after another may be the lesser one.
    @inlinable public static var stampNotAdvanced: Faults { Faults(rawValue: 1 << 2) }

    /// What a snapshot did not carry stays as it was, in service and in the sum.
    @inlinable public static var noSweep: Faults { Faults(rawValue: 1 << 3) }

    /// A resumed stream begins one revision late, with numbers that show no gap.
    @inlinable public static var resumeOffByOne: Faults { Faults(rawValue: 1 << 4) }

    /// An earlier life of a peer that has come back since is let in again.
    @inlinable public static var staleIncarnationAccepted: Faults { Faults(rawValue: 1 << 5) }

    /// Whoever adopts a claim over a third node's does not tell that node.
    @inlinable public static var formerOwnerUntold: Faults { Faults(rawValue: 1 << 6) }

    /// The claims that a restarted peer has forgotten are not returned to it.
    @inlinable public static var claimsNotReturned: Faults { Faults(rawValue: 1 << 7) }

    /// Whoever says something lesser is not told the greater claim, and goes on believing its own.
    @inlinable public static var lesserWordUnanswered: Faults { Faults(rawValue: 1 << 8) }

    /// The latest change of owner wins after a cut, not the latest registration.
    @inlinable public static var noReclaim: Faults { Faults(rawValue: 1 << 9) }

    /// A refresh at the owner does not move `registered`, so it loses against older claims after a cut.
    @inlinable public static var refreshNotNoted: Faults { Faults(rawValue: 1 << 10) }

    /// The former word stands for good when the new owner never speaks.
    @inlinable public static var provisionalForever: Faults { Faults(rawValue: 1 << 11) }

    /// A position one revision beyond the ring counts as held, and that revision is told to nobody.
    @inlinable public static var ringOffByOne: Faults { Faults(rawValue: 1 << 12) }

    /// A superseded word is taken out of the sum before its speaker has dropped it, so sums differ.
    @inlinable public static var supersededWordDropped: Faults { Faults(rawValue: 1 << 13) }

    /// A batch of several changes leaves out the last record.
    @inlinable public static var coalescingLoses: Faults { Faults(rawValue: 1 << 14) }

    /// A lost connection leaves the link live, and the peer's last words are shown for good.
    @inlinable public static var lossKeepsLive: Faults { Faults(rawValue: 1 << 15) }

    /// A claim heard from another than its owner is shown with the former service, heard owner or not.
    @inlinable public static var relayedService: Faults { Faults(rawValue: 1 << 16) }

    /// A lost link takes DNs of this node itself, those at even places of the table, out of service.
    @inlinable public static var lostLinkDropsOwn: Faults { Faults(rawValue: 1 << 17) }

    /// A batch that closes the link half-way counts as applied all the same.
    @inlinable public static var halfBatchApplied: Faults { Faults(rawValue: 1 << 25) }

    /// Who returns is not told what has superseded its words meanwhile.
    @inlinable public static var supersededUntold: Faults { Faults(rawValue: 1 << 26) }

    /// A ping that is due leaves its deadline in the past while the connection has no room for it.
    @inlinable public static var duePingStays: Faults { Faults(rawValue: 1 << 27) }

    /// A peer that claims again with an old registration, right after a sync, is believed to have a newer one.
    @inlinable public static var reclaimTakenForNews: Faults { Faults(rawValue: 1 << 28) }

    /// Whoever holds a greater session than a DN's owner says does not tell the owner; who yields a DN does not either.
    @inlinable public static var heldSessionUntold: Faults { Faults(rawValue: 1 << 34) }

    // MARK: AgentSessions

    /// An agent who has logged in on another DN since stays logged in.
    @inlinable public static var supersededLoginStays: Faults { Faults(rawValue: 1 << 38) }

    /// A reservation stays when its DN has gone to another owner, and its token is honoured by the former one.
    @inlinable public static var grantsOutliveClaim: Faults { Faults(rawValue: 1 << 35) }

    /// A token of an earlier life of the owner is good for whatever reservation has the same number now.
    @inlinable public static var leaseSurvivesRestart: Faults { Faults(rawValue: 1 << 36) }

    /// Any token is honoured.
    @inlinable public static var tokenUnchecked: Faults { Faults(rawValue: 1 << 37) }

    // MARK: CallControl

    /// Calls that a router was asked about wait in vain when it is gone.
    @inlinable public static var questionDiesWithRouter: Faults { Faults(rawValue: 1 << 42) }

    /// What a node has said of the calls of another's DNs counts for ever, although it is not heard any more.
    @inlinable public static var lostWitnessStays: Faults { Faults(rawValue: 1 << 39) }

    // MARK: Statistics

    /// A Stat Server goes on showing as it was what a lost feed told.
    @inlinable public static var statKeepsLost: Faults { Faults(rawValue: 1 << 43) }

    // MARK: NodeCore

    /// Calls go to DNs although their owners cannot be heard.
    @inlinable public static var unheardOwnerRung: Faults { Faults(rawValue: 1 << 40) }

    /// A node does not tell the new owner of a DN of the calls that go through itself.
    @inlinable public static var witnessSilentAfterMove: Faults { Faults(rawValue: 1 << 41) }

    /// A node that yielded keeps its bindings, and their expiry takes the DN out of service under another's claim.
    @inlinable public static var peerExpires: Faults { Faults(rawValue: 1 << 18) }

    /// A node that yielded a DN keeps its bindings.
    @inlinable public static var yieldKeepsBindings: Faults { Faults(rawValue: 1 << 19) }

    /// A REGISTER whose CSeq is divisible by 7 is bound and answered 200, but not claimed.
    @inlinable public static var acknowledgedUnclaimed: Faults { Faults(rawValue: 1 << 20) }

    /// A REGISTER that comes again after its binding has gone or moved is taken for a new one.
    @inlinable public static var repetitionTaken: Faults { Faults(rawValue: 1 << 33) }

    // MARK: Trunks

    /// Calls go over a trunk whether or not there is a place.
    @inlinable public static var capacityIgnored: Faults { Faults(rawValue: 1 << 55) }

    /// Who gives a place away uses it all the same.
    @inlinable public static var capacityGivenTwice: Faults { Faults(rawValue: 1 << 56) }

    /// A node that begins uses its whole share at once, whatever it gave away in an earlier life.
    @inlinable public static var capacityForgotten: Faults { Faults(rawValue: 1 << 57) }

    // MARK: What a node remembers

    /// A registration is answered before it is written down.
    @inlinable public static var acknowledgedUnwritten: Faults { Faults(rawValue: 1 << 58) }

    /// A node that begins takes its bindings back, and not its claims.
    @inlinable public static var claimNotKept: Faults { Faults(rawValue: 1 << 59) }

    /// A node that begins takes bindings back that have expired since they were written.
    @inlinable public static var expiredRevived: Faults { Faults(rawValue: 1 << 60) }

    /// A REGISTER that has waited in the socket of a node that did not run counts as if it came when it was heard.
    @inlinable public static var belatedTakenForNews: Faults { Faults(rawValue: 1 << 61) }

    // MARK: TLibraryPorts

    /// A resumed feed begins one event late.
    @inlinable public static var feedResumeOffByOne: Faults { Faults(rawValue: 1 << 21) }

    /// OwnerReachable is told without the states of the owner's DNs before it.
    @inlinable public static var returnWithoutStates: Faults { Faults(rawValue: 1 << 22) }

    /// A client that falls off the feed is not cut off; it silently goes on with the oldest event held.
    @inlinable public static var slowClientKept: Faults { Faults(rawValue: 1 << 23) }

    /// Pieces of a snapshot go before changes that wait, and its end skips these changes.
    @inlinable public static var snapshotOverChanges: Faults { Faults(rawValue: 1 << 24) }

    /// The loss of a link is not told to clients.
    @inlinable public static var lostLinkUntold: Faults { Faults(rawValue: 1 << 29) }

    /// Requests that were on their way to an owner whose link is lost are forgotten.
    @inlinable public static var proxiedForgotten: Faults { Faults(rawValue: 1 << 30) }

    /// An answer to a proxied request leaves before the changes that happened before it.
    @inlinable public static var answerOvertakes: Faults { Faults(rawValue: 1 << 31) }

    /// An answer goes to the client with the number that it had between the nodes, not with the client's ReferenceID.
    @inlinable public static var referenceLost: Faults { Faults(rawValue: 1 << 32) }

    // MARK: Changes of the topology

    /// A node that goes on under another topology has its DNs at the places that they had before.
    @inlinable public static var renumberingForgotten: Faults { Faults(rawValue: 1 << 48) }

    /// What was claimed before a DN was introduced is believed.
    @inlinable public static var voidClaimAdopted: Faults { Faults(rawValue: 1 << 49) }

    /// A node whose topology has DNs that it had not does not ask what peers have said of them.
    @inlinable public static var skippedDNsNotAskedFor: Faults { Faults(rawValue: 1 << 50) }

    /// Sums of what was said go on counting DNs that have gone.
    @inlinable public static var sumsNotRetaken: Faults { Faults(rawValue: 1 << 51) }

    /// A controller that begins takes the topology that is wanted for the one that every worker has.
    @inlinable public static var planNotRepeated: Faults { Faults(rawValue: 1 << 52) }

    /// What a node owned that is none of the cluster's any more stays its own.
    @inlinable public static var goneOwnerStays: Faults { Faults(rawValue: 1 << 53) }

    // MARK: Workspaces

    /// A gateway whose place another desktop has taken takes it back by itself.
    @inlinable public static var takesBackByItself: Faults { Faults(rawValue: 1 << 62) }

    /// A gateway takes the tokens of sessions that were signed out.
    @inlinable public static var tokenOutlivesLogout: Faults { Faults(rawValue: 1 << 63) }

    // MARK: Handover

    /// A process that takes over does not get what the one before it has said last, and tells peers that it has.
    @inlinable public static var ringPositionLost: Faults { Faults(rawValue: 1 << 44) }

    /// What has happened to DNs while the table was handed over stays behind.
    @inlinable public static var claimLost: Faults { Faults(rawValue: 1 << 45) }

    /// A process that hears nothing from its successor serves on, although the successor may have begun.
    @inlinable public static var commitLost: Faults { Faults(rawValue: 1 << 46) }

    /// A process goes on reading its sockets while its successor has begun to.
    @inlinable public static var twoReaders: Faults { Faults(rawValue: 1 << 47) }
}
