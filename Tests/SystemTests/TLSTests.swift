import ClusterModel
import Glibc
import LinuxSystem
import Orchestration
import TestCertificates
import Testing

/// Phones over TLS, by programs that others wrote.
@Suite(.serialized) struct TLSTests {
    private static let names = "DNS:cc.example.com, URI:sip:cc.example.com, IP:127.0.0.1"

    private func cluster(
        _ authority: TestAuthority, demandsCertificates: Bool = false, more: String = ""
    ) throws -> TestCluster {
        let issued = try authority.issue("node", names: Self.names)
        let tls =
            "\ntls: { certificate: \(issued.certificate), key: \(issued.key)"
            + (demandsCertificates ? ", ca: \(authority.certificate)" : "") + " }\n"
        return try TestCluster { directory in
            TestCluster.twoNodes(directory)
                .replacing(#"[ "udp:127.0.0.1:5071" ]"#, with: #"[ "udp:127.0.0.1:5071", "tls:127.0.0.1:5061" ]"#)
                + tls + more
        }
    }

    private func verified(_ authority: TestAuthority) -> [String] {
        ["-CAfile", authority.certificate, "-verify_return_error", "-verify_hostname", "cc.example.com"]
    }

    private func register(_ dn: String, sequence: Int = 1) -> String {
        """
        REGISTER sip:cc.example.com SIP/2.0\r
        Via: SIP/2.0/TLS 192.0.2.7:5061;branch=z9hG4bK\(dn)\(sequence);rport\r
        Max-Forwards: 70\r
        From: <sip:\(dn)@cc.example.com>;tag=1\r
        To: <sip:\(dn)@cc.example.com>\r
        Call-ID: \(dn)@tls\r
        CSeq: \(sequence) REGISTER\r
        Contact: <sip:\(dn)@192.0.2.7:5061;transport=tls>\r
        Expires: 300\r
        Content-Length: 0\r
        \r

        """
    }

    private func waitUntilOut(_ dn: String, _ cluster: TestCluster) throws {
        try cluster.waitUntil("\(dn) is out of service") { _ in
            try cluster.details(dn).answers.allSatisfy { $0.report?.shown != .inService }
        }
    }

    @Test func `a phone registers over TLS, is in service everywhere, and out with its connection`() throws {
        let authority = try TestAuthority()
        let cluster = try cluster(authority)
        do {
            let phone = try OpenSSLClient(cluster, verified(authority) + ["-tls1_3"])
            try phone.send(register("1001"))
            #expect(try phone.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
            try cluster.waitUntil("both nodes show it") { _ in
                try cluster.details("1001").answers.allSatisfy { $0.report?.shown == .inService }
            }
            // A phone that knows TLS 1.2 only, and one whose TLS is too old.
            let second = try OpenSSLClient(cluster, verified(authority) + ["-tls1_2"])
            try second.send(register("1002"))
            #expect(try second.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
            let old = try OpenSSLClient(cluster, ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
            #expect(try old.receive(until: "alert").contains("alert"))
            // Who speaks no TLS there harms nobody.
            let plain = try cluster.sandbox.run(
                ["/usr/bin/sipsak", "-E", "tcp", "-s", "sip:127.0.0.1:5061"], seconds: 60)
            #expect(plain.code != 0)
            try phone.send(register("1001", sequence: 2))
            #expect(try phone.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
        }
        // Their contacts have another address than their connections.
        try waitUntilOut("1001", cluster)
        try waitUntilOut("1002", cluster)
        #expect(try cluster.status().isHealthy)
    }

    @Test func `where phones must show certificates, only ours are served`() throws {
        let (authority, strangers) = (try TestAuthority(), try TestAuthority("Strangers"))
        let cluster = try cluster(authority, demandsCertificates: true)
        let ours = try authority.issue("phone", names: "URI:sip:1001@cc.example.com")
        let theirs = try strangers.issue("phone", names: "URI:sip:1001@cc.example.com")
        let none: [String] = []
        for arguments in [none, ["-cert", theirs.certificate, "-key", theirs.key]] {
            let stranger = try OpenSSLClient(cluster, verified(authority) + arguments)
            try stranger.send(register("1001"))
            let answer = try stranger.receive(until: "alert")
            #expect(answer.contains("alert") && !answer.contains("SIP/2.0"))
        }
        let phone = try OpenSSLClient(cluster, verified(authority) + ["-cert", ours.certificate, "-key", ours.key])
        try phone.send(register("1001"))
        #expect(try phone.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
    }

    @Test func `SIGHUP reads the certificates again; a mistake in them changes nothing`() throws {
        let (authority, later) = (try TestAuthority(), try TestAuthority("Later authority"))
        let cluster = try cluster(authority)
        let before = try OpenSSLClient(cluster, verified(authority))
        try before.send(register("1001"))
        #expect(try before.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
        let renewed = try later.issue("node", names: Self.names)
        for (new, old) in [(renewed.certificate, "node.pem"), (renewed.key, "node.key")] {
            try Files.writeAtomically(try later.read(new), to: authority.directory + "/" + old)
        }
        kill(Int32(try cluster.status().controllerPID), SIGHUP)
        try cluster.waitUntil("both nodes have taken them") { _ in
            cluster.logText.components(of: "took new certificates") == 2
        }
        try before.send(register("1001", sequence: 2))
        #expect(try before.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
        let refusing = try OpenSSLClient(cluster, verified(authority))
        #expect(try refusing.receive(until: "verify failed").contains("verify failed"))
        let after = try OpenSSLClient(cluster, verified(later))
        try after.send(register("1002"))
        #expect(try after.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
        try Files.writeAtomically(Array("nonsense".utf8), to: authority.directory + "/node.pem")
        kill(Int32(try cluster.status().controllerPID), SIGHUP)
        try cluster.waitUntil("the controller says so") { _ in cluster.logText.contains("what was known before goes on")
        }
        let still = try OpenSSLClient(cluster, verified(later))
        try still.send(register("1003"))
        #expect(try still.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
        #expect(try cluster.status().isHealthy)
    }

    @Test func `a workers' successor is told the certificates too`() throws {
        let authority = try TestAuthority()
        let cluster = try cluster(authority)
        let process = try #require(try cluster.status().nodes.first { $0.name == "dc1/sip1" }?.pid)
        kill(Int32(process), SIGKILL)
        try cluster.waitUntil("it is back") {
            $0.isHealthy && $0.nodes.contains { $0.name == "dc1/sip1" && $0.pid != process }
        }
        let phone = try OpenSSLClient(cluster, verified(authority))
        try phone.send(register("1001"))
        #expect(try phone.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
    }

    @Test func `a phone that is asked over TLS is asked as over TLS`() throws {
        let authority = try TestAuthority()
        let issued = try authority.issue("node", names: Self.names)
        let cluster = try TestCluster { directory in
            TestCluster.twoNodes(directory)
                .replacing(#"[ "udp:127.0.0.1:5071" ]"#, with: #"[ "tls:127.0.0.1:5061" ]"#)
                .replacing("contacts: 4 }", with: "contacts: 4, probe: 5s }")
                + "\ntls: { certificate: \(issued.certificate), key: \(issued.key) }\n"
        }
        let phone = try OpenSSLClient(cluster, verified(authority))
        try phone.send(register("1001"))
        #expect(try phone.receive(until: "Content-Length").contains("SIP/2.0 200 OK"))
        #expect(try phone.receive(until: "OPTIONS sip:1001", seconds: 20).contains("OPTIONS sip:1001"))
    }

    @Test func `a phone that others wrote registers and goes`() throws {
        let authority = try TestAuthority()
        let cluster = try cluster(authority)
        let phone = try Baresip(
            "1001", at: "127.0.0.1:5061", "tls", authority: authority.certificate, in: cluster)
        try cluster.waitUntil("it is registered") { _ in
            try cluster.details("1001").answers.allSatisfy { $0.report?.shown == .inService }
        }
        try phone.quit()
        try waitUntilOut("1001", cluster)
    }

    @Test func `a key that others may read, or of another certificate, stops the controller and tandem validate`()
        throws
    {
        let authority = try TestAuthority()
        let issued = try authority.issue("node", names: Self.names)
        let other = try authority.issue("other", names: Self.names)
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        func outcome(_ key: String) throws -> [(code: Int32, output: String)] {
            let text =
                TestCluster.twoNodes(directory.path) + "\ntls: { certificate: \(issued.certificate), key: \(key) }\n"
            let topology = directory.path + "/topology.yaml"
            try Files.writeAtomically(Array(text.utf8), to: topology)
            return [
                try Program.run([Executables.companion("tandem"), "validate", topology]),
                try Program.run([
                    Executables.companion("tandemd"), "--topology", topology, "--runtime-dir", directory.path,
                    "--state-dir", directory.path + "/state",
                ]),
            ]
        }
        for result in try outcome(other.key) {
            #expect(result.code == 65)
            #expect(result.output.contains("\(other.key): it is not the key of \(issued.certificate)"))
        }
        try #require(chmod(issued.key, 0o640) == 0)
        for result in try outcome(issued.key) {
            #expect(result.code == 77)
            #expect(result.output.contains("chmod 600 \(issued.key)"))
        }
        for result in try outcome(directory.path + "/none.key") { #expect(result.code == 66) }
    }

    @Test func `tandem validate tells every certificate's fault, to programs too`() throws {
        let authority = try TestAuthority()
        let (good, other) = (
            try authority.issue("good", names: "DNS:sip1.dc1.cc.example.com"),
            try authority.issue("other", names: "DNS:sip1.dc9.cc.example.com")
        )
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let topology = directory.path + "/topology.yaml"
        func validate(_ west: TestAuthority.Issued, _ east: TestAuthority.Issued) throws -> (Int32, String) {
            var text = TestCluster.twoNodes(directory.path)
            for (port, own) in [(7301, west), (7302, east)] {
                text = text.replacing(
                    "mesh: \"tcp:127.0.0.1:\(port)\"",
                    with: "mesh: \"tls:127.0.0.1:\(port)\"\n"
                        + "        tls: { certificate: \(own.certificate), key: \(own.key) }")
            }
            text += "\ntls: { ca: \(authority.certificate) }\n"
            try Files.writeAtomically(Array(text.utf8), to: topology)
            let plain = try Program.run([Executables.companion("tandem"), "validate", topology])
            let json = try Program.run([Executables.companion("tandem"), "validate", "--json", topology])
            #expect(plain.code == json.code)
            // The sentences of the text stand in the JSON.
            for line in plain.output.split(separator: "\n") where line.hasPrefix("tandem: ") {
                let sentence = line.dropFirst("tandem: ".count)
                #expect(json.output.components(of: "\"problem\" : \"\(sentence)\"") == 1, "\(json.output)")
            }
            return (json.code, plain.output)
        }
        let misnamed = try validate(good, other)
        #expect(misnamed.0 == 65)
        #expect(
            misnamed.1.contains(
                "\(other.certificate): it is made out to `sip1.dc9.cc.example.com`, and the mesh of dc2/sip1 needs "
                    + "`DNS:sip1.dc2.cc.example.com` among its names"))
        let mixed = TestAuthority.Issued(certificate: good.certificate, key: other.key)
        let missing = TestAuthority.Issued(certificate: directory.path + "/none.pem", key: other.key)
        let faulty = try validate(mixed, missing)
        #expect(faulty.0 == 66)
        #expect(faulty.1.contains("\(other.key): it is not the key of \(good.certificate)"))
        #expect(faulty.1.contains("there is no file \(directory.path)/none.pem"))
    }
}
