import ClusterModel
import Testing
import WebServer

/// What a browser may ask, byte by byte.
@Suite struct RequestTests {
    @Test func `requests of one connection are answered in order`() throws {
        let server = try TestServer()
        let client = try server.connect()
        let requests = ["a%20b", "second"].map { "GET /hello?name=\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }
        client.send(requests.joined())
        let text = client.read(through: "second")
        let first = try #require(text.firstRange(of: "hello a b"))
        let second = try #require(text.firstRange(of: "hello second"))
        #expect(first.lowerBound < second.lowerBound)
        #expect(text.lowercased().contains("x-base: here"))
        #expect(text.lowercased().contains("x-source: 127.0.0.1\r\n"))
    }

    @Test func `a body and a place in the path come through, also in pieces`() throws {
        let server = try TestServer()
        let client = try server.connect()
        for piece in ["POST /echo/%C3%A4 HT", "TP/1.1\r\nHost: x\r\nContent-Le", "ngth: 5\r\n\r\n12", "345"] {
            client.send(piece)
        }
        #expect(client.read(through: "12345").hasSuffix("ä12345"))
    }

    @Test(arguments: [
        ("GET /nowhere", "404"), ("DELETE /hello", "405"), ("HEAD /hello", "200"), ("OPTIONS /hello", "405"),
        ("GET /hello?" + String(repeating: "a", count: 1100), "414"), ("GET /%00", "400"), ("GET /%zz", "400"),
    ])
    func `what is not served is refused, with all headers`(_ line: String, _ status: String) throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("\(line) HTTP/1.1\r\nHost: x\r\n\r\n")
        let text = client.read(through: "\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 \(status)"))
        #expect(text.lowercased().contains("x-base: here"))
        #expect(!text.contains("hello "), "HEAD has no body")
        if status == "405" { #expect(text.lowercased().contains("allow: get, head")) }
    }

    @Test(arguments: [
        // Two readers of these could see different requests.
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello?name=stolen HTTP/1.1\r\nHost: x\r\n\r\n",
        "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcdeGET /hello?name=stolen HTTP/1.1\r\nHost: x\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n",
        "Content-Length: +4\r\n\r\nabcd", "Content-Length: 4, 4\r\n\r\nabcd", "Content-Length: \r\n\r\nabcd",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\nGET /hello?name=stolen HTTP/1.1\r\nHost: x\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /hello?name=stolen HTTP/1.1\r\nHost: x\r\n\r\n",
        "X: a\nContent-Length: 4\r\n\r\nabcd", "X: a\r\n Content-Length: 4\r\n\r\nabcd", "X: a\0b\r\n\r\n",
        "Host: y\r\nContent-Length: 4\r\n\r\nabcd",
    ])
    func `what could be cut in two ways is refused`(_ rest: String) throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("POST /echo/a HTTP/1.1\r\nHost: x\r\n\(rest)")
        let text = client.read(through: "\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 4"), "\(text)")
        #expect(!text.contains("stolen"))
    }

    @Test func `only proxies say where a request came from`() throws {
        let plain = try TestServer()
        let request = "GET /hello HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.9, 10.0.0.1\r\n\r\n"
        let stranger = try plain.connect()
        stranger.send(request)
        #expect(stranger.read(through: "hello ").lowercased().contains("x-source: 127.0.0.1\r\n"))
        var limits = WebLimits()
        limits.proxies = [try source("127.0.0.1:0"), try source("10.0.0.1:0")]
        let behind = try TestServer(limits: limits)
        let proxied = try behind.connect()
        proxied.send(request)
        #expect(proxied.read(through: "hello ").lowercased().contains("x-source: 10.0.0.9\r\n"))
    }

    @Test(arguments: ["", "unknown", "10.0.0.9:5060", "[::1]", "10.0.0.9, nobody", "10.0.0.1"])
    func `what a proxy says that is no address is nobody's`(_ forwarded: String) throws {
        var limits = WebLimits()
        limits.proxies = [try source("127.0.0.1:0"), try source("10.0.0.1:0")]
        let server = try TestServer(limits: limits)
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \(forwarded)\r\n\r\n")
        #expect(client.read(through: "hello ").lowercased().contains("x-source: 127.0.0.1\r\n"))
    }

    private func source(_ text: String) throws -> SourceID { SourceID(try #require(NetworkAddress(text))) }
}
