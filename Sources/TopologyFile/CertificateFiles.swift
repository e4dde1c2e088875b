package import ClusterModel

/// The files that a topology's `tls` names, as they were read.
package struct CertificateFiles: Equatable, Sendable {
    package var certificate: TopologySource
    package var key: TopologySource
    package var authorities: TopologySource?

    /// Reads them. What is in them is for others to say.
    ///
    /// - Parameter topologyPath: of the topology file; a path in it that is not absolute counts from there.
    /// - Throws: also when others than its owner may open the key.
    package static func read(
        _ policy: TLSPolicy, beside topologyPath: String
    ) throws(TopologyFileError) -> CertificateFiles {
        func path(_ name: String) -> String { TopologyFile.path(name, beside: topologyPath) }
        let certificate = try TopologyFile.read(path: path(policy.certificate))
        let key = try TopologyFile.read(path: path(policy.key), holdsSecrets: true)
        var authorities: TopologySource?
        if let name = policy.authorities { authorities = try TopologyFile.read(path: path(name)) }
        return CertificateFiles(certificate: certificate, key: key, authorities: authorities)
    }
}
