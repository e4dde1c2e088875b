package import AgentSessions
package import ClusterModel

/// The agents that a Stat Server tells of, and which of them can be given a call: those are *offered*.
///
/// Who is offered stands in a heap for each class of routing points that he is good enough for and each location, so that a choice
/// among 100,000 agents looks at a few. Agents who cannot be given a call are known too, to say why, and stand in no heap.
package struct AgentIndex: Sendable {
    /// Which agents a call may have.
    package enum Reach: Equatable, Sendable {
        case anywhere
        /// At this location only.
        case near(LocationIndex)
        /// At this location, and elsewhere when nobody is free there.
        case nearFirst(LocationIndex)
    }

    /// What keeps a ready agent from being offered.
    enum Hold: Equatable, Sendable {
        case none
        /// A call is on its way to the agent. Only who took the agent ends this.
        case taken
        /// What the Stat Server tells may be older than what is known here. Ends with the next news of the agent, or by time:
        /// monotonic nanoseconds.
        case resting(until: UInt64)

        var isResting: Bool { if case .resting = self { true } else { false } }
    }

    struct Record: Sendable {
        var dn: DN
        var agent: AgentID
        var status: AgentStatus
        var since: UInt64
        var location: LocationIndex
        var profile = AgentProfile.none
        var hold = Hold.none
        var lastChosen: UInt64 = 0
        /// The classes that the agent is good enough for.
        var memberships: [Membership]
        /// The nodes whose calls the agent is kept from.
        var shunned = Shunned()
        var isRanked = false
        /// In which snapshot the agent was told of, or after which.
        var snapshot: UInt64

        var isOffered: Bool { status == .ready && hold == .none }
    }

    let limit: Int
    let seed: UInt64
    var locations = LocationNames()
    var records: [Record?] = []
    private var freeSlots: [Int] = []
    var slots: [DN: Int] = [:]
    /// By number of the class.
    var rankings: [Ranking]
    let numbers: [TargetClass: Int]
    /// The classes of agents who are good at nothing.
    private let usualMemberships: [Membership]
    var groups = ShunnedGroups()
    /// By slot: when an agent has rested for long enough, or is kept from a node's calls no longer.
    private var rests = DeadlineQueue()
    private var snapshot: UInt64 = 0
    var choices: UInt64 = 0
    /// How many could be given a call now.
    package internal(set) var offeredCount = 0
    /// Agents that were told of and are not kept, as there are as many as there may be.
    package private(set) var dropped: UInt64 = 0

    /// - Parameters:
    ///   - classes: those of the routing points.
    ///   - limit: how many agents are kept.
    package init(classes: [TargetClass], limit: Int, seed: UInt64) {
        var numbers: [TargetClass: Int] = [:]
        var rankings: [Ranking] = []
        for target in classes where numbers[target] == nil {
            numbers[target] = rankings.count
            rankings.append(Ranking(target: target))
        }
        self.numbers = numbers
        self.rankings = rankings
        usualMemberships = Self.memberships(of: .none, in: rankings)
        self.limit = limit
        self.seed = seed
    }

    /// How many agents are known.
    package var count: Int { slots.count }
    /// How many entries of heaps were put where they are, since ever.
    package var moves: UInt64 { rankings.reduce(0) { $0 &+ $1.heaps.moves } }
    /// When `rested` has something to do: monotonic nanoseconds.
    package var nextDeadline: UInt64? { rests.next }

    package func isOffered(_ dn: DN) -> Bool { slots[dn].flatMap { records[$0]?.isOffered } ?? false }

    /// What is known of the agent of a DN.
    package func row(of dn: DN) -> AgentRow? { slots[dn].flatMap { records[$0] }.map(row) }

    func row(_ record: Record) -> AgentRow {
        AgentRow(
            dn: record.dn, agent: record.agent, status: record.status, since: record.since,
            location: locations.name(of: record.location), profile: record.profile)
    }

    func record(of dn: DN) -> Record? { slots[dn].flatMap { records[$0] } }

    /// The number of a location, the same as long as the index lives.
    package mutating func location(named name: String) -> LocationIndex { locations.number(of: name) }

    // MARK: What the Stat Server tells

    /// The Stat Server tells how an agent is.
    ///
    /// - Returns: whether the agent can be given a call.
    package mutating func told(_ row: AgentRow) -> Bool {
        guard let slot = slots[row.dn] ?? add(row) else { return false }
        guard var record = records[slot] else { return false }
        if record.profile != row.profile {
            leaveHeaps(&record, slot)
            record.memberships =
                row.profile == .none ? usualMemberships : Self.memberships(of: row.profile, in: rankings)
        }
        let isNews =
            record.status != row.status || record.since != row.since || record.agent != row.agent
            || record.profile != row.profile
        record.agent = row.agent
        record.status = row.status
        record.since = row.since
        record.profile = row.profile
        record.location = locations.number(of: row.location)
        record.snapshot = snapshot
        if isNews {
            if record.hold.isResting { record.hold = .none }
            groups.set(&record.shunned, to: Shunned())
        }
        return settle(record, slot)
    }

    private mutating func add(_ row: AgentRow) -> Int? {
        guard row.status != .loggedOut else { return nil }
        guard slots.count < limit else {
            dropped += 1
            return nil
        }
        let slot = freeSlots.popLast() ?? records.count
        if slot == records.count { records.append(nil) }
        slots[row.dn] = slot
        // The since of nobody: what is told is news.
        records[slot] = Record(
            dn: row.dn, agent: row.agent, status: .unknown, since: 0, location: .elsewhere,
            memberships: usualMemberships, snapshot: snapshot)
        return slot
    }

    /// All agents are told of from the beginning. Who is not told of again until the end is no more.
    package mutating func snapshotBegan() { snapshot &+= 1 }

    package mutating func snapshotEnded() {
        for slot in records.indices {
            guard var record = records[slot], record.snapshot != snapshot else { continue }
            record.status = .loggedOut
            settle(record, slot)
        }
    }

    // MARK: Holds

    /// A call is on its way to an agent, who is not offered until it is released, or has rested.
    package mutating func take(_ dn: DN) {
        guard let slot = slots[dn], var record = records[slot] else { return }
        choices &+= 1
        record.lastChosen = choices
        record.hold = .taken
        settle(record, slot)
    }

    /// What the Stat Server has told of an agent is not so any more: it is not offered until news of it come, or the deadline.
    ///
    /// - Parameter deadline: monotonic nanoseconds.
    package mutating func rest(_ dn: DN, until deadline: UInt64) {
        guard let slot = slots[dn], var record = records[slot] else { return }
        record.hold = .resting(until: deadline)
        settle(record, slot)
    }

    /// An agent who was taken, or rests, is offered again if the Stat Server says that it is free.
    ///
    /// - Returns: whether it can be given a call.
    @discardableResult
    package mutating func release(_ dn: DN) -> Bool {
        guard let slot = slots[dn], var record = records[slot] else { return false }
        record.hold = .none
        return settle(record, slot)
    }

    /// A node cannot reach an agent who was taken: the agent is kept from the calls of that node until news of it come, or the
    /// deadline, and offered to all others. Where too many are kept from too different nodes it rests instead.
    ///
    /// - Parameter deadline: monotonic nanoseconds.
    package mutating func keep(_ dn: DN, fromCallsOf node: NodeIndex, until deadline: UInt64) {
        guard let slot = slots[dn], var record = records[slot] else { return }
        var shunned = record.shunned
        shunned.insert(node, until: deadline)
        record.hold = groups.set(&record.shunned, to: shunned) ? .none : .resting(until: deadline)
        settle(record, slot)
    }

    /// The next agent who has rested for long enough, or whom another node's calls may have again.
    package mutating func rested(now: Instant) -> DN? {
        guard let slot = rests.due(now), var record = records[slot] else { return nil }
        if case .resting(let deadline) = record.hold, deadline <= now.monotonic { record.hold = .none }
        var shunned = record.shunned
        shunned.removeEnded(now.monotonic)
        // What has fewer nodes had room before.
        if !groups.set(&record.shunned, to: shunned) { groups.set(&record.shunned, to: Shunned()) }
        settle(record, slot)
        return record.dn
    }

    /// Puts an agent into the heaps where it belongs after a change, or out of them, or forgets it.
    ///
    /// - Returns: whether it can be given a call.
    @discardableResult
    private mutating func settle(_ changed: Record, _ slot: Int) -> Bool {
        var record = changed
        if record.isOffered { enterHeaps(&record, slot) } else { leaveHeaps(&record, slot) }
        // Somebody still has to say what becomes of one who is taken.
        if record.status == .loggedOut, record.hold != .taken {
            groups.set(&record.shunned, to: Shunned())
            rests.set(slot, to: DeadlineQueue.never)
            slots[record.dn] = nil
            records[slot] = nil
            freeSlots.append(slot)
            return false
        }
        var deadline = record.shunned.firstEnd
        if case .resting(let end) = record.hold { deadline = min(deadline, end) }
        rests.set(slot, to: deadline)
        records[slot] = record
        return record.isOffered
    }
}
