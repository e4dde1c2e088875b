import ClusterModel
import Digests
import Testing

@Suite struct PasswordHashTests {
    /// Of `password`, made with Python's hashlib.scrypt.
    private static let known =
        "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$OnwHgqTb31Q6zXxSL+hT2bNKu4ryelxll0iM3yKBQLU"
    private static let salt = [UInt8](0..<16)

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// RFC 7914 section 12, but for the one that takes a gibibyte.
    @Test(
        arguments: [
            (
                "", "", 16, 1, 1,
                "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17"
                    + "e8d3e0fb2e0d3628cf35e20c38d18906"
            ),
            (
                "password", "NaCl", 1024, 8, 16,
                "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830da"
                    + "c727afb94a83ee6d8360cbdfa2cc0640"
            ),
            (
                "pleaseletmein", "SodiumChloride", 16384, 8, 1,
                "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9"
                    + "e61e85dc0d651e40dfcf017b45575887"
            ),
        ] as [(String, String, UInt64, UInt64, UInt64, String)])
    func `scrypt is that of RFC 7914`(
        _ password: String, _ salt: String, _ n: UInt64, _ r: UInt64, _ p: UInt64, _ expected: String
    ) throws {
        let key = try #require(
            PasswordHash.scrypt(Array(password.utf8), salt: Array(salt.utf8), n: n, r: r, p: p, count: 64))
        #expect(hexadecimal(key) == expected)
    }

    @Test func `a hash of another implementation is verified, and no other password is`() throws {
        let hash = try #require(PasswordHash(Self.known))
        #expect(hash.verify(password: Array("password".utf8)))
        for wrong in ["", "Password", "password ", "passwor", "password1"] {
            #expect(!hash.verify(password: Array(wrong.utf8)), "\(wrong)")
        }
    }

    @Test func `what is made is read again, and another salt makes another text`() throws {
        let password = Array("a good one".utf8)
        let hash = try #require(PasswordHash.make(password: password, salt: Self.salt, cost: .low))
        #expect(PasswordHash(hash.text) == hash)
        #expect(hash.text.hasPrefix("$scrypt$ln=12,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$"))
        #expect(hash.verify(password: password))
        let other = try #require(PasswordHash.make(password: password, salt: Self.salt.reversed(), cost: .low))
        #expect(other.hash != hash.hash)
        #expect(PasswordHash(Self.known)?.text == Self.known)
    }

    @Test func `the usual cost fits into the memory that one may take`() throws {
        let hash = try #require(PasswordHash.make(password: [1], salt: Self.salt))
        #expect(hash.text.hasPrefix("$scrypt$ln=15,r=8,p=3$"))
    }

    @Test(arguments: [
        "", "password", "$scrypt$", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA",
        known.replacing("ln=10", with: "ln=9"), known.replacing("ln=10", with: "ln=18"),
        known.replacing("ln=10", with: "ln=16"), known.replacing("ln=10", with: "ln=17"),
        known.replacing("r=8", with: "r=0"), known.replacing("r=8", with: "r=9"), known.replacing("r=8", with: "r=08x"),
        known.replacing("p=1", with: "p=0"), known.replacing("p=1", with: "p=5"), known.replacing("p=1", with: "p=-1"),
        known.replacing("p=1", with: "p=1,x=1"), known.replacing("ln=10,r=8", with: "r=8,ln=10"),
        known.replacing("ln=10", with: "ln=999999999999999999999"),
        known + "$", known + "A", String(known.dropLast()), known + "=", known.replacing("AAEC", with: "A EC"),
        known.replacing("AAECAwQFBgcICQoLDA0ODw", with: "AAECAwQFBg"), "x" + known,
        known + String(repeating: "A", count: 300),
    ])
    func `anything else is no hash`(_ text: String) {
        #expect(PasswordHash(text) == nil)
    }

    @Test func `bits that mean nothing are zeros, so that a hash has one text`() {
        #expect(Self.known.hasSuffix("QLU"))
        #expect(PasswordHash(String(Self.known.dropLast()) + "V") == nil)
    }
}
