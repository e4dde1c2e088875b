import AgentSessions
import ClusterModel
import TLibraryPorts
import Testing

/// Events that wait for their clients while a process hands over.
@Suite struct EventTransferTests {
    private static let call = CallConnection(rawValue: 0x0123_4567_89AB_CDEF)

    private static var shown: View {
        var reasons = Reasons()
        _ = reasons.add("why", "because")
        let session = AgentSession(
            agent: AgentID("ann")!, state: .notReady, workMode: .auxWork, reasons: reasons,
            profile: AgentProfile(skills: [Skill("english", level: 4)!], priority: 3)!, login: Stamp(rawValue: 5),
            stamp: Stamp(rawValue: 6))
        let calls = DNCalls([
            DNCall(
                connection: call, phase: .established, isCaller: true, since: 9, other: "4711", routingPoint: DN("8000")
            )
        ])
        return View(
            service: .expired, owner: there, stamp: Stamp(rawValue: 1 << 60), occupancy: .busy, agent: session,
            calls: calls)
    }

    private static var events: [TEvent] {
        let told = status(1, shown)
        let token = ReservationToken(dn: name(0), claim: Stamp(rawValue: 3), lineage: lineage, number: .max)
        let reservation = Reservation(token: token, agent: AgentID("ann")!, priority: .min, milliseconds: 7)
        let links = [ServerInfo.Link(peer: there, isConnected: true), ServerInfo.Link(peer: here, isConnected: false)]
        let info = ServerInfo(position: at(7), provisionedDNs: 6, links: links)
        let request = RouteRequest(
            connection: call, routingPoint: DN("8000")!, caller: "4711", tried: [name(0), name(1)], location: "dc1",
            priority: -4, waited: 5, arrived: 6)
        let ended = PointEvent(.overflowed, call, at: DN("8000")!, waited: 5, time: 6, destination: DN("8001"))
        var events: [TEvent] = [
            .serverInfo(referenceID: nil, info), .serverInfo(referenceID: 0, info), .linkConnected(there),
            .linkDisconnected(here), .ownerHint(dn: name(5), owner: there), .registered(referenceID: 1, told),
            .registered(referenceID: 1, told, DesktopToken(number: .max)),
            .unregistered(referenceID: nil, dn: name(5), reason: .superseded),
            .unregistered(referenceID: 3, dn: name(5), reason: nil), .addressInfo(referenceID: 4, told, nil),
            .addressInfo(referenceID: 4, told, OwnerDetail(contacts: 5, desktops: .max)), .done(referenceID: .max),
            .monitoring(referenceID: 6, isResumed: true, at(9), missed: 3), .agentReserved(referenceID: 7, reservation),
            .point(ended, sequence: nil), .point(ended, sequence: 5), .routeRequest(request),
            .routeUsed(referenceID: 8, call, routingPoint: DN("8000")!, destination: name(1)),
            .routeEnded(call, routingPoint: DN("8000")!), .serviceChanged(told, sequence: 10),
            .status([told, status(2, unclaimed)], sequence: nil), .status([], sequence: 11), .endOfSnapshot(at(12)),
            .ownerUnreachable(there, sequence: 13), .ownerReachable(there, sequence: 14),
        ]
        for kind in [.login, .logout, .ready, .notReady] as [AgentEvent.Kind] {
            let event = AgentEvent(kind: kind, dn: name(2), session: shown.agent!, owner: .none)
            events.append(.agent(event, referenceID: kind == .login ? 3 : nil, sequence: kind == .logout ? 9 : nil))
        }
        for kind in [.ringing, .dialing, .established, .released, .abandoned] as [CallEvent.Kind] {
            let event = CallEvent(kind: kind, dn: name(2), call: shown.calls!.calls[0])
            events.append(.call(event, sequence: kind == .ringing ? nil : 10))
        }
        return events + TError.allCases.map { .error(referenceID: 2, $0) }
    }

    @Test func `every event is read as it was written, whatever was there before`() {
        for event in Self.events {
            var written = event
            let bytes = StateTransfer.written(&written)
            #expect(written == event)
            for before in [TEvent.blank, Self.events[0]] {
                var read = before
                #expect(StateTransfer.read(bytes, into: &read) == nil)
                #expect(read == event)
            }
        }
    }

    @Test func `nobody is told of a node that there is not, nor of a kind that this build does not know`() {
        var event = TEvent.linkConnected(.none)
        var bytes = StateTransfer.written(&event)
        var read = TEvent.blank
        let bounds = StateTransfer.Bounds(dns: 6, nodes: 3, trunks: 0)
        #expect(StateTransfer.read(bytes, within: bounds, into: &read) != nil)
        event = .linkConnected(NodeIndex(3))
        bytes = StateTransfer.written(&event)
        #expect(StateTransfer.read(bytes, within: bounds, into: &read) != nil)
        bytes[1] = 99
        #expect(StateTransfer.read(bytes, into: &read) != nil)
    }
}
