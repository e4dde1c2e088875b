package import ClusterModel
import DNOwnership
import SIPCore
import TLibraryPorts

// The node's phones and desktops are asked to go elsewhere, one after the other; those that cannot stay.
extension NodeCore {
    // MARK: What operators want

    package mutating func beginDrain(_ policy: DrainPolicy, now: Instant) {
        let drain = Drain(policy, flows: registrar.outboundFlows, now: now)
        self.drain = drain
        for dn in ports.heldDNs where ownership.owns(dn) { askDesktops(of: dn) }
        settlePorts()
    }

    /// Asks those who hold a PSTN DN here, now or from now on, to go elsewhere, if the node is drained. Of each DN it does so once:
    /// where all nodes are drained nobody is sent to and fro.
    mutating func askDesktops(of dn: DNIndex) {
        guard drain != nil, let node = anotherNode(for: dn), drain!.asksDesktops(of: dn) else { return }
        drain!.askedDesktops += UInt64(ports.askToMove(dn, to: node, &portsActions))
    }

    /// Whoever is here may stay, and others may come.
    package mutating func endDrain() { drain = nil }

    // MARK: Who is sent elsewhere

    /// Whether a phone's REGISTER is answered with 503, so that it tries the next server. Not while it has a call: that goes on here.
    mutating func sendsElsewhere(
        _ plan: RegisterPlan, _ dn: DNIndex, _ datagram: Span<UInt8>, _ source: SIPSource, _ now: Instant
    ) -> Bool {
        guard drain != nil, source.flow.peer == nil, plan == .adds || plan == .refreshes,
            !statefulProxy.calls.isBusy(dn), anotherNode(for: dn) != nil
        else { return false }
        guard registrar.hasBindings(dn), ownership.owns(dn) else {
            // It is not here yet.
            drain!.sentElsewhere += 1
            return true
        }
        return drain!.sendsElsewhere(dn, agent: datagram.userAgent, now: now)
    }

    /// A node that a DN may be registered at instead of this one, in this data center if there is one there.
    private func anotherNode(for dn: DNIndex) -> NodeIndex? {
        let homes = topology.directory.homes[topology.directory.block(of: dn).homes]
        var elsewhere: NodeIndex?
        for position in topology.nodes.indices where position != me.position {
            let node = NodeIndex(position)
            let place = topology.nodes[position].dataCenter
            guard ownership.isReachable(node), homes.isEmpty || homes.contains(place) else { continue }
            if place == dataCenter { return node }
            if elsewhere == nil { elsewhere = node }
        }
        return elsewhere
    }

    /// A DN has gone to another node.
    mutating func hasLeft(_ dn: DNIndex) { drain?.left(dn) }

    /// Closes the next of the streams whose phones have others.
    mutating func drainFlows(now: Instant) {
        while let flow = drain?.flows.first {
            let dns = registrar.dns(over: flow)
            guard !dns.isEmpty, !dns.contains(where: { statefulProxy.calls.isBusy($0) || anotherNode(for: $0) == nil })
            else {
                // Gone already, or with a call, which goes on.
                drain!.flows.removeFirst()
                continue
            }
            guard drain!.takesTurn(now: now) else { return }
            drain!.flows.removeFirst()
            drain!.closedFlows += 1
            actions.append(.closeFlow(flow))
        }
    }
}

extension Span<UInt8> {
    /// What the sender of a message calls itself (RFC 3261 section 20.41), for people; `unknown` where it does not say.
    var userAgent: String {
        let name = Array("user-agent:".utf8)
        var lineStart = 0
        while lineStart < count {
            var lineEnd = lineStart
            while lineEnd < count, self[lineEnd] != 13, self[lineEnd] != 10 { lineEnd &+= 1 }
            if lineEnd == lineStart { break }
            let matches =
                lineEnd - lineStart > name.count
                && name.indices.allSatisfy { self[lineStart + $0] | 0x20 == name[$0] | 0x20 }
            if matches {
                var text: [UInt8] = []
                for position in (lineStart + name.count)..<lineEnd where text.count < Drain.maximumName {
                    let byte = self[position]
                    if (0x20...0x7E).contains(byte), !(text.isEmpty && byte == 0x20) { text.append(byte) }
                }
                return text.isEmpty ? "unknown" : String(decoding: text, as: UTF8.self)
            }
            lineStart = lineEnd + 1
            if lineStart < count, self[lineStart - 1] == 13, self[lineStart] == 10 { lineStart &+= 1 }
        }
        return "unknown"
    }
}
