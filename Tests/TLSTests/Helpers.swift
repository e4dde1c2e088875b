import ClusterModel
import TLS
import TestCertificates

extension TestAuthority {
    func file(_ path: String) throws -> PEMFile { PEMFile(path: path, bytes: try read(path)) }

    /// What a side with this certificate has; without `authorities` it trusts everybody.
    func material(_ issued: Issued?, trusts: Bool = true) throws -> TLSContext.Material {
        TLSContext.Material(
            certificate: try issued.map { try file($0.certificate) }, key: try issued.map { try file($0.key) },
            authorities: trusts ? try file(certificate) : nil)
    }
}

/// Two sessions whose ciphertext a test carries from one to the other.
struct TLSPair {
    let client: TLSSession
    let server: TLSSession

    init(_ client: TLSContext, _ server: TLSContext, expecting: PeerIdentity? = nil) throws {
        self.client = try TLSSession(client, expecting: expecting)
        self.server = try TLSSession(server)
    }

    /// Carries what waits, `step` bytes at a time, changed by `change` on its way.
    ///
    /// - Returns: how many bytes.
    @discardableResult
    func carry(
        _ from: TLSSession, to: TLSSession, step: Int = 1024, _ change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> Int {
        var bytes: [UInt8] = []
        from.takeOutput(into: &bytes)
        change(&bytes)
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + step)
            try bytes[start..<end].withUnsafeBytes { try to.receive($0) }
            if step < 64 { try to.advance() }
            start = end
        }
        try to.advance()
        return bytes.count
    }

    /// Both sides go on until neither has anything to say.
    func shakeHands(step: Int = 1024) throws {
        try client.advance()
        while try carry(client, to: server, step: step) + carry(server, to: client, step: step) > 0 {}
    }
}

extension TLSSession {
    func write(_ text: String) throws -> Int { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws -> Int { try bytes.withUnsafeBytes { try write($0) } }

    /// Everything that can be decrypted now.
    func readAll() throws -> [UInt8] {
        var all: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 5000, alignment: 1)
        defer { buffer.deallocate() }
        while let count = try read(into: buffer) { all += buffer[..<count] }
        return all
    }

    func readText() throws -> String { String(decoding: try readAll(), as: UTF8.self) }
}
