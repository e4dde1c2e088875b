package import ClusterModel

/// A stream that SIP messages come over; unique for the life of a process.
package struct FlowID: Hashable, Sendable {
    package let rawValue: UInt64
    /// No stream: a datagram, which ends with itself.
    @inlinable package static var none: FlowID { FlowID(rawValue: 0) }

    /// A stream that is there no more: nothing is sent over it, and nothing comes.
    package static var ended: FlowID { FlowID(rawValue: 1 << 61) }

    private static let peerBit: UInt64 = 1 << 63
    private static let gatewayBit: UInt64 = 1 << 62

    @inlinable package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The link to another node, whichever connection it is at the time.
    package static func peer(_ node: NodeIndex) -> FlowID {
        FlowID(rawValue: peerBit | UInt64(node.rawValue))
    }

    /// The connection to a trunk's gateway, whichever it is at the time.
    package static func gateway(_ trunk: TrunkIndex, _ position: Int) -> FlowID {
        FlowID(rawValue: gatewayBit | UInt64(trunk.rawValue) << 16 | UInt64(UInt16(position)))
    }

    /// The gateway at the other end; nil of other streams.
    package var gateway: (trunk: TrunkIndex, position: Int)? {
        guard rawValue & Self.gatewayBit != 0, rawValue & Self.peerBit == 0 else { return nil }
        return (TrunkIndex(Int(UInt16(truncatingIfNeeded: rawValue >> 16))), Int(UInt16(truncatingIfNeeded: rawValue)))
    }

    /// The node at the other end; nil of a phone's stream.
    package var peer: NodeIndex? {
        guard rawValue & Self.peerBit != 0 else { return nil }
        return NodeIndex(rawValue: UInt16(truncatingIfNeeded: rawValue))
    }

    @inlinable package static func == (left: FlowID, right: FlowID) -> Bool { left.rawValue == right.rawValue }

    @inlinable package func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

/// Where a request came from.
package struct SIPSource: Hashable, Sendable {
    package var address: NetworkAddress
    /// The stream that it came over.
    package var flow: FlowID
    /// Which of the node's SIP listeners it came to, so that requests to the phone leave there.
    package var listener: UInt8

    @inlinable package static func == (left: SIPSource, right: SIPSource) -> Bool {
        left.address == right.address && left.flow == right.flow && left.listener == right.listener
    }

    /// From its parts.
    package init(_ address: NetworkAddress, flow: FlowID = .none, listener: UInt8 = 0) {
        self.address = address
        self.flow = flow
        self.listener = listener
    }
}
