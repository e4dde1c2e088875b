import AgentSessions
import ClusterModel
import LinuxSystem
import TLibrary
import TLibraryPorts
import Testing
import Wire

/// The wire is open: a client in another language, generated from the same files, by the example that others begin with.
@Suite(.serialized) struct PythonClientTests {
    private static let example =
        #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
        + "/examples/python"

    @Test func `the example in Python logs an agent in, and hears what others do`() throws {
        let cluster = try TestCluster(TestCluster.agents())
        try cluster.register("1001", at: "127.0.0.1:5071")
        let made = try cluster.sandbox.run(["make", "-C", Self.example, "OUT=\(cluster.directory)"])
        try #require(made.code == 0, "\(made.output)")
        let desk = try BackgroundProgram(
            "desk",
            [
                "/usr/bin/python3", Self.example + "/desk.py", "unix:\(cluster.directory)/dc2-sip1", "1001", "ann",
                "--count", "3", "--logout",
            ], in: cluster, environment: ["PYTHONPATH=\(cluster.directory)", "PYTHONDONTWRITEBYTECODE=1"])
        let watcher = try AgentWatcher(cluster, "dc1/sip1")
        try watcher.waitUntil("ann is ready") { watcher.isReady("1001") }
        // What the supervisor does, the desk hears.
        let supervisor = try cluster.client("dc1/sip1")
        try supervisor.agent(.notReady(.auxWork, Reasons()), on: "1001")
        #expect(try desk.end() == 0, "\(desk.output)")
        let expected = """
            connected to dc2/sip1 of test
            EventRegistered 1001 in service
            EventAgentLogin 1001 ann desk=python site=west
            EventAgentReady 1001 ann site=west
            heard: EventAgentLogin 1001 ann desk=python site=west
            heard: EventAgentReady 1001 ann site=west
            heard: EventAgentNotReady 1001 ann site=west
            EventAgentLogout 1001 ann desk=python site=west

            """
        #expect(desk.output == expected)
    }

    @Test func `its requests are refused with the T-Library's errors`() throws {
        let cluster = try TestCluster(TestCluster.agents())
        let made = try cluster.sandbox.run(["make", "-C", Self.example, "OUT=\(cluster.directory)"])
        try #require(made.code == 0, "\(made.output)")
        let program = """
            import sys
            import tandem
            client = tandem.Client(sys.argv[1])
            for what in (lambda: client.register("4711"), lambda: client.ready("1001"), lambda: client.reserve()):
                try:
                    print(what())
                except tandem.Refused as refusal:
                    print(refusal.event.error_code)
            print(client.request(tandem.QUERY_SERVER, tandem.tlibrary_pb2.ServerRequest()).name)
            """
        try Files.writeAtomically(Array(program.utf8), to: cluster.directory + "/errors.py")
        let result = try cluster.sandbox.run([
            "/usr/bin/env", "PYTHONPATH=\(cluster.directory):\(Self.example)", "PYTHONDONTWRITEBYTECODE=1",
            "/usr/bin/python3", cluster.directory + "/errors.py", "unix:\(cluster.directory)/dc1-sip1",
        ])
        #expect(result.code == 0 && result.output == "59\n58\n53\nEventServerInfo\n", "\(result.output)")
    }
}
