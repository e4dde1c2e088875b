package import ClusterModel

/// The bounds and timers of DN ownership.
package struct OwnershipConfiguration: Equatable, Sendable {
    package var timing: Timing
    /// How many revisions a peer may miss and still resume without a snapshot.
    package var ringCapacity: Int
    /// The most records in one message.
    package var chunkRecords: Int
    /// The most agent sessions in one message, which end it before it has as many records as it might: a session is as long
    /// as its texts.
    package var chunkSessions: Int
    /// Stamps further ahead of the local clock than this close the link, so that one wrong clock cannot drag all.
    package var clockRefusal: Duration
    package var faults: Faults

    package init(
        timing: Timing = Timing(), ringCapacity: Int = 65_536, chunkRecords: Int = 2_048,
        chunkSessions: Int = 512, clockRefusal: Duration = .seconds(60), faults: Faults = .none
    ) {
        self.timing = timing
        self.ringCapacity = ringCapacity
        self.chunkRecords = chunkRecords
        self.chunkSessions = chunkSessions
        self.clockRefusal = clockRefusal
        self.faults = faults
    }

    /// Whether a stamp is of a clock that must be wrong: nobody takes it.
    package func refuses(_ stamp: Stamp, now: Instant) -> Bool {
        stamp.milliseconds > now.wallMilliseconds + clockRefusal.nanoseconds / 1_000_000
    }
}

/// Who this node is.
package struct NodeIdentity: Equatable, Sendable {
    package var index: NodeIndex
    package var incarnation: Incarnation
    /// The first incarnation of an unbroken chain of handovers.
    package var lineage: Incarnation
    package var generation: UInt64

    package init(index: NodeIndex, incarnation: Incarnation, lineage: Incarnation, generation: UInt64) {
        self.index = index
        self.incarnation = incarnation
        self.lineage = lineage
        self.generation = generation
    }
}

/// Who owns every DN, and what this node may show of it: the decisions of one node, without I/O, clock or chance.
///
/// Events are methods; what has to be done is appended to `actions`, in order. Messages to peers are pulled with
/// `nextMessage(for:now:)`, so everything that waits for a peer is a position in state that exists anyway.
/// ARCHITECTURE.md states the rules.
package struct OwnershipMachine: Sendable {
    package let topology: Topology
    package let identity: NodeIdentity
    package let configuration: OwnershipConfiguration

    var clock: HybridClock
    var records: [Record]
    /// Of the DNs on which somebody has ever logged in.
    var sessions: [DNIndex: HeldSession] = [:]
    /// Of the DNs that have had a call under the claim of their record, as its owner said last.
    var calls: [DNIndex: DNCalls] = [:]
    /// By node index; the place of this node itself stays unused.
    var links: [Link]
    /// Accepted connections whose hello has not come, with the time at which they are given up.
    var strangers: [ConnectionID: UInt64] = [:]

    /// What this node has said: the DN of every revision still held, at `revision % ringCapacity`.
    var ring: [DNIndex]
    var revision: UInt64 = 0
    /// The revision before the first that this process's ring can hold: what was said by a process before it, and was not handed
    /// over, is not there.
    var ringFloor: UInt64 = 0
    var ownCount: UInt64 = 0
    var ownDigest: UInt64 = 0
    package internal(set) var ownInService = 0

    /// Provisional records in the order of their deadlines; the front is at `provisionalsHead`.
    var provisionals: [(deadline: UInt64, dn: DNIndex, claim: Claim)] = []
    var provisionalsHead = 0
    var random: UInt64

    let keepalive: UInt64
    let linkTimeout: UInt64

    /// - Parameters:
    ///   - seed: for the spread of dial times; any number.
    ///   - greatestStamp: where an earlier life of this node stopped, and when the latest DN was introduced: what is claimed from now
    ///     on counts, whatever the wall clock says.
    package init(
        topology: Topology, identity: NodeIdentity, configuration: OwnershipConfiguration, seed: UInt64, now: Instant,
        greatestStamp: Stamp = .zero
    ) {
        self.topology = topology
        self.identity = identity
        self.configuration = configuration
        clock = HybridClock(startingAbove: greatestStamp)
        records = Array(repeating: Record(), count: topology.directory.count)
        links = topology.nodes.indices.map { position in
            var link = Link()
            if identity.index.position < position { link.nextDial = now.monotonic }
            return link
        }
        ring = Array(repeating: DNIndex(0), count: configuration.ringCapacity)
        random = mixed(seed ^ identity.incarnation.rawValue)
        keepalive = configuration.timing.keepalive.nanoseconds
        linkTimeout = configuration.timing.linkTimeout.nanoseconds
    }

    package var me: NodeIndex { identity.index }

    // MARK: What this node shows

    /// What this node shows its clients of a DN: the owner's word, or that the owner cannot be heard. Inlined: a call in the
    /// middle of a change would copy the whole machine.
    @inline(__always)
    package func view(of dn: DNIndex) -> View {
        let record = records[dn.position]
        let service = visibleService(of: record)
        let isHeard = service != .ownerUnreachable
        return View(
            service: service, owner: record.owner, stamp: record.stamp, occupancy: isHeard ? record.occupancy : [],
            agent: sessions[dn]?.session, calls: isHeard ? calls[dn] : nil)
    }

    /// The greatest agent session that this node knows of a DN.
    package func session(of dn: DNIndex) -> AgentSession? { sessions[dn]?.session }

    /// DNs that an agent is logged in on, as far as this node has heard, in order.
    package func dnsWithAgent() -> [DNIndex] {
        sessions.filter { $0.value.session.isLoggedIn }.map(\.key).sorted()
    }

    @inline(__always)
    func visibleService(of record: Record) -> Service {
        if record.owner == .none { return .neverRegistered }
        if record.owner == me || links[record.owner.position].phase == .live { return record.service }
        if record.isProvisional, configuration.faults.contains(.relayedService) { return record.service }
        return .ownerUnreachable
    }

    /// The owner's own last word, whether or not the owner can be heard now.
    package func lastWord(of dn: DNIndex) -> Service {
        records[dn.position].service
    }

    package func owns(_ dn: DNIndex) -> Bool {
        records[dn.position].owner == me
    }

    package func isReachable(_ node: NodeIndex) -> Bool {
        node == me || (node != .none && links[node.position].phase == .live)
    }

    // MARK: Changing records

    /// What becomes of the calls of a DN when its record changes. They belong to a claim, and end with it.
    enum CallsChange {
        case none
        case replace(DNCalls?)
    }

    /// Changes a record, its session if there is a new one, and its calls, and tells if that changed the view.
    mutating func update(
        _ dn: DNIndex, session: AgentSession? = nil, calls change: CallsChange = .none,
        _ actions: inout [OwnershipAction], _ changeRecord: (inout Record) -> Void = { _ in }
    ) {
        let before = view(of: dn)
        changeRecord(&records[dn.position])
        if let session { sessions[dn, default: HeldSession(session: session)].session = session }
        if case .replace(let calls) = change, calls != nil || !self.calls.isEmpty { self.calls[dn] = calls }
        let after = view(of: dn)
        if before != after { actions.append(.viewChanged(dn, from: before, to: after)) }
    }

    /// Changes a record that this node owns before or after the change, keeps the sums, and says it to all peers.
    mutating func updateOwn(
        _ dn: DNIndex, session: AgentSession? = nil, calls: CallsChange = .none, isAnnounced: Bool = true,
        _ actions: inout [OwnershipAction], _ change: (inout Record) -> Void = { _ in }
    ) {
        let name = topology.directory.dn(at: dn)
        countOwn(dn, name, adding: false)
        update(dn, session: session, calls: calls, &actions, change)
        countOwn(dn, name, adding: true)
        guard isAnnounced else { return }
        revision += 1
        ring[Int(revision % UInt64(ring.count))] = dn
        records[dn.position].saidRevision = revision
    }

    /// Adds what is held of an own DN to the sums.
    mutating func countOwn(_ dn: DNIndex) { countOwn(dn, topology.directory.dn(at: dn), adding: true) }

    private mutating func countOwn(_ dn: DNIndex, _ name: DN, adding: Bool) {
        let record = records[dn.position]
        guard record.owner == me else { return }
        let digest = Record.digest(
            of: name, stamp: record.stamp, service: record.service, occupancy: record.occupancy,
            session: sessions[dn]?.session.digest ?? 0, calls: calls[dn]?.digest ?? 0)
        if adding {
            ownCount += 1
            ownDigest &+= digest
            if record.service.isInService { ownInService += 1 }
        } else {
            ownCount -= 1
            ownDigest &-= digest
            if record.service.isInService { ownInService -= 1 }
        }
    }

    // MARK: Registrations

    /// A phone's or desktop's registration was accepted here: this node owns the DN, and the DN is in service.
    ///
    /// A refresh at the owner makes no new claim and, unless the DN was out of service, says nothing to anybody.
    package mutating func registrationAccepted(_ dn: DNIndex, now: Instant, _ actions: inout [OwnershipAction]) {
        registrationAccepted(dn, stamp: clock.next(wallMilliseconds: now.wallMilliseconds), &actions)
    }

    /// The same, of a registration that got its stamp when it came and was written down since.
    package mutating func registrationAccepted(
        _ dn: DNIndex, stamp: Stamp, _ actions: inout [OwnershipAction]
    ) {
        let record = records[dn.position]
        if record.owner == me {
            if !configuration.faults.contains(.refreshNotNoted) {
                records[dn.position].registered = max(record.registered, stamp)
            }
            guard !record.service.isInService else { return }
            updateOwn(dn, &actions) { $0.service = .inService }
        } else {
            claim(dn, Claim(owner: me, stamp: stamp), registered: stamp, service: .inService, &actions)
        }
    }

    /// A removal arrived here for a DN whose owner cannot be heard: this node claims the DN, out of service.
    package mutating func removalAccepted(_ dn: DNIndex, now: Instant, _ actions: inout [OwnershipAction]) {
        removalAccepted(dn, stamp: clock.next(wallMilliseconds: now.wallMilliseconds), &actions)
    }

    /// The same, of one that got its stamp when it came.
    package mutating func removalAccepted(_ dn: DNIndex, stamp: Stamp, _ actions: inout [OwnershipAction]) {
        claim(dn, Claim(owner: me, stamp: stamp), registered: stamp, service: .unregistered, &actions)
    }

    /// The phones of a DN that this node owns have taken their leave. That is their last word, as a registration is, and counts
    /// against older ones elsewhere.
    package mutating func unregistered(_ dn: DNIndex, stamp: Stamp, _ actions: inout [OwnershipAction]) {
        guard records[dn.position].owner == me else { return }
        records[dn.position].registered = max(records[dn.position].registered, stamp)
        serviceLost(dn, reason: .unregistered, &actions)
    }

    /// Whether a greater claim than one with this stamp of this node's has been heard: what waited with it comes too late.
    package func isSuperseded(_ dn: DNIndex, _ stamp: Stamp) -> Bool {
        let record = records[dn.position]
        return record.owner != me && !record.isSuperseded(by: Claim(owner: me, stamp: stamp))
    }

    /// This node's own claim to a DN, and when somebody registered there last; nil of a DN that it does not own.
    package func ownClaim(of dn: DNIndex) -> (claim: Stamp, registered: Stamp)? {
        let record = records[dn.position]
        return record.owner == me ? (record.stamp, record.registered) : nil
    }

    /// Takes back what an earlier life of this node has kept of a DN that it owned. Before the first event.
    package mutating func restore(
        _ dn: DNIndex, claim: Stamp, registered: Stamp, service: Service, session: AgentSession?,
        _ actions: inout [OwnershipAction]
    ) {
        observe(max(claim, registered, session?.stamp ?? .zero))
        self.claim(
            dn, Claim(owner: me, stamp: claim), registered: registered, service: service, session: session, &actions)
    }

    /// The last binding or desktop of a DN is gone. The claim stays; only the owner's own word counts.
    package mutating func serviceLost(_ dn: DNIndex, reason: Service, _ actions: inout [OwnershipAction]) {
        let record = records[dn.position]
        guard record.owner == me || configuration.faults.contains(.peerExpires) else { return }
        guard record.service != reason, !reason.isInService else { return }
        updateOwn(dn, &actions) { $0.service = reason }
    }

    /// The agent of a DN that this node owns did something.
    ///
    /// - Returns: false, and nothing changes, when another node owns the DN, or the session is none of now.
    @discardableResult
    package mutating func sessionChanged(
        _ dn: DNIndex, to session: AgentSession, _ actions: inout [OwnershipAction]
    ) -> Bool {
        guard records[dn.position].owner == me, isNews(session, of: dn) else { return false }
        updateOwn(dn, session: session, &actions)
        return true
    }

    /// Whether a session is greater than the one that is held.
    func isNews(_ session: AgentSession, of dn: DNIndex) -> Bool {
        sessions[dn].map { $0.session < session } ?? true
    }

    /// What keeps a DN that this node owns from another call.
    package mutating func occupancyChanged(
        _ dn: DNIndex, to occupancy: Occupancy, _ actions: inout [OwnershipAction]
    ) {
        guard records[dn.position].owner == me, records[dn.position].occupancy != occupancy else { return }
        updateOwn(dn, &actions) { $0.occupancy = occupancy }
    }

    /// The calls of a DN that this node owns, with what keeps it from another one.
    package mutating func callsChanged(
        _ dn: DNIndex, to calls: DNCalls?, _ occupancy: Occupancy, _ actions: inout [OwnershipAction]
    ) {
        let record = records[dn.position]
        guard record.owner == me, record.occupancy != occupancy || self.calls[dn] != calls else { return }
        updateOwn(dn, calls: .replace(calls), &actions) { $0.occupancy = occupancy }
    }

    /// The calls of a DN, in its owner's last word.
    package func calls(of dn: DNIndex) -> DNCalls? { calls[dn] }

    /// What keeps a DN from another call, in its owner's last word.
    package func occupancy(of dn: DNIndex) -> Occupancy { records[dn.position].occupancy }

    /// Whether a claim counts that this node makes now. Not where its clock, and all that it has heard, is from before the DN was
    /// introduced: everybody, this node too, would take it for another DN's.
    package func canClaim(_ dn: DNIndex, now: Instant) -> Bool {
        !topology.directory.isVoid(
            max(clock.greatest, Stamp(milliseconds: now.wallMilliseconds, counter: 0)), of: dn)
    }

    /// A stamp greater than any that this node has issued or heard.
    package mutating func nextStamp(now: Instant) -> Stamp { clock.next(wallMilliseconds: now.wallMilliseconds) }

    /// The stamp of what has happened at a time that has passed: greater ones may have been issued since.
    ///
    /// - Parameter milliseconds: since 1970.
    package mutating func stamp(ofMilliseconds milliseconds: UInt64) -> Stamp {
        let stamp = Stamp(milliseconds: milliseconds, counter: 0)
        clock.observe(stamp)
        return stamp
    }

    /// Makes this node the owner by a claim of its own. The session stays; what belongs to a claim ends with it.
    ///
    /// - Parameter session: one that was heard just now, if it is greater than the one held.
    mutating func claim(
        _ dn: DNIndex, _ claim: Claim, registered: Stamp, service: Service, session: AgentSession? = nil,
        _ actions: inout [OwnershipAction]
    ) {
        setAsideWord(of: dn)
        updateOwn(dn, session: session, calls: .replace(nil), &actions) { record in
            record.owner = claim.owner
            record.stamp = claim.stamp
            record.registered = registered
            record.service = service
            record.occupancy = []
            record.isSaid = false
            record.isProvisional = false
        }
    }

    /// The present owner's word is about to be superseded: its digest stays in the sum of its link until it drops the
    /// record in its own stream.
    mutating func setAsideWord(of dn: DNIndex) {
        let record = records[dn.position]
        guard record.isSaid, record.owner != .none, record.owner != me else { return }
        setAside(saidDigest(of: dn, topology.directory.dn(at: dn)), of: dn, by: record.owner)
        records[dn.position].isSaid = false
    }

    /// What the owner's word about a DN has added to the sum of its link.
    func saidDigest(of dn: DNIndex, _ name: DN) -> UInt64 {
        let record = records[dn.position]
        return Record.digest(
            of: name, stamp: record.stamp, service: record.service, occupancy: record.occupancy,
            session: sessions[dn]?.said ?? 0, calls: calls[dn]?.digest ?? 0)
    }

    /// A peer's word is in the sum of its link, and a greater claim is known here.
    mutating func setAside(_ digest: UInt64, of dn: DNIndex, by peer: NodeIndex) {
        if configuration.faults.contains(.supersededWordDropped) {
            links[peer.position].saidCount -= 1
            links[peer.position].saidDigest &-= digest
        } else {
            links[peer.position].superseded[dn] = digest
        }
    }

    /// The clock moves past every stamp that is heard.
    mutating func observe(_ stamp: Stamp) {
        if !configuration.faults.contains(.stampNotAdvanced) { clock.observe(stamp) }
    }
}
