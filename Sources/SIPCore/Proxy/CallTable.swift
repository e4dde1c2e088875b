import ClusterModel

/// The calls that go through a node, found by the headers that all of their requests have.
///
/// There is one for each INVITE that was sent on without a tag in To, until it is refused, somebody hangs up, or its
/// session is over (RFC 4028 section 10): a call whose end nobody told does not stay. A call that is routed elsewhere may come to
/// several DNs here, to the next before the one before has stopped ringing; each of these is one.
package struct CallTable: Sendable {
    /// Calls that there may be.
    package static let maximumCount = 262_144

    struct Record {
        var call = Call()
        var key: UInt64 = 0
        var generation: UInt32 = 0
        var isUsed = false
        /// Another one under the same names, to another DN; -1 for none.
        var next: Int32 = -1
        /// Its places in the chains of its near parties.
        var asCaller = DNChains.Links()
        var asCallee = DNChains.Links()
    }

    var records: [Record] = []
    var free: [Int32] = []
    var slots: [UInt64: Int32] = [:]
    var queue = DeadlineQueue()
    /// Of the DNs that this node is next to.
    var chains = DNChains()
    /// By trunk: the sides of calls that are over it.
    var trunkUse = TrunkUse()
    /// What has changed of the calls of DNs that this node is next to, in order; one may be there more than once.
    private var changed: [CallsChange] = []
    private let seed: UInt64
    /// The same at every node of the cluster.
    private let connectionSeed: UInt64
    /// Nanoseconds.
    private let maximumTime: UInt64

    /// - Parameters:
    ///   - cluster: its name, of which ConnIDs are made that are the same at every node.
    ///   - maximumTime: how long a call may be established when no session timer says less, nanoseconds.
    package init(secret: UInt64, cluster: String = "", maximumTime: UInt64) {
        seed = mixed(secret ^ 0x63_616C_6C73)
        connectionSeed = cluster.utf8.reduce(0x636F_6E6E) { mixed($0 &* 31 &+ UInt64($1)) }
        self.maximumTime = maximumTime
    }

    /// Calls that there are.
    package internal(set) var count = 0
    /// Calls that have begun in this process: a figure.
    package private(set) var begun: UInt64 = 0
    /// When a session is over, monotonic nanoseconds.
    package var nextDeadline: UInt64? { queue.next }

    // MARK: The life of a call

    /// An INVITE that begins a call has gone on.
    ///
    /// - Returns: nil if there is no room, or there is that call already.
    mutating func begin(
        _ message: borrowing SIPMessage, in datagram: Span<UInt8>, _ parties: CallParties, now: Instant
    ) -> CallID? {
        let key = key(message.callID, message.from.tag, datagram)
        guard count < Self.maximumCount, !isKnown(key, parties) else { return nil }
        let slot = free.popLast() ?? Int32(records.count)
        if Int(slot) == records.count { records.append(Record()) }
        var call = Call()
        call.callID = datagram.bytes(message.callID)
        call.callerTag = datagram.bytes(message.from.tag)
        call.connection = connection(message, datagram)
        call.callerText = message.fromURI(in: datagram).map { datagram.visibleUser(of: $0) } ?? ""
        call.dialedText = datagram.visibleUser(of: message.requestURI)
        call.parties = parties
        call.since = now
        call.begun = now
        call.askedSince = now
        records[Int(slot)].call = call
        records[Int(slot)].key = key
        records[Int(slot)].isUsed = true
        records[Int(slot)].next = slots[key] ?? -1
        slots[key] = slot
        count += 1
        begun &+= 1
        join(Int(slot), .caller)
        join(Int(slot), .callee)
        noteChange(of: Int(slot))
        return CallID(slot: slot, generation: records[Int(slot)].generation)
    }

    /// Whether an INVITE under these names is there already: to whomever it is, if the new one is to be routed here; to the same DN, and
    /// as near to it.
    private func isKnown(_ key: UInt64, _ parties: CallParties) -> Bool {
        var slot = slots[key] ?? -1
        while slot >= 0 {
            let known = records[Int(slot)].call.parties
            if parties.callee == nil { return true }
            if known.callee == parties.callee, known.isCalleeNear || !parties.isCalleeNear { return true }
            slot = records[Int(slot)].next
        }
        return false
    }

    /// The call that a request within a dialog belongs to, whoever of the two has sent it: of several under the same names the one
    /// that was established with the callee's tag.
    func find(_ message: borrowing SIPMessage, in datagram: Span<UInt8>) -> CallID? {
        let isFromCaller = slots[key(message.callID, message.from.tag, datagram)] != nil
        let (caller, callee) = isFromCaller ? (message.from.tag, message.to.tag) : (message.to.tag, message.from.tag)
        guard let first = slots[key(message.callID, caller, datagram)] else { return nil }
        var slot = first
        while slot >= 0, !isEstablished(Int(slot), callee, datagram) { slot = records[Int(slot)].next }
        if slot < 0 { slot = first }
        return CallID(slot: slot, generation: records[Int(slot)].generation)
    }

    private func isEstablished(_ slot: Int, _ calleeTag: ByteRange, _ datagram: Span<UInt8>) -> Bool {
        records[slot].call.state == .established && records[slot].call.calleeTag == datagram.bytes(calleeTag)
    }

    /// The call that a BYE ends, whoever of the two has sent it: between those who have established it. Of several phones that have
    /// answered one keeps the call when the others are hung up.
    func findEnded(_ message: borrowing SIPMessage, in datagram: Span<UInt8>) -> CallID? {
        guard let id = find(message, in: datagram) else { return nil }
        let isFromCaller = slots[key(message.callID, message.from.tag, datagram)] != nil
        return isEstablished(Int(id.slot), isFromCaller ? message.to.tag : message.from.tag, datagram) ? id : nil
    }

    func callee(of id: CallID) -> DNIndex? { slot(id).flatMap { records[$0].call.parties.callee } }

    func connection(of id: CallID) -> CallConnection? { slot(id).map { records[$0].call.connection } }

    /// A call that is routed is on its way to somebody's phones, or to nobody's for now.
    mutating func setCallee(_ id: CallID, _ callee: CallParties.Callee, now: Instant) {
        guard let slot = slot(id) else { return }
        let former = nearCallee(slot)
        leave(slot, .callee)
        records[slot].call.parties.setCallee(callee)
        records[slot].call.askedSince = now
        if records[slot].call.state == .ringing {
            records[slot].call.state = .calling
            records[slot].call.since = now
        }
        join(slot, .callee)
        if let former { changed.append(CallsChange(dn: former, ended: ended(slot, .released))) }
        if let dn = nearCallee(slot), dn != former { changed.append(CallsChange(dn: dn)) }
    }

    /// The caller is at the other end of a trunk.
    mutating func setTrunk(_ id: CallID, ofCaller trunk: TrunkIndex) {
        guard let slot = slot(id) else { return }
        trunkUse.end(records[slot].call.callerTrunk)
        records[slot].call.callerTrunk = trunk
        trunkUse.begin(trunk)
    }

    /// Whoever has answered is at the other end of a trunk.
    mutating func setTrunk(_ id: CallID, ofCallee trunk: TrunkIndex) {
        guard let slot = slot(id) else { return }
        trunkUse.end(records[slot].call.calleeTrunk)
        records[slot].call.calleeTrunk = trunk
        trunkUse.begin(trunk)
    }

    mutating func ring(_ id: CallID, now: Instant) {
        guard let slot = slot(id), records[slot].call.state == .calling else { return }
        records[slot].call.state = .ringing
        records[slot].call.since = now
    }

    /// A phone has answered, or a session was refreshed.
    ///
    /// - Parameters:
    ///   - session: seconds without another refresh after which it is over; nil where nobody keeps to that.
    ///   - calleeTag: of the phone that has answered.
    mutating func establish(_ id: CallID, session: UInt32?, calleeTag: [UInt8], now: Instant) {
        guard let slot = slot(id) else { return }
        if records[slot].call.state != .established {
            records[slot].call.calleeTag = calleeTag
            records[slot].call.state = .established
            records[slot].call.since = now
            noteChange(of: slot)
        }
        let end = records[slot].call.since.monotonic &+ maximumTime
        let expiry = session.map { now.monotonic &+ UInt64($0) &* 1_000_000_000 } ?? .max
        queue.set(slot, to: min(end, expiry))
    }

    mutating func end(_ id: CallID, _ end: DNCalls.End) {
        guard let slot = slot(id) else { return }
        noteChange(of: slot, ended(slot, end))
        queue.set(slot, to: DeadlineQueue.never)
        unlink(slot)
        count -= 1
        leave(slot, .caller)
        leave(slot, .callee)
        trunkUse.end(records[slot].call.callerTrunk)
        trunkUse.end(records[slot].call.calleeTrunk)
        records[slot].call = Call()
        records[slot].isUsed = false
        records[slot].generation &+= 1
        free.append(Int32(slot))
    }

    /// Takes a call out of those under the same names.
    private mutating func unlink(_ slot: Int) {
        let key = records[slot].key
        let next = records[slot].next
        records[slot].next = -1
        guard var other = slots[key], other != Int32(slot) else {
            slots[key] = next < 0 ? nil : next
            return
        }
        while records[Int(other)].next != Int32(slot) { other = records[Int(other)].next }
        records[Int(other)].next = next
    }

    /// Ends the calls whose sessions are over.
    mutating func tick(now: Instant) {
        while let slot = queue.due(now) {
            end(CallID(slot: Int32(slot), generation: records[slot].generation), .released)
        }
    }

    // MARK: What changes for DNs

    private func ended(_ slot: Int, _ end: DNCalls.End) -> DNCalls.Ended {
        DNCalls.Ended(connection: records[slot].call.connection, end: end)
    }

    private mutating func noteChange(of slot: Int, _ ended: DNCalls.Ended? = nil) {
        let parties = records[slot].call.parties
        if let dn = parties.caller, parties.isCallerNear { changed.append(CallsChange(dn: dn, ended: ended)) }
        if let dn = nearCallee(slot), dn != parties.caller { changed.append(CallsChange(dn: dn, ended: ended)) }
    }

    /// Takes the DNs whose calls may have changed since this was asked before, in order.
    mutating func takeChanged() -> [CallsChange] {
        guard !changed.isEmpty else { return [] }
        defer { changed.removeAll(keepingCapacity: true) }
        return changed
    }

    // MARK: Lists

    /// Those that there are, in no order that means anything.
    package var calls: [Call] { records.filter(\.isUsed).map(\.call) }

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

    func slot(_ id: CallID) -> Int? {
        let slot = Int(id.slot)
        return slot < records.count && records[slot].generation == id.generation ? slot : nil
    }

    private func key(_ callID: ByteRange, _ tag: ByteRange, _ datagram: Span<UInt8>) -> UInt64 {
        datagram.hash(tag, seed: datagram.hash(callID, seed: seed))
    }

    private func connection(_ message: borrowing SIPMessage, _ datagram: Span<UInt8>) -> CallConnection {
        let hash = datagram.hash(message.from.tag, seed: datagram.hash(message.callID, seed: connectionSeed))
        return CallConnection(rawValue: hash)
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

    /// The user of a URI for people, unescaped: what is visible ASCII of it, as far as is told of a caller.
    package func visibleUser(of uri: SIPURI) -> String {
        var text: [UInt8] = []
        var position = uri.user.lower
        while position < uri.user.upper, text.count < DNCall.maximumOther {
            guard let byte = unescaped(at: &position, before: uri.user.upper) else { break }
            if (0x21...0x7E).contains(byte) { text.append(byte) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
