package import ClusterModel

/// The files that a topology's `tls` names for a node, as they were read.
package struct CertificateFiles: Equatable, Sendable {
    package var certificate: TopologySource
    package var key: TopologySource
    package var authorities: TopologySource?

    /// Reads them. What is in them is for others to say.
    ///
    /// - Parameters:
    ///   - authorities: nil where nobody needs any.
    ///   - topologyPath: of the topology file; a path in it that is not absolute counts from there.
    /// - Throws: also when others than its owner may open the key.
    package static func read(
        _ identity: TLSPolicy.Identity, authorities: String?, beside topologyPath: String
    ) throws(TopologyFileError) -> CertificateFiles {
        let certificate = try TopologyFile.read(path: path(identity.certificate, beside: topologyPath))
        let key = try TopologyFile.read(path: path(identity.key, beside: topologyPath), holdsSecrets: true)
        let others = authorities.map { path($0, beside: topologyPath) }
        var authorities: TopologySource?
        if let others { authorities = try TopologyFile.read(path: others) }
        return CertificateFiles(certificate: certificate, key: key, authorities: authorities)
    }

    /// Where such a file is.
    package static func path(_ name: String, beside topologyPath: String) -> String {
        TopologyFile.path(name, beside: topologyPath)
    }
}
