package import ClusterModel
import DNOwnership
import SIPCore

/// A node that is being told by the process before it what it is to go on with. It does nothing yet.
package struct HandoverReceiver: Sendable {
    private var core: NodeCore
    private let bounds: StateTransfer.Bounds
    private let renumbering: Renumbering?

    /// - Parameters:
    ///   - setup: with the predecessor's lineage, secret and seed, and nothing stored.
    ///   - former: the predecessor's topology, where that is another one.
    package init(_ setup: NodeSetup, from former: Topology? = nil, now: Instant) {
        core = NodeCore(setup, now: now)
        let topology = former ?? setup.topology
        bounds = StateTransfer.Bounds(
            dns: topology.directory.count, nodes: topology.nodes.count, trunks: topology.trunks.count)
        renumbering = former.map { former in
            var renumbering = Renumbering(from: former, to: setup.topology)
            renumbering.faults = setup.faults
            return renumbering
        }
    }

    /// - Returns: what is wrong with the part; then there is no handover.
    package mutating func take(_ part: [UInt8], now: Instant) -> String? {
        var state = StateTransfer(reading: part, within: bounds, renumbering: renumbering)
        core.take(&state, now: now)
        return problem(of: state)
    }

    /// The last part.
    package mutating func takeLast(_ part: [UInt8], now: Instant) -> String? {
        var state = StateTransfer(reading: part, within: bounds, renumbering: renumbering)
        core.take(&state, now: now)
        core.transferRest(&state)
        return problem(of: state)
    }

    private func problem(of state: StateTransfer) -> String? {
        state.problem ?? (state.isLost ? "something of it belongs to what the topology does not have any more" : nil)
    }

    /// The node, which goes on. Nothing of it is left here, or its tables would be copied at the first change.
    package consuming func node() -> NodeCore { core }
}
