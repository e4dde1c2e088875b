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

    /// RFC 4231 sections 4.2 to 4.8; 4.6 is of a code that is cut short.
    @Test(
        arguments: [
            (
                Array(repeating: 0x0b, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                Array(repeating: 0xaa, count: 20), Array(repeating: 0xdd, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                Array(1...25), Array(repeating: 0xcd, count: 50),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
            ),
            (
                Array(repeating: 0xaa, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ] as [([UInt8], [UInt8], String)])
    func `HMAC-SHA-256 of RFC 4231`(_ key: [UInt8], _ text: [UInt8], _ expected: String) {
        #expect(hexadecimal(MessageAuthenticationCode.sha256(text, key: key)) == expected)
    }
}
