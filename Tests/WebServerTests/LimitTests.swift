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

    @Test func `a slow head is cut`() async throws {
        let server = try TestServer(limits: limits { $0.headPatience = .milliseconds(200) })
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: ")
        #expect(await client.readToEnd() == "")
        #expect(client.isClosed)
    }

    @Test func `a slow body is cut`() async throws {
        let server = try TestServer(limits: limits { $0.bodyPatience = .milliseconds(200) })
        let client = try server.connect()
        client.send("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        #expect(await !client.readToEnd().contains(" 200 "))
        #expect(client.isClosed)
    }

    @Test func `an idle connection is cut`() async throws {
        let server = try TestServer(limits: limits { $0.idle = .milliseconds(300) })
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.readToEnd().contains("hello "))
        #expect(client.isClosed)
    }

    @Test func `a body of 10 GB is refused at once and not read`() async throws {
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

    @Test func `who announces too much is told so`() async throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("POST /echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 16385\r\n\r\nabc")
        #expect(await client.readToEnd().hasPrefix("HTTP/1.1 413"))
        #expect(client.isClosed)
    }

    @Test func `a head has a number of fields and a size`() async throws {
        let server = try TestServer()
        for head in [
            (0...64).map { "X-\($0): a\r\n" }.joined(), "X-Long: \(String(repeating: "a", count: 9_000))\r\n",
            (0..<6).map { "X-\($0): \(String(repeating: "a", count: 4_000))\r\n" }.joined(),
        ] {
            let client = try server.connect()
            client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\(head)\r\n")
            let text = await client.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 4") && !text.contains("hello "), "\(text)")
            #expect(client.isClosed)
        }
    }

    @Test func `a source has so many connections, and gets them back`() async throws {
        let server = try TestServer(limits: limits { $0.connectionsOfOne = 4 })
        var clients: [RawClient] = []
        for _ in 0..<4 {
            let client = try server.connect()
            client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await client.read(through: "hello ").contains("hello "))
            clients.append(client)
        }
        let fifth = try server.connect()
        #expect(await fifth.readToEnd() == "" && fifth.isClosed)
        clients.removeFirst().socket.close()
        // The server hears of the end when it gets round to it.
        var answer = ""
        for _ in 0..<1_000 where !answer.contains("hello ") {
            let next = try server.connect()
            next.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = await next.read(through: "hello ")
        }
        #expect(answer.contains("hello "))
    }

    @Test func `who asks on and on without waiting is cut`() async throws {
        let gate = Latch()
        let held = WebRoute("GET", "/held") { _ in
            await gate.wait()
            return WebResponse(status: 200)
        }
        let server = try TestServer([held])
        let client = try server.connect()
        client.send(String(repeating: "GET /held HTTP/1.1\r\nHost: x\r\n\r\n", count: 9))
        #expect(await client.readToEnd() == "")
        #expect(client.isClosed)
        gate.open()
    }

    @Test func `a closed server accepts nothing and lets go of all`() async throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.read(through: "hello ").contains("hello "))
        server.server.close()
        #expect(await client.readToEnd() == "" && client.isClosed)
        server.server.close()
    }
}
