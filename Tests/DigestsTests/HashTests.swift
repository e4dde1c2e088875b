import ClusterModel
import Digests
import SIPCore
import Testing

/// The hash functions as their documents say.
@Suite struct HashTests {
    private func functions() throws -> LibcryptoHashes { try #require(LibcryptoHashes()) }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test(
        arguments: [
            (.md5, "900150983cd24fb0d6963f7d28e17f72"),
            (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (.sha512_256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ] as [(DigestAlgorithm, String)])
    func `the hash of abc`(_ algorithm: DigestAlgorithm, _ expected: String) throws {
        // RFC 1321 appendix A.5, FIPS 180-4 examples.
        var output: [UInt8] = [7]
        try functions().hash(algorithm, of: Array("abc".utf8).span, into: &output)
        #expect(output.first == 7, "it is appended")
        #expect(hexadecimal(Array(output.dropFirst())) == expected)
        #expect(output.count == 1 + algorithm.byteCount)
        try functions().hash(algorithm, of: [UInt8]().span, into: &output)
        #expect(output.count == 1 + 2 * algorithm.byteCount)
    }

    @Test func `HMAC-SHA-256 of RFC 4231 section 4_3`() throws {
        var output: [UInt8] = []
        let input = Array("what do ya want for nothing?".utf8)
        try functions().code(input.span, key: Array("Jefe".utf8).span, into: &output)
        #expect(
            hexadecimal(output) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }
}
