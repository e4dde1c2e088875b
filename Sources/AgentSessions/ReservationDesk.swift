package import ClusterModel

/// Who has reserved the agents of the DNs that a node owns. It decides alone: whoever wants an agent asks the DN's owner.
///
/// A reservation is a lease. It ends by itself, or when its holder cancels it or has gone, the agent leaves, or the DN goes
/// to another owner; so none is ever stuck.
package struct ReservationDesk: Sendable {
    /// How many requests for one agent may wait for the end of a window.
    package static let maximumCandidates = 64

    /// Who asked, so that the answer finds its way back when a window ends.
    package struct Asker: Equatable, Sendable {
        package var holder: ReservationHolder
        /// The ReferenceID, or the number between the nodes.
        package var number: UInt64
        /// Between nodes, the connection that brought the request.
        package var connection: UInt64

        package init(holder: ReservationHolder, number: UInt64, connection: UInt64 = 0) {
            self.holder = holder
            self.number = number
            self.connection = connection
        }
    }

    /// What the desk has to know of a DN to decide.
    package struct Place: Sendable {
        package var dn: DNIndex
        package var name: DN
        /// At its owner.
        package var view: View

        package init(dn: DNIndex, name: DN, view: View) {
            self.dn = dn
            self.name = name
            self.view = view
        }
    }

    package enum Outcome: Equatable, Sendable {
        case reserved(Reservation)
        case cancelled
        /// The same client's earlier request, which waited for the end of a window, is no more, and has no other answer.
        case withdrawn(Asker)
        case refused(ReservationRefusal)
        /// The answer comes with `windowsEnded`.
        case collected
    }

    /// A reservation as long as it lasts.
    package struct Lease: Equatable, Sendable {
        package internal(set) var token: ReservationToken
        package internal(set) var holder: ReservationHolder
        var agent: AgentID
        var priority: Int32
        /// Monotonic nanoseconds.
        package internal(set) var deadline: UInt64
        /// When it began, however often it was made longer since, monotonic nanoseconds.
        package internal(set) var since: UInt64
        /// The call that the token has brought, once it has.
        var call: UInt64?

        /// The token has brought a call that is on its way; it is waited for until the deadline, whoever has gone.
        package var awaitsCall: Bool { call != nil }
    }

    struct Candidate: Sendable {
        var asker: Asker
        var request: ReservationRequest
    }

    private let lineage: Incarnation
    private let usual: UInt64
    private let window: UInt64
    private let arrival: UInt64
    private let hash: SipHash
    private let faults: Faults
    var count: UInt64 = 0
    var leases: [DNIndex: Lease] = [:]
    var windows: [DNIndex: [Candidate]] = [:]
    /// By DN: when its lease or its window ends. A DN never has both.
    var queue = DeadlineQueue()
    /// How many reservations ended because nobody said anything any more.
    package internal(set) var expired: UInt64 = 0

    package struct Setup: Sendable {
        package var lineage: Incarnation
        /// Nanoseconds that a reservation lasts where its request does not say.
        package var usual: UInt64
        /// Nanoseconds for which requests are collected; 0 for first come, first served.
        package var window: UInt64
        /// Nanoseconds that a call may take to come once its token was honoured. For so long the agent stays reserved, whatever becomes
        /// of the reservation's time and holder.
        package var arrival: UInt64 = 0
        package var faults: Faults = .none

        package init(lineage: Incarnation, usual: UInt64, window: UInt64) {
            self.lineage = lineage
            self.usual = usual
            self.window = window
        }
    }

    /// - Parameter secret: two random numbers, for token numbers that nobody can guess and for draws between equals.
    package init(_ setup: Setup, secret: (UInt64, UInt64)) {
        lineage = setup.lineage
        usual = setup.usual
        window = setup.window
        arrival = setup.arrival
        faults = setup.faults
        hash = SipHash(key: secret.0, secret.1)
    }

    /// How many reservations there are.
    package var leaseCount: Int { leases.count }
    /// How many requests wait in the fullest window.
    package var fill: Int { windows.values.reduce(0) { max($0, $1.count) } }
    /// Who has reserved the DN's agent.
    package func lease(of dn: DNIndex) -> Lease? { leases[dn] }
    /// Whether somebody has reserved the DN's agent.
    package func isReserved(_ dn: DNIndex) -> Bool { leases[dn] != nil }
    /// Monotonic nanoseconds.
    package var nextDeadline: UInt64? { queue.next }

    /// A reservation, for operators.
    package struct Summary: Equatable, Sendable {
        package var dn: DNIndex
        package var agent: AgentID
        package var holder: ReservationHolder
        package var priority: Int32
        package var millisecondsLeft: UInt64

        package init(dn: DNIndex, _ lease: Lease, now: Instant) {
            self.dn = dn
            agent = lease.agent
            holder = lease.holder
            priority = lease.priority
            millisecondsLeft = (lease.deadline - min(lease.deadline, now.monotonic)) / 1_000_000
        }
    }

    /// Reservations that there are, by DN.
    package func summaries(limit: Int, now: Instant) -> [Summary] {
        leases.sorted { $0.key < $1.key }.prefix(limit).map { Summary(dn: $0.key, $0.value, now: now) }
    }

    // MARK: Requests

    /// Somebody wants the agent of a DN that this node owns, or wants it no longer.
    package mutating func requested(
        _ request: ReservationRequest, of place: Place, by asker: Asker, now: Instant
    ) -> Outcome {
        if let lease = leases[place.dn], lease.holder == asker.holder {
            return prolong(lease, request, place.dn, now)
        }
        if request.duration == .cancel { return withdraw(place.dn, asker.holder) }
        if let refusal = refusal(of: request, place) { return .refused(refusal) }
        guard window > 0 else { return .reserved(grant(request, place, asker.holder, now)) }
        var candidates = windows[place.dn] ?? []
        if candidates.contains(where: { $0.asker.holder == asker.holder }) { return .refused(.alreadyAsked) }
        guard candidates.count < Self.maximumCandidates else { return .refused(.tooMany) }
        if candidates.isEmpty { queue.set(place.dn.position, to: now.monotonic + window) }
        candidates.append(Candidate(asker: asker, request: request))
        windows[place.dn] = candidates
        return .collected
    }

    private func refusal(of request: ReservationRequest, _ place: Place) -> ReservationRefusal? {
        if let agent = request.agent, let known = place.view.agent, known.isLoggedIn, known.agent != agent {
            return .otherAgent
        }
        if leases[place.dn] != nil { return .taken }
        let availability = Availability(of: place.view)
        return availability.isAvailable ? nil : .unavailable(availability)
    }

    private func nanoseconds(of duration: ReservationRequest.Duration) -> UInt64 {
        switch duration {
        case .cancel: 0
        case .usual: usual
        case .milliseconds(let count): UInt64(count) * 1_000_000
        }
    }

    private mutating func grant(
        _ request: ReservationRequest, _ place: Place, _ holder: ReservationHolder, _ now: Instant
    ) -> Reservation {
        count += 1
        // Without an agent nobody gets here.
        let agent = place.view.agent!.agent
        // The mistake has numbers that come again in every life.
        let number = faults.contains(.leaseSurvivesRestart) ? count / 8 : drawn(count, place.dn)
        let token = ReservationToken(dn: place.name, claim: place.view.stamp, lineage: lineage, number: number)
        let duration = nanoseconds(of: request.duration)
        leases[place.dn] = Lease(
            token: token, holder: holder, agent: agent, priority: request.priority,
            deadline: now.monotonic + duration, since: now.monotonic)
        queue.set(place.dn.position, to: now.monotonic + duration)
        return Reservation(
            token: token, agent: agent, priority: request.priority,
            milliseconds: UInt32(clamping: duration / 1_000_000))
    }

    private func drawn(_ number: UInt64, _ dn: DNIndex) -> UInt64 {
        var bytes: [UInt8] = []
        for word in [number, UInt64(dn.rawValue)] {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
        }
        return hash.hash(bytes.span)
    }

    private mutating func prolong(
        _ lease: Lease, _ request: ReservationRequest, _ dn: DNIndex, _ now: Instant
    ) -> Outcome {
        if request.duration == .cancel {
            // A call that is on its way comes all the same.
            if lease.call == nil { end(dn) }
            return .cancelled
        }
        if let agent = request.agent, agent != lease.agent { return .refused(.otherAgent) }
        let duration = nanoseconds(of: request.duration)
        let former = lease.call == nil ? 0 : lease.deadline
        leases[dn]!.deadline = max(former, now.monotonic + duration)
        leases[dn]!.priority = request.priority
        queue.set(dn.position, to: leases[dn]!.deadline)
        return .reserved(
            Reservation(
                token: lease.token, agent: lease.agent, priority: request.priority,
                milliseconds: UInt32(clamping: duration / 1_000_000)))
    }

    private mutating func withdraw(_ dn: DNIndex, _ holder: ReservationHolder) -> Outcome {
        guard let position = windows[dn]?.firstIndex(where: { $0.asker.holder == holder }) else {
            return .refused(.notHeld)
        }
        let candidate = windows[dn]!.remove(at: position)
        if windows[dn]!.isEmpty { end(dn) }
        return .withdrawn(candidate.asker)
    }

    private mutating func end(_ dn: DNIndex) {
        leases[dn] = nil
        windows[dn] = nil
        queue.set(dn.position, to: DeadlineQueue.never)
    }

    // MARK: Tokens

    /// A call comes with a token: may it have the agent? The same call may ask again.
    ///
    /// - Parameter call: which one; for one that is to come here its ConnID.
    package mutating func redeem(
        _ token: ReservationToken, for call: UInt64, of place: Place, now: Instant
    ) -> ReservationRefusal? {
        if faults.contains(.tokenUnchecked) { return nil }
        guard let lease = leases[place.dn], lease.deadline > now.monotonic else { return .staleToken }
        let isGenuine =
            token.dn == place.name && token.number == lease.token.number
            && (token.claim == place.view.stamp || faults.contains(.grantsOutliveClaim))
            && (token.lineage == lineage || faults.contains(.leaseSurvivesRestart))
        guard isGenuine else { return .staleToken }
        guard lease.call == nil || lease.call == call else { return .spent }
        // Somebody has called the agent directly.
        if place.view.occupancy.contains(.busy) { return .unavailable(.busy) }
        if lease.call == nil, arrival > 0 {
            leases[place.dn]!.deadline = max(lease.deadline, now.monotonic + arrival)
            queue.set(place.dn.position, to: leases[place.dn]!.deadline)
        }
        leases[place.dn]!.call = call
        return nil
    }

    /// The DN has calls: if one of them is the one that its token has brought, the reservation has done its work. Others may come in
    /// between, such as those that are dialled directly.
    ///
    /// - Returns: whether the agent was reserved and is so no longer.
    package mutating func callsArrived(_ dn: DNIndex, _ calls: [DNCall]) -> Bool {
        guard let call = leases[dn]?.call, calls.contains(where: { $0.connection.rawValue == call }) else {
            return false
        }
        end(dn)
        return true
    }

    // MARK: Ends

    /// A client has gone.
    ///
    /// - Returns: the DNs whose agents are free again, sorted.
    package mutating func holderGone(_ holder: ReservationHolder) -> [DNIndex] {
        free(evenCalled: false) { $0 == holder }
    }

    /// A node cannot be heard any more; its clients cannot use what they hold.
    ///
    /// - Returns: the DNs whose agents are free again, sorted.
    package mutating func nodeLost(_ node: NodeIndex) -> [DNIndex] {
        free(evenCalled: true) { $0.node == node }
    }

    /// - Parameter evenCalled: also those whose call is on its way.
    private mutating func free(evenCalled: Bool, _ isGone: (ReservationHolder) -> Bool) -> [DNIndex] {
        guard !leases.isEmpty || !windows.isEmpty else { return [] }
        let freed = leases.filter { isGone($0.value.holder) && (evenCalled || $0.value.call == nil) }.keys.sorted()
        for dn in freed { end(dn) }
        for dn in windows.keys.sorted() {
            windows[dn]!.removeAll { isGone($0.asker.holder) }
            if windows[dn]!.isEmpty { end(dn) }
        }
        return freed
    }

    /// The agent cannot be had any more: left, taken by a call, or gone to another owner with the DN.
    ///
    /// - Returns: whether the agent was reserved, and who waited for the end of a window.
    package mutating func agentLeft(_ dn: DNIndex) -> (wasReserved: Bool, waiting: [Asker]) {
        guard leases[dn] != nil || windows[dn] != nil else { return (false, []) }
        let result = (leases[dn] != nil, (windows[dn] ?? []).map(\.asker))
        if !faults.contains(.grantsOutliveClaim) { end(dn) }
        return result
    }

    /// A DN whose reservation or window is over.
    package enum Due: Equatable, Sendable {
        case lease(DNIndex)
        case window(DNIndex)
    }

    /// What is over now; it is until `expire` or `close` has been told of it.
    package func due(now: Instant) -> Due? {
        guard let position = queue.due(now) else { return nil }
        let dn = DNIndex(position)
        return windows[dn] == nil ? .lease(dn) : .window(dn)
    }

    /// A reservation is over.
    package mutating func expire(_ dn: DNIndex) {
        end(dn)
        expired += 1
    }

    /// A window is over: one of those with the highest priority gets the agent, if there is one to get.
    ///
    /// - Returns: what each is told, in the order in which they asked.
    package mutating func close(
        _ place: Place, now: Instant
    ) -> [(asker: Asker, outcome: Outcome)] {
        let candidates = windows[place.dn] ?? []
        end(place.dn)
        let able = candidates.indices.filter { refusal(of: candidates[$0].request, place) == nil }
        let best = able.map { candidates[$0].request.priority }.max()
        let equals = able.filter { candidates[$0].request.priority == best }
        var winner: Int?
        if !equals.isEmpty {
            count += 1
            winner = equals[Int(drawn(count, place.dn) % UInt64(equals.count))]
        }
        return candidates.indices.map { position in
            let candidate = candidates[position]
            if position == winner {
                return (candidate.asker, .reserved(grant(candidate.request, place, candidate.asker.holder, now)))
            }
            return (
                candidate.asker, .refused(able.contains(position) ? .taken : refusal(of: candidate.request, place)!)
            )
        }
    }
}
