package import ClusterModel
import HeapModule

// What the successor of this process is given of the bindings: DN by DN while this process serves on, and at the end those of
// the DNs that have changed since, with what belongs to no DN alone.
extension Registrar {
    /// All bindings of a DN, in their order. What is read takes the place of those that there are.
    package mutating func transfer(_ dn: DNIndex, _ state: inout StateTransfer, now: Instant) {
        var bindings = state.isReading ? [] : kept(of: dn).map { TransferredBinding($0) }
        state.list(1, &bindings)
        guard state.isReading else { return }
        while heads[dn.position] >= 0 { remove(heads[dn.position]) }
        // Each is put before the others, so the last comes first.
        for binding in bindings.reversed() {
            restore(binding.kept.binding, of: dn, keptSecond: binding.kept.second, now: now)
        }
    }

    /// DNs that have other bindings than in an earlier copy of this registrar, in order.
    package func changedDNs(since earlier: Registrar) -> [DNIndex] {
        var changed: Set<DNIndex> = []
        for slot in records.indices {
            guard slot < earlier.records.count else {
                changed.insert(records[slot].dn)
                continue
            }
            guard !records[slot].isSame(as: earlier.records[slot]) else { continue }
            changed.insert(records[slot].dn)
            changed.insert(earlier.records[slot].dn)
        }
        return changed.sorted()
    }

    /// The rest, after the bindings of all DNs: who is asked when, and which calls have ended.
    package mutating func transferRest(_ state: inout StateTransfer) {
        var last = probes.lastNumber
        state.number(1, &last)
        var entries = state.isReading ? [] : transferredProbes()
        state.list(2, &entries)
        state.message(3, &ended)
        guard state.isReading else { return }
        probes.lastNumber = last
        for entry in entries { take(entry) }
    }

    /// Streams over which phones are registered.
    package var streams: Set<FlowID> { Set(flows.keys) }

    private func transferredProbes() -> [TransferredProbe] {
        var probes: [TransferredProbe] = []
        for entry in self.probes.heap.unordered {
            let slot = Int(entry.slot)
            guard slot < records.count, records[slot].isProbed, records[slot].probe == entry.probe else { continue }
            let dn = records[slot].dn
            var position: UInt32 = 0
            var other = heads[dn.position]
            while other >= 0, other != entry.slot {
                position += 1
                other = records[Int(other)].next
            }
            guard other >= 0 else { continue }
            probes.append(TransferredProbe(dn: dn, position: position, entry: entry))
        }
        return probes.sorted { $0.number < $1.number }
    }

    /// A question whose answer is on its way bears the place that its binding had in the former process; it is asked again.
    private mutating func take(_ probe: TransferredProbe) {
        var slot = heads[probe.dn.position]
        var position = probe.position
        while slot >= 0, position > 0 {
            position -= 1
            slot = records[Int(slot)].next
        }
        guard slot >= 0 else { return }
        records[Int(slot)].isProbed = true
        records[Int(slot)].probe = probe.number
        probes.heap.insert(
            ProbeQueue.Entry(deadline: probe.deadline, slot: slot, probe: probe.number, sentAt: probe.sentAt))
    }
}

extension BindingRecord {
    /// Whether it says the same, wherever it stands in the wheel and among those of its stream.
    fileprivate func isSame(as other: BindingRecord) -> Bool {
        expiry == other.expiry && cseq == other.cseq && source == other.source && next == other.next && dn == other.dn
            && keptSecond == other.keptSecond && probe == other.probe && device == other.device
            && quality == other.quality && contactLength == other.contactLength && pathLength == other.pathLength
            && isFlow == other.isFlow && isTied == other.isTied && isProbed == other.isProbed && text == other.text
    }
}

extension FlowID: Numbered {
    /// A link or gateway that has gone is a stream that has ended.
    package func renumbered(_ renumbering: Renumbering) -> FlowID? {
        if let peer { return renumbering.place(of: peer).map { .peer($0) } ?? .ended }
        guard let gateway else { return self }
        guard let trunk = renumbering.place(of: gateway.trunk),
            let position = renumbering.place(ofGateway: gateway.position, of: gateway.trunk)
        else { return .ended }
        return .gateway(trunk, position)
    }
}

extension SIPSource: Restorable {
    package static var blank: SIPSource { SIPSource(NetworkAddress(high: 0, low: 0, port: 0)) }

    package mutating func transfer(_ state: inout StateTransfer) {
        state.message(1, &address)
        state.number(2, &flow)
        state.number(3, &listener)
    }
}

private struct TransferredBinding: Restorable {
    var kept: Registrar.Kept

    init(_ kept: Registrar.Kept) { self.kept = kept }

    static var blank: TransferredBinding {
        TransferredBinding(
            Registrar.Kept(binding: Binding(contact: [], callID: [], cseq: 0, expiry: 0, source: .blank), second: 0))
    }

    mutating func transfer(_ state: inout StateTransfer) {
        state.bytes(1, &kept.binding.contact)
        state.bytes(2, &kept.binding.callID)
        state.number(3, &kept.binding.cseq)
        state.number(4, &kept.binding.expiry)
        state.optional(5, &kept.binding.quality)
        state.bytes(6, &kept.binding.path)
        state.message(7, &kept.binding.source)
        state.flag(8, &kept.binding.isTied)
        state.fixed(9, &kept.binding.device)
        state.flag(10, &kept.binding.isFlow)
        state.number(11, &kept.second)
        let lengths = [kept.binding.contact.count, kept.binding.callID.count, kept.binding.path.count]
        if lengths.contains(where: { $0 > Int(UInt16.max) }) { state.refuse("a binding is longer than it can be") }
    }
}

/// When a phone is asked next whether it is there.
private struct TransferredProbe: Restorable {
    var dn: DNIndex
    /// Of its binding among those of the DN.
    var position: UInt32
    var number: UInt32
    var deadline: UInt64
    var sentAt: UInt64

    init(dn: DNIndex, position: UInt32, entry: ProbeQueue.Entry) {
        self.dn = dn
        self.position = position
        number = entry.probe
        deadline = entry.deadline
        sentAt = entry.sentAt
    }

    static var blank: TransferredProbe {
        TransferredProbe(
            dn: DNIndex(0), position: 0, entry: ProbeQueue.Entry(deadline: 0, slot: 0, probe: 0, sentAt: 0))
    }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &dn)
        state.number(2, &position)
        state.number(3, &number)
        state.number(4, &deadline)
        state.number(5, &sentAt)
    }
}

extension EndedCalls: Transferable {
    package mutating func transfer(_ state: inout StateTransfer) {
        var used = state.isReading ? [] : entries.filter { $0.second > 0 }
        state.list(1, &used)
        guard state.isReading else { return }
        entries = []
        // A build that does not say of which DN it is means its own places.
        for entry in used where entry.dn != .none { restore(entry) }
    }
}

extension EndedCalls.Entry: Restorable {
    static var blank: EndedCalls.Entry { EndedCalls.Entry() }

    mutating func transfer(_ state: inout StateTransfer) {
        state.fixed(2, &key)
        state.number(3, &cseq)
        state.number(4, &second)
        state.number(5, &dn)
    }
}
