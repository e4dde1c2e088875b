package import ClusterModel

/// All transactions of a node: an event in, actions out (RFC 3261 section 17 as changed by RFC 6026 and RFC 4320).
///
/// It answers and repeats by itself what belongs to one hop alone: 100 to what was opened, the last response to requests that come
/// again, ACKs of final responses other than 2xx, CANCELs, and the 200 to a CANCEL. What is kept of messages goes when their
/// transaction ends, and there is nothing that does not end but an INVITE that its user never responds to.
///
/// Requests that come over a stream, and those that are sent over one, are not repeated.
package struct TransactionTable: Sendable {
    let timings: TransactionTimings
    let limits: TransactionLimits
    let keys: TransactionKeys
    let writer: ResponseWriter

    var records: [TransactionRecord] = []
    var free: [Int32] = []
    var slots: [UInt64: Int32] = [:]
    var queue = DeadlineQueue()
    /// The first transaction over each stream.
    var flows: [FlowID: Int32] = [:]
    /// Bytes of all messages that are kept.
    package internal(set) var byteCount = 0
    /// Requests that were kept are parsed into this.
    var scratch = SIPMessage()

    /// - Parameters:
    ///   - secret: 64 random bits, the same for the life of the process.
    ///   - writer: the one that writes all other answers, so that these have the same tags (section 9.2).
    package init(
        _ limits: TransactionLimits = TransactionLimits(), _ timings: TransactionTimings = TransactionTimings(),
        secret: UInt64, writer: ResponseWriter
    ) {
        precondition(timings.t1 > 0 && timings.t2 > 0, "timers that do not wait would fire for ever")
        self.timings = timings
        self.limits = limits
        self.writer = writer
        keys = TransactionKeys(secret: secret)
    }

    /// Transactions that there are.
    package var count: Int { slots.count }
    /// When `tick` has something to do, monotonic nanoseconds.
    package var nextDeadline: UInt64? { queue.next }
    /// Transactions that will do something by themselves.
    package var timerCount: Int { queue.count }

    /// Fires all timers that are due.
    package mutating func tick(now: Instant, into actions: inout [TransactionAction]) {
        while let slot = queue.due(now) {
            let steps = records[slot].tick(now: now, timings)
            settle(slot, steps, &actions, now)
        }
    }

    // MARK: Places

    /// What a new transaction is for: the less new it is, the more of the room it may use.
    enum Purpose: Int {
        /// A request has come.
        case request = 6
        /// It goes on.
        case onward = 7
        /// It is cancelled, or answered.
        case completion = 8
    }

    func hasRoom(for purpose: Purpose, bytes: Int) -> Bool {
        // Of small tables an eighth may be nothing.
        count < (limits.transactions &* purpose.rawValue &+ 7) / 8
            && byteCount &+ bytes <= limits.bytes / 8 &* purpose.rawValue
    }

    func slot(of key: UInt64) -> Int? { slots[key].map(Int.init) }

    /// - Precondition: there is none with that key.
    mutating func insert(
        _ machine: TransactionRecord.Machine, key: UInt64, target: SIPSource, context: Int32 = -1
    ) -> Int {
        let slot: Int
        if let last = free.popLast() {
            slot = Int(last)
        } else {
            slot = records.count
            records.append(TransactionRecord())
        }
        records[slot].machine = machine
        records[slot].key = key
        records[slot].target = target
        records[slot].context = context
        slots[key] = Int32(slot)
        joinFlow(slot)
        queue.set(slot, to: records[slot].deadline)
        return slot
    }

    private mutating func remove(_ slot: Int) {
        keep([], slot)
        leaveFlow(slot)
        queue.set(slot, to: TransactionTimers.never)
        slots[records[slot].key] = nil
        records[slot].machine = .none
        records[slot].isCancelled = false
        records[slot].generation &+= 1
        free.append(Int32(slot))
    }

    /// Keeps a message in the place of the one before it; without room, nothing: then it does not go out again.
    mutating func keep(_ message: [UInt8], _ slot: Int) {
        byteCount &-= records[slot].message.count
        guard byteCount &+ message.count <= limits.bytes else {
            records[slot].message = []
            return
        }
        byteCount &+= message.count
        // The room that an array has for more would not be counted.
        records[slot].message = message.capacity > message.count &+ 128 ? message.trimmed : message
    }

    // MARK: What machines want

    /// Does what can be done without the message at hand, and notes the deadline.
    mutating func settle(
        _ slot: Int, _ steps: TransactionSteps, _ actions: inout [TransactionAction], _ now: Instant
    ) {
        if steps.contains(.resend), !records[slot].message.isEmpty {
            actions.append(.send(records[slot].message, to: records[slot].target))
        }
        if steps.contains(.cancel) { sendCancel(of: slot, &actions, now) }
        if steps.contains(.ended) {
            let reason: TransactionEnd =
                steps.contains(.timedOut) ? .timedOut : steps.contains(.failed) ? .failed : .done
            return end(slot, reason, &actions)
        }
        if steps.contains(.failed) { actions.append(.undelivered(serverID(slot))) }
        if !records[slot].keepsMessage, !records[slot].message.isEmpty { keep([], slot) }
        queue.set(slot, to: records[slot].deadline)
    }

    private mutating func end(_ slot: Int, _ end: TransactionEnd, _ actions: inout [TransactionAction]) {
        switch records[slot].machine {
        case .none: return
        case .inviteServer, .nonInviteServer: actions.append(.serverEnded(serverID(slot), end))
        case .inviteClient, .nonInviteClient:
            if !records[slot].isOwn { actions.append(.clientEnded(clientID(slot), end)) }
        }
        remove(slot)
    }

    func serverID(_ slot: Int) -> ServerTransactionID {
        ServerTransactionID(
            slot: Int32(slot), generation: records[slot].generation, context: records[slot].context)
    }
    func clientID(_ slot: Int) -> ClientTransactionID {
        ClientTransactionID(
            slot: Int32(slot), generation: records[slot].generation, context: records[slot].context)
    }

    /// The slot that an ID means, as long as the transaction is there.
    func slot(_ id: ServerTransactionID) -> Int? {
        let slot = Int(id.slot)
        return slot < records.count && records[slot].generation == id.generation ? slot : nil
    }

    func slot(_ id: ClientTransactionID) -> Int? {
        let slot = Int(id.slot)
        return slot < records.count && records[slot].generation == id.generation ? slot : nil
    }
}

extension [UInt8] {
    /// The same in no more memory than it needs.
    fileprivate var trimmed: [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        copy += self
        return copy
    }
}
