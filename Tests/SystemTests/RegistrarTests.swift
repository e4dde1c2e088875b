import ClusterModel
import LinuxSystem
import Orchestration
import Testing

/// The registrar with programs that others wrote: SIPp, baresip, sipsak.
@Suite(.serialized) struct RegistrarTests {
    private func cluster(isAuthenticating: Bool = false) throws -> TestCluster {
        try TestCluster { directory in
            var topology = TestCluster.twoNodes(directory)
                .replacing(#"[ "udp:127.0.0.1:5071" ]"#, with: #"[ "udp:127.0.0.1:5071", "tcp:127.0.0.1:5071" ]"#)
                .replacing("min: 1s", with: "min: 30s")
                .replacing(
                    "  - { number: 7001",
                    with: "  - { number: 2000, agentType: sip-phone, homes: [ dc2 ] }\n  - { number: 7001")
            if isAuthenticating {
                let users = "version: 1\nusers:\n" + (1001...1006).map { "  \($0): secret\n" }.joined()
                _ = try? Files.writeAtomically(Array(users.utf8), to: directory + "/credentials.yaml", mode: 0o600)
                topology +=
                    "\nauthentication: { realm: cc.example.com, users: credentials.yaml, algorithms: [ md5 ] }\n"
            }
            return topology
        }
    }

    private func sipp(_ cluster: TestCluster, _ scenario: String, _ dn: String, _ transport: String) throws {
        let result = try cluster.sandbox.run([
            "/usr/bin/sipp", "127.0.0.1:5071", "-sf", TestCluster.scenario(scenario), "-s", dn, "-m", "1", "-i",
            "127.0.0.1", "-p", transport == "t1" ? "6061" : "6060", "-t", transport, "-timeout", "10",
            "-timeout_error", "-nostdin", "-trace_err", "-error_file", cluster.directory + "/sipp-errors",
        ])
        let errors = (try? Files.read(cluster.directory + "/sipp-errors", limit: 1 << 20)) ?? []
        _ = try? Files.remove(cluster.directory + "/sipp-errors")
        #expect(
            result.code == 0, "\(scenario) over \(transport): \(String(decoding: errors.prefix(3000), as: UTF8.self))")
    }

    /// What the nodes show of a DN, in their order.
    private func shown(_ dn: String, _ cluster: TestCluster) throws -> [Service?] {
        try cluster.details(dn).answers.map { $0.report?.shown }
    }

    @Test(arguments: ["u1", "t1"])
    func `SIPp finds the registrar as RFC 3261 section 10 has it`(_ transport: String) throws {
        let cluster = try cluster()
        try sipp(cluster, "register-life", "1001", transport)
        try sipp(cluster, "register-contacts", "1002", transport)
        try sipp(cluster, "register-refused", "1003", transport)
        try sipp(cluster, "other-methods", "1004", transport)
        try cluster.waitUntil("both nodes know who is there") { _ in
            try ["1001": Service.unregistered, "1002": .unregistered, "1003": .inService, "1004": .inService]
                .allSatisfy { dn, service in try shown(dn, cluster).allSatisfy { $0 == service } }
        }
    }

    @Test func `a connection's end takes those with it who can be reached in no other way`() throws {
        let cluster = try cluster()
        try sipp(cluster, "register-behind-nat", "1000", "t1")
        try cluster.waitUntil("the phone behind a NAT is gone at both nodes") { _ in
            try shown("1008", cluster).allSatisfy { $0 == .flowLost }
        }
        #expect(try shown("1007", cluster).allSatisfy { $0 == .inService })
    }

    @Test(arguments: ["udp", "tcp"])
    func `baresip registers with its password, and unregisters when it quits`(_ transport: String) throws {
        let cluster = try cluster(isAuthenticating: true)
        let phone = try Baresip("1001", transport, in: cluster)
        try cluster.waitUntil("it is in service at both nodes") { _ in
            try shown("1001", cluster).allSatisfy { $0 == .inService }
        }
        let contact = try cluster.details("1001").authority?.bindings.first?.contact
        #expect(contact?.hasPrefix("sip:1001-") == true)
        try phone.quit()
        try cluster.waitUntil("it is out of service at both nodes") { _ in
            try shown("1001", cluster).allSatisfy { $0 == .unregistered }
        }
    }

    @Test(arguments: ["udp", "tcp"])
    func `baresip with a wrong password stays out of service`(_ transport: String) throws {
        let cluster = try cluster(isAuthenticating: true)
        let phone = try Baresip("1001", password: "wrong", transport, in: cluster)
        try cluster.waitUntil("it has tried") { status in
            (status.nodes.first { $0.name == "dc1/sip1" }?.report?.failedAuthentications ?? 0) > 0
        }
        #expect(try shown("1001", cluster).allSatisfy { $0 == .neverRegistered })
        try phone.kill()
    }

    @Test func `baresip with outbound is out of service everywhere as soon as it is killed`() throws {
        let cluster = try cluster(isAuthenticating: true)
        let phone = try Baresip("1002", "tcp", isOutbound: true, in: cluster)
        try cluster.waitUntil("it is in service at both nodes") { _ in
            try shown("1002", cluster).allSatisfy { $0 == .inService }
        }
        try cluster.waitUntil("it is told that it is reached over its flow") { _ in
            try phone.trace().contains("Require: outbound\r\n")
        }
        try phone.kill()
        try cluster.waitUntil("both nodes know that its flow is lost") { _ in
            try shown("1002", cluster).allSatisfy { $0 == .flowLost }
        }
        // The same phone comes back by itself.
        let next = try Baresip("1002", "tcp", isOutbound: true, in: cluster)
        try cluster.waitUntil("it is back") { _ in try shown("1002", cluster).allSatisfy { $0 == .inService } }
        try next.quit()
    }

    @Test func `sipsak agrees, over both transports`() throws {
        let cluster = try cluster()
        for transport in ["udp", "tcp"] {
            let options = try cluster.sandbox.run(
                ["/usr/bin/sipsak", "-vv", "-E", transport, "-s", "sip:127.0.0.1:5071"])
            #expect(options.code == 0, "\(transport): \(options.output)")
            let register = try cluster.sandbox.run([
                "/usr/bin/sipsak", "-v", "-E", transport, "-U", "-x", "60", "-C", "sip:1005@127.0.0.1:6060", "-s",
                "sip:1005@127.0.0.1:5071",
            ])
            #expect(register.code == 0, "\(transport): \(register.output)")
        }
        #expect(try shown("1005", cluster).allSatisfy { $0 == .inService })
    }

    /// Runs a Python program in the cluster's network; its exceptions fail the test.
    private func python(_ cluster: TestCluster, _ program: String) throws {
        let result = try cluster.sandbox.run(["/usr/bin/python3", "-c", Self.prelude + program])
        #expect(result.code == 0, "\(result.output)")
    }

    private static let prelude = #"""
        import socket

        def register(cseq, expires, transport, dn="1001", more=""):
            return (f"REGISTER sip:cc.example.com SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:6070;branch=z9hG4bK{cseq};rport\r\n"
                    f"From: <sip:{dn}@cc.example.com>;tag=1\r\nTo: <sip:{dn}@cc.example.com>\r\nCall-ID: python-{dn}\r\n"
                    f"CSeq: {cseq} REGISTER\r\nContact: <sip:{dn}@127.0.0.1:6070>\r\nExpires: {expires}\r\n{more}"
                    "Content-Length: 0\r\n\r\n").encode()

        def connect():
            connection = socket.create_connection(("127.0.0.1", 5071))
            connection.settimeout(20)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection

        def answers(connection, count):
            data = b""
            while data.count(b"\r\n\r\n") < count:
                piece = connection.recv(65536)
                assert piece, data
                data += piece
            return data

        """#

    @Test func `a request that comes again, or too late, does nothing`() throws {
        let cluster = try cluster()
        try python(
            cluster,
            #"""
            phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            phone.settimeout(20)
            phone.bind(("127.0.0.1", 6070))
            phone.connect(("127.0.0.1", 5071))

            def ask(request):
                phone.send(request)
                return phone.recv(65536)

            first = ask(register(1, 300, "UDP"))
            assert first.startswith(b"SIP/2.0 200"), first
            assert ask(register(1, 300, "UDP")) == first
            gone = ask(register(2, 0, "UDP"))
            assert gone.startswith(b"SIP/2.0 200") and b"Contact" not in gone, gone
            assert ask(register(2, 0, "UDP")) == gone
            late = ask(register(1, 300, "UDP"))
            assert late.startswith(b"SIP/2.0 500 CSeq Out Of Order"), late

            stream = connect()

            def ask_over_stream(request):
                stream.send(request)
                return answers(stream, 1)

            for dn, transport, ask in (("1002", "UDP", ask), ("1003", "TCP", ask_over_stream)):
                assert ask(register(9, 300, transport, dn)).startswith(b"SIP/2.0 200")
                all = register(9, 0, transport, dn).replace(f"<sip:{dn}@127.0.0.1:6070>".encode(), b"*")
                for late in (register(8, 600, transport, dn), register(8, 0, transport, dn),
                             register(9, 0, transport, dn), all, all.replace(b"CSeq: 9", b"CSeq: 8")):
                    answer = ask(late)
                    assert answer.startswith(b"SIP/2.0 500 CSeq Out Of Order"), (late, answer)

            # Whoever has nothing more to say still hears his answer.
            half = connect()
            half.send(register(1, 300, "TCP", "1004"))
            half.shutdown(socket.SHUT_WR)
            assert answers(half, 1).startswith(b"SIP/2.0 200")
            """#)
        try cluster.waitUntil("it is out of service") { _ in
            try shown("1001", cluster).allSatisfy { $0 == .unregistered }
        }
        #expect(try cluster.status().nodes.first { $0.name == "dc1/sip1" }?.report?.registrationsAccepted == 4)
        for dn in ["1002", "1003", "1004"] {
            #expect(try shown(dn, cluster).allSatisfy { $0 == .inService }, "\(dn)")
        }
    }

    @Test func `a stream may be torn, filled and kept alive; whoever talks nonsense harms nobody else`() throws {
        let cluster = try cluster()
        try python(
            cluster,
            #"""
            steady = connect()
            steady.send(register(1, 300, "TCP"))
            assert answers(steady, 1).startswith(b"SIP/2.0 200")

            torn = connect()
            request = register(1, 300, "TCP", "1002")
            for start in range(0, len(request), 7):
                torn.send(request[start:start + 7])
            assert answers(torn, 1).startswith(b"SIP/2.0 200")

            many = connect()
            many.send(b"".join(register(cseq, 300, "TCP", "1003") for cseq in range(1, 101)))
            assert answers(many, 100).count(b"SIP/2.0 200 OK\r\n") == 100
            many.send(b"\r\n\r\n")
            assert many.recv(100) == b"\r\n"

            nonsense = connect()
            nonsense.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert nonsense.recv(100) == b""

            endless = connect()
            try:
                endless.send(b"x" * 40000)
                assert endless.recv(100) == b""
            except (ConnectionResetError, BrokenPipeError):
                pass

            lengthless = connect()
            lengthless.send(register(1, 300, "TCP", "1004").replace(b"Content-Length: 0\r\n", b""))
            data = answers(lengthless, 1)
            assert data.startswith(b"SIP/2.0 400 Bad Content-Length"), data
            assert lengthless.recv(100) == b""

            steady.send(register(2, 300, "TCP"))
            assert answers(steady, 1).startswith(b"SIP/2.0 200")
            """#)
        for dn in ["1001", "1002", "1003"] {
            #expect(try shown(dn, cluster).allSatisfy { $0 == .inService }, "\(dn)")
        }
        #expect(try shown("1004", cluster).allSatisfy { $0 == .neverRegistered })
        #expect(try cluster.status().isHealthy)
    }
}
