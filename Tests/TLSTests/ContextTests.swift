import TLS
import TestCertificates
import Testing

/// What is wrong with files is said with the file's name.
@Suite struct ContextTests {
    private func problem(_ role: TLSContext.Role, _ material: TLSContext.Material) -> String {
        do {
            _ = try TLSContext(role, material)
            return "none"
        } catch {
            return error.sentence
        }
    }

    @Test func `a certificate with its key is taken, and its end known`() throws {
        let authority = try TestAuthority()
        let context = try TLSContext(.server, authority.material(authority.issue("node", names: "DNS:a")))
        let end = try #require(context.certificateEnd)
        // Two days from some time between the making of this test and the far future.
        #expect(end > 1_760_000_000)
    }

    @Test func `a chain is taken, a file without certificates is not`() throws {
        let authority = try TestAuthority()
        let issued = try authority.issue("node", names: "DNS:a")
        var material = try authority.material(issued)
        let own = try authority.file(authority.certificate)
        material.certificate?.bytes += own.bytes
        #expect(problem(.server, material) == "none")
        material.certificate = PEMFile(path: "/etc/empty.pem", bytes: [])
        #expect(
            problem(.server, material)
                == "/etc/empty.pem: there is no certificate in it (PEM: `-----BEGIN CERTIFICATE-----`)")
        material.certificate = PEMFile(path: "/etc/x.pem", bytes: try authority.read(issued.key))
        #expect(problem(.server, material).hasPrefix("/etc/x.pem: there is no certificate in it"))
    }

    @Test func `a torn certificate is named with its position`() throws {
        let authority = try TestAuthority()
        var material = try authority.material(authority.issue("node", names: "DNS:a"))
        let good = material.certificate?.bytes ?? []
        material.certificate = PEMFile(path: "/etc/torn.pem", bytes: good + good.prefix(good.count / 2))
        #expect(problem(.server, material).hasPrefix("/etc/torn.pem: certificate 2 cannot be read: "))
    }

    @Test func `a key of something else, none, and one with a password are refused`() throws {
        let authority = try TestAuthority()
        let issued = try authority.issue("node", names: "DNS:a")
        let other = try authority.issue("other", names: "DNS:b")
        var material = try authority.material(issued)
        material.key = try authority.file(other.key)
        #expect(problem(.server, material).hasPrefix("\(other.key): it is not the key of \(issued.certificate): "))
        material.key = PEMFile(path: "/etc/no.key", bytes: Array("nonsense".utf8))
        #expect(
            problem(.server, material)
                == "/etc/no.key: there is no private key in it (PEM: `-----BEGIN PRIVATE KEY-----`)"
        )
        let locked = authority.directory + "/locked.key"
        try authority.openSSL(["pkey", "-in", issued.key, "-aes256", "-passout", "pass:secret", "-out", locked])
        material.key = try authority.file(locked)
        #expect(problem(.server, material).hasPrefix("\(locked): the key is protected by a password"))
        material.key = nil
        #expect(problem(.server, material) == "a certificate and its key belong together, and a server needs both")
        #expect(problem(.client, material) == "a certificate and its key belong together, and a server needs both")
    }

    @Test func `authorities that are none, and files that are too long, are refused`() throws {
        let authority = try TestAuthority()
        var material = try authority.material(nil)
        #expect(problem(.client, material) == "none")
        #expect(problem(.client, TLSContext.Material()) == "none")
        material.authorities = PEMFile(path: "/etc/ca.pem", bytes: Array("nonsense".utf8))
        #expect(problem(.client, material).hasPrefix("/etc/ca.pem: there is no certificate in it"))
        material.authorities = PEMFile(path: "/etc/ca.pem", bytes: Array(repeating: 10, count: 300_000))
        #expect(problem(.client, material) == "/etc/ca.pem: it has 300000 bytes, and such a file at most 262144")
    }
}
