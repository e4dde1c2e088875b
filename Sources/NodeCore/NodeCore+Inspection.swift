package import AgentSessions
package import CallControl
package import ClusterModel
package import DNOwnership
package import SIPCore
import TLibraryPorts
import Trunks

/// All that a node holds about one DN, for whoever checks it from outside.
package struct DNInspection: Equatable, Sendable {
    package var owner: NodeIndex
    package var stamp: Stamp
    /// The owner's last word as far as the node knows it.
    package var service: Service
    /// What the node shows.
    package var view: Service
    /// The owner itself has said so.
    package var isSaid: Bool
    /// The former owner's word stands until the new owner speaks.
    package var isProvisional: Bool
    package var hasBindings: Bool
    /// A desktop holds the PSTN DN in service.
    package var isHeld: Bool
    /// The last desktop has gone, and its grace is not over.
    package var isInGrace: Bool
    /// The greatest agent session that the node knows.
    package var session: AgentSession?
    /// As the node shows it.
    package var occupancy: Occupancy
    package var lease: ReservationDesk.Lease?
    /// As the node shows them.
    package var calls: DNCalls?

    /// Of a DN that the node's topology does not have.
    package static let notProvisioned = DNInspection(
        owner: .none, stamp: .zero, service: .notProvisioned, view: .notProvisioned, isSaid: false,
        isProvisional: false,
        hasBindings: false, isHeld: false, isInGrace: false, occupancy: [])
}

/// How many calls to routing points a node knows, place by place.
package struct HeldInspection: Equatable, Sendable {
    /// Held INVITEs, by either of their names; those of them that a machine knows.
    package var held: Int
    package var named: Int
    package var controlled: Int
    /// Tokens of theirs that are being looked at.
    package var redeeming: Int
    /// Requests that go on, and of which something may still come.
    package var requests: Int
    /// Calls that go through the node, established or not.
    package var calls: Int
}

/// All that a shell asks a node between events, for one that steps many nodes. These change nothing. They are mutating
/// so that they are called in place: a node that stands in an array is copied, with all of its tables retained, by a
/// method that only reads.
extension NodeCore {
    package mutating func inspect(_ dn: DNIndex) -> DNInspection {
        let record = ownership.inspect(dn)
        let view = ownership.view(of: dn)
        return DNInspection(
            owner: record.view.owner, stamp: record.view.stamp, service: record.word, view: record.view.service,
            isSaid: record.isSaid, isProvisional: record.isProvisional, hasBindings: registrar.hasBindings(dn),
            isHeld: ports.isHeld(dn), isInGrace: graceEnds[dn] != nil, session: ownership.session(of: dn),
            occupancy: view.occupancy, lease: desk.lease(of: dn), calls: view.calls
        )
    }

    package mutating func inspect(link peer: NodeIndex) -> (
        connection: ConnectionID?, state: LinkReport.State, hasMore: Bool
    ) {
        (ownership.connection(to: peer), ownership.state(of: peer), ownership.hasMore(for: peer))
    }

    /// A REGISTER of the DN waits for the store.
    package mutating func inspectIsHeld(_ dn: DNIndex) -> Bool { isHeld(dn) }

    package mutating func inspectHasMoreToWrite() -> Bool { commits?.hasMore ?? false }

    package mutating func inspectQueues() -> (
        links: OwnershipMachine.Fill, feed: Int, outbox: Int, requests: Int, answers: Int
    ) {
        let ports = ports.fill
        let proxy = proxy.fill
        return (ownership.fill, ports.feed, ports.outbox, proxy.underWay, proxy.owed)
    }

    package mutating func inspectHeldCalls() -> HeldInspection {
        HeldInspection(
            held: heldCalls.count, named: heldConnections.count,
            controlled: control.count + trunks.arrivingCount + heldCalls.values.count { $0.point == nil },
            redeeming: routedRedemptions.count, requests: statefulProxy.requestCount, calls: statefulProxy.calls.count)
    }

    /// The calls at routing points that nobody has taken, by ConnID.
    package mutating func inspectRoutedCalls() -> [CallControl.Summary] {
        control.connections.compactMap { control.summary(of: $0) }
    }

    /// All calls that go through the node.
    package mutating func inspectCalls() -> [Call] { statefulProxy.calls.calls }

    package mutating func inspectWitnesses(of dn: DNIndex) -> (
        words: [(node: NodeIndex, calls: [DNCall], isProvisional: Bool)], isSaidBusy: Bool
    ) {
        (witnesses.words(of: dn), witnesses.isSaidBusy(dn))
    }

    package mutating func inspectView(of dn: DNIndex) -> View { ownership.view(of: dn) }

    /// Whether there is something to say to a peer that is none of the link's own: SIP, requests of clients, calls.
    package mutating func inspectHasMoreBesides(for peer: NodeIndex) -> Bool {
        hasSIPMessages(for: peer) || proxy.hasMore(for: peer) || hasCallMessages(for: peer)
            || trunks.hasWords(for: peer)
    }

    /// By trunk: how many calls go over it here; nil where there is none.
    package mutating func inspectTrunkUse() -> [Int]? {
        topology.trunks.isEmpty ? nil : topology.trunks.indices.map { statefulProxy.use(of: TrunkIndex($0)) }
    }

    /// Calls that wait for a place on a trunk.
    package mutating func inspectWaitingForPlaces() -> Int { trunks.waitingCount }

    /// Whether there may be more places than there should, as far as this node knows.
    package mutating func inspectDoubtsPlaces() -> Bool { trunks.shares.isInDoubt }

    /// The calls of a DN that this node is near to itself.
    package mutating func inspectNearCalls(of dn: DNIndex) -> [DNCall] { statefulProxy.calls.calls(of: dn) }

    package mutating func inspectDeadline() -> UInt64 { nextDeadline() }
}
