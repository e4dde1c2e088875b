package import Orchestration
import TopologyFile
import Wire

// Topologies and plans.
extension ControllerClient {
    /// All that a plan is made of: what is observed, and the topologies by their generation.
    package func planInputs() throws(CommandFailure) -> (PlanInputs, [(generation: UInt64, text: [UInt8])]) {
        guard case .planInputs(let inputs) = try ask(.planInputs) else { throw unexpected() }
        var texts: [(UInt64, [UInt8])] = []
        for generation in inputs.topologies { texts.append((generation, try nextText())) }
        return (inputs, texts)
    }

    package func topologyText(_ generation: UInt64) throws(CommandFailure) -> [UInt8] {
        try send(.topologyText(generation: generation))
        return try nextText()
    }

    private func nextText() throws(CommandFailure) -> [UInt8] {
        var text: [UInt8] = []
        while true {
            guard case .topologyText(let piece) = try next() else { throw unexpected() }
            text += piece.bytes
            guard text.count <= TopologyFile.maximumBytes else { throw unexpected() }
            if piece.isLast { return text }
        }
    }

    package func appliedTopologies() throws(CommandFailure) -> [AppliedEntry] {
        guard case .appliedTopologies(let entries) = try ask(.appliedTopologies) else { throw unexpected() }
        return entries
    }

    package func change() throws(CommandFailure) -> ChangeStatus {
        guard case .change(let status) = try ask(.change) else { throw unexpected() }
        return status
    }

    /// - Parameter text: nil where the request names one that was applied before.
    package func apply(_ text: [UInt8]?, _ request: ApplyRequest) throws(CommandFailure) -> ChangeStatus {
        if let text {
            var output: [UInt8] = []
            TopologyPiece.each(of: text) { OperatorCodec.encode(.topologyPiece($0), to: &output) }
            try send(raw: output)
            guard case .done = try next() else { throw unexpected() }
        }
        guard case .change(let status) = try ask(.apply(request)) else { throw unexpected() }
        return status
    }
}
