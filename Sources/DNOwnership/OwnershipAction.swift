package import ClusterModel

/// What the machine wants done. Messages are not among these: the shell pulls them with `nextMessage(for:now:)`
/// whenever a connection has room, so a slow peer costs no memory.
package enum OwnershipAction: Equatable, Sendable {
    case dial(NodeIndex)
    case close(ConnectionID, LinkProblem)
    /// What this node shows of one DN has changed.
    case viewChanged(DNIndex, from: View, to: View)
    /// All DNs of a node have become visible at once, or vanished at once; no `viewChanged` is told for them.
    case ownerReachable(NodeIndex)
    case ownerUnreachable(NodeIndex)
    /// This node has lost a DN to a greater claim: its bindings and desktops go.
    case yielded(DNIndex)
}

/// Why a connection between nodes was closed from this side.
package enum LinkProblem: Error, Equatable, Sendable {
    case silent
    case noHello
    case helloExpected
    case unexpectedHello
    case wrongVersion(UInt32)
    case wrongCluster(String)
    case unknownNode(String)
    case wrongDirection
    case staleIncarnation
    case replaced
    case clockTooFarAhead(milliseconds: UInt64)
    case resyncTooSlow

    /// A sentence for people.
    package var sentence: String {
        switch self {
        case .silent: "nothing was heard for the link timeout"
        case .noHello: "no hello came in time"
        case .helloExpected: "the first message was no hello"
        case .unexpectedHello: "a second hello came"
        case .wrongVersion(let version):
            "the peer speaks protocol version \(version), this node \(Hello.protocolVersion)"
        case .wrongCluster(let name): "the peer belongs to cluster \(name)"
        case .unknownNode(let name): "the topology has no node \(name) that may connect here"
        case .wrongDirection: "the node with the lesser name dials"
        case .staleIncarnation: "the peer is an earlier life of a node that has come back since"
        case .replaced: "a newer connection took its place"
        case .clockTooFarAhead(let milliseconds): "the peer's stamps are \(milliseconds) ms ahead of this node's clock"
        case .resyncTooSlow: "a resync did not finish in twice the link timeout"
        }
    }
}
