internal import CCrypto

/// HMAC-SHA-256 (RFC 2104) of OpenSSL's libcrypto. It needs no other algorithm, so that clients have it on every machine.
package enum MessageAuthenticationCode {
    /// - Returns: 32 bytes.
    package static func sha256(_ text: [UInt8], key: [UInt8]) -> [UInt8] {
        var code: [UInt8] = []
        append(text.span, key: key.span, EVP_sha256(), to: &code)
        return code
    }

    /// Appends 32 bytes.
    ///
    /// - Parameter function: SHA-256, looked up by the caller, once where many codes are made.
    static func append(
        _ text: Span<UInt8>, key: Span<UInt8>, _ function: OpaquePointer, to output: inout [UInt8]
    ) {
        appendComputed(32, to: &output) { target in
            text.withUnsafeBufferPointer { text in
                key.withUnsafeBufferPointer { key in
                    HMAC(function, key.baseAddress, Int32(key.count), text.baseAddress, text.count, target, nil) != nil
                }
            }
        }
    }
}
