// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

// How the words that machines have in common are handed over. schemas/handover.proto has the messages.

extension DNIndex: Numbered {
    @inlinable public func isWithin(_ bounds: StateTransfer.Bounds) -> Bool { position < bounds.dns }

    public func renumbered(_ renumbering: Renumbering) -> DNIndex? { renumbering.place(of: self) }
}
extension NodeIndex: Numbered {
    @inlinable public func isWithin(_ bounds: StateTransfer.Bounds) -> Bool { self == .none || position < bounds.nodes }

    public func renumbered(_ renumbering: Renumbering) -> NodeIndex? { renumbering.place(of: self) }
}
extension TrunkIndex: Numbered {
    @inlinable public func isWithin(_ bounds: StateTransfer.Bounds) -> Bool { position < bounds.trunks }

    public func renumbered(_ renumbering: Renumbering) -> TrunkIndex? { renumbering.place(of: self) }
}
extension Incarnation: Numbered {}
extension Stamp: Numbered {}
extension CallConnection: Numbered {}
extension Occupancy: Numbered {}

extension DN: Restorable {
    /// None that there is; what is read takes its place.
    public static var blank: DN { DN(decimal: 0, length: 1) }

    public mutating func transfer(_ state: inout StateTransfer) {
        var (high, low) = (self.high, self.low)
        state.fixed(1, &high)
        state.fixed(2, &low)
        guard state.isReading else { return }
        guard let read = DN(high: high, low: low) else { return state.refuse("what should be a DN is none") }
        self = read
    }
}

extension Instant: Restorable {
    public static var blank: Instant { Instant(monotonic: 0, wallMilliseconds: 0) }

    public mutating func transfer(_ state: inout StateTransfer) {
        var (monotonic, wall) = (self.monotonic, wallMilliseconds)
        state.number(1, &monotonic)
        state.number(2, &wall)
        if state.isReading { self = Instant(monotonic: monotonic, wallMilliseconds: wall) }
    }
}

extension NetworkAddress: Restorable {
    public static var blank: NetworkAddress { NetworkAddress(high: 0, low: 0, port: 0) }

    public mutating func transfer(_ state: inout StateTransfer) {
        var (high, low, port) = (self.high, self.low, self.port)
        state.fixed(1, &high)
        state.fixed(2, &low)
        state.number(3, &port)
        if state.isReading { self = NetworkAddress(high: high, low: low, port: port) }
    }
}

extension Claim: Restorable {
    public static var blank: Claim { Claim(owner: .none, stamp: .zero) }

    public mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &owner)
        state.number(2, &stamp)
    }
}

// MARK: Calls of a DN

extension DNCall: Restorable {
    public static var blank: DNCall { DNCall(connection: CallConnection(rawValue: 0), phase: .ringing, since: 0) }

    public mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &connection)
        state.choice(2, &phase)
        state.flag(3, &isCaller)
        state.number(4, &since)
        state.text(5, &other)
        state.optional(6, &routingPoint)
    }
}

extension DNCalls.Ended: Restorable {
    public static var blank: DNCalls.Ended {
        DNCalls.Ended(connection: CallConnection(rawValue: 0), end: .released)
    }

    public mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &connection)
        state.choice(2, &end)
    }
}

/// Values that never change are made anew of what is read of them.
public struct TransferredCalls: Restorable {
    package var value: DNCalls

    package init(_ value: DNCalls) { self.value = value }

    public static var blank: TransferredCalls { TransferredCalls(DNCalls([])) }

    public mutating func transfer(_ state: inout StateTransfer) {
        var (calls, ended) = (value.calls, value.lastEnded)
        state.list(1, &calls)
        state.optional(2, &ended)
        if state.isReading { value = DNCalls(calls, lastEnded: ended) }
    }
}

// MARK: Agents

extension AgentID: Restorable {
    /// None that there is; what is read takes its place.
    public static var blank: AgentID { none }

    public mutating func transfer(_ state: inout StateTransfer) {
        var text = self.text
        state.text(1, &text)
        guard state.isReading else { return }
        guard let read = AgentID(text) else { return state.refuse("what should be an agent's name is none") }
        self = read
    }
}

extension Skill: Restorable {
    public static var blank: Skill { none }

    public mutating func transfer(_ state: inout StateTransfer) {
        var (name, level) = (self.name, self.level)
        state.text(1, &name)
        state.number(2, &level)
        guard state.isReading else { return }
        guard let read = Skill(name, level: Int(level)) else { return state.refuse("what should be a skill is none") }
        self = read
    }
}

extension AgentProfile: Restorable {
    public static var blank: AgentProfile { none }

    public mutating func transfer(_ state: inout StateTransfer) {
        var (skills, priority) = (self.skills, self.priority)
        state.list(1, &skills)
        state.number(2, &priority)
        guard state.isReading else { return }
        guard let read = AgentProfile(skills: skills, priority: Int(priority)) else {
            return state.refuse("what should be an agent's skills cannot be")
        }
        self = read
    }
}

extension Reasons: Restorable {
    public static var blank: Reasons { Reasons() }

    public mutating func transfer(_ state: inout StateTransfer) {
        var pairs = list.map { ReasonPair(key: $0.key, value: $0.value) }
        state.list(1, &pairs)
        guard state.isReading else { return }
        var read = Reasons()
        for pair in pairs where !read.add(pair.key, pair.value) { state.refuse("what should be a reason is none") }
        self = read
    }

    private struct ReasonPair: Restorable {
        var key: String
        var value: String

        static var blank: ReasonPair { ReasonPair(key: "", value: "") }

        mutating func transfer(_ state: inout StateTransfer) {
            state.text(1, &key)
            state.text(2, &value)
        }
    }
}

/// The same of a session.
public struct TransferredSession: Restorable {
    package var value: AgentSession

    package init(_ value: AgentSession) { self.value = value }

    public static var blank: TransferredSession {
        TransferredSession(AgentSession(agent: .none, state: .loggedOut, login: .zero, stamp: .zero))
    }

    public mutating func transfer(_ state: inout StateTransfer) {
        var (agent, phase, workMode) = (value.agent, value.state, value.workMode)
        var (reasons, profile) = (value.reasons, value.profile)
        var (login, stamp) = (value.login, value.stamp)
        state.message(1, &agent)
        state.choice(2, &phase)
        state.choice(3, &workMode)
        state.message(4, &reasons)
        state.message(5, &profile)
        state.number(6, &login)
        state.number(7, &stamp)
        guard state.isReading else { return }
        value = AgentSession(
            agent: agent, state: phase, workMode: workMode, reasons: reasons, profile: profile, login: login,
            stamp: stamp)
    }
}
