import ClusterModel
import Digests
import LinuxSystem
import Orchestration
import SIPCore

/// Makes a node's authenticator of what the controller told.
enum Authenticators {
    /// - Returns: nil when the machine's libcrypto lacks an algorithm.
    static func make(
        _ policy: AuthenticationPolicy, _ pieces: [CredentialPiece], _ directory: DNDirectory
    ) -> DigestAuthenticator? {
        guard let functions = LibcryptoHashes() else { return nil }
        return DigestAuthenticator(
            realm: policy.realm, algorithms: policy.algorithms, credentials: table(pieces, directory),
            functions: functions,
            key: SystemRandom.bytes(32)
        )
    }

    static func table(_ pieces: [CredentialPiece], _ directory: DNDirectory) -> CredentialTable {
        var table = CredentialTable(dnCount: directory.count)
        for piece in pieces {
            for (position, dn) in piece.dns.enumerated() {
                guard let index = directory.index(of: dn) else { continue }
                var start = position * CredentialPiece.entrySize
                for algorithm in DigestAlgorithm.allCases {
                    let end = start + algorithm.byteCount
                    if piece.known[position] & 1 << algorithm.rawValue != 0 {
                        table.set(piece.hashes[start..<end], algorithm, for: index)
                    }
                    start = end
                }
            }
        }
        return table
    }
}
