/// Mistakes that can be put back into the machines, so that the simulator proves that it finds them. Production is always
/// `.none`; a house test sees to it.
package struct Faults: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The machines as they ship.
    package static let none: Faults = []

    // MARK: DNOwnership

    /// A node that yields a DN gives that no revision, so its peers are not told.
    package static let noYieldAnnouncement = Faults(rawValue: 1 << 0)

    /// A link becomes live when the sync begins rather than when its end adds up, and shows words of before.
    package static let liveBeforeEnd = Faults(rawValue: 1 << 1)

    /// The clock does not move past stamps heard, so a claim made after another may be the lesser one.
    package static let stampNotAdvanced = Faults(rawValue: 1 << 2)

    /// What a snapshot did not carry stays as it was, in service and in the sum.
    package static let noSweep = Faults(rawValue: 1 << 3)

    /// A resumed stream begins one revision late, with numbers that show no gap.
    package static let resumeOffByOne = Faults(rawValue: 1 << 4)

    /// An earlier life of a peer that has come back since is let in again.
    package static let staleIncarnationAccepted = Faults(rawValue: 1 << 5)

    /// Whoever adopts a claim over a third node's does not tell that node.
    package static let formerOwnerUntold = Faults(rawValue: 1 << 6)

    /// The claims that a restarted peer has forgotten are not returned to it.
    package static let claimsNotReturned = Faults(rawValue: 1 << 7)

    /// Whoever says something lesser is not told the greater claim, and goes on believing its own.
    package static let lesserWordUnanswered = Faults(rawValue: 1 << 8)

    /// The latest change of owner wins after a cut, not the latest registration.
    package static let noReclaim = Faults(rawValue: 1 << 9)

    /// A refresh at the owner does not move `registered`, so it loses against older claims after a cut.
    package static let refreshNotNoted = Faults(rawValue: 1 << 10)

    /// The former word stands for good when the new owner never speaks.
    package static let provisionalForever = Faults(rawValue: 1 << 11)

    /// A position one revision beyond the ring counts as held, and that revision is told to nobody.
    package static let ringOffByOne = Faults(rawValue: 1 << 12)

    /// A superseded word is taken out of the sum before its speaker has dropped it, so sums differ.
    package static let supersededWordDropped = Faults(rawValue: 1 << 13)

    /// A batch of several changes leaves out the last record.
    package static let coalescingLoses = Faults(rawValue: 1 << 14)

    /// A lost connection leaves the link live, and the peer's last words are shown for good.
    package static let lossKeepsLive = Faults(rawValue: 1 << 15)

    /// A claim heard from another than its owner is shown with the former service, heard owner or not.
    package static let relayedService = Faults(rawValue: 1 << 16)

    /// A lost link takes DNs of this node itself, those at even places of the table, out of service.
    package static let lostLinkDropsOwn = Faults(rawValue: 1 << 17)

    /// A batch that closes the link half-way counts as applied all the same.
    package static let halfBatchApplied = Faults(rawValue: 1 << 25)

    /// Who returns is not told what has superseded its words meanwhile.
    package static let supersededUntold = Faults(rawValue: 1 << 26)

    /// A ping that is due leaves its deadline in the past while the connection has no room for it.
    package static let duePingStays = Faults(rawValue: 1 << 27)

    /// A peer that claims again with an old registration, right after a sync, is believed to have a newer one.
    package static let reclaimTakenForNews = Faults(rawValue: 1 << 28)

    /// Whoever holds a greater session than a DN's owner says does not tell the owner; who yields a DN does not either.
    package static let heldSessionUntold = Faults(rawValue: 1 << 34)

    // MARK: AgentSessions

    /// An agent who has logged in on another DN since stays logged in.
    package static let supersededLoginStays = Faults(rawValue: 1 << 38)

    /// A reservation stays when its DN has gone to another owner, and its token is honoured by the former one.
    package static let grantsOutliveClaim = Faults(rawValue: 1 << 35)

    /// A token of an earlier life of the owner is good for whatever reservation has the same number now.
    package static let leaseSurvivesRestart = Faults(rawValue: 1 << 36)

    /// Any token is honoured.
    package static let tokenUnchecked = Faults(rawValue: 1 << 37)

    // MARK: CallControl

    /// Calls that a router was asked about wait in vain when it is gone.
    package static let questionDiesWithRouter = Faults(rawValue: 1 << 42)

    /// What a node has said of the calls of another's DNs counts for ever, although it is not heard any more.
    package static let lostWitnessStays = Faults(rawValue: 1 << 39)

    // MARK: Statistics

    /// A Stat Server goes on showing as it was what a lost feed told.
    package static let statKeepsLost = Faults(rawValue: 1 << 43)

    // MARK: NodeCore

    /// Calls go to DNs although their owners cannot be heard.
    package static let unheardOwnerRung = Faults(rawValue: 1 << 40)

    /// A node does not tell the new owner of a DN of the calls that go through itself.
    package static let witnessSilentAfterMove = Faults(rawValue: 1 << 41)

    /// A node that yielded keeps its bindings, and their expiry takes the DN out of service under another's claim.
    package static let peerExpires = Faults(rawValue: 1 << 18)

    /// A node that yielded a DN keeps its bindings.
    package static let yieldKeepsBindings = Faults(rawValue: 1 << 19)

    /// A REGISTER whose CSeq is divisible by 7 is bound and answered 200, but not claimed.
    package static let acknowledgedUnclaimed = Faults(rawValue: 1 << 20)

    /// A REGISTER that comes again after its binding has gone or moved is taken for a new one.
    package static let repetitionTaken = Faults(rawValue: 1 << 33)

    // MARK: Trunks

    /// Calls go over a trunk whether or not there is a place.
    package static let capacityIgnored = Faults(rawValue: 1 << 55)

    /// Who gives a place away uses it all the same.
    package static let capacityGivenTwice = Faults(rawValue: 1 << 56)

    /// A node that begins uses its whole share at once, whatever it gave away in an earlier life.
    package static let capacityForgotten = Faults(rawValue: 1 << 57)

    // MARK: What a node remembers

    /// A registration is answered before it is written down.
    package static let acknowledgedUnwritten = Faults(rawValue: 1 << 58)

    /// A node that begins takes its bindings back, and not its claims.
    package static let claimNotKept = Faults(rawValue: 1 << 59)

    /// A node that begins takes bindings back that have expired since they were written.
    package static let expiredRevived = Faults(rawValue: 1 << 60)

    // MARK: TLibraryPorts

    /// A resumed feed begins one event late.
    package static let feedResumeOffByOne = Faults(rawValue: 1 << 21)

    /// OwnerReachable is told without the states of the owner's DNs before it.
    package static let returnWithoutStates = Faults(rawValue: 1 << 22)

    /// A client that falls off the feed is not cut off; it silently goes on with the oldest event held.
    package static let slowClientKept = Faults(rawValue: 1 << 23)

    /// Pieces of a snapshot go before changes that wait, and its end skips these changes.
    package static let snapshotOverChanges = Faults(rawValue: 1 << 24)

    /// The loss of a link is not told to clients.
    package static let lostLinkUntold = Faults(rawValue: 1 << 29)

    /// Requests that were on their way to an owner whose link is lost are forgotten.
    package static let proxiedForgotten = Faults(rawValue: 1 << 30)

    /// An answer to a proxied request leaves before the changes that happened before it.
    package static let answerOvertakes = Faults(rawValue: 1 << 31)

    /// An answer goes to the client with the number that it had between the nodes, not with the client's ReferenceID.
    package static let referenceLost = Faults(rawValue: 1 << 32)
}
