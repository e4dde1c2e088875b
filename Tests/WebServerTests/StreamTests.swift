import ClusterModel
import LinuxSystem
import Testing
import WebServer

/// Answers that go on.
@Suite struct StreamTests {
    private func stream(
        _ parts: AsyncStream<[UInt8]>, closed: @escaping @Sendable () -> Void
    ) -> WebRoute {
        WebRoute("GET", "/stream") { _ in WebResponse(status: 200, body: .stream(parts, closed: closed)) }
    }

    @Test func `parts arrive as they come, and the end ends the connection`() throws {
        let (parts, source) = AsyncStream.makeStream(of: [UInt8].self)
        let closed = Latch()
        let server = try TestServer([stream(parts) { closed.open() }])
        let client = try server.connect()
        client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        source.yield(Array("first".utf8))
        #expect(client.read(through: "first").contains("first"))
        source.yield(Array("second".utf8))
        #expect(client.read(through: "second").contains("second"))
        source.finish()
        _ = client.readToEnd()
        #expect(client.isClosed)
        #expect(closed.isOpen())
    }

    @Test func `a tab that goes ends its stream`() throws {
        let (parts, source) = AsyncStream.makeStream(of: [UInt8].self)
        let closed = Latch()
        let server = try TestServer([stream(parts) { closed.open() }])
        let client = try server.connect()
        client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        source.yield(Array("first".utf8))
        _ = client.read(through: "first")
        client.socket.close()
        #expect(closed.isOpen())
    }

    @Test func `HEAD of a stream opens none`() throws {
        let (parts, _) = AsyncStream.makeStream(of: [UInt8].self)
        let closed = Latch()
        let server = try TestServer([stream(parts) { closed.open() }])
        let client = try server.connect()
        client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        #expect(closed.isOpen())
    }
}
