import ClusterModel

/// What the files of a bench's cluster say.
struct BenchTopology {
    var directory: String
    /// By node: where phones register over UDP and over TCP, and where other nodes dial it.
    var sip: [NetworkAddress]
    var streamSIP: [NetworkAddress]
    var mesh: [NetworkAddress]
    var dns: Int
    /// Milliseconds between two pings.
    var keepalive: Int
    /// What the nodes challenge with; nil where phones need no password.
    var authentication: DigestAlgorithm?

    private static let firstDN = 100_000

    var text: String {
        """
        version: 1
        cluster: load
        domain: \(BenchCluster.domain)
        agentTypes:
          sip-phone: { phone: sip, registration: { expires: { min: 1s, default: 300s, max: 1h } } }
        dataCenters:
        \(dataCenters)
        dns:
          - { range: \(Self.firstDN)-\(Self.firstDN + dns - 1), agentType: sip-phone }
        timing: { keepalive: \(keepalive)ms }
        \(policy)

        """
    }

    private var dataCenters: String {
        sip.indices.map { position in
            """
              dc\(position + 1):
                nodes:
                  sip1:
                    sip: [ "udp:\(sip[position])", "tcp:\(streamSIP[position])" ]
                    tcontroller: "unix:\(directory)/node\(position + 1).sock"
                    mesh: "tcp:\(mesh[position])"
            """
        }.joined(separator: "\n")
    }

    private var policy: String {
        guard let authentication else { return "" }
        return "authentication: { realm: \(BenchCluster.domain), users: credentials.yaml, "
            + "algorithms: [ \(authentication.key) ] }"
    }

    /// The same password for every DN; nobody, where phones need none.
    var credentials: String {
        guard authentication != nil else { return "version: 1\nusers: {}\n" }
        let users = (Self.firstDN..<Self.firstDN + dns).map { "  \($0): \(BenchCluster.password)\n" }
        return "version: 1\nusers:\n" + users.joined()
    }
}
