package import AgentSessions
package import ClusterModel

/// What a Stat Server knows of agents, from what one node tells its clients: the present status of each, since when, and how
/// often and how long each status was there.
///
/// Agents are known by their DNs. Only DNs on which somebody has logged in are kept; a million others cost nothing. What a
/// node tells again after the connection was lost finds its agent as it was left: nothing depends on seeing a login.
package struct StatBoard: Sendable {
    package struct Setup: Sendable {
        /// The data center of each node, by its index.
        package var locations: [String]
        /// The full name of each node, by its index.
        package var nodes: [String]
        package var maximumAgents = 1_000_000
        /// How many changes are kept for subscribers that are behind.
        package var ringCapacity = 65_536
        /// Changes are numbered from the next number on. In every life it has to be greater than all of the one before, as a stamp
        /// of now is, so that a subscriber of an earlier life is not taken for one of this.
        package var firstSequence: UInt64 = 0
        package var faults: Faults = .none

        package init(locations: [String], nodes: [String] = []) {
            self.locations = locations
            self.nodes = nodes
        }
    }

    struct Record: Sendable {
        let dn: DN
        var agent: AgentID
        var profile = AgentProfile.none
        var status: AgentStatus
        /// Milliseconds since 1970.
        var since: UInt64
        /// Whether no status has been told yet.
        var isNew = true
        /// Of the session that was told last.
        var session: Stamp
        var owner: NodeIndex
        var service = Service.inService
        /// What the status was, and since when, before the owner or the feed was lost.
        var former: (status: AgentStatus, since: UInt64)?
        /// On the board's clock: when the status was entered, and when the agent was first seen.
        var entered: UInt64
        var seen: UInt64
        var times = StatusTimes()
        /// In which snapshot the DN was told of, or after which.
        var snapshot: UInt64
    }

    private var setup: Setup
    private(set) var records: [Record?] = []
    private var freeSlots: [Int] = []
    private var slots: [DN: Int] = [:]
    private var clock = StatClock()
    private var snapshot: UInt64 = 0
    private(set) var ring: ChangeRing
    /// Agents that were told of and are not kept, as there are as many as there may be.
    package private(set) var dropped: UInt64 = 0

    package init(_ setup: Setup) {
        self.setup = setup
        ring = ChangeRing(capacity: max(1, setup.ringCapacity), after: setup.firstSequence)
    }

    /// How many agents are known.
    package var count: Int { slots.count }
    /// The number of the latest change.
    package var sequence: UInt64 { ring.latest }

    package func row(of dn: DN) -> AgentRow? { slots[dn].flatMap { records[$0] }.map(row) }

    func row(_ record: Record) -> AgentRow {
        AgentRow(
            dn: record.dn, agent: record.agent, status: record.status, since: record.since,
            location: location(of: record.owner), profile: record.profile, service: record.service,
            owner: name(of: record.owner))
    }

    private func name(of owner: NodeIndex) -> String {
        owner.position < setup.nodes.count ? setup.nodes[owner.position] : ""
    }

    private func location(of owner: NodeIndex) -> String {
        owner.position < setup.locations.count ? setup.locations[owner.position] : ""
    }

    /// Another topology counts from now on.
    ///
    /// - Parameters:
    ///   - locations, nodes: as in the setup.
    ///   - place: of a node in it.
    ///   - isProvisioned: whether it has a DN; of others nothing is known any more.
    mutating func renumber(
        locations: [String], nodes: [String], _ place: (NodeIndex) -> NodeIndex, isProvisioned: (DN) -> Bool,
        now: Instant
    ) {
        clock.moved(to: now.wallMilliseconds)
        setup.locations = locations
        setup.nodes = nodes
        for slot in records.indices {
            guard let record = records[slot] else { continue }
            if isProvisioned(record.dn) { records[slot]!.owner = place(record.owner) } else { forget(slot, now) }
        }
    }

    // MARK: What the node tells

    /// The node tells of all DNs from the beginning. What it does not tell of again until the end is no more.
    package mutating func snapshotBegan() { snapshot &+= 1 }

    package mutating func snapshotEnded(now: Instant) {
        clock.moved(to: now.wallMilliseconds)
        for slot in records.indices {
            guard let record = records[slot], record.snapshot != snapshot else { continue }
            forget(slot, now)
        }
    }

    /// Nothing is known of any agent until it is told again.
    package mutating func feedLost(now: Instant) {
        clock.moved(to: now.wallMilliseconds)
        guard !setup.faults.contains(.statKeepsLost) else { return }
        for slot in records.indices where records[slot] != nil {
            records[slot]!.service = .ownerUnreachable
            enter(.unknown, since: now.wallMilliseconds, slot)
        }
    }

    /// The node tells how a DN is.
    package mutating func told(_ dn: DN, _ view: View, now: Instant) {
        clock.moved(to: now.wallMilliseconds)
        guard let slot = slots[dn] ?? add(dn, view.agent), let known = records[slot] else { return }
        let session = view.agent?.stamp ?? .zero
        if let agent = view.agent?.agent, agent != known.agent {
            // Another agent's statistics are others.
            records[slot] = fresh(dn, agent)
        }
        let hasNewSession = records[slot]?.isNew == true || session != known.session
        let profile = view.agent?.profile ?? .none
        let isOther =
            location(of: known.owner) != location(of: view.owner) || name(of: known.owner) != name(of: view.owner)
            || known.profile != profile || known.service != view.service
        records[slot]?.snapshot = snapshot
        records[slot]?.owner = view.owner
        records[slot]?.service = view.service
        records[slot]?.session = session
        records[slot]?.profile = profile
        if !judge(slot, view, hasNewSession: hasNewSession, now), isOther { publish(slot) }
    }

    /// - Returns: whether the status has changed.
    private mutating func judge(
        _ slot: Int, _ view: View, hasNewSession: Bool, _ now: Instant
    ) -> Bool {
        guard let record = records[slot] else { return false }
        let status = AgentStatus(of: view)
        guard record.isNew || record.status != status else { return false }
        let wall = now.wallMilliseconds
        // Sessions say since when an agent is ready only when they are new; later it may have had calls. Where nothing else
        // was ever known it is the best that there is.
        let isSaid = status.isInCall || hasNewSession || record.status == .unknown && record.former == nil
        let said = isSaid ? status.since(in: view).map { min($0, wall) } : nil
        if let former = record.former, former.status == status, !hasNewSession,
            !status.isInCall || said == nil || said == former.since
        {
            // As it was left: it has been so all the time, as far as anybody knows.
            enter(status, since: former.since, slot, isCounted: false)
        } else {
            enter(status, since: said ?? wall, slot)
        }
        return true
    }

    private mutating func add(_ dn: DN, _ session: AgentSession?) -> Int? {
        guard let session, session.isLoggedIn else { return nil }
        guard slots.count < setup.maximumAgents else {
            dropped += 1
            return nil
        }
        let slot = freeSlots.popLast() ?? records.count
        if slot == records.count { records.append(nil) }
        slots[dn] = slot
        records[slot] = fresh(dn, session.agent)
        return slot
    }

    /// An agent of whom nothing has been told yet.
    private func fresh(_ dn: DN, _ agent: AgentID) -> Record {
        Record(
            dn: dn, agent: agent, status: .unknown, since: 0, session: .zero, owner: .none, entered: clock.elapsed,
            seen: clock.elapsed, snapshot: snapshot)
    }

    private mutating func enter(_ status: AgentStatus, since: UInt64, _ slot: Int, isCounted: Bool = true) {
        guard var record = records[slot], record.isNew || record.status != status else { return }
        record.times.lasted(record.status, clock.elapsed - record.entered)
        if isCounted { record.times.entered(status) }
        record.former = status == .unknown && !record.isNew ? (record.status, record.since) : nil
        record.isNew = false
        record.status = status
        record.since = since
        record.entered = clock.elapsed
        records[slot] = record
        publish(slot)
    }

    private mutating func publish(_ slot: Int) {
        guard let record = records[slot] else { return }
        ring.append(row(record))
    }

    private mutating func forget(_ slot: Int, _ now: Instant) {
        // Why it is so is not known any more.
        records[slot]?.service = .inService
        enter(.loggedOut, since: now.wallMilliseconds, slot)
        guard let record = records[slot] else { return }
        slots[record.dn] = nil
        records[slot] = nil
        freeSlots.append(slot)
    }

    // MARK: Statistics

    /// How often and how long an agent was in each status, up to now. The sum of it all is how long the agent is known.
    package func times(of dn: DN, now: Instant) -> (known: UInt64, times: StatusTimes)? {
        guard let slot = slots[dn], let record = records[slot] else { return nil }
        let elapsed = clock.elapsed(at: now.wallMilliseconds)
        var times = record.times
        times.lasted(record.status, elapsed - record.entered)
        return (elapsed - record.seen, times)
    }
}
