package import ClusterModel

/// The two DNs of a call; nil for one that is none of the cluster's.
package struct CallParties: Hashable, Sendable {
    package var caller: DNIndex?
    package var callee: DNIndex?

    /// From its parts.
    package init(caller: DNIndex?, callee: DNIndex?) {
        self.caller = caller
        self.callee = callee
    }
}

/// A call as long as it is in the table; never means another later.
package struct CallID: Hashable, Sendable {
    let slot: Int32
    let generation: UInt32
}

/// How far a call is.
package enum CallState: UInt8, Hashable, Sendable, CaseIterable {
    /// The INVITE has gone on, and no phone has said that it rings.
    case calling
    case ringing
    /// Until a BYE, or until its session is over.
    case established
}

/// What a node knows of a call that goes through it.
package struct Call: Hashable, Sendable {
    /// The Call-ID and the tag of the caller: what names the dialog in all of its requests.
    package var callID: [UInt8] = []
    package var callerTag: [UInt8] = []
    package var parties = CallParties(caller: nil, callee: nil)
    package var state = CallState.calling
    /// When it came into that state.
    package var since = Instant(monotonic: 0, wallMilliseconds: 0)
}

/// The calls that go through a node, found by the headers that all of their requests have.
///
/// There is one for each INVITE that was sent on without a tag in To, until it is refused, somebody hangs up, or its
/// session is over (RFC 4028 section 10): a call whose end nobody told does not stay.
package struct CallTable: Sendable {
    /// Calls that there may be.
    package static let maximumCount = 262_144

    private struct Record {
        var call = Call()
        var key: UInt64 = 0
        var generation: UInt32 = 0
        var isUsed = false
    }

    private var records: [Record] = []
    private var free: [Int32] = []
    private var slots: [UInt64: Int32] = [:]
    private var queue = DeadlineQueue()
    /// How many calls each DN has that has one.
    private var callCounts: [DNIndex: Int] = [:]
    /// DNs that got their first call or lost their last, in order; one may be there more than once.
    private var changed: [DNIndex] = []
    private let seed: UInt64
    /// Nanoseconds.
    private let maximumTime: UInt64

    /// - Parameters:
    ///   - maximumTime: how long a call may be established when no session timer says less, nanoseconds.
    package init(secret: UInt64, maximumTime: UInt64) {
        seed = mixed(secret ^ 0x63_616C_6C73)
        self.maximumTime = maximumTime
    }

    /// Calls that there are.
    package var count: Int { slots.count }
    /// When a session is over, monotonic nanoseconds.
    package var nextDeadline: UInt64? { queue.next }

    /// An INVITE that begins a call has gone on.
    ///
    /// - Returns: nil if there is no room, or there is that call already.
    mutating func begin(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, _ parties: CallParties, now: Instant
    ) -> CallID? {
        let key = key(message.callID, message.from.tag, datagram)
        guard slots.count < Self.maximumCount, slots[key] == nil else { return nil }
        let slot = free.popLast() ?? Int32(records.count)
        if Int(slot) == records.count { records.append(Record()) }
        var call = Call()
        call.callID = datagram.bytes(message.callID)
        call.callerTag = datagram.bytes(message.from.tag)
        call.parties = parties
        call.since = now
        records[Int(slot)].call = call
        records[Int(slot)].key = key
        records[Int(slot)].isUsed = true
        slots[key] = slot
        count(parties, by: 1)
        return CallID(slot: slot, generation: records[Int(slot)].generation)
    }

    /// The call that a request within a dialog belongs to, whoever of the two has sent it.
    func find(_ message: borrowing SIPMessage, in datagram: Span<UInt8>) -> CallID? {
        let slot =
            slots[key(message.callID, message.from.tag, datagram)]
            ?? slots[key(message.callID, message.to.tag, datagram)]
        return slot.map { CallID(slot: $0, generation: records[Int($0)].generation) }
    }

    mutating func ring(_ id: CallID, now: Instant) {
        guard let slot = slot(id), records[slot].call.state == .calling else { return }
        records[slot].call.state = .ringing
        records[slot].call.since = now
    }

    /// A phone has answered, or a session was refreshed.
    ///
    /// - Parameter session: seconds without another refresh after which it is over; nil where nobody keeps to that.
    mutating func establish(_ id: CallID, session: UInt32?, now: Instant) {
        guard let slot = slot(id) else { return }
        if records[slot].call.state != .established {
            records[slot].call.state = .established
            records[slot].call.since = now
        }
        let end = records[slot].call.since.monotonic &+ maximumTime
        let expiry = session.map { now.monotonic &+ UInt64($0) &* 1_000_000_000 } ?? .max
        queue.set(slot, to: min(end, expiry))
    }

    mutating func end(_ id: CallID) {
        guard let slot = slot(id) else { return }
        queue.set(slot, to: DeadlineQueue.never)
        slots[records[slot].key] = nil
        count(records[slot].call.parties, by: -1)
        records[slot].call = Call()
        records[slot].isUsed = false
        records[slot].generation &+= 1
        free.append(Int32(slot))
    }

    private mutating func count(_ parties: CallParties, by step: Int) {
        if let caller = parties.caller { count(caller, by: step) }
        if let callee = parties.callee, callee != parties.caller { count(callee, by: step) }
    }

    private mutating func count(_ dn: DNIndex, by step: Int) {
        let before = callCounts[dn] ?? 0
        callCounts[dn] = before + step > 0 ? before + step : nil
        if before == 0 || before + step == 0 { changed.append(dn) }
    }

    /// Whether a DN has a call through this node, be it one that only rings.
    package func isBusy(_ dn: DNIndex) -> Bool { callCounts[dn] != nil }

    /// Takes the DNs that may have got their first call or lost their last since this was asked before, in order.
    mutating func takeChanged() -> [DNIndex] {
        guard !changed.isEmpty else { return [] }
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    /// Ends the calls whose sessions are over.
    mutating func tick(now: Instant) {
        while let slot = queue.due(now) {
            end(CallID(slot: Int32(slot), generation: records[slot].generation))
        }
    }

    /// Those that there are, in no order that means anything.
    package var calls: [Call] { slots.values.sorted().map { records[Int($0)].call } }

    /// Some calls that fit.
    ///
    /// - Parameter maximumScan: how many places are looked at.
    /// - Returns: with whether there may be more.
    package func list(
        limit: Int, maximumScan: Int, where fits: (Call) -> Bool
    ) -> (calls: [Call], hasMore: Bool) {
        var found: [Call] = []
        for position in records.indices {
            guard position < maximumScan else { return (found, true) }
            guard records[position].isUsed, fits(records[position].call) else { continue }
            if found.count == limit { return (found, true) }
            found.append(records[position].call)
        }
        return (found, false)
    }

    private func slot(_ id: CallID) -> Int? {
        let slot = Int(id.slot)
        return records[slot].generation == id.generation ? slot : nil
    }

    private func key(_ callID: ByteRange, _ tag: ByteRange, _ datagram: Span<UInt8>) -> UInt64 {
        datagram.hash(tag, seed: datagram.hash(callID, seed: seed))
    }
}

extension Span<UInt8> {
    /// A copy of some bytes, in no more memory than they need.
    func bytes(_ range: ByteRange) -> [UInt8] {
        let source = extracting(range.indices)
        var bytes = [UInt8](repeating: 0, count: range.count)
        var target = bytes.mutableSpan
        for offset in 0..<source.count { target[offset] = source[offset] }
        return bytes
    }
}
