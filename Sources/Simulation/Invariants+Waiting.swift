import AgentSessions
import CallControl
import ClusterModel
import NodeCore
import TargetSelection

// What must hold of callers who wait.
extension ClusterSimulation {
    /// No caller is overtaken: when an agent is reserved for a call, no call that came to the same node and routing point before it waits
    /// that could have that agent as well; also after the router has begun again, or another has taken its place.
    ///
    /// Who came within a few milliseconds came at once.
    mutating func invariantNobodyIsOvertaken(_ router: Int, _ node: NodeIndex, _ reference: UInt32, _ dn: DN) {
        // Where locations count others may have to wait for somebody near.
        let point = CallPlan.points[0]
        guard let connection = routers[router].machine.call(of: reference, at: node),
            let since = heldCalls[node.position][connection]?.since
        else { return }
        let calls = cores[node.position].inspectRoutedCalls()
        guard calls.contains(where: { $0.connection == connection && $0.routingPoint == point }) else { return }
        for other in routers[router].machine.waitingCalls(of: node) where other != connection {
            guard let waiting = calls.first(where: { $0.connection == other }), waiting.state == .waiting,
                waiting.routingPoint == point, !waiting.tried.contains(dn),
                let otherSince = heldCalls[node.position][other]?.since, otherSince + 5 * .millisecond < since
            else { continue }
            return fail(
                "invariantNobodyIsOvertaken",
                "router \(router) reserves \(dn) for \(connection), and \(other) has waited at \(name(node)) for longer"
            )
        }
        count(.servedInOrder)
    }

    /// 9. No more calls wait at a routing point than may.
    mutating func invariantLinesAreBounded(_ router: Int) {
        for point in topology.routingPoints {
            let waiting = routers[router].machine.waitingCount(at: point.dn)
            if waiting <= point.maximumWaiting { continue }
            fail(
                "invariantLinesAreBounded",
                "\(waiting) calls wait at \(point.dn) in router \(router), where \(point.maximumWaiting) may")
        }
    }
}
