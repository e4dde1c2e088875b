import ClusterModel

/// The calls for which nodes want targets, as a router knows them: those that wait, in the order in which they came, and those
/// for which an agent is being reserved, or to whom the call is being sent.
struct CallTable: Sendable {
    struct Key: Hashable, Sendable {
        let node: NodeIndex
        let connection: CallConnection
    }

    /// An agent who is to get the call.
    struct Attempt: Sendable {
        /// Of the request that is under way.
        var reference: UInt32
        let dn: DN
        /// Whether the agent is reserved, and the call on its way.
        var isRouting = false
        /// When the answer is given up: monotonic nanoseconds.
        var deadline: UInt64
    }

    struct Call: Sendable {
        let node: NodeIndex
        var request: RouteRequest
        var location: LocationIndex
        /// Calls with lesser ones came before.
        let ticket: UInt64
        /// From when on an agent anywhere will do: monotonic nanoseconds.
        let overflow: UInt64
        /// When nobody can want a target any more: monotonic nanoseconds.
        var end: UInt64
        /// Whether it has to be an agent at the call's location.
        var waitsForNear: Bool
        var refusedRoutes = 0
        var attempt: Attempt?

        var key: Key { Key(node: node, connection: request.connection) }
    }

    private let limit: Int
    private var calls: [Call?] = []
    private var freeSlots: [Int] = []
    private var slots: [Key: Int] = [:]
    private var references: [UInt32: Int] = [:]
    /// The calls that wait, by ticket: in heap 0 those that any agent will do for, in that of a location those that wait for
    /// one there. Which routing point a call is at does not matter to whoever serves the longest waiting one, so none has a
    /// line of its own, and a call that overflows finds its place among those that came later.
    private var lines = RankedHeaps()
    private var deadlines = DeadlineQueue()
    private var tickets: UInt64 = 0
    private var lastReference: UInt32

    init(limit: Int, lastReference: UInt32) {
        self.limit = limit
        self.lastReference = lastReference
    }

    var count: Int { slots.count }
    var waitingCount: Int { lines.count }
    var nextDeadline: UInt64? { deadlines.next }
    var isFull: Bool { slots.count >= limit }

    subscript(slot: Int) -> Call? { calls[slot] }

    func slot(of key: Key) -> Int? { slots[key] }

    /// The call for which a node has been asked something.
    func slot(of reference: UInt32, at node: NodeIndex) -> Int? {
        guard let slot = references[reference], calls[slot]?.node == node else { return nil }
        return slot
    }

    /// The calls of a node, in the order in which they came.
    func slots(of node: NodeIndex) -> [Int] { sorted(calls.indices.filter { calls[$0]?.node == node }) }

    func sorted(_ slots: [Int]) -> [Int] { slots.sorted { (calls[$0]?.ticket ?? 0) < (calls[$1]?.ticket ?? 0) } }

    // MARK: Coming and going

    /// - Parameters:
    ///   - overflow: from when on an agent anywhere will do; monotonic nanoseconds.
    ///   - end: when the call is forgotten; monotonic nanoseconds.
    mutating func add(
        _ request: RouteRequest, at node: NodeIndex, near location: LocationIndex, overflow: UInt64, end: UInt64,
        now: Instant
    ) -> Int {
        tickets += 1
        let slot = freeSlots.popLast() ?? calls.count
        if slot == calls.count { calls.append(nil) }
        let call = Call(
            node: node, request: request, location: location, ticket: tickets, overflow: overflow, end: end,
            waitsForNear: now.monotonic < overflow)
        calls[slot] = call
        slots[call.key] = slot
        return slot
    }

    /// A call is asked about anew. It keeps its place in the line.
    mutating func replace(_ slot: Int, with request: RouteRequest, near location: LocationIndex, end: UInt64) {
        calls[slot]?.request = request
        calls[slot]?.location = location
        calls[slot]?.end = end
        calls[slot]?.refusedRoutes = 0
    }

    mutating func remove(_ slot: Int) {
        guard let call = calls[slot] else { return }
        if let attempt = call.attempt { references[attempt.reference] = nil }
        lines.remove(slot)
        deadlines.set(slot, to: DeadlineQueue.never)
        slots[call.key] = nil
        calls[slot] = nil
        freeSlots.append(slot)
    }

    // MARK: Waiting

    mutating func wait(_ slot: Int) {
        guard let call = calls[slot] else { return }
        lines.set(slot, to: call.ticket, in: call.waitsForNear ? 1 + call.location.position : 0)
        deadlines.set(slot, to: call.waitsForNear ? min(call.overflow, call.end) : call.end)
    }

    /// The call that has waited for longest of those that an agent may have.
    func longestWaiting(for dn: DN, at location: LocationIndex) -> Int? {
        var waiting =
            location == .elsewhere ? lines.ascending(in: [0]) : lines.ascending(in: [0, 1 + location.position])
        while let slot = waiting.next() {
            if calls[slot]?.request.tried.contains(dn) == false { return slot }
        }
        return nil
    }

    mutating func overflowed(_ slot: Int) { calls[slot]?.waitsForNear = false }

    mutating func routeRefused(_ slot: Int) -> Int {
        calls[slot]?.refusedRoutes += 1
        return calls[slot]?.refusedRoutes ?? 0
    }

    // MARK: Attempts

    /// The next number for a request.
    mutating func newReference() -> UInt32 {
        repeat { lastReference &+= 1 } while lastReference == 0 || references[lastReference] != nil
        return lastReference
    }

    /// Another request is under way for a call.
    mutating func attempt(_ slot: Int, _ attempt: Attempt) {
        if let former = calls[slot]?.attempt { references[former.reference] = nil }
        references[attempt.reference] = slot
        lines.remove(slot)
        deadlines.set(slot, to: attempt.deadline)
        calls[slot]?.attempt = attempt
    }

    /// Nobody gets the call at present. Whoever says so says too what becomes of it.
    mutating func endAttempt(_ slot: Int) {
        if let former = calls[slot]?.attempt { references[former.reference] = nil }
        calls[slot]?.attempt = nil
        deadlines.set(slot, to: DeadlineQueue.never)
    }

    /// A call whose deadline has come, which it has no more then.
    mutating func due(now: Instant) -> Int? {
        guard let slot = deadlines.due(now) else { return nil }
        deadlines.set(slot, to: DeadlineQueue.never)
        return slot
    }
}
