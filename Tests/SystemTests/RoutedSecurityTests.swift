import ClusterModel
import LinuxSystem
import Orchestration
import TestCertificates
import Testing

/// Routed calls where all that may be secured is: phones with passwords, ports over TLS, clients and servers with secrets.
@Suite(.serialized) struct RoutedSecurityTests {
    private static let secret = "0123456789abcdef"

    /// The cluster of `TestCluster.routed`, with ports over TLS where there were sockets.
    private func cluster(_ authority: TestAuthority) throws -> TestCluster {
        let servers = ["sip1", "stat1"].flatMap { name in [1, 2].map { "DNS:\(name).dc\($0).cc.example.com" } }
        let issued = try authority.issue("servers", names: servers.joined(separator: ", "))
        return try TestCluster { directory in
            let clients = [1, 2].flatMap { ["dc\($0)/stat1", "dc\($0)/router1"] } + ["desk"]
            let credentials =
                "version: 1\nusers:\n  1000: secret\n  1001: secret\nclients:\n"
                + clients.map { "  \($0): \(Self.secret)\n" }.joined()
            _ = try? Files.writeAtomically(Array(credentials.utf8), to: directory + "/credentials.yaml", mode: 0o600)
            _ = try? Files.writeAtomically(Array(Self.secret.utf8), to: directory + "/desk.secret", mode: 0o600)
            return [1, 2].reduce(TestCluster.routed()(directory)) { topology, number in
                topology
                    .replacing("unix:\(directory)/dc\(number)-sip1", with: "tls:127.0.0.1:710\(number)")
                    .replacing("unix:\(directory)/dc\(number)-default", with: "tls:127.0.0.1:720\(number)")
                    .replacing(
                        "stat1: {}", with: "stat1: { listen: \"tls:127.0.0.1:740\(number)\" }", maxReplacements: 1)
            } + """
                authentication: { realm: cc.example.com, users: credentials.yaml, algorithms: [ md5 ] }
                clients: { secrets: credentials.yaml }
                tls: { certificate: \(issued.certificate), key: \(issued.key), ca: \(authority.certificate) }

                """
        }
    }

    @Test func `a phone calls a routing point, and an agent of the other data center answers`() throws {
        let authority = try TestAuthority()
        let cluster = try cluster(authority)
        let caller = try Baresip("1000", "udp", port: 6080, control: 4440, in: cluster)
        let agent = try Baresip("1001", at: "127.0.0.1:5072", "udp", port: 6082, control: 4441, in: cluster)
        defer { withExtendedLifetime((caller, agent)) {} }
        try cluster.waitUntil("both phones are registered") { $0.inService == 2 }
        let login = try cluster.sandbox.run([
            Executables.companion("tandem"), "agent", "login", "1001", "ann", "--work-mode", "auto-in", "--socket",
            cluster.socketPath, "--secret-file", cluster.directory + "/desk.secret", "--name", "desk",
        ])
        try #require(login.code == 0, "\(login.output)\n\(cluster.logText)")
        try cluster.awaitAgents(1)
        try cluster.python(
            #"""
            from baresip_control import Control
            caller, agent = Control(4440), Control(4441)
            for turn in range(4):
                caller.say("dial", "sip:8000@cc.example.com")
                agent.hears("CALL_INCOMING")
                caller.hears("CALL_RINGING")
                agent.say("accept")
                for side in (caller, agent):
                    side.hears("CALL_ESTABLISHED")
                (caller, agent)[turn % 2].say("hangup")
                for side in (caller, agent):
                    side.hears("CALL_CLOSED")
            # The caller gives up while the agent's phone rings.
            caller.say("dial", "sip:8000@cc.example.com")
            agent.hears("CALL_INCOMING")
            caller.say("hangup")
            agent.hears("CALL_CLOSED")
            """#)
        try cluster.waitUntil("the agent is free") { $0.agentsAvailable == 1 && $0.isHealthy }
    }
}
