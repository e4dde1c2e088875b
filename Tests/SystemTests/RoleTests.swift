import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TLibraryPorts
import Testing
import Transport
import Wire

/// Stat Servers and routers are workers as nodes are: started, listed, restarted and taken up.
@Suite(.serialized) struct RoleTests {
    /// Two nodes, and a Stat Server and a router beside the first.
    static func topology(_ directory: String) -> String {
        let port = "        mesh: \"tcp:127.0.0.1:7301\"\n"
        let roles = "    statServers: { stat1: {} }\n    routers: { router1: {} }\n"
        return TestCluster.twoNodes(directory)
            .replacing(port, with: "        default: \"tcp:127.0.0.1:7201\"\n" + port + roles)
            + "\nroutingPoints: { 8000: { strategy: longest-idle, default: 1000 } }\n"
    }

    private func worker(_ role: RoleName, _ status: ClusterStatus) throws -> NodeStatus {
        try #require(status.nodes.first { $0.role == role })
    }

    @Test func `they are listed with the nodes, and what asks nodes does not ask them`() throws {
        let cluster = try TestCluster(Self.topology)
        let status = try cluster.status()
        #expect(status.nodes.map(\.name) == ["dc1/sip1", "dc2/sip1", "dc1/stat1", "dc1/router1"])
        #expect(status.nodes.map(\.role) == [.sip, .sip, .stat, .router])
        let stat = try worker(.stat, status)
        #expect(stat.dataCenter == "dc1")
        #expect(stat.listen == "unix:\(cluster.directory)/stat/dc1.stat1.sock")
        #expect(stat.report.map { $0.memoryBytes > 0 && $0.links.isEmpty } == true)
        #expect(try Files.permissions(of: cluster.directory + "/stat")?.mode == 0o700)
        #expect(try cluster.details("1001").answers.map(\.node) == ["dc1/sip1", "dc2/sip1"])
        let tandem = Executables.companion("tandem")
        let shown = try Program.run([tandem, "status", "--socket", cluster.socketPath])
        #expect(shown.code == 0)
        #expect(shown.output.contains("2 of 2 links live, 1 of 1 stat server ready, 1 of 1 router ready"))
        let refused = try Program.run([tandem, "monitor", "dc1/router1", "--socket", cluster.socketPath])
        #expect(refused.output.contains("dc1/router1 is a router; the nodes of test are dc1/sip1 and dc2/sip1"))
    }

    @Test func `one that is killed or hangs is replaced, and the cluster is degraded meanwhile`() throws {
        let cluster = try TestCluster(Self.topology)
        let before = try cluster.status()
        for role in [RoleName.stat, .router] {
            let pid = try worker(role, before).pid
            kill(pid_t(pid), role == .stat ? SIGKILL : SIGSTOP)
            if role == .router {
                try cluster.waitUntil("the router's silence is told") { !$0.isHealthy }
            }
            try cluster.waitUntil("\(role) is back", seconds: 15) { status in
                let after = try worker(role, status)
                return status.isHealthy && after.restarts == 1 && after.pid != pid && after.incarnation == 2
            }
        }
        let after = try cluster.status()
        #expect(after.sipNodes.map(\.pid) == before.sipNodes.map(\.pid))
    }

    @Test func `the next controller takes them up, and an orderly end leaves nothing`() throws {
        var options = TestCluster.Options()
        options.survives = true
        let cluster = try TestCluster(Self.topology, options: options)
        let before = try cluster.status()
        try cluster.killController()
        try cluster.startController()
        try cluster.waitUntil("all workers are taken up") { $0.isHealthy }
        let after = try cluster.status()
        #expect(after.nodes.map(\.pid) == before.nodes.map(\.pid))
        #expect(after.nodes.allSatisfy { $0.restarts == 0 })

        // What a routing point says is told to nodes while they serve, and is part of what the others run.
        try cluster.killController()
        try cluster.write(
            topology: Self.topology(cluster.directory).replacing("default: 1000 }", with: "default: 1001 }"))
        try cluster.startController()
        try cluster.waitUntil("all workers run it") { status in
            status.isHealthy && status.nodes.allSatisfy { $0.report?.generation == 2 }
        }
        let told = try cluster.status()
        #expect(told.sipNodes.map(\.pid) == before.sipNodes.map(\.pid))
        #expect(told.nodes.allSatisfy { $0.restarts == 0 })
        try cluster.stopController()
        #expect(try cluster.controller.exitStatus() == .exited(code: 0))
        for directory in ["/workers", "/stat"] { #expect(try Files.kind(of: cluster.directory + directory) == nil) }
    }

    @Test func `a Stat Server has an answer for whoever asks`() throws {
        let cluster = try TestCluster(Self.topology)
        let address = try #require(StreamAddress(try worker(.stat, try cluster.status()).listen))
        let client = try BlockingConnection(to: address)
        var hello: [UInt8] = []
        CommonCodec.encode(PortHello(name: "test"), to: &hello)
        try client.send(raw: hello)
        let frame = try client.receive()
        #expect(frame.type == FrameType.hello)
        let answer = try CommonCodec.decodeHello(frame.payload.span.bytes)
        #expect(answer.name == "dc1/stat1" && answer.cluster == "test")
        try client.send(raw: hello)
        #expect(try client.receive().type == FrameType.problem)
        #expect(throws: BlockingConnectionError.closed(address)) { _ = try client.receive() }
    }

    @Test func `without a secret of its own a router is not started, and with one it is`() throws {
        func file(_ names: [String]) -> [UInt8] {
            Array(("version: 1\nclients:\n" + names.map { "  \($0): 0123456789abcdef\n" }.joined()).utf8)
        }
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = temporary.path
        let topology = Self.topology(directory) + "clients: { secrets: credentials.yaml }\n"
        try Files.writeAtomically(Array(topology.utf8), to: directory + "/topology.yaml")
        try Files.writeAtomically(file(["dc1/stat1"]), to: directory + "/credentials.yaml")
        let arguments = [
            "--topology", directory + "/topology.yaml", "--runtime-dir", directory, "--state-dir", directory,
        ]
        for command in [
            [Executables.companion("tandem"), "validate", directory + "/topology.yaml"],
            [Executables.companion("tandemd")] + arguments,
        ] {
            let result = try Program.run(command)
            #expect(result.code == 65)
            #expect(result.output.contains("`clients` has no secret for `dc1/router1`"), "\(result.output)")
            #expect(result.output.contains("add `dc1/router1: ` with a secret of its own"), "\(result.output)")
        }
        let cluster = try TestCluster { directory in
            let contents = file(["dc1/stat1", "dc1/router1", "desk"])
            _ = try? Files.writeAtomically(contents, to: directory + "/credentials.yaml")
            return Self.topology(directory) + "clients: { secrets: credentials.yaml }\n"
        }
        #expect(try cluster.status().isHealthy)
        // The router, which knows its own, is served by the Stat Server; who has none is not.
        try cluster.waitUntil("the router is served") { status in
            try worker(.stat, status).report?.clients == 1
        }
        let address = try #require(StreamAddress(try worker(.stat, try cluster.status()).listen))
        let client = try BlockingConnection(to: address)
        var hello: [UInt8] = []
        CommonCodec.encode(PortHello(name: "dc1/router1"), to: &hello)
        try client.send(raw: hello)
        let answer = try client.receive()
        #expect(try CommonCodec.decodeHello(answer.payload.span.bytes).nonce.count == ClientProof.size)
        let refusal = try client.receive()
        let problem = try CommonCodec.decodeProblem(refusal.payload.span.bytes)
        #expect(problem == "clients must prove here that they know a secret, and this one has none")
    }

    @Test func `a socket whose path would be too long is told before anything is started`() throws {
        let temporary = try TemporaryDirectory()
        defer { temporary.remove() }
        let directory = temporary.path + "/" + String(repeating: "x", count: 100)
        try Files.writeAtomically(Array(Self.topology(temporary.path).utf8), to: temporary.path + "/topology.yaml")
        let result = try Program.run([
            Executables.companion("tandemd"), "--topology", temporary.path + "/topology.yaml", "--runtime-dir",
            directory,
            "--state-dir", temporary.path,
        ])
        #expect(result.code == 1)
        #expect(
            result.output.contains("dc1/stat1 would listen at \(directory)/stat/dc1.stat1.sock"), "\(result.output)")
        #expect(result.output.contains("choose a shorter --runtime-dir"))
    }
}
