import ClusterModel
import LinuxSystem
import Orchestration
import TestCertificates
import Testing
import Wire

/// The T-Controller port over TLS, with programs that others wrote and with `tandem monitor`.
@Suite(.serialized) struct PortTLSTests {
    private let authority: TestAuthority

    init() throws {
        authority = try TestAuthority()
    }

    private func cluster(_ more: String) throws -> TestCluster {
        let issued = try authority.issue("node", names: "DNS:sip1.dc1.cc.example.com, DNS:sip1.dc2.cc.example.com")
        return try TestCluster { directory in
            TestCluster.twoNodes(directory)
                .replacing("unix:\(directory)/dc2-sip1", with: "tls:127.0.0.1:7102")
                + "\ntls: { certificate: \(issued.certificate), key: \(issued.key)\(more) }\n"
        }
    }

    private var verified: [String] {
        ["-CAfile", authority.certificate, "-verify_return_error", "-verify_hostname", "sip1.dc2.cc.example.com"]
    }

    private var hello: [UInt8] {
        var bytes: [UInt8] = []
        CommonCodec.encode(PortHello(name: "test"), to: &bytes)
        return bytes
    }

    private func monitor(_ cluster: TestCluster, _ more: [String]) throws -> (code: Int32, output: String) {
        try cluster.sandbox.run(
            [
                Executables.companion("tandem"), "monitor", "--socket", cluster.socketPath, "dc2/sip1", "--timeout",
                "2",
            ] + more)
    }

    @Test func `clients know the node, and need no certificate`() throws {
        let cluster = try cluster("")
        try cluster.register("1001", at: "127.0.0.1:5071")
        for version in ["-tls1_2", "-tls1_3"] {
            let client = try OpenSSLClient(cluster, port: 7102, verified + [version])
            try client.send(hello)
            #expect(try client.receive(until: "dc2/sip1").contains("dc2/sip1"))
        }
        // Nothing tells the command whose word counts, until it is told.
        let untold = try monitor(cluster, [])
        #expect(untold.code == 64)
        #expect(untold.output.contains("say with --ca"), "\(untold.output)")
        let told = try monitor(cluster, ["--ca", authority.certificate])
        #expect(told.output.contains("101 DNs, 1 InSrv"), "\(told.output)")
        let wrong = try monitor(cluster, ["--ca", authority.certificate, "--server-name", "sip1.dc3.cc.example.com"])
        #expect(wrong.code == 1)
        #expect(wrong.output.contains("not made out to `sip1.dc3.cc.example.com`"), "\(wrong.output)")
        let strangers = try TestAuthority("Strangers")
        let distrust = try monitor(cluster, ["--ca", strangers.certificate])
        #expect(distrust.output.contains("the peer's certificate is not accepted"), "\(distrust.output)")
        let plain = try cluster.sandbox.run(
            ["/bin/bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/7102; printf '\\0\\0\\0\\0' >&3; cat <&3 | wc -c"])
        #expect(plain.output == "0\n")
        try cluster.waitUntil("it is named") { _ in cluster.logText.contains("the peer does not speak TLS") }
    }

    @Test func `a Stat Server over TLS shows the cluster's certificate`() throws {
        let issued = try authority.issue("node", names: "DNS:stat1.dc1.cc.example.com")
        let cluster = try TestCluster { directory in
            RoleTests.topology(directory)
                .replacing("stat1: {}", with: "stat1: { listen: \"tls:127.0.0.1:7401\" }")
                + "tls: { certificate: \(issued.certificate), key: \(issued.key) }\n"
        }
        #expect(try Files.kind(of: cluster.directory + "/stat") == nil)
        let client = try OpenSSLClient(
            cluster, port: 7401,
            ["-CAfile", authority.certificate, "-verify_return_error", "-verify_hostname", "stat1.dc1.cc.example.com"])
        try client.send(hello)
        #expect(try client.receive(until: "dc1/stat1").contains("dc1/stat1"))
    }

    @Test func `programs with the library know the node as well`() throws {
        let cluster = try cluster("")
        try cluster.register("1001", at: "127.0.0.1:5071")
        func desk(_ name: String) throws -> (code: Int32, output: String) {
            try cluster.sandbox.run([
                Executables.companion("example-desk"), "tls:127.0.0.1:7102", "1001", "ann", "0", authority.certificate,
                name,
            ])
        }
        let known = try desk("sip1.dc2.cc.example.com")
        #expect(known.code == 0 && known.output.contains("EventAgentReady 1001 ann"), "\(known.output)")
        let other = try desk("sip1.dc3.cc.example.com")
        #expect(
            other.code != 0 && other.output.contains("not made out to `sip1.dc3.cc.example.com`"), "\(other.output)")
    }

    @Test func `the topology's authority is the command's, and clients may show certificates of it only`() throws {
        let cluster = try cluster(", ca: \(authority.certificate)")
        let told = try monitor(cluster, [])
        #expect(told.output.contains("101 DNs, 0 InSrv"), "\(told.output)")
        let strangers = try TestAuthority("Strangers")
        let theirs = try strangers.issue("client", names: "DNS:client")
        let refused = try monitor(cluster, ["--certificate", theirs.certificate, "--key", theirs.key])
        #expect(refused.output.contains("unknown ca"), "\(refused.output)")
    }

    @Test func `where clients must show certificates, only ours are served`() throws {
        let cluster = try cluster(", ca: \(authority.certificate), clients: required")
        let ours = try authority.issue("client", names: "DNS:client")
        let anonymous = try OpenSSLClient(cluster, port: 7102, verified)
        try anonymous.send(hello)
        let answer = try anonymous.receive(until: "alert")
        #expect(answer.contains("alert") && !answer.contains("dc2/sip1"))
        let client = try OpenSSLClient(
            cluster, port: 7102, verified + ["-cert", ours.certificate, "-key", ours.key])
        try client.send(hello)
        #expect(try client.receive(until: "dc2/sip1").contains("dc2/sip1"))
        let refused = try monitor(cluster, [])
        #expect(refused.output.contains("certificate required"), "\(refused.output)")
        let served = try monitor(cluster, ["--certificate", ours.certificate, "--key", ours.key])
        #expect(served.output.contains("101 DNs, 0 InSrv"), "\(served.output)")
        try cluster.waitUntil("it is said") { _ in cluster.logText.contains("peer did not return a certificate") }
    }
}
