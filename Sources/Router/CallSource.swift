import AgentSessions
import ClusterModel
import Logging
import TLibrary
import TLibraryPorts
import TargetSelection
import Transport
import Wire

/// The default ports of the data center's nodes: they tell of calls, and are told where these go.
final class CallSource: PortLinkDelegate {
    /// Registrations have numbers that the machine's requests do not come to for a long time, and whose answers mean nothing to it.
    private static let firstRegistration: UInt32 = 0xFFFF_0000

    private unowned let role: RouterRole

    init(_ role: RouterRole) {
        self.role = role
    }

    private func node(of link: PortLink) -> NodeIndex? { role.nodes.first { $0.link === link }?.index }

    func opened(_ link: PortLink, _ hello: PortHello) {
        guard let node = node(of: link) else { return }
        role.machine.nodeConnected(node, now: role.loop.now)
        for (number, point) in role.topology.routingPoints.enumerated() {
            let id = Self.firstRegistration + UInt32(clamping: number)
            link.send {
                TLibraryCodec.encode(.registerAddress(referenceID: id, dn: "\(point.dn)", takeover: false), to: &$0)
            }
        }
        role.logger.info("routing the calls of a node", metadata: ["node": "\(hello.name)"])
    }

    func lost(_ link: PortLink, _ reason: String) {
        guard let node = node(of: link) else { return }
        role.logger.warning("a node is lost", metadata: ["node": "\(link.address)", "reason": "\(reason)"])
        role.machine.nodeLost(node, now: role.loop.now)
    }

    func received(_ link: PortLink, type: UInt16, _ payload: RawSpan) {
        guard let node = node(of: link) else { return }
        do throws(WireError) {
            hear(try TLibraryCodec.decodeEvent(type: type, payload), node)
        } catch {
            role.logger.error("a node says what cannot be read", metadata: ["problem": "\(error.sentence)"])
        }
    }

    private func hear(_ event: ReceivedEvent, _ node: NodeIndex) {
        let now = role.loop.now
        switch event.type {
        case .eventRouteRequest:
            guard let point = DN(event.thisDN) else { return }
            let request = RouteRequest(
                connection: event.connection, routingPoint: point, caller: event.caller, tried: event.triedDNs,
                location: role.location, priority: Int(event.priority), waited: event.callAge,
                arrived: event.callArrival)
            role.machine.routeRequested(node, request, now: now)
        case .eventRouteUsed:
            if let id = event.referenceID {
                role.machine.routed(node, id, now: now)
            } else {
                role.machine.routeEnded(node, event.connection, now: now)
            }
        case .eventAbandoned:
            role.machine.routeEnded(node, event.connection, now: now)
        case .eventAgentReserved:
            guard let id = event.referenceID, let token = ReservationToken(bytes: event.reservationToken),
                let agent = AgentID(event.agentID)
            else { return }
            let reservation = Reservation(
                token: token, agent: agent, priority: event.priority, milliseconds: event.reservationMilliseconds)
            role.machine.reserved(node, id, reservation, now: now)
        case .eventError:
            refused(event, node, now)
        case _:
            break
        }
    }

    private func refused(_ event: ReceivedEvent, _ node: NodeIndex, _ now: Instant) {
        guard let id = event.referenceID else { return }
        if id >= Self.firstRegistration {
            role.logger.error("a routing point is refused", metadata: ["problem": "\(event.errorMessage)"])
        }
        // Whichever of the two it was asked; the other has no such number.
        role.machine.reservationRefused(node, id, Self.failure(event.errorCode), now: now)
        role.machine.routeRefused(node, id, now: now)
    }

    /// An owner that does not answer one node may well answer another.
    private static func failure(_ code: UInt32) -> ReservationFailure {
        switch TError(rawValue: code) {
        case .ownerUnreachable, .timedOut: .unreachable
        case _: .refused
        }
    }

    /// Asks the nodes what the machine wants.
    func carryOut() {
        guard !role.machine.actions.isEmpty else { return }
        let actions = role.machine.actions
        role.machine.actions.removeAll(keepingCapacity: true)
        for action in actions {
            let (node, request) = request(for: action)
            role.nodes.first { $0.index == node }?.link.send { TLibraryCodec.encode(request, to: &$0) }
        }
    }

    private func request(for action: RouterAction) -> (NodeIndex, TRequest) {
        switch action {
        case .reserve(let node, let id, let dn, let agent, let priority):
            let request = ReservationRequest(priority: priority, agent: agent)
            return (node, .reserveAgent(referenceID: id, dn: "\(dn)", request))
        case .cancelReservation(let node, let id, let dn):
            return (node, .reserveAgent(referenceID: id, dn: "\(dn)", ReservationRequest(duration: .cancel)))
        case .route(let node, let id, let connection, _, let token):
            return (node, .routeCall(referenceID: id, connection, token))
        case .tellPosition(let node, let id, let connection, let position, let waiting):
            let word = QueuePosition(position: UInt32(clamping: position), waiting: UInt32(clamping: waiting))
            return (node, .queuePosition(referenceID: id, connection, word))
        }
    }
}
