package import ClusterModel

// Bindings that came over streams (RFC 5626 section 4.2): which they are, and what the end of a stream does to them.
extension Registrar {
    /// Whether phones are registered over a stream: then it may be silent for as long as it likes.
    package func hasBindings(over flow: FlowID) -> Bool { flows[flow] != nil }

    /// Streams over which phones are registered that keep several (RFC 5626), in order.
    package var outboundFlows: [FlowID] {
        flows.filter { records[Int($0.value)].isFlow }.keys.sorted { $0.rawValue < $1.rawValue }
    }

    /// The DNs that are registered over a stream.
    package func dns(over flow: FlowID) -> [DNIndex] {
        var dns: [DNIndex] = []
        var slot = flows[flow] ?? BindingRecord.none
        while slot >= 0 {
            dns.append(records[Int(slot)].dn)
            slot = records[Int(slot)].flowNext
        }
        return dns
    }

    /// Whether a phone is registered as this DN from the same host: over UDP a port says little, and a phone may open further streams.
    package func hasBinding(of dn: DNIndex, from source: SIPSource) -> Bool {
        var slot = heads[dn.position]
        while slot >= 0 {
            let address = records[Int(slot)].source.address
            if address.high == source.address.high, address.low == source.address.low { return true }
            slot = records[Int(slot)].next
        }
        return false
    }

    /// A stream has ended. Bindings that were tied to it are gone; the others stay and can be dialled.
    ///
    /// - Parameter dns: the DNs whose last binding is gone are appended.
    package mutating func flowEnded(_ flow: FlowID, now: Instant, into dns: inout [DNIndex]) {
        while let slot = flows[flow] {
            let dn = records[Int(slot)].dn
            if records[Int(slot)].isTied {
                endWithFlow(slot, now: now)
                if heads[dn.position] < 0 { dns.append(dn) }
            } else {
                move(
                    slot, to: SIPSource(records[Int(slot)].source.address, listener: records[Int(slot)].source.listener)
                )
            }
        }
    }

    /// A binding was refreshed from elsewhere.
    mutating func move(_ slot: Int32, to source: SIPSource) {
        let isSameFlow = records[Int(slot)].source.flow == source.flow
        if !isSameFlow { leaveFlow(slot) }
        records[Int(slot)].source = source
        if !isSameFlow { joinFlow(slot) }
    }

    mutating func joinFlow(_ slot: Int32) {
        let flow = records[Int(slot)].source.flow
        guard flow != .none else { return }
        let next = flows[flow] ?? BindingRecord.none
        records[Int(slot)].flowNext = next
        records[Int(slot)].flowPrevious = BindingRecord.none
        if next >= 0 { records[Int(next)].flowPrevious = slot }
        flows[flow] = slot
    }

    mutating func leaveFlow(_ slot: Int32) {
        let flow = records[Int(slot)].source.flow
        guard flow != .none else { return }
        let next = records[Int(slot)].flowNext
        let previous = records[Int(slot)].flowPrevious
        if next >= 0 { records[Int(next)].flowPrevious = previous }
        if previous >= 0 {
            records[Int(previous)].flowNext = next
        } else {
            flows[flow] = next >= 0 ? next : nil
        }
        records[Int(slot)].flowNext = BindingRecord.none
        records[Int(slot)].flowPrevious = BindingRecord.none
    }
}
