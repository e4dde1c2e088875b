// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// The T-Library's ConnID: names a call at every node alike, as it is made of what all requests of the call carry.
public struct CallConnection: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    @inlinable public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// As events, commands and logs write it: 16 hexadecimal digits.
    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    @inlinable public static func < (left: CallConnection, right: CallConnection) -> Bool {
        left.rawValue < right.rawValue
    }

    @inlinable public static func == (left: CallConnection, right: CallConnection) -> Bool {
        left.rawValue == right.rawValue
    }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// One call of a DN.
package struct DNCall: Hashable, Sendable {
    /// The raw values travel.
    package enum Phase: UInt8, Hashable, Sendable, CaseIterable {
        /// The callee's phone rings, or is about to.
        case ringing = 0
        case established = 1
    }

    /// Bytes of `other`.
    package static let maximumOther = 64

    package var connection: CallConnection
    package var phase: Phase
    /// The DN is the caller, not the callee.
    package var isCaller: Bool
    /// Since when it is in that phase, milliseconds since 1970.
    package var since: UInt64
    /// Who is at the other end, as that end says it: the user of a SIP URI, without what is not visible ASCII.
    package var other: String
    /// The routing point that the call came by; nil for one that was dialled directly.
    package var routingPoint: DN?

    package init(
        connection: CallConnection, phase: Phase, isCaller: Bool = false, since: UInt64, other: String = "",
        routingPoint: DN? = nil
    ) {
        self.connection = connection
        self.phase = phase
        self.isCaller = isCaller
        self.since = since
        self.other = other
        self.routingPoint = routingPoint
    }

    /// In the words of interfaces and scripts.
    package var word: String {
        switch phase {
        case .ringing: isCaller ? "dialing" : "ringing"
        case .established: "established"
        }
    }
}

/// The calls of a DN, as its owner says under its present claim. It never changes; whatever happens makes another one.
package final class DNCalls: Sendable {
    /// More than these are not told.
    package static let maximumCount = 4

    /// How a call ended. The raw values travel.
    package enum End: UInt8, Hashable, Sendable, CaseIterable {
        /// Somebody has hung up, or it went elsewhere.
        case released = 0
        /// The caller has given up before anybody answered.
        case abandoned = 1
    }

    /// The call that has ended last, and how.
    package struct Ended: Hashable, Sendable {
        package var connection: CallConnection
        package var end: End

        package init(connection: CallConnection, end: End) {
            self.connection = connection
            self.end = end
        }
    }

    /// By ConnID.
    package let calls: [DNCall]
    package let lastEnded: Ended?
    /// Everything above in 64 bits, the same in every process; never 0.
    package let digest: UInt64

    /// - Parameter calls: at most `maximumCount`; what is beyond is left out.
    package init(_ calls: [DNCall], lastEnded: Ended? = nil) {
        self.calls = Array(calls.sorted { $0.connection < $1.connection }.prefix(Self.maximumCount))
        self.lastEnded = lastEnded
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        func add(_ word: UInt64) { hash = mixed(hash &* 31 &+ word &+ 0x9E37_79B9_7F4A_7C15) }
        for call in self.calls {
            add(call.connection.rawValue)
            add(call.since)
            add(UInt64(call.phase.rawValue) << 1 | (call.isCaller ? 1 : 0))
            add(call.routingPoint?.high ?? 0)
            add(call.routingPoint?.low ?? 0)
            add(UInt64(call.other.utf8.count))
            for byte in call.other.utf8 { add(UInt64(byte)) }
        }
        if let lastEnded {
            add(lastEnded.connection.rawValue)
            add(UInt64(lastEnded.end.rawValue) + 1)
        }
        digest = hash == 0 ? 1 : hash
    }

    /// The call that matters most: one that is answered before one that rings, and of equals the first.
    package var principal: DNCall? {
        calls.first { $0.phase == .established } ?? calls.first { !$0.isCaller } ?? calls.first
    }
}

extension DNCalls: Equatable {
    package static func == (left: DNCalls, right: DNCalls) -> Bool {
        left === right || left.digest == right.digest && left.calls == right.calls && left.lastEnded == right.lastEnded
    }
}
