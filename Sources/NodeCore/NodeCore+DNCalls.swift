import AgentSessions
package import CallControl
package import ClusterModel
package import DNOwnership
import SIPCore

// The calls of DNs. The owner of a DN says them to everybody; a node that is near one of a call's two parties tells that party's owner.
extension NodeCore {
    // MARK: What changes here

    /// Hands on what has become of calls.
    mutating func settleCalls(_ now: Instant) {
        for change in statefulProxy.takeChangedParties() { callsChanged(of: change.dn, ended: change.ended, now) }
        for dn in statefulProxy.takeBusyParties() where ownership.owns(dn) {
            // Of a call that it has here it need not have told.
            if statefulProxy.calls.calls(of: dn).isEmpty { witnesses.phoneWasBusy(dn, now: now) }
        }
        for change in witnesses.takeChanged() { publishCalls(of: change.dn, ended: change.ended, now) }
    }

    private mutating func callsChanged(of dn: DNIndex, ended: DNCalls.Ended?, _ now: Instant) {
        guard !ownership.owns(dn) else { return publishCalls(of: dn, ended: ended, now) }
        let owner = ownership.view(of: dn).owner
        if owner != .none, ownership.state(of: owner) == .live { callReports[owner.position].owe(dn, ended: ended) }
    }

    /// Says the calls of a DN that this node owns, as it knows them and as others have told.
    private mutating func publishCalls(of dn: DNIndex, ended: DNCalls.Ended? = nil, _ now: Instant) {
        guard ownership.owns(dn) else { return }
        let own = statefulProxy.calls.calls(of: dn)
        witnesses.supersede(own, of: dn)
        let others = witnesses.calls(of: dn).filter { call in !own.contains { $0.connection == call.connection } }
        let before = ownership.calls(of: dn)
        let present = own + others
        let last = ended.flatMap { ended in present.contains { $0.connection == ended.connection } ? nil : ended }
        let calls = DNCalls(present, lastEnded: last ?? before?.lastEnded)
        var occupancy = ownership.occupancy(of: dn)
        let wasBusy = occupancy.contains(.busy)
        let isBusy = !present.isEmpty || witnesses.isBusy(dn)
        if isBusy { occupancy.insert(.busy) } else { occupancy.remove(.busy) }
        if desk.callsArrived(dn, present) { occupancy.remove(.reserved) }
        let isSilent = calls.calls.isEmpty && calls.lastEnded == nil
        ownership.callsChanged(dn, to: isSilent ? nil : calls, occupancy, &ownershipActions)
        guard wasBusy, !isBusy, before?.calls.contains(where: { $0.phase == .established }) == true else { return }
        let stamp = ownership.nextStamp(now: now)
        if let session = wrapUps.callEnded(ownership.session(of: dn), stamp: stamp) {
            ownership.sessionChanged(dn, to: session, &ownershipActions)
        }
    }

    // MARK: Owners and links

    /// A DN has another owner, or the same under another claim.
    mutating func settleCallsOfClaim(_ dn: DNIndex, from before: View, to after: View, _ now: Instant) {
        guard before.owner != after.owner || before.stamp != after.stamp else { return }
        let hadWords = witnesses.isBusy(dn)
        witnesses.claimEnded(dn)
        if after.owner == me {
            // What the former owner knew counts until those who are near have said it themselves.
            if let calls = before.calls?.calls, !calls.isEmpty, before.owner != me, before.owner != .none {
                witnesses.told(calls, of: dn, by: before.owner, ended: nil)
                witnesses.expectWord(of: dn, by: before.owner, now: now)
            }
            publishCalls(of: dn, now)
        } else if after.owner != .none, !faults.contains(.witnessSilentAfterMove),
            statefulProxy.calls.isBusy(dn) || before.owner == me && (hadWords || before.calls?.calls.isEmpty == false),
            ownership.state(of: after.owner) == .live
        {
            callReports[after.owner.position].owe(dn)
        }
    }

    /// The link to a node is live: it hears of the calls of all of its DNs that this node is near to.
    mutating func recountCalls(to peer: NodeIndex) {
        callReports[peer.position].removeAll()
        for dn in statefulProxy.calls.busyDNs where ownership.view(of: dn).owner == peer {
            callReports[peer.position].owe(dn)
        }
        callReports[peer.position].oweRecount()
    }

    /// A link goes on over another connection. What was on its way on the former is lost, and the peer may have lost the link meanwhile:
    /// requests over it are over, as that peer takes them to be, and both tell each other anew of the calls that they are near to.
    mutating func connectionReplaced(_ peer: NodeIndex, _ now: Instant) {
        witnesses.linkLost(peer, now: now)
        recountCalls(to: peer)
        peerMessages[peer.position].removeAll()
        statefulProxy.flowEnded(.peer(peer), now: now)
        settleSIP(now)
        settle(now)
    }

    mutating func forgetReports(to peer: NodeIndex, _ now: Instant) {
        callReports[peer.position].removeAll()
        witnesses.linkLost(peer, now: now)
    }

    // MARK: Between nodes

    /// The next message of calls to a peer, or nil. `nextPeerMessage` and `nextProxyMessage` go first.
    package mutating func nextCallMessage(for peer: NodeIndex) -> CallMessage? {
        guard !callReports[peer.position].isEmpty, ownership.state(of: peer) == .live, ownership.hasToldAll(to: peer)
        else { return nil }
        switch callReports[peer.position].next() {
        case .calls(let dn, let ended):
            return .calls(of: topology.directory.dn(at: dn), statefulProxy.calls.calls(of: dn), ended: ended)
        case .recounted: return .recounted
        case nil: return nil
        }
    }

    package func hasCallMessages(for peer: NodeIndex) -> Bool { !callReports[peer.position].isEmpty }

    /// A peer tells of calls. On a connection that has not said hello it counts for nothing.
    package mutating func received(_ message: CallMessage, from connection: ConnectionID, now: Instant) {
        guard let peer = ownership.introducedPeer(of: connection) else { return }
        switch message {
        case .calls(let name, let calls, let ended):
            // Who takes this node for the owner although it is none hears so by the claim.
            guard let dn = topology.directory.index(of: name), ownership.owns(dn) else { return }
            witnesses.told(calls, of: dn, by: peer, ended: ended)
        case .recounted:
            witnesses.recounted(by: peer)
        }
        settleCalls(now)
        settle(now)
    }
}
