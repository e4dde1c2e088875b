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
        /// The longest that it may stay established, seconds.
        var session: UInt32 = 0
    }

    private var records: [Record] = []
    private var free: [Int32] = []
    private var slots: [UInt64: Int32] = [:]
    private var queue = DeadlineQueue()
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
        slots[key] = slot
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
        queue.set(slot, to: TransactionTimers.never)
        slots[records[slot].key] = nil
        records[slot].call = Call()
        records[slot].generation &+= 1
        free.append(Int32(slot))
    }

    /// Ends the calls whose sessions are over.
    mutating func tick(now: Instant) {
        while let slot = queue.due(now) {
            end(CallID(slot: Int32(slot), generation: records[slot].generation))
        }
    }

    /// Those that there are, in no order that means anything.
    package var calls: [Call] { slots.values.sorted().map { records[Int($0)].call } }

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
