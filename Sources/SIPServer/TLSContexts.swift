import Orchestration
import TLS

/// Makes of what the controller told what connections are served with.
enum TLSContexts {
    static func make(_ set: CertificateSet) throws(TLSError) -> TLSContext {
        func file(_ file: CertificateSet.File) -> PEMFile { PEMFile(path: file.path, bytes: file.bytes) }
        let material = TLSContext.Material(
            certificate: file(set.certificate), key: file(set.key), authorities: set.authorities.map(file))
        return try TLSContext(.server, material)
    }
}
