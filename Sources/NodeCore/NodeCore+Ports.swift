package import ClusterModel
import DNOwnership
package import TLibraryPorts

// What clients of the T-Controller port ask, and what it does to ownership.
extension NodeCore {
    package mutating func clientConnected(_ client: ClientID) {
        ports.connected(client)
    }

    /// The client has said hello, and may ask.
    package mutating func clientIntroduced(_ client: ClientID) {
        ports.introduced(client, &portsActions)
        settlePorts()
    }

    package mutating func clientDisconnected(_ client: ClientID, now: Instant) {
        for dn in ports.disconnected(client) {
            if desktopGrace == 0 {
                desktopGone(dn)
            } else {
                abandoned.append((now.monotonic + desktopGrace, dn))
                graceEnds[dn] = now.monotonic + desktopGrace
            }
        }
        settle(now)
    }

    /// The grace of DNs that were abandoned is over, unless they were held and abandoned again since.
    mutating func endGraces(now: Instant) {
        var due = 0
        while due < abandoned.count, abandoned[due].deadline <= now.monotonic {
            let (deadline, dn) = abandoned[due]
            due += 1
            guard graceEnds[dn] == deadline else { continue }
            graceEnds[dn] = nil
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
        switch request {
        case .registerAddress(let id, let dn, let takeover, let ownerHint):
            register(dn, takeover: takeover, ownerHint: ownerHint, id, client, now)
        case .unregisterAddress(let id, let dn):
            unregister(dn, id, client)
        case .queryAddress(let id, let name):
            query(name, id, client, now)
        case .queryServer(let id):
            tell(client, .serverInfo(referenceID: id, ports.serverInfo))
        case .monitorAll(let id, let options):
            ports.monitor(client, referenceID: id, options: options, &portsActions)
        }
        settle(now)
    }

    /// A request could not be understood: the client is told, nobody else is harmed.
    package mutating func requestRefused(_ error: TError, referenceID: UInt32, client: ClientID) {
        tell(client, .error(referenceID: referenceID, error))
        settlePorts()
    }

    private mutating func register(
        _ name: String, takeover: Bool, ownerHint: Bool, _ id: UInt32, _ client: ClientID, _ now: Instant
    ) {
        guard let dn = index(of: name) else { return tell(client, .error(referenceID: id, .unknownDN)) }
        guard ports.canRegister(dn, client) else { return tell(client, .error(referenceID: id, .tooManyRegistrations)) }
        let block = topology.directory.block(of: dn)
        let isPSTN = topology.agentTypes[block.agentType].phone == .pstn
        let serves = isPSTN && (takeover || ownership.owns(dn) || !ownership.view(of: dn).service.isInService)
        guard serves else {
            ports.register(dn, for: client, holds: false, wantsOwnerHint: ownerHint)
            tell(client, .registered(referenceID: id, status(of: dn)))
            return ports.hintOwner(client, dn: dn, ownership.view(of: dn).owner, &portsActions)
        }
        guard mayRegisterHere(block) else { return tell(client, .error(referenceID: id, .wrongDataCenter)) }
        ports.register(dn, for: client, holds: true, wantsOwnerHint: ownerHint)
        ownership.registrationAccepted(dn, now: now, &ownershipActions)
        tell(client, .registered(referenceID: id, status(of: dn)))
    }

    private mutating func unregister(_ name: String, _ id: UInt32, _ client: ClientID) {
        guard let dn = index(of: name) else { return tell(client, .error(referenceID: id, .unknownDN)) }
        switch ports.unregister(dn, for: client) {
        case .notRegistered:
            return tell(client, .error(referenceID: id, .notRegistered))
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
