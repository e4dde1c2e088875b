import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing

/// `tandem history` of a cluster of real processes.
@Suite(.serialized) struct HistoryTests {
    private func tandem(_ words: [String], _ cluster: TestCluster) throws -> (code: Int, output: String) {
        let result = try cluster.sandbox.run(
            [Executables.companion("tandem")] + words + ["--socket", cluster.socketPath])
        return (Int(result.code), result.output)
    }

    /// Node and cause of every line.
    private func history(_ dn: String, _ cluster: TestCluster) throws -> [String] {
        let result = try tandem(["history", dn, "--plain"], cluster)
        try #require(result.code == 0, "\(result.output)")
        return result.output.split(separator: "\n").dropFirst().map { line in
            line.split(separator: "\t")[1...2].joined(separator: " ")
        }
    }

    private func transitions(_ dn: String, _ cluster: TestCluster) throws -> [String] {
        try history(dn, cluster).filter { $0.hasSuffix("registered") || $0.hasSuffix("lost") || $0.hasSuffix("moved") }
    }

    @Test func `what became of a DN outlives its node and the controller, with what happened to them`() throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.register("1001", at: "127.0.0.1:5071", localPort: 6061)
        #expect(try transitions("1001", cluster) == ["dc1/sip1 registered"])
        let node = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" })
        kill(Int32(node.pid), SIGKILL)
        try cluster.waitUntil("the node is back") { status in
            status.isHealthy && status.nodes.first { $0.name == "dc1/sip1" }?.restarts == 1
        }
        let lines = try history("1001", cluster)
        #expect(lines.first == "dc1/sip1 registered")
        for line in ["dc1/sip1 node-exited", "dc2/sip1 link-down", "dc1/sip1 node-ready", "dc2/sip1 link-live"] {
            #expect(lines.contains(line), "\(lines)")
        }
        try cluster.register("1001", at: "127.0.0.1:5072")
        try cluster.register("1001", at: "127.0.0.1:5072", expires: 0)
        let all = ["dc1/sip1 registered", "dc2/sip1 registered", "dc1/sip1 moved", "dc2/sip1 lost"]
        #expect(try transitions("1001", cluster).sorted() == all.sorted())
        let json = try tandem(["history", "1001", "--json", "--limit", "1"], cluster).output
        #expect(json.contains("\"cause\" : \"lost\"") && json.contains("\"reason\" : \"unregistered\""), "\(json)")
        #expect(json.contains("\"more\" : true"))

        try cluster.stopController()
        try cluster.startController()
        try cluster.waitUntil("all are found again") { $0.isHealthy }
        #expect(try transitions("1001", cluster).sorted() == all.sorted())
        let unknown = try tandem(["history", "4711"], cluster)
        #expect(unknown.code == 1 && unknown.output.contains("not provisioned"), "\(unknown.output)")
    }

    @Test func `nodes that keep nothing say so`() throws {
        var options = TestCluster.Options()
        options.arguments = ["--memory-only"]
        let cluster = try TestCluster(TestCluster.twoNodes, options: options)
        try cluster.register("1001", at: "127.0.0.1:5071")
        let result = try tandem(["history", "1001"], cluster)
        #expect(result.output.contains("dc1/sip1 keeps no history: it serves without a store."), "\(result.output)")
        #expect(result.output.contains("Nothing is known of the past of DN 1001."), "\(result.output)")
        #expect(try tandem(["history", "1001", "--json"], cluster).output.contains("\"problem\" : \"no-store\""))
    }
}
