/// What nodes show over TLS, and whose certificates they take, by the paths that the topology says: beside the topology file
/// unless absolute.
package struct TLSPolicy: Hashable, Sendable {
    /// A certificate with its key.
    package struct Identity: Hashable, Sendable {
        /// The certificate, and behind it those up to the root.
        package var certificate: String
        /// The certificate's private key.
        package var key: String

        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// Whether those who connect to a port must show a certificate. One that is shown must be of the authorities, or the
    /// connection ends.
    package enum Demand: String, Hashable, Sendable, CaseIterable {
        /// They are not asked for one.
        case none
        case optional
        case required
    }

    /// Of the nodes that have none of their own.
    package var identity: Identity?
    /// By nodes' full names.
    package var nodeIdentities: [String: Identity] = [:]
    /// Those whose word counts for others' certificates.
    package var authorities: String?
    /// Of phones; without authorities they need none.
    package var phones = Demand.required
    /// Of clients of the nodes' ports; without authorities they need none.
    package var clients = Demand.optional

    package init(identity: Identity? = nil, authorities: String? = nil) {
        self.identity = identity
        self.authorities = authorities
    }

    /// What a node shows; nil for one that has nothing to do with TLS.
    package func identity(of node: String) -> Identity? { nodeIdentities[node] ?? identity }
}

extension Topology {
    /// The DNS name that a node's certificate must have for the other nodes and for clients: `sip1.dc1.cc.example.com` for the
    /// node dc1/sip1.
    package func certificateName(of node: String) -> String { Node.certificateName(of: node, domain: domain) }

    /// Whether nodes have to prove their names to each other.
    package var hasSecureMesh: Bool { nodes.contains(where: \.mesh.isSecure) }
}

extension Node {
    /// See `Topology.certificateName`.
    ///
    /// - Parameter name: `dc1/sip1`
    package static func certificateName(of name: String, domain: String) -> String {
        (name.split(separator: "/").reversed() + [domain[...]]).joined(separator: ".")
    }

    /// The longest name that DNS has (RFC 1035 section 2.3.4), in characters.
    package static let maximumCertificateName = 253
}
