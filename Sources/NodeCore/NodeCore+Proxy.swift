import AgentSessions
package import ClusterModel
package import DNOwnership
import SIPCore
package import TLibraryPorts

// Requests that only a DN's owner can answer: asked by any node for its clients, answered with the client's ReferenceID.
extension NodeCore {
    // MARK: For this node's clients

    mutating func query(_ name: String, _ id: UInt32, _ client: ClientID, _ now: Instant) {
        guard let dn = index(of: name) else { return tell(client, .error(referenceID: id, .unknownDN)) }
        let name = topology.directory.dn(at: dn)
        ask(ProxiedRequest(client: client, referenceID: id, dn: name, request: .query, owner: me), dn, now)
    }

    /// Asks whoever owns the DN now; answers from what this node knows where nobody else can.
    mutating func ask(_ request: ProxiedRequest, _ dn: DNIndex, _ now: Instant) {
        let owner = ownership.view(of: dn).owner
        let isOwnerHere = owner == me || faults.contains(.grantsOutliveClaim) && desk.isReserved(dn)
        var request = request
        request.owner = owner
        guard !isOwnerHere else { return carryOut(request, dn, now) }
        guard owner != .none, ownership.state(of: owner) == .live else {
            return endWithoutOwner(request, .ownerUnreachable, now)
        }
        guard !proxy.isUnderWay(request.referenceID, of: request.client) else {
            return end(request, .requestInProgress)
        }
        if case .reserve = request.request { ports.noteReservation(at: owner, of: request.client) }
        if proxy.forward(request, now: now) { return }
        end(request, .tooManyRequests)
    }

    /// This node owns the DN.
    private mutating func carryOut(_ request: ProxiedRequest, _ dn: DNIndex, _ now: Instant) {
        switch request.request {
        case .reserve(let reservation, _):
            let holder = ReservationHolder(node: me, client: request.client.rawValue)
            let asker = ReservationDesk.Asker(holder: holder, number: UInt64(request.referenceID))
            guard let answer = decide(reservation, of: dn, by: asker, now) else { return }
            take(answer, 0, to: request, now)
        case .agent(let agent):
            let ask = CommitDesk.AgentAsk(request: agent, asker: .client(request))
            if let answer = decide(ask, of: dn, now) { take(answer, 0, to: request, now) }
        case .query, .resume, .redeem:
            take(perform(request.request, dn, for: me, now), 0, to: request, now)
        }
    }

    /// What the owner does when it is asked, but for what may take time: reservations, and what agents do.
    private mutating func perform(
        _ request: OwnerRequest, _ dn: DNIndex, for node: NodeIndex, _ now: Instant
    ) -> ProxyAnswer {
        switch request {
        case .query: .addressInfo(word(of: dn), detail(of: dn))
        case .resume(let token): ports.isDesktop(token, of: dn) ? .done : .refused(.staleToken)
        case .redeem(let token, let call): honour(token, call: call, dn, now)
        case .reserve, .agent: .notOwner
        }
    }

    private func word(of dn: DNIndex) -> OwnerWord {
        let view = ownership.view(of: dn)
        return OwnerWord(
            service: view.service, stamp: view.stamp, occupancy: view.occupancy, session: view.agent, calls: view.calls)
    }

    private func detail(of dn: DNIndex) -> OwnerDetail {
        OwnerDetail(
            contacts: UInt32(clamping: registrar.bindings(of: dn).count),
            desktops: UInt32(clamping: ports.holderCount(of: dn))
        )
    }

    /// The owner cannot be asked, or has not answered.
    private mutating func endWithoutOwner(_ request: ProxiedRequest, _ error: TError, _ now: Instant) {
        // The topology may not have it any more.
        guard let dn = topology.directory.index(of: request.dn) else { return end(request, .unknownDN) }
        switch request.request {
        case .query:
            let detail = ownership.owns(dn) ? detail(of: dn) : nil
            tell(request.client, .addressInfo(referenceID: request.referenceID, status(of: dn), detail))
        case .resume:
            registerReturning(dn, isKnown: false, request, now)
        case .agent, .reserve, .redeem:
            end(request, error)
        }
    }

    /// A request is refused.
    private mutating func end(_ request: ProxiedRequest, _ error: TError) {
        if case .redeem(let token, _) = request.request {
            return redemptions.append(Redemption(call: request.referenceID, token: token, refusal: error))
        }
        tell(request.client, .error(referenceID: request.referenceID, error))
    }

    mutating func endRequests(to owner: NodeIndex, _ now: Instant) {
        for request in proxy.linkLost(owner) where !faults.contains(.proxiedForgotten) {
            endWithoutOwner(request, .ownerUnreachable, now)
        }
    }

    mutating func giveUpRequests(now: Instant) {
        for request in proxy.givenUp(now: now) { endWithoutOwner(request, .timedOut, now) }
    }

    // MARK: Between nodes

    /// The next message to a peer for clients, or nil. `nextPeerMessage` goes first: what a client is told in answer to a
    /// request must not be older, nor newer, than what its node knows.
    package mutating func nextProxyMessage(for peer: NodeIndex) -> ProxyMessage? {
        guard proxy.hasMore(for: peer), let connection = ownership.connection(to: peer) else { return nil }
        guard ownership.hasToldAll(to: peer) || faults.contains(.answerOvertakes) else { return nil }
        switch proxy.next(for: peer, on: connection.rawValue) {
        case .send(let message): return message
        case .answer(let number, let dn): return .answer(number: number, answer(about: dn))
        case nil: return nil
        }
    }

    private func answer(about name: DN) -> ProxyAnswer {
        guard let dn = topology.directory.index(of: name), ownership.owns(dn) else { return .notOwner }
        return .addressInfo(word(of: dn), detail(of: dn))
    }

    /// A message of a peer for clients. On a connection that has not said hello it counts for nothing.
    package mutating func received(_ message: ProxyMessage, from connection: ConnectionID, now: Instant) {
        guard let peer = ownership.introducedPeer(of: connection) else { return }
        switch message {
        case .request(let number, let dn, let request):
            guard proxy.admits(from: peer) else { return }
            serve(request, of: dn, number, for: peer, on: connection, now)
        case .answer(let number, let answer):
            guard let request = proxy.answered(number, by: peer) else { return }
            take(answer, number, to: request, now)
        case .clientGone(let client):
            releaseReservations(of: peer, client: client)
        }
        settle(now)
    }

    /// What is asked is done at once, and answered when the changes that came of it have been told.
    private mutating func serve(
        _ request: OwnerRequest, of name: DN, _ number: UInt64, for peer: NodeIndex, on connection: ConnectionID,
        _ now: Instant
    ) {
        var answer: ProxyAnswer?
        if request != .query {
            let dn = topology.directory.index(of: name).flatMap { ownership.owns($0) ? $0 : nil }
            if let dn, case .reserve(let reservation, let client) = request {
                let asker = ReservationDesk.Asker(
                    holder: ReservationHolder(node: peer, client: client), number: number,
                    connection: connection.rawValue)
                guard let decided = decide(reservation, of: dn, by: asker, now) else { return }
                answer = decided
            } else if let dn, case .agent(let agent) = request {
                let asker = CommitDesk.AgentAsk.Asker.peer(peer, number: number, connection: connection.rawValue)
                guard let decided = decide(CommitDesk.AgentAsk(request: agent, asker: asker), of: dn, now) else {
                    return
                }
                answer = decided
            } else {
                answer = dn.map { perform(request, $0, for: peer, now) } ?? .notOwner
            }
        }
        proxy.owe(number, name, answer, to: peer, on: connection.rawValue)
    }

    mutating func take(_ answer: ProxyAnswer, _ number: UInt64, to request: ProxiedRequest, _ now: Instant) {
        guard let dn = topology.directory.index(of: request.dn) else { return end(request, .unknownDN) }
        let isConfused = faults.contains(.referenceLost) && request.owner != me
        let id = isConfused ? UInt32(truncatingIfNeeded: number) : request.referenceID
        switch (answer, request.request) {
        case (.addressInfo(let word, let detail), .query):
            guard word.stamp >= ownership.view(of: dn).stamp else { return askAgain(request, dn, now) }
            let view = View(
                service: word.service, owner: request.owner, stamp: word.stamp, occupancy: word.occupancy,
                agent: word.session, calls: word.calls)
            tell(request.client, .addressInfo(referenceID: id, DNStatus(dn: request.dn, view: view), detail))
        case (.agent(let session), .agent(let asked)):
            tellAgent(session, asked, dn, to: request)
        case (.reserved(let reservation), .reserve):
            tell(request.client, .agentReserved(referenceID: id, reservation))
        case (.done, .redeem(let token, _)):
            redemptions.append(Redemption(call: request.referenceID, token: token, refusal: nil))
        case (.done, .resume), (.refused, .resume):
            registerReturning(dn, isKnown: answer == .done, request, now)
        case (.done, .reserve):
            tell(request.client, .done(referenceID: id))
        case (.refused(let error), _):
            end(request, error)
        case (.notOwner, _):
            askAgain(request, dn, now)
        case (.addressInfo, _), (.agent, _), (.reserved, _), (.done, _):
            // No answer to what was asked.
            endWithoutOwner(request, .timedOut, now)
        }
    }

    /// Another node owns the DN now, and its claim is known here: the former owner told it before it answered, or somebody
    /// else did.
    private mutating func askAgain(_ request: ProxiedRequest, _ dn: DNIndex, _ now: Instant) {
        guard !request.isSecondAttempt else { return endWithoutOwner(request, .timedOut, now) }
        var request = request
        request.isSecondAttempt = true
        ask(request, dn, now)
    }
}
