import ClusterModel
import TLS
import TestCertificates
import Testing

/// Who the other side is.
@Suite struct PeerTests {
    let authority: TestAuthority

    init() throws {
        authority = try TestAuthority()
    }

    private func outcome(_ pair: TLSPair) -> String {
        do {
            try pair.shakeHands()
            return pair.client.phase == .open && pair.server.phase == .open ? "open" : "waiting"
        } catch {
            return (error as? TLSError)?.sentence ?? "\(error)"
        }
    }

    private func pair(_ names: String?, expecting: PeerIdentity?) throws -> TLSPair {
        let issued = try authority.issue("node.example.com", names: names)
        return try TLSPair(
            TLSContext(.client, authority.material(nil)),
            TLSContext(.server, authority.material(issued, trusts: false)), expecting: expecting)
    }

    @Test func `the names of a certificate`() throws {
        let names = "DNS:a.example.com, URI:sip:cc.example.com, IP:127.0.0.1, IP:::1, email:x@example.com"
        let pair = try pair(names, expecting: .sipDomain("cc.example.com"))
        #expect(outcome(pair) == "open")
        var expected = PeerNames()
        expected.dns = ["a.example.com"]
        expected.uris = ["sip:cc.example.com"]
        expected.addresses = [NetworkAddress(ipv4: 0x7F00_0001, port: 0), NetworkAddress(high: 0, low: 1, port: 0)]
        #expect(pair.client.peerNames == expected)
    }

    @Test func `a common name counts only where there is no other`() throws {
        let alone = try pair(nil, expecting: .host("NODE.example.com"))
        #expect(outcome(alone) == "open")
        #expect(alone.client.peerNames?.commonName == "node.example.com")
        let beside = try pair("DNS:other.example.com", expecting: .host("node.example.com"))
        #expect(
            outcome(beside)
                == "the peer's certificate is not made out to `node.example.com`; it is made out to `other.example.com`"
        )
        #expect(beside.client.phase == .failed)
    }

    @Test func `who is whom`() {
        var names = PeerNames()
        names.dns = ["cc.example.com", "*.example.com"]
        names.addresses = [NetworkAddress(ipv4: 0x7F00_0001, port: 0)]
        #expect(names.prove(.host("CC.example.com")))
        #expect(names.prove(.sipDomain("cc.example.com")))
        #expect(names.prove(.address(NetworkAddress(ipv4: 0x7F00_0001, port: 5061))))
        #expect(!names.prove(.address(NetworkAddress(ipv4: 0x7F00_0002, port: 5061))))
        #expect(!names.prove(.host("a.example.com")), "wildcards mean nothing")
        #expect(!names.prove(.host("")))
        names.uris = ["https://cc.example.com", "sip:user@cc.example.com"]
        #expect(names.prove(.sipDomain("cc.example.com")), "neither says a SIP domain")
        names.uris.append("SIP:one.example.com")
        #expect(!names.prove(.sipDomain("cc.example.com")), "RFC 5922 section 7.1")
        #expect(names.prove(.sipDomain("one.example.com")))
        #expect(names.prove(.host("cc.example.com")))
    }

    @Test func `certificates of strangers are refused on either side`() throws {
        let strangers = try TestAuthority("Strangers")
        let ours = try authority.issue("node", names: "DNS:a")
        let theirs = try strangers.issue("stranger", names: "DNS:a")
        let server = try TLSContext(.server, authority.material(ours))
        let anonymous = try TLSPair(TLSContext(.client, authority.material(nil)), server)
        #expect(outcome(anonymous).hasPrefix("the TLS handshake failed: peer did not return a certificate"))
        let stranger = try TLSPair(
            TLSContext(
                .client,
                TLSContext.Material(
                    certificate: authority.file(theirs.certificate), key: authority.file(theirs.key),
                    authorities: authority.file(authority.certificate))), server)
        #expect(outcome(stranger).hasPrefix("the peer's certificate is not accepted: "))
        #expect(stranger.server.outputBytes > 0, "an alert that says so")
        let friend = try TLSPair(TLSContext(.client, authority.material(ours)), server)
        #expect(outcome(friend) == "open")
        #expect(friend.server.peerNames?.dns == ["a"])
        let impostor = try TLSPair(
            TLSContext(.client, authority.material(nil)), TLSContext(.server, strangers.material(theirs, trusts: false))
        )
        #expect(outcome(impostor).hasPrefix("the peer's certificate is not accepted: "))
    }

    @Test func `clients without a certificate are taken where that is allowed`() throws {
        var material = try authority.material(authority.issue("node", names: "DNS:a"))
        material.clientsMayBeAnonymous = true
        let server = try TLSContext(.server, material)
        let anonymous = try TLSPair(TLSContext(.client, authority.material(nil)), server)
        #expect(outcome(anonymous) == "open")
        #expect(anonymous.server.peerNames == nil)
    }
}
