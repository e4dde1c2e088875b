import ClusterModel

/// The calls for which nodes want targets, as a router knows them: those that wait, the most urgent first, and those for which an
/// agent is being reserved, or to whom the call is being sent.
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
        /// Of the routing point.
        let target: Int
        var location: LocationIndex
        let urgency: Urgency
        /// From when on an agent anywhere will do: monotonic nanoseconds.
        let overflow: UInt64
        /// When nobody can want a target any more: monotonic nanoseconds.
        var end: UInt64
        /// Whether it has to be an agent at the call's location.
        var waitsForNear: Bool
        var refusedRoutes = 0
        var attempt: Attempt?
        /// It has begun to wait, and is one of those of its routing point that may.
        var hasPlace = false
        /// Which position the node was told, 0 for none yet, and when: monotonic nanoseconds.
        var toldPosition = 0
        var toldAt: UInt64 = 0

        var key: Key { Key(node: node, connection: request.connection) }
    }

    private let limit: Int
    private(set) var calls: [Call?] = []
    private var freeSlots: [Int] = []
    private var slots: [Key: Int] = [:]
    private var references: [UInt32: Int] = [:]
    /// The calls that wait: of each node and class those that any agent will do for, and by location those that wait for one there.
    /// Which routing point of the class a call is at does not matter to whoever serves the most urgent one, so none has a line of
    /// its own, and a call that overflows finds its place among those that came later. Nodes have lines of their own so that
    /// whoever cannot be reached from one need not be kept from its calls one by one.
    private(set) var lines = RankedHeaps<Urgency>()
    /// Those that have had calls, by number of their lines.
    private var nodes: [NodeIndex] = []
    private var clocks: [NodeIndex: NodeClock] = [:]
    private let targetCount: Int
    /// By routing point: calls that have begun to wait and have not gone.
    private var places: [DN: Int] = [:]
    private var deadlines = DeadlineQueue()
    private var tickets: UInt64 = 0
    private var lastReference: UInt32
    var positions = PositionPlan()

    /// - Parameter targetCount: of classes.
    init(limit: Int, targetCount: Int, lastReference: UInt32) {
        self.limit = limit
        self.targetCount = targetCount
        self.lastReference = lastReference
    }

    var count: Int { slots.count }
    var waitingCount: Int { lines.count }
    var nextDeadline: UInt64? {
        let next = min(deadlines.next ?? DeadlineQueue.never, positions.due)
        return next == DeadlineQueue.never ? nil : next
    }
    var isFull: Bool { slots.count >= limit }

    subscript(slot: Int) -> Call? { calls[slot] }

    func slot(of key: Key) -> Int? { slots[key] }

    /// The call for which a node has been asked something.
    func slot(of reference: UInt32, at node: NodeIndex) -> Int? {
        guard let slot = references[reference], calls[slot]?.node == node else { return nil }
        return slot
    }

    /// The calls of a node, the most urgent first.
    func slots(of node: NodeIndex) -> [Int] { sorted(calls.indices.filter { calls[$0]?.node == node }) }

    func sorted(_ slots: [Int]) -> [Int] {
        slots.filter { calls[$0] != nil }.sorted { calls[$0]!.urgency < calls[$1]!.urgency }
    }

    // MARK: Coming and going

    /// How long ago a call that is about to be added came to its node: nanoseconds.
    mutating func age(of request: RouteRequest, at node: NodeIndex, _ now: Instant) -> Int64 {
        clocks[node, default: NodeClock()].age(of: request, now)
    }

    /// - Parameters:
    ///   - target: the number of the routing point's class.
    ///   - arrival: as if it had come then, with what its priority is worth.
    ///   - overflow: from when on an agent anywhere will do; monotonic nanoseconds.
    ///   - end: when the call is forgotten; monotonic nanoseconds.
    mutating func add(
        _ request: RouteRequest, at node: NodeIndex, target: Int, near location: LocationIndex, arrival: UInt64,
        overflow: UInt64, end: UInt64, now: Instant
    ) -> Int {
        tickets += 1
        if !nodes.contains(node) { nodes.append(node) }
        let slot = freeSlots.popLast() ?? calls.count
        if slot == calls.count { calls.append(nil) }
        let call = Call(
            node: node, request: request, target: target, location: location,
            urgency: Urgency(arrival: arrival, ticket: tickets), overflow: overflow, end: end,
            waitsForNear: now.monotonic < overflow)
        calls[slot] = call
        slots[call.key] = slot
        clocks[node, default: NodeClock()].calls += 1
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
        if call.hasPlace { places[call.request.routingPoint, default: 1] -= 1 }
        leaveLine(slot)
        deadlines.set(slot, to: DeadlineQueue.never)
        slots[call.key] = nil
        clocks[call.node]?.calls -= 1
        calls[slot] = nil
        freeSlots.append(slot)
    }

    // MARK: Waiting

    /// The most urgent one goes first.
    ///
    /// - Parameter maximum: how many calls may wait at the routing point. One that has begun to wait keeps its place while an agent
    ///   is being reserved for it.
    /// - Returns: false where there is no room.
    mutating func wait(_ slot: Int, atMost maximum: Int) -> Bool {
        guard let call = calls[slot] else { return false }
        if !call.hasPlace {
            guard places[call.request.routingPoint, default: 0] < maximum else { return false }
            places[call.request.routingPoint, default: 0] += 1
            calls[slot]!.hasPlace = true
        }
        lineUp(slot)
        deadlines.set(slot, to: call.waitsForNear ? min(call.overflow, call.end) : call.end)
        return true
    }

    /// Agents may choose a call. Whoever says so says too whether it may wait for them.
    mutating func lineUp(_ slot: Int) {
        guard let call = calls[slot] else { return }
        if !lines.contains(slot) { positions.linesChanged() }
        guard let node = nodes.firstIndex(of: call.node) else { return }
        lines.set(
            slot, to: call.urgency, in: line(node, call.target, near: call.waitsForNear ? call.location : nil))
    }

    private mutating func leaveLine(_ slot: Int) {
        guard lines.contains(slot) else { return }
        lines.remove(slot)
        positions.linesChanged()
    }

    /// - Parameter location: nil for that of calls that any agent will do for.
    private func line(_ node: Int, _ target: Int, near location: LocationIndex?) -> Int {
        (node * targetCount + target) * (LocationNames.maximumCount + 2) + (location.map { 1 + $0.position } ?? 0)
    }

    /// The most urgent call of those that an agent may have.
    ///
    /// - Parameters:
    ///   - targets: the classes that the agent is good enough for.
    ///   - shunned: nodes whose calls the agent does not get.
    func mostUrgent(
        for dn: DN, at location: LocationIndex, of targets: some Sequence<Int>, notOf shunned: Shunned
    ) -> Int? {
        guard lines.count > 0 else { return nil }
        var numbers: [Int] = []
        for node in nodes.indices where !shunned.contains(nodes[node]) {
            for target in targets {
                numbers.append(line(node, target, near: nil))
                if location != .elsewhere { numbers.append(line(node, target, near: location)) }
            }
        }
        var waiting = lines.ascending(in: numbers)
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
        leaveLine(slot)
        deadlines.set(slot, to: attempt.deadline)
        calls[slot]?.attempt = attempt
    }

    /// Nobody gets the call at present. Whoever says so says too what becomes of it.
    mutating func endAttempt(_ slot: Int) {
        if let former = calls[slot]?.attempt { references[former.reference] = nil }
        calls[slot]?.attempt = nil
        deadlines.set(slot, to: DeadlineQueue.never)
    }

    /// A node is told where a call stands.
    mutating func told(_ slot: Int, _ position: Int, _ now: Instant) {
        calls[slot]?.toldPosition = position
        calls[slot]?.toldAt = now.monotonic
    }

    /// A call whose deadline has come, which it has no more then.
    mutating func due(now: Instant) -> Int? {
        guard let slot = deadlines.due(now) else { return nil }
        deadlines.set(slot, to: DeadlineQueue.never)
        return slot
    }
}
