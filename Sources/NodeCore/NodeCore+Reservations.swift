package import AgentSessions
package import ClusterModel
import DNOwnership
package import TLibraryPorts

// Reservations: whoever wants an agent asks the owner of the agent's DN, which alone decides.
extension NodeCore {
    // MARK: For this node's clients

    mutating func reserve(
        _ name: String, _ request: ReservationRequest, _ id: UInt32, _ client: ClientID, _ now: Instant
    ) {
        var dn: DNIndex?
        if name.isEmpty {
            guard let agent = request.agent else { return tell(client, .error(referenceID: id, .malformedRequest)) }
            dn = agents.logins(of: agent).last?.dn
            if dn == nil { return tell(client, .error(referenceID: id, .notLoggedIn)) }
        } else {
            dn = index(of: name)
        }
        guard let dn else { return tell(client, .error(referenceID: id, .unknownDN)) }
        ask(
            ProxiedRequest(
                client: client, referenceID: id, dn: topology.directory.dn(at: dn),
                request: .reserve(request, client: client.rawValue), owner: me),
            dn, now)
    }

    // MARK: At the owner

    private func place(_ dn: DNIndex) -> ReservationDesk.Place {
        ReservationDesk.Place(dn: dn, name: topology.directory.dn(at: dn), view: ownership.view(of: dn))
    }

    /// - Returns: nil when the answer comes later.
    mutating func decide(
        _ request: ReservationRequest, of dn: DNIndex, by asker: ReservationDesk.Asker, _ now: Instant
    ) -> ProxyAnswer? {
        let outcome = desk.requested(request, of: place(dn), by: asker, now: now)
        showReservation(of: dn)
        if case .withdrawn(let former) = outcome { give(.refused(TError(.withdrawn)), of: dn, to: former) }
        return answer(of: outcome)
    }

    private func answer(of outcome: ReservationDesk.Outcome) -> ProxyAnswer? {
        switch outcome {
        case .reserved(let reservation): .reserved(reservation)
        case .cancelled, .withdrawn: .done
        case .refused(let refusal): .refused(TError(refusal))
        case .collected: nil
        }
    }

    /// All nodes are told whether an agent is reserved, so that nobody asks in vain.
    private mutating func showReservation(of dn: DNIndex) {
        var occupancy = ownership.occupancy(of: dn)
        if desk.isReserved(dn) { occupancy.insert(.reserved) } else { occupancy.remove(.reserved) }
        ownership.occupancyChanged(dn, to: occupancy, &ownershipActions)
    }

    mutating func freeReservation(of dn: DNIndex) {
        let (wasReserved, waiting) = desk.agentLeft(dn)
        if wasReserved { showReservation(of: dn) }
        let refusal: ProxyAnswer =
            ownership.owns(dn) ? .refused(TError(.unavailable(Availability(of: ownership.view(of: dn))))) : .notOwner
        for asker in waiting { give(refusal, of: dn, to: asker) }
    }

    mutating func endReservations(now: Instant) {
        while let due = desk.due(now: now) {
            switch due {
            case .lease(let dn):
                desk.expire(dn)
                showReservation(of: dn)
            case .window(let dn):
                for (asker, outcome) in desk.close(place(dn), now: now) {
                    if let answer = answer(of: outcome) { give(answer, of: dn, to: asker) }
                }
                showReservation(of: dn)
            }
        }
    }

    /// The answer to a request that had to wait.
    private mutating func give(_ answer: ProxyAnswer, of dn: DNIndex, to asker: ReservationDesk.Asker) {
        let name = topology.directory.dn(at: dn)
        guard asker.holder.node == me else {
            return proxy.owe(asker.number, name, answer, to: asker.holder.node, on: asker.connection)
        }
        let client = ClientID(rawValue: asker.holder.client)
        let id = UInt32(truncatingIfNeeded: asker.number)
        switch answer {
        case .reserved(let reservation): tell(client, .agentReserved(referenceID: id, reservation))
        case .refused(let error): tell(client, .error(referenceID: id, error))
        case .notOwner, .addressInfo, .agent, .done: tell(client, .error(referenceID: id, .ownerUnreachable))
        }
    }

    /// A client of this node has gone: what it had reserved is free, here and elsewhere.
    mutating func releaseReservations(of client: ClientID, askedAt owners: [NodeIndex]) {
        let freed = desk.holderGone(ReservationHolder(node: me, client: client.rawValue))
        for dn in freed { showReservation(of: dn) }
        for owner in owners where owner != me { proxy.clientGone(client, toldTo: owner) }
    }

    /// A client of another node has gone, or the node itself.
    mutating func releaseReservations(of peer: NodeIndex, client: UInt64?) {
        let freed =
            client.map { desk.holderGone(ReservationHolder(node: peer, client: $0)) } ?? desk.nodeLost(peer)
        for dn in freed { showReservation(of: dn) }
    }

    // MARK: Tokens

    /// A call at this node comes with a token: asks the DN's owner whether it may have the agent. What becomes of that is
    /// taken with `takeRedemptions`.
    ///
    /// - Parameter call: which call, as this node numbers them.
    package mutating func redeem(_ token: ReservationToken, call: UInt32, now: Instant) {
        // Two nodes may give their calls the same number.
        startRedeeming(token, reference: call, call: UInt64(me.rawValue) << 32 | UInt64(call), now)
        settle(now)
    }

    /// - Parameters:
    ///   - reference: under which it is told what has become of it.
    ///   - call: which call, in the owner's words.
    mutating func startRedeeming(_ token: ReservationToken, reference: UInt32, call: UInt64, _ now: Instant) {
        guard let dn = topology.directory.index(of: token.dn) else {
            return redemptions.append(Redemption(call: reference, token: token, refusal: .unknownDN))
        }
        ask(
            ProxiedRequest(
                client: .none, referenceID: reference, dn: token.dn, request: .redeem(token, call: call), owner: me),
            dn, now)
    }

    mutating func honour(_ token: ReservationToken, call: UInt64, _ dn: DNIndex, _ now: Instant) -> ProxyAnswer {
        if let refusal = desk.redeem(token, for: call, of: place(dn), now: now) { return .refused(TError(refusal)) }
        return .done
    }

    package mutating func takeRedemptions() -> [Redemption] {
        guard !redemptions.isEmpty else { return [] }
        defer { redemptions.removeAll(keepingCapacity: true) }
        return redemptions
    }
}

/// Whether a call may have the agent whom its token has reserved.
package struct Redemption: Equatable, Sendable {
    package let call: UInt32
    package let token: ReservationToken
    /// Nil if it may.
    package let refusal: TError?
}
