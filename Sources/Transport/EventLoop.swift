package import ClusterModel
package import LinuxSystem

/// Is told when its descriptor is ready.
package protocol ReadinessHandler: AnyObject {
    /// The descriptor is ready. Level-triggered: what is left undone is reported again in the next turn.
    func ready(_ readiness: Readiness)
}

/// Owns state that the loop's sockets feed: the node behind a shell.
package protocol LoopOwner: AnyObject {
    /// All ready descriptors and due timers of a turn have been handled; answers written now leave with this turn.
    func turnEnded(now: Instant)
    /// The monotonic nanosecond at which a turn is wanted though no descriptor is ready; nil for none.
    func nextDeadline() -> UInt64?
}

/// Has output to write at the end of a turn.
package protocol TurnFlushing: AnyObject {
    func flush()
}

/// One thread's loop, which owns the state of a process. Nothing here is shared with another thread, so nothing locks.
///
/// A turn: wait; tell the handlers of ready descriptors; run due timers; tell the owners that the turn has ended; flush
/// the sockets that have output; wait again until a descriptor is ready or the nearest deadline comes.
package final class EventLoop {
    /// What `register` returns, to change or end the watching.
    package struct Registration: Hashable, Sendable {
        fileprivate let slot: UInt32
        fileprivate let generation: UInt32

        fileprivate var tag: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
    }

    private struct Slot {
        /// Counts the registrations that the slot has had, so that an event of an earlier one, still pending in the
        /// batch when its descriptor was closed and the number given away again, is recognized and dropped.
        var generation: UInt32
        var descriptor: Int32
        var handler: (any ReadinessHandler)?
    }

    /// How many bytes one read can bring.
    static let readBufferSize = 128 * 1024

    private let epoll: Epoll
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var owners: [any LoopOwner] = []
    private var timers = TimerQueue()
    private var flushing: [any TurnFlushing] = []
    private var soon: [() -> Void] = []
    private var stopped = false

    /// The clocks as read at the beginning of this turn.
    package private(set) var now: Instant
    /// How many turns there have been.
    package private(set) var turns: UInt64 = 0

    /// Where every connection of the loop reads into: only what belongs to an incomplete frame is copied from here, and
    /// an idle connection has no buffer of its own. In use only while one handler is told of readiness.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: EventLoop.readBufferSize, alignment: 64)

    package init() throws(SystemError) {
        epoll = try Epoll()
        now = SystemClock.now()
    }

    deinit {
        readBuffer.deallocate()
    }

    // MARK: Descriptors

    /// How many descriptors are watched.
    package var registrationCount: Int { slots.count - freeSlots.count }

    /// Watches a descriptor. The loop keeps the handler until `unregister`, which must come before the descriptor closes.
    package func register(
        _ descriptor: OwnedDescriptor, interest: Readiness, handler: any ReadinessHandler
    ) throws(SystemError) -> Registration {
        let slot = freeSlots.popLast() ?? UInt32(slots.count)
        if slot == slots.count { slots.append(Slot(generation: 0, descriptor: -1, handler: nil)) }
        let registration = Registration(slot: slot, generation: slots[Int(slot)].generation)
        do throws(SystemError) {
            try epoll.add(descriptor.number, interest: interest, tag: registration.tag)
        } catch {
            freeSlots.append(slot)
            throw error
        }
        slots[Int(slot)].descriptor = descriptor.number
        slots[Int(slot)].handler = handler
        return registration
    }

    /// Changes what a descriptor is watched for. Without any interest hangups and errors are still reported.
    package func modify(_ registration: Registration, interest: Readiness) throws(SystemError) {
        guard isCurrent(registration) else { return }
        let descriptor = slots[Int(registration.slot)].descriptor
        try epoll.modify(descriptor, interest: interest, tag: registration.tag)
    }

    /// Stops watching. The handler is not called again, not even for an event that this turn has already collected.
    package func unregister(_ registration: Registration) {
        guard isCurrent(registration) else { return }
        let slot = Int(registration.slot)
        epoll.remove(slots[slot].descriptor)
        slots[slot].handler = nil
        slots[slot].descriptor = -1
        slots[slot].generation &+= 1
        freeSlots.append(registration.slot)
    }

    private func isCurrent(_ registration: Registration) -> Bool {
        let slot = Int(registration.slot)
        return slot < slots.count && slots[slot].generation == registration.generation && slots[slot].handler != nil
    }

    // MARK: Owners, timers, flushing

    /// Tells `owner` of the end of every turn from now on, and asks it for deadlines. It is kept until `removeOwner`.
    package func addOwner(_ owner: any LoopOwner) {
        owners.append(owner)
    }

    package func removeOwner(_ owner: any LoopOwner) {
        owners.removeAll { $0 === owner }
    }

    /// Runs `action` once, in the first turn after the delay.
    @discardableResult
    package func schedule(after delay: Duration, _ action: @escaping () -> Void) -> TimerToken {
        let (deadline, overflow) = SystemClock.monotonicNanoseconds().addingReportingOverflow(delay.nanoseconds)
        return timers.schedule(at: overflow ? .max : deadline, action)
    }

    /// - Returns: false when the timer has run or was cancelled before.
    @discardableResult
    package func cancel(_ token: TimerToken) -> Bool {
        timers.cancel(token)
    }

    /// Has `object` flush at the end of this turn. An object asks once until it has been flushed.
    package func flushAtTurnEnd(_ object: any TurnFlushing) {
        flushing.append(object)
    }

    /// Runs `action` after the handler that is running now and before the owners are told that the turn has ended; asked
    /// for later than that, at once in the next turn.
    package func soon(_ action: @escaping () -> Void) {
        soon.append(action)
    }

    /// After something in a turn has taken long, and had to.
    package func readClocks() { now = SystemClock.now() }

    // MARK: Turns

    /// Runs turns until `stop`.
    package func run() throws(SystemError) {
        stopped = false
        while !stopped { try runOnce() }
    }

    /// Runs turns until the condition holds after one, `stop`, or the time has passed.
    ///
    /// - Returns: whether the condition held.
    package func run(for limit: Duration, until condition: () -> Bool) throws(SystemError) -> Bool {
        stopped = false
        let (end, overflow) = SystemClock.monotonicNanoseconds().addingReportingOverflow(limit.nanoseconds)
        while !condition() {
            let moment = SystemClock.monotonicNanoseconds()
            guard !stopped, overflow || moment < end else { return false }
            try runOnce(timeout: .nanoseconds(Int64(clamping: end - moment)))
        }
        return true
    }

    /// Ends `run` after this turn.
    package func stop() {
        stopped = true
    }

    /// Runs one turn.
    ///
    /// - Parameter timeout: the longest wait; nil waits until something happens.
    package func runOnce(timeout: Duration? = nil) throws(SystemError) {
        let count = try epoll.wait(nanoseconds: waitTime(timeout: timeout))
        now = SystemClock.now()
        turns &+= 1
        for position in 0..<count { dispatch(epoll.event(at: position)) }
        runDueTimers()
        runSoon()
        for owner in owners { owner.turnEnded(now: now) }
        flushAll()
    }

    private func dispatch(_ event: Epoll.Event) {
        let slot = Int(truncatingIfNeeded: event.tag & 0xFFFF_FFFF)
        let generation = UInt32(truncatingIfNeeded: event.tag >> 32)
        guard slot < slots.count, slots[slot].generation == generation, let handler = slots[slot].handler else {
            return
        }
        handler.ready(event.readiness)
    }

    private func waitTime(timeout: Duration?) -> UInt64? {
        if !soon.isEmpty || !flushing.isEmpty { return 0 }
        var deadline = timers.nextDeadline()
        for owner in owners {
            guard let wanted = owner.nextDeadline() else { continue }
            deadline = min(deadline ?? wanted, wanted)
        }
        let limit = timeout?.nanoseconds
        guard let deadline else { return limit }
        let moment = SystemClock.monotonicNanoseconds()
        let left = deadline > moment ? deadline - moment : 0
        return min(limit ?? left, left)
    }

    /// One at a time, so that a timer may cancel another that is due with it. A timer set meanwhile is due after `now`.
    private func runDueTimers() {
        while let action = timers.popDue(now: now.monotonic) { action() }
    }

    private func runSoon() {
        // Actions may add actions; after a few rounds the rest waits for the next turn, which then comes at once.
        for _ in 0..<8 {
            guard !soon.isEmpty else { return }
            let actions = soon
            soon.removeAll(keepingCapacity: true)
            for action in actions { action() }
        }
    }

    private func flushAll() {
        guard !flushing.isEmpty else { return }
        let objects = flushing
        flushing.removeAll(keepingCapacity: true)
        for object in objects { object.flush() }
    }
}
