import ClusterModel
import Orchestration
package import TLS

/// What new connections over TLS are begun with, made of what the controller told.
package struct TLSContexts {
    /// Phones and proxies.
    package let phones: TLSContext
    /// Clients of the ports.
    package let clients: TLSContext
    /// The cluster's other programs, those that connect and those that are connected to; nil without authorities.
    package let mesh: Mesh?
    private let material: TLSContext.Material

    package struct Mesh {
        package let acceptor: TLSContext
        package let dialer: TLSContext
    }

    init(_ set: CertificateSet) throws(TLSError) {
        func file(_ file: CertificateSet.File) -> PEMFile { PEMFile(path: file.path, bytes: file.bytes) }
        let material = TLSContext.Material(
            certificate: file(set.certificate), key: file(set.key), authorities: set.authorities.map(file))
        self.material = material
        phones = try TLSContext(.server, material.asking(set.phones))
        clients = try TLSContext(.server, material.asking(set.clients))
        mesh =
            set.authorities == nil
            ? nil
            : Mesh(acceptor: try TLSContext(.server, material), dialer: try TLSContext(.client, material))
    }
}

extension TLSContexts {
    /// For browsers, which are asked for nothing.
    package func makeBrowsers() throws(TLSError) -> TLSContext { try TLSContext(.server, material.asking(.none)) }
}

extension TLSContext.Material {
    /// For a server that demands so much of those who connect.
    fileprivate func asking(_ demand: TLSPolicy.Demand) -> TLSContext.Material {
        var material = self
        switch demand {
        case .required: break
        case .optional: material.clientsMayBeAnonymous = true
        case .none: material.authorities = nil
        }
        return material
    }
}
