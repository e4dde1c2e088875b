internal import CCrypto
package import ClusterModel

// libcrypto's scrypt takes memory as well as time; its releases before 3.2 have no Argon2.
extension PasswordHash {
    /// Of a new password.
    ///
    /// - Parameter salt: 16 random bytes.
    /// - Returns: nil where there is no memory for it, or the cost or the salt is out of bounds.
    package static func make(password: [UInt8], salt: [UInt8], cost: Cost = .usual) -> PasswordHash? {
        guard cost.isAllowed,
            let hash = scrypt(
                password, salt: salt, n: 1 << UInt64(cost.logarithm), r: UInt64(cost.blockSize),
                p: UInt64(cost.parallelism), count: hashLength)
        else { return nil }
        return PasswordHash(cost: cost, salt: salt, hash: hash)
    }

    /// Whether it is this password's. Takes as long for a wrong one as for the right one.
    package func verify(password: [UInt8]) -> Bool {
        guard let other = Self.make(password: password, salt: salt, cost: cost) else { return false }
        return CRYPTO_memcmp(hash, other.hash, Self.hashLength) == 0
    }

    /// The function itself (RFC 7914 section 6).
    ///
    /// - Parameters:
    ///   - n, r, p: the cost; `n` is a power of 2.
    ///   - count: bytes of the result.
    /// - Returns: nil for parameters that the function does not have, or without memory.
    package static func scrypt(
        _ password: [UInt8], salt: [UInt8], n: UInt64, r: UInt64, p: UInt64, count: Int
    ) -> [UInt8]? {
        var output = [UInt8](repeating: 0, count: count)
        let isDone = password.withUnsafeBytes { password in
            EVP_PBE_scrypt(
                password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count, salt, salt.count, n, r, p,
                UInt64(maximumMemory), &output, count) == 1
        }
        return isDone ? output : nil
    }
}
