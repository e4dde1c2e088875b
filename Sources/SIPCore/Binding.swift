package import ClusterModel

/// A contact that a DN is registered with, as operators, the store and a handover see it (RFC 3261 section 6, "binding").
package struct Binding: Hashable, Sendable {
    /// The contact's URI as the phone gave it.
    package var contact: [UInt8]
    /// The Call-ID of the REGISTER that set it, and its number in that call (RFC 3261 section 10.3, step 7).
    package var callID: [UInt8]
    package var cseq: UInt32
    /// When it expires, nanoseconds of the monotonic clock.
    package var expiry: UInt64
    /// Thousandths, if the phone gave a preference.
    package var quality: UInt16?
    /// The Path of that REGISTER, its values joined by commas; empty without one (RFC 3327 section 5.3).
    package var path: [UInt8]
    /// Where the last accepted REGISTER came from.
    package var source: SIPSource
    /// The phone can only be reached over the stream that it registered on, so the binding ends with that stream.
    package var isTied: Bool
    /// A hash of `+sip.instance` and `reg-id`; 0 without an instance. Equal tags are the same device and flow.
    package var device: UInt64
    /// `reg-id` was given too, so that the device tag and not the URI tells the binding (RFC 5626 section 6).
    package var isFlow: Bool

    /// From its parts, as the store has them.
    package init(
        contact: [UInt8], callID: [UInt8], cseq: UInt32, expiry: UInt64, quality: UInt16? = nil, path: [UInt8] = [],
        source: SIPSource, isTied: Bool = false, device: UInt64 = 0, isFlow: Bool = false
    ) {
        self.contact = contact
        self.callID = callID
        self.cseq = cseq
        self.expiry = expiry
        self.quality = quality
        self.path = path
        self.source = source
        self.isTied = isTied
        self.device = device
        self.isFlow = isFlow
    }

    /// Whole seconds until it expires, rounded up; 0 when it has.
    package func remainingSeconds(at now: Instant) -> UInt32 { SIPCore.remainingSeconds(until: expiry, at: now) }
}

func remainingSeconds(until expiry: UInt64, at now: Instant) -> UInt32 {
    guard expiry > now.monotonic else { return 0 }
    return UInt32(truncatingIfNeeded: min((expiry - now.monotonic - 1) / 1_000_000_000 + 1, UInt64(UInt32.max)))
}

/// One binding in the registrar's slab. Its texts share one array, so that a binding is two pieces of memory.
struct BindingRecord {
    static let none: Int32 = -1

    /// Contact URI, then Call-ID, then Path.
    var text: [UInt8] = []
    var source = SIPSource(NetworkAddress(high: 0, low: 0, port: 0))
    var expiry: UInt64 = 0
    var device: UInt64 = 0
    var cseq: UInt32 = 0
    /// The probe that this binding waits for or has answered last; 0 when it is not probed.
    var probe: UInt32 = 0
    var dn = DNIndex(rawValue: 0)
    /// The next binding of the same DN, or the next free record.
    var next = BindingRecord.none
    /// Neighbours in the wheel's slot.
    var wheelNext = BindingRecord.none
    var wheelPrevious = BindingRecord.none
    /// Neighbours among the bindings of the same stream.
    var flowNext = BindingRecord.none
    var flowPrevious = BindingRecord.none
    /// The second at which the wheel looks at this record; never later than the expiry.
    var checkSecond: UInt32 = 0
    /// Until which second the store keeps the binding, in a process that comes after this one: later than its expiry by a
    /// tenth of its lifetime, so that refreshes within that tenth need not be written down. 0 of what was never written.
    var keptSecond: UInt32 = 0
    var contactLength: UInt16 = 0
    var pathLength: UInt16 = 0
    /// `UInt16.max` when none was given.
    var quality = UInt16.max
    /// One byte: a binding has a budget.
    private var flags: UInt8 = 0

    var isFlow: Bool {
        get { flags & 1 != 0 }
        set { flags = newValue ? flags | 1 : flags & ~1 }
    }
    var isTied: Bool {
        get { flags & 2 != 0 }
        set { flags = newValue ? flags | 2 : flags & ~2 }
    }
    var isProbed: Bool {
        get { flags & 4 != 0 }
        set { flags = newValue ? flags | 4 : flags & ~4 }
    }

    var callIDLength: Int { text.count &- Int(contactLength) &- Int(pathLength) }
    /// A whole second at which this binding has expired, at most one second after it did.
    var expirySecond: UInt32 { UInt32(clamping: expiry / 1_000_000_000 + 1) }
}

/// When to look at which record: 4096 slots of one second, each a doubly linked list through the records themselves.
///
/// A refresh that moves an expiry further away leaves the record where it is; it is put at its true slot when its old
/// second comes. So a refresh costs nothing here, and there is exactly one entry for each binding.
struct ExpiryWheel {
    static let slots: UInt32 = 4096

    private var heads = [Int32](repeating: BindingRecord.none, count: Int(ExpiryWheel.slots))
    /// All slots up to this second have been looked at.
    private(set) var second: UInt32 = 0

    var byteCount: Int { heads.capacity * MemoryLayout<Int32>.stride }

    /// An empty wheel may jump: nothing is missed.
    mutating func jump(to second: UInt32) {
        self.second = max(self.second, second)
    }

    /// Moves on by one second.
    ///
    /// - Returns: the first record of that second's slot.
    mutating func advance() -> Int32 {
        second &+= 1
        return heads[Int(second % Self.slots)]
    }

    mutating func insert(_ slot: Int32, into records: inout [BindingRecord]) {
        // One that expires beyond the wheel's horizon is looked at on the way.
        let due = max(min(records[Int(slot)].expirySecond, second &+ Self.slots &- 1), second &+ 1)
        let head = heads[Int(due % Self.slots)]
        records[Int(slot)].checkSecond = due
        records[Int(slot)].wheelPrevious = BindingRecord.none
        records[Int(slot)].wheelNext = head
        if head >= 0 { records[Int(head)].wheelPrevious = slot }
        heads[Int(due % Self.slots)] = slot
    }

    mutating func remove(_ slot: Int32, from records: inout [BindingRecord]) {
        let previous = records[Int(slot)].wheelPrevious
        let next = records[Int(slot)].wheelNext
        if next >= 0 { records[Int(next)].wheelPrevious = previous }
        if previous >= 0 {
            records[Int(previous)].wheelNext = next
        } else {
            heads[Int(records[Int(slot)].checkSecond % Self.slots)] = next
        }
    }
}
