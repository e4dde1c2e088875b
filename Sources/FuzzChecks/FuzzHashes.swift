import ClusterModel
import SIPCore

/// Functions whose hashes are all zeros, so that the fuzzer can find right passwords and nonces.
struct FuzzHashes: HashFunctions {
    func hash(_ algorithm: DigestAlgorithm, of input: Span<UInt8>, into output: inout [UInt8]) {
        output += [UInt8](repeating: 0, count: algorithm.byteCount)
    }

    func code(_ input: Span<UInt8>, key: Span<UInt8>, into output: inout [UInt8]) {
        output += [UInt8](repeating: 0, count: 32)
    }

    /// Whether a request has what every right response to a challenge has.
    static func couldBeRight(_ request: [UInt8]) -> Bool {
        var zeros = 0
        for byte in request {
            zeros = byte == UInt8(ascii: "0") ? zeros + 1 : 0
            if zeros == 32 { return true }
        }
        return false
    }

    /// Every phone has a password, for every algorithm.
    static func authenticator(_ directory: DNDirectory) -> DigestAuthenticator {
        var credentials = CredentialTable(dnCount: directory.count)
        for position in 0..<directory.count {
            for algorithm in DigestAlgorithm.allCases {
                credentials.set(
                    [UInt8](repeating: 0, count: algorithm.byteCount), algorithm, for: DNIndex(position))
            }
        }
        return DigestAuthenticator(
            realm: FuzzCluster.domain, credentials: credentials, functions: FuzzHashes(), key: [0],
            nonceLifetime: 60)
    }
}
