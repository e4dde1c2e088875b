import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TestCertificates
import Testing

/// Links over mutual TLS between real processes.
@Suite(.serialized) struct MeshTLSTests {
    private let authority: TestAuthority
    private static let (west, east) = ("sip1.dc1.cc.example.com", "sip1.dc2.cc.example.com")

    init() throws {
        authority = try TestAuthority()
    }

    /// Two nodes with certificates of their own.
    private func cluster(
        west: TestAuthority.Issued? = nil, east: TestAuthority.Issued? = nil, becomesHealthy: Bool = true
    ) throws -> TestCluster {
        let west = try west ?? authority.issue("west", names: "DNS:\(Self.west)")
        let east = try east ?? authority.issue("east", names: "DNS:\(Self.east)")
        var options = TestCluster.Options()
        options.becomesHealthy = becomesHealthy
        return try TestCluster(
            { directory in
                var text = TestCluster.twoNodes(directory)
                for (port, own) in [(7301, west), (7302, east)] {
                    text = text.replacing(
                        "mesh: \"tcp:127.0.0.1:\(port)\"",
                        with: "mesh: \"tls:127.0.0.1:\(port)\"\n"
                            + "        tls: { certificate: \(own.certificate), key: \(own.key) }")
                }
                return text + "\ntls: { ca: \(authority.certificate) }\n"
            }, options: options)
    }

    /// Waits until both ends of the link say what is wrong, or one of them where the other cannot know.
    private func expectProblems(_ cluster: TestCluster, west: String?, east: String?) throws {
        try cluster.waitUntil("the link is refused", seconds: 20) { status in
            try [("dc1/sip1", west), ("dc2/sip1", east)].allSatisfy { node, problem in
                let link = try cluster.link(from: node, status)
                return link.state == "down" && problem.map { link.lastProblem.contains($0) } != false
            }
        }
    }

    @Test func `two nodes are linked, lose each other, and are linked again`() throws {
        let cluster = try cluster()
        try cluster.register("1001", at: "127.0.0.1:5071")
        try cluster.waitUntil("both nodes show it") { _ in
            try cluster.details("1001").answers.allSatisfy { $0.report?.shown == .inService }
        }
        try cluster.sandbox.cutWithReset(port: 7302)
        try cluster.awaitLoss()
        try cluster.sandbox.heal()
        #expect(try cluster.agreement() == 1)
        let pid = try #require(try cluster.status().nodes.first { $0.name == "dc2/sip1" }?.pid)
        kill(Int32(pid), SIGKILL)
        try cluster.waitUntil("the node is back") { $0.isHealthy && $0.nodes.contains { $0.restarts == 1 } }
        #expect(try cluster.agreement() == 1)
    }

    @Test func `a node with a certificate of another authority is refused, and both say so`() throws {
        let strangers = try TestAuthority("Strangers")
        let cluster = try cluster(
            east: strangers.issue("east", names: "DNS:\(Self.east)"), becomesHealthy: false)
        // The one that dials judges first.
        try expectProblems(cluster, west: "the peer's certificate is not accepted", east: nil)
        #expect(cluster.logText.contains("connection refused"))
        #expect(cluster.logText.contains("alert unknown ca"))
        let links = try cluster.sandbox.run([
            Executables.companion("tandem"), "links", "--socket", cluster.socketPath,
        ])
        #expect(links.output.contains("the peer's certificate is not accepted"), "\(links.output)")
    }

    @Test func `a node that dials with a certificate of another authority hears why it is refused`() throws {
        let strangers = try TestAuthority("Strangers")
        let cluster = try cluster(
            west: strangers.issue("west", names: "DNS:\(Self.west)"), becomesHealthy: false)
        try expectProblems(cluster, west: "the peer has ended TLS: tlsv1 alert unknown ca", east: nil)
        #expect(cluster.logText.contains("the peer's certificate is not accepted"))
    }

    @Test func `a certificate of another name is refused, and both names are told`() throws {
        let other = "DNS:sip9.dc1.cc.example.com"
        let dialed = try cluster(east: authority.issue("other", names: other), becomesHealthy: false)
        try expectProblems(
            dialed,
            west: "the peer's certificate is not made out to `\(Self.east)`; "
                + "it is made out to `sip9.dc1.cc.example.com`", east: nil)
        let said =
            "dc1/sip1 needs a certificate made out to `\(Self.west)`, and showed one for `sip9.dc1.cc.example.com`"
        let dialing = try cluster(west: authority.issue("third", names: other), becomesHealthy: false)
        try expectProblems(dialing, west: "the peer says: \(said)", east: said)
        #expect(dialing.logText.contains("peer refused"))
        #expect(dialing.logText.contains("the other nodes will refuse the node for its certificate"))
    }

    @Test func `a certificate that has ended is refused on either side`() throws {
        let dialed = try cluster(
            east: authority.issueEnded("ended", names: "DNS:\(Self.east)"), becomesHealthy: false)
        try expectProblems(dialed, west: "certificate has expired", east: nil)
        let dialing = try cluster(
            west: authority.issueEnded("over", names: "DNS:\(Self.west)"), becomesHealthy: false)
        try expectProblems(dialing, west: "alert certificate expired", east: nil)
        #expect(dialing.logText.contains("the certificate has ended"))
    }

    @Test func `new certificates leave a link up, and the next one begins with them`() throws {
        let cluster = try cluster()
        // What the nodes had is refused from now on.
        let later = try TestAuthority("Later authority")
        for (name, host) in [("west", Self.west), ("east", Self.east)] {
            let renewed = try later.issue(name, names: "DNS:\(host)")
            for (new, old) in [(renewed.certificate, "\(name).pem"), (renewed.key, "\(name).key")] {
                try Files.writeAtomically(try later.read(new), to: "\(authority.directory)/\(old)")
            }
        }
        try Files.writeAtomically(try later.read(later.certificate), to: authority.certificate)
        kill(Int32(try cluster.status().controllerPID), SIGHUP)
        try cluster.waitUntil("both nodes have taken them") { _ in
            cluster.logText.components(of: "took new certificates") == 2
        }
        try cluster.register("1001", at: "127.0.0.1:5071")
        #expect(try cluster.agreement() == 1)
        for node in ["dc1/sip1", "dc2/sip1"] { #expect(try cluster.link(from: node).losses == 0) }
        try cluster.sandbox.cutWithReset(port: 7302)
        try cluster.awaitLoss()
        try cluster.sandbox.heal()
        #expect(try cluster.agreement() == 1)
    }

    @Test func `who speaks no TLS, or says nothing, holds no place for long and is named`() throws {
        let cluster = try cluster()
        func connect(_ script: String) throws -> String {
            // Ends when the node has closed.
            try cluster.sandbox.run(
                ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7302; \(script) cat <&3 | wc -c"], seconds: 20
            ).output
        }
        #expect(try connect("printf 'OPTIONS sip:a SIP/2.0\r\n\r\n' >&3;") == "0\n")
        #expect(try connect("") == "0\n")
        // The beginning of a record, and then nothing.
        #expect(try connect("printf '\\x16\\x03\\x01\\x02\\x00\\x01' >&3;") == "0\n")
        try cluster.waitUntil("they are named") { _ in
            cluster.logText.contains("the peer does not speak TLS")
                && cluster.logText.components(of: "no hello came in time") >= 2
        }
        #expect(try cluster.status().isHealthy)
    }

    @Test func `who speaks TLS at a port without is told apart`() throws {
        let cluster = try TestCluster { directory in
            TestCluster.twoNodes(directory)
                .replacing(#"[ "udp:127.0.0.1:5071" ]"#, with: #"[ "tcp:127.0.0.1:5071" ]"#)
                .replacing("unix:\(directory)/dc2-sip1", with: "tcp:127.0.0.1:7102")
        }
        for port in [7301, 5071, 7102] {
            let client = try OpenSSLClient(cluster, port: port, [])
            _ = try client.receive(until: "never", seconds: 15)
        }
        try cluster.waitUntil("it is said") { _ in
            cluster.logText.components(of: "the peer speaks TLS, and this port does not") == 3
        }
        #expect(try cluster.status().isHealthy)
    }
}
