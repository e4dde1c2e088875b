import Glibc
import LinuxSystem
import Orchestration
import Testing

/// The process that is kept ready for the next node that ends.
@Suite(.serialized) struct SpareWorkerTests {
    /// Processes of the cluster that wait.
    private func spares(_ cluster: TestCluster) throws -> [Int32] {
        let controller = "\(try cluster.status().controllerPID)"
        let result = try cluster.sandbox.run(["/usr/bin/pgrep", "-x", "-P", controller, "tandem spare"])
        return result.output.split(separator: "\n").compactMap { Int32($0) }
    }

    private func spare(of cluster: TestCluster) throws -> Int32 {
        try cluster.waitUntil("a process is kept ready") { _ in try spares(cluster).count == 1 }
        return try #require(try spares(cluster).first)
    }

    /// Also of one that nobody has reaped.
    private func hasEnded(_ process: Int32) -> Bool {
        (try? Files.read("/proc/\(process)/cmdline", limit: 4096))?.isEmpty ?? true
    }

    private func pid(_ name: String, _ cluster: TestCluster) throws -> Int32 {
        Int32(try #require(try cluster.status().nodes.first { $0.name == name }).pid)
    }

    private func kill(_ name: String, _ cluster: TestCluster, restarts: Int) throws {
        Glibc.kill(try pid(name, cluster), SIGKILL)
        try cluster.waitUntil("\(name) is back") { status in
            status.isHealthy && status.nodes.first { $0.name == name }.map { Int($0.restarts) } == restarts
        }
    }

    @Test func `a node's next life is the process that waited, and another is made ready`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        let first = try spare(of: cluster)
        try cluster.register("1001", at: "127.0.0.1:5071")
        try kill("dc1/sip1", cluster, restarts: 1)
        #expect(try pid("dc1/sip1", cluster) == first)
        try cluster.register("1002", at: "127.0.0.1:5071")
        #expect(try cluster.details("1001").authority?.bindings.count == 1)
        let second = try spare(of: cluster)
        #expect(second != first)
        // What it says is the node's.
        #expect(try cluster.status().nodes[0].logLines.contains { $0.contains("ready") })
    }

    @Test func `where the process that waits has ended, nodes start as they did before`() throws {
        let cluster = try TestCluster(TestCluster.twoNodes)
        Glibc.kill(try spare(of: cluster), SIGKILL)
        try cluster.waitUntil("it is gone") { _ in try spares(cluster).isEmpty }
        try kill("dc2/sip1", cluster, restarts: 1)
        try cluster.register("1001", at: "127.0.0.1:5072")
        _ = try spare(of: cluster)
    }

    @Test func `it ends with its controller, also when that is killed`() throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        let first = try spare(of: cluster)
        try cluster.killController()
        try cluster.startController()
        try cluster.waitUntil("the nodes are found again") { $0.isHealthy }
        let second = try spare(of: cluster)
        #expect(second != first)
        #expect(hasEnded(first))
        try cluster.stopController()
        #expect(hasEnded(second))
    }
}
