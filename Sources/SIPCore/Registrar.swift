package import ClusterModel

/// The bindings of the DNs that this node owns (RFC 3261 section 10.3).
///
/// `evaluate` says what a REGISTER would do and changes nothing; `apply` does it. Between the two the caller decides
/// about ownership. Tables are arrays: a DN's index leads to its first binding, bindings live in a slab and are changed in
/// place. A refresh allocates nothing.
package struct Registrar: Sendable {
    /// The most bytes that a contact's URI and a Call-ID may have: what keeps a binding within its budget.
    package static let maximumContactLength = 512
    package static let maximumCallIDLength = 256

    /// How many bindings there are, of all DNs.
    package private(set) var bindingCount = 0

    /// By DN: its first binding, or none.
    var heads: [Int32]
    var records: [BindingRecord] = []
    private var free = BindingRecord.none
    private var wheel = ExpiryWheel()
    /// The first of the bindings of each stream that has any.
    var flows: [FlowID: Int32] = [:]
    var probes = ProbeQueue()
    var ended = EndedCalls()
    /// Nobody can guess which Call-IDs share a place among those that have ended.
    let secret: UInt64

    /// - Parameters:
    ///   - dnCount: how many DNs the directory has.
    ///   - secret: 64 random bits.
    package init(dnCount: Int, secret: UInt64 = 0) {
        self.secret = secret
        heads = Array(repeating: BindingRecord.none, count: dnCount)
        // Untouched pages cost nothing, and a table that never moves never stalls the loop.
        records.reserveCapacity(min(dnCount, 1 << 20))
    }

    /// Whether a DN can be reached, as far as this registrar has found out: `expire` may have more to say.
    package func hasBindings(_ dn: DNIndex) -> Bool { heads[dn.position] >= 0 }

    /// All bindings of a DN, also those that have expired and were not yet found to.
    package func bindings(of dn: DNIndex) -> [Binding] {
        var bindings: [Binding] = []
        var slot = heads[dn.position]
        while slot >= 0 {
            bindings.append(binding(slot))
            slot = records[Int(slot)].next
        }
        return bindings
    }

    func binding(_ slot: Int32) -> Binding {
        let record = records[Int(slot)]
        return Binding(
            contact: Array(record.text[..<Int(record.contactLength)]),
            callID: Array(record.text[Int(record.contactLength)...].prefix(record.callIDLength)), cseq: record.cseq,
            expiry: record.expiry, quality: record.quality == UInt16.max ? nil : record.quality,
            path: Array(record.text.suffix(Int(record.pathLength))), source: record.source, isTied: record.isTied,
            device: record.device, isFlow: record.isFlow)
    }

    /// Puts a binding back that the store or another process had kept. The caller keeps to the DN's number of contacts.
    ///
    /// - Parameter keptSecond: until when the store keeps it, seconds of the monotonic clock.
    package mutating func restore(_ binding: Binding, of dn: DNIndex, keptSecond: UInt32 = 0, now: Instant) {
        var record = BindingRecord()
        record.keptSecond = keptSecond
        record.text = binding.contact + binding.callID + binding.path
        record.contactLength = UInt16(clamping: binding.contact.count)
        record.pathLength = UInt16(clamping: binding.path.count)
        record.isTied = binding.isTied
        record.cseq = binding.cseq
        record.expiry = binding.expiry
        record.quality = binding.quality ?? UInt16.max
        record.source = binding.source
        record.device = binding.device
        record.isFlow = binding.isFlow
        insert(record, of: dn, now: now)
    }

    /// Forgets all bindings of a DN: its topology entry or its ownership is gone.
    ///
    /// - Returns: how many there were.
    @discardableResult
    package mutating func dropAll(_ dn: DNIndex, now: Instant) -> Int {
        var dropped = 0
        while heads[dn.position] >= 0 {
            end(heads[dn.position], now: now)
            dropped += 1
        }
        return dropped
    }

    /// Bytes that the bindings take, with what the allocator adds to their texts; without the table of DNs and the wheel,
    /// whose sizes do not depend on the number of bindings.
    package var bindingByteCount: Int {
        var bytes = 0
        for record in records where !record.text.isEmpty {
            // Array's header is 32 bytes, malloc's 8, and it hands out multiples of 16.
            bytes += (record.text.capacity + 32 + 8 + 15) / 16 * 16
        }
        return bytes + records.count * MemoryLayout<BindingRecord>.stride
    }
}

// MARK: Changing the tables

extension Registrar {
    /// Adds a record; `record.dn`, `next` and the wheel's fields are set here.
    mutating func insert(_ record: BindingRecord, of dn: DNIndex, now: Instant) {
        if bindingCount == 0 { wheel.jump(to: UInt32(truncatingIfNeeded: now.monotonic / 1_000_000_000)) }
        let slot: Int32
        if free >= 0 {
            slot = free
            free = records[Int(slot)].next
            records[Int(slot)] = record
        } else {
            slot = Int32(records.count)
            records.append(record)
        }
        records[Int(slot)].dn = dn
        records[Int(slot)].next = heads[dn.position]
        heads[dn.position] = slot
        wheel.insert(slot, into: &records)
        joinFlow(slot)
        bindingCount += 1
    }

    mutating func remove(_ slot: Int32) {
        let dn = records[Int(slot)].dn
        let next = records[Int(slot)].next
        if heads[dn.position] == slot {
            heads[dn.position] = next
        } else {
            var previous = heads[dn.position]
            while records[Int(previous)].next != slot { previous = records[Int(previous)].next }
            records[Int(previous)].next = next
        }
        wheel.remove(slot, from: &records)
        leaveFlow(slot)
        records[Int(slot)] = BindingRecord()
        records[Int(slot)].next = free
        free = slot
        bindingCount -= 1
    }

    /// Gives a binding a new expiry. Only one that comes sooner than the wheel would look moves in the wheel.
    mutating func setExpiry(_ expiry: UInt64, of slot: Int32) {
        records[Int(slot)].expiry = expiry
        guard records[Int(slot)].expirySecond < records[Int(slot)].checkSecond else { return }
        wheel.remove(slot, from: &records)
        wheel.insert(slot, into: &records)
    }
}

// MARK: Expiry

extension Registrar {
    /// When `expire` has something to look at again, nanoseconds of the monotonic clock; nil without bindings. A binding
    /// is found expired at most one second after it is.
    package var nextExpiryCheck: UInt64? {
        bindingCount == 0 ? nil : (UInt64(wheel.second) + 1) * 1_000_000_000
    }

    /// Removes the bindings that have expired.
    ///
    /// - Parameter dns: the DNs whose last binding expired are appended.
    package mutating func expire(now: Instant, into dns: inout [DNIndex]) {
        let second = UInt32(truncatingIfNeeded: now.monotonic / 1_000_000_000)
        // After a long sleep one turn of the wheel sees every slot.
        if second > ExpiryWheel.slots { wheel.jump(to: second &- ExpiryWheel.slots) }
        while wheel.second < second {
            var slot = wheel.advance()
            while slot >= 0 {
                let next = records[Int(slot)].wheelNext
                if records[Int(slot)].expiry <= now.monotonic {
                    let dn = records[Int(slot)].dn
                    end(slot, now: now)
                    if heads[dn.position] < 0 { dns.append(dn) }
                } else {
                    wheel.remove(slot, from: &records)
                    wheel.insert(slot, into: &records)
                }
                slot = next
            }
        }
    }
}
