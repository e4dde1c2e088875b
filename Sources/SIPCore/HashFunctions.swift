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

    /// Bytes of a hash.
    package var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha256, .sha512_256: 32
        }
    }
}

/// Computes hashes for the machines, which have no cryptography of their own. The same input always gives the same output.
package protocol HashFunctions: Sendable {
    /// Appends the hash of `input`: `algorithm.byteCount` bytes.
    func hash(_ algorithm: DigestAlgorithm, of input: Span<UInt8>, into output: inout [UInt8])

    /// Appends HMAC-SHA-256 of `input` (RFC 2104): 32 bytes.
    func code(_ input: Span<UInt8>, key: Span<UInt8>, into output: inout [UInt8])
}
