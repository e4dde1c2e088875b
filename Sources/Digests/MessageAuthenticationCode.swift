internal import CCrypto

/// Keyed hashes of OpenSSL's libcrypto.
package enum MessageAuthenticationCode {
    /// HMAC-SHA-256 (RFC 2104): 32 bytes.
    package static func sha256(_ text: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        // Fails only without memory, and then there is nothing to go on with.
        precondition(
            HMAC(EVP_sha256(), key, Int32(key.count), text, text.count, &code, nil) != nil,
            "libcrypto could not compute a code")
        return code
    }
}
