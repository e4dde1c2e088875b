// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation
// Public so that it is inlined in other rooms, as Identity.swift says; nothing of it is a library's.

/// Gateways to the telephone network that calls go over, the one or the other.
package struct Trunk: Hashable, Sendable {
    package var name: String
    /// Where the gateways are, and what they speak; calls go to the first of them that is there. At least one.
    package var gateways: [SIPListener]
    /// How many calls go over it at a time, in the whole cluster; nil for any number.
    package var capacity: Int?
    /// Position in `Topology.capacityGroups` of those with which the trunk shares a capacity.
    package var group: Int?
    /// How often each node asks a gateway whether it is there (`oosCheck`); nil for never.
    package var check: Duration?
    /// How long a gateway may be silent when it is asked until it counts as down (`oosForce`).
    package var force: Duration
    /// How long a gateway has to respond to an INVITE until the next one is tried.
    package var failover: Duration

    package init(
        name: String, gateways: [SIPListener], capacity: Int? = nil, group: Int? = nil, check: Duration? = nil,
        force: Duration = Trunk.usualForce, failover: Duration = Trunk.usualFailover
    ) {
        self.name = name
        self.gateways = gateways
        self.capacity = capacity
        self.group = group
        self.check = check
        self.force = force
        self.failover = failover
    }

    package static let maximumGateways = 8
    package static let usualForce = Duration.seconds(5)
    package static let usualFailover = Duration.seconds(4)
    /// What a topology may say.
    package static let capacityBounds = 1...100_000
    package static let checkBounds = Duration.seconds(1) ... .seconds(300)
    package static let forceBounds = Duration.zero ... .seconds(30)
    package static let failoverBounds = Duration.milliseconds(500) ... .seconds(32)

    /// Which gateway a message that came so is from. Over UDP it comes from where the gateway listens; a stream has another port at
    /// its own end.
    package func gateway(at address: NetworkAddress, over transport: SIPListener.Transport) -> Int? {
        gateways.firstIndex { gateway in
            guard transport == gateway.transport else { return false }
            return transport == .udp
                ? address == gateway.address
                : address.high == gateway.address.high && address.low == gateway.address.low
        }
    }
}

extension SIPListener {
    /// Whether nodes send calls to a gateway there. Over TLS they would have to know whose certificate it shows, and nobody says so.
    package var isDialled: Bool { transport != .tls }
}

/// A position in `Topology.trunks`.
public struct TrunkIndex: Hashable, Comparable, Sendable {
    public let rawValue: UInt16

    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

    @inlinable public init(_ position: Int) { rawValue = UInt16(position) }

    @inlinable public var position: Int { Int(rawValue) }

    @inlinable public static func < (left: TrunkIndex, right: TrunkIndex) -> Bool { left.rawValue < right.rawValue }

    @inlinable public static func == (left: TrunkIndex, right: TrunkIndex) -> Bool { left.rawValue == right.rawValue }

    @inlinable public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// Trunks that share a capacity.
package struct CapacityGroup: Hashable, Sendable {
    package var name: String
    /// How many calls go over all of them at a time, in the whole cluster.
    package var capacity: Int

    package init(name: String, capacity: Int) {
        self.name = name
        self.capacity = capacity
    }
}

/// What capacity counts: the calls of one trunk, or those of all trunks of a group.
package enum CapacityName: Hashable, Comparable, Sendable, CustomStringConvertible {
    case trunk(String)
    case group(String)

    package var description: String {
        switch self {
        case .trunk(let name): "trunk \(name)"
        case .group(let name): "group \(name)"
        }
    }
}
