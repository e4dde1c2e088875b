import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import Testing

/// Workspaces are workers as nodes are: started, listed, restarted, told and taken up.
@Suite(.serialized) struct WorkspaceRoleTests {
    static func topology(_ directory: String) -> String {
        let port = "        mesh: \"tcp:127.0.0.1:7301\"\n"
        return TestCluster.twoNodes(directory)
            .replacing(port, with: port + "    workspaces: { desk1: { http: \"127.0.0.1:8081\" } }\n")
    }

    private func desk(_ status: ClusterStatus) throws -> NodeStatus {
        try #require(status.nodes.first { $0.role == .workspace })
    }

    private func health(_ cluster: TestCluster) throws -> String {
        try cluster.sandbox.run(["/usr/bin/curl", "-sS", "-w", "%{http_code}", "http://127.0.0.1:8081/healthz"]).output
    }

    @Test func `it is listed with the nodes, hears them, and answers browsers`() throws {
        let cluster = try TestCluster(Self.topology)
        let status = try cluster.status()
        #expect(status.nodes.map(\.name) == ["dc1/sip1", "dc2/sip1", "dc1/desk1"])
        let desk = try desk(status)
        #expect(desk.listen == "http://127.0.0.1:8081")
        #expect(try #require(desk.report?.workspace).nodesHeard > 0)
        #expect(try health(cluster).contains("200"))
        let shown = try Program.run([Executables.companion("tandem"), "status", "--socket", cluster.socketPath])
        #expect(shown.code == 0)
        #expect(shown.output.contains("1 of 1 workspace ready"))
    }

    @Test func `one that is killed is replaced at the same address`() throws {
        let cluster = try TestCluster(Self.topology)
        let before = try desk(try cluster.status())
        kill(pid_t(before.pid), SIGKILL)
        try cluster.waitUntil("it is back") { status in
            let after = try desk(status)
            return status.isHealthy && after.restarts == 1 && after.pid != before.pid
        }
        #expect(try health(cluster).contains("200"))
    }

    @Test func `it is restarted without a connection being refused`() throws {
        let cluster = try TestCluster(Self.topology)
        let before = try desk(try cluster.status())
        let asking = try cluster.sandbox.run(
            [
                "/bin/sh", "-c",
                """
                "$0" restart dc1/desk1 --wait --socket "$1" & restart=$!
                while kill -0 $restart 2>/dev/null; do
                    curl -s -o /dev/null --connect-timeout 2 http://127.0.0.1:8081/healthz || echo refused $?
                done
                """, Executables.companion("tandem"), cluster.socketPath,
            ], seconds: 60)
        #expect(!asking.output.contains("refused 7"), "\(asking.output)")
        let after = try desk(try cluster.status())
        #expect(after.pid != before.pid && after.restarts == 0)
    }

    @Test func `the next controller takes it up, and another topology is told while it serves`() throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(Self.topology, options: options)
        let before = try desk(try cluster.status())
        try cluster.killController()
        try cluster.write(
            topology: Self.topology(cluster.directory)
                .replacing("8081\" }", with: "8081\", url: \"http://desk.example.com\" }"))
        try cluster.startController()
        try cluster.waitUntil("all workers run it") { status in
            status.isHealthy && status.nodes.allSatisfy { $0.report?.generation == 2 }
        }
        let after = try desk(try cluster.status())
        #expect(after.pid == before.pid && after.restarts == 0)
        #expect(after.listen == "http://desk.example.com")
        try cluster.stopController()
        #expect(try cluster.controller.exitStatus() == .exited(code: 0))
    }
}
