package import ClusterModel
import DNOwnership
import SIPCore

/// A node that is being told by the process before it what it is to go on with. It does nothing yet.
package struct HandoverReceiver: Sendable {
    private var core: NodeCore
    private let bounds: StateTransfer.Bounds

    /// - Parameter setup: with the predecessor's lineage, secret and seed, and nothing stored.
    package init(_ setup: NodeSetup, now: Instant) {
        core = NodeCore(setup, now: now)
        let topology = setup.topology
        bounds = StateTransfer.Bounds(
            dns: topology.directory.count, nodes: topology.nodes.count, trunks: topology.trunks.count)
    }

    /// - Returns: what is wrong with the part; then there is no handover.
    package mutating func take(_ part: [UInt8], now: Instant) -> String? {
        var state = StateTransfer(reading: part, within: bounds)
        core.take(&state, now: now)
        return state.problem
    }

    /// The last part.
    package mutating func takeLast(_ part: [UInt8], now: Instant) -> String? {
        var state = StateTransfer(reading: part, within: bounds)
        core.take(&state, now: now)
        core.transferRest(&state)
        return state.problem
    }

    /// The node, which goes on. Nothing of it is left here, or its tables would be copied at the first change.
    package consuming func node() -> NodeCore { core }
}
