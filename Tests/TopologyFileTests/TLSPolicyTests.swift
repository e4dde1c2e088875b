import ClusterModel
import Testing
import TopologyFile

/// What a topology says of TLS.
struct TLSPolicyTests {
    /// - Parameters:
    ///   - nodes: what the first and the second node have besides, from `mesh` on.
    ///   - more: at the end of the file.
    private func file(_ nodes: (String, String), _ more: String, dataCenter: String = "dc1") -> String {
        """
        version: 1
        cluster: test
        domain: cc.example.com
        agentTypes: { sip-phone: { phone: sip } }
        dataCenters:
          \(dataCenter):
            nodes:
              sip1: { sip: [ "udp:127.0.0.1:5071" ], tcontroller: "unix:/run/1", \(nodes.0) }
              sip2: { sip: [ "udp:127.0.0.1:5072" ], tcontroller: "unix:/run/2", \(nodes.1) }
        dns: [ { number: 1000, agentType: sip-phone } ]
        \(more)
        """
    }

    private let secure = (#"mesh: "tls:192.0.2.1:7301""#, #"mesh: "tls:192.0.2.2:7301""#)

    @Test func `certificates of the cluster, and what is asked of others`() throws {
        let text = file(secure, "tls: { certificate: c.pem, key: k.pem, ca: ca.pem, phones: none, clients: required }")
        let topology = try #require(load(text).topology)
        var expected = TLSPolicy(
            identity: TLSPolicy.Identity(certificate: "c.pem", key: "k.pem"), authorities: "ca.pem")
        expected.phones = .none
        expected.clients = .required
        #expect(topology.tls == expected)
        #expect(topology.hasSecureMesh)
        #expect(topology.nodes[0].mesh == StreamAddress("tls:192.0.2.1:7301"))
        let plain = try #require(load(file(secure, "tls: { certificate: c, key: k, ca: ca.pem }")).topology)
        #expect(plain.tls?.phones == .required && plain.tls?.clients == .optional)
    }

    @Test func `certificates of nodes need none of the cluster`() throws {
        let nodes = (secure.0 + ", tls: { certificate: 1.pem, key: 1.key }", secure.1)
        let both = (nodes.0, nodes.1 + ", tls: { certificate: 2.pem, key: 2.key }")
        let policy = try #require(load(file(both, "tls: { ca: ca.pem }")).topology?.tls)
        #expect(policy.identity == nil)
        #expect(policy.identity(of: "dc1/sip2") == TLSPolicy.Identity(certificate: "2.pem", key: "2.key"))
        #expect(load(file(nodes, "tls: { ca: ca.pem }")).codes == ["T016"])
        #expect(load(file(both, "")).codes == ["T016"])
        let port = (
            #"mesh: "tcp:127.0.0.1:7301", default: "tls:127.0.0.1:7201", tls: { certificate: 1.pem, key: 1.key }"#,
            #"mesh: "tcp:127.0.0.1:7302""#
        )
        let alone = try #require(load(file(port, "")).topology)
        #expect(alone.tls?.identity(of: "dc1/sip1") != nil && alone.tls?.identity(of: "dc1/sip2") == nil)
        #expect(!alone.hasSecureMesh)
    }

    @Test func `a node that connects over TLS needs a certificate, though it does not listen so`() {
        let nodes = (
            #"mesh: "tcp:127.0.0.1:7301""#, secure.1 + ", tls: { certificate: 2.pem, key: 2.key }"
        )
        let result = load(file(nodes, "tls: { ca: ca.pem }"))
        #expect(result.codes == ["T016"])
        #expect(result.diagnostics[0].message.hasPrefix("`dc1/sip1` connects to other nodes over TLS"))
    }

    @Test func `a name that no certificate could have is an error`() {
        let long = String(repeating: "a", count: 31)
        let domain = Array(repeating: String(repeating: "b", count: 60), count: 4).joined(separator: ".")
        let text = file(secure, "tls: { certificate: c.pem, key: k.pem, ca: ca.pem }", dataCenter: long)
        let codes = load(text.replacing("domain: cc.example.com", with: "domain: \(domain)")).codes
        #expect(codes == ["T015"])
        #expect(load(text).codes == [])
    }
}
