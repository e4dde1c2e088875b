import ClusterModel
import LinuxSystem
import Orchestration
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// The link between two data centers is cut, in the ways that links are cut.
@Suite(.serialized) struct PartitionTests {
    enum Cut: String, CaseIterable {
        case silent, reset
    }

    @Test(arguments: Cut.allCases)
    func `each side puts the other's DNs out of service, keeps its own, and both come back when the link heals`(
        cut: Cut
    ) throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.register("1002", at: "127.0.0.1:5072", localPort: 6061)
        try cluster.waitUntil("two DNs in service") { $0.inService == 2 }
        let west = try Subscriber(cluster, "dc1/sip1")
        let east = try Subscriber(cluster, "dc2/sip1")
        #expect(west.snapshot["1002"] == .inService)
        #expect(east.snapshot["1001"] == .inService)

        switch cut {
        case .silent: try cluster.sandbox.cutSilently(port: 7302)
        case .reset: try cluster.sandbox.cutWithReset(port: 7302)
        }
        try west.expect("dc2/sip1 unreachable") { $0.privateInfo == .ownerUnreachable && $0.owner == "dc2/sip1" }
        try east.expect("dc1/sip1 unreachable") { $0.privateInfo == .ownerUnreachable && $0.owner == "dc1/sip1" }
        try expectViews(cluster, "1001", [.inService, .ownerUnreachable])
        try expectViews(cluster, "1002", [.ownerUnreachable, .inService])
        #expect(try cluster.status().isHealthy == false)

        // Each side goes on with its own.
        try cluster.register("1003", at: "127.0.0.1:5071")
        _ = try west.expectInService("1003", owner: "dc1/sip1")

        try cluster.sandbox.heal()
        try west.expect("dc2/sip1 reachable", seconds: 10) {
            $0.privateInfo == .ownerReachable && $0.owner == "dc2/sip1"
        }
        try east.expect("dc1/sip1 reachable", seconds: 10) {
            $0.privateInfo == .ownerReachable && $0.owner == "dc1/sip1"
        }
        try cluster.waitUntil("the cluster is healthy") { $0.isHealthy }
        for dn in ["1001", "1002", "1003"] { try expectViews(cluster, dn, [.inService, .inService]) }
        for statServer in [west, east] {
            let turns = statServer.events.count { [.ownerUnreachable, .ownerReachable].contains($0.privateInfo) }
            #expect(turns == 2, "lost once, back once, no flapping")
            #expect(statServer.serviceEvents("1001") + statServer.serviceEvents("1002") == 0)
        }
    }

    @Test func `a DN registered on both sides of a cut ends with the later registration`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.sandbox.cutSilently(port: 7302)
        try cluster.waitUntil("the link is lost") { status in
            status.nodes.allSatisfy { $0.report?.links.first?.state == "down" }
        }
        try cluster.register("1001", at: "127.0.0.1:5072", localPort: 6061)
        let east = try Subscriber(cluster, "dc2/sip1")
        let west = try Subscriber(cluster, "dc1/sip1")
        #expect(east.snapshot["1001"] == .inService)
        #expect(west.snapshot["1001"] == .inService)
        try cluster.sandbox.heal()
        try cluster.waitUntil("one owner") { _ in
            try cluster.details("1001").answers.allSatisfy {
                $0.report?.owner == "dc2/sip1" && $0.report?.shown == .inService
            }
        }
        #expect(try cluster.details("1001").answers.map { $0.report?.bindings.count } == [0, 1])
    }

    private func expectViews(_ cluster: TestCluster, _ dn: String, _ services: [Service]) throws {
        #expect(try cluster.details(dn).answers.map { $0.report?.shown } == services, "\(dn)")
    }
}
