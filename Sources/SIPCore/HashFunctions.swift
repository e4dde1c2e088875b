package import ClusterModel

/// Computes hashes for the machines, which have no cryptography of their own. The same input always gives the same output.
package protocol HashFunctions: Sendable {
    /// Appends the hash of `input`: `algorithm.byteCount` bytes.
    func hash(_ algorithm: DigestAlgorithm, of input: Span<UInt8>, into output: inout [UInt8])

    /// Appends HMAC-SHA-256 of `input` (RFC 2104): 32 bytes.
    func code(_ input: Span<UInt8>, key: Span<UInt8>, into output: inout [UInt8])
}
