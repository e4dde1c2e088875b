import ClusterModel
import TLS
import TestCertificates
import Testing

/// Two sessions joined in memory.
@Suite struct SessionTests {
    let authority: TestAuthority
    let server: TLSContext
    let client: TLSContext

    init() throws {
        authority = try TestAuthority()
        server = try TLSContext(
            .server, authority.material(authority.issue("node", names: "DNS:cc.example.com"), trusts: false))
        client = try TLSContext(.client, authority.material(nil))
    }

    @Test(arguments: [1, 7, 1024]) func `a handshake, text both ways and both ends`(_ step: Int) throws {
        let pair = try TLSPair(client, server, expecting: .host("cc.example.com"))
        #expect(!pair.client.canWrite)
        #expect(try pair.client.write("too early") == 0)
        try pair.shakeHands(step: step)
        #expect(pair.client.phase == .open && pair.server.phase == .open)
        #expect(pair.client.version == "TLSv1.3")
        #expect(pair.server.peerNames == nil)
        #expect(try pair.client.write("REGISTER") == 8)
        try pair.carry(pair.client, to: pair.server, step: step)
        #expect(try pair.server.readText() == "REGISTER")
        #expect(try pair.server.write("200 OK") == 6)
        pair.server.finish()
        pair.server.finish()
        #expect(try pair.server.write("more") == 0)
        try pair.carry(pair.server, to: pair.client, step: step)
        #expect(try pair.client.readText() == "200 OK")
        #expect(pair.client.phase == .peerFinished)
        // One side has said that it is done; the other may still speak.
        #expect(try pair.client.write("late") == 4)
        try pair.carry(pair.client, to: pair.server)
        #expect(try pair.server.readText() == "late")
    }

    @Test func `much text comes out as it went in, in pieces that fit`() throws {
        let pair = try TLSPair(client, server)
        try pair.shakeHands()
        let text = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        var written = 0
        var received: [UInt8] = []
        while written < text.count {
            let taken = try pair.client.write(Array(text[written...]))
            #expect(taken > 0 && pair.client.outputBytes < TLSSession.outputRoom + 17 * 1024)
            written += taken
            var sealed: [UInt8] = []
            pair.client.takeOutput(into: &sealed)
            for start in stride(from: 0, to: sealed.count, by: 10_000) {
                try sealed[start..<min(start + 10_000, sealed.count)].withUnsafeBytes { try pair.server.receive($0) }
                received += try pair.server.readAll()
            }
        }
        #expect(received == text)
        #expect(pair.server.inputBytes == 0)
    }

    @Test func `what is not read fills up, and ends the session`() throws {
        let pair = try TLSPair(client, server)
        try pair.shakeHands()
        let piece = [UInt8](repeating: 0, count: 16_000)
        #expect(throws: TLSError("more than \(TLSSession.maximumInput) bytes wait to be decrypted")) {
            try piece.withUnsafeBytes { for _ in 0..<5 { try pair.server.receive($0) } }
        }
        #expect(pair.server.phase == .failed)
        #expect(pair.server.inputBytes <= TLSSession.maximumInput)
    }

    @Test func `a handshake that does not end is not taken for ever`() throws {
        let session = try TLSSession(server)
        // Records of a hello that says it has more than comes.
        var hello: [UInt8] = [22, 3, 1, 0x3F, 0xFF, 1, 1, 0xFF, 0xFF] + Array(repeating: 0, count: 0x3FFF - 4)
        var sentence = ""
        do {
            for _ in 0..<100 {
                try hello.withUnsafeBytes { try session.receive($0) }
                try session.advance()
                hello = [22, 3, 1, 0x3F, 0xFF] + Array(repeating: 0, count: 0x3FFF)
            }
        } catch {
            sentence = error.tlsSentence
        }
        #expect(sentence.hasPrefix("the TLS handshake"), "\(sentence)")
        #expect(session.phase == .failed)
    }

    @Test func `who speaks no TLS is told apart, and nothing comes of it`() throws {
        let session = try TLSSession(server)
        #expect(throws: TLSError.self) {
            try Array("OPTIONS sip:a SIP/2.0\r\n\r\n".utf8).withUnsafeBytes { try session.receive($0) }
            try session.advance()
        }
        #expect(session.phase == .failed)
        try [UInt8](repeating: 0, count: 100).withUnsafeBytes { try session.receive($0) }
        #expect(try session.readAll().isEmpty)
        #expect(try session.write("x") == 0)
    }

    @Test func `a changed byte ends the session, whichever it is`() throws {
        let pair = try TLSPair(client, server)
        try pair.shakeHands()
        _ = try pair.client.write("REGISTER sip:cc.example.com SIP/2.0")
        var sealed: [UInt8] = []
        pair.client.takeOutput(into: &sealed)
        for position in sealed.indices {
            let other = try TLSPair(client, server)
            try other.shakeHands()
            _ = try other.client.write("REGISTER sip:cc.example.com SIP/2.0")
            let text = try? {
                try other.carry(other.client, to: other.server) { $0[position] ^= 0x10 }
                return try other.server.readText()
            }()
            // A record that seems longer waits for the rest.
            #expect(text == nil || text == "", "byte \(position)")
        }
    }

    @Test func `a torn record waits, and says nothing`() throws {
        let pair = try TLSPair(client, server)
        try pair.shakeHands()
        _ = try pair.client.write("REGISTER")
        var rest: [UInt8] = []
        try pair.carry(pair.client, to: pair.server) {
            rest = [$0.removeLast()]
        }
        #expect(try pair.server.readText() == "")
        try rest.withUnsafeBytes { try pair.server.receive($0) }
        #expect(try pair.server.readText() == "REGISTER")
    }

    @Test func `a corrupted handshake fails at whichever byte, and never opens both sides`() throws {
        let pair = try TLSPair(client, server)
        try pair.client.advance()
        var hello: [UInt8] = []
        pair.client.takeOutput(into: &hello)
        // Bytes 1 and 2 are a record's version, which means nothing (RFC 8446 section 5.1).
        for position in hello.indices where position != 1 && position != 2 {
            let other = try TLSPair(client, server)
            try other.client.advance()
            do {
                try other.carry(other.client, to: other.server) { $0[position] ^= 0x41 }
                try other.carry(other.server, to: other.client)
                try other.carry(other.client, to: other.server)
            } catch {
                #expect(!error.tlsSentence.isEmpty)
            }
            #expect(other.server.phase != .open, "byte \(position)")
        }
    }
}

extension Error {
    fileprivate var tlsSentence: String { (self as? TLSError)?.sentence ?? "" }
}
