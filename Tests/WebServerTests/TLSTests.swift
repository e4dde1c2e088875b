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

    @Test func `requests and large answers go both ways`() throws {
        let large = WebRoute("GET", "/large") { _ in
            WebResponse(status: 200, body: .bytes([UInt8](repeating: 120, count: 300_000) + Array("end".utf8)))
        }
        let server = try TestServer([.hello, large], tls: source)
        let browser = try TLSClient(try server.connect(), client)
        try browser.send("GET /large HTTP/1.1\r\nHost: desk.example.com\r\n\r\n")
        let text = try browser.read { $0.suffix(3).elementsEqual("end".utf8) }
        #expect(String(decoding: text.prefix(15), as: UTF8.self) == "HTTP/1.1 200 OK")
        #expect(text.count > 300_000)
    }

    @Test func `the end of TLS is answered with the end of TLS`() throws {
        let server = try TestServer(tls: source)
        let browser = try TLSClient(try server.connect(), client)
        try browser.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try browser.read { String(decoding: $0, as: UTF8.self).contains("hello ") }
        browser.finish()
        _ = try browser.read { _ in false }
        #expect(browser.session.phase == .peerFinished)
    }

    @Test func `the last answer comes whole before the end of TLS`() throws {
        let large = WebRoute("GET", "/large") { _ in
            WebResponse(status: 200, body: .bytes([UInt8](repeating: 120, count: 3_000_000) + Array("end".utf8)))
        }
        let server = try TestServer([large], tls: source)
        let browser = try TLSClient(try server.connect(), client)
        try browser.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let text = try browser.read { _ in false }
        #expect(text.count > 3_000_000 && text.suffix(3).elementsEqual("end".utf8))
        #expect(browser.session.phase == .peerFinished)
    }

    @Test func `who reads nothing of TLS is cut`() throws {
        let closed = Latch()
        let endless = WebRoute("GET", "/endless") { _ in
            let part = [UInt8](repeating: 120, count: 64 * 1024)
            return WebResponse(status: 200, body: .stream(AsyncStream { part }, closed: { closed.open() }))
        }
        var limits = WebLimits()
        limits.sendPatience = .milliseconds(300)
        let server = try TestServer([endless], tls: source, limits: limits)
        let browser = try TLSClient(try server.connect(), client)
        try browser.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(closed.isOpen())
    }

    @Test func `who does not speak TLS is cut`() throws {
        let server = try TestServer(tls: source)
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(!client.readToEnd().contains("hello"))
        #expect(client.isClosed)
    }

    @Test func `a handshake that does not come on is cut`() throws {
        var limits = WebLimits()
        limits.handshake = .milliseconds(200)
        let server = try TestServer(tls: source, limits: limits)
        let client = try server.connect()
        client.send([0x16, 0x03, 0x01])
        #expect(client.readToEnd() == "")
        #expect(client.isClosed)
    }
}
