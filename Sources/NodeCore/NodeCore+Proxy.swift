package import ClusterModel
package import DNOwnership
import SIPCore
package import TLibraryPorts

// Requests that only a DN's owner can answer: asked by any node for its clients, answered with the client's ReferenceID.
extension NodeCore {
    // MARK: For this node's clients

    mutating func query(_ name: String, _ id: UInt32, _ client: ClientID, _ now: Instant) {
        guard let dn = index(of: name) else { return tell(client, .error(referenceID: id, .unknownDN)) }
        ask(ProxiedRequest(client: client, referenceID: id, dn: topology.directory.dn(at: dn), owner: me), dn, now)
    }

    /// Asks whoever owns the DN now; answers from what this node knows where nobody else can.
    private mutating func ask(_ request: ProxiedRequest, _ dn: DNIndex, _ now: Instant) {
        let owner = ownership.view(of: dn).owner
        guard owner != me, owner != .none, ownership.state(of: owner) == .live else { return answerHere(request) }
        var request = request
        request.owner = owner
        if proxy.forward(request, now: now) { return }
        tell(request.client, .error(referenceID: request.referenceID, .tooManyRequests))
    }

    /// The owner's word as this node knows it.
    private mutating func answerHere(_ request: ProxiedRequest) {
        guard let dn = topology.directory.index(of: request.dn) else { return }
        let detail = ownership.owns(dn) ? detail(of: dn) : nil
        tell(request.client, .addressInfo(referenceID: request.referenceID, status(of: dn), detail))
    }

    private func detail(of dn: DNIndex) -> OwnerDetail {
        OwnerDetail(
            contacts: UInt32(clamping: registrar.bindings(of: dn).count),
            desktops: UInt32(clamping: ports.holderCount(of: dn))
        )
    }

    mutating func endRequests(to owner: NodeIndex) {
        for request in proxy.linkLost(owner) where !faults.contains(.proxiedForgotten) { answerHere(request) }
    }

    mutating func giveUpRequests(now: Instant) {
        for request in proxy.givenUp(now: now) { answerHere(request) }
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
        let view = ownership.view(of: dn)
        return .addressInfo(service: view.service, view.stamp, detail(of: dn))
    }

    /// A message of a peer for clients. On a connection that has not said hello it counts for nothing.
    package mutating func received(_ message: ProxyMessage, from connection: ConnectionID, now: Instant) {
        guard let peer = ownership.introducedPeer(of: connection) else { return }
        switch message {
        case .query(let number, let dn):
            proxy.asked(number, dn, by: peer, on: connection.rawValue)
        case .answer(let number, let answer):
            guard let request = proxy.answered(number, by: peer) else { return }
            take(answer, number, to: request, now)
        }
        settle(now)
    }

    private mutating func take(_ answer: ProxyAnswer, _ number: UInt64, to request: ProxiedRequest, _ now: Instant) {
        guard let dn = topology.directory.index(of: request.dn) else { return }
        if case .addressInfo(let service, let stamp, let detail) = answer, stamp >= ownership.view(of: dn).stamp {
            let view = View(service: service, owner: request.owner, stamp: stamp)
            let id = faults.contains(.referenceLost) ? UInt32(truncatingIfNeeded: number) : request.referenceID
            return tell(request.client, .addressInfo(referenceID: id, DNStatus(dn: request.dn, view: view), detail))
        }
        // Another node owns the DN now, and its claim is known here: the former owner told it before it answered, or
        // somebody else did.
        guard !request.isSecondAttempt else { return answerHere(request) }
        var request = request
        request.isSecondAttempt = true
        ask(request, dn, now)
    }
}
