package import ClusterModel

/// What somebody asks who checks the machine from outside. These change nothing.
extension RouterMachine {
    /// The call for which a node has been asked something.
    package func call(of reference: UInt32, at node: NodeIndex) -> CallConnection? {
        calls.slot(of: reference, at: node).flatMap { calls[$0]?.request.connection }
    }

    /// The calls of a node that wait in lines, the most urgent first.
    package func waitingCalls(of node: NodeIndex) -> [CallConnection] {
        calls.slots(of: node).filter { calls.lines.contains($0) }.compactMap { calls[$0]?.request.connection }
    }

    /// How many calls wait at a routing point.
    package func waitingCount(at point: DN) -> Int {
        calls.calls.indices.count { calls.lines.contains($0) && calls[$0]?.request.routingPoint == point }
    }
}
