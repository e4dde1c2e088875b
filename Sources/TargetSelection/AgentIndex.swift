package import AgentSessions
package import ClusterModel

/// The agents that a Stat Server tells of, and which of them can be given a call: those are *offered*.
///
/// Who is offered stands in a heap for each strategy that some routing point uses and each location, so that a choice among
/// 100,000 agents looks at a few. Agents who cannot be given a call are known too, to say why, and stand in no heap.
package struct AgentIndex: Sendable {
    /// Which agents a call may have.
    package enum Reach: Equatable, Sendable {
        case anywhere
        /// At this location only.
        case near(LocationIndex)
        /// At this location, and elsewhere when nobody is free there.
        case nearFirst(LocationIndex)
    }

    /// Who gets the call.
    package struct Choice: Equatable, Sendable {
        package let dn: DN
        package let agent: AgentID
        /// How many agents were looked at.
        package let examined: Int
    }

    /// What keeps a ready agent from being offered.
    enum Hold: Equatable, Sendable {
        case none
        /// A call is on its way to the agent. Only who took the agent ends this.
        case taken
        /// What the Stat Server tells may be older than what is known here. Ends with the next news of the agent, or by time.
        case resting
    }

    struct Record: Sendable {
        var dn: DN
        var agent: AgentID
        var status: AgentStatus
        var since: UInt64
        var location: LocationIndex
        var hold = Hold.none
        var lastChosen: UInt64 = 0
        /// In which snapshot the agent was told of, or after which.
        var snapshot: UInt64

        var isOffered: Bool { status == .ready && hold == .none }
    }

    let limit: Int
    private let seed: UInt64
    var locations = LocationNames()
    var records: [Record?] = []
    private var freeSlots: [Int] = []
    var slots: [DN: Int] = [:]
    /// The strategies that are in use; their heaps are numbered by location.
    var rankings: [(strategy: RoutingStrategy, heaps: RankedHeaps)]
    /// By slot: when an agent has rested for long enough.
    private var rests = DeadlineQueue()
    private var snapshot: UInt64 = 0
    private var choices: UInt64 = 0
    /// Agents that were told of and are not kept, as there are as many as there may be.
    package private(set) var dropped: UInt64 = 0

    /// - Parameters:
    ///   - strategies: those that routing points use.
    ///   - limit: how many agents are kept.
    package init(strategies: [RoutingStrategy], limit: Int, seed: UInt64) {
        rankings = RoutingStrategy.allCases.filter(strategies.contains).map { ($0, RankedHeaps()) }
        self.limit = limit
        self.seed = seed
    }

    /// How many agents are known.
    package var count: Int { slots.count }
    /// How many could be given a call now.
    package var offeredCount: Int { rankings.first?.heaps.count ?? 0 }
    /// How many entries of heaps were put where they are, since ever.
    package var moves: UInt64 { rankings.reduce(0) { $0 &+ $1.heaps.moves } }
    /// When the next agent has rested for long enough: monotonic nanoseconds.
    package var nextDeadline: UInt64? { rests.next }

    package func isOffered(_ dn: DN) -> Bool { slots[dn].flatMap { records[$0]?.isOffered } ?? false }

    /// What is known of the agent of a DN.
    package func row(of dn: DN) -> AgentRow? { slots[dn].flatMap { records[$0] }.map(row) }

    func row(_ record: Record) -> AgentRow {
        AgentRow(
            dn: record.dn, agent: record.agent, status: record.status, since: record.since,
            location: locations.name(of: record.location))
    }

    /// The number of a location, the same as long as the index lives.
    package mutating func location(named name: String) -> LocationIndex { locations.number(of: name) }

    package func location(of dn: DN) -> LocationIndex? { slots[dn].flatMap { records[$0]?.location } }

    // MARK: What the Stat Server tells

    /// The Stat Server tells how an agent is.
    ///
    /// - Returns: whether the agent can be given a call.
    package mutating func told(_ row: AgentRow) -> Bool {
        guard let slot = slots[row.dn] ?? add(row) else { return false }
        guard var record = records[slot] else { return false }
        let isNews = record.status != row.status || record.since != row.since || record.agent != row.agent
        record.agent = row.agent
        record.status = row.status
        record.since = row.since
        record.location = locations.number(of: row.location)
        record.snapshot = snapshot
        if isNews, record.hold == .resting {
            record.hold = .none
            rests.set(slot, to: DeadlineQueue.never)
        }
        records[slot] = record
        forgetOrRank(slot)
        return record.isOffered
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
            dn: row.dn, agent: row.agent, status: .unknown, since: 0, location: .elsewhere, snapshot: snapshot)
        return slot
    }

    /// All agents are told of from the beginning. Who is not told of again until the end is no more.
    package mutating func snapshotBegan() { snapshot &+= 1 }

    package mutating func snapshotEnded() {
        for slot in records.indices {
            guard let record = records[slot], record.snapshot != snapshot else { continue }
            records[slot]?.status = .loggedOut
            forgetOrRank(slot)
        }
    }

    // MARK: Choices

    /// Who would get a call. Whoever wants the agent takes it then.
    ///
    /// - Parameter tried: agents who do not get this call again, by their DNs.
    package func choose(_ strategy: RoutingStrategy, _ reach: Reach, excluding tried: [DN]) -> Choice? {
        guard let ranking = rankings.first(where: { $0.strategy == strategy }) else { return nil }
        let all = 0..<ranking.heaps.heapCount
        let passedOver = tried.compactMap { slots[$0] }
        func choose(_ numbers: Range<Int>) -> Choice? {
            switch strategy.rule {
            case .least: least(ranking.heaps.ascending(in: numbers), passedOver)
            case .anybody: anybody(ranking.heaps, numbers, passedOver)
            }
        }
        return switch reach {
        case .near(.elsewhere): nil
        case .anywhere, .nearFirst(.elsewhere): choose(all)
        case .near(let location): choose(location.position..<location.position + 1)
        case .nearFirst(let location): choose(location.position..<location.position + 1) ?? choose(all)
        }
    }

    private func least(_ ranked: RankedHeaps.Ascending, _ passedOver: [Int]) -> Choice? {
        var ranked = ranked
        while let slot = ranked.next() {
            guard !passedOver.contains(slot) else { continue }
            return choice(slot, examined: ranked.examined)
        }
        return nil
    }

    private func anybody(_ heaps: RankedHeaps, _ numbers: Range<Int>, _ passedOver: [Int]) -> Choice? {
        let excluded = Set(passedOver.compactMap { heaps.position(of: $0, in: numbers) }).sorted()
        let position = RandomChoice.position(
            among: heaps.count(in: numbers), excluding: excluded, draw: mixed(seed ^ mixed(choices)))
        return position.flatMap { choice(heaps.slot(at: $0, in: numbers), examined: 1 + excluded.count) }
    }

    private func choice(_ slot: Int, examined: Int) -> Choice? {
        records[slot].map { Choice(dn: $0.dn, agent: $0.agent, examined: examined) }
    }

    /// A call is on its way to an agent, who is not offered until it is released, or has rested.
    package mutating func take(_ dn: DN) {
        guard let slot = slots[dn] else { return }
        choices &+= 1
        records[slot]?.lastChosen = choices
        records[slot]?.hold = .taken
        rests.set(slot, to: DeadlineQueue.never)
        forgetOrRank(slot)
    }

    /// What the Stat Server has told of an agent is not so any more: it is not offered until news of it come, or the deadline.
    ///
    /// - Parameter deadline: monotonic nanoseconds.
    package mutating func rest(_ dn: DN, until deadline: UInt64) {
        guard let slot = slots[dn] else { return }
        records[slot]?.hold = .resting
        rests.set(slot, to: deadline)
        forgetOrRank(slot)
    }

    /// An agent who was taken, or rests, is offered again if the Stat Server says that it is free.
    ///
    /// - Returns: whether it can be given a call.
    @discardableResult
    package mutating func release(_ dn: DN) -> Bool {
        guard let slot = slots[dn] else { return false }
        records[slot]?.hold = .none
        rests.set(slot, to: DeadlineQueue.never)
        forgetOrRank(slot)
        return isOffered(dn)
    }

    /// The next agent who has rested for long enough.
    package mutating func rested(now: Instant) -> DN? {
        guard let slot = rests.due(now), let dn = records[slot]?.dn else { return nil }
        release(dn)
        return dn
    }

    /// Puts an agent into the heaps where it belongs after a change, or out of them, or forgets it.
    private mutating func forgetOrRank(_ slot: Int) {
        guard let record = records[slot] else { return }
        if record.isOffered { return rank(slot, record) }
        for position in rankings.indices { rankings[position].heaps.remove(slot) }
        // Somebody still has to say what becomes of one who is taken.
        guard record.status == .loggedOut, record.hold != .taken else { return }
        rests.set(slot, to: DeadlineQueue.never)
        slots[record.dn] = nil
        records[slot] = nil
        freeSlots.append(slot)
    }

    private mutating func rank(_ slot: Int, _ record: Record) {
        let agent = RankedAgent(availableSince: record.since, lastChosen: record.lastChosen)
        for position in rankings.indices {
            let rank: UInt64 =
                switch rankings[position].strategy.rule {
                case .least(let rank): rank(agent)
                case .anybody: 0
                }
            rankings[position].heaps.set(slot, to: rank, in: record.location.position)
        }
    }
}
