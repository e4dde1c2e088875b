import ClusterModel
import Digests
import LinuxSystem
import Orchestration
import SIPCore

/// Makes a node's authenticator of what the controller told.
enum Authenticators {
    /// - Parameter secret: the node's two random numbers, 128 bits together. A process that takes over has the same: phones' nonces stay
    ///   good.
    /// - Returns: nil when the machine's libcrypto lacks an algorithm.
    static func make(
        _ policy: AuthenticationPolicy, _ pieces: [CredentialPiece], _ directory: DNDirectory,
        secret: (UInt64, UInt64)
    ) -> DigestAuthenticator? {
        guard let functions = LibcryptoHashes() else { return nil }
        return DigestAuthenticator(
            realm: policy.realm, algorithms: policy.algorithms, credentials: table(pieces, directory),
            functions: functions,
            key: key(secret)
        )
    }

    /// 32 bytes that nobody can tell from random ones without the secret (SipHash is a pseudorandom function).
    private static func key(_ secret: (UInt64, UInt64)) -> [UInt8] {
        let hash = SipHash(key: secret.0, secret.1)
        return (0..<4 as Range<UInt8>).flatMap { number -> [UInt8] in
            let word = hash.hash([UInt8(ascii: "n"), number].span)
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
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
