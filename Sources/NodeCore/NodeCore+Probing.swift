import ClusterModel
import DNOwnership
import SIPCore
import Trunks

// Phones that are asked whether they are there. Only the owner of a DN asks, because only the owner has its bindings.
extension NodeCore {
    /// Asks whom it is time to ask, and gives up those who have not answered for 32 s.
    mutating func probe(now: Instant) {
        guard let next = registrar.nextProbe, next <= now.monotonic else { return }
        let listeners = topology.nodes[me.position].sip
        while let due = registrar.nextDueProbe(now: now, into: &emptied) {
            guard let target = due.binding.target, Int(target.listener) < listeners.count else {
                // Nodes do not connect to phones yet: one that must be dialled cannot be asked, and is believed.
                probeAnswered(slot: due.slot, number: due.number, now: now)
                continue
            }
            let listener = listeners[Int(target.listener)]
            let request = prober.write(due, from: listener.address, isSecure: listener.transport == .tls)
            actions.append(.send(request, to: target))
        }
        for dn in emptied { ownership.serviceLost(dn, reason: .flowLost, &ownershipActions) }
        emptied.removeAll(keepingCapacity: true)
    }

    /// An answer came. Whatever it says, somebody is there to say it.
    mutating func responseReceived(_ status: UInt16, _ datagram: Span<UInt8>, _ now: Instant) {
        if statefulProxy.received(status, message, in: datagram, now: now) { return settleSIP(now) }
        guard status >= 200, message.viaCount == 1, let question = prober.question(of: message, in: datagram) else {
            return
        }
        if let gateway = ProbeWriter.gateway(ofSlot: question.slot) {
            trunks.answered(GatewayIndex(gateway.trunk, gateway.position), number: question.number, now: now)
        } else {
            probeAnswered(slot: question.slot, number: question.number, now: now)
        }
    }

    private mutating func probeAnswered(slot: Int32, number: UInt32, now: Instant) {
        let (types, directory) = (topology.agentTypes, topology.directory)
        registrar.probeAnswered(slot: slot, number: number, now: now) { dn in
            types[directory.block(of: dn).agentType].registration.probeInterval?.nanoseconds
        }
    }
}
