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
