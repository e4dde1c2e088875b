import AgentSessions
import ClusterModel
import DNOwnership
import NodeCore
import TLibraryPorts

// Each node has the topology that it was told, and numbers DNs and nodes by it. Everything else here numbers them by the run's
// topology; between the two all that nodes say and are told is translated, as processes name what they mean to each other.
extension ClusterSimulation {
    func version(of node: NodeIndex) -> TopologyVersion { versions[Int(nodes[node.position].generation) - 1] }

    private func isWhole(_ node: NodeIndex) -> Bool { versions[Int(nodes[node.position].generation) - 1].isWhole }

    /// Where something stands at a node; nil for what its topology does not have.
    func place(of dn: DNIndex, at node: NodeIndex) -> DNIndex? {
        versions[Int(nodes[node.position].generation) - 1].place(of: dn)
    }

    func place(of other: NodeIndex, at node: NodeIndex) -> NodeIndex? {
        versions[Int(nodes[node.position].generation) - 1].place(of: other)
    }

    func whole(_ other: NodeIndex, at node: NodeIndex) -> NodeIndex {
        versions[Int(nodes[node.position].generation) - 1].whole(other)
    }

    // MARK: What a node holds

    mutating func inspect(_ dn: DNIndex, at node: NodeIndex) -> DNInspection {
        guard let place = place(of: dn, at: node) else { return .notProvisioned }
        var record = cores[node.position].inspect(place)
        guard !isWhole(node) else { return record }
        record.owner = whole(record.owner, at: node)
        return record
    }

    /// A link that a node does not have is down.
    mutating func link(
        of node: NodeIndex, to peer: NodeIndex
    ) -> (connection: ConnectionID?, state: LinkReport.State, hasMore: Bool) {
        guard let place = place(of: peer, at: node), place != .none else { return (nil, .down, false) }
        return cores[node.position].inspect(link: place)
    }

    mutating func isHeld(_ dn: DNIndex, at node: NodeIndex) -> Bool {
        place(of: dn, at: node).map { cores[node.position].inspectIsHeld($0) } ?? false
    }

    mutating func nearCalls(of dn: DNIndex, at node: NodeIndex) -> [DNCall] {
        place(of: dn, at: node).map { cores[node.position].inspectNearCalls(of: $0) } ?? []
    }

    mutating func view(of dn: DNIndex, at node: NodeIndex) -> View {
        guard let place = place(of: dn, at: node) else {
            return View(service: .notProvisioned, owner: .none, stamp: .zero)
        }
        var view = cores[node.position].inspectView(of: place)
        view.owner = whole(view.owner, at: node)
        return view
    }

    func ownClaim(of dn: DNIndex, at node: NodeIndex) -> (claim: Stamp, registered: Stamp)? {
        place(of: dn, at: node).flatMap { cores[node.position].ownership.ownClaim(of: $0) }
    }

    // MARK: What nodes say to each other

    /// What a node says.
    func said(_ message: PeerMessage, by node: NodeIndex) -> PeerMessage {
        if isWhole(node) { return message }
        return Self.renamed(message) { whole($0, at: node) }
    }

    /// What another one hears: claims of nodes that it does not know are left out.
    func heard(_ message: PeerMessage, by node: NodeIndex) -> PeerMessage {
        if isWhole(node) { return message }
        return Self.renamed(message) { place(of: $0, at: node) }
    }

    private static func renamed(_ message: PeerMessage, _ name: (NodeIndex) -> NodeIndex?) -> PeerMessage {
        func renamed(_ claims: [HeardClaim]) -> [HeardClaim] {
            claims.compactMap { claim in
                guard let owner = name(claim.claim.owner) else { return nil }
                return HeardClaim(
                    dn: claim.dn, claim: Claim(owner: owner, stamp: claim.claim.stamp), session: claim.session)
            }
        }
        switch message {
        case .records(var batch):
            batch.yielded = renamed(batch.yielded)
            return .records(batch)
        case .claims(let claims): return .claims(renamed(claims))
        case .hello, .syncBegin, .syncEnd, .snapshotRequest, .ping, .pong: return message
        }
    }

    // MARK: What nodes tell their clients

    func told(_ event: TEvent, by node: NodeIndex) -> TEvent {
        if isWhole(node) { return event }
        func renamed(_ status: DNStatus) -> DNStatus {
            var status = status
            status.view.owner = whole(status.view.owner, at: node)
            return status
        }
        func renamed(_ other: NodeIndex) -> NodeIndex { whole(other, at: node) }
        switch event {
        case .serverInfo(let id, var info):
            for link in info.links.indices { info.links[link].peer = renamed(info.links[link].peer) }
            return .serverInfo(referenceID: id, info)
        case .linkConnected(let peer): return .linkConnected(renamed(peer))
        case .linkDisconnected(let peer): return .linkDisconnected(renamed(peer))
        case .ownerHint(let dn, let owner): return .ownerHint(dn: dn, owner: renamed(owner))
        case .moveHint(let dn, let other): return .moveHint(dn: dn, to: renamed(other))
        case .registered(let id, let status, let token): return .registered(referenceID: id, renamed(status), token)
        case .addressInfo(let id, let status, let detail): return .addressInfo(referenceID: id, renamed(status), detail)
        case .agent(var event, let id, let sequence):
            event.owner = renamed(event.owner)
            return .agent(event, referenceID: id, sequence: sequence)
        case .serviceChanged(let status, let sequence): return .serviceChanged(renamed(status), sequence: sequence)
        case .status(let statuses, let sequence): return .status(statuses.map { renamed($0) }, sequence: sequence)
        case .ownerUnreachable(let owner, let sequence): return .ownerUnreachable(renamed(owner), sequence: sequence)
        case .ownerReachable(let owner, let sequence): return .ownerReachable(renamed(owner), sequence: sequence)
        case .error, .unregistered, .done, .monitoring, .agentReserved, .call, .point, .routeRequest, .routeUsed,
            .routeEnded, .endOfSnapshot:
            return event
        }
    }
}
