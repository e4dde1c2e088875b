import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts

/// How often each kind of fault struck and each transition of the machines was seen from outside. A run over many seeds
/// that leaves one at zero proves less than it seems to.
package struct Coverage: Equatable, Sendable {
    private var faults = Array(repeating: 0 as UInt64, count: FaultKind.allCases.count)
    private var transitions = Array(repeating: 0 as UInt64, count: Transition.allCases.count)

    package init() {}

    mutating func count(_ kind: FaultKind) { faults[kind.position] += 1 }
    mutating func count(_ transition: Transition) {
        guard transition != .ordinary else { return }
        transitions[Int(transition.rawValue)] += 1
    }

    package mutating func add(_ other: Coverage) {
        for position in faults.indices { faults[position] += other.faults[position] }
        for position in transitions.indices { transitions[position] += other.transitions[position] }
    }

    /// Names and counts, faults first, each in the order of its declaration.
    package var faultCounts: [(name: String, count: UInt64)] {
        zip(FaultKind.allCases, faults).map { ($0.rawValue, $1) }
    }

    package var transitionCounts: [(name: String, count: UInt64)] {
        zip(Transition.allCases, transitions).map { ("\($0)", $1) }
    }

    /// What never happened.
    package var missing: [String] {
        (faultCounts + transitionCounts).filter { $0.count == 0 }.map(\.name)
    }
}

extension FaultKind {
    fileprivate var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// What the present event is.
enum Cause: Equatable, Sendable {
    case registration, removal, desktop
    /// What a node wanted written down is, or could not be.
    case commit
    case deltas, snapshot, claims, end
    case clock, link, topology, other

    init(_ message: PeerMessage) {
        switch message {
        case .records(let batch): self = batch.revisions == nil ? .snapshot : .deltas
        case .claims: self = .claims
        case .syncEnd: self = .end
        case .hello, .syncBegin, .snapshotRequest, .ping, .pong: self = .link
        }
    }
}

/// A step of one of the machines, recognised from outside.
enum Transition: UInt8, Equatable, Sendable, CaseIterable {
    // What a node holds of a DN.
    case claimedFirst, claimedFromAnother, tookOver, backInService
    case unregistered, expired, desktopGone
    case adoptedDelta, adoptedInSnapshot, adoptedHearsay, adoptedProvisionally
    case yieldedToDelta, yieldedInSnapshot, yieldedToHearsay
    case ownerSpokeAgain, ownerSpokeInSnapshot, provisionalConfirmed, provisionalLapsed
    case reclaimed, tookBackForgotten, roseAboveForgotten, sweptRestarted

    // Links.
    case linkIntroduced, linkCaughtUp, linkWentOn
    case snapshotBegun, resumptionBegun, deltasSent, pieceSent, endSent, claimsSent
    case closedSilent, closedWithoutHello, closedHelloExpected, closedWrongVersion, closedWrongCluster
    case closedUnknownNode, closedWrongDirection, closedStale, closedReplaced, closedClockAhead, closedResyncTooSlow

    // Registrations and clients.
    case registrationAccepted, removalAccepted, queryAnswered, askedElsewhere, outOfOrderRefused
    case belatedRegistered, belatedIgnored
    case registerHeld, registerWaited, registrationUnwritten, registrationSurvived
    case storeCommitted, storeFailed, powerCut, storeDamaged
    case handedOver, handoverFailed, rolledOut
    case topologyChanged, changedOverSeveral, topologyRefused, changedCalmly, dnAdded, dnRemoved, dnReintroduced
    case registerOfNoDN, registerAway, registerBeforeIntroduction
    case nodeAdded, nodeRemoved, controllerDied, restartedForTopology
    case desktopRegistered, desktopTookOver, desktopSuperseded
    case feedBegun, feedResumed, snapshotEnded, ownerUnreachableTold, ownerReachableTold, clientCutOff
    case linkConnectedTold, linkDisconnectedTold, ownerHinted, moveHinted, sentElsewhere
    case requestProxied, proxiedAnswered, proxiedToFormerOwner, askedOwnerAnswered, askedNodeAnswered
    case tooManyProxied
    case desktopReturned, agentLoggedIn, agentLoggedOut, agentReady, agentNotReady
    case agentReserved, reservationRefused, tokenHonoured, tokenRefused

    // Calls.
    case callerAnswered, callerRefused, callerGaveUp, callerHungUp, answeredTooLate, answeredTwice
    case phoneRang, phoneAnswered, phoneAnsweredLate, phoneRefused, phoneWasGone, phoneHungUp, datagramDoubled
    case routerConnected, routerReserved, routeAsked, routeAskedAgain, routeTaken, routeRefused, routeOverruled
    case callRouted, callDefaulted, callsReported, callsRecounted, sipOverLink, callMoved
    case capacityTold, gatewayAsked, gatewayRefused, gatewayWasSilent, telephoneDialled, servedInOrder, callOverflowed,
        callTurnedAway
    case statFeedLost, statFeedResumed, callsToldToTheEnd
    case callRinging, callEstablished, callReleased, callAbandoned
    case pointQueued, pointDiverted, pointAbandoned, waitingCallInSnapshot

    // What the plan had.
    case clocksDiffered, ringWasTiny, chunksWereTiny, connectionsWereTiny, cutLingered, capacityInDoubt

    /// Nothing worth counting: a ping, or what honest peers never do.
    case ordinary

    /// Those that a run over many seeds must have seen.
    static var allCases: [Transition] { (0..<Transition.ordinary.rawValue).compactMap { Transition(rawValue: $0) } }

    init(_ problem: LinkProblem) {
        switch problem {
        case .silent: self = .closedSilent
        case .noHello: self = .closedWithoutHello
        case .helloExpected: self = .closedHelloExpected
        case .unexpectedHello: self = .ordinary
        case .wrongVersion: self = .closedWrongVersion
        case .wrongCluster: self = .closedWrongCluster
        case .unknownNode: self = .closedUnknownNode
        case .wrongDirection: self = .closedWrongDirection
        case .staleIncarnation: self = .closedStale
        case .replaced: self = .closedReplaced
        case .clockTooFarAhead: self = .closedClockAhead
        case .resyncTooSlow: self = .closedResyncTooSlow
        }
    }

    init(sent message: PeerMessage) {
        switch message {
        case .hello, .snapshotRequest, .ping, .pong: self = .ordinary
        case .syncBegin(let begin): self = begin.isSnapshot ? .snapshotBegun : .resumptionBegun
        case .records(let batch): self = batch.revisions == nil ? .pieceSent : .deltasSent
        case .syncEnd: self = .endSent
        case .claims: self = .claimsSent
        }
    }

    init(_ message: ProxyMessage) {
        switch message {
        case .request, .clientGone: self = .requestProxied
        case .answer(_, .notOwner): self = .proxiedToFormerOwner
        case .answer: self = .proxiedAnswered
        }
    }

    init?(_ event: TEvent) {
        switch event {
        case .monitoring(_, let isResumed, _, _): self = isResumed ? .feedResumed : .feedBegun
        case .endOfSnapshot: self = .snapshotEnded
        case .ownerUnreachable: self = .ownerUnreachableTold
        case .ownerReachable: self = .ownerReachableTold
        case .linkConnected: self = .linkConnectedTold
        case .linkDisconnected: self = .linkDisconnectedTold
        case .ownerHint: self = .ownerHinted
        case .moveHint: self = .moveHinted
        case .addressInfo(_, _, let detail): self = detail == nil ? .askedNodeAnswered : .askedOwnerAnswered
        case .error(_, .tooManyRequests): self = .tooManyProxied
        case .error(_, .reservedByAnother): self = .reservationRefused
        case .agentReserved: self = .agentReserved
        case .call(let event, _):
            switch event.kind {
            case .ringing, .dialing: self = .callRinging
            case .established: self = .callEstablished
            case .released: self = .callReleased
            case .abandoned: self = .callAbandoned
            }
        case .point(_, nil): self = .waitingCallInSnapshot
        case .point(let event, _):
            switch event.outcome {
            case .waiting: self = .pointQueued
            case .abandoned: self = .pointAbandoned
            case .overflowed: self = .callOverflowed
            case .answered, .defaulted, .refused: self = .pointDiverted
            }
        case .agent(let event, _, _):
            switch event.kind {
            case .login: self = .agentLoggedIn
            case .logout: self = .agentLoggedOut
            case .ready: self = .agentReady
            case .notReady: self = .agentNotReady
            }
        case .serverInfo, .error, .registered, .unregistered, .serviceChanged, .status, .done, .routeRequest,
            .routeUsed, .routeEnded:
            return nil
        }
    }

    /// What a change of one node's record was.
    init?(from seen: Seen, to record: DNInspection, at node: NodeIndex, _ cause: Cause) {
        let isSameClaim = seen.owner == record.owner && seen.stamp == record.stamp
        if record.owner == node {
            self = Self.own(seen, record, node, isSameClaim, cause)
        } else if isSameClaim {
            guard let transition = Self.sameClaim(seen, record, cause) else { return nil }
            self = transition
        } else {
            let transition = Self.adopted(record, yields: seen.owner == node, cause)
            guard let transition else { return nil }
            self = transition
        }
    }

    private static func own(
        _ seen: Seen, _ record: DNInspection, _ node: NodeIndex, _ isSameClaim: Bool, _ cause: Cause
    ) -> Transition {
        if isSameClaim {
            switch record.service {
            case .inService: return .backInService
            case .expired: return .expired
            case .desktopGone: return .desktopGone
            case _: return .unregistered
            }
        }
        switch cause {
        case .registration, .removal, .commit: return seen.owner == .none ? .claimedFirst : .claimedFromAnother
        case .desktop: return seen.owner == .none ? .claimedFirst : .tookOver
        case .deltas, .snapshot, .claims, .end, .clock, .link, .topology, .other:
            if record.service == .restarted, seen.owner != node { return .tookBackForgotten }
            // What a former life had claimed is exceeded by a fresh stamp; a rival is met with that of a registration.
            return cause == .claims && seen.owner == node && record.stamp.milliseconds > seen.stamp.milliseconds
                && record.stamp != seen.acknowledgedStamp ? .roseAboveForgotten : .reclaimed
        }
    }

    private static func sameClaim(_ seen: Seen, _ record: DNInspection, _ cause: Cause) -> Transition? {
        if seen.isProvisional, !record.isProvisional {
            return cause == .clock ? .provisionalLapsed : .provisionalConfirmed
        }
        guard seen.service != record.service else { return nil }
        switch cause {
        case .end: return .sweptRestarted
        case .snapshot: return .ownerSpokeInSnapshot
        case .registration, .removal, .commit, .desktop, .deltas, .claims, .clock, .link, .topology, .other:
            return .ownerSpokeAgain
        }
    }

    private static func adopted(_ record: DNInspection, yields: Bool, _ cause: Cause) -> Transition? {
        switch cause {
        case .deltas: return yields ? .yieldedToDelta : record.isProvisional ? .adoptedProvisionally : .adoptedDelta
        case .snapshot: return yields ? .yieldedInSnapshot : .adoptedInSnapshot
        case .claims: return yields ? .yieldedToHearsay : record.isProvisional ? .adoptedProvisionally : .adoptedHearsay
        case .registration, .removal, .commit, .desktop, .end, .clock, .link, .topology, .other: return nil
        }
    }
}
