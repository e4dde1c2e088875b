import ClusterModel
import LinuxSystem
import Orchestration
import TestCertificates
import Testing

/// Two baresip phones with passwords call each other, over every transport and between data centers.
@Suite(.serialized) struct BaresipCallTests {
    private static let transports = ["udp", "tcp", "tls"]

    private func cluster(_ authority: TestAuthority) throws -> TestCluster {
        let issued = try authority.issue(
            "node", names: "DNS:cc.example.com, URI:sip:cc.example.com, IP:127.0.0.1")
        return try TestCluster { directory in
            let users = "version: 1\nusers:\n" + (1000...1019).map { "  \($0): secret\n" }.joined()
            _ = try? Files.writeAtomically(Array(users.utf8), to: directory + "/credentials.yaml", mode: 0o600)
            return [(5071, 5061), (5072, 5062)].reduce(TestCluster.twoNodesWithStreams(directory)) { topology, ports in
                topology.replacing(
                    "\"tcp:127.0.0.1:\(ports.0)\" ]",
                    with: "\"tcp:127.0.0.1:\(ports.0)\", \"tls:127.0.0.1:\(ports.1)\" ]")
            } + """

                authentication: { realm: cc.example.com, users: credentials.yaml, algorithms: [ md5 ] }
                tls: { certificate: \(issued.certificate), key: \(issued.key) }
                """
        }
    }

    /// - Parameter number: of the phone; its DN and its ports follow from it.
    private func phone(
        _ number: Int, _ transport: String, isEast: Bool, _ authority: TestAuthority, _ cluster: TestCluster
    ) throws -> Baresip {
        let port = (transport == "tls" ? 5061 : 5071) + (isEast ? 1 : 0)
        return try Baresip(
            "\(1000 + number)", at: "127.0.0.1:\(port)", transport, port: 6080 + 2 * number, control: 4440 + number,
            authority: transport == "tls" ? authority.certificate : nil, in: cluster)
    }

    @Test(arguments: [false, true])
    func `two phones call each other, and either may hang up`(isAcross: Bool) throws {
        let authority = try TestAuthority()
        let cluster = try cluster(authority)
        // The callers, and for each the callees of all transports.
        var phones: [Baresip] = []
        for (position, transport) in Self.transports.enumerated() {
            phones.append(try phone(position, transport, isEast: false, authority, cluster))
            phones.append(try phone(position + 3, transport, isEast: isAcross, authority, cluster))
        }
        try cluster.waitUntil("all are registered") { $0.inService == phones.count }
        try cluster.python(
            #"""
            from baresip_control import Control
            callers = [Control(4440 + number) for number in range(3)]
            callees = [Control(4443 + number) for number in range(3)]
            for turn, (caller, callee) in enumerate((a, b) for a in range(3) for b in range(3)):
                a, b = callers[caller], callees[callee]
                a.say("dial", f"sip:{1003 + callee}@cc.example.com")
                b.hears("CALL_INCOMING")
                a.hears("CALL_RINGING")
                b.say("accept")
                for side in (a, b):
                    side.hears("CALL_ESTABLISHED")
                (a, b)[turn % 2].say("hangup")
                for side in (a, b):
                    side.hears("CALL_CLOSED")
            # One refuses; one gives up.
            callers[0].say("dial", "sip:1004@cc.example.com")
            callees[1].hears("CALL_INCOMING")
            callees[1].say("hangup")
            assert "486" in callers[0].hears("CALL_CLOSED")["param"]
            callers[1].say("dial", "sip:1005@cc.example.com")
            callees[2].hears("CALL_INCOMING")
            callers[1].hears("CALL_RINGING")
            callers[1].say("hangup")
            callees[2].hears("CALL_CLOSED")
            """#)
        #expect(try phones[0].trace().contains("407 Proxy Authentication Required"))
        #expect(try cluster.status().isHealthy)
    }
}
