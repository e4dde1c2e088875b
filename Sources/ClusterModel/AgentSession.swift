// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// Who is logged in on a DN, and whether that agent takes calls: as the DN's owner says.
///
/// A session never changes; whatever happens makes another one with a greater stamp. It goes wherever the DN goes. Of two
/// sessions of a DN the greater counts, whoever has told it, so nothing that was said before a DN moved or a node died
/// comes back. One that has ended stays as a mark of that.
package final class AgentSession: Sendable {
    package let agent: AgentID
    package let state: State
    package let workMode: WorkMode
    /// Why, in the client's words.
    package let reasons: Reasons
    package let profile: AgentProfile
    /// When the agent logged in. Of two logins of an agent the greater counts.
    package let login: Stamp
    /// When the session came to be as it is.
    package let stamp: Stamp
    /// Everything above in 64 bits, the same in every process; never 0.
    package let digest: UInt64

    /// The raw values travel.
    package enum State: UInt8, Hashable, Sendable, CaseIterable {
        case loggedOut = 0
        case notReady = 1
        case ready = 2

        /// In the words of interfaces and scripts (kebab case).
        package var word: String {
            switch self {
            case .loggedOut: "logged-out"
            case .notReady: "not-ready"
            case .ready: "ready"
            }
        }

        /// As it stands in a sentence.
        package var sentence: String {
            switch self {
            case .loggedOut: "logged out"
            case .notReady: "not ready"
            case .ready: "ready"
            }
        }
    }

    package init(
        agent: AgentID, state: State, workMode: WorkMode = .unknown, reasons: Reasons = Reasons(),
        profile: AgentProfile = .none, login: Stamp, stamp: Stamp
    ) {
        self.agent = agent
        self.state = state
        self.workMode = workMode
        self.reasons = reasons
        self.profile = profile
        self.login = login
        self.stamp = stamp
        var hash = mixed(stamp.rawValue &+ 0x9E37_79B9_7F4A_7C15)
        func add(_ word: UInt64) { hash = mixed(hash &* 31 &+ word &+ 0x9E37_79B9_7F4A_7C15) }
        func add(_ text: String) {
            add(UInt64(text.utf8.count))
            for byte in text.utf8 { add(UInt64(byte)) }
        }
        add(login.rawValue)
        add(UInt64(state.rawValue) << 8 | UInt64(workMode.rawValue))
        add(agent.text)
        for reason in reasons.list {
            add(reason.key)
            add(reason.value)
        }
        for skill in profile.skills {
            add(skill.name)
            add(UInt64(skill.level))
        }
        add(UInt64(profile.priority))
        digest = hash == 0 ? 1 : hash
    }

    package var isLoggedIn: Bool { state != .loggedOut }
}

extension AgentSession: Equatable, Comparable {
    package static func == (left: AgentSession, right: AgentSession) -> Bool {
        left === right
            || left.digest == right.digest && left.stamp == right.stamp && left.login == right.login
                && left.state == right.state && left.workMode == right.workMode && left.agent == right.agent
                && left.reasons == right.reasons && left.profile == right.profile
    }

    /// Across a cut two nodes may make sessions of one stamp; then their digests decide.
    package static func < (left: AgentSession, right: AgentSession) -> Bool {
        left.stamp != right.stamp ? left.stamp < right.stamp : left.digest < right.digest
    }
}

extension AgentSession: CustomStringConvertible {
    package var description: String {
        let why = reasons.list.map { " \($0.key)=\($0.value)" }.joined()
        return "\(agent) \(state.sentence) (\(workMode.word))\(why) since \(stamp), logged in \(login)"
    }
}

/// What an agent logs in as: text, 1 to 64 bytes of visible ASCII. No agent has to be declared.
package struct AgentID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let maximumLength = 64

    package let text: String

    /// What nobody can log in as.
    static let none = AgentID(unchecked: "-")

    private init(unchecked text: String) { self.text = text }

    /// - Returns: nil when the text is empty, too long, or has a byte that may not be in it.
    package init?(_ text: String) {
        guard (1...Self.maximumLength).contains(text.utf8.count), text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            return nil
        }
        self.text = text
    }

    package var description: String { text }

    /// By bytes, so that it is the same everywhere.
    package static func < (left: AgentID, right: AgentID) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

/// What an agent is doing, beside ready or not: the T-Library's TAgentWorkMode, with its numbers.
package enum WorkMode: UInt8, Hashable, Sendable, CaseIterable {
    case unknown = 0
    case manualIn = 1
    case autoIn = 2
    case afterCallWork = 3
    case auxWork = 4
    case noCallDisconnect = 5
    case walkAway = 6
    case returnBack = 7

    /// In the words of interfaces and scripts (kebab case).
    package var word: String {
        switch self {
        case .unknown: "unknown"
        case .manualIn: "manual-in"
        case .autoIn: "auto-in"
        case .afterCallWork: "after-call-work"
        case .auxWork: "aux-work"
        case .noCallDisconnect: "no-call-disconnect"
        case .walkAway: "walk-away"
        case .returnBack: "return-back"
        }
    }
}

/// Why an agent did something: the pairs of the T-Library's AttributeReasons, in the client's order.
package struct Reasons: Hashable, Sendable {
    package struct Reason: Hashable, Sendable {
        package let key: String
        package let value: String

        package init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    package static let maximumCount = 8
    /// Bytes.
    package static let maximumKey = 32
    package static let maximumValue = 96

    package private(set) var list: [Reason] = []

    package init() {}

    /// - Returns: false, and nothing changes, when the key is empty, one of the two is too long or has control characters,
    ///   or there are as many as there may be.
    package mutating func add(_ key: String, _ value: String) -> Bool {
        guard list.count < Self.maximumCount, (1...Self.maximumKey).contains(key.utf8.count),
            value.utf8.count <= Self.maximumValue, Self.isText(key), Self.isText(value)
        else { return false }
        list.append(Reason(key: key, value: value))
        return true
    }

    private static func isText(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
}

/// What keeps a DN from another call, beside its service and its agent. It belongs to the owner's present claim and does not
/// move with the DN. One byte, also on the wire.
public struct Occupancy: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    @inlinable public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The library's goes through every protocol that an option set conforms to, also for an empty list.
    @inlinable public init(arrayLiteral elements: Occupancy...) {
        rawValue = elements.reduce(0) { $0 | $1.rawValue }
    }

    @inlinable public static func == (left: Occupancy, right: Occupancy) -> Bool { left.rawValue == right.rawValue }

    @inlinable public static func != (left: Occupancy, right: Occupancy) -> Bool { left.rawValue != right.rawValue }

    /// It has a call, be it one that only rings.
    @inlinable public static var busy: Occupancy { Occupancy(rawValue: 1) }
    /// Somebody has reserved its agent.
    @inlinable public static var reserved: Occupancy { Occupancy(rawValue: 2) }

    /// All that a peer may say.
    public static let known: Occupancy = [.busy, .reserved]
}
