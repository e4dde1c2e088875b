import ClusterModel
import Orchestration
import Testing

@Suite struct ReportTests {
    private func healthy() -> ClusterStatus {
        var status = ClusterStatus()
        for name in ["dc1/a", "dc1/b"] {
            var node = NodeStatus(name: name)
            node.state = .ready
            node.report = NodeReport()
            node.report!.links = [LinkStatus(peer: "dc1/other", state: "live")]
            status.nodes.append(node)
        }
        status.conditions = [Condition(severity: .warning, subject: "dc1/a", kind: "slow", message: "It is slow.")]
        return status
    }

    @Test func `a cluster is healthy when every node is ready, every link live and no condition an error`() {
        #expect(healthy().isHealthy)
        #expect(ClusterStatus().isHealthy)
        let harms: [(inout ClusterStatus) -> Void] = [
            { $0.nodes[1].state = .backingOff },
            { $0.nodes[1].report = nil },
            { $0.nodes[1].report!.links[0].state = "syncing" },
            { $0.conditions[0].severity = .error },
        ]
        for harm in harms {
            var status = healthy()
            harm(&status)
            #expect(!status.isHealthy)
        }
    }

    private func node(_ name: String, _ role: RoleName = .sip, in dataCenter: String, routers: UInt32 = 0) -> NodeStatus
    {
        var node = NodeStatus(name: name)
        (node.role, node.dataCenter, node.state) = (role, dataCenter, .ready)
        node.report = NodeReport()
        if role == .sip {
            var point = PointReport("8000")
            (point.arrived, point.routers) = (3, routers)
            node.report?.points = [point, PointReport("900")]
        }
        return node
    }

    @Test func `routing points are summed over nodes, and a router counts once in its data center`() {
        var status = ClusterStatus()
        status.nodes = [
            node("dc1/a", in: "dc1", routers: 2), node("dc1/b", in: "dc1", routers: 1),
            node("dc2/c", in: "dc2", routers: 1), node("dc1/router1", .router, in: "dc1"),
        ]
        let points = status.routingPoints
        #expect(points.map(\.number) == ["900", "8000"])
        #expect(points.map(\.arrived) == [0, 9] && points.map(\.routers) == [0, 3])
        #expect(points.map(\.isIdle) == [true, false])
    }

    @Test func `a ready workspace that hears no node is an error`() {
        var desk = node("dc1/desk1", .workspace, in: "dc1")
        desk.report?.workspace = WorkspaceReport()
        func found(_ node: NodeStatus) -> [Condition] {
            ConditionRules.conditions(of: [node], notices: []).filter { $0.kind == "workspace-alone" }
        }
        #expect(found(desk).map(\.severity) == [.error])
        #expect(found(desk).map(\.subject) == ["dc1/desk1"])
        var starting = desk
        starting.state = .starting
        #expect(found(starting).isEmpty)
        desk.report?.workspace?.nodesHeard = 1
        #expect(found(desk).isEmpty)
    }

    @Test func `a ready node with a routing point that no router is asked about is worth a warning`() {
        func warnings(_ nodes: [NodeStatus]) -> [Condition] {
            ConditionRules.conditions(of: nodes, notices: []).filter { $0.kind == "no-router" }
        }
        var lonely = node("dc1/a", in: "dc1")
        let found = warnings([lonely])
        guard let warning = found.first, found.count == 1 else {
            Issue.record("there should be one")
            return
        }
        #expect(warning.severity == .warning && warning.subject == "dc1/a")
        #expect(
            warning.message.hasPrefix(
                "no router is asked about calls to 8000, 900, so they go to default and alternate DNs at once, or are "
                    + "refused; declare one under `routers:` of dc1"))
        var router = node("dc1/router1", .router, in: "dc1")
        #expect(warnings([lonely, router])[0].message.contains("see the log of dc1/router1"))
        router.report = nil
        #expect(warnings([lonely, router])[0].message.contains("dc1/router1 is not ready or does not answer"))
        lonely.report?.points.removeLast()
        lonely.report?.points[0].routers = 1
        #expect(warnings([lonely]).isEmpty)
        lonely.report?.points = (0..<5).map { PointReport("800\($0)") }
        #expect(warnings([lonely])[0].message.contains("calls to 8000, 8001, 8002 and 2 more, so"))
        lonely.state = .starting
        #expect(warnings([lonely]).isEmpty)
    }

    private func report(_ owner: String, _ stamp: UInt64, here: Bool = false, _ service: Service = .inService)
        -> DNReport
    {
        var report = DNReport()
        report.owner = owner
        report.stamp = Stamp(rawValue: stamp)
        report.isOwnedHere = here
        report.lastWord = service
        return report
    }

    private func authority(_ reports: [DNReport?]) -> DNReport? {
        var details = DNDetails()
        details.answers = reports.enumerated().map { DNAnswer(node: "dc1/n\($0)", state: "ready", report: $1) }
        return details.authority
    }

    @Test func `the authority on a DN is the greatest claim, among equal ones the owner's own answer`() {
        #expect(authority([]) == nil)
        #expect(authority([nil, report("", 0)]) == nil)
        let stale = report("dc1/b", 1, here: true)
        let told = report("dc1/a", 2, .superseded)
        let own = report("dc1/a", 2, here: true)
        #expect(authority([stale, nil, told]) == told)
        for reports in [[stale, own, told], [told, own, stale], [own, told]] { #expect(authority(reports) == own) }
        #expect(authority([report("dc1/a", 3), report("dc1/b", 3)])?.owner == "dc1/b")
    }
}
