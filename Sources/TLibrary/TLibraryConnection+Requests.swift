import AgentSessions
import ClusterModel
import TLibraryPorts
import Wire

// Requests, by the T-Library's names. Each waits for its answer and throws `TLibraryClientError`: `refused` with the T-Library's
// number where the node says no, and `invalid` for what cannot be asked, before anything is sent.
extension TLibraryConnection {
    // MARK: DNs

    /// TRegisterAddress: from here on the events of the DN come. On a PSTN DN that nobody serves, or with `takeover`, the
    /// node becomes its owner, and the DN is in service for as long as this connection lasts.
    ///
    /// - Parameters:
    ///   - ownerHint: whether the node is to say where the owner is, whenever that is another node.
    ///   - desktop: of an earlier EventRegistered, by a desktop that comes back, to whatever node.
    /// - Returns: EventRegistered.
    @discardableResult
    public func register(
        _ dn: String, takeover: Bool = false, ownerHint: Bool = false, desktop: UInt64? = nil
    ) async throws -> TLibraryEvent {
        try Self.check(dn)
        return try await ask {
            .registerAddress(
                referenceID: $0, dn: dn, takeover: takeover, ownerHint: ownerHint,
                desktop: desktop.map(DesktopToken.init(number:)))
        }
    }

    /// TUnregisterAddress: ends what `register` began.
    ///
    /// - Returns: EventUnregistered.
    @discardableResult
    public func unregister(_ dn: String) async throws -> TLibraryEvent {
        try Self.check(dn)
        return try await ask { .unregisterAddress(referenceID: $0, dn: dn) }
    }

    /// TQueryAddress: a DN in its owner's words, or as the node shows it if the owner cannot be asked.
    ///
    /// - Returns: EventAddressInfo.
    public func query(_ dn: String) async throws -> TLibraryEvent {
        try Self.check(dn)
        return try await ask { .queryAddress(referenceID: $0, dn: dn) }
    }

    /// What is no DN the node would not answer but hang up on, if it is long.
    private static func check(_ dn: String) throws(TLibraryClientError) {
        guard DN(dn) != nil else {
            throw .invalid("a DN has 1 to \(DN.maximumLength) letters, digits and characters of *#+._-")
        }
    }

    /// TMonitorAllKnownDNs: from here on the node's changes come, after a snapshot unless the feed is resumed.
    ///
    /// - Parameters:
    ///   - ownedOnly: only DNs that the node owns, instead of the whole cluster's.
    ///   - ranges: only DNs of these; none means all. First and last of a range have the same length. At most 64.
    ///   - kinds: only these events; nil for all.
    ///   - resume: where an earlier connection to this node stopped.
    /// - Returns: EventACK, with the place in the feed and whether it goes on there.
    @discardableResult
    public func monitor(
        ownedOnly: Bool = false, ranges: [ClosedRange<String>] = [], kinds: Set<TLibraryEvent.Kind>? = nil,
        resume: TLibraryPosition? = nil
    ) async throws -> TLibraryEvent {
        guard ranges.count <= MonitorOptions.maximumRanges else {
            throw TLibraryClientError.invalid("there may be \(MonitorOptions.maximumRanges) ranges")
        }
        let options = MonitorOptions(
            ownedHereOnly: ownedOnly, ranges: try ranges.map(Self.range),
            resume: resume.map {
                FeedPosition(lineage: Incarnation(rawValue: $0.lineage), sequence: $0.sequence)
            }, mask: Self.mask(kinds))
        return try await ask { .monitorAll(referenceID: $0, options) }
    }

    private static func range(_ range: ClosedRange<String>) throws(TLibraryClientError) -> DNRange {
        guard let first = DN(range.lowerBound), let last = DN(range.upperBound), first.length == last.length else {
            throw .invalid("\(range.lowerBound)-\(range.upperBound) is no range of DNs of one length")
        }
        return DNRange(first: first, last: last)
    }

    private static func mask(_ kinds: Set<TLibraryEvent.Kind>?) -> EventMask {
        guard let kinds else { return .all }
        let types = TMessageType.allCases.filter { type in kinds.contains { $0.rawValue == type.name } }
        return EventMask(types: types)
    }

    /// TSetInputMask: which events come from now on, beside answers, whatever was registered.
    ///
    /// - Returns: EventACK.
    @discardableResult
    public func setInputMask(_ kinds: Set<TLibraryEvent.Kind>) async throws -> TLibraryEvent {
        let mask = Self.mask(kinds)
        return try await ask { .setInputMask(referenceID: $0, mask) }
    }

    // MARK: Agents

    /// TAgentLogin. With the work modes `autoIn` and `manualIn` the agent is ready at once.
    ///
    /// - Parameters:
    ///   - agent: 1 to 64 bytes of visible ASCII.
    ///   - reasons: at most 8, with keys of at most 32 bytes and values of at most 96.
    ///   - skills: what the agent is good at, with levels from 1 to 100; at most 16. Nil, with no priority, for what the topology
    ///     declares.
    ///   - priority: from 0 to 100; the greater comes first where a routing point asks for it.
    /// - Returns: EventAgentLogin.
    @discardableResult
    public func logIn(
        _ agent: String, on dn: String, workMode: TLibraryWorkMode = .unknown,
        reasons: KeyValuePairs<String, String> = [:], skills: [String: Int]? = nil, priority: Int? = nil
    ) async throws -> TLibraryEvent {
        let profile = skills == nil && priority == nil ? nil : try Self.profile(skills ?? [:], priority ?? 0)
        return try await ask(
            .login(try Self.id(agent), workMode.onTheWire, try Self.reasons(reasons), profile: profile), dn)
    }

    /// TAgentLogout.
    ///
    /// - Returns: EventAgentLogout.
    @discardableResult
    public func logOut(on dn: String, reasons: KeyValuePairs<String, String> = [:]) async throws -> TLibraryEvent {
        try await ask(.logout(try Self.reasons(reasons)), dn)
    }

    /// TAgentSetReady.
    ///
    /// - Returns: EventAgentReady.
    @discardableResult
    public func setReady(
        on dn: String, workMode: TLibraryWorkMode = .unknown, reasons: KeyValuePairs<String, String> = [:]
    ) async throws -> TLibraryEvent {
        try await ask(.ready(workMode.onTheWire, try Self.reasons(reasons)), dn)
    }

    /// TAgentSetNotReady.
    ///
    /// - Returns: EventAgentNotReady.
    @discardableResult
    public func setNotReady(
        on dn: String, workMode: TLibraryWorkMode = .unknown, reasons: KeyValuePairs<String, String> = [:]
    ) async throws -> TLibraryEvent {
        try await ask(.notReady(workMode.onTheWire, try Self.reasons(reasons)), dn)
    }

    private func ask(_ request: AgentRequest, _ dn: String) async throws -> TLibraryEvent {
        try Self.check(dn)
        return try await ask { .agent(referenceID: $0, dn: dn, request) }
    }

    private static func id(_ text: String) throws(TLibraryClientError) -> AgentID {
        guard let id = AgentID(text) else {
            throw .invalid("an agent's ID has 1 to 64 visible ASCII characters and no spaces")
        }
        return id
    }

    private static func profile(
        _ skills: [String: Int], _ priority: Int
    ) throws(TLibraryClientError) -> AgentProfile {
        let known = skills.compactMap { Skill($0.key, level: $0.value) }
        guard known.count == skills.count, let profile = AgentProfile(skills: known, priority: priority) else {
            throw .invalid(
                "there may be \(AgentProfile.maximumSkills) skills, with names of up to \(Skill.maximumName) small letters, digits "
                    + "and hyphens and levels from 1 to 100, and a priority from 0 to 100")
        }
        return profile
    }

    private static func reasons(_ pairs: KeyValuePairs<String, String>) throws(TLibraryClientError) -> Reasons {
        var reasons = Reasons()
        for (key, value) in pairs where !reasons.add(key, value) {
            throw .invalid(
                "there may be \(Reasons.maximumCount) reasons, with keys of 1 to \(Reasons.maximumKey) bytes and values of up "
                    + "to \(Reasons.maximumValue), without control characters")
        }
        return reasons
    }

    // MARK: Reservations

    /// TReserveAgent: keeps an agent for this client, for a while. The owner of the agent's DN decides. Who holds a reservation
    /// prolongs it by asking again.
    ///
    /// - Parameters:
    ///   - dn: may be left empty where the agent is named.
    ///   - agent: may be left out where the DN is named; if both are, that agent must be logged in there.
    ///   - priority: the greater goes first, where the topology collects requests for a while.
    ///   - duration: at least a millisecond and at most an hour; nil for the topology's.
    public func reserve(
        dn: String = "", agent: String? = nil, priority: Int32 = 0, for duration: Duration? = nil
    ) async throws -> TLibraryReservation {
        if !dn.isEmpty { try Self.check(dn) }
        var request = ReservationRequest(priority: priority, agent: try agent.map(Self.id))
        if let duration {
            let milliseconds = duration.nanoseconds / 1_000_000
            guard (1...UInt64(ReservationRequest.maximumMilliseconds)).contains(milliseconds) else {
                throw TLibraryClientError.invalid("a reservation lasts from a millisecond to an hour")
            }
            request.duration = .milliseconds(UInt32(milliseconds))
        }
        let answer = try await ask { .reserveAgent(referenceID: $0, dn: dn, request) }.received
        return TLibraryReservation(
            agent: answer.agentID, token: answer.reservationToken, milliseconds: answer.reservationMilliseconds,
            priority: answer.priority)
    }

    /// TReserveAgent with a duration of 0: gives an agent back.
    ///
    /// - Returns: EventACK.
    @discardableResult
    public func cancelReservation(dn: String = "", agent: String? = nil) async throws -> TLibraryEvent {
        if !dn.isEmpty { try Self.check(dn) }
        let request = ReservationRequest(duration: .cancel, agent: try agent.map(Self.id))
        return try await ask { .reserveAgent(referenceID: $0, dn: dn, request) }
    }
}
