import ClusterModel
import Orchestration
import TopologyFile
import Wire

/// A topology file: it is valid or has an error, never both and never neither, every diagnostic can be shown and cannot
/// steer a terminal, and what is valid reaches a worker as it was written.
enum TopologyCheck {
    static func check(_ input: [UInt8]) throws(FuzzFinding) {
        let source = TopologySource(name: "fuzz.yaml", text: input)
        let result = TopologyFile.load(source)
        let hasError = result.diagnostics.contains { $0.severity == .error }
        try expect(
            result.isValid != hasError, "a file is \(result.isValid ? "valid with" : "invalid without") an error")
        try expect(
            result.diagnostics.count <= FaultList.maximumCount + 1, "\(result.diagnostics.count) diagnostics")
        for diagnostic in result.diagnostics { try checkShown(diagnostic, source) }
        if let topology = result.topology { try checkTopology(topology) }
    }

    private static func checkShown(_ diagnostic: Diagnostic, _ source: TopologySource) throws(FuzzFinding) {
        try expect(
            diagnostic.line > 0 && diagnostic.column > 0 && diagnostic.length > 0,
            "a diagnostic is nowhere: \(diagnostic)")
        try expect(
            SourceText.line(diagnostic.line, of: source.text) != nil,
            "a diagnostic is behind the end of the file: \(diagnostic)")
        let plain = diagnostic.rendered(source: source, color: false)
        try expect(plain.hasSuffix("\n"), "a diagnostic does not end its line")
        for scalar in plain.unicodeScalars where scalar != "\n" {
            try expect(
                !steers(scalar),
                "a diagnostic shows U+\(String(scalar.value, radix: 16)), which steers a terminal: \(diagnostic)")
        }
        _ = diagnostic.rendered(source: source, color: true)
    }

    /// Ends a line, is a control character, or turns the writing direction.
    private static func steers(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case _:
            [0x061C, 0x200E, 0x200F].contains(scalar.value) || 0x202A...0x202E ~= scalar.value
                || 0x2066...0x2069 ~= scalar.value
        }
    }

    private static func checkTopology(_ topology: Topology) throws(FuzzFinding) {
        let directory = topology.directory
        try expect(directory.count <= DNDirectory.maximumCount, "more DNs than there may be")
        try expect(!topology.nodes.isEmpty, "a valid topology has no node")
        try expect(topology.nodes.map(\.name) == topology.nodes.map(\.name).sorted(), "nodes are not sorted by name")
        for block in directory.blocks {
            guard let first = directory.index(of: block.first) else {
                throw FuzzFinding(description: "\(block.first) is not found")
            }
            let last = DNIndex(first.position + block.count - 1)
            try expect(
                directory.dn(at: first) == block.first && directory.index(of: directory.dn(at: last)) == last
                    && directory.block(of: last) == block,
                "the directory does not find the ends of \(block)")
            try expect(
                topology.agentTypes.indices.contains(block.agentType) && directory.homes.indices.contains(block.homes)
                    && directory.expectations.indices.contains(block.expectation),
                "a block refers to what is not there: \(block)")
        }
        try checkTold(topology)
    }

    /// A controller tells its workers all of it.
    private static func checkTold(_ topology: Topology) throws(FuzzFinding) {
        let setup = WorkerSetup(
            node: topology.nodes[0].name, incarnation: Incarnation(rawValue: 1), generation: 1, topology: topology)
        var orders = [WorkerOrder.configure(setup)]
        let blocks = topology.directory.blocks
        for start in stride(from: 0, to: blocks.count, by: WorkerOrderCodec.maximumBlocks) {
            let piece = Array(blocks[start...].prefix(WorkerOrderCodec.maximumBlocks))
            let dialStrings = piece.compactMap { block in
                topology.directory.index(of: block.first).flatMap { topology.directory.dialStrings[$0] }
                    .map { DialString(dn: block.first, dial: $0) }
            }
            orders.append(.provision(piece, dialStrings: dialStrings))
        }
        for order in orders {
            var frame: [UInt8] = []
            WorkerOrderCodec.encode(order, to: &frame)
            let type = FrameHeader(frame.span.bytes)?.type ?? 0
            let told = try? WorkerOrderCodec.decode(type: type, Array(frame.dropFirst(FrameHeader.size)).span.bytes)
            try expect(told == order, "a worker is told \(told.map { "\($0)" } ?? "nothing") for \(order)")
        }
    }
}
