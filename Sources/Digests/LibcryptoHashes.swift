internal import CCrypto
package import ClusterModel
internal import SIPCore

/// Hash functions of OpenSSL's libcrypto.
///
/// The functions are looked up once: a look-up for each hash would cost more than the hash of a short text.
package final class LibcryptoHashes: HashFunctions {
    // Only read after `init`; libcrypto allows any thread to use a fetched algorithm.
    private nonisolated(unsafe) let md5: OpaquePointer
    private nonisolated(unsafe) let sha256: OpaquePointer
    private nonisolated(unsafe) let sha512_256: OpaquePointer

    /// - Returns: nil when this libcrypto lacks one of the algorithms, as one that is restricted to FIPS lacks MD5.
    package init?() {
        guard let md5 = EVP_MD_fetch(nil, "MD5", nil), let sha256 = EVP_MD_fetch(nil, "SHA2-256", nil),
            let sha512_256 = EVP_MD_fetch(nil, "SHA2-512/256", nil)
        else { return nil }
        self.md5 = md5
        self.sha256 = sha256
        self.sha512_256 = sha512_256
    }

    deinit {
        for algorithm in [md5, sha256, sha512_256] { EVP_MD_free(algorithm) }
    }

    package func hash(_ algorithm: DigestAlgorithm, of input: Span<UInt8>, into output: inout [UInt8]) {
        let function =
            switch algorithm {
            case .md5: md5
            case .sha256: sha256
            case .sha512_256: sha512_256
            }
        appendComputed(algorithm.byteCount, to: &output) { target in
            input.withUnsafeBufferPointer { EVP_Digest($0.baseAddress, $0.count, target, nil, function, nil) == 1 }
        }
    }

    package func code(_ input: Span<UInt8>, key: Span<UInt8>, into output: inout [UInt8]) {
        MessageAuthenticationCode.append(input, key: key, sha256, to: &output)
    }
}

/// Appends so many bytes, which libcrypto writes.
func appendComputed(_ count: Int, to output: inout [UInt8], _ compute: (UnsafeMutablePointer<UInt8>) -> Bool) {
    let start = output.count
    output.append(contentsOf: repeatElement(0, count: count))
    let isDone = output.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.map { compute($0 + start) } ?? false
    }
    // Fails only without memory, and then there is nothing to go on with.
    precondition(isDone, "libcrypto could not compute a hash")
}
