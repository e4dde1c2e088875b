/// The algorithms of digest authentication (RFC 7616 section 6.1, RFC 8760), the weakest first.
package enum DigestAlgorithm: UInt8, Hashable, Sendable, CaseIterable {
    case md5, sha256, sha512_256

    /// As challenges and answers write it.
    package var name: String {
        switch self {
        case .md5: "MD5"
        case .sha256: "SHA-256"
        case .sha512_256: "SHA-512-256"
        }
    }

    /// As topology and credentials files write it.
    package var key: String {
        switch self {
        case .md5: "md5"
        case .sha256: "sha-256"
        case .sha512_256: "sha-512-256"
        }
    }

    /// Bytes of a hash.
    package var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha256, .sha512_256: 32
        }
    }
}
