import ClusterModel
import LinuxSystem
import TLS
import TestCertificates
import Testing
import WebServer

/// HTTPS by Debian's OpenSSL, before SwiftNIO's pipeline.
@Suite struct TLSTests {
    let authority: TestAuthority
    let source: TLSSource
    let client: TLSContext

    init() throws {
        authority = try TestAuthority()
        let issued = try authority.issue("desk", names: "DNS:desk.example.com")
        var server = TLSContext.Material()
        server.certificate = PEMFile(path: issued.certificate, bytes: try authority.read(issued.certificate))
        server.key = PEMFile(path: issued.key, bytes: try authority.read(issued.key))
        source = TLSSource(try TLSContext(.server, server))
        var trust = TLSContext.Material()
        trust.authorities = PEMFile(path: authority.certificate, bytes: try authority.read(authority.certificate))
        client = try TLSContext(.client, trust)
    }

    @Test func `requests and large answers go both ways`() async throws {
        let large = WebRoute("GET", "/large") { _ in
            WebResponse(status: 200, body: .bytes([UInt8](repeating: 120, count: 300_000) + Array("end".utf8)))
        }
        let server = try TestServer([.hello, large], tls: source)
        let raw = try server.connect()
        let session = try TLSSession(client, expecting: .host("desk.example.com"))
        var text: [UInt8] = []
        var asked = false
        let request = Array("GET /large HTTP/1.1\r\nHost: desk.example.com\r\n\r\n".utf8)
        while !text.suffix(3).elementsEqual("end".utf8) {
            if try session.advance(), !asked {
                asked = true
                _ = try request.withUnsafeBytes { try session.write($0) }
            }
            var output: [UInt8] = []
            session.takeOutput(into: &output)
            raw.send(output)
            try #require(await raw.waitForInput())
            var input = [UInt8](repeating: 0, count: 64 * 1024)
            guard let count = try raw.socket.read(into: &input) else { continue }
            try #require(count > 0)
            input.removeLast(input.count - count)
            for start in stride(from: 0, to: input.count, by: 16_384) {
                let piece = Array(input[start..<min(input.count, start + 16_384)])
                try piece.withUnsafeBytes { try session.receive($0) }
                var plain = [UInt8](repeating: 0, count: 16_384)
                while let count = try plain.withUnsafeMutableBytes({ try session.read(into: $0) }), count > 0 {
                    text += plain.prefix(count)
                }
            }
        }
        #expect(String(decoding: text.prefix(15), as: UTF8.self) == "HTTP/1.1 200 OK")
        #expect(text.count > 300_000)
    }

    @Test func `who does not speak TLS is cut`() async throws {
        let server = try TestServer(tls: source)
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await !client.readToEnd().contains("hello"))
        #expect(client.isClosed)
    }

    @Test func `a handshake that does not come on is cut`() async throws {
        var limits = WebLimits()
        limits.handshake = .milliseconds(200)
        let server = try TestServer(tls: source, limits: limits)
        let client = try server.connect()
        client.send([0x16, 0x03, 0x01])
        #expect(await client.readToEnd() == "")
        #expect(client.isClosed)
    }
}
