import AgentSessions
import CallControl
import ClusterModel
import DNOwnership
import NodeCore
import Orchestration

// What callers of this node could be connected with, for somebody who asks what a loss would do.
extension NodeShell {
    func reach(request: UInt64) -> ReachReport {
        var reach = ReachReport()
        reach.report = report(request: request)
        reach.points = topology.routingPoints.prefix(PointReport.maximumCount).map { PointReach("\($0.dn)") }
        for position in reach.points.indices {
            reach.points[position].waiting = core.control.counters[position].present
        }
        // Taken out of the shell once: reached through it for every DN, all of its tables would be retained every time.
        let ownership = core.ownership
        for dn in ownership.dnsWithAgent() {
            let view = ownership.view(of: dn)
            guard view.owner == me, let agent = view.agent, agent.isLoggedIn else { continue }
            let isAvailable = Availability(of: view).isAvailable
            for position in reach.points.indices
            where agent.profile.lacks(topology.routingPoints[position].skills) == nil {
                reach.points[position].fitting += 1
                reach.points[position].available += isAvailable ? 1 : 0
            }
        }
        return reach
    }
}
