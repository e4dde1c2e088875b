package import ClusterModel
import SIPCore

/// How a node is drained.
package struct DrainPolicy: Hashable, Sendable {
    /// Calls may go on for so long.
    package var patience = Duration.seconds(600)
    /// Phones that are sent elsewhere a second.
    package var pace = 100

    package static let patienceBounds = Duration.seconds(1) ... .seconds(86_400)
    package static let paceBounds = 1...100_000

    package init() {}
}

/// A node that its phones and desktops are to leave: what it has asked them for, and who does not hear.
///
/// A phone that gets 503 to its REGISTER tries the next server that DNS names (RFC 3263 section 4.3); without a Retry-After it does so at
/// once, and goes on using this one for what it has begun. It is in service here until the other node has claimed its DN, so
/// nothing blinks. One that comes back here all the same cannot go elsewhere; it is served, and listed by what it calls itself.
package struct Drain: Sendable {
    /// Names of phones that are kept apart, and bytes of one.
    static let maximumAgents = 64
    static let maximumName = 64

    package private(set) var policy: DrainPolicy
    /// When calls should have ended, monotonic nanoseconds.
    package private(set) var deadline: UInt64
    /// REGISTERs that were sent elsewhere, streams that were closed, and desktops that were asked.
    package internal(set) var sentElsewhere: UInt64 = 0
    package internal(set) var closedFlows: UInt64 = 0
    package internal(set) var askedDesktops: UInt64 = 0
    /// When the next one may be sent elsewhere, monotonic nanoseconds.
    private var nextAt: UInt64 = 0
    /// DNs whose phones were sent elsewhere once.
    private var asked: Set<DNIndex> = []
    /// DNs whose desktops were asked.
    private var askedOfDesktops: Set<DNIndex> = []
    /// Of those that came back, what they call themselves.
    private var stayed: [DNIndex: String] = [:]
    /// Streams of phones with several (RFC 5626) that are closed one by one.
    var flows: [FlowID] = []

    init(_ policy: DrainPolicy, flows: [FlowID], now: Instant) {
        self.policy = policy
        self.flows = flows
        deadline = now.monotonic + policy.patience.nanoseconds
        nextAt = now.monotonic
    }

    private var interval: UInt64 { 1_000_000_000 / UInt64(max(1, policy.pace)) }

    /// When there is a stream to be closed, monotonic nanoseconds.
    var nextDeadline: UInt64? { flows.isEmpty ? nil : nextAt }

    /// Whether another one may go now.
    mutating func takesTurn(now: Instant) -> Bool {
        guard nextAt <= now.monotonic else { return false }
        nextAt = max(nextAt + interval, now.monotonic)
        return true
    }

    /// Whether a phone that refreshes its registration is sent elsewhere.
    ///
    /// - Parameter agent: what it calls itself.
    mutating func sendsElsewhere(_ dn: DNIndex, agent: @autoclosure () -> String, now: Instant) -> Bool {
        if asked.contains(dn) {
            stayed[dn] = agent()
            return false
        }
        guard takesTurn(now: now) else { return false }
        asked.insert(dn)
        sentElsewhere += 1
        return true
    }

    /// Whether the desktops of a DN have still to be asked; they count as asked now.
    mutating func asksDesktops(of dn: DNIndex) -> Bool { askedOfDesktops.insert(dn).inserted }

    /// The DN has gone.
    mutating func left(_ dn: DNIndex) {
        asked.remove(dn)
        stayed[dn] = nil
    }

    /// Those that came back, by what they call themselves, the most frequent first.
    package var staying: [(agent: String, count: Int)] {
        var counts: [String: Int] = [:]
        for agent in stayed.values {
            let isKnown = counts[agent] != nil || counts.count < Self.maximumAgents
            counts[isKnown ? agent : "others", default: 0] += 1
        }
        return counts.map { ($0.key, $0.value) }.sorted { ($1.count, $0.agent) < ($0.count, $1.agent) }
    }
}

extension Drain: Restorable {
    package static var blank: Drain {
        Drain(DrainPolicy(), flows: [], now: Instant(monotonic: 0, wallMilliseconds: 0))
    }

    package mutating func transfer(_ state: inout StateTransfer) {
        var (patience, pace) = (policy.patience.nanoseconds, UInt64(policy.pace))
        state.number(1, &patience)
        state.number(2, &pace)
        state.number(3, &deadline)
        state.number(4, &sentElsewhere)
        state.number(5, &closedFlows)
        state.number(6, &askedDesktops)
        state.number(7, &nextAt)
        var dns = asked.sorted()
        state.numbers(8, &dns)
        var phones = stayed.map { StayingPhone(dn: $0, agent: $1) }.sorted { $0.dn < $1.dn }
        state.list(9, &phones)
        state.numbers(10, &flows)
        var desktops = askedOfDesktops.sorted()
        state.numbers(11, &desktops)
        guard state.isReading else { return }
        policy.patience = .nanoseconds(Int64(clamping: patience))
        policy.pace = max(1, Int(clamping: pace))
        asked = Set(dns)
        askedOfDesktops = Set(desktops)
        stayed = Dictionary(phones.map { ($0.dn, $0.agent) }, uniquingKeysWith: { $1 })
    }
}

private struct StayingPhone: Restorable {
    var dn: DNIndex
    var agent: String

    static var blank: StayingPhone { StayingPhone(dn: DNIndex(0), agent: "") }

    mutating func transfer(_ state: inout StateTransfer) {
        state.number(1, &dn)
        state.text(2, &agent)
    }
}
