import CallControl
package import ClusterModel
import DNOwnership
package import TLibraryPorts

// What clients of the T-Controller port ask, and what it does to ownership.
extension NodeCore {
    package mutating func clientConnected(_ client: ClientID, at port: ClientPort = .tcontroller) {
        ports.connected(client, at: port)
    }

    /// The client has said hello, and may ask.
    package mutating func clientIntroduced(_ client: ClientID, name: String = "") {
        ports.introduced(client, name: name, &portsActions)
        settlePorts()
    }

    package mutating func clientDisconnected(_ client: ClientID, now: Instant) {
        releaseReservations(of: client, askedAt: ports.reservationOwners(of: client))
        if ports.port(of: client) == .default { routerGone(client, from: nil, now) }
        for dn in ports.disconnected(client) {
            if desktopGrace == 0 {
                desktopGone(dn)
            } else {
                abandoned.append((now.monotonic + desktopGrace, dn))
                graceEnds[dn] = now.monotonic + desktopGrace
            }
        }
        settle(now)
        // Nobody need cut it off any more.
        actions.removeAll { if case .closeClient(client, _) = $0 { true } else { false } }
    }

    /// The grace of DNs that were abandoned is over, unless they were held and abandoned again since.
    mutating func endGraces(now: Instant) {
        var due = 0
        while due < abandoned.count, abandoned[due].deadline <= now.monotonic {
            let (deadline, dn) = abandoned[due]
            due += 1
            guard graceEnds[dn] == deadline else { continue }
            graceEnds[dn] = nil
            ports.graceEnded(dn)
            desktopGone(dn)
        }
        abandoned.removeFirst(due)
    }

    /// The last desktop of a PSTN DN is gone and none has come back.
    mutating func desktopGone(_ dn: DNIndex) {
        guard !ports.isHeld(dn), ownership.lastWord(of: dn).isInService else { return }
        ownership.serviceLost(dn, reason: .desktopGone, &ownershipActions)
    }

    /// A request came from a client that is connected.
    package mutating func requestReceived(_ request: TRequest, from client: ClientID, now: Instant) {
        if !ports.admitsRequest(of: client, now: now) {
            return requestRefused(.tooManyRequests, referenceID: request.referenceID, client: client)
        }
        if ports.port(of: client) == .default {
            defaultPortRequestReceived(request, from: client, now)
            return settle(now)
        }
        switch request {
        case .registerAddress(let id, let dn, let takeover, let ownerHint, let desktop):
            var registration = DesktopRegistration(client: client, referenceID: id, wantsOwnerHint: ownerHint)
            registration.takesOver = takeover
            registration.desktop = desktop
            register(dn, registration, now)
        case .unregisterAddress(let id, let dn):
            unregister(dn, id, client)
        case .queryAddress(let id, let name):
            query(name, id, client, now)
        case .queryServer(let id):
            tell(client, .serverInfo(referenceID: id, ports.serverInfo))
        case .monitorAll(let id, let options):
            ports.monitor(client, referenceID: id, options: options, &portsActions)
        case .setInputMask(let id, let mask):
            ports.setMask(mask, of: client)
            tell(client, .done(referenceID: id))
        case .agent(let id, let dn, let request):
            askAgent(dn, request, id, client, now)
        case .reserveAgent(let id, let dn, let request):
            reserve(dn, request, id, client, now)
        case .routeCall(let id, _, _), .queuePosition(let id, _, _):
            refuse(.unsupportedRequest, id, client)
        case .invalid(let id, let error):
            refuse(error, id, client)
        }
        settle(now)
    }

    /// Routers hear of this node's calls, so they register routing points and nothing else.
    private mutating func defaultPortRequestReceived(_ request: TRequest, from client: ClientID, _ now: Instant) {
        switch request {
        case .registerAddress(let id, let name, _, _, _):
            guard let dn = DN(name), ports.registerRoutingPoint(dn, for: client) else {
                return refuse(index(of: name) == nil ? .unknownDN : .wrongKindOfDN, id, client)
            }
            tell(client, .registered(referenceID: id, routingPointStatus(dn)))
            routerRegistered(client, for: dn, now)
        case .unregisterAddress(let id, let name):
            guard let dn = DN(name), ports.unregisterRoutingPoint(dn, for: client) else {
                return refuse(.notRegistered, id, client)
            }
            tell(client, .unregistered(referenceID: id, dn: dn, reason: nil))
            routerGone(client, from: dn, now)
        case .queryAddress(let id, let name):
            guard let dn = DN(name), topology.routingPoints.contains(where: { $0.dn == dn }) else {
                return refuse(index(of: name) == nil ? .unknownDN : .wrongKindOfDN, id, client)
            }
            tell(client, .addressInfo(referenceID: id, routingPointStatus(dn), nil))
        case .queryServer(let id):
            tell(client, .serverInfo(referenceID: id, ports.serverInfo))
        case .setInputMask(let id, let mask):
            ports.setMask(mask, of: client)
            tell(client, .done(referenceID: id))
        case .reserveAgent(let id, let dn, let request):
            reserve(dn, request, id, client, now)
        case .routeCall(let id, let connection, let token):
            routeCall(id, connection, token, client, now)
        case .queuePosition(let id, let connection, let position):
            guard control.positioned(connection, position, by: RouterID(rawValue: client.rawValue)) else {
                return refuse(.unknownCall, id, client)
            }
            tell(client, .done(referenceID: id))
        case .monitorAll(let id, _), .agent(let id, _, _):
            refuse(.unsupportedRequest, id, client)
        case .invalid(let id, let error):
            refuse(error, id, client)
        }
    }

    /// Every node has all routing points in service.
    private func routingPointStatus(_ dn: DN) -> DNStatus {
        DNStatus(dn: dn, view: View(service: .inService, owner: me, stamp: .zero))
    }

    private mutating func refuse(_ error: TError, _ id: UInt32, _ client: ClientID) {
        counters.clientRequestsRefused += 1
        tell(client, .error(referenceID: id, error))
    }

    /// A request could not be understood: the client is told, nobody else is harmed.
    package mutating func requestRefused(_ error: TError, referenceID: UInt32, client: ClientID) {
        refuse(error, referenceID, client)
        settlePorts()
    }

    /// TRegisterAddress.
    struct DesktopRegistration {
        let client: ClientID
        let referenceID: UInt32
        let wantsOwnerHint: Bool
        var takesOver = false
        var desktop: DesktopToken?
        /// The DN's owner knows the desktop, so this node may have the DN.
        var isKnown = false
    }

    private mutating func register(_ name: String, _ registration: DesktopRegistration, _ now: Instant) {
        guard let dn = index(of: name) else {
            return refuse(.unknownDN, registration.referenceID, registration.client)
        }
        register(dn, registration, now)
    }

    private mutating func register(_ dn: DNIndex, _ registration: DesktopRegistration, _ now: Instant) {
        let client = registration.client
        let id = registration.referenceID
        guard ports.canRegister(dn, client) else { return refuse(.tooManyRegistrations, id, client) }
        let block = topology.directory.block(of: dn)
        let isPSTN = topology.agentTypes[block.agentType].phone == .pstn
        let isFree = ownership.owns(dn) || !ownership.view(of: dn).service.isInService
        guard isPSTN, registration.takesOver || registration.isKnown || isFree else {
            if isPSTN, let desktop = registration.desktop, mayRegisterHere(block) {
                // It served the DN elsewhere: the owner knows.
                let name = topology.directory.dn(at: dn)
                var request = ProxiedRequest(
                    client: client, referenceID: id, dn: name, request: .resume(desktop), owner: me)
                request.wantsOwnerHint = registration.wantsOwnerHint
                return ask(request, dn, now)
            }
            return listen(to: dn, registration)
        }
        guard mayRegisterHere(block) else { return refuse(.wrongDataCenter, id, client) }
        guard ownership.owns(dn) || ownership.canClaim(dn, now: now) else { return refuse(.outOfService, id, client) }
        let desktop = ports.register(
            dn, for: client, holds: true, wantsOwnerHint: registration.wantsOwnerHint,
            returning: registration.desktop, &portsActions)
        ownership.registrationAccepted(dn, now: now, &ownershipActions)
        tell(client, .registered(referenceID: id, status(of: dn), desktop))
        askDesktops(of: dn)
    }

    private mutating func listen(to dn: DNIndex, _ registration: DesktopRegistration) {
        let client = registration.client
        ports.register(
            dn, for: client, holds: false, wantsOwnerHint: registration.wantsOwnerHint, &portsActions)
        tell(client, .registered(referenceID: registration.referenceID, status(of: dn)))
        ports.hintOwner(client, dn: dn, ownership.view(of: dn).owner, &portsActions)
    }

    /// The owner of a DN has said whether it knows a desktop that comes back, or cannot be asked.
    mutating func registerReturning(_ dn: DNIndex, isKnown: Bool, _ request: ProxiedRequest, _ now: Instant) {
        guard ports.port(of: request.client) != nil else { return }
        var registration = DesktopRegistration(
            client: request.client, referenceID: request.referenceID, wantsOwnerHint: request.wantsOwnerHint)
        registration.isKnown = isKnown
        register(dn, registration, now)
    }

    private mutating func unregister(_ name: String, _ id: UInt32, _ client: ClientID) {
        guard let dn = index(of: name) else { return refuse(.unknownDN, id, client) }
        switch ports.unregister(dn, for: client) {
        case .notRegistered:
            return refuse(.notRegistered, id, client)
        case .registered:
            break
        case .lastHolder:
            ownership.serviceLost(dn, reason: .unregistered, &ownershipActions)
        }
        tell(client, .unregistered(referenceID: id, dn: topology.directory.dn(at: dn), reason: nil))
    }

    mutating func tell(_ client: ClientID, _ event: TEvent) {
        ports.tell(client, event, &portsActions)
    }

    func status(of dn: DNIndex) -> DNStatus {
        DNStatus(dn: topology.directory.dn(at: dn), view: ownership.view(of: dn))
    }

    package func index(of name: String) -> DNIndex? {
        DN(name).flatMap { topology.directory.index(of: $0) }
    }
}
