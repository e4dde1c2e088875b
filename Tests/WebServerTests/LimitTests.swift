import ClusterModel
import LinuxSystem
import Testing
import WebServer

/// What strangers cannot do. The waits are bounds, not sleeps: each ends when the server closes.
@Suite struct LimitTests {
    private func limits(_ change: (inout WebLimits) -> Void) -> WebLimits {
        var limits = WebLimits()
        change(&limits)
        return limits
    }

    @Test func `a slow head is cut`() throws {
        let server = try TestServer(limits: limits { $0.headPatience = .milliseconds(200) })
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: ")
        #expect(client.readToEnd() == "")
        #expect(client.isClosed)
    }

    @Test func `a slow body is cut`() throws {
        let server = try TestServer(limits: limits { $0.bodyPatience = .milliseconds(200) })
        let client = try server.connect()
        client.send("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        #expect(!client.readToEnd().contains(" 200 "))
        #expect(client.isClosed)
    }

    @Test func `an idle connection is cut`() throws {
        let server = try TestServer(limits: limits { $0.idle = .milliseconds(300) })
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.readToEnd().contains("hello "))
        #expect(client.isClosed)
    }

    @Test func `a body of 10 GB is refused at once and not read`() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000000\r\n\r\n")
        var sent = 0
        let piece = [UInt8](repeating: 97, count: 64 * 1024)
        while sent < 64 << 20, !client.isClosed {
            let count = client.send(piece)
            sent += count
            if count < piece.count { break }
        }
        // What sockets hold, and what is drained so that the answer arrives.
        #expect(sent < 32 << 20)
    }

    @Test func `who announces too much is told so`() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n\r\nabc")
        #expect(client.readToEnd().hasPrefix("HTTP/1.1 413"))
        #expect(client.isClosed)
    }

    @Test func `a head has a number of fields and a size`() throws {
        let server = try TestServer()
        for head in [
            (0...64).map { "X-\($0): a\r\n" }.joined(), "X-Long: \(String(repeating: "a", count: 9_000))\r\n",
            (0..<6).map { "X-\($0): \(String(repeating: "a", count: 4_000))\r\n" }.joined(),
        ] {
            let client = try server.connect()
            client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\(head)\r\n")
            let text = client.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 4") && !text.contains("hello "), "\(text)")
            #expect(client.isClosed)
        }
    }

    @Test func `a source has so many connections, and gets them back`() throws {
        let server = try TestServer(limits: limits { $0.connectionsOfOne = 4 })
        var clients: [RawClient] = []
        for _ in 0..<4 {
            let client = try server.connect()
            client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.read(through: "hello ").contains("hello "))
            clients.append(client)
        }
        let fifth = try server.connect()
        #expect(fifth.readToEnd() == "" && fifth.isClosed)
        clients.removeFirst().socket.close()
        #expect(try server.servesAgain())
    }

    @Test func `who asks on and on without waiting is cut`() throws {
        let gate = Latch()
        let held = WebRoute("GET", "/held") { _ in
            await gate.wait()
            return WebResponse(status: 200)
        }
        let server = try TestServer([held])
        let client = try server.connect()
        client.send(String(repeating: "GET /held HTTP/1.1\r\nHost: x\r\n\r\n", count: 9))
        #expect(client.readToEnd() == "")
        #expect(client.isClosed)
        gate.open()
    }

    /// An answer without an end.
    private static func endless(_ closed: @escaping @Sendable () -> Void) -> WebRoute {
        WebRoute("GET", "/endless") { _ in
            let part = [UInt8](repeating: 120, count: 64 * 1024)
            return WebResponse(status: 200, body: .stream(AsyncStream { part }, closed: closed))
        }
    }

    @Test func `who reads nothing is cut`() throws {
        let closed = Latch()
        let server = try TestServer(
            [Self.endless { closed.open() }], limits: limits { $0.sendPatience = .milliseconds(300) })
        let client = try server.connect()
        client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(closed.isOpen())
    }

    @Test func `who wants another protocol is answered, and no more is read`() throws {
        let server = try TestServer(limits: limits { $0.connectionsOfOne = 1 })
        for head in [
            "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        ] {
            #expect(try server.servesAgain())
            let client = try server.connect()
            client.send(head)
            var sent = 0
            let piece = [UInt8](repeating: 97, count: 64 * 1024)
            while sent < 128 << 20, !client.isClosed {
                let count = client.send(piece)
                sent += count
                if count < piece.count { break }
            }
            // What sockets hold.
            #expect(sent < 32 << 20)
        }
    }

    @Test func `a connection ends with the request that says so, whatever comes after it`() throws {
        let server = try TestServer(limits: limits { $0.connectionsOfOne = 1 })
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Close\r\n\r\n")
        client.send("GET /hello?name=more HTTP/1.1\r\nHost: x\r\n\r\n")
        let text = client.readToEnd()
        #expect(text.hasPrefix("HTTP/1.1 200") && !text.contains("more"))
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        // The browser keeps its end open; the place is given back all the same.
        #expect(try server.servesAgain())
    }

    @Test func `when all places are taken, who says nothing makes room`() throws {
        let closed = Latch()
        let (parts, source) = AsyncStream.makeStream(of: [UInt8].self)
        let stream = WebRoute("GET", "/stream") { _ in
            WebResponse(status: 200, body: .stream(parts, closed: { closed.open() }))
        }
        let server = try TestServer([.hello, stream], limits: limits { $0.connections = 3 })
        let answered = try server.connect()
        answered.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(answered.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        let quiet = try server.connect()
        quiet.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(quiet.read(through: "hello ").contains("hello "))
        let silent = try server.connect()
        silent.send("GET /hel")
        for victim in [quiet, silent] {
            let next = try server.connect()
            next.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(next.read(through: "hello ").contains("hello "))
            #expect(victim.readToEnd() == "" && victim.isClosed)
        }
        source.yield(Array("still here".utf8))
        #expect(answered.read(through: "still here").contains("still here"))
        answered.socket.close()
        #expect(closed.isOpen())
    }

    @Test func `who is being answered makes room for nobody`() throws {
        let (parts, source) = AsyncStream.makeStream(of: [UInt8].self)
        let stream = WebRoute("GET", "/stream") { _ in WebResponse(status: 200, body: .stream(parts, closed: {})) }
        let server = try TestServer([.hello, stream], limits: limits { $0.connections = 1 })
        let client = try server.connect()
        client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        let refused = try server.connect()
        #expect(refused.readToEnd() == "" && refused.isClosed)
        source.finish()
        #expect(try server.servesAgain())
    }

    @Test func `a server that closes while connections come drops none unseen`() throws {
        for _ in 0..<20 {
            let server = try TestServer()
            let clients = (0..<30).compactMap { _ in try? server.connect() }
            server.server.close()
            for client in clients { _ = client.readToEnd() }
        }
    }

    @Test func `a closed server accepts nothing and lets go of all`() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.read(through: "hello ").contains("hello "))
        server.server.close()
        #expect(client.readToEnd() == "" && client.isClosed)
        server.server.close()
    }

    @Test func `another server goes on at the same socket`() throws {
        let listener = try Sockets.listeningTCP(try #require(NetworkAddress("127.0.0.1:0")))
        let former = try TestServer(at: listener)
        let client = try former.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(client.read(through: "hello ").contains("hello "))
        let next = try TestServer(at: listener)
        former.server.close()
        #expect(client.readToEnd() == "" && client.isClosed)
        for _ in 0..<20 {
            let client = try next.connect()
            client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(client.read(through: "hello ").contains("hello "))
        }
    }
}
